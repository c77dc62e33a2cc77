//! What an import has to say beside the profile.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most notes that a report keeps; a script that calls in a loop must not flood it.
const MAX_NOTES: usize = 200;

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know: the profile sends what the script says.
    Info,
    /// The profile may not send what the script's writer expects.
    Warning,
}

/// One thing to know about an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Line in the script, from 1; 0 where it is about the whole script.
    pub line: u32,
    /// How much it matters.
    pub severity: Severity,
    /// A sentence.
    pub text: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.severity {
            Severity::Info => "note",
            Severity::Warning => "warning",
        };
        match self.line {
            0 => write!(f, "{word}: {}", self.text),
            line => write!(f, "line {line}: {word}: {}", self.text),
        }
    }
}

/// What was not carried over, and why; what was decided where the script left it open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// In the order of the script's lines; those about the whole script come first.
    pub notes: Vec<Note>,
}

impl Report {
    /// Adds a note, once: a text that is already there is not repeated, so a loop says it one time.
    pub(crate) fn add(&mut self, line: u32, severity: Severity, text: impl Into<String>) {
        let text = text.into();
        if self.notes.len() < MAX_NOTES && !self.notes.iter().any(|n| n.text == text) {
            self.notes.push(Note { line, severity, text });
        }
    }

    pub(crate) fn info(&mut self, line: u32, text: impl Into<String>) {
        self.add(line, Severity::Info, text);
    }

    pub(crate) fn warn(&mut self, line: u32, text: impl Into<String>) {
        self.add(line, Severity::Warning, text);
    }

    pub(crate) fn sort(&mut self) {
        self.notes.sort_by_key(|n| n.line);
    }

    /// Notes that may change what is sent.
    pub fn warnings(&self) -> impl Iterator<Item = &Note> {
        self.notes.iter().filter(|n| n.severity == Severity::Warning)
    }
}
