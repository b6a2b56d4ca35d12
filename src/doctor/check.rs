//! A check: one thing looked at, with what was seen and what to do about it. Names are stable: programs read them.

use serde::Serialize;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Some caller fails over it.
    Wrong,
    /// It works, and may not everywhere.
    Warning,
    /// As it should be.
    Ok,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Its stable name: area and thing.
    pub name: &'static str,
    /// How it stands.
    pub state: State,
    /// What was seen.
    pub says: String,
    /// What to do about it.
    pub cure: Option<String>,
}

impl Check {
    /// As it should be.
    pub fn ok(name: &'static str, says: impl Into<String>) -> Self {
        Self { name, state: State::Ok, says: says.into(), cure: None }
    }

    /// It may fail somewhere.
    pub fn warning(name: &'static str, says: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { name, state: State::Warning, says: says.into(), cure: Some(cure.into()) }
    }

    /// It fails.
    pub fn wrong(name: &'static str, says: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { state: State::Wrong, ..Self::warning(name, says, cure) }
    }

    /// Right or wrong.
    pub fn of(name: &'static str, is_right: bool, says: impl Into<String>, cure: impl Into<String>) -> Self {
        if is_right { Self::ok(name, says) } else { Self::wrong(name, says, cure) }
    }

    /// The area it belongs to.
    pub fn area(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(area, _)| area)
    }
}
