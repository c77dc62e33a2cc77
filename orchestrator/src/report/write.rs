//! The files of a report: each whole or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::chart::png::{Fonts, png};
use super::model::Report;
use super::{ReportError, markup, pdf, xlsx};

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One page with everything in it
    Html,
    /// For a repository, with pictures in charts/
    Markdown,
    /// For paper, with pictures in charts/
    Latex,
    /// A workbook
    Xlsx,
    /// Every figure, for programs
    Json,
}

impl Format {
    fn file_name(self) -> &'static str {
        match self {
            Format::Html => "report.html",
            Format::Markdown => "report.md",
            Format::Latex => "report.tex",
            Format::Xlsx => "report.xlsx",
            Format::Json => "report.json",
        }
    }
}

/// How it is written.
#[derive(Debug, Clone)]
pub struct Output {
    /// Which formats.
    pub formats: Vec<Format>,
    /// Where.
    pub folder: PathBuf,
    /// A PDF too, of HTML or LaTeX.
    pub pdf: bool,
    /// Pictures as files too.
    pub charts: bool,
    /// Over what is there.
    pub force: bool,
}

/// Writes it, and says which files it wrote.
pub fn write(report: &Report, output: &Output) -> Result<Vec<PathBuf>, ReportError> {
    let folder = &output.folder;
    let taken = output.formats.iter().map(|f| folder.join(f.file_name())).find(|path| path.exists());
    if let Some(path) = taken.filter(|_| !output.force) {
        return Err(ReportError::Exists(path));
    }
    // Everything is made before anything is written.
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for format in &output.formats {
        let bytes = match format {
            Format::Html => markup::html(report)?.into_bytes(),
            Format::Markdown => markup::markdown(report)?.into_bytes(),
            Format::Latex => markup::latex(report)?.into_bytes(),
            Format::Xlsx => xlsx::xlsx(report)?,
            Format::Json => serde_json::to_vec_pretty(report)?,
        };
        files.push((folder.join(format.file_name()), bytes));
    }
    files.extend(pictures(report, output)?);
    for (path, bytes) in &files {
        whole(path, bytes)?;
    }
    let mut written: Vec<PathBuf> = files.into_iter().map(|(path, _)| path).collect();
    if output.pdf {
        written.extend(pdfs(output)?);
    }
    Ok(written)
}

fn pictures(report: &Report, output: &Output) -> Result<Vec<(PathBuf, Vec<u8>)>, ReportError> {
    let has = |format| output.formats.contains(&format);
    let (svg, as_png) = (output.charts || has(Format::Markdown), output.charts || has(Format::Latex));
    let folder = output.folder.join("charts");
    let mut files = Vec::new();
    let fonts = as_png.then(Fonts::load);
    for chart in &report.charts {
        if svg {
            files.push((folder.join(format!("{}.svg", chart.id)), chart.svg.clone().into_bytes()));
        }
        if let Some(fonts) = &fonts {
            files.push((folder.join(format!("{}.png", chart.id)), png(chart, fonts)?));
        }
    }
    Ok(files)
}

/// Of LaTeX where that is asked for, else of HTML.
fn pdfs(output: &Output) -> Result<Vec<PathBuf>, ReportError> {
    let path = |format: Format| output.folder.join(format.file_name());
    if output.formats.contains(&Format::Latex) {
        return Ok(vec![pdf::of_latex(&path(Format::Latex))?]);
    }
    Ok(vec![pdf::of_html(&path(Format::Html))?])
}

fn whole(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(ReportError::io("creating", folder))?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    let mut file = File::create(&partial).map_err(ReportError::io("creating", &partial))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(ReportError::io("writing", &partial))?;
    fs::rename(&partial, path).map_err(ReportError::io("renaming to", path))
}
