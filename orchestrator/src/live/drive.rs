//! The task that speaks with the agents: obeys the script's orders one after the other, and follows what it started.

use std::cell::Cell;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use traffic::profile::Profile;
use traffic::wire::{Ready, Role, RunState, RunStatus, Sample};

use super::books::Sort;
use super::shared::{Order, Port, RECEIVER, SENDER, Shared};
use crate::agent::both::{Both, Ears, follow_both};
use crate::expid::ExpId;
use crate::lab::{LabPair, PairCores, PairInventory};
use crate::path::PairPath;
use crate::path::adapt::adapt;
use crate::settings::{OutputFormat, Settings};
use crate::trial::specs::{PairSpecs, main_specs};
use crate::trial::{Interrupt, Progress, measure, prepare};

/// From being told to stop to being over.
const PATIENCE: Duration = Duration::from_secs(15);

/// What all runs of a script have in common.
#[derive(Debug)]
pub struct Drive<'a> {
    /// Both ends.
    pub pair: &'a LabPair,
    /// As typed.
    pub settings: &'a Settings,
    /// Names the runs.
    pub expid: ExpId,
    /// Their CPUs.
    pub cores: &'a PairCores,
    /// Their machines.
    pub inventory: &'a PairInventory,
    /// What lies between them.
    pub path: &'a PairPath,
    /// Where counters go.
    pub shared: &'a Shared,
    /// Ctrl-C.
    pub interrupt: &'a Interrupt,
    /// When the script has to be over.
    pub until: Instant,
}

/// A run of both ends.
struct Run<'a> {
    ids: [String; 2],
    /// Ends the sending.
    leave: watch::Sender<bool>,
    both: Pin<Box<dyn Future<Output = Both> + 'a>>,
}

impl<'a> Drive<'a> {
    /// Obeys until nobody gives orders any more; then nothing is sent and nothing is left at the agents.
    pub async fn serve(&'a self, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut run: Option<Run<'a>> = None;
        let mut number = 0;
        loop {
            let over = async {
                match &mut run {
                    Some(run) => run.both.as_mut().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                order = orders.recv() => match order {
                    Some(order) => self.obey(order, &mut run, &mut number).await,
                    None => break,
                },
                both = over => if let Some(run) = run.take() { self.over(run.ids, both).await },
            }
        }
        self.stop(&mut run).await;
    }

    async fn obey(&'a self, order: Order, run: &mut Option<Run<'a>>, number: &mut u32) {
        let (answer, reply) = match order {
            Order::Start(profile, interval_ms, reply) => {
                self.stop(run).await;
                *number += 1;
                let begun = self.start(&profile, *number, interval_ms).await;
                let answer = begun.map(|(begun, notes)| {
                    *run = Some(begun);
                    notes
                });
                (answer, reply)
            }
            Order::Rate(per_mille, reply) => {
                let answer = match run {
                    Some(run) => self.pair.tx.agent.run(&run.ids[0]).set_rate(per_mille).await,
                    None => return drop(reply.send(Ok(Vec::new()))),
                };
                (answer.map(|_| Vec::new()).map_err(|error| error.to_string()), reply)
            }
            Order::Stop(reply) => {
                self.stop(run).await;
                (Ok(Vec::new()), reply)
            }
            Order::Look(reply) => {
                let is_over = match run {
                    Some(run) => self.look(run).await,
                    None => false,
                };
                if is_over {
                    // Who hears that nothing is sent any more hears the last counters with it.
                    self.stop(run).await;
                }
                (Ok(Vec::new()), reply)
            }
        };
        // A script that is gone wants no answer.
        drop(reply.send(answer));
    }

    /// Both ends up, the receiver counting before the sender sends.
    async fn start(
        &'a self,
        profile: &Profile,
        number: u32,
        interval_ms: u32,
    ) -> Result<(Run<'a>, Vec<String>), String> {
        let left = self.until.saturating_duration_since(Instant::now()).as_secs_f64().max(1.0);
        let fitted = adapt(profile, self.path).map_err(|error| error.to_string())?;
        let settings = Settings { duration_s: Some(left), ..self.settings.clone() };
        let way = (&fitted.profile, self.path);
        let mut specs = main_specs(&settings, self.expid, self.pair, self.cores, self.inventory, way);
        for spec in [&mut specs.tx, &mut specs.rx] {
            spec.id = format!("{}-{number}", spec.id);
            spec.sample_interval_ms = interval_ms;
        }
        let ids = [specs.tx.id.clone(), specs.rx.id.clone()];
        let begun = tokio::select! {
            begun = self.begin(&specs) => begun.map_err(|error| error.to_string()),
            () = self.interrupt.wait() => Err("interrupted".to_owned()),
        };
        let (sender, receiver) = match begun {
            Ok(ready) => ready,
            Err(error) => {
                self.forget(&ids).await;
                return Err(error);
            }
        };
        let sort = Sort::of(&specs.tx.profile);
        for (port, ready) in self.shared.ports().iter_mut().zip([&sender, &receiver]) {
            know(port, ready);
            port.books.begin(sort);
        }
        self.shared.set_sending(true);
        let mut notes = fitted.notes;
        notes.extend([&sender, &receiver].into_iter().flat_map(|ready| ready.warnings.clone()));
        let leave = watch::Sender::new(false);
        let both = Box::pin(self.follow(ids.clone(), leave.subscribe(), left));
        Ok((Run { ids, leave, both }, notes))
    }

    async fn begin(&self, specs: &PairSpecs) -> Result<(Ready, Ready), crate::agent::AgentError> {
        let (tx, rx) = (&self.pair.tx.agent, &self.pair.rx.agent);
        let ready = prepare::both((tx, &specs.tx), (rx, &specs.rx)).await?;
        measure::start_receiver(self.pair, specs).await?;
        measure::start_sender(self.pair, specs).await?;
        Ok(ready)
    }

    /// As a trial is followed, with the samples on the ports' books.
    async fn follow(&self, ids: [String; 2], mut leave: watch::Receiver<bool>, left_s: f64) -> Both {
        let progress = match self.settings.output {
            OutputFormat::Table => Progress::new(OutputFormat::Table, &[self.pair.index], left_s),
            OutputFormat::Json => Progress::silent(OutputFormat::Json),
        };
        let shown = [Cell::new(0), Cell::new(0)];
        let hear = |port: u16, role: Role, sample: &Sample| {
            self.book(port, sample);
            // For the eye once a second will do.
            let (second, shown) = (sample.elapsed_ns / 1_000_000_000, &shown[usize::from(port)]);
            if second > shown.replace(second) {
                progress.sample(self.pair.index, role, sample);
            }
        };
        let ears = Ears {
            tx: |sample: &Sample| hear(SENDER, Role::Tx, sample),
            rx: |sample: &Sample| hear(RECEIVER, Role::Rx, sample),
            say: |line: &str| progress.say(line),
        };
        let runs = (self.pair.tx.agent.run(&ids[0]), self.pair.rx.agent.run(&ids[1]));
        let at = tokio::time::Instant::now() + Duration::from_secs_f64(left_s);
        let leave = async {
            tokio::select! {
                told = leave.wait_for(|leave| *leave) => drop(told),
                () = self.interrupt.wait() => {}
            }
        };
        let both = follow_both(runs, at, PATIENCE, leave, ears).await;
        progress.finish();
        both
    }

    fn book(&self, port: u16, sample: &Sample) {
        if let Some(port) = self.shared.ports().get_mut(usize::from(port)) {
            port.books.take(sample);
        }
    }

    /// The newest samples, and whether the sender is done. An agent that does not answer is the follower's trouble.
    async fn look(&self, run: &Run<'a>) -> bool {
        let next = {
            let ports = self.shared.ports();
            [ports[0].books.next(), ports[1].books.next()]
        };
        let (tx, rx) = (self.pair.tx.agent.run(&run.ids[0]), self.pair.rx.agent.run(&run.ids[1]));
        let (status, sent, received) = tokio::join!(
            tx.status_once("", Duration::ZERO),
            tx.samples(next[0], Duration::ZERO),
            rx.samples(next[1], Duration::ZERO)
        );
        for (port, samples) in [(SENDER, sent), (RECEIVER, received)] {
            samples.iter().flatten().for_each(|sample| self.book(port, sample));
        }
        status.is_ok_and(|status| status.state != RunState::Running)
    }

    async fn stop(&self, run: &mut Option<Run<'a>>) {
        let Some(Run { ids, leave, both }) = run.take() else { return };
        leave.send_replace(true);
        let both = both.await;
        self.over(ids, both).await;
    }

    /// Last words, and nothing left behind.
    async fn over(&self, ids: [String; 2], both: Both) {
        let ends = [both.tx.end, both.rx.end];
        for (port, end) in self.shared.ports().iter_mut().zip(&ends) {
            let totals = end.as_ref().ok().and_then(|status: &RunStatus| status.summary.as_ref());
            port.books.close(totals.map(|summary| &summary.totals));
        }
        self.shared.set_sending(false);
        for error in ends.iter().filter_map(|end| end.as_ref().err()) {
            self.shared.fail(error.to_string());
        }
        self.forget(&ids).await;
    }

    /// An agent that does not answer ends its run by its own limits.
    async fn forget(&self, [tx, rx]: &[String; 2]) {
        let (tx, rx) = (self.pair.tx.agent.run(tx), self.pair.rx.agent.run(rx));
        let _ = tokio::join!(tx.delete(), rx.delete());
    }
}

fn know(port: &mut Port, ready: &Ready) {
    port.mac = Some(ready.mac);
    (port.link_up, port.link_mbps, port.hz) = (ready.link_up, ready.link_mbps, ready.clock.hz);
}
