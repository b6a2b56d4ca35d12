//! Browser sessions: a cookie's digest, and the account that signed in with it.

use super::{Generation, Timestamp, account::Account, id::SessionId};

/// The longest name of a browser that is kept, in characters.
pub const USER_AGENT_MAX: usize = 300;

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
    /// When they last showed who they are, by whatever.
    pub proven_at: Timestamp,
    /// When they last showed a second factor; none if they have not in this session.
    pub factor_at: Option<Timestamp>,
    /// When the session ends.
    pub expires_at: Timestamp,
}

/// A live session in a list of a person's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenSession {
    /// Row id.
    pub id: SessionId,
    /// When the person signed in.
    pub auth_time: Timestamp,
    /// From which network address.
    pub address: Option<String>,
    /// What the browser called itself.
    pub user_agent: Option<String>,
}
