//! Proving once more who one is. A session alone is not enough for what gives an account away: whoever sits down at
//! somebody's computer has that too.
//!
//! This is the only place where it is asked, so that another proof than a password would be added here.

use super::{PeopleResult, Person};
use crate::{
    model::account::Account,
    server::{Server, shares::TooMany, sign_ins},
};

/// Who has shown once more that the account is theirs.
#[derive(Debug)]
pub(super) struct Proven {
    /// The account as it is.
    pub(super) account: Account,
    /// The PHC string of its password, which a change compares again; none where there is no password.
    pub(super) hash: Option<String>,
}

/// Why it was not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unproven {
    /// The password is not the account's.
    Wrong,
    /// It was not looked at: too many tries failed.
    TooMany(TooMany),
}

/// Checks the password of who has signed in. Failures count like those at signing in, for this session alone: who has
/// stolen it guesses as slowly as at the door, and keeps the owner out of nothing in another browser.
pub(super) async fn prove(server: &Server, person: &Person, password: &str) -> PeopleResult<Result<Proven, Unproven>> {
    let subject = sign_ins::subject_of_session(&server.keyring.current(), person.session)?;
    let one_try = match server.sign_ins.begin(&server.store, subject, server.clock.now()).await? {
        Ok(one_try) => one_try,
        Err(too_many) => return Ok(Err(Unproven::TooMany(too_many))),
    };
    let (account, hash) = server.store.account(person.id).await?.unzip();
    let hash = hash.flatten();
    let is_right = server.passwords.verify(hash.as_deref(), password).await?;
    let Some(account) = account.filter(|account| is_right && account.enabled) else {
        one_try.failed(&server.store, server.clock.now()).await?;
        return Ok(Err(Unproven::Wrong));
    };
    one_try.succeeded(&server.store).await?;
    Ok(Ok(Proven { account, hash }))
}
