//! What who has signed in does with their own account. A session alone is not enough: whoever sits down at somebody's
//! computer has that too, so the password is asked for again.

use super::{
    Asked, Asker, PeopleResult,
    asking::{Ask, send},
    letters::{self, Case, Facts},
};
use crate::{
    mail::Letter,
    model::{
        account::{Account, Email},
        audit::Actor,
        digest::Digest,
        id::AccountId,
        link::LinkPurpose,
    },
    server::{Server, mails::NEWS_LIFETIME},
    store::people::{Deletion, PasswordChange},
};

/// What becomes of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was made, or asked for.
    Done,
    /// The password was not the account's.
    WrongPassword,
    /// The account was changed meanwhile, in another browser or by the operator.
    Meanwhile,
    /// Nobody may do this here.
    NotOffered,
}

/// Changes a password: all other sessions end, this one and all connections go on.
pub async fn change_password(
    server: &Server,
    id: AccountId,
    session: Digest,
    (current, new): (&str, &str),
    address: Option<String>,
) -> PeopleResult<Change> {
    let Some((account, hash)) = proven(server, id, current).await? else { return Ok(Change::WrongPassword) };
    let mail = server.mail(&news(server, &account, Case::PasswordChanged), Some(id), expiry(server))?;
    let about = [account.name.as_str(), account.email.as_str(), &server.settings.server_name];
    let password_hash = server.passwords.hash_for(new, &about).await?;
    let change = PasswordChange { account_id: id, verified: hash, password_hash, session, mail };
    let done = server.store.change_password(&change, &server.audit(Actor::Account(id), address)).await?;
    Ok(if done { Change::Done } else { Change::Meanwhile })
}

/// Asks for another address: a link goes to it, and nothing changes before it is used. Whether somebody else has that
/// address is told to who reads its mail.
pub async fn ask_to_change_email(
    server: &Server,
    id: AccountId,
    password: &str,
    to: &Email,
    asker: &Asker,
) -> PeopleResult<Change> {
    let Some((account, _)) = proven(server, id, password).await? else { return Ok(Change::WrongPassword) };
    let wish = Ask { purpose: LinkPurpose::ChangeEmail, account: Some(&account), case: Case::ChangeEmail };
    Ok(match send(server, to, asker, wish).await? {
        Asked::Taken => Change::Done,
        Asked::NotOffered => Change::NotOffered,
    })
}

/// Deletes an account and everything personal with it. Its address is told once more.
pub async fn delete(server: &Server, id: AccountId, password: &str, address: Option<String>) -> PeopleResult<Change> {
    let Some((account, hash)) = proven(server, id, password).await? else { return Ok(Change::WrongPassword) };
    let mail = server.mail(&news(server, &account, Case::Deleted), None, expiry(server))?;
    let deletion = Deletion { account_id: id, verified: hash, mail };
    let done = server.store.delete_account(&deletion, &server.audit(Actor::Account(id), address)).await?;
    Ok(if done { Change::Done } else { Change::Meanwhile })
}

/// The account and its hash, if the password is its own.
async fn proven(server: &Server, id: AccountId, password: &str) -> PeopleResult<Option<(Account, Option<String>)>> {
    let Some((account, hash)) = server.store.account(id).await? else { return Ok(None) };
    let is_right = server.passwords.verify(hash.as_deref(), password).await?;
    Ok((is_right && account.enabled).then_some((account, hash)))
}

fn news(server: &Server, account: &Account, case: Case) -> Letter {
    let facts = Facts {
        server: &server.settings.server_name,
        to: account.email.as_str(),
        link: None,
        language: account.language.as_deref(),
    };
    letters::write(case, &facts)
}

fn expiry(server: &Server) -> crate::model::Timestamp {
    server.clock.now() + NEWS_LIFETIME
}
