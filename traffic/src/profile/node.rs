//! A profile's text as a tree, the same for TOML, JSON and YAML: each node knows its line.

use std::fmt::Write as _;

/// Tables and lists within one another: a profile needs six, a hostile file gets no deeper.
pub(super) const MAX_DEPTH: usize = 16;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// From 1. Of a table or list: the line of its key or header, where a reader would look for it.
    pub line: u32,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    /// Wide enough for every integer of a profile and for the ones that are too large.
    Int(i128),
    Float(f64),
    Text(String),
    /// TOML's own type; no setting takes one.
    Date(String),
    List(Vec<Node>),
    Table(Vec<Entry>),
}

/// One `key = value`; a key may stand twice, which the reader refuses.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub key: String,
    pub line: u32,
    pub value: Node,
}

impl Entry {
    /// Moves a table's or list's line to its key.
    pub(super) fn new(key: String, line: u32, mut value: Node) -> Entry {
        if matches!(value.kind, Kind::List(_) | Kind::Table(_)) {
            value.line = line;
        }
        Entry { key, line, value }
    }
}

impl Node {
    /// What the user wrote, for messages: `the text "abc"`, `70000`, `a list`.
    pub(super) fn shown(&self) -> String {
        match &self.kind {
            Kind::Null => "nothing".to_owned(),
            Kind::Bool(b) => b.to_string(),
            Kind::Int(n) => n.to_string(),
            Kind::Float(x) => x.to_string(),
            Kind::Text(t) => format!("the text \"{}\"", excerpt(t)),
            Kind::Date(d) => format!("the date {d}"),
            Kind::List(_) => "a list".to_owned(),
            Kind::Table(_) => "a table".to_owned(),
        }
    }

    /// The line of the deepest part of `path` (such as `streams[0].ipv4.src`) that is in the file.
    pub(super) fn line_of(&self, path: &str) -> u32 {
        let mut node = self;
        let mut line = self.line;
        for step in path.split(['.', '[']) {
            let next = match &node.kind {
                Kind::Table(entries) => entries.iter().find(|e| e.key == step).map(|e| (e.line, &e.value)),
                Kind::List(items) => step
                    .strip_suffix(']')
                    .and_then(|n| items.get(n.parse::<usize>().ok()?))
                    .map(|item| (item.line, item)),
                _ => None,
            };
            match next {
                Some((at, value)) => (line, node) = (at, value),
                None => break,
            }
        }
        line
    }
}

/// At most 60 characters of `text`, control characters made visible.
pub(super) fn excerpt(text: &str) -> String {
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i == 60 {
            out.push('…');
            break;
        }
        if c.is_control() {
            // Writing to a String can't fail.
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// Turns byte offsets into lines.
pub(super) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(super) fn new(text: &str) -> Lines {
        let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1);
        Lines { starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The line, from 1, of the byte at `offset`.
    pub(super) fn at(&self, offset: usize) -> u32 {
        u32::try_from(self.starts.partition_point(|start| *start <= offset)).unwrap_or(u32::MAX)
    }
}
