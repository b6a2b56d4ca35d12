//! What is wrong with a configuration, one line each: where, what, and what to write instead.
//!
//! Values are repeated only where they cannot be secrets.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it was written: `CONSENTRY_LISTEN`, `listen in consentry.toml`, `--listen`.
    pub place: String,
    /// What is wrong.
    pub problem: String,
    /// What to write.
    pub cure: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}; {}", self.place, self.problem, self.cure)
    }
}

/// Everything that is wrong, at once: nobody likes to be sent back five times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub Vec<Mistake>);

impl fmt::Display for ConfigError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(out, "the configuration has a mistake:")?,
            count => write!(out, "the configuration has {count} mistakes:")?,
        }
        for mistake in &self.0 {
            write!(out, "\n  {mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
