//! JSON text → nodes.
//!
//! serde_json tells no positions of values, but its raw values are slices of the text: their address is the
//! place.

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::node::{Entry, Kind, Lines, MAX_DEPTH, Node};
use crate::fault::Fault;

/// The tree, or what is wrong with the syntax.
pub(super) fn parse(text: &str) -> Result<Node, Fault> {
    let builder = Builder { text, lines: Lines::new(text) };
    let root: &RawValue = serde_json::from_str(text).map_err(|e| {
        let fault = syntax(1, &e);
        Fault { message: format!("{} (column {})", fault.message, e.column()), ..fault }
    })?;
    builder.node(root, 0)
}

struct Builder<'t> {
    text: &'t str,
    lines: Lines,
}

impl Builder<'_> {
    fn node(&self, raw: &RawValue, depth: usize) -> Result<Node, Fault> {
        let text = raw.get();
        let line = self.lines.at(text.as_ptr().addr().saturating_sub(self.text.as_ptr().addr()));
        if depth > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} objects and arrays within one another");
            return Err(Fault { line, path: String::new(), message });
        }
        let fault = |e: serde_json::Error| syntax(line, &e);
        let kind = match text.bytes().next() {
            Some(b'{') => self.object(serde_json::from_str(text).map_err(fault)?, depth)?,
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(fault)?;
                Kind::List(
                    items.into_iter().map(|item| self.node(item, depth + 1)).collect::<Result<_, _>>()?,
                )
            }
            Some(b'"') => Kind::Text(serde_json::from_str(text).map_err(fault)?),
            Some(b't') => Kind::Bool(true),
            Some(b'f') => Kind::Bool(false),
            Some(b'n') => Kind::Null,
            _ => number(text),
        };
        Ok(Node { line, kind })
    }

    fn object(&self, members: Members<'_>, depth: usize) -> Result<Kind, Fault> {
        let entry = |(key, raw): (String, &RawValue)| {
            let value = self.node(raw, depth + 1)?;
            Ok(Entry::new(key, value.line, value))
        };
        Ok(Kind::Table(members.0.into_iter().map(entry).collect::<Result<_, _>>()?))
    }
}

/// A JSON number: whole where it is written whole.
fn number(text: &str) -> Kind {
    match text.parse::<i128>() {
        Ok(n) => Kind::Int(n),
        Err(_) => Kind::Float(text.parse().unwrap_or(f64::INFINITY)),
    }
}

/// serde_json counts lines from the start of the piece that it was given, which stands on `first` of the
/// file.
fn syntax(first: u32, e: &serde_json::Error) -> Fault {
    let line = u32::try_from(e.line()).unwrap_or(u32::MAX).max(1).saturating_add(first - 1);
    let text = e.to_string();
    let message = text.rfind(" at line ").map_or(text.as_str(), |end| &text[..end]);
    Fault { line, path: String::new(), message: format!("not valid JSON: {message}") }
}

/// An object's members in the order of the text, twice-given keys included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry::<String, &RawValue>()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
