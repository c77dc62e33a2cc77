//! What every header's table has in common: it is read key by key, checked field by field, and written back.

use super::check::Checker;
use super::field::Field;
use super::node::Node;
use super::reader::{Notation, Reader, Table};
use super::render::Text;

/// A header as a table of a profile.
pub(super) trait Header: Sized {
    /// Its keys.
    const KEYS: &'static [&'static str];
    /// What a user may write for it, for messages.
    const WANTED: &'static str;

    /// Reads it; a stand-in takes a faulty value's place.
    fn read(reader: &mut Reader, table: &Table<'_>) -> Self;
    /// Says what is wrong with its fields.
    fn check(&self, path: &str, checker: &mut Checker);
    /// Writes its keys.
    fn render(&self, out: &mut Text);

    /// Reads it from a node that must be a table.
    fn of(reader: &mut Reader, node: &Node, path: &str) -> Self {
        match reader.table(node, path, Self::KEYS) {
            Some(table) => Self::read(reader, &table),
            // What it lacks must not be blamed on top of what it is.
            None => Self::read(&mut Reader::default(), &Table::empty(path)),
        }
    }
}

/// One setting of a header.
pub(super) trait Setting: Sized {
    /// Reads `key`; `default` where it may be left out.
    fn read(reader: &mut Reader, table: &Table<'_>, key: &str, default: Option<Self>) -> Self;
    /// Says what is wrong with it.
    fn check(&self, path: String, checker: &mut Checker);
    /// Writes `key = …` unless it is the default.
    fn render(&self, key: &str, default: Option<Self>, out: &mut Text);
}

impl<T: Notation> Setting for Field<T> {
    fn read(reader: &mut Reader, table: &Table<'_>, key: &str, default: Option<Self>) -> Self {
        match default {
            Some(default) if table.get(key).is_none() => default,
            _ => reader.field(table, key),
        }
    }
    fn check(&self, path: String, checker: &mut Checker) {
        checker.field(path, self);
    }
    fn render(&self, key: &str, default: Option<Self>, out: &mut Text) {
        if default.as_ref() != Some(self) {
            out.field(key, self);
        }
    }
}

impl<T: Notation> Setting for Option<Field<T>> {
    fn read(reader: &mut Reader, table: &Table<'_>, key: &str, _: Option<Self>) -> Self {
        table.get(key).map(|_| reader.field(table, key))
    }
    fn check(&self, path: String, checker: &mut Checker) {
        if let Some(field) = self {
            checker.field(path, field);
        }
    }
    fn render(&self, key: &str, _: Option<Self>, out: &mut Text) {
        if let Some(field) = self {
            out.field(key, field);
        }
    }
}

impl Setting for bool {
    fn read(reader: &mut Reader, table: &Table<'_>, key: &str, _: Option<Self>) -> Self {
        table.get(key).and_then(|node| reader.bool(node, &table.path(key))).unwrap_or_default()
    }
    fn check(&self, _: String, _: &mut Checker) {}
    fn render(&self, key: &str, _: Option<Self>, out: &mut Text) {
        if *self {
            out.set(key, true);
        }
    }
}

impl Setting for Option<u16> {
    fn read(reader: &mut Reader, table: &Table<'_>, key: &str, _: Option<Self>) -> Self {
        let node = table.get(key)?;
        reader.whole(node, &table.path(key), "a number from 0 to 65535", |n| u16::try_from(n).ok())
    }
    fn check(&self, _: String, _: &mut Checker) {}
    fn render(&self, key: &str, _: Option<Self>, out: &mut Text) {
        if let Some(n) = self {
            out.set(key, n);
        }
    }
}

impl Setting for super::header::Echo {
    fn read(reader: &mut Reader, table: &Table<'_>, key: &str, _: Option<Self>) -> Self {
        use super::header::Echo;
        const WANTED: &str = "\"request\" or \"reply\"";
        let Some(node) = table.get(key) else { return Echo::default() };
        match reader.text(node, &table.path(key), WANTED) {
            Some("request") | None => Echo::Request,
            Some("reply") => Echo::Reply,
            Some(_) => {
                reader.wrong(node, &table.path(key), WANTED);
                Echo::default()
            }
        }
    }
    fn check(&self, _: String, _: &mut Checker) {}
    fn render(&self, key: &str, _: Option<Self>, out: &mut Text) {
        let text = if *self == Self::Request { "request" } else { "reply" };
        out.set(key, super::render::quoted(text));
    }
}

/// Implements [`Header`]: each key with its default, or with none where it must be given.
macro_rules! header {
    ($name:ident, $wanted:literal, { $($field:ident $(= $default:expr)?),* $(,)? }) => {
        impl super::keys::Header for $name {
            const KEYS: &'static [&'static str] = &[$(stringify!($field)),*];
            const WANTED: &'static str = $wanted;

            fn read(reader: &mut Reader, table: &Table<'_>) -> Self {
                $name { $($field: Setting::read(reader, table, stringify!($field), header!(@or $($default)?)),)* }
            }

            fn check(&self, path: &str, checker: &mut Checker) {
                $(Setting::check(&self.$field, format!("{path}.{}", stringify!($field)), checker);)*
            }

            fn render(&self, out: &mut Text) {
                $(Setting::render(&self.$field, stringify!($field), header!(@or $($default)?), out);)*
            }
        }
    };
    (@or) => { None };
    (@or $default:expr) => { Some($default) };
}
pub(super) use header;
