//! Asking somebody to own a plugin, by mail. The inviter is told the same, and waits as long, whether the address has
//! an account or not; who reads its mail says yes in the console (`store::invitations`).
//!
//! The mail's own link gives nothing away: it leads to a page for who has signed in. Only where accounts are made by
//! invitation alone, and the address has none, it is one with which to make one.

use super::{
    PeopleError, PeopleResult,
    letters::{self, Case, Facts},
    lifetime, write,
};
use crate::{
    model::{
        account::{Email, Role, SignUps},
        audit::Audit,
        id::PluginId,
        link::LinkPurpose,
    },
    server::Server,
    store::invitations::NewInvitation,
};

/// What becomes of inviting somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Invited {
    /// A mail is on its way.
    Asked,
    /// There were too many.
    TooMany,
    /// No mail is sent here.
    NotOffered,
}

/// Asks whoever reads the mail of an address to own a plugin.
pub async fn invite_owner(
    server: &Server,
    plugin: PluginId,
    email: &Email,
    language: &str,
    audit: &Audit,
) -> PeopleResult<Invited> {
    if !server.mails.mailer().is_on() {
        return Ok(Invited::NotOffered);
    }
    if !server.mails.has_room() {
        return Err(PeopleError::MailIsBehind);
    }
    let account = server.store.account_by_email(email).await?.map(|(account, _)| account);
    let mut new = write(server, LinkPurpose::Invitation, None, email);
    new.link.role = Some(Role::Person);
    let needs_one = account.is_none() && server.settings.sign_ups == SignUps::Invited;
    let (case, url) = if needs_one {
        (Case::OwnPluginNew, new.url)
    } else {
        (Case::OwnPlugin, format!("{}/console/invitations", server.settings.issuer))
    };
    let chosen = account.and_then(|account| account.language);
    let facts = Facts {
        server: &server.settings.server_name,
        to: email.as_str(),
        link: Some(&url),
        language: Some(chosen.as_deref().unwrap_or(language)),
    };
    let expires_at = audit.at + lifetime(LinkPurpose::Invitation);
    let Some(mail) = server.mail(&letters::write(case, &facts), None, expires_at)? else {
        return Ok(Invited::NotOffered);
    };
    let link = Some(new.link).filter(|_| needs_one);
    let invitation = NewInvitation { plugin_id: plugin, email: email.clone(), mail, link, expires_at };
    let asked = server.store.invite_owner(&invitation, audit).await?;
    Ok(if asked { Invited::Asked } else { Invited::TooMany })
}
