//! Reads typed values out of nodes and collects what is wrong with them; a stand-in takes each faulty value's
//! place.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::field::{Bits, Bounds, Field, List, Random, Range};
use super::node::{Entry, Kind, Node, excerpt};
use super::suggest::nearest;
use super::value::{TcpFlags, Uint, Value};
use crate::fault::Fault;
use crate::mac::Mac;

/// Faults beyond these are counted, not told: nobody reads more.
const MAX_FAULTS: usize = 50;

/// The faults so far.
#[derive(Default)]
pub(super) struct Reader {
    pub faults: Vec<Fault>,
    /// How many more there were.
    untold: usize,
}

/// A table that is being read.
pub(super) struct Table<'n> {
    path: String,
    line: u32,
    entries: &'n [Entry],
}

impl<'n> Table<'n> {
    /// One without any keys, for stand-ins.
    pub(super) fn empty(path: &str) -> Table<'n> {
        Table { path: path.to_owned(), line: 0, entries: &[] }
    }

    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|e| e.key == key).map(|e| &e.value)
    }

    /// The path of one of its keys.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl Reader {
    pub(super) fn fault(&mut self, line: u32, path: &str, message: impl Into<String>) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault { line, path: path.to_owned(), message: message.into() });
        } else {
            self.untold += 1;
        }
    }

    /// Whether there are more faults than are told.
    pub(super) fn is_full(&self) -> bool {
        self.untold > 0
    }

    /// All faults in the order of the file; none when it is sound.
    pub(super) fn told(mut self) -> Vec<Fault> {
        self.faults.sort_by_key(|f| f.line);
        if self.untold > 0 {
            let message = format!("… and {} more: mend these first", self.untold);
            self.faults.push(Fault { line: 0, path: String::new(), message });
        }
        self.faults
    }

    /// "must be … , not …".
    pub(super) fn wrong(&mut self, node: &Node, path: &str, wanted: &str) {
        self.fault(node.line, path, format!("must be {wanted}, not {}", node.shown()));
    }

    /// Whether `path` or something around it has a fault already, so that a stand-in is there.
    pub(super) fn stands_in(&self, path: &str) -> bool {
        let around = |outer: &str| {
            path.strip_prefix(outer)
                .is_some_and(|rest| rest.is_empty() || outer.is_empty() || rest.starts_with(['.', '[']))
        };
        self.faults.iter().any(|f| around(&f.path))
    }

    /// Opens a table whose keys are among `known`; anything else in it is a fault.
    pub(super) fn table<'n>(&mut self, node: &'n Node, path: &str, known: &[&str]) -> Option<Table<'n>> {
        let Kind::Table(entries) = &node.kind else {
            self.wrong(node, path, &format!("a table with the keys {}", known.join(", ")));
            return None;
        };
        let table = Table { path: path.to_owned(), line: node.line, entries };
        let mut lines = HashMap::new();
        for entry in entries {
            let path = || table.path(&excerpt(&entry.key));
            if let Some(first) = lines.get(entry.key.as_str()) {
                self.fault(entry.line, &path(), format!("is given twice, first in line {first}: remove one"));
                continue;
            }
            lines.insert(entry.key.as_str(), entry.line);
            if !known.contains(&entry.key.as_str()) {
                let meant = nearest(&entry.key, known)
                    .map(|key| format!("; did you mean `{key}`?"))
                    .unwrap_or_default();
                let message = format!("unknown key{meant} (known here: {})", known.join(", "));
                self.fault(entry.line, &path(), message);
            }
        }
        Some(table)
    }

    /// A key that must be there; `wanted` says what to give.
    pub(super) fn need<'n>(&mut self, table: &Table<'n>, key: &str, wanted: &str) -> Option<&'n Node> {
        let found = table.get(key);
        if found.is_none() {
            self.fault(table.line, &table.path(key), format!("is missing: give {wanted}"));
        }
        found
    }

    pub(super) fn text<'n>(&mut self, node: &'n Node, path: &str, wanted: &str) -> Option<&'n str> {
        match &node.kind {
            Kind::Text(text) => Some(text),
            _ => {
                self.wrong(node, path, wanted);
                None
            }
        }
    }

    pub(super) fn bool(&mut self, node: &Node, path: &str) -> Option<bool> {
        match node.kind {
            Kind::Bool(b) => Some(b),
            _ => {
                self.wrong(node, path, "true or false");
                None
            }
        }
    }

    /// A whole number that `make` takes.
    pub(super) fn whole<T>(
        &mut self,
        node: &Node,
        path: &str,
        wanted: &str,
        make: impl FnOnce(u64) -> Option<T>,
    ) -> Option<T> {
        let value = match node.kind {
            Kind::Int(n) => u64::try_from(n).ok().and_then(make),
            _ => None,
        };
        if value.is_none() {
            let quoted = matches!(&node.kind, Kind::Text(t) if t.parse::<i128>().is_ok());
            let hint = if quoted { "; write the number without quotes" } else { "" };
            self.fault(node.line, path, format!("must be {wanted}, not {}{hint}", node.shown()));
        }
        value
    }

    /// A header field: one value, or a range.
    pub(super) fn field<T: Notation>(&mut self, table: &Table<'_>, key: &str) -> Field<T> {
        let wanted = format!("{} or a range (start, min, max, inc)", T::WHAT);
        match self.need(table, key, &wanted) {
            Some(node) => self.field_of(node, &table.path(key), &wanted),
            None => T::stand_in(),
        }
    }

    /// A header field's node; see [`Reader::field`].
    pub(super) fn field_of<T: Notation>(&mut self, node: &Node, path: &str, wanted: &str) -> Field<T> {
        let Kind::Table(entries) = &node.kind else {
            return self.value(node, path, wanted).map_or_else(T::stand_in, Field::Fixed);
        };
        let has = |key: &str| entries.iter().any(|e| e.key == key);
        let field = match (has("list"), has("random"), has("bits")) {
            (true, ..) => self.list(node, path),
            (_, true, _) => self.random(node, path),
            (.., true) => self.bits(node, path),
            _ => self.range(node, path),
        };
        field.unwrap_or_else(T::stand_in)
    }

    fn range<T: Notation>(&mut self, node: &Node, path: &str) -> Option<Field<T>> {
        let table = self.table(node, path, &["start", "min", "max", "inc", "nest"])?;
        let start = self.part(&table, "start", T::WHAT);
        let (min, max) = (self.part(&table, "min", T::WHAT), self.part(&table, "max", T::WHAT));
        let inc = self.part(&table, "inc", T::STEP);
        let nest = self.nest(&table);
        Some(Field::Range(Range { start: start?, min: min?, max: max?, inc: inc?, nest }))
    }

    fn list<T: Notation>(&mut self, node: &Node, path: &str) -> Option<Field<T>> {
        let table = self.table(node, path, &["list", "nest"])?;
        let nest = self.nest(&table);
        let (node, path) = (table.get("list")?, table.path("list"));
        let Kind::List(items) = &node.kind else {
            self.wrong(node, &path, &format!("a list; each value {}", T::WHAT));
            return None;
        };
        let values =
            items.iter().enumerate().map(|(i, item)| self.value(item, &format!("{path}[{i}]"), T::WHAT));
        Some(Field::List(List { list: values.collect::<Option<_>>()?, nest }))
    }

    fn random<T: Notation>(&mut self, node: &Node, path: &str) -> Option<Field<T>> {
        let table = self.table(node, path, &["random", "seed"])?;
        let seed = self.seed(&table);
        let bounds = self.table(table.get("random")?, &table.path("random"), &["min", "max"])?;
        let (min, max) = (self.part(&bounds, "min", T::WHAT), self.part(&bounds, "max", T::WHAT));
        Some(Field::Random(Random { random: Bounds { min: min?, max: max? }, seed }))
    }

    fn bits<T: Notation>(&mut self, node: &Node, path: &str) -> Option<Field<T>> {
        let table = self.table(node, path, &["bits", "value", "seed"])?;
        let seed = self.seed(&table);
        let (bits, value) = (self.part(&table, "bits", T::WHAT), self.part(&table, "value", T::WHAT));
        Some(Field::Bits(Bits { bits: bits?, value: value?, seed }))
    }

    /// A value that a table must have.
    fn part<T: Notation>(&mut self, table: &Table<'_>, key: &str, wanted: &str) -> Option<T> {
        let node = self.need(table, key, wanted)?;
        self.value(node, &table.path(key), wanted)
    }

    fn nest(&mut self, table: &Table<'_>) -> u8 {
        let Some(node) = table.get("nest") else { return 0 };
        let make = |n| u8::try_from(n).ok().filter(|n| *n < 8);
        self.whole(node, &table.path("nest"), "a number from 0 to 7", make).unwrap_or(0)
    }

    fn seed(&mut self, table: &Table<'_>) -> u64 {
        let Some(node) = table.get("seed") else { return 0 };
        self.whole(node, &table.path("seed"), "a whole number", Some).unwrap_or(0)
    }

    fn value<T: Notation>(&mut self, node: &Node, path: &str, wanted: &str) -> Option<T> {
        if T::NUMBER {
            return self.whole(node, path, wanted, T::from_u64);
        }
        let value = match &node.kind {
            Kind::Text(text) => T::parse(text),
            _ => None,
        };
        if value.is_none() {
            self.wrong(node, path, wanted);
        }
        value
    }
}

/// How a file writes a [`Value`].
pub(super) trait Notation: Value {
    /// As a number; otherwise as text.
    const NUMBER: bool;
    /// What a range's `inc` may be, for messages.
    const STEP: &'static str;

    /// Takes a faulty field's place, so that the rest can be checked.
    fn stand_in() -> Field<Self>;
}

impl Notation for Mac {
    const NUMBER: bool = false;
    const STEP: &'static str = "a step such as 00:00:00:00:00:01";
    fn stand_in() -> Field<Mac> {
        Field::Fixed(Mac::default())
    }
}

impl Notation for Ipv4Addr {
    const NUMBER: bool = false;
    const STEP: &'static str = "a step such as 0.0.0.1";
    fn stand_in() -> Field<Ipv4Addr> {
        Field::Fixed(Ipv4Addr::UNSPECIFIED)
    }
}

impl Notation for u16 {
    const NUMBER: bool = true;
    const STEP: &'static str = "a step from 0 to 65535";
    fn stand_in() -> Field<u16> {
        Field::Fixed(0)
    }
}

impl Notation for u8 {
    const NUMBER: bool = true;
    const STEP: &'static str = "a step from 0 to 255";
    fn stand_in() -> Field<u8> {
        Field::Fixed(64)
    }
}

impl Notation for u32 {
    const NUMBER: bool = true;
    const STEP: &'static str = "a step from 0 to 4294967295";
    fn stand_in() -> Field<u32> {
        Field::Fixed(0)
    }
}

impl<const BITS: u32> Notation for Uint<BITS> {
    const NUMBER: bool = true;
    const STEP: &'static str = Self::WHAT;
    fn stand_in() -> Field<Self> {
        Field::zero()
    }
}

impl Notation for Ipv6Addr {
    const NUMBER: bool = false;
    const STEP: &'static str = "a step such as ::1";
    fn stand_in() -> Field<Ipv6Addr> {
        Field::zero()
    }
}

impl Notation for TcpFlags {
    const NUMBER: bool = false;
    const STEP: &'static str = Self::WHAT;
    fn stand_in() -> Field<TcpFlags> {
        Field::zero()
    }
}
