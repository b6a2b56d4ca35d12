//! A check: one thing looked at, with what was seen and what to do about it. Names are stable: programs read them.

use serde::Serialize;

/// A server that talks without end is quoted up to here.
const CHARACTERS_MAX: usize = 600;

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The caller that was asked about fails over it, or whoever uses the server is in danger.
    Wrong,
    /// It works for that caller, and may not for another or on another day.
    Warning,
    /// As it should be.
    Ok,
    /// It could not be looked at, nor what follows from it.
    LeftOut,
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
        Self { state: State::Warning, cure: Some(cure.into()), ..Self::ok(name, says) }
    }

    /// It could not be looked at: what, and why.
    pub fn left_out(name: &'static str, says: impl Into<String>) -> Self {
        Self { state: State::LeftOut, ..Self::ok(name, says) }
    }

    /// It fails.
    pub fn wrong(name: &'static str, says: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { state: State::Wrong, ..Self::warning(name, says, cure) }
    }

    /// The same where another caller is the one who fails, and who that is.
    #[must_use]
    pub fn of_others(mut self, who: &str) -> Self {
        if self.state == State::Wrong {
            self.state = State::Warning;
            self.says = format!("{} {who}", self.says);
        }
        self
    }

    /// With every sentence as it is told. Cut before it is clean, the beginning of a secret could be left that nobody
    /// finds; and a server's words stay within their line.
    #[must_use]
    pub fn told(mut self, clean: impl Fn(&str) -> String) -> Self {
        for sentence in [Some(&mut self.says), self.cure.as_mut()].into_iter().flatten() {
            *sentence = bounded(clean(sentence).replace('\n', " "));
        }
        self
    }

    /// The area it belongs to.
    pub fn area(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(area, _)| area)
    }
}

fn bounded(text: String) -> String {
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_has_an_end() {
        let told = |says: &str| Check::warning("a.b", says, says).told(|text| text.replace("s3cret", "…"));
        for sentence in [told(&"ä".repeat(1000)).says, told(&"ä".repeat(1000)).cure.unwrap()] {
            assert_eq!(sentence.chars().count(), 601);
        }
        assert_eq!(told("short").says, "short");
        let behind = told(&format!("{}s3cret", "x".repeat(CHARACTERS_MAX - 3)));
        assert!(
            behind.says.ends_with("x…") && behind.cure.unwrap().ends_with("x…"),
            "the secret is whole when it is looked for"
        );
        assert_eq!(told("a\n✓ b").cure.as_deref(), Some("a ✓ b"));
    }
}
