//! PDF, by a program of the user's machine.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::ReportError;

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const LATEX: [&str; 4] = ["lualatex", "xelatex", "pdflatex", "tectonic"];
/// Of what a program says, the end.
const SAID_MAX: usize = 600;

/// Of the HTML page, by a browser without a window.
pub fn of_html(page: &Path) -> Result<PathBuf, ReportError> {
    let maker = find(&BROWSERS).ok_or(ReportError::NoPdfMaker { what: "HTML", install: "chromium" })?;
    let pdf = page.with_extension("pdf");
    let profile = tempfile::tempdir().map_err(ReportError::io("creating", &std::env::temp_dir()))?;
    let page_url = page.canonicalize().map_err(ReportError::io("reading", page))?;
    let mut command = Command::new(&maker);
    command
        .args(["--headless", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer"])
        .arg(joined("--user-data-dir=", profile.path()))
        .arg(joined("--print-to-pdf=", &pdf));
    // Chromium refuses root its sandbox; the page is our own, has no script, and nothing is fetched.
    if nix::unistd::geteuid().is_root() {
        command.arg("--no-sandbox");
    }
    run(command.arg(joined("file://", &page_url)), &maker, page, &pdf)
}

/// Of the LaTeX text, by the first engine there is. Twice, for the columns of long tables.
pub fn of_latex(text: &Path) -> Result<PathBuf, ReportError> {
    let install = "texlive-latex-extra";
    let maker = find(&LATEX).ok_or(ReportError::NoPdfMaker { what: "LaTeX", install })?;
    let (folder, name) = (text.parent().unwrap_or(Path::new(".")), text.file_name().unwrap_or_default());
    let pdf = text.with_extension("pdf");
    let is_tectonic = maker.file_name() == Some(OsStr::new("tectonic"));
    for _ in 0..if is_tectonic { 1 } else { 2 } {
        let mut command = Command::new(&maker);
        command.current_dir(folder);
        if !is_tectonic {
            command.args(["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"]);
        }
        run(command.arg(name), &maker, text, &pdf)?;
    }
    for extension in ["aux", "log"] {
        // Left over; nothing depends on them.
        let _ = std::fs::remove_file(text.with_extension(extension));
    }
    Ok(pdf)
}

fn joined(flag: &str, path: &Path) -> std::ffi::OsString {
    let mut word = std::ffi::OsString::from(flag);
    word.push(path);
    word
}

fn run(command: &mut Command, maker: &Path, of: &Path, pdf: &Path) -> Result<PathBuf, ReportError> {
    let failed = |reason: String| ReportError::Pdf {
        program: maker.display().to_string(),
        path: of.to_owned(),
        reason,
    };
    let said = command.stdin(Stdio::null()).output().map_err(|error| failed(error.to_string()))?;
    if said.status.success() && pdf.is_file() {
        return Ok(pdf.to_owned());
    }
    let all = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    let skipped = all.chars().count().saturating_sub(SAID_MAX);
    Err(failed(format!("{}: {}", said.status, all.chars().skip(skipped).collect::<String>().trim())))
}

/// The first of these programs that the path has.
fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    names.iter().find_map(|name| folders.iter().map(|f| f.join(name)).find(|program| program.is_file()))
}
