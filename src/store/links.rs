//! Operations on one-time links. Using one is part of the step it is for: `people`.
//!
//! A link is used by one guarded update in the transaction of its effect, so of any number of clicks one works. It stands
//! while it was not used or ended, has not expired, and its account is enabled and, but for links that are about another
//! address, still has the address it was sent to.

use super::{Store, StoreResult, mails::NewMail, on_either_engine};
use crate::model::{
    Timestamp,
    account::{Email, Role},
    audit::Audit,
    digest::Digest,
    id::{AccountId, LinkId},
    link::{LinkPurpose, LinkState},
};

/// A link to be made.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// Row id.
    pub id: LinkId,
    /// SHA-256 of its secret.
    pub digest: Digest,
    /// What for.
    pub purpose: LinkPurpose,
    /// Whose account. For what only an account can be asked for and nobody's address, there is none: such a row costs
    /// what any other does, and nobody can use it.
    pub account_id: Option<AccountId>,
    /// Where it is sent.
    pub email: Email,
    /// What an invited account may do.
    pub role: Option<Role>,
    /// The tag of the language it was asked for in.
    pub language: Option<String>,
    /// The sealed authorization request that is to go on afterwards.
    pub request: Option<String>,
    /// When.
    pub at: Timestamp,
    /// The end.
    pub expires_at: Timestamp,
    /// At most so many for this purpose and address whose time is not over, used and ended ones included: whoever may
    /// ask for mail to somebody else's address shall not fill their mailbox. Changes of address are counted by the
    /// account that asks for them, whatever the addresses: strangers' wishes keep nobody from their own address.
    pub unexpired_max: u32,
}

/// What became of making a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MakeLink {
    /// It was made, and its mail waits to be sent.
    Made,
    /// There were too many, or somebody made one at the very same moment; the newest still works.
    TooMany,
    /// The account is gone, disabled, or has another address meanwhile.
    NotStanding,
}

impl Store {
    /// Makes a link together with the mail it is sent in, and ends those for the same purpose of the same account, or of
    /// the same address where there is no account. An event says who has invited somebody; other links are nobody's
    /// doing but their asker's, and any stranger may ask.
    pub async fn make_link(
        &self,
        link: &NewLink,
        mail: Option<&NewMail>,
        invited: Option<&Audit>,
    ) -> StoreResult<MakeLink> {
        on_either_engine!(self, engine => engine.make_link(link, mail, invited))
    }

    /// What there is to say of a link. Looking changes nothing: programs that read mail follow links too.
    pub async fn link(&self, digest: Digest, now: Timestamp) -> StoreResult<LinkState> {
        on_either_engine!(self, engine => engine.link(digest, now))
    }
}
