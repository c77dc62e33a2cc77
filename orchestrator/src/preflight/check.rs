//! One thing that was looked at, and what to do about it.

use serde::Serialize;

/// How it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// A trial runs, and its figures have to be read with this in mind.
    Warning,
    /// A trial can't succeed.
    Error,
}

impl Level {
    /// `ok`, `warning`, `error`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Error => "error",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// The node, pod or pair that was looked at.
    pub scope: String,
    /// What was looked at.
    pub name: &'static str,
    /// How it looks.
    pub level: Level,
    /// What is there.
    pub found: String,
    /// What to do about it; none when it is as it should be.
    pub next_step: Option<String>,
}

impl Check {
    /// As it should be.
    pub fn ok(scope: &str, name: &'static str, found: impl Into<String>) -> Check {
        Check { scope: scope.to_owned(), name, level: Level::Ok, found: found.into(), next_step: None }
    }

    /// To be known.
    pub fn warning(
        scope: &str,
        name: &'static str,
        found: impl Into<String>,
        next_step: impl Into<String>,
    ) -> Check {
        Check::at(Level::Warning, scope, name, found, next_step)
    }

    /// To be mended.
    pub fn error(
        scope: &str,
        name: &'static str,
        found: impl Into<String>,
        next_step: impl Into<String>,
    ) -> Check {
        Check::at(Level::Error, scope, name, found, next_step)
    }

    /// Of a level that depends.
    pub fn at(
        level: Level,
        scope: &str,
        name: &'static str,
        found: impl Into<String>,
        next_step: impl Into<String>,
    ) -> Check {
        let next_step = Some(next_step.into());
        Check { scope: scope.to_owned(), name, level, found: found.into(), next_step }
    }
}

/// The worst of all; none of none.
pub fn worst(checks: &[Check]) -> Option<Level> {
    checks.iter().map(|check| check.level).max()
}
