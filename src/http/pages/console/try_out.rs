//! What an owner's try-out came to, step by step.

use askama::Template;
use serde::{Deserialize, Serialize};

use super::{super::super::assets, Badge, Frame, Section, times};
use crate::{http::pages::Layout, model::client::Dialect, protocol::dialect};

/// A try-out from its first step to its last, `/console/plugins/{slug}/try`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/try_out.html")]
pub struct TryOutPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// As which kind of caller.
    pub kind: Dialect,
    /// What was typed in there.
    pub target: String,
    /// What happened.
    pub steps: Vec<TryOutStep>,
    /// The attempt as this server saw it, where a code was given.
    pub flow: Option<String>,
}

/// One step.
#[derive(Debug, Clone)]
pub struct TryOutStep {
    /// What it is.
    pub words: &'static str,
    /// When it was over.
    pub at: String,
    /// How it ended.
    pub badge: Badge,
    /// What came of it.
    pub outcome: String,
    /// What to do about it, where it went wrong.
    pub cure: Option<&'static str>,
    /// What was said.
    pub said: Vec<Words>,
}

/// A request and its answer, without secrets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Words {
    /// The request line.
    pub asked: String,
    /// What was sent with it, where that is shown.
    pub sent: String,
    /// The status, or why there is none.
    pub answered: String,
    /// What came with it, where that is shown.
    pub got: String,
}

impl TryOutPage {
    fn kind(&self) -> &'static str {
        dialect::in_words(self.kind)
    }

    /// Whether a connection was made, used and renewed.
    fn is_good(&self) -> bool {
        self.steps.iter().all(|step| step.cure.is_none()) && self.steps.iter().any(|step| step.words == REFRESH)
    }
}

const REFRESH: &str = "Renewing the connection";

impl TryOutStep {
    /// A step as an owner reads it.
    pub fn of(name: &str, (at, is_good): (i64, bool), outcome: &str, said: Vec<Words>) -> Self {
        let (words, cure) = in_words(name);
        let (class, word) = if is_good { ("good", "Done") } else { ("bad", "Went wrong") };
        Self {
            words,
            at: chrono::DateTime::from_timestamp_millis(at).map(times::second).unwrap_or_default(),
            badge: Badge { class, word },
            outcome: sentence(outcome),
            cure: (!is_good).then_some(cure),
            said,
        }
    }
}

/// Two things that may have happened where this server was asked for tokens.
const NOT_GIVEN: &str = "If there is no answer, let requests for /token on the plugin's host reach this server. If there \
                         is one, this server refused: the attempt, as this server saw it, says what and why.";

/// What a step is called, and what to do where it went wrong.
fn in_words(name: &str) -> (&'static str, &'static str) {
    match name {
        "discovery" => (
            "Finding where to sign in",
            "Have it looked at on the page before: the doctor says of each document what is wrong, and how to cure it.",
        ),
        "client" => (
            "The client",
            "Let requests for the manifest, /.well-known, /authorize and /token on the plugin's host reach this server, \
             which writes the right addresses into them.",
        ),
        "authorization" => {
            ("Leaving for the sign-in page", "Let requests for /authorize on the plugin's host reach this server.")
        }
        "return" => (
            "Signing in and being asked",
            "If you said no, try again and allow it; you may be one of those whom your own rules do not let in (Access). \
             Otherwise the attempt, as this server saw it, says what was refused, and why.",
        ),
        "tokens" => ("Tokens for the code", NOT_GIVEN),
        "api" => (
            "The first call",
            "Your API has to take this server's access tokens: look into its log at this time, and check that it knows \
             this server's address and keys.",
        ),
        "refresh" => (REFRESH, NOT_GIVEN),
        _ => ("Something else", "Try again."),
    }
}

/// What was written to stand behind a colon, as a sentence.
fn sentence(outcome: &str) -> String {
    let mut rest = outcome.chars();
    let first: String = rest.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let end = if outcome.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{end}", rest.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_a_sentence_with_a_cure() {
        let step = |name, is_good| TryOutStep::of(name, (0, is_good), "the API answered 500", Vec::new());
        let bad = step("api", false);
        assert_eq!((bad.outcome.as_str(), bad.at.as_str()), ("The API answered 500.", "1 January 1970, 00:00:00 UTC"));
        assert!(bad.cure.is_some() && step("api", true).cure.is_none());
        for name in ["discovery", "client", "authorization", "return", "tokens", "api", "refresh"] {
            assert_ne!(in_words(name).0, "Something else", "{name}");
        }
    }
}
