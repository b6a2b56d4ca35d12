//! Webhooks: what a plugin's own API is told of the people who connect to it (Standard Webhooks, standardwebhooks.com).
//!
//! The store writes events in the step of what they tell of, `protocol::webhook` says what a try means,
//! `jobs::webhooks` makes them.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use url::Url;

use super::{
    account::UnknownWord,
    digest::Digest,
    id::{AccountId, AuditEventId},
    plugin::SubjectSalt,
};

/// How long an event is tried before it is given up.
pub const TRIED_FOR: TimeDelta = TimeDelta::hours(72);

/// How long after that it is kept, so that owners can see what became of it and have it sent again.
pub const KEPT_AFTER: TimeDelta = TimeDelta::days(4);

/// How many events of one plugin may wait. What comes on top is counted and not kept.
pub const WAITING_MAX: i64 = 10_000;

/// How many connections are counted where one event tells of all of them.
pub const COUNTED_MAX: i64 = 10_000;

/// The longest address, in bytes.
const LENGTH_MAX: usize = 2000;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookEvent {
    /// Somebody said yes for the first time, or again after it had ended.
    PersonConnected,
    /// What somebody allowed a client has ended.
    PersonDisconnected,
    /// The same for many at once: one event, however many they are.
    PeopleDisconnected,
    /// Somebody who is or was connected has deleted their account.
    AccountDeleted,
    /// Nothing: an owner wants to see whether it arrives.
    Test,
}

impl WebhookEvent {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::PersonConnected, Self::PersonDisconnected, Self::PeopleDisconnected, Self::AccountDeleted, Self::Test];

    /// The word on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PersonConnected => "person.connected",
            Self::PersonDisconnected => "person.disconnected",
            Self::PeopleDisconnected => "people.disconnected",
            Self::AccountDeleted => "account.deleted",
            Self::Test => "webhook.test",
        }
    }
}

impl FromStr for WebhookEvent {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|it| it.as_str() == word).ok_or_else(|| UnknownWord::new("webhook event", word))
    }
}

/// Where events go. It may hold a secret of the owner's in its path, so it is shown to owners and to nobody else.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookAddress(Url);

/// Why an address is none; each message says what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAWebhookAddress {
    /// Not an address.
    #[error("it is not an address; write it as https://api.example.com/webhooks")]
    NotAUrl,
    /// Not https.
    #[error("it must begin with https://, because what is sent is about people")]
    NotHttps,
    /// A name or password before the host.
    #[error("leave out the name and password before the host; the signature shows who sends")]
    HasCredentials,
    /// A fragment.
    #[error("leave out what follows the #, which is never sent")]
    HasFragment,
    /// Longer than it may be.
    #[error("it may have at most {LENGTH_MAX} characters")]
    TooLong,
}

impl WebhookAddress {
    /// The address.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Its host alone, for logs.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

impl fmt::Debug for WebhookAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "WebhookAddress({}…)", self.host())
    }
}

impl FromStr for WebhookAddress {
    type Err = NotAWebhookAddress;

    fn from_str(text: &str) -> Result<Self, NotAWebhookAddress> {
        if text.len() > LENGTH_MAX {
            return Err(NotAWebhookAddress::TooLong);
        }
        let url = Url::parse(text).map_err(|_| NotAWebhookAddress::NotAUrl)?;
        if url.scheme() != "https" {
            return Err(NotAWebhookAddress::NotHttps);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotAWebhookAddress::HasCredentials);
        }
        if url.fragment().is_some() {
            return Err(NotAWebhookAddress::HasFragment);
        }
        if url.as_str().len() > LENGTH_MAX { Err(NotAWebhookAddress::TooLong) } else { Ok(Self(url)) }
    }
}

impl SubjectSalt {
    /// The subject under which the plugin's API knows an account (OpenID Connect Core §8.1).
    pub fn subject_of(&self, account: AccountId) -> String {
        self.named(b"consentry pairwise subject v1", account.0.as_bytes(), 20)
    }

    /// What the plugin's API knows a message by. Owners who compare theirs must not find out by it that two of them
    /// were told of one person, so each plugin has its own for one event.
    pub fn message_id(&self, event: AuditEventId) -> String {
        format!("msg_{}", self.named(b"consentry webhook message v1", event.0.as_bytes(), 16))
    }

    fn named(&self, what: &[u8], id: &[u8], length: usize) -> String {
        URL_SAFE_NO_PAD.encode(&Digest::of([what, &self.0, id].concat()).0[..length])
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn an_address_is_https_and_nothing_but_an_address() {
        for (text, wrong) in [
            ("api.example.com/hook", NotAWebhookAddress::NotAUrl),
            ("http://api.example.com/hook", NotAWebhookAddress::NotHttps),
            ("file:///etc/passwd", NotAWebhookAddress::NotHttps),
            ("https://me:secret@api.example.com/", NotAWebhookAddress::HasCredentials),
            ("https://api.example.com/#here", NotAWebhookAddress::HasFragment),
        ] {
            assert_eq!(text.parse::<WebhookAddress>().unwrap_err(), wrong, "{text}");
        }
        let long = format!("https://api.example.com/{}", "é".repeat(900));
        assert_eq!(long.parse::<WebhookAddress>().unwrap_err(), NotAWebhookAddress::TooLong);
        let address: WebhookAddress = "https://API.example.com/hooks/5?for=consentry".parse().unwrap();
        assert_eq!(address.url().as_str(), "https://api.example.com/hooks/5?for=consentry");
        assert_eq!(format!("{address:?}"), "WebhookAddress(api.example.com…)");
    }

    #[test]
    fn a_message_has_another_name_at_each_plugin() {
        let (one, other) = (SubjectSalt([1; 32]), SubjectSalt([2; 32]));
        let event = AuditEventId(Uuid::from_u128(7));
        assert_eq!(one.message_id(event), one.message_id(event));
        assert_ne!(one.message_id(event), other.message_id(event));
        assert!(one.message_id(event).starts_with("msg_") && one.message_id(event).len() == 26);
    }
}
