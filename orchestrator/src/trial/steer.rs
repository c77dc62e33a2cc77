//! What the user does to a trial while it runs (`--interactive`): marks, other rates, its end.

use std::convert::Infallible;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use nix::sys::signal::{Signal, raise};
use serde::{Deserialize, Serialize};
use traffic::wire::Command;

use super::Progress;
use crate::expid::ExpId;
use crate::interactive::draw::percent;
use crate::interactive::{Action, Screen};
use crate::lab::Lab;

/// Something that the user did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserEvent {
    /// Wall clock, nanoseconds since 1970 (UTC).
    pub unix_ns: u64,
    /// Seconds since the sender's start, by its newest sample.
    pub elapsed_s: f64,
    /// `mark 1`, `rate 105 %`, `stop`.
    pub what: String,
}

impl UserEvent {
    fn now(elapsed: Duration, what: String) -> UserEvent {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let unix_ns = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX);
        UserEvent { unix_ns, elapsed_s: elapsed.as_secs_f64(), what }
    }
}

/// Does what keys say, for as long as the trial runs.
pub async fn obey<L: Lab>(progress: &Progress, lab: &L, expid: ExpId) -> Infallible {
    let Some(screen) = progress.screen() else { return std::future::pending().await };
    let (mut marks, mut per_mille) = (0, 1000);
    while let Some(action) = screen.next().await {
        match action {
            Action::Mark => {
                marks += 1;
                note(progress, screen, format!("mark {marks}"));
            }
            Action::Rate(by) => {
                let wanted = i64::from(per_mille) + i64::from(by);
                // The profile's own rate is met again on the way up from the lowest one.
                let wanted = if per_mille == 1 && by > 0 { i64::from(by) } else { wanted };
                let most = i64::from(Command::RATE_PER_MILLE_MAX);
                let wanted = u32::try_from(wanted.clamp(1, most)).unwrap_or(1);
                let refused = set_rate(lab, expid, wanted).await;
                if refused.len() < lab.pairs().len() {
                    per_mille = wanted;
                    screen.update(|model| model.per_mille = wanted);
                    note(progress, screen, format!("rate {}", percent(wanted)));
                }
                refused.iter().for_each(|why| progress.say(why));
            }
            Action::Stop => {
                note(progress, screen, "stop".to_owned());
                progress.stop();
            }
            Action::Quit => {
                note(progress, screen, "quit".to_owned());
                // The second time leaves at once, as Ctrl-C does, which this is.
                let _ = raise(Signal::SIGINT);
            }
            Action::Select(_) => {}
        }
    }
    std::future::pending().await
}

/// Every sender; why those that stay as they are do so.
async fn set_rate<L: Lab>(lab: &L, expid: ExpId, per_mille: u32) -> Vec<String> {
    let told = lab.pairs().iter().map(async |pair| {
        let run = format!("{expid}-{}", pair.tx.pod);
        pair.tx.agent.run(&run).set_rate(per_mille).await.err().map(|error| error.to_string())
    });
    join_all(told).await.into_iter().flatten().collect()
}

fn note(progress: &Progress, screen: &Screen, what: String) {
    let mut elapsed = Duration::ZERO;
    screen.update(|model| elapsed = model.elapsed());
    let event = UserEvent::now(elapsed, what);
    progress.say(&format!("{} at {:.0} s", event.what, event.elapsed_s));
    progress.keep(event);
}
