//! Operations on accounts.

use super::{Store, StoreResult, on_either_engine};
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

impl Store {
    /// Adds an account, unless its address is taken.
    pub async fn add_account(&self, account: &NewAccount, audit: &Audit) -> StoreResult<AddAccount> {
        on_either_engine!(self, engine => engine.add_account(account, audit))
    }

    /// Finds an account and its password's PHC string by address.
    pub async fn account_by_email(&self, email: &Email) -> StoreResult<Option<(Account, String)>> {
        on_either_engine!(self, engine => engine.account_by_email(email))
    }

    /// Raises the account's generation: its sessions, codes and families all end. `false` when there is no such
    /// account.
    pub async fn sign_out_everywhere(&self, account: AccountId, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.sign_out_everywhere(account, audit))
    }
}
