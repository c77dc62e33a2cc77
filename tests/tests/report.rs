//! `results report`: of real results, in every format, looked at by a real browser, a real LaTeX and others' readers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use bench_tests::process::{Finished, run};
use bench_tests::profiles::UdpFlows;
use bench_tests::{bin, needs};
use serde_json::Value;
use tempfile::TempDir;

/// Two repeats of one profile and one of another over two pairs: one measurement for all tests of this file.
fn measured() -> TempDir {
    let place = tempfile::tempdir().unwrap();
    for (flows, frame_size, more) in [(10, 64, &["--repeats", "2"][..]), (200, 512, &["--pairs", "2"])] {
        let profile = UdpFlows { flows, frame_size, rate: "20kpps", count: None }.write(place.path());
        let mut command = bin::orchestrator();
        command.args(["run", "--local", "--no-huge", "--duration", "2", "--warmup-duration", "0"]).args(more);
        command.arg("--profile").arg(&profile).current_dir(place.path());
        let done = run(&mut command);
        assert!(done.status.success(), "{}\n{}", done.stdout, done.stderr);
    }
    place
}

/// Reports what is in `place`/results into `place`/report.
fn report(place: &Path, args: &[&str]) -> Finished {
    let mut command = bin::orchestrator();
    command.args(["results", "report"]).args(args).current_dir(place);
    run(&mut command)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

static BROWSER: LazyLock<bool> = LazyLock::new(|| needs::programs_are_here(&["chromium"]));

/// What Chromium says of a page: its document once it is loaded, and its log.
fn browse(page: &Path) -> (String, String) {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new("chromium");
    command
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom"])
        .arg(format!("--user-data-dir={}", home.path().display()))
        .arg(format!("file://{}", page.display()));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

/// Of every figure: what is said of it, how many shapes of it can be seen, and how many are within the picture.
const PROBE: &str = r##"<script>
addEventListener("load", () => {
  const figures = [...document.querySelectorAll("figure")].map(figure => {
    const picture = figure.querySelector("svg").getBoundingClientRect();
    const inside = shape => {
      const box = shape.getBoundingClientRect();
      return box.left >= picture.left - 1 && box.right <= picture.right + 1
        && box.top >= picture.top - 1 && box.bottom <= picture.bottom + 1;
    };
    const extent = shape => shape.getBoundingClientRect().width + shape.getBoundingClientRect().height;
    const shapes = [...figure.querySelectorAll("polyline, circle, rect, polygon")].slice(1);
    return { id: figure.id, points: +figure.dataset.points, width: picture.width, height: picture.height,
             inside: shapes.filter(inside).length, shapes: shapes.length,
             seen: shapes.filter(shape => extent(shape) > 2).length,
             texts: [...figure.querySelectorAll("text")].map(text => text.textContent.trim()) };
  });
  const rows = document.querySelectorAll("#summary tbody tr").length;
  document.body.textContent = "PROBE" + JSON.stringify({ figures, rows }) + "END";
});
</script></body>"##;

#[test]
fn a_browser_shows_every_chart_with_data_and_complains_of_nothing() {
    if !*BROWSER {
        return;
    }
    let place = measured();
    let done = report(place.path(), &["--speed", "10", "--pdf", "--title", "a <b>&\"title\""]);
    assert!(done.status.success(), "{}", done.stderr);
    let page = place.path().join("report/report.html");
    assert!(done.stdout.contains("report/report.html") && done.stdout.contains("report/report.pdf"));
    let html = read(&page);
    // Nothing is fetched: no address but that of the SVG language.
    assert_eq!(html.replace("http://www.w3.org/2000/svg", "").matches("://").count(), 0);
    assert!(html.contains("a &lt;b&gt;&amp;") && !html.contains("a <b>"));
    let (_, log) = browse(&page);
    assert!(!log.contains("CONSOLE"), "{log}");

    let probed = place.path().join("probed.html");
    let policy = html.lines().find(|line| line.contains("Content-Security-Policy")).unwrap();
    fs::write(&probed, html.replace(policy, "").replace("</body>", PROBE)).unwrap();
    let (document, log) = browse(&probed);
    assert!(!log.contains("CONSOLE"), "{log}");
    let json = document.split_once("PROBE").unwrap().1.split_once("END").unwrap().0;
    let seen: Value = serde_json::from_str(json).unwrap();
    assert_eq!(seen["rows"], 4, "two repeats and two pairs");
    let figures = seen["figures"].as_array().unwrap();
    let ids: Vec<&str> = figures.iter().map(|f| f["id"].as_str().unwrap()).collect();
    for name in ["throughput-pps", "throughput-bits"] {
        assert!(ids.contains(&name), "{ids:?}");
    }
    for group in ["000", "001", "002"] {
        for kind in ["rate", "percentiles", "histogram", "cores", "busy", "pacing"] {
            assert!(ids.contains(&format!("{group}-{kind}").as_str()), "{group}-{kind} of {ids:?}");
        }
    }
    for figure in figures {
        let n = |name: &str| figure[name].as_f64().unwrap();
        assert!(n("points") > 0.0 && n("width") > 300.0 && n("height") > 100.0, "{figure}");
        assert!(n("seen") >= 2.0 && n("inside") == n("shapes"), "{figure}");
        let texts: Vec<&str> =
            figure["texts"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
        let has_unit =
            |t: &&str| ["packets/s", "Gbit/s", "latency", "%", ", s", "bytes"].iter().any(|u| t.contains(u));
        assert!(texts.iter().any(has_unit), "{figure}");
    }
    let pdf = fs::read(place.path().join("report/report.pdf")).unwrap();
    assert!(pdf.starts_with(b"%PDF") && pdf.len() > 20_000, "{} bytes", pdf.len());
}

#[test]
fn every_format_has_every_result_and_is_read_by_others() {
    let Some(python) = needs::python_with("openpyxl") else { return };
    if !needs::programs_are_here(&["pdflatex"]) {
        return;
    }
    let place = measured();
    let done = report(place.path(), &["--format", "markdown,latex,xlsx,json", "--charts", "--pdf"]);
    assert!(done.status.success(), "{}\n{}", done.stdout, done.stderr);
    let folder = place.path().join("report");
    let json: Value = serde_json::from_str(&read(&folder.join("report.json"))).unwrap();
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!(json["repeats"].as_array().unwrap().len(), 1, "one profile on one pair was repeated");
    let (markdown, latex) = (read(&folder.join("report.md")), read(&folder.join("report.tex")));
    for row in rows {
        let expid = row["expid"].as_str().unwrap();
        assert!(markdown.contains(expid) && latex.contains(expid), "{expid}");
        // As the result itself has it.
        let stored = place.path().join(row["folder"].as_str().unwrap()).join("result.json");
        let result: Value = serde_json::from_str(&read(&stored)).unwrap();
        assert_eq!(row["sent"], result["verdict"]["sent"]);
        assert_eq!(row["rx_pps"]["mean"], result["verdict"]["rx_pps"]);
    }
    for name in markdown.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        assert!(read(&folder.join(name)).starts_with("<svg "), "{name}");
    }
    let pictures: Vec<PathBuf> =
        fs::read_dir(folder.join("charts")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let png: Vec<&PathBuf> = pictures.iter().filter(|p| p.extension().is_some_and(|e| e == "png")).collect();
    assert_eq!(png.len() * 2, pictures.len(), "each as SVG and PNG");
    assert!(png.iter().all(|p| fs::read(p).unwrap().starts_with(b"\x89PNG")));
    assert!(fs::read(folder.join("report.pdf")).unwrap().starts_with(b"%PDF"));

    let script = "import openpyxl, sys, json\nb = openpyxl.load_workbook(sys.argv[1])\ns = b['Summary']\n\
                  head = [c.value for c in s[1]]\n\
                  print(json.dumps([b.sheetnames, [dict(zip(head, [c.value for c in r])) for r in s.iter_rows(min_row=2)]]))";
    let output = Command::new(python).args(["-c", script]).arg(folder.join("report.xlsx")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let book: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(book[0], serde_json::json!(["Summary", "Repeats", "Warnings", "Environment"]));
    for (line, row) in book[1].as_array().unwrap().iter().zip(rows) {
        assert_eq!((&line["trial"], &line["sent"]), (&row["expid"], &row["sent"]));
    }

    let again = report(place.path(), &["--format", "json"]);
    assert!(!again.status.success() && again.stderr.contains("--force"), "{}", again.stderr);
    assert!(report(place.path(), &["--format", "json", "--force"]).status.success());
}

#[test]
fn what_is_damaged_is_said_and_the_rest_is_reported() {
    let place = measured();
    let results = place.path().join("results");
    let mut trials: Vec<PathBuf> = fs::read_dir(&results).unwrap().map(|e| e.unwrap().path()).collect();
    trials.sort();
    let pair = trials[0].join("tx0-rx0");
    let json = pair.join("result.json");
    let cut = read(&json);
    fs::write(&json, &cut[..cut.len() / 2]).unwrap();
    fs::create_dir(results.join("00000000")).unwrap();
    fs::create_dir_all(results.join("00000001/tx0-rx0/.state")).unwrap();
    fs::write(results.join("00000001/tx0-rx0/.state/trial.json"), "{}").unwrap();
    let newer = results.join("00000002/tx0-rx0");
    fs::create_dir_all(&newer).unwrap();
    fs::write(newer.join("result.json"), r#"{"format": 7, "trial": {"release": "9.9"}}"#).unwrap();
    let done = report(place.path(), &["--format", "json"]);
    assert!(done.status.success(), "{}", done.stderr);
    let made: Value = serde_json::from_str(&read(&place.path().join("report/report.json"))).unwrap();
    let rows = made["rows"].as_array().unwrap().len();
    assert!((2..=3).contains(&rows), "{rows} of four results: one was cut");
    let skipped: Vec<&Value> = made["skipped"].as_array().unwrap().iter().collect();
    assert_eq!(skipped.len(), 4, "{skipped:?}");
    for word in ["result.json is not what", "no result.json", "results recover", "(9.9)"] {
        assert!(skipped.iter().any(|s| s["reason"].as_str().unwrap().contains(word)), "{word}: {skipped:?}");
        assert!(done.stderr.contains(word), "{word}: {}", done.stderr);
    }
    let nothing = tempfile::tempdir().unwrap();
    fs::create_dir(nothing.path().join("results")).unwrap();
    let done = report(nothing.path(), &[]);
    assert!(!done.status.success() && done.stderr.contains("orchestrator run"), "{}", done.stderr);
    assert!(!nothing.path().join("report").exists());
}
