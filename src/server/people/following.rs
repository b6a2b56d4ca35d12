//! Coming with a link. Opening it changes nothing; what is sent from the page it opens does, once.

use super::{
    PeopleResult, Person,
    letters::{self, Case, Facts},
    write,
};
use crate::{
    model::{
        account::SignUps,
        audit::{Actor, Origin},
        digest::Digest,
        id::AccountId,
        link::{Link, LinkPurpose, LinkState},
    },
    random,
    server::{Server, mails::NEWS_LIFETIME},
    store::{
        StoreResult,
        people::{EmailChange, Followed, PasswordReset, SignUp},
    },
    tokens::secret::{LINK, SecretText},
};

/// What there is to say of the link in an address, if it is for this purpose.
pub async fn look(server: &Server, purpose: LinkPurpose, secret: &str) -> StoreResult<LinkState> {
    let Some(digest) = digest(secret) else { return Ok(LinkState::Gone) };
    Ok(match server.store.link(digest, server.clock.now()).await? {
        LinkState::Standing(link) if link.purpose != purpose => LinkState::Gone,
        LinkState::Standing(link) if !is_offered(server, &link) => LinkState::Gone,
        state => state,
    })
}

/// Makes the account a sign-up or an invitation is for. The name is checked by whoever has read it; the password is this
/// person's, who has read the mail.
pub async fn sign_up(
    server: &Server,
    secret: &str,
    (name, password): (&str, &str),
    origin: Origin,
) -> PeopleResult<Followed> {
    let Some((digest, link)) = standing(server, secret).await?.filter(|(_, link)| is_offered(server, link)) else {
        return Ok(Followed::LinkGone);
    };
    if !matches!(link.purpose, LinkPurpose::SignUp | LinkPurpose::Invitation) {
        return Ok(Followed::LinkGone);
    }
    let about = [name, link.email.as_str(), &server.settings.server_name];
    let password_hash = Some(server.passwords.hash_for(password, &about).await?);
    let id = AccountId(random::id(server.clock.now()));
    let sign_up = SignUp { link: digest, id, name: name.to_owned(), password_hash };
    Ok(server.store.sign_up(&sign_up, &server.audit(Actor::Account(id), origin)).await?)
}

/// Says that an account's address is its owner's.
pub async fn verify_email(server: &Server, secret: &str, origin: Origin) -> PeopleResult<Followed> {
    let Some((digest, link)) = standing(server, secret).await? else { return Ok(Followed::LinkGone) };
    Ok(server.store.verify_email(digest, &server.audit(actor(&link), origin)).await?)
}

/// Gives an account a new password, and by the way back its address of before. Everything that was signed in or
/// connected ends, and its owner is told.
pub async fn reset_password(server: &Server, secret: &str, password: &str, origin: Origin) -> PeopleResult<Followed> {
    // Hashing is dear, so a link that cannot be used does not get that far.
    let Some((digest, link)) = standing(server, secret).await? else { return Ok(Followed::LinkGone) };
    let case = match link.purpose {
        LinkPurpose::ResetPassword => Case::PasswordReset,
        LinkPurpose::RestoreEmail => Case::EmailRestored,
        _ => return Ok(Followed::LinkGone),
    };
    let about = [link.email.as_str(), &server.settings.server_name];
    let password_hash = server.passwords.hash_for(password, &about).await?;
    let language = link.language.as_deref();
    let facts = Facts { server: &server.settings.server_name, to: link.email.as_str(), link: None, language };
    let expires_at = server.clock.now() + NEWS_LIFETIME;
    let mail = server.mail(&letters::write(case, &facts), link.account_id, expires_at)?;
    let reset = PasswordReset { link: digest, password_hash, mail };
    Ok(server.store.reset_password(&reset, &server.audit(actor(&link), origin)).await?)
}

/// Makes the address a link was sent to the account's, for who has signed in to that: somebody else's mailbox is easily
/// typed, and its owner would say yes for an account they do not know. The address of before is told, with a way back if
/// it was its owner's.
pub async fn confirm_email(server: &Server, person: &Person, secret: &str) -> PeopleResult<Followed> {
    let Some((digest, link)) = standing(server, secret).await? else { return Ok(Followed::LinkGone) };
    let id = person.id;
    if link.purpose != LinkPurpose::ChangeEmail || link.account_id != Some(id) {
        return Ok(Followed::LinkGone);
    }
    let Some((account, _)) = server.store.account(id).await? else { return Ok(Followed::LinkGone) };
    let is_proven = account.email_verified_at.is_some() && server.mails.mailer().is_on();
    let way_back = is_proven.then(|| write(server, LinkPurpose::RestoreEmail, Some(id), &account.email));
    let facts = Facts {
        server: &server.settings.server_name,
        to: account.email.as_str(),
        link: way_back.as_ref().map(|written| written.url.as_str()),
        language: account.language.as_deref(),
    };
    let expires_at = match &way_back {
        Some(written) => written.link.expires_at,
        None => server.clock.now() + NEWS_LIFETIME,
    };
    let mail = server.mail(&letters::write(Case::EmailChanged, &facts), Some(id), expires_at)?;
    let way_back = way_back.map(|written| written.link);
    let change = EmailChange { link: digest, from: account.email.clone(), way_back, mail };
    let audit = server.audit(Actor::Account(id), person.origin.clone());
    Ok(server.store.change_email(&change, &audit).await?)
}

/// Whether the operator still wants what a link is for.
fn is_offered(server: &Server, link: &Link) -> bool {
    match link.purpose {
        LinkPurpose::SignUp => server.settings.sign_ups == SignUps::Open,
        LinkPurpose::Invitation => server.settings.sign_ups != SignUps::Off,
        _ => true,
    }
}

async fn standing(server: &Server, secret: &str) -> StoreResult<Option<(Digest, Link)>> {
    let Some(digest) = digest(secret) else { return Ok(None) };
    match server.store.link(digest, server.clock.now()).await? {
        LinkState::Standing(link) => Ok(Some((digest, *link))),
        LinkState::Used | LinkState::Gone => Ok(None),
    }
}

fn digest(secret: &str) -> Option<Digest> {
    SecretText::parse(LINK, secret).map(|secret| secret.digest())
}

/// Whoever has the link acts as the account's owner.
fn actor(link: &Link) -> Actor {
    link.account_id.map_or(Actor::Server, Actor::Account)
}
