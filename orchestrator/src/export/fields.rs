//! What is exported, once: name, unit and meaning of every field. All formats and the tables of `docs/export.md` come
//! from here.

/// One field of a row `R`. Its unit, where it has one, stands last in its name.
pub struct Field<R> {
    /// As columns are headed and metrics are named.
    pub name: &'static str,
    /// Nothing for texts and plain numbers.
    pub unit: &'static str,
    /// A sentence without its full stop.
    pub meaning: &'static str,
    /// Where it comes from; none where it was not measured.
    pub of: Of<R>,
}

/// Where a field's value comes from, and so of which type it is.
pub enum Of<R> {
    /// Text.
    Text(fn(&R) -> Option<String>),
    /// A whole number.
    Int(fn(&R) -> Option<u64>),
    /// A real number.
    Real(fn(&R) -> Option<f64>),
    /// Yes or no.
    Flag(fn(&R) -> Option<bool>),
}

/// A type that all formats know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8.
    Text,
    /// 64 bits with a sign.
    Int,
    /// 64 bits, IEEE 754.
    Real,
    /// Yes or no.
    Flag,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Not measured.
    Null,
    /// Text.
    Text(String),
    /// A whole number; one beyond 64 bits with a sign stands at their end.
    Int(i64),
    /// A real number that is one: no NaN, no infinity.
    Real(f64),
    /// Yes or no.
    Flag(bool),
}

/// A field without its row's type.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// As columns are headed.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
}

/// A text.
pub const fn text<R>(name: &'static str, meaning: &'static str, of: fn(&R) -> Option<String>) -> Field<R> {
    Field { name, unit: "", meaning, of: Of::Text(of) }
}

/// A whole number.
pub const fn int<R>(
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
    of: fn(&R) -> Option<u64>,
) -> Field<R> {
    Field { name, unit, meaning, of: Of::Int(of) }
}

/// A real number.
pub const fn real<R>(
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
    of: fn(&R) -> Option<f64>,
) -> Field<R> {
    Field { name, unit, meaning, of: Of::Real(of) }
}

/// Yes or no.
pub const fn flag<R>(name: &'static str, meaning: &'static str, of: fn(&R) -> Option<bool>) -> Field<R> {
    Field { name, unit: "", meaning, of: Of::Flag(of) }
}

impl<R> Field<R> {
    /// Its name and type.
    pub fn head(&self) -> Head {
        let kind = match self.of {
            Of::Text(_) => Kind::Text,
            Of::Int(_) => Kind::Int,
            Of::Real(_) => Kind::Real,
            Of::Flag(_) => Kind::Flag,
        };
        Head { name: self.name, kind }
    }

    /// Its value in one row.
    pub fn value(&self, row: &R) -> Value {
        let value = match self.of {
            Of::Text(of) => of(row).map(Value::Text),
            Of::Int(of) => of(row).map(|n| Value::Int(i64::try_from(n).unwrap_or(i64::MAX))),
            Of::Real(of) => of(row).filter(|v| v.is_finite()).map(Value::Real),
            Of::Flag(of) => of(row).map(Value::Flag),
        };
        value.unwrap_or(Value::Null)
    }
}

impl Value {
    /// As CSV and labels have it; nothing where there is none.
    pub fn text(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::Text(text) => text.clone(),
            Value::Int(n) => n.to_string(),
            Value::Real(v) => v.to_string(),
            Value::Flag(yes) => yes.to_string(),
        }
    }

    /// As a number; a flag is 1 or 0.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Null | Value::Text(_) => None,
            Value::Int(n) => Some(*n as f64),
            Value::Real(v) => Some(*v),
            Value::Flag(yes) => Some(f64::from(u8::from(*yes))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::rows;
    use std::collections::BTreeSet;

    fn table<R>(title: &str, fields: &[Field<R>]) -> String {
        let mut names = BTreeSet::new();
        let mut text = format!("### `{title}`\n| field | type | unit | meaning |\n|---|---|---|---|\n");
        for field in fields {
            let Field { name, unit, meaning, .. } = field;
            assert!(names.insert(*name), "{name} stands twice in {title}");
            assert!(unit.is_empty() || name.ends_with(&format!("_{unit}")), "{name}: its unit is {unit}");
            let kind = match field.head().kind {
                Kind::Text => "text",
                Kind::Int => "integer",
                Kind::Real => "real",
                Kind::Flag => "boolean",
            };
            text += &format!("| `{name}` | {kind} | {unit} | {meaning} |\n");
        }
        text
    }

    #[test]
    fn the_documentation_has_the_fields_of_the_code() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/export.md");
        let docs = std::fs::read_to_string(path).unwrap();
        for wanted in
            [table("trials", rows::TRIALS), table("samples", rows::SAMPLES), table("cores", rows::CORES)]
        {
            assert!(docs.contains(&wanted), "docs/export.md lacks this table, as it is here:\n\n{wanted}");
        }
    }
}
