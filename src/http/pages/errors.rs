//! Pages in the place of others: what went wrong, and what one can do.

use askama::Template;

use super::{super::assets, Destination, Layout};
use crate::languages::Said;

/// What happened, in words of ours: a message of `errors.ftl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorWords {
    /// The message.
    pub id: &'static str,
    /// What its owner has to know, where the message has a place for it.
    pub why: Option<String>,
}

impl From<&'static str> for ErrorWords {
    fn from(id: &'static str) -> Self {
        Self { id, why: None }
    }
}

/// What a person sees instead of a redirect that would not be safe, or when something broke.
#[derive(Debug, Clone, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// What happened, what it means and what the person can do about it.
    pub words: ErrorWords,
    /// Finds this request in the logs.
    pub request_id: String,
}

impl ErrorPage {
    fn says(&self) -> Said {
        self.layout.say(self.words.id)
    }

    fn advice(&self) -> Option<Said> {
        let advice = self.says().part("advice");
        let advice = match &self.words.why {
            Some(why) => advice.name("why", why),
            None => advice,
        };
        advice.is_there().then_some(advice)
    }
}

/// What a person sees instead of a redirect that an app nobody vouches for asked for: where it would lead.
#[derive(Debug, Clone, Template)]
#[template(path = "refused.html")]
pub struct RefusedPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Where the app is, as far as it says so.
    pub destination: Destination,
    /// The address that tells it so: one of its own, proven by `protocol::authorization`.
    pub link: String,
    /// What is wrong with its request, for its owner.
    pub problem: String,
    /// Finds this request in the logs.
    pub request_id: String,
}
