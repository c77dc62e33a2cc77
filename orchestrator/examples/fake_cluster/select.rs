//! Label and field selectors.

use serde_json::Value;

use crate::kinds::Kind;
use crate::refusal::Refusal;

#[derive(Clone, Debug, Default)]
pub struct Selector {
    labels: Vec<Term>,
    fields: Vec<(String, bool, String)>,
}

/// A label, whether one of the values is wanted or none of them; no values: that the label is there.
#[derive(Clone, Debug)]
struct Term {
    key: String,
    wanted: bool,
    values: Option<Vec<String>>,
}

impl Selector {
    pub fn parse(kind: Kind, labels: &str, fields: &str) -> Result<Selector, Refusal> {
        let labels = outside_brackets(labels).into_iter().map(|t| Term::parse(&t)).collect();
        let fields = fields.split(',').filter(|f| !f.is_empty()).map(|f| field(kind, f));
        Ok(Selector { labels, fields: fields.collect::<Result<_, _>>()? })
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.fields.is_empty()
    }

    pub fn matches(&self, object: &Value) -> bool {
        let labels = &object["metadata"]["labels"];
        let by_field = |(path, wanted, value): &(String, bool, String)| {
            let found = path.split('.').fold(object, |at, step| &at[step]);
            let text = match found {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            };
            (text == *value) == *wanted
        };
        self.labels.iter().all(|term| term.matches(labels)) && self.fields.iter().all(by_field)
    }
}

impl Term {
    fn parse(text: &str) -> Term {
        let term = |key: &str, wanted, values| Term { key: key.trim().to_owned(), wanted, values };
        let one = |value: &str| Some(vec![value.trim().to_owned()]);
        let set = |list: &str| {
            let list = list.trim().trim_start_matches('(').trim_end_matches(')');
            Some(list.split(',').map(|v| v.trim().to_owned()).collect())
        };
        if let Some((key, list)) = text.split_once(" notin ") {
            term(key, false, set(list))
        } else if let Some((key, list)) = text.split_once(" in ") {
            term(key, true, set(list))
        } else if let Some((key, value)) = text.split_once("!=") {
            term(key, false, one(value))
        } else if let Some((key, value)) = text.split_once('=') {
            term(key, true, one(value.trim_start_matches('=')))
        } else if let Some(key) = text.strip_prefix('!') {
            term(key, false, None)
        } else {
            term(text, true, None)
        }
    }

    fn matches(&self, labels: &Value) -> bool {
        let found = labels[self.key.as_str()].as_str();
        let is_it = match &self.values {
            None => found.is_some(),
            Some(values) => found.is_some_and(|v| values.iter().any(|wanted| wanted == v)),
        };
        is_it == self.wanted
    }
}

fn field(kind: Kind, text: &str) -> Result<(String, bool, String), Refusal> {
    let (path, wanted, value) = if let Some((path, value)) = text.split_once("!=") {
        (path, false, value)
    } else {
        let (path, value) = text.split_once('=').unwrap_or((text, ""));
        (path, true, value.trim_start_matches('='))
    };
    if kind.selectable().contains(&path) {
        return Ok((path.to_owned(), wanted, value.to_owned()));
    }
    Err(Refusal::bad_request(format!("field label not supported: {path}")))
}

fn outside_brackets(text: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(c);
    }
    parts.into_iter().map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect()
}
