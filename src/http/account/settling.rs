//! Somebody has signed in elsewhere: what that leads to here. `protocol::federated` decides; this is what is done.

use actix_web::{HttpRequest, HttpResponse, http::header};

use super::{
    arrival::{Errand, Proof, arrive},
    offer, sign_in,
};
use crate::{
    http::{
        extract::{language, visitor::Visitor},
        failure::PageError,
        oauth::{authorize::to_path, caller::origin},
        pages::{self, Layout, Trouble, TroublePage},
        trail,
    },
    model::{
        account::{Account, Email},
        audit::Actor,
        counts::Refusal,
        id::{AccountId, IdentityId},
        legible::{NAME_LENGTH_MAX, deceives},
        provider::Shown,
    },
    protocol::federated::{Facts, Verdict, Why},
    random,
    server::Server,
    store::identities::{Federated, NewFederated, NewIdentity},
};

/// How long to wait for a provider that cannot be asked, in seconds.
const RETRY_AFTER: &str = "30";

/// Somebody who has come back.
pub(super) struct Came {
    /// Who they are there.
    pub(super) shown: Shown,
    /// What the place is called.
    pub(super) label: String,
    /// What goes on.
    pub(super) errand: Errand,
    /// Whether an account may be made for them.
    pub(super) may_make: bool,
}

/// Signs them in, makes their account, asks whether to link, or says why not.
pub(super) async fn settle(
    server: &Server,
    request: &HttpRequest,
    visitor: Visitor,
    came: Came,
) -> Result<HttpResponse, PageError> {
    let Came { shown, label, errand, may_make } = came;
    let linked = server.store.identity(&shown.provider, &shown.subject).await?;
    let holder = match shown.verified_email() {
        Some(email) if linked.is_none() => server.store.account_by_email(email).await?,
        _ => None,
    };
    let facts = Facts {
        shown: &shown,
        linked: linked.as_ref().map(|(_, account)| account),
        signed_in: visitor.session.as_ref().map(|session| &session.account),
        address_is_taken: holder.is_some(),
        may_make,
    };
    match (facts.decide(), linked) {
        (Verdict::Enter, Some((identity, account))) => {
            // It may have been unlinked since it was looked up.
            if !server.store.use_identity(identity.id, shown.email.as_ref(), server.clock.now()).await? {
                return errand.anew(server);
            }
            arrive(server, request, visitor, (account, Proof::Elsewhere), errand).await
        }
        (Verdict::Make(email), _) => make(server, request, visitor, (shown, label, errand, email)).await,
        (Verdict::Ask, _) => {
            let mut answer = HttpResponse::SeeOther();
            answer.cookie(offer::make(server, &shown, &label, visitor.browser())?);
            Ok(to_path(server, answer, &format!("{}{}", offer::PATH, errand.query(server)?)))
        }
        (Verdict::SignInFirst, _) => sign_in_first(server, request, &visitor, (&shown, &label, &errand)),
        (Verdict::Refuse(why), _) => {
            tracing::info!(provider = shown.provider, reason = ?why, "an identity leads to no account");
            if trail::is_a_step(request) {
                let says = "The person signed in through a provider, and has no account by that.";
                trail::refused(request, Refusal::SignIn, says);
            }
            trouble(server, request, &label, (why.into(), &errand))
        }
        // The verdict was about it.
        (Verdict::Enter, None) => Err(PageError::Unreadable),
    }
}

/// Makes an account. Whoever was faster, in another tab, has made the same one.
async fn make(
    server: &Server,
    request: &HttpRequest,
    visitor: Visitor,
    (shown, label, errand, email): (Shown, String, Errand, Email),
) -> Result<HttpResponse, PageError> {
    let at = server.clock.now();
    let account_id = AccountId(random::id(at));
    let new = NewFederated {
        account_id,
        name: name(&shown, &email),
        email: email.clone(),
        language: Some(language::of(server, request).tag().to_owned()),
        identity: NewIdentity {
            id: IdentityId(random::id(at)),
            provider: shown.provider.clone(),
            subject: shown.subject.clone(),
            email,
            at,
        },
    };
    let audit = server.audit(Actor::Account(account_id), origin(request));
    let account: Option<Account> = match server.store.add_federated(&new, &audit).await? {
        Federated::Made(account) => Some(*account),
        Federated::Linked => {
            let linked = server.store.identity(&shown.provider, &shown.subject).await?;
            linked.map(|(_, account)| account).filter(|account| account.enabled)
        }
        Federated::EmailTaken => None,
    };
    match account {
        Some(account) => arrive(server, request, visitor, (account, Proof::Elsewhere), errand).await,
        None => sign_in_first(server, request, &visitor, (&shown, &label, &errand)),
    }
}

/// What to call somebody: as they are called there, or as their address begins.
fn name(shown: &Shown, email: &Email) -> String {
    let local = email.as_str().split('@').next().unwrap_or_default();
    shown.name.clone().unwrap_or_else(|| local.chars().filter(|c| !deceives(*c)).take(NAME_LENGTH_MAX).collect())
}

/// An account has the address: its owner has to show that it is theirs, and is asked then. The provider's word alone
/// would let whoever gets hold of an address there, or runs the provider, into every account here.
fn sign_in_first(
    server: &Server,
    request: &HttpRequest,
    visitor: &Visitor,
    (shown, label, errand): (&Shown, &str, &Errand),
) -> Result<HttpResponse, PageError> {
    let cookie = offer::make(server, shown, label, visitor.browser())?;
    let mut page = trouble(server, request, label, (Trouble::SignInFirst, errand))?;
    // A cookie that cannot be written is not asked about later.
    let _ = page.add_cookie(&cookie);
    Ok(page)
}

/// A page that says what is in the way, and leads back to where one can sign in.
pub(super) fn trouble(
    server: &Server,
    request: &HttpRequest,
    label: &str,
    (problem, errand): (Trouble, &Errand),
) -> Result<HttpResponse, PageError> {
    // Where the usual way has led here, it would lead here again.
    let form = if problem == Trouble::SignInFirst { format!("&{}=yes", sign_in::FORM) } else { String::new() };
    let page = TroublePage {
        layout: Layout::once(server, request),
        label: label.to_owned(),
        problem,
        back: format!("/sign-in{}{form}", errand.query(server)?),
    };
    let mut answer = HttpResponse::build(problem.status());
    match problem {
        Trouble::TooMany(too_many) => answer = pages::too_many(too_many),
        Trouble::Unreachable => {
            answer.insert_header((header::RETRY_AFTER, RETRY_AFTER));
        }
        _ => {}
    }
    Ok(pages::answer(answer, &page, None)?)
}

impl From<Why> for Trouble {
    fn from(why: Why) -> Self {
        match why {
            Why::Disabled => Self::Disabled,
            Why::Unverified => Self::Unverified,
            Why::OtherAddress => Self::OtherAddress,
            Why::NoSignUp => Self::NoSignUp,
        }
    }
}
