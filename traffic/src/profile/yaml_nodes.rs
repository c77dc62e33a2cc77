//! YAML text → nodes, by the core schema of YAML 1.2 (`no` is text, `010` is ten).

use std::collections::HashMap;

use granit_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::node::{Entry, Kind, MAX_DEPTH, Node};
use crate::fault::Fault;

/// Nodes of one file with its aliases written out: an alias bomb ends here.
const MAX_NODES: usize = 100_000;

/// The tree, or what is wrong with the syntax.
pub(super) fn parse(text: &str) -> Result<Node, Fault> {
    let mut builder = Builder::default();
    for step in Parser::new_from_str(text) {
        let (event, span) = step.map_err(|e| {
            let line = u32::try_from(e.marker().line()).unwrap_or(u32::MAX);
            let message = format!("not valid YAML: {} (column {})", e.info(), e.marker().col() + 1);
            Fault { line, path: String::new(), message }
        })?;
        builder.take(event, line_of(&span))?;
    }
    Ok(builder.root.unwrap_or(Node { line: 1, kind: Kind::Null }))
}

fn line_of(span: &Span) -> u32 {
    u32::try_from(span.start.line()).unwrap_or(u32::MAX)
}

#[derive(Default)]
struct Builder {
    root: Option<Node>,
    open: Vec<Open>,
    /// Anchored nodes by the parser's id, with how many nodes each is.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
}

/// A list or table whose end has not come yet.
struct Open {
    node: Node,
    /// A table's key that waits for its value.
    key: Option<(String, u32)>,
    anchor: usize,
    /// `Builder::nodes` before this one.
    nodes_before: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, line: u32) -> Result<(), Fault> {
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                fault(line, "a profile is one YAML document, here is another")
            }
            Event::Scalar(text, style, anchor, tag) => {
                no_tag(tag.as_deref(), line)?;
                let before = self.nodes;
                let waits_for_key = matches!(
                    self.open.last(),
                    Some(Open { node: Node { kind: Kind::Table(_), .. }, key: None, .. })
                );
                let kind = if style == ScalarStyle::Plain && !waits_for_key {
                    plain(&text)
                } else {
                    Kind::Text(text.into_owned())
                };
                self.count(1, line)?;
                self.close(Node { line, kind }, anchor, before)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(Kind::List(Vec::new()), anchor, tag.as_deref(), line)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.open(Kind::Table(Vec::new()), anchor, tag.as_deref(), line)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.close(open.node, open.anchor, open.nodes_before),
                None => Ok(()),
            },
            Event::Alias(id) => {
                let Some((node, nodes)) = self.anchors.get(&id).cloned() else {
                    return fault(line, "this alias stands inside of its own anchor");
                };
                let before = self.nodes;
                self.count(nodes, line)?;
                self.close(node, 0, before)
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, nodes: usize, line: u32) -> Result<(), Fault> {
        self.nodes += nodes;
        if self.nodes > MAX_NODES {
            return fault(line, &format!("more than {MAX_NODES} values, aliases written out"));
        }
        Ok(())
    }

    fn open(&mut self, kind: Kind, anchor: usize, tag: Option<&Tag>, line: u32) -> Result<(), Fault> {
        no_tag(tag, line)?;
        if self.open.len() >= MAX_DEPTH {
            return fault(line, &format!("more than {MAX_DEPTH} mappings and lists within one another"));
        }
        let nodes_before = self.nodes;
        self.count(1, line)?;
        self.open.push(Open { node: Node { line, kind }, key: None, anchor, nodes_before });
        Ok(())
    }

    /// A node is whole: it goes into what is open around it.
    fn close(&mut self, node: Node, anchor: usize, nodes_before: usize) -> Result<(), Fault> {
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - nodes_before));
        }
        let Some(around) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match (&mut around.node.kind, around.key.take()) {
            (Kind::List(items), _) => items.push(node),
            (Kind::Table(entries), Some((key, line))) => entries.push(Entry::new(key, line, node)),
            (_, _) => match node.kind {
                Kind::Text(key) => around.key = Some((key, node.line)),
                _ => return fault(node.line, "a key must be text"),
            },
        }
        Ok(())
    }
}

fn fault<T>(line: u32, message: &str) -> Result<T, Fault> {
    Err(Fault { line, path: String::new(), message: message.to_owned() })
}

fn no_tag(tag: Option<&Tag>, line: u32) -> Result<(), Fault> {
    match tag {
        None => Ok(()),
        Some(tag) => fault(line, &format!("the tag {} is not supported: remove it", tag.original())),
    }
}

/// What an unquoted scalar means.
fn plain(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "true" | "True" | "TRUE" => return Kind::Bool(true),
        "false" | "False" | "FALSE" => return Kind::Bool(false),
        _ => {}
    }
    let radix =
        |prefix, radix| text.strip_prefix(prefix).and_then(|digits| i128::from_str_radix(digits, radix).ok());
    if let Some(n) = text.parse().ok().or_else(|| radix("0x", 16)).or_else(|| radix("0o", 8)) {
        return Kind::Int(n);
    }
    // Rust reads more words as floats ("infinity") than YAML does.
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    match text.parse() {
        Ok(x) if numeric => Kind::Float(x),
        _ => match text.trim_start_matches(['+', '-']) {
            ".inf" | ".Inf" | ".INF" => Kind::Float(f64::INFINITY),
            ".nan" | ".NaN" | ".NAN" => Kind::Float(f64::NAN),
            _ => Kind::Text(text.to_owned()),
        },
    }
}
