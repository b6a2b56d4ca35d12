//! One browser's connection to the plugin, and the bounded store of all of them.
//! Neighbours: `install`, `tokens` and `api_calls` move a connection from stage to stage.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use oauth2::{AccessToken, CsrfToken};
use url::Url;

use super::Notice;
use super::api_calls::Turn;
use super::plugin::Plugin;
use super::timeline::Timeline;
use super::tokens::Tokens;

/// A demo has one newcomer; a shared one has a class of them.
const CONNECTIONS_MAX: usize = 200;

/// Where a connection stands, with what is true only there.
#[derive(Debug)]
pub(super) enum Stage {
    /// The manifest could not be used.
    Unusable,
    /// The browser was sent to the authorization endpoint and has not come back.
    Away { plugin: Plugin, state: CsrfToken, url: Url },
    /// The browser came back without a code, or the code brought no tokens.
    Refused { plugin: Plugin },
    /// Tokens are held.
    Connected { plugin: Plugin, tokens: Tokens },
    /// The connection was taken back. The old access token stays, to show that it opens nothing any more.
    Ended { plugin: Plugin, access_token: AccessToken },
}

/// The steps of the story, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Install,
    Consent,
    Tokens,
    Call,
    Refresh,
    Disconnect,
}

/// Everything the page knows about one browser.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stage: Stage,
    pub(super) reached: Vec<Step>,
    pub(super) notice: Option<Notice>,
    pub(super) turn: Option<Turn>,
    pub(super) timeline: Timeline,
}

impl Connection {
    /// A connection about to read the manifest.
    pub(super) fn new() -> Self {
        Self { stage: Stage::Unusable, reached: Vec::new(), notice: None, turn: None, timeline: Timeline::default() }
    }

    /// The person pressed something: old notices go, and what follows belongs together.
    pub(super) fn begin(&mut self) {
        self.notice = None;
        self.timeline.begin();
    }

    pub(super) fn reach(&mut self, step: Step) {
        if !self.reached.contains(&step) {
            self.reached.push(step);
        }
    }

    pub(super) fn plugin(&self) -> Option<&Plugin> {
        match &self.stage {
            Stage::Unusable => None,
            Stage::Away { plugin, .. }
            | Stage::Refused { plugin }
            | Stage::Connected { plugin, .. }
            | Stage::Ended { plugin, .. } => Some(plugin),
        }
    }
}

/// A connection that one request at a time may use: two presses at once happen one after the other.
pub(super) type Shared = Arc<tokio::sync::Mutex<Connection>>;

/// All connections by the cookie of their browser; the oldest makes room.
#[derive(Debug, Default)]
pub(super) struct Connections {
    places: Mutex<Places>,
}

#[derive(Debug, Default)]
struct Places {
    by_browser: HashMap<String, Shared>,
    in_order: VecDeque<String>,
}

impl Connections {
    pub(super) fn find(&self, browser: &str) -> Option<Shared> {
        self.places().by_browser.get(browser).cloned()
    }

    pub(super) fn keep(&self, browser: String, connection: Connection) {
        let mut places = self.places();
        if places.in_order.len() == CONNECTIONS_MAX
            && let Some(oldest) = places.in_order.pop_front()
        {
            places.by_browser.remove(&oldest);
        }
        let shared = Arc::new(tokio::sync::Mutex::new(connection));
        places.by_browser.insert(browser.clone(), shared);
        places.in_order.push_back(browser);
    }

    pub(super) fn forget(&self, browser: &str) {
        let mut places = self.places();
        places.by_browser.remove(browser);
        places.in_order.retain(|kept| kept != browser);
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_connection_makes_room() {
        let connections = Connections::default();
        for number in 0..=CONNECTIONS_MAX {
            connections.keep(number.to_string(), Connection::new());
        }
        assert!(connections.find("0").is_none());
        assert!(connections.find("1").is_some());
        connections.forget("1");
        assert!(connections.find("1").is_none());
        let places = connections.places();
        assert_eq!(places.by_browser.len(), CONNECTIONS_MAX - 1);
        assert_eq!(places.in_order.len(), CONNECTIONS_MAX - 1);
    }
}
