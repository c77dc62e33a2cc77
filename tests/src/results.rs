//! A folder of results as REFERENCE's section on result files describes it, and what must be in it.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::npz::{self, Npz};

/// Keys of a receiver's npz, one value a second.
const RX_KEYS: [&str; 9] = [
    "rx_pps",
    "tx_pps",
    "rx_bytes",
    "tx_bytes",
    "rx_packets",
    "tx_packets",
    "rx_errors",
    "rx_missed",
    "rx_nombuf",
];
/// Keys of a sender's npz, one value a sample.
const TX_KEYS: [&str; 20] = [
    "mbits_tx",
    "pkts_tx",
    "obytes",
    "opackets",
    "imissed",
    "oerrors",
    "rx_nombuf",
    "pkts_rx",
    "mbits_rx",
    "ipackets",
    "ibytes",
    "ierrors",
    "port_rx_nombuf",
    "port_opackets",
    "port_imissed",
    "port_ierrors",
    "port_ibytes",
    "port_oerrors",
    "port_obytes",
    "port_ipackets",
];
/// Lines that `rxN_stats.log` has each second, up to their numbers.
const LOG_LINES: [&str; 6] =
    ["  RX-packets: ", "  RX-errors: ", "  RX-nombuf: ", "  TX-packets: ", "  Rx-pps: ", "  Tx-pps: "];
/// What `metadata.txt` says of every trial.
const METADATA: [&str; 15] = [
    "expid",
    "timestamp",
    "profile",
    "tx_pod",
    "rx_pod",
    "tx_node",
    "rx_node",
    "tx_mac",
    "rx_mac",
    "tx_numa",
    "rx_numa",
    "testpmd_cmd",
    "tx_cmdline",
    "rx_cmdline",
    "duration",
];

/// What a trial left of a pair.
#[derive(Debug)]
pub struct PairResults {
    /// `results/<expid>/txN-rxN`.
    pub folder: PathBuf,
    /// Eight hex digits.
    pub expid: String,
    /// `result.json`.
    pub result: Value,
    /// The receiver's arrays.
    pub rx: Npz,
    /// The sender's arrays.
    pub tx: Npz,
}

/// The only trial's only pair folder.
pub fn pair_folder(results: &Path) -> Option<(PathBuf, String)> {
    let trials: Vec<_> = std::fs::read_dir(results).ok()?.flatten().collect();
    assert!(trials.len() <= 1, "one trial: {trials:?}");
    let expid = trials.first()?.file_name().to_string_lossy().into_owned();
    assert!(expid.len() == 8 && expid.bytes().all(|b| b.is_ascii_hexdigit()), "{expid}: 8 hex digits");
    Some((trials[0].path().join("tx0-rx0"), expid))
}

/// Reads the results of the only trial, of a profile named `profile`, and checks that they are whole.
pub fn read(python: &Path, results: &Path, profile: &str) -> PairResults {
    let (folder, _) = pair_folder(results).expect("a trial in the results folder");
    read_pair(python, folder, profile)
}

/// Reads `results/<expid>/txN-rxN`, and checks that it is whole.
pub fn read_pair(python: &Path, folder: PathBuf, profile: &str) -> PairResults {
    let name_of = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let expid = name_of(folder.parent().unwrap());
    let pair = name_of(&folder);
    let (tx_pod, rx_pod) = pair.split_once('-').expect("txN-rxN");
    let names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let npz_of = |pod: &str, role: &str| {
        let (start, middle) = (format!("{expid}_{pod}_{role}_txcores_"), format!("_spec_{profile}_"));
        let mut fitting =
            names.iter().filter(|n| n.starts_with(&start) && n.contains(&middle) && n.ends_with(".npz"));
        let name = fitting.next().unwrap_or_else(|| panic!("no {start}…{middle}….npz among {names:?}"));
        let time = name.trim_end_matches(".npz").rsplit(&middle).next().unwrap();
        assert!(time.len() == 15 && time.as_bytes()[8] == b'_', "{time}: YYYYmmdd_HHMMSS");
        npz::load(python, &folder.join(name))
    };
    let (rx, tx) = (npz_of(rx_pod, "rx"), npz_of(tx_pod, "tx"));
    let text = |name: &str| {
        std::fs::read_to_string(folder.join(name))
            .unwrap_or_else(|e| panic!("{name}: {e}; there are {names:?}"))
    };
    let seconds = rx.len("rx_pps");
    RX_KEYS.iter().for_each(|key| assert_eq!(rx.integers(key).len(), seconds, "values of {key}"));
    let samples = tx.len("pkts_tx");
    TX_KEYS.iter().for_each(|key| assert_eq!(tx.len(key), samples, "values of {key}"));
    let log = text(&format!("{rx_pod}_stats.log"));
    for start in LOG_LINES {
        assert_eq!(
            log.lines().filter(|l| l.starts_with(start)).count(),
            seconds,
            "lines `{start}` of {rx_pod}_stats.log"
        );
    }
    text(&format!("{rx_pod}_warmup.log"));
    check_csv(&text(&format!("{tx_pod}_port_rate_stats.csv")), samples, &TX_KEYS[..12]);
    let totals: Vec<&str> = TX_KEYS[12..].iter().map(|key| key.trim_start_matches("port_")).collect();
    check_csv(&text(&format!("{tx_pod}_port_stats.csv")), samples, &totals);
    let metadata = text("metadata.txt");
    for key in METADATA {
        assert!(
            metadata.lines().any(|l| l.starts_with(&format!("{key}="))),
            "no {key}= in metadata.txt: {metadata}"
        );
    }
    let result = serde_json::from_str(&text("result.json")).expect("result.json is JSON");
    assert!(!folder.join(".state").exists(), "the agents' files are gone once the results are written");
    PairResults { folder, expid, result, rx, tx }
}

/// One line a sample: the time in UTC, then `key=value` for each key.
fn check_csv(text: &str, samples: usize, keys: &[&str]) {
    assert_eq!(text.lines().count(), samples, "lines of the CSV");
    for line in text.lines() {
        let mut parts = line.split(',');
        let time = parts.next().unwrap();
        assert!(time.len() == 19 && time.as_bytes()[10] == b'T', "{time}: 2025-03-21T05:17:53");
        let mut told: Vec<&str> = parts.filter_map(|pair| Some(pair.split_once('=')?.0)).collect();
        told.sort_unstable();
        let mut expected = keys.to_vec();
        expected.sort_unstable();
        assert_eq!(told, expected, "keys of {line}");
    }
}

impl PairResults {
    /// A number of the verdict.
    pub fn verdict(&self, name: &str) -> u64 {
        let verdict = &self.result["verdict"];
        verdict[name].as_u64().unwrap_or_else(|| panic!("no {name} in {verdict}"))
    }
}
