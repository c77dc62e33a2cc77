//! The test device: a relay between two interfaces that drops, doubles and delays exactly the chosen frames.

use std::process::Command;

use serde_json::Value;

use crate::bin;
use crate::netns::Netns;
use crate::process::Process;

/// What happens to frames whose sequence number modulo `period` is in `from..to`.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// `drop`; `double`; or `late`: behind the frame that follows.
    pub what: &'static str,
    /// Of sequence numbers.
    pub period: u64,
    /// First remainder.
    pub from: u64,
    /// Beyond the last remainder.
    pub to: u64,
}

impl Rule {
    /// Whether number `seq` is meant.
    pub fn holds(&self, seq: u64) -> bool {
        (self.from..self.to).contains(&(seq % self.period))
    }

    /// How many of the first `count` numbers are meant.
    pub fn hits(&self, count: u64) -> u64 {
        (0..count).filter(|seq| self.holds(*seq)).count() as u64
    }
}

/// Three namespaces in a row, with the relay in the middle one.
#[derive(Debug)]
pub struct Line {
    /// Has `tx0`.
    pub sender: Netns,
    /// Has `rx0`.
    pub receiver: Netns,
    relay: Process,
    _middle: Netns,
}

/// The relay's own count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relayed {
    /// Frames that came.
    pub came: u64,
    /// Frames that went on, copies counted.
    pub went: u64,
}

impl Line {
    /// Lays it, and waits until the relay relays.
    pub fn lay(rules: &[Rule]) -> Line {
        let (sender, middle, receiver) = (Netns::new("tx"), Netns::new("mid"), Netns::new("rx"));
        sender.join("tx0", &middle, "in0");
        middle.join("out0", &receiver, "rx0");
        let mut command = Command::new("python3");
        command.arg(bin::data("devices/relay.py")).args(["in0", "out0"]);
        let words = |r: &Rule| format!("{}:{}:{}:{}", r.what, r.period, r.from, r.to);
        command.args(rules.iter().map(words));
        let mut relay = Process::spawn(&mut middle.wrap(command));
        assert_eq!(relay.line().as_deref(), Some("relaying"), "the relay's log: {}", relay.stderr());
        Line { sender, receiver, relay, _middle: middle }
    }

    /// Ends the relay when `expected` frames have come, or no more come, and gives its count.
    pub fn end(&mut self, expected: u64) -> Relayed {
        self.relay.say(&expected.to_string());
        let line = self.relay.line().unwrap_or_else(|| panic!("the relay's log: {}", self.relay.stderr()));
        let count: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line}: {e}"));
        let number = |name: &str| count[name].as_u64().unwrap_or_else(|| panic!("no {name} in {line}"));
        Relayed { came: number("came"), went: number("went") }
    }
}
