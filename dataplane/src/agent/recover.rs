//! Runs that an earlier agent left on disk.

use traffic::wire::{RunSpec, Summary};

use super::log::note;
use super::run::Run;
use super::samples::Samples;
use super::store::RunDir;

/// What a folder holds.
#[derive(Debug)]
pub enum Found {
    /// A run that is over; maybe just by the look at it.
    Run(Box<Run>),
    /// One that was not asked for.
    Older,
    /// No run: its spec is missing or can't be read.
    Nothing,
}

/// Reads a run back. One without an end was cut off by the earlier agent's own end, and is marked so on disk.
/// Finished ones are only wanted where `with_finished`. Blocks.
pub fn recover(dir: RunDir, with_finished: bool) -> Found {
    let Some(spec) = dir.read_json::<RunSpec>("spec.json") else { return Found::Nothing };
    let end = match (dir.read_json::<Summary>("summary.json"), dir.read_text("error.txt")) {
        (_, Some(error)) => Some(Err(error)),
        (Some(summary), None) => Some(Ok(summary)),
        (None, None) => None,
    };
    if end.is_some() && !with_finished {
        return Found::Older;
    }
    let samples = match Samples::from_file(&dir.file("samples.ndjson")) {
        Ok(samples) => samples,
        Err(error) => {
            note(&format!("run `{}`: its samples can't be read back: {error}", spec.id));
            Samples::default()
        }
    };
    let end = end.unwrap_or_else(|| {
        let error = cut_off(&dir, &spec.id, samples.next());
        if let Err(fault) = std::fs::write(dir.file("error.txt"), format!("{error}\n")) {
            note(&format!("run `{}`: its end could not be written to disk: {fault}", spec.id));
        }
        Err(error)
    });
    Found::Run(Box::new(Run::recovered(spec, dir, samples, end)))
}

fn cut_off(dir: &RunDir, id: &str, samples: u64) -> String {
    let engine = dir.read_json::<traffic::wire::Ready>("ready.json").map_or_else(String::new, |ready| {
        format!(
            " Its engine (pid {pid}) may go on until its own limit: `kill {pid}` ends it.",
            pid = ready.pid
        )
    });
    format!(
        "the agent was restarted while run `{id}` was live; the {samples} samples written before are \
         kept.{engine} Prepare the run again under another id."
    )
}
