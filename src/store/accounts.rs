//! Operations on accounts that the operator or the server does; what their owners do is `people`.

use super::{Store, StoreResult, changing, on_either_engine};
use crate::model::{
    Timestamp,
    account::{Account, Email, Role},
    audit::Audit,
    id::AccountId,
};

/// An account to be added.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Row id.
    pub id: AccountId,
    /// Address; unique.
    pub email: Email,
    /// What the person is called.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// PHC string of the password.
    pub password_hash: String,
    /// When.
    pub at: Timestamp,
}

/// What became of adding an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddAccount {
    /// It was added.
    Added,
    /// Somebody has that address.
    EmailTaken,
}

/// An account as it is listed.
#[derive(Clone, Debug)]
pub struct ListedAccount {
    /// The account.
    pub account: Account,
    /// Whether it has an authenticator app.
    pub has_app: bool,
    /// How many passkeys it has.
    pub passkeys: i64,
}

impl Store {
    /// Adds an account, unless its address is taken.
    pub async fn add_account(&self, account: &NewAccount, audit: &Audit) -> StoreResult<AddAccount> {
        on_either_engine!(self, engine => engine.add_account(account, audit))
    }

    /// Finds an account, and its password's PHC string if it has one, by address.
    pub async fn account_by_email(&self, email: &Email) -> StoreResult<Option<(Account, Option<String>)>> {
        on_either_engine!(self, engine => engine.account_by_email(email))
    }

    /// Finds an account, and its password's PHC string if it has one, by id.
    pub async fn account(&self, id: AccountId) -> StoreResult<Option<(Account, Option<String>)>> {
        on_either_engine!(self, engine => engine.account(id))
    }

    /// At most so many accounts after another, in the order in which they were made, with their second factors.
    pub async fn accounts(&self, after: Option<AccountId>, rows_max: u32) -> StoreResult<Vec<ListedAccount>> {
        on_either_engine!(self, engine => engine.accounts(after, rows_max))
    }

    /// Raises the account's generation: its sessions, codes and families all end. `false` when there is no such
    /// account.
    pub async fn sign_out_everywhere(&self, account: AccountId, audit: &Audit) -> StoreResult<bool> {
        changing!(self, engine => engine.sign_out_everywhere(account, audit))
    }

    /// Disables an account: nobody signs in, and all of it ends as with [`Store::sign_out_everywhere`]. Answers it as it
    /// is now; one that was disabled is left as it is.
    pub async fn disable_account(&self, account: AccountId, audit: &Audit) -> StoreResult<Option<Account>> {
        changing!(self, engine => engine.disable_account(account, audit))
    }

    /// Lets an account be used again; nothing that ended is revived.
    pub async fn enable_account(&self, account: AccountId, audit: &Audit) -> StoreResult<Option<Account>> {
        changing!(self, engine => engine.enable_account(account, audit))
    }

    /// Says that the account's address is its owner's, if it still is this one. Answers it as it is now.
    pub async fn vouch_for_email(&self, email: &Email, audit: &Audit) -> StoreResult<Option<Account>> {
        on_either_engine!(self, engine => engine.vouch_for_email(email, audit))
    }

    /// Gives an account a new password, without knowing the one before: its sessions, codes and families all end, and so
    /// do its links. `false` when there is no such account.
    pub async fn set_password(&self, account: AccountId, password_hash: &str, audit: &Audit) -> StoreResult<bool> {
        changing!(self, engine => engine.set_password(account, password_hash, audit))
    }
}
