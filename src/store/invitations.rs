//! Operations on invitations to own a plugin. Nobody is made an owner against their will: an invitation names an
//! address, and only who has signed in to the account of that address, and has shown that it is theirs, can accept it.
//!
//! Whether there is such an account is never asked for: an inviter learns nothing of it.

use super::{Store, StoreResult, links::NewLink, mails::NewMail, on_either_engine};
use crate::model::{
    Timestamp,
    account::Email,
    audit::Audit,
    id::{AccountId, PluginId},
};

/// An invitation to be made, with the mail that tells of it.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// To which plugin.
    pub plugin_id: PluginId,
    /// Who is invited.
    pub email: Email,
    /// What they are sent.
    pub mail: NewMail,
    /// What lets them make an account first, where they need that. One that an administrator gave stays the better one.
    pub link: Option<NewLink>,
    /// The end.
    pub expires_at: Timestamp,
}

/// An invitation that waits for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Who is invited.
    pub email: Email,
    /// When they were asked last.
    pub created_at: Timestamp,
    /// The end.
    pub expires_at: Timestamp,
}

/// An invitation as who is invited sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitedTo {
    /// To which plugin.
    pub plugin_id: PluginId,
    /// Its short name.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// Where its documents are served.
    pub host: String,
    /// The end.
    pub expires_at: Timestamp,
}

impl Store {
    /// Invites an address together with the mail about it; `false` when the plugin, the address or the inviter has had too
    /// many. It ends with the inviter's own ownership.
    pub async fn invite_owner(&self, invitation: &NewInvitation, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.invite_owner(invitation, audit))
    }

    /// Who is invited to own a plugin; at most fifty.
    pub async fn invitations_of(&self, plugin: PluginId, now: Timestamp) -> StoreResult<Vec<Invitation>> {
        on_either_engine!(self, engine => engine.invitations_of(plugin, now))
    }

    /// What an address is invited to; at most fifty.
    pub async fn invitations_to(&self, email: &Email, now: Timestamp) -> StoreResult<Vec<InvitedTo>> {
        on_either_engine!(self, engine => engine.invitations_to(email, now))
    }

    /// Makes the account an owner, if its own address is invited and was shown to be its owner's.
    pub async fn accept_invitation(&self, plugin: PluginId, account: AccountId, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.accept_invitation(plugin, account, audit))
    }

    /// Ends an invitation, and the link to make an account with that was mailed with it, whoever of the two wants that;
    /// `false` when none stands.
    pub async fn end_invitation(&self, plugin: PluginId, email: &Email, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.end_invitation(plugin, email, audit))
    }
}
