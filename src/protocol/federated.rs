//! Signing in through others: what travels with a person who leaves for a provider, what is offered to whoever could be
//! linked, and what an identity leads to.
//!
//! The provider's word is believed about who somebody is *there*. An account here is its owner's alone: that an identity
//! has the same address never opens it. So an address is linked only if the provider has verified it and whoever has the
//! account is signed in to it, in the same browser, and says so.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::authorization::InFlight;
use crate::model::{
    Timestamp,
    account::{Account, Email},
    digest::Digest,
    provider::Shown,
};

/// How long a person may be away.
pub const AWAY_MAX: TimeDelta = TimeDelta::minutes(10);

/// How long an offer stands: long enough to find a password.
const OFFERED_MAX: TimeDelta = TimeDelta::minutes(15);

/// What goes on once the person is signed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Waiting {
    /// A client's request.
    Answer(Box<InFlight>),
    /// A page of their own, by its word.
    Visit(String),
}

/// What `state` holds. It is sealed, so the provider learns nothing of it, and nothing is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Departure {
    provider: String,
    waiting: Waiting,
    nonce: String,
    verifier: String,
    browser: [u8; 16],
    /// Milliseconds since 1970.
    left_at: i64,
}

/// Why somebody has not come back from where they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotBack {
    /// They took too long.
    #[error("the person was away for too long")]
    TooLate,
    /// Somebody else left, or nobody: a stranger's answer would sign this browser in as them (login CSRF).
    #[error("this is not the browser that left")]
    OtherBrowser,
    /// They left for another provider, whose code this is not (mix-up).
    #[error("the person left for another provider")]
    OtherProvider,
}

impl Departure {
    /// Somebody leaves now, from the browser with this mark.
    pub fn start(
        provider: &str,
        waiting: Waiting,
        [nonce, verifier]: [String; 2],
        browser: &str,
        now: Timestamp,
    ) -> Self {
        let browser = Digest::of(browser).short();
        Self { provider: provider.to_owned(), waiting, nonce, verifier, browser, left_at: now.timestamp_millis() }
    }

    /// Checks that they are back in time, in the same browser, from where they were sent.
    pub fn end(self, provider: &str, browser: Option<&str>, now: Timestamp) -> Result<Self, NotBack> {
        if !browser.is_some_and(|browser| Digest::of(browser).begins_with(&self.browser)) {
            return Err(NotBack::OtherBrowser);
        }
        if self.provider != provider {
            return Err(NotBack::OtherProvider);
        }
        if now >= self.ends_at() { Err(NotBack::TooLate) } else { Ok(self) }
    }

    /// When they are back too late.
    pub fn ends_at(&self) -> Timestamp {
        Timestamp::from_timestamp_millis(self.left_at).unwrap_or_default() + AWAY_MAX
    }

    /// What the ID token must hold.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// What redeems the code.
    pub fn verifier(&self) -> &str {
        &self.verifier
    }

    /// What goes on.
    pub fn into_waiting(self) -> Waiting {
        self.waiting
    }
}

/// An identity that could be linked with the account of the same address, once its owner is signed in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Offer {
    /// Which provider, as it is kept.
    pub provider: String,
    /// What people know it by.
    pub label: String,
    /// The person's id there.
    pub subject: String,
    /// The address, which it has verified.
    pub email: String,
    browser: [u8; 16],
    /// Milliseconds since 1970.
    made_at: i64,
}

impl Offer {
    /// Of what a provider has shown, to this browser; none unless the address was verified.
    pub fn of(shown: &Shown, label: &str, browser: &str, now: Timestamp) -> Option<Self> {
        Some(Self {
            provider: shown.provider.clone(),
            label: label.to_owned(),
            subject: shown.subject.clone(),
            email: shown.verified_email()?.to_string(),
            browser: Digest::of(browser).short(),
            made_at: now.timestamp_millis(),
        })
    }

    /// A digest of who would be linked: a yes is to what the page showed, and not to what has come into its place.
    pub fn mark(&self) -> [u8; 16] {
        Digest::of(serde_json::json!([self.provider, self.subject, self.label]).to_string()).short()
    }

    /// Whether it stands, in this browser, for this account.
    pub fn is_for(&self, account: &Account, browser: Option<&str>, now: Timestamp) -> bool {
        let made_at = Timestamp::from_timestamp_millis(self.made_at).unwrap_or_default();
        now < made_at + OFFERED_MAX
            && account.email.as_str() == self.email
            && browser.is_some_and(|browser| Digest::of(browser).begins_with(&self.browser))
    }
}

/// What is known of somebody a provider has sent.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What it says of them.
    pub shown: &'a Shown,
    /// The account they are linked with.
    pub linked: Option<&'a Account>,
    /// Who is signed in, in this browser.
    pub signed_in: Option<&'a Account>,
    /// Whether an account has their verified address.
    pub address_is_taken: bool,
    /// Whether they may have an account made.
    pub may_make: bool,
}

/// What an identity leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// To the account it is linked with.
    Enter,
    /// To the question whether it shall be linked with the account that is signed in.
    Ask,
    /// To signing in first, with what there is, and then to that question.
    SignInFirst,
    /// To a new account with this address.
    Make(Email),
    /// To nothing.
    Refuse(Why),
}

/// Why it leads to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The account is disabled.
    Disabled,
    /// The provider has not verified the address, or has none: anybody may have typed it in there.
    Unverified,
    /// It is not the address of the account that is signed in.
    OtherAddress,
    /// Nobody may make an account by themselves.
    NoSignUp,
}

impl Facts<'_> {
    /// Decides.
    pub fn decide(&self) -> Verdict {
        if let Some(account) = self.linked {
            return if account.enabled { Verdict::Enter } else { Verdict::Refuse(Why::Disabled) };
        }
        let Some(email) = self.shown.verified_email() else { return Verdict::Refuse(Why::Unverified) };
        match self.signed_in {
            Some(account) if account.email == *email => Verdict::Ask,
            Some(_) => Verdict::Refuse(Why::OtherAddress),
            None if self.address_is_taken => Verdict::SignInFirst,
            None if self.may_make => Verdict::Make(email.clone()),
            None => Verdict::Refuse(Why::NoSignUp),
        }
    }
}

#[cfg(test)]
mod tests;
