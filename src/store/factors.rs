//! Operations on second factors. Whatever can be shown once is taken once, however many show it at the same time: each is
//! one guarded update.

use super::{Store, StoreResult, on_either_engine};
use crate::model::{
    Timestamp,
    audit::Audit,
    digest::Digest,
    factor::{Factors, KeptPasskey},
    id::{AccountId, DeviceId, PasskeyId, SessionId},
};

/// A passkey to be added.
#[derive(Clone, Debug)]
pub struct NewPasskey {
    /// Row id.
    pub id: PasskeyId,
    /// Whose.
    pub account_id: AccountId,
    /// What the authenticator calls it; no two are called the same.
    pub credential_id: Vec<u8>,
    /// The public key and what is known of it, as JSON.
    pub credential: String,
    /// What its owner calls it.
    pub name: String,
    /// When its challenge was made, in milliseconds since 1970.
    pub challenge_at: i64,
}

/// A passkey that has answered a challenge.
#[derive(Clone, Debug)]
pub struct PasskeyUse {
    /// Which.
    pub id: PasskeyId,
    /// What is known of it now, as JSON.
    pub credential: String,
    /// When the challenge was made, in milliseconds since 1970.
    pub challenge_at: i64,
    /// When it was answered.
    pub at: Timestamp,
}

/// An authenticator app to be set up, after it has shown a code.
#[derive(Clone, Debug)]
pub struct NewApp {
    /// Whose.
    pub account_id: AccountId,
    /// What the app and the server share, sealed.
    pub sealed: Vec<u8>,
    /// The step of time whose code it has shown: that one is used up.
    pub step: i64,
}

/// A browser in which no second factor is to be asked for.
#[derive(Clone, Debug)]
pub struct NewDevice {
    /// Row id.
    pub id: DeviceId,
    /// Whose.
    pub account_id: AccountId,
    /// The digest of the number in the browser's mark.
    pub digest: Digest,
    /// Since when.
    pub at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// From which network address.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
}

impl Store {
    /// What an account has.
    pub async fn factors(&self, account: AccountId, now: Timestamp) -> StoreResult<Factors> {
        on_either_engine!(self, engine => engine.factors(account, now))
    }

    /// Whether an account has a passkey or an authenticator app.
    pub async fn has_factors(&self, account: AccountId) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.has_factors(account))
    }

    /// Finds a passkey by what its authenticator calls it.
    pub async fn passkey(&self, credential_id: &[u8]) -> StoreResult<Option<KeptPasskey>> {
        on_either_engine!(self, engine => engine.passkey(credential_id))
    }

    /// Adds a passkey. `false` when there is one of that name already, anybody's, or the account is gone or disabled.
    pub async fn add_passkey(&self, passkey: &NewPasskey, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.add_passkey(passkey, audit))
    }

    /// Takes an answer to a challenge. `false` when one to it or to a newer one was taken before, or the passkey is gone.
    pub async fn use_passkey(&self, used: &PasskeyUse) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.use_passkey(used))
    }

    /// Removes one of an account's passkeys. `false` when it has none of this id.
    pub async fn remove_passkey(&self, account: AccountId, id: PasskeyId, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.remove_passkey(account, id, audit))
    }

    /// Sets up an authenticator app. `false` when there is one, or the account is gone or disabled.
    pub async fn add_authenticator_app(&self, app: &NewApp, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.add_authenticator_app(app, audit))
    }

    /// Takes the code of a step of time. `false` when that of this step or a later one was taken before.
    pub async fn use_authenticator_app(&self, account: AccountId, step: i64, at: Timestamp) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.use_authenticator_app(account, step, at))
    }

    /// Removes an authenticator app. `false` when there is none.
    pub async fn remove_authenticator_app(&self, account: AccountId, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.remove_authenticator_app(account, audit))
    }

    /// Gives an account recovery codes in the place of those it had. `false` when it has no factor that they could stand
    /// in for.
    pub async fn make_recovery_codes(&self, account: AccountId, codes: &[Digest], audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.make_recovery_codes(account, codes, audit))
    }

    /// Takes a recovery code. `false` when it is none of the account's, or was taken before.
    pub async fn use_recovery_code(&self, account: AccountId, code: Digest, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.use_recovery_code(account, code, audit))
    }

    /// Remembers a browser, in the place of what was remembered of it before.
    pub async fn remember_device(&self, device: &NewDevice) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.remember_device(device))
    }

    /// Whether an account's browser is remembered.
    pub async fn is_device_remembered(&self, account: AccountId, digest: Digest, now: Timestamp) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.is_device_remembered(account, digest, now))
    }

    /// Forgets one of an account's browsers, or with no id all of them, and answers how many there were.
    pub async fn forget_devices(&self, account: AccountId, id: Option<DeviceId>, audit: &Audit) -> StoreResult<u64> {
        on_either_engine!(self, engine => engine.forget_devices(account, id, audit))
    }

    /// Removes all factors of an account, and answers whether there were any. For the operator: whoever has lost all of
    /// them cannot show one.
    pub async fn remove_factors(&self, account: AccountId, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.remove_factors(account, audit))
    }

    /// Notes that a session's person has shown once more who they are. `false` when the session is gone.
    pub async fn prove_session(&self, id: SessionId, at: Timestamp) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.prove_session(id, at))
    }

    /// The same by a second factor.
    pub async fn prove_session_by_factor(&self, id: SessionId, at: Timestamp) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.prove_session_by_factor(id, at))
    }
}
