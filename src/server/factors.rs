//! Second factors as people show and set them up: each try is counted, whatever is shown, and what is right is taken once
//! (`store::factors`). `looking` is the one, `setting_up` the other. The crafts know what is right (`factors`),
//! `http::account` whom it is asked of.

mod looking;
mod setting_up;

pub use setting_up::AppOffer;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Server, people::PeopleResult, shares::TooMany};
use crate::{
    factors::passkeys::{Challenge, PasskeyError},
    model::{
        account::Account,
        audit::{Actor, Audit, Origin},
        digest::Digest,
        factor::KeptPasskey,
        id::{AccountId, DeviceId},
    },
    random,
    store::factors::NewDevice,
    tokens::{
        self,
        between::{self, Return},
    },
};

/// How long a person may take over what their browser or their telephone asks.
pub const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// How long a browser is remembered.
pub const REMEMBERED: TimeDelta = TimeDelta::days(30);

/// How long what somebody has shown counts as shown just now.
pub const FRESH: TimeDelta = TimeDelta::minutes(10);

/// The browser in front of a page.
#[derive(Clone, Debug)]
pub struct Browser<'a> {
    /// Its own mark.
    pub mark: &'a str,
    /// The marks of accounts that were signed in to with it.
    pub devices: &'a str,
    /// Where it is, for the audit log.
    pub origin: Origin,
    /// What it calls itself.
    pub user_agent: Option<String>,
}

/// What a person shows.
#[derive(Clone, Copy, Debug)]
pub enum Shown<'a> {
    /// A code of their app, or one for recovery.
    Code(&'a str),
    /// A passkey: the browser's answer, and what was sealed for it.
    Passkey {
        /// JSON.
        answer: &'a str,
        /// See `tokens::between`.
        state: &'a str,
    },
}

/// What is to be said of it. Sentences are for the owner.
#[derive(Clone, Copy, Debug)]
pub enum Verdict {
    /// It is right, and used up.
    Right,
    /// It is not, or was used before.
    Wrong(&'static str),
    /// It was not looked at.
    TooMany(TooMany),
}

/// What stands behind a challenge while a browser answers it.
#[derive(Serialize, Deserialize)]
struct Challenged {
    state: String,
    /// Milliseconds since 1970.
    made_at: i64,
    /// Whose passkey it is to be; none where that shows by the answer.
    account: Option<AccountId>,
}

/// A challenge as it goes to the browser.
#[derive(Debug)]
pub struct Asked {
    /// JSON.
    pub options: String,
    /// To be sent back with the answer.
    pub state: String,
}

impl Server {
    /// Whether this is a browser in which the account's second factor need not be shown.
    pub async fn remembers(&self, account: &Account, browser: &Browser<'_>) -> PeopleResult<bool> {
        let now = self.clock.now();
        let ring = self.keyring.knowing(tokens::device::kids(browser.devices), &self.store, now).await?;
        let Some(number) = tokens::device::find(&ring, browser.devices, account) else { return Ok(false) };
        Ok(self.store.is_device_remembered(account.id, Digest::of(number), now).await?)
    }

    /// Remembers a browser by the number in its mark for the account.
    pub async fn remember(&self, account: AccountId, number: [u8; 16], browser: &Browser<'_>) -> PeopleResult<()> {
        let at = self.clock.now();
        let device = NewDevice {
            id: DeviceId(random::id(at)),
            account_id: account,
            digest: Digest::of(number),
            at,
            expires_at: at + REMEMBERED,
            address: browser.origin.address.clone(),
            user_agent: browser.user_agent.clone(),
        };
        Ok(self.store.remember_device(&device).await?)
    }

    /// Asks for one of these passkeys, or where none are named for any. `None` where the site has none.
    pub fn ask_for_passkey(&self, of: &[KeptPasskey], mark: &str) -> PeopleResult<Option<Asked>> {
        let challenge = self.passkeys.as_ref().and_then(|passkeys| noted(passkeys.to_show(of)));
        self.sealed(challenge, (Return::PasskeyShown, None), mark)
    }

    fn by(&self, account: AccountId, browser: &Browser<'_>) -> Audit {
        self.audit(Actor::Account(account), browser.origin.clone())
    }

    fn sealed(
        &self,
        challenge: Option<Challenge>,
        (back, account): (Return, Option<AccountId>),
        mark: &str,
    ) -> PeopleResult<Option<Asked>> {
        let Some(Challenge { options, state }) = challenge else { return Ok(None) };
        let challenged = Challenged { state, made_at: self.clock.now().timestamp_millis(), account };
        Ok(Some(Asked { options, state: self.seal(back, &challenged, mark)? }))
    }

    fn seal<T: Serialize>(&self, back: Return, what: &T, mark: &str) -> PeopleResult<String> {
        let now = self.clock.now();
        let ring = self.keyring.current();
        Ok(between::write(&ring, back, (mark, now + PATIENCE), what, (now, random::bytes()))?)
    }

    async fn open_challenge(
        &self,
        back: Return,
        state: &str,
        browser: &Browser<'_>,
    ) -> PeopleResult<Option<Challenged>> {
        self.open(back, state, browser).await
    }

    async fn open<T: serde::de::DeserializeOwned>(
        &self,
        back: Return,
        text: &str,
        browser: &Browser<'_>,
    ) -> PeopleResult<Option<T>> {
        let now = self.clock.now();
        let ring = self.keyring.knowing(between::kid(text), &self.store, now).await?;
        Ok(between::read(&ring, back, (browser.mark, now), text))
    }
}

fn noted<T>(outcome: Result<T, PasskeyError>) -> Option<T> {
    outcome.inspect_err(|error| tracing::info!(%error, "a passkey came to nothing")).ok()
}
