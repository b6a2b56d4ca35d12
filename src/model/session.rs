//! Browser sessions: a cookie's digest, and the account that signed in with it.

use super::{Generation, Timestamp, account::Account, id::SessionId};

/// A live session and its account.
#[derive(Clone, Debug)]
pub struct Session {
    /// Row id.
    pub id: SessionId,
    /// Who is signed in.
    pub account: Account,
    /// The account's generation at sign-in; sign out everywhere raises the account's and ends this.
    pub account_generation: Generation,
    /// When the person signed in.
    pub auth_time: Timestamp,
    /// When the session ends.
    pub expires_at: Timestamp,
}
