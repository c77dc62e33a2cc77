//! One function of the API: its name, arguments, and what becomes of a call.

use super::call::Call;
use super::control;
use crate::backend::Answer;

/// Which table a function is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `pktgen`.
    Top,
    /// `pktgen.range`.
    Range,
    /// `dpdk`.
    Dpdk,
}

impl Table {
    /// The table as a script writes it.
    pub fn prefix(self) -> &'static str {
        match self {
            Table::Top => "pktgen",
            Table::Range => "pktgen.range",
            Table::Dpdk => "dpdk",
        }
    }
}

/// What functions are for, as the documentation groups them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Start, stop, wait.
    Control,
    /// Settings and the single packet.
    Single,
    /// Sequences.
    Sequence,
    /// Modes and protocols.
    Mode,
    /// Screens.
    Display,
    /// Questions.
    Query,
    /// Of Pktgen 23.10, dropped since.
    Dropped,
    /// `pktgen.range`.
    Range,
    /// `dpdk`.
    Dpdk,
}

/// What becomes of a function's call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Carried out.
    Done,
    /// Accepted, and does nothing, for this reason.
    NoEffect(&'static str),
    /// An error, for this reason.
    Refused(&'static str),
}

pub(super) type Reply = Result<Option<Answer>, String>;
pub(super) type Run = fn(&mut Call<'_>) -> Reply;

/// One function of Pktgen's.
#[derive(Clone, Copy, Debug)]
pub struct Function {
    /// What it is for.
    pub group: Group,
    /// Its name.
    pub name: &'static str,
    /// Its arguments by name; `None` where Pktgen takes any number.
    pub args: Option<&'static [&'static str]>,
    /// How many of the last ones may be left out.
    pub optional: usize,
    /// What becomes of it on running ports.
    pub live: Status,
    /// What becomes of it in an import.
    pub import: Status,
    pub(super) run: Run,
}

impl Function {
    pub(super) const fn new(group: Group, name: &'static str) -> Function {
        let (live, import) = (Status::Done, Status::Done);
        Function { group, name, args: None, optional: 0, live, import, run: control::no_effect }
    }

    pub(super) const fn takes(mut self, args: &'static [&'static str]) -> Function {
        self.args = Some(args);
        self
    }

    pub(super) const fn optional(mut self, count: usize) -> Function {
        self.optional = count;
        self
    }

    pub(super) const fn run(mut self, run: Run) -> Function {
        self.run = run;
        self
    }

    pub(super) const fn imports(mut self, status: Status) -> Function {
        self.import = status;
        self
    }

    pub(super) const fn without_effect(mut self, why: &'static str) -> Function {
        self.run = control::no_effect;
        self.without_effect_but_answers(why)
    }

    pub(super) const fn without_effect_but_answers(mut self, why: &'static str) -> Function {
        self.live = Status::NoEffect(why);
        self.import = Status::NoEffect(why);
        self
    }

    pub(super) const fn refused(mut self, why: &'static str) -> Function {
        self.live = Status::Refused(why);
        self.import = Status::Refused(why);
        self
    }

    /// Where it is.
    pub fn table(&self) -> Table {
        match self.group {
            Group::Range => Table::Range,
            Group::Dpdk => Table::Dpdk,
            _ => Table::Top,
        }
    }

    /// `pktgen.range.src_ip`.
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.table().prefix(), self.name)
    }

    /// What becomes of a call.
    pub fn status(&self, is_live: bool) -> Status {
        if is_live { self.live } else { self.import }
    }

    /// An error where a call has too few or too many arguments, as Pktgen says it.
    pub(super) fn check_count(&self, given: usize) -> Result<(), String> {
        let Some(names) = self.args else { return Ok(()) };
        if (names.len() - self.optional..=names.len()).contains(&given) {
            return Ok(());
        }
        let needed = match self.optional {
            0 => names.len().to_string(),
            n => format!("{} to {}", names.len() - n, names.len()),
        };
        let (name, names) = (self.full_name(), names.join(", "));
        Err(format!("{name}: wrong number of arguments: {given} instead of {needed} ({names})"))
    }
}
