//! The items themselves: one list per person, in memory, every list and the number of lists bounded.
//! Neighbour: `todo_api` decides who the person is before it asks here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::refusal::Refusal;

pub(super) const PEOPLE_MAX: usize = 1000;
pub(super) const ITEMS_MAX: usize = 100;
pub(super) const TEXT_CHARS_MAX: usize = 200;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Item {
    /// Counted per person, so that an id tells nothing about how busy others are.
    pub(super) id: u64,
    pub(super) text: String,
    pub(super) created_at: DateTime<Utc>,
}

/// The text of an item: one line of 1 to 200 characters.
#[derive(Debug)]
pub(super) struct Text(String);

impl Text {
    pub(super) fn new(text: &str) -> Result<Self, Refusal> {
        let text = text.trim();
        let length = text.chars().count();
        if length == 0 || length > TEXT_CHARS_MAX || text.chars().any(char::is_control) {
            return Err(Refusal::Text);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Everybody's lists.
#[derive(Debug, Default)]
pub(super) struct Items {
    lists: Mutex<HashMap<String, List>>,
}

/// A list stays when it is emptied: its counter makes sure that a stale id never meets a newer item.
#[derive(Debug, Default)]
struct List {
    items: Vec<Item>,
    last_id: u64,
}

impl Items {
    /// The person's items, oldest first.
    pub(super) fn of(&self, person: &str) -> Vec<Item> {
        self.lists().get(person).map(|list| list.items.clone()).unwrap_or_default()
    }

    /// Adds to the person's list unless it, or the house, is full.
    pub(super) fn add(&self, person: &str, text: Text, now: DateTime<Utc>) -> Result<Item, Refusal> {
        let mut lists = self.lists();
        if lists.len() >= PEOPLE_MAX && !lists.contains_key(person) {
            return Err(Refusal::HouseFull);
        }
        let list = lists.entry(person.to_owned()).or_default();
        if list.items.len() >= ITEMS_MAX {
            return Err(Refusal::ListFull);
        }
        list.last_id += 1;
        let item = Item { id: list.last_id, text: text.0, created_at: now };
        list.items.push(item.clone());
        Ok(item)
    }

    /// Removes from the person's own list only; says whether there was anything to remove.
    pub(super) fn remove(&self, person: &str, id: u64) -> bool {
        self.lists().get_mut(person).is_some_and(|list| {
            let before = list.items.len();
            list.items.retain(|item| item.id != id);
            list.items.len() < before
        })
    }

    fn lists(&self) -> MutexGuard<'_, HashMap<String, List>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        Text::new(text).unwrap()
    }

    #[test]
    fn people_see_and_remove_only_their_own() {
        let items = Items::default();
        let now = DateTime::UNIX_EPOCH;
        let hers = items.add("ada", text("Feed the cat"), now).unwrap();
        assert!(items.of("bob").is_empty());
        assert!(!items.remove("bob", hers.id));
        assert_eq!(items.of("ada"), [hers]);
    }

    #[test]
    fn an_id_is_never_used_twice() {
        let items = Items::default();
        let now = DateTime::UNIX_EPOCH;
        let first = items.add("ada", text("one"), now).unwrap();
        assert!(items.remove("ada", first.id));
        assert_ne!(items.add("ada", text("two"), now).unwrap().id, first.id);
    }

    #[test]
    fn lists_and_the_house_are_bounded() {
        let items = Items::default();
        let now = DateTime::UNIX_EPOCH;
        for _ in 0..ITEMS_MAX {
            items.add("ada", text("again"), now).unwrap();
        }
        assert!(matches!(items.add("ada", text("more"), now), Err(Refusal::ListFull)));
        for number in 1..PEOPLE_MAX {
            items.add(&format!("person {number}"), text("hi"), now).unwrap();
        }
        assert!(matches!(items.add("one too many", text("hi"), now), Err(Refusal::HouseFull)));
    }

    #[test]
    fn a_text_is_one_short_line() {
        assert!(Text::new(&"é".repeat(TEXT_CHARS_MAX)).is_ok());
        for wrong in ["", "   ", "two\nlines", &"é".repeat(TEXT_CHARS_MAX + 1)] {
            assert!(Text::new(wrong).is_err(), "{wrong:?}");
        }
    }
}
