//! What an engine says: events on standard output, a log on standard error.

use std::sync::Arc;

use tokio::io::{AsyncRead, BufReader};
use tokio::sync::{Mutex, watch};
use traffic::wire::{Event, Sample, Summary};

use super::limits::ENGINE_LINE_BYTES_MAX;
use super::lines::{Line, next_line};
use super::log::{EngineLog, note};
use super::run::Run;
use super::store::Appender;

/// Characters of a line that is no event which the log quotes.
const QUOTED_CHARS: usize = 200;

/// After which nothing follows.
#[derive(Clone, Debug)]
pub enum LastWord {
    /// With a fault of our own, where samples could not be written.
    Done(Box<Summary>, Option<String>),
    /// What the engine says went wrong.
    Failed(String),
}

/// Reads events until the pipe ends. What is none is logged, counted and otherwise ignored.
pub async fn read_events(
    run: Arc<Run>,
    from: impl AsyncRead + Unpin,
    mut file: Appender,
    log: Arc<Mutex<EngineLog>>,
    last_word: watch::Sender<Option<LastWord>>,
) {
    let mut from = BufReader::new(from);
    loop {
        let stray = match next_line(&mut from, ENGINE_LINE_BYTES_MAX).await {
            Ok(Some(Line::Whole(line))) => match serde_json::from_slice::<Event>(&line) {
                Ok(event) if last_word.borrow().is_none() => take(&run, event, &mut file, &last_word).await,
                Ok(_) => Err("an event after the last word".to_owned()),
                Err(error) => {
                    let text: String = String::from_utf8_lossy(&line).chars().take(QUOTED_CHARS).collect();
                    Err(format!("a line on standard output that is no event ({error}): {text}"))
                }
            },
            Ok(Some(Line::TooLong(bytes))) => Err(format!("a line of {bytes} bytes on standard output")),
            Ok(None) => return,
            Err(error) => {
                log.lock().await.remark(&format!("standard output can't be read any more: {error}")).await;
                return;
            }
        };
        if let Err(what) = stray {
            run.count_stray();
            log.lock().await.remark(&format!("ignored: {what}")).await;
        }
    }
}

/// Keeps one event; the error says why it is none.
async fn take(
    run: &Run,
    event: Event,
    file: &mut Appender,
    last_word: &watch::Sender<Option<LastWord>>,
) -> Result<(), String> {
    match event {
        Event::Ready(ready) => {
            write_or_note(run, "ready.json", &ready).await;
            run.set_ready(ready);
        }
        Event::Sample(sample) => keep_sample(run, sample, file).await?,
        Event::Started { unix_ns } => run.set_started(unix_ns),
        Event::Sent => run.set_sent(),
        Event::Done(summary) => {
            // On disk before anything else: the engine's teardown may still take seconds.
            write_or_note(run, "summary.json", &summary).await;
            let fault = file.fault().map(|why| {
                format!(
                    "samples.ndjson of run `{}` is not whole ({why}): the summary's totals are",
                    run.spec.id
                )
            });
            last_word.send_replace(Some(LastWord::Done(summary, fault)));
        }
        Event::Failed { error } => {
            last_word.send_replace(Some(LastWord::Failed(error)));
        }
    }
    Ok(())
}

async fn keep_sample(run: &Run, sample: Box<Sample>, file: &mut Appender) -> Result<(), String> {
    let due = run.sample_count();
    if sample.n != due {
        return Err(format!("sample {} where sample {due} was due", sample.n));
    }
    let line =
        serde_json::to_string(&sample).map_err(|error| format!("a sample that can't be written: {error}"))?;
    let was_whole = file.fault().is_none();
    let is_in_file = file.line(line.as_bytes()).await;
    if let (true, Some(why)) = (was_whole, file.fault()) {
        note(&format!("run `{}`: samples.ndjson takes no more samples: {why}", run.spec.id));
    }
    run.push_sample(sample, &line, is_in_file);
    Ok(())
}

async fn write_or_note<T: serde::Serialize>(run: &Run, name: &str, value: &T) {
    if let Err(error) = run.dir.write_json(name, value).await {
        note(&format!("run `{}`: {name} could not be written: {error}", run.spec.id));
    }
}

/// Copies the engine's log.
pub async fn copy_log(from: impl AsyncRead + Unpin, log: Arc<Mutex<EngineLog>>) {
    let mut from = BufReader::new(from);
    loop {
        match next_line(&mut from, ENGINE_LINE_BYTES_MAX).await {
            Ok(Some(Line::Whole(line))) => log.lock().await.line(&line).await,
            Ok(Some(Line::TooLong(bytes))) => {
                log.lock().await.remark(&format!("a line of {bytes} bytes left out")).await
            }
            Ok(None) | Err(_) => return,
        }
    }
}
