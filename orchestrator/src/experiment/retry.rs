//! What is waited for before something that failed is tried again.

use std::time::Duration;

use tokio::time::timeout;

use crate::lab::Place;
use crate::say;
use crate::trial::Interrupt;

/// After the first failure that left no measurement; twice as long after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Waits until `pairs` are ready again, or `limit` is over; where nothing was measured, at least a moment. False when
/// the user wants to leave.
pub async fn before_next(
    place: &Place,
    pairs: &[usize],
    nothing_measured: Option<u32>,
    limit: Duration,
    interrupt: &Interrupt,
) -> bool {
    if let Some(failures) = nothing_measured {
        // Nobody says when whatever it was has passed.
        let pause = pause(failures);
        say::err(format_args!("trying again in {} s", pause.as_secs()));
        // Over in time is what is hoped for.
        let _ = timeout(pause, interrupt.wait()).await;
    }
    if interrupt.came() {
        return false;
    }
    tokio::select! {
        ready = place.wait_ready(pairs, limit, |line| say::err(line)) => {
            // The next attempt says it again, and counts it.
            if let Err(error) = ready {
                say::err(format_args!("after {} s: {error}", limit.as_secs()));
            }
        }
        () = interrupt.wait() => {}
    }
    !interrupt.came()
}

fn pause(failures: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let seconds: Vec<u64> = [1, 2, 3, 6, 100].map(|n| pause(n).as_secs()).to_vec();
        assert_eq!(seconds, [1, 2, 4, 30, 30]);
    }
}
