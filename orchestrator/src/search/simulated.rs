//! Searches on devices that are made up: whatever the device does, the search ends with a plain answer in time.

use proptest::prelude::*;

use super::*;

/// A device with its whims.
#[derive(Debug, Clone, Copy)]
pub enum Device {
    /// Bears all up to a limit, and nothing above it.
    Limit(f64),
    /// The same, with a limit that is up to this share off, another one in each trial.
    Noisy(f64, f64),
    /// Loses this share of everything, and all above a limit.
    Floor(f64, f64),
    /// Above the limit it falls to half, and stays there until a load is below that.
    Hysteresis(f64),
    /// One in so many trials loses a frame, whatever the load.
    Bursts(f64, u32),
    /// Above the limit nothing arrives at all.
    Cliff(f64),
    /// Loses between two loads, and not above.
    Inverted(f64, f64, f64),
}

/// A device under way; numbers are those of a generator which every language can have.
pub struct Simulated {
    device: Device,
    seed: u64,
    is_down: bool,
    trials: u32,
    pub seconds: f64,
}

impl Simulated {
    fn new(device: Device, seed: u64) -> Simulated {
        Simulated { device, seed, is_down: false, trials: 0, seconds: 0.0 }
    }

    /// 0 to below 1.
    fn random(&mut self) -> f64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 11) as f64 / (1u64 << 53) as f64
    }

    fn measure(&mut self, load: f64, seconds: f64) -> Trial {
        self.trials += 1;
        self.seconds += seconds;
        let random = self.random();
        let borne = match self.device {
            Device::Limit(limit) => load.min(limit),
            Device::Noisy(limit, share) => load.min(limit * (1.0 + share * (2.0 * random - 1.0))),
            Device::Floor(limit, lost) => load.min(limit) * (1.0 - lost),
            Device::Hysteresis(limit) => {
                self.is_down = if self.is_down { load > limit / 2.0 } else { load > limit };
                if self.is_down { load.min(limit / 2.0) } else { load }
            }
            Device::Bursts(limit, one_in) if self.trials.is_multiple_of(one_in) => {
                load.min(limit) - 1.0 / seconds
            }
            Device::Bursts(limit, _) => load.min(limit),
            Device::Cliff(limit) => {
                if load > limit {
                    0.0
                } else {
                    load
                }
            }
            Device::Inverted(from, to, limit) => {
                if load > from && load < to {
                    load * 0.9
                } else {
                    load.min(limit)
                }
            }
        };
        let offered = (load * seconds).floor() as u64;
        let received = ((borne * seconds).floor().max(0.0) as u64).min(offered);
        Trial { load_pps: load, duration_s: seconds, effective_s: seconds, offered, sent: offered, received }
    }
}

pub const MIN: f64 = 9001.0;
pub const MAX: f64 = 14_880_952.0;

pub fn config(goals: Vec<Goal>, method: Method) -> Config {
    Config { min_pps: MIN, max_pps: MAX, goals, method, warmup_s: 1.0, budget_s: f64::INFINITY }
}

pub fn csit() -> Vec<Goal> {
    vec![Goal::csit("ndr", 0.0), Goal::csit("pdr", 0.005)]
}

/// Runs it to its end, within its bound.
pub fn search(config: Config, device: Device, seed: u64) -> (Vec<Found>, Simulated) {
    let bound = Machine::bound_s(&config);
    let mut simulated = Simulated::new(device, seed);
    let mut machine = Machine::new(config);
    while let Some(ask) = machine.next() {
        assert_eq!(machine.next(), Some(ask), "the same until it is told");
        assert!(ask.load_pps >= MIN && ask.load_pps <= MAX && ask.duration_s > 0.0, "{ask:?}");
        machine.tell(&simulated.measure(ask.load_pps, ask.duration_s));
        assert!(simulated.seconds <= bound, "{} s of {bound}: {:?}", simulated.seconds, machine.found());
    }
    assert!((machine.spent_s() - simulated.seconds).abs() < 1e-6);
    (machine.found(), simulated)
}

/// Within the goal's width below the limit, and one frame's rounding.
fn assert_near(found: &Found, limit: f64, width: f64) {
    let (lo, hi) = (found.lower_pps.unwrap(), found.upper_pps.unwrap());
    assert_eq!(found.verdict, Verdict::Found, "{found:?}");
    assert!((hi - lo) / hi <= width * 1.001, "{found:?}");
    assert!(lo <= limit * 1.0001 + 1.0 && hi >= limit * 0.9999, "{found:?} for {limit}");
}

fn methods() -> [(Method, Vec<Goal>); 4] {
    let both = |make: fn(&str, f64) -> Goal| vec![make("ndr", 0.0), make("pdr", 0.005)];
    [
        (Method::Mlrsearch, csit()),
        (Method::Mlrsearch, both(Goal::rfc2544)),
        (Method::Binary, both(Goal::rfc2544)),
        (Method::Binary, both(Goal::tst009)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_hard_limit_is_found_by_every_method(part in 0.0f64..1.0) {
        let limit = MIN * (MAX / MIN).powf(0.001 + 0.99 * part);
        for (method, goals) in methods() {
            let (found, _) = search(config(goals, method), Device::Limit(limit), 1);
            assert_near(&found[0], limit, 0.005);
            // With a loss that is borne the load may be that much higher.
            assert_near(&found[1], limit / 0.995, 0.005);
        }
    }

    #[test]
    fn a_cliff_is_found_too(part in 0.01f64..0.99) {
        let limit = MIN * (MAX / MIN).powf(part);
        for (method, goals) in methods() {
            for found in search(config(goals, method), Device::Cliff(limit), 1).0 {
                assert_near(&found, limit, 0.005);
            }
        }
    }

    #[test]
    fn noise_moves_the_answer_by_no_more_than_it_is(part in 0.2f64..0.9, noise in 0.0f64..0.05, seed in any::<u64>()) {
        let limit = MIN * (MAX / MIN).powf(part);
        for (method, goals) in methods() {
            let (found, _) = search(config(goals, method), Device::Noisy(limit, noise), seed);
            let (lo, hi) = (found[0].lower_pps.unwrap(), found[0].upper_pps.unwrap());
            prop_assert!(lo <= limit * (1.0 + noise) + 1.0 && hi >= limit * (1.0 - noise) - 1.0, "{:?}", found[0]);
            prop_assert_eq!(found[0].verdict, Verdict::Found);
        }
    }

    /// Whatever it does, the search ends (its bound is asserted for every trial) and says something true.
    #[test]
    fn every_whim_gets_a_plain_answer_in_time(
        part in 0.05f64..0.95, one_in in 1u32..6, lost in 0.0f64..0.01, seed in any::<u64>()
    ) {
        let limit = MIN * (MAX / MIN).powf(part);
        for (method, goals) in methods() {
            for device in [
                Device::Hysteresis(limit),
                Device::Bursts(limit, one_in),
                Device::Floor(limit, lost),
                Device::Inverted(limit / 2.0, limit / 1.5, limit),
                Device::Noisy(limit, 0.9),
            ] {
                for found in search(config(goals.clone(), method), device, seed).0 {
                    if let (Some(lo), Some(hi)) = (found.lower_pps, found.upper_pps) {
                        prop_assert!(lo < hi);
                    }
                    prop_assert!(found.verdict != Verdict::Unfinished, "{device:?} {method:?} {found:?}");
                    prop_assert!(found.conditional_pps.is_none_or(|pps| pps <= found.lower_pps.unwrap()));
                }
            }
        }
    }
}

#[test]
fn what_never_loses_and_what_always_does_is_said_at_once() {
    for (method, goals) in methods() {
        let (found, never) = search(config(goals.clone(), method), Device::Limit(2.0 * MAX), 1);
        assert!(
            found.iter().all(|f| f.verdict == Verdict::NeverLoses && f.lower_pps == Some(MAX)),
            "{found:?}"
        );
        let judged: f64 = goals.iter().map(|goal| goal.duration_sum_s).sum();
        assert!(never.seconds <= 2.0 * judged, "{} s", never.seconds);
        let (found, _) = search(config(goals, method), Device::Floor(2.0 * MAX, 0.1), 1);
        assert!(
            found.iter().all(|f| f.verdict == Verdict::AlwaysLoses && f.lower_pps.is_none()),
            "{found:?}"
        );
    }
}

#[test]
fn a_loss_floor_leaves_pdr_alone() {
    let limit = 1e6;
    let (found, _) = search(config(csit(), Method::Mlrsearch), Device::Floor(limit, 0.001), 1);
    assert_eq!(found[0].verdict, Verdict::AlwaysLoses, "NDR bears no loss: {found:?}");
    assert_near(&found[1], limit * 0.999 / 0.995, 0.005);
}

#[test]
fn a_budget_ends_it_with_what_is_known() {
    let config = Config { budget_s: 20.0, ..config(csit(), Method::Mlrsearch) };
    assert_eq!(Machine::bound_s(&config), 20.0);
    let mut simulated = Simulated::new(Device::Limit(1e6), 1);
    let mut machine = Machine::new(config);
    while let Some(ask) = machine.next() {
        machine.tell(&simulated.measure(ask.load_pps, ask.duration_s));
    }
    assert!(machine.is_out_of_time() && simulated.seconds <= 20.0);
    assert!(machine.found().iter().all(|found| found.verdict == Verdict::Unfinished));
}

#[test]
fn trials_told_again_lead_to_the_same_place() {
    let mut simulated = Simulated::new(Device::Noisy(1e6, 0.02), 5);
    let mut machine = Machine::new(config(csit(), Method::Mlrsearch));
    let mut trials = Vec::new();
    while let Some(ask) = machine.next() {
        let trial = simulated.measure(ask.load_pps, ask.duration_s);
        trials.push((ask, trial));
        machine.tell(&trial);
    }
    let mut again = Machine::new(config(csit(), Method::Mlrsearch));
    for (ask, trial) in &trials {
        assert_eq!(again.next(), Some(*ask));
        again.tell(trial);
    }
    assert_eq!((again.next(), again.found()), (None, machine.found()));
}
