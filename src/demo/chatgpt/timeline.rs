//! What went over the wire, in order: the page shows every entry, the newest action opened.
//! Bounded: the oldest entries make room.

use std::collections::VecDeque;

use super::shown::Message;
use super::wire::Exchange;

const ENTRIES_MAX: usize = 60;

/// The story of one connection.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    entries: VecDeque<Entry>,
    told: usize,
    action: usize,
}

/// One request and its answer, with a sentence on what they are for.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) number: usize,
    pub(super) heading: Heading,
    pub(super) request: Message,
    pub(super) answer: Result<Message, String>,
    /// What is worth showing of a token that came with the answer.
    pub(super) claims: Vec<(String, String)>,
    /// How it ended, in a word or two.
    pub(super) outcome: String,
    pub(super) succeeded: bool,
    action: usize,
}

/// How an entry introduces itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heading {
    pub(super) title: &'static str,
    pub(super) lesson: &'static str,
}

impl Timeline {
    /// The person pressed something: what follows belongs together.
    pub(super) fn begin(&mut self) {
        self.action += 1;
    }

    /// Adds an exchange with a server.
    pub(super) fn tell(&mut self, heading: Heading, exchange: Exchange) {
        let outcome = match &exchange.answer {
            Ok(answer) => answer.start.clone(),
            Err(_) => "no answer".to_owned(),
        };
        self.push(Entry {
            number: 0,
            heading,
            succeeded: exchange.status.is_some_and(|status| status < 400),
            request: exchange.request,
            answer: exchange.answer,
            claims: Vec::new(),
            outcome,
            action: self.action,
        });
    }

    /// Adds a step that the browser took: it was sent somewhere and came back, with a code or with an error.
    pub(super) fn tell_browser(&mut self, heading: Heading, (went, came): (Message, Message), error: Option<&str>) {
        self.push(Entry {
            number: 0,
            heading,
            request: went,
            answer: Ok(came),
            claims: Vec::new(),
            outcome: error.unwrap_or("with a code").chars().take(40).collect(),
            succeeded: error.is_none(),
            action: self.action,
        });
    }

    /// Lays decoded claims beside the newest entry.
    pub(super) fn add_claims(&mut self, claims: Vec<(String, String)>) {
        if let Some(newest) = self.entries.back_mut() {
            newest.claims = claims;
        }
    }

    /// The newest first.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().rev()
    }

    /// Whether an entry belongs to the latest action.
    pub(super) fn is_latest(&self, entry: &Entry) -> bool {
        entry.action == self.action
    }

    fn push(&mut self, entry: Entry) {
        if self.entries.len() == ENTRIES_MAX {
            self.entries.pop_front();
        }
        self.told += 1;
        self.entries.push_back(Entry { number: self.told, ..entry });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room() {
        let mut timeline = Timeline::default();
        let heading = Heading { title: "t", lesson: "l" };
        for _ in 0..ENTRIES_MAX + 5 {
            timeline.tell_browser(heading, (Message::default(), Message::default()), None);
        }
        let numbers: Vec<usize> = timeline.entries().map(|entry| entry.number).collect();
        assert_eq!(numbers.len(), ENTRIES_MAX);
        assert_eq!(numbers.first(), Some(&(ENTRIES_MAX + 5)));
    }
}
