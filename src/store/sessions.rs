//! Operations on browser sessions.

use super::{Store, StoreResult, on_either_engine};
use crate::model::{
    Generation, Timestamp,
    audit::Audit,
    digest::Digest,
    id::{AccountId, SessionId},
    session::{OpenSession, Session},
};

/// A session to be started, after the password was right.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// Row id.
    pub id: SessionId,
    /// SHA-256 of the cookie's value.
    pub digest: Digest,
    /// Who signed in.
    pub account_id: AccountId,
    /// The account's generation at that moment.
    pub account_generation: Generation,
    /// What the account's session generation was then.
    pub session_generation: Generation,
    /// When; also its `auth_time`.
    pub at: Timestamp,
    /// When a second factor was shown; none if none was.
    pub factor_at: Option<Timestamp>,
    /// When it ends.
    pub expires_at: Timestamp,
    /// From which network address.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
    /// The session this browser had before, which ends with this sign-in.
    pub replaces: Option<Digest>,
}

impl Store {
    /// Starts a session and ends the one it replaces. `false` when the account was disabled, or one of its generations
    /// was raised, since the password was checked.
    pub async fn start_session(&self, session: &NewSession) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.start_session(session))
    }

    /// Finds a live session: not expired at `now`, its account enabled and of the session's generations.
    pub async fn session(&self, digest: Digest, now: Timestamp) -> StoreResult<Option<Session>> {
        on_either_engine!(self, engine => engine.session(digest, now))
    }

    /// Ends a session; it is gone afterwards either way.
    pub async fn end_session(&self, digest: Digest) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.end_session(digest))
    }

    /// An account's live sessions, the newest first, at most a hundred.
    pub async fn open_sessions(&self, account: AccountId, now: Timestamp) -> StoreResult<Vec<OpenSession>> {
        on_either_engine!(self, engine => engine.open_sessions(account, now))
    }

    /// Ends one of an account's sessions. `false` when it has none of this id.
    pub async fn end_session_of(&self, account: AccountId, id: SessionId, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.end_session_of(account, id, audit))
    }

    /// Ends all of an account's sessions but this one, and answers how many there were.
    pub async fn end_other_sessions(&self, account: AccountId, kept: SessionId, audit: &Audit) -> StoreResult<u64> {
        on_either_engine!(self, engine => engine.end_other_sessions(account, kept, audit))
    }
}
