//! Rotators: have new keys made by whoever issues them, and old ones ended there. What is rotated when, and what becomes of
//! a key, is decided above.
//!
//! `recipe` speaks to administration APIs by what is known of them as data; `command` runs a program, and `webhook` asks a
//! service of the operator's, both by the same three orders (`Order`). A key is made under a label, so that one that was
//! made and then lost, because this server was killed before it was kept, is found and ended. What issuers answer is
//! bounded, and repeated nowhere.

mod command;
mod recipe;
mod webhook;

use std::io;

use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    model::{
        Timestamp,
        rotator::{Rotator, Way},
    },
    outbound::{FetchError, Outbound},
    vault::SecretValue,
};

/// The longest answer to an order.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The longest name that an issuer may have for a key.
const ID_LENGTH_MAX: usize = 256;

/// What a key is made for.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What it is to be called where it is issued.
    pub label: &'a str,
    /// The plugin's short name.
    pub plugin: &'a str,
    /// What its owners call the secret.
    pub name: &'a str,
}

/// A key that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The key, as it came.
    pub value: SecretValue,
    /// What it is called where it was issued, where it can be ended there.
    pub id: Option<String>,
}

/// Why nothing was made or ended. Says nothing of what was answered but numbers.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// The configuration has no rotator of that name.
    #[error("the configuration has none of this name")]
    Unknown,
    /// There was no answer.
    #[error("it could not be asked: {0}")]
    Fetch(#[from] FetchError),
    /// It was refused.
    #[error("it answered with status {0}")]
    Status(u16),
    /// There was an answer, but not to what was asked.
    #[error("its answer has no {0}")]
    Unreadable(&'static str),
    /// It knows more keys than are looked through.
    #[error("it has too many keys to look through them")]
    TooMany,
    /// The program could not be run.
    #[error("the command could not be run ({0})")]
    NotRun(io::ErrorKind),
    /// The program says that it has not done it.
    #[error("the command failed ({0})")]
    Failed(std::process::ExitStatus),
    /// The program, or all of it together, took too long.
    #[error("it took too long")]
    TooSlow,
    /// The answer is larger than an answer can be.
    #[error("its answer is too large")]
    TooLarge,
}

impl RotateError {
    /// Whether nobody was asked, because this server asks too much at once: nothing can be held against the issuer.
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Fetch(error) if error.is_ours())
    }
}

/// What a command or a service is asked to do.
enum Order<'a> {
    /// Make a key.
    Make(Ask<'a>),
    /// End the key of this name.
    End(&'a str),
    /// End all keys with these labels.
    Abandon(&'a [String]),
}

impl Order<'_> {
    fn json(&self) -> Value {
        match self {
            Self::Make(ask) => {
                json!({ "order": "make", "label": ask.label, "plugin": ask.plugin, "name": ask.name })
            }
            Self::End(id) => json!({ "order": "end", "id": id }),
            Self::Abandon(labels) => json!({ "order": "abandon", "labels": labels }),
        }
    }
}

/// All rotators, shared by all workers.
pub struct Rotators {
    all: Vec<Rotator>,
    outbound: Outbound,
}

impl Rotators {
    /// Those that the operator has configured.
    pub fn new(all: Vec<Rotator>, outbound: Outbound) -> Self {
        Self { all, outbound }
    }

    /// All of them.
    pub fn all(&self) -> &[Rotator] {
        &self.all
    }

    /// Has a key made.
    pub async fn make(&self, rotator: &str, ask: Ask<'_>, at: Timestamp) -> Result<Made, RotateError> {
        match self.way(rotator)? {
            Way::Recipe(administration) => recipe::make(&self.outbound, administration, ask.label).await,
            way => read(&self.give(way, &Order::Make(ask), at).await?),
        }
    }

    /// Has a key ended that was made. One that is not there any more has ended.
    pub async fn end(&self, rotator: &str, id: &str, at: Timestamp) -> Result<(), RotateError> {
        if !is_id(id) {
            return Err(RotateError::Unreadable("good name for the key"));
        }
        match self.way(rotator)? {
            Way::Recipe(administration) => recipe::end(&self.outbound, administration, id).await,
            way => self.give(way, &Order::End(id), at).await.map(drop),
        }
    }

    /// Has whatever was made under these labels ended.
    pub async fn abandon(&self, rotator: &str, labels: &[String], at: Timestamp) -> Result<(), RotateError> {
        match self.way(rotator)? {
            Way::Recipe(administration) => recipe::abandon(&self.outbound, administration, labels).await,
            way => self.give(way, &Order::Abandon(labels), at).await.map(drop),
        }
    }

    fn way(&self, rotator: &str) -> Result<&Way, RotateError> {
        Rotator::find(&self.all, rotator).map(|rotator| &rotator.way).ok_or(RotateError::Unknown)
    }

    async fn give(&self, way: &Way, order: &Order<'_>, at: Timestamp) -> Result<Zeroizing<Vec<u8>>, RotateError> {
        let order = order.json().to_string();
        match way {
            Way::Command(command) => command::run(command, order).await,
            Way::Webhook { url, key } => webhook::ask(&self.outbound, (url, &key.get()), order, at).await,
            Way::Recipe(_) => Err(RotateError::Unknown),
        }
    }
}

/// What a command or a service answers to the order to make a key.
fn read(answer: &[u8]) -> Result<Made, RotateError> {
    #[derive(Deserialize)]
    struct Answer {
        value: String,
        id: Option<String>,
    }
    let answer: Answer = serde_json::from_slice(answer).map_err(|_| RotateError::Unreadable("key that can be read"))?;
    let value = SecretValue::new(answer.value);
    let id =
        answer.id.map(|id| if is_id(&id) { Ok(id) } else { Err(RotateError::Unreadable("good name for the key")) });
    Ok(Made { value, id: id.transpose()? })
}

/// Whether that can be what an issuer calls a key: it becomes a segment of a path, where dots mean another one.
fn is_id(text: &str) -> bool {
    (1..=ID_LENGTH_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.bytes().all(|byte| byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_key_and_perhaps_a_good_name_for_it() {
        let made = read(br#"{"value":"k-1","id":"key_1","more":{}}"#).unwrap();
        assert_eq!((made.value.reveal(), made.id.as_deref()), ("k-1", Some("key_1")));
        assert_eq!(read(br#"{"value":"k-1"}"#).unwrap().id, None);
        for bad in
            [&b"k-1"[..], b"{}", br#"{"value":7}"#, br#"{"value":"k","id":".."}"#, br#"{"value":"k","id":"a b"}"#]
        {
            assert!(matches!(read(bad), Err(RotateError::Unreadable(_))), "{}", String::from_utf8_lossy(bad));
        }
    }
}
