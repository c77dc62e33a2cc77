//! One run of the real engine: by hand (`dataplane tx|rx --output json`) or over pipes (`dataplane engine`).

use std::process::Command as Program;
use std::time::{Duration, Instant};

use traffic::wire::{Command, Event, Ready, RunSpec, Sample, Summary};

use crate::bin;
use crate::process::Process;

/// A run of a test is over after so long; samples alone, which come for as long as it lasts, don't make it longer.
const RUN_LIMIT: Duration = Duration::from_secs(90);

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// What the engine said when it was ready.
    pub ready: Ready,
    /// Every sample.
    pub samples: Vec<Sample>,
    /// The last word.
    pub summary: Summary,
}

/// A run on its way.
#[derive(Debug)]
pub struct Run {
    process: Process,
    began: Instant,
    ready: Option<Ready>,
    samples: Vec<Sample>,
    is_started: bool,
    is_sent: bool,
    end: Option<Result<Summary, String>>,
}

impl Run {
    /// Starts a command that writes events, such as `dataplane tx … --output json`.
    pub fn spawn(command: &mut Program) -> Run {
        let (process, began) = (Process::spawn(command), Instant::now());
        Run { process, began, ready: None, samples: Vec::new(), is_started: false, is_sent: false, end: None }
    }

    /// Starts `dataplane engine` and hands it the spec.
    pub fn engine(spec: &RunSpec) -> Run {
        let mut run = Run::spawn(bin::dataplane().arg("engine"));
        run.process.say(&serde_json::to_string(spec).expect("a spec is JSON"));
        run
    }

    /// The process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Tells the engine.
    pub fn command(&mut self, command: Command) {
        self.process.say(&serde_json::to_string(&command).expect("a command is JSON"));
    }

    /// Waits until it is ready.
    pub fn ready(&mut self) -> &Ready {
        while self.ready.is_none() {
            assert!(self.end.is_none(), "no run: {:?}; its log: {}", self.end, self.process.stderr());
            self.event();
        }
        self.ready.as_ref().expect("just seen")
    }

    /// Starts it and waits until that was obeyed: a sender is started when its receiver counts.
    pub fn start(&mut self) {
        self.command(Command::Start);
        while !self.is_started {
            assert!(self.end.is_none(), "ended instead of having started: {:?}", self.end);
            self.event();
        }
    }

    /// Waits until a sender has sent all and holds its port open.
    pub fn wait_until_sent(&mut self) {
        while !self.is_sent {
            assert!(self.end.is_none(), "the sender ended without having sent: {:?}", self.end);
            self.event();
        }
    }

    /// Waits for a sample that `condition` holds for, or for the end.
    pub fn wait_for_sample(&mut self, condition: impl Fn(&Sample) -> bool) {
        while !self.samples.last().is_some_and(&condition) && self.end.is_none() {
            self.event();
        }
    }

    /// Waits for the end, which must be a good one.
    pub fn finish(mut self) -> Outcome {
        while self.end.is_none() {
            self.event();
        }
        let summary = match self.end.take() {
            Some(Ok(summary)) => summary,
            other => panic!("the run failed: {other:?}\nits log: {}", self.process.stderr()),
        };
        let status = self.process.wait();
        assert!(status.success(), "{status} after a good end; the log: {}", self.process.stderr_at_end());
        let ready = self.ready.expect("an engine that is done was ready");
        Outcome { ready, samples: self.samples, summary }
    }

    /// Waits for the end, which must be a failure, and gives its reason.
    pub fn fail(mut self) -> String {
        while self.end.is_none() {
            self.event();
        }
        let status = self.process.wait();
        assert!(!status.success(), "a failed run ended with {status}");
        match self.end {
            Some(Err(error)) => error,
            other => panic!("the run did not fail: {other:?}"),
        }
    }

    /// Takes in the next event.
    fn event(&mut self) {
        let (limit, last) = (RUN_LIMIT.as_secs(), self.samples.last());
        assert!(self.began.elapsed() < RUN_LIMIT, "not over after {limit} s; the last sample: {last:?}");
        let Some(line) = self.process.line() else {
            let status = self.process.wait();
            panic!("no more events, {status}; the log: {}", self.process.stderr_at_end());
        };
        let event: Event = serde_json::from_str(&line).unwrap_or_else(|e| panic!("no event: {line}: {e}"));
        match event {
            Event::Ready(ready) => self.ready = Some(*ready),
            Event::Sample(sample) => self.samples.push(*sample),
            Event::Started { .. } => self.is_started = true,
            Event::Sent => self.is_sent = true,
            Event::Done(summary) => self.end = Some(Ok(*summary)),
            Event::Failed { error } => self.end = Some(Err(error)),
        }
    }
}

/// Frames that a sender's NIC took, over all workers.
pub fn sent(sample: &Sample) -> u64 {
    sample.cores.iter().map(|c| c.tx_packets).sum()
}

/// Frames that a receiver's workers got, whatever they were.
pub fn got(sample: &Sample) -> u64 {
    sample.cores.iter().map(|c| c.rx_packets).sum()
}
