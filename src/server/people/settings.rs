//! What who has signed in does with their own account. What gives it away asks for the password again: `proving`.

use super::{
    Asker, PeopleResult, Person,
    asking::{Ask, Sent, send},
    letters::{self, Case, Facts},
    proving::{Proven, Unproven, prove},
};
use crate::{
    mail::Letter,
    model::{
        account::{Account, Email},
        audit::Actor,
        link::LinkPurpose,
    },
    server::{Server, mails::NEWS_LIFETIME},
    store::{
        account_export::AccountExport,
        people::{Deletion, PasswordChange},
    },
};

/// What becomes of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was made, or asked for.
    Done,
    /// Nobody has shown that the account is theirs.
    Unproven(Unproven),
    /// Too many mails were asked for.
    TooManyMails,
    /// The account was changed meanwhile, in another browser or by the operator.
    Meanwhile,
    /// Nobody may do this here.
    NotOffered,
}

/// Changes a password: all other sessions end, this one and all connections go on.
pub async fn change_password(server: &Server, person: &Person, (current, new): (&str, &str)) -> PeopleResult<Change> {
    let Proven { account, hash } = match prove(server, person, current).await? {
        Ok(proven) => proven,
        Err(unproven) => return Ok(Change::Unproven(unproven)),
    };
    let mail = server.mail(&news(server, &account, Case::PasswordChanged), Some(person.id), expiry(server))?;
    let about = [account.name.as_str(), account.email.as_str(), &server.settings.server_name];
    let password_hash = server.passwords.hash_for(new, &about).await?;
    let change = PasswordChange { account_id: person.id, verified: hash, password_hash, session: person.session, mail };
    let audit = server.audit(Actor::Account(person.id), person.origin.clone());
    Ok(done(server.store.change_password(&change, &audit).await?))
}

/// Asks for another address: a link goes to it, and nothing changes before it is used. Whether somebody else has that
/// address is told to who reads its mail.
pub async fn ask_to_change_email(
    server: &Server,
    person: &Person,
    password: &str,
    to: &Email,
    asker: &Asker,
) -> PeopleResult<Change> {
    let account = match prove(server, person, password).await? {
        Ok(proven) => proven.account,
        Err(unproven) => return Ok(Change::Unproven(unproven)),
    };
    let wish = Ask { purpose: LinkPurpose::ChangeEmail, account: Some(&account), case: Case::ChangeEmail };
    Ok(asked(send(server, to, asker, wish).await?))
}

/// Asks to prove that an account's address is its owner's, who has signed in.
pub async fn ask_to_verify(server: &Server, account: &Account, asker: &Asker) -> PeopleResult<Change> {
    let wish = Ask { purpose: LinkPurpose::VerifyEmail, account: Some(account), case: Case::VerifyEmail };
    Ok(asked(send(server, &account.email, asker, wish).await?))
}

/// Asks for a first password, for who has signed in without one.
pub async fn ask_for_password(server: &Server, account: &Account, asker: &Asker) -> PeopleResult<Change> {
    let wish = Ask { purpose: LinkPurpose::ResetPassword, account: Some(account), case: Case::ResetPassword };
    Ok(asked(send(server, &account.email, asker, wish).await?))
}

/// Gives a person everything that is kept of them.
pub async fn export(server: &Server, person: &Person, password: &str) -> PeopleResult<Result<AccountExport, Unproven>> {
    if let Err(unproven) = prove(server, person, password).await? {
        return Ok(Err(unproven));
    }
    Ok(server.store.export_account(person.id).await?.ok_or(Unproven::Wrong))
}

/// Deletes an account and everything personal with it. Its address is told once more.
pub async fn delete(server: &Server, person: &Person, password: &str) -> PeopleResult<Change> {
    let Proven { account, hash } = match prove(server, person, password).await? {
        Ok(proven) => proven,
        Err(unproven) => return Ok(Change::Unproven(unproven)),
    };
    let mail = server.mail(&news(server, &account, Case::Deleted), None, expiry(server))?;
    let deletion = Deletion { account_id: person.id, verified: hash, mail };
    let audit = server.audit(Actor::Account(person.id), person.origin.clone());
    Ok(done(server.store.delete_account(&deletion, &audit).await?))
}

fn done(was_made: bool) -> Change {
    if was_made { Change::Done } else { Change::Meanwhile }
}

/// Who has signed in is told what strangers are not.
fn asked(sent: Sent) -> Change {
    match sent {
        Sent::Made => Change::Done,
        Sent::TooMany => Change::TooManyMails,
        Sent::NotStanding => Change::Meanwhile,
        Sent::NotOffered => Change::NotOffered,
    }
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
