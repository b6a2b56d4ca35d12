//! What people do with their own accounts, each one step: sign up, prove an address, reset or change a password, change
//! address or name, leave.
//!
//! A step that takes a link uses it in the same transaction, so of any number of clicks one works. The mail that tells of
//! a step is written with it.

use super::{Store, StoreResult, changing, links::NewLink, mails::NewMail, on_either_engine};
use crate::model::{
    account::{Account, Email},
    audit::Audit,
    digest::Digest,
    id::AccountId,
};

/// An account to be made by whoever has the link that was sent to its address.
#[derive(Clone, Debug)]
pub struct SignUp {
    /// The link.
    pub link: Digest,
    /// Row id.
    pub id: AccountId,
    /// What the person is called.
    pub name: String,
    /// PHC string of the password; none for who signs in by other means.
    pub password_hash: Option<String>,
}

/// What became of a step that takes a link.
#[derive(Clone, Debug)]
pub enum Followed {
    /// It was taken; the account is this now.
    Done(Box<Account>),
    /// Another account has the address meanwhile; the link can still be used.
    EmailTaken,
    /// The link is none, or cannot be used any more.
    LinkGone,
}

/// A new password for whoever has the link, and perhaps the address of before.
#[derive(Clone, Debug)]
pub struct PasswordReset {
    /// The link: for a new password, or for the way back.
    pub link: Digest,
    /// PHC string of the new password.
    pub password_hash: String,
    /// Tells the owner.
    pub mail: Option<NewMail>,
}

/// A new password for who has just shown the one before.
#[derive(Clone, Debug)]
pub struct PasswordChange {
    /// Whose.
    pub account_id: AccountId,
    /// The PHC string of the one before, as it was verified; none where there was none.
    pub verified: Option<String>,
    /// PHC string of the new one.
    pub password_hash: String,
    /// The session that stays.
    pub session: Digest,
    /// Tells the owner.
    pub mail: Option<NewMail>,
}

/// A new address for an account, by the link that was sent to it.
#[derive(Clone, Debug)]
pub struct EmailChange {
    /// The link.
    pub link: Digest,
    /// The address of before, to which the way back is sent.
    pub from: Email,
    /// The way back; none where nobody has shown that address to be theirs.
    pub way_back: Option<NewLink>,
    /// Tells the address of before.
    pub mail: Option<NewMail>,
}

/// An account to be deleted.
#[derive(Clone, Debug)]
pub struct Deletion {
    /// Which.
    pub account_id: AccountId,
    /// The PHC string of its password, as it was verified a moment ago; none when the operator deletes it.
    pub verified: Option<String>,
    /// Tells its address; about no account, since there is none any more.
    pub mail: Option<NewMail>,
}

impl Store {
    /// Makes an account for the address the link was sent to, which is verified by that. For invitations the role is the
    /// link's.
    pub async fn sign_up(&self, sign_up: &SignUp, audit: &Audit) -> StoreResult<Followed> {
        on_either_engine!(self, engine => engine.sign_up(sign_up, audit))
    }

    /// Verifies the address the link was sent to, which is still the account's.
    pub async fn verify_email(&self, link: Digest, audit: &Audit) -> StoreResult<Followed> {
        on_either_engine!(self, engine => engine.verify_email(link, audit))
    }

    /// Resets a password: all sessions, codes, families and pending links of the account end. The address is verified,
    /// since the link was sent to it; by the way back it becomes what it was.
    pub async fn reset_password(&self, reset: &PasswordReset, audit: &Audit) -> StoreResult<Followed> {
        changing!(self, engine => engine.reset_password(reset, audit))
    }

    /// Changes a password: all other sessions and all pending links end, connections go on. `false` when the password
    /// was changed meanwhile, or the account is gone or disabled.
    pub async fn change_password(&self, change: &PasswordChange, audit: &Audit) -> StoreResult<bool> {
        changing!(self, engine => engine.change_password(change, audit))
    }

    /// Changes an address to the one the link was sent to. Pending links end, but for ways back.
    pub async fn change_email(&self, change: &EmailChange, audit: &Audit) -> StoreResult<Followed> {
        on_either_engine!(self, engine => engine.change_email(change, audit))
    }

    /// Changes what a person is called. `false` when there is no such account, or it is called so.
    pub async fn change_name(&self, account: AccountId, name: &str, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.change_name(account, name, audit))
    }

    /// Remembers which language a person chose. `false` when there is no such account.
    pub async fn choose_language(&self, account: AccountId, language: Option<&str>) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.choose_language(account, language))
    }

    /// Deletes an account with its sessions, connections, consents, links and mails. Plugins it owned belong to the
    /// operator; the audit log keeps its ids. `false` when the password was changed meanwhile, or the account is gone.
    pub async fn delete_account(&self, deletion: &Deletion, audit: &Audit) -> StoreResult<bool> {
        changing!(self, engine => engine.delete_account(deletion, audit))
    }
}
