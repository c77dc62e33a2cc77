//! The files that an agent keeps of its runs, written as time passes.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};

use crate::fake::{Agent, figures};

/// A reader of the files may have to wait so long for what is known already.
const PERIOD: Duration = Duration::from_millis(10);
/// Samples of a run before the agent vanishes, in the mode in which it does.
const SAMPLES_BEFORE_VANISHING: u64 = 3;

/// What of a run is written.
#[derive(Default)]
struct Kept {
    is_begun: bool,
    samples: u64,
    is_over: bool,
}

pub struct Disk {
    agent: Agent,
    state_dir: PathBuf,
    kept: Mutex<HashMap<String, Kept>>,
}

impl Disk {
    pub fn new(agent: Agent, state_dir: PathBuf) -> Arc<Disk> {
        Arc::new(Disk { agent, state_dir, kept: Mutex::default() })
    }

    /// Writes what is known and not yet written.
    pub fn flush(&self) {
        let mut all = self.kept.lock().unwrap();
        for id in self.agent.ids() {
            let folder = self.state_dir.join("runs").join(&id);
            let kept = all.entry(id.clone()).or_default();
            if !kept.is_begun {
                begin(&self.agent, &id, &folder);
                kept.is_begun = true;
            }
            write(&self.agent, &id, &folder, kept);
        }
        if self.agent.mode() == "vanishes" && all.values().any(|k| k.samples >= SAMPLES_BEFORE_VANISHING) {
            std::process::exit(1);
        }
    }

    /// As time passes.
    pub async fn keep(self: Arc<Disk>) {
        loop {
            self.flush();
            tokio::time::sleep(PERIOD).await;
        }
    }

    /// What an answer says is on disk already.
    pub fn before_every_answer(self: Arc<Disk>, router: Router) -> Router {
        router.layer(middleware::from_fn(move |request: Request, next: Next| {
            let disk = self.clone();
            async move {
                let answer = next.run(request).await;
                disk.flush();
                answer
            }
        }))
    }
}

fn begin(agent: &Agent, id: &str, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    agent.with(id, |run, setup| {
        fs::write(folder.join("spec.json"), serde_json::to_string(&run.spec).unwrap()).unwrap();
        let ready = figures::ready(setup, &run.spec);
        fs::write(folder.join("ready.json"), serde_json::to_string(&ready).unwrap()).unwrap();
    });
}

/// Samples first: whoever finds a summary finds all of them.
fn write(agent: &Agent, id: &str, folder: &Path, kept: &mut Kept) {
    let mode = agent.mode();
    agent.with(id, |run, setup| {
        let there = run.samples(setup);
        if there > kept.samples {
            let mut options = fs::OpenOptions::new();
            let mut file = options.create(true).append(true).open(folder.join("samples.ndjson")).unwrap();
            for n in kept.samples..there {
                let sample = run.sample(setup, &mode, n);
                writeln!(file, "{}", serde_json::to_string(&sample).unwrap()).unwrap();
            }
            kept.samples = there;
        }
        if let (Some(summary), false) = (run.summary(setup, &mode), kept.is_over) {
            fs::write(folder.join("summary.json"), serde_json::to_string(&summary).unwrap()).unwrap();
            kept.is_over = true;
        }
        if let (Some(error), false) = (run.error(setup), kept.is_over) {
            fs::write(folder.join("error.txt"), error).unwrap();
            kept.is_over = true;
        }
    });
}
