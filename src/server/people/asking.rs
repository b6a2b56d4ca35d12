//! Asking for a link. Strangers may, so each address gets few (`store::links`), and what an address is told depends on
//! who reads its mail, never on who asks.

use chrono::TimeDelta;

use super::{
    Asked, Asker, PeopleError, PeopleResult, Written, letters,
    letters::{Case, Facts},
    url, write,
};
use crate::{
    mail::Letter,
    model::{
        Timestamp,
        account::{Account, Email, Role, SignUps},
        audit::Audit,
        link::LinkPurpose,
    },
    random,
    server::Server,
    store::{Store, StoreResult, links::MakeLink, links::NewLink},
    tokens::secret::{LINK, SecretText},
};

/// How long a mail is kept that nobody is to get: as long as most are that somebody gets.
const NOBODYS_MAIL_LIFETIME: TimeDelta = TimeDelta::minutes(1);

/// Whether anybody can ask for a link of this purpose with an address alone.
pub fn may_ask(server: &Server, purpose: LinkPurpose) -> bool {
    let is_for_strangers = match purpose {
        LinkPurpose::SignUp => server.settings.sign_ups == SignUps::Open,
        LinkPurpose::ResetPassword => true,
        _ => false,
    };
    is_for_strangers && server.mails.mailer().is_on()
}

/// Asks to make an account for an address. Whoever has one is told so by mail, with a link to a new password.
pub async fn ask_to_sign_up(server: &Server, email: &Email, asker: &Asker) -> PeopleResult<Asked> {
    if server.settings.sign_ups != SignUps::Open {
        return Ok(Asked::NotOffered);
    }
    let known = server.store.account_by_email(email).await?;
    let wish = if let Some((account, _)) = &known {
        Ask { purpose: LinkPurpose::ResetPassword, account: Some(account), case: Case::AlreadyHere }
    } else {
        Ask { purpose: LinkPurpose::SignUp, account: None, case: Case::SignUp }
    };
    Ok(told(send(server, email, asker, wish).await?))
}

/// Asks for a new password. An address nobody has costs the same, and gets no mail.
pub async fn ask_for_reset(server: &Server, email: &Email, asker: &Asker) -> PeopleResult<Asked> {
    let known = server.store.account_by_email(email).await?;
    let account = known.as_ref().map(|(account, _)| account);
    let wish = Ask { purpose: LinkPurpose::ResetPassword, account, case: Case::ResetPassword };
    Ok(told(send(server, email, asker, wish).await?))
}

/// Strangers are not told that there were too many, which may be somebody else's doing: the newest link works.
fn told(sent: Sent) -> Asked {
    if sent == Sent::NotOffered { Asked::NotOffered } else { Asked::Taken }
}

/// What is asked for.
pub(super) struct Ask<'a> {
    pub(super) purpose: LinkPurpose,
    pub(super) account: Option<&'a Account>,
    pub(super) case: Case,
}

/// What became of it; what of that is told depends on who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// A mail is on its way, or would be if the address were anybody's.
    Made,
    /// There were too many.
    TooMany,
    /// The account was changed meanwhile.
    NotStanding,
    /// No mail is sent here.
    NotOffered,
}

/// Makes a link and lets it be mailed. Where there is no account that could use it the rows are written all the same, and
/// the mail is never sent and soon gone: only so much is kept at a time.
pub(super) async fn send(server: &Server, email: &Email, asker: &Asker, wish: Ask<'_>) -> PeopleResult<Sent> {
    if !server.mails.mailer().is_on() {
        return Ok(Sent::NotOffered);
    }
    if !server.mails.has_room() {
        return Err(PeopleError::MailIsBehind);
    }
    let usable = wish.account.filter(|account| account.enabled && account.reviews.is_none());
    let Written { mut link, url } = write(server, wish.purpose, usable.map(|account| account.id), email);
    let language = wish.account.and_then(|account| account.language.clone()).or_else(|| asker.language.clone());
    let letter = letter(server, (email, wish.case), &url, language.as_deref());
    (link.language, link.request) = (language, asker.request.clone());
    let mut mail = server.mail(&letter, link.account_id, link.expires_at)?;
    let is_for_somebody = usable.is_some() || wish.purpose == LinkPurpose::SignUp;
    if let Some(mail) = mail.as_mut().filter(|_| !is_for_somebody) {
        mail.expires_at = mail.at + NOBODYS_MAIL_LIFETIME;
        mail.due_at = mail.expires_at;
    }
    Ok(match server.store.make_link(&link, mail.as_ref(), None).await? {
        MakeLink::Made => Sent::Made,
        MakeLink::NotStanding => Sent::NotStanding,
        MakeLink::TooMany => {
            tracing::info!(purpose = wish.purpose.as_str(), "no more links are mailed for a while");
            Sent::TooMany
        }
    })
}

fn letter(server: &Server, (email, case): (&Email, Case), url: &str, language: Option<&str>) -> Letter {
    let facts = Facts { server: &server.settings.server_name, to: email.as_str(), link: Some(url), language };
    letters::write(case, &facts)
}

/// Invites an address: makes a link that its inviter hands over, and answers it; none where too many were made. Needs no
/// running server, so that the command line can do it.
pub async fn invitation(
    store: &Store,
    issuer: &str,
    (email, role): (&Email, Role),
    audit: &Audit,
) -> StoreResult<Option<(String, Timestamp)>> {
    let secret = SecretText::new(LINK, random::bytes());
    let link = NewLink {
        id: crate::model::id::LinkId(random::id(audit.at)),
        digest: secret.digest(),
        purpose: LinkPurpose::Invitation,
        account_id: None,
        email: email.clone(),
        role: Some(role),
        language: None,
        request: None,
        at: audit.at,
        expires_at: audit.at + super::lifetime(LinkPurpose::Invitation),
        unexpired_max: 100,
    };
    let made = store.make_link(&link, None, Some(audit)).await?;
    let url = url(issuer, LinkPurpose::Invitation, &secret);
    Ok((made == MakeLink::Made).then_some((url, link.expires_at)))
}
