//! TOML text → nodes.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::node::{Entry, Kind, Lines, MAX_DEPTH, Node, excerpt};
use crate::fault::Fault;

/// The tree, or what is wrong with the syntax (a key given twice is, in TOML).
pub(super) fn parse(text: &str) -> Result<Node, Fault> {
    let lines = Lines::new(text);
    let root = DeTable::parse(text).map_err(|e| {
        let span = e.span().unwrap_or_default();
        let line = e.span().map_or(0, |span| lines.at(span.start));
        // Some messages don't name what they are about.
        let about =
            text.get(span).filter(|t| !t.is_empty() && !t.contains('\n') && !e.message().contains('`'));
        let about = about.map(|t| format!(" `{}`", excerpt(t))).unwrap_or_default();
        let message = e.message().replace('\n', ": ");
        Fault { line, path: String::new(), message: format!("not valid TOML: {message}{about}") }
    })?;
    let kind = table(root.into_inner(), &lines, 0)?;
    Ok(Node { line: 1, kind })
}

fn table(table: DeTable<'_>, lines: &Lines, depth: usize) -> Result<Kind, Fault> {
    let mut entries = Vec::with_capacity(table.len());
    for (key, value) in table {
        let at = key.span().start;
        let entry = Entry::new(key.into_inner().into_owned(), lines.at(at), node(value, lines, depth + 1)?);
        entries.push((at, entry));
    }
    // The parser sorts by name; faults are told in the order of the file.
    entries.sort_by_key(|(at, _)| *at);
    Ok(Kind::Table(entries.into_iter().map(|(_, entry)| entry).collect()))
}

fn node(value: Spanned<DeValue<'_>>, lines: &Lines, depth: usize) -> Result<Node, Fault> {
    let line = lines.at(value.span().start);
    if depth > MAX_DEPTH {
        let message = format!("more than {MAX_DEPTH} tables and lists within one another");
        return Err(Fault { line, path: String::new(), message });
    }
    let kind = match value.into_inner() {
        DeValue::String(text) => Kind::Text(text.into_owned()),
        DeValue::Boolean(b) => Kind::Bool(b),
        DeValue::Datetime(date) => Kind::Date(date.to_string()),
        DeValue::Float(x) => x.as_str().parse().map_or_else(|_| Kind::Text(x.to_string()), Kind::Float),
        DeValue::Integer(n) => match i128::from_str_radix(n.as_str(), n.radix()) {
            Ok(n) => Kind::Int(n),
            // Beyond 128 bits: as a float it is still a number that no setting takes.
            Err(_) => Kind::Float(n.as_str().parse().unwrap_or(f64::INFINITY)),
        },
        DeValue::Array(items) => {
            Kind::List(items.into_iter().map(|item| node(item, lines, depth + 1)).collect::<Result<_, _>>()?)
        }
        DeValue::Table(inner) => table(inner, lines, depth)?,
    };
    Ok(Node { line, kind })
}
