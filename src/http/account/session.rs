//! A session begins: in this browser, for an account that has just been shown to be the person's.

use actix_web::{HttpRequest, cookie::Cookie, http::header};

use crate::{
    http::{
        extract::{cookies, visitor::Visitor},
        oauth::caller::origin,
    },
    model::{
        account::Account,
        id::SessionId,
        legible::deceives,
        session::{Session, USER_AGENT_MAX},
    },
    random,
    server::Server,
    store::{StoreResult, sessions::NewSession},
    tokens::{self, secret::SecretText},
};

/// Starts a session, in the place of the one this browser had, and answers its cookie's text. `None` when the account
/// was disabled or changed meanwhile. Beside the account stands whether they have shown a second factor too.
pub async fn start(
    server: &Server,
    request: &HttpRequest,
    visitor: &Visitor,
    (account, by_factor): (Account, bool),
) -> StoreResult<Option<(Session, SecretText)>> {
    let now = server.clock.now();
    let secret = SecretText::new(tokens::secret::SESSION, random::bytes());
    let factor_at = by_factor.then_some(now);
    let new = NewSession {
        id: SessionId(random::id(now)),
        digest: secret.digest(),
        account_id: account.id,
        account_generation: account.generation,
        session_generation: account.session_generation,
        at: now,
        expires_at: now + server.settings.session_lifetime,
        address: origin(request).address,
        user_agent: user_agent(request),
        factor_at,
        replaces: visitor.session_digest,
    };
    if !server.store.start_session(&new).await? {
        return Ok(None);
    }
    let session = Session {
        id: new.id,
        account_generation: account.generation,
        auth_time: now,
        proven_at: now,
        factor_at,
        expires_at: new.expires_at,
        account,
    };
    Ok(Some((session, secret)))
}

/// The cookie of the language an account has chosen, for a browser in which none was.
pub fn language(server: &Server, request: &HttpRequest, account: &Account) -> Option<Cookie<'static>> {
    let chosen = account.language.as_deref()?.parse().ok()?;
    let is_new = cookies::language(&server.settings, request).is_none();
    is_new.then(|| cookies::set_language(&server.settings, chosen))
}

/// What the browser calls itself, on one line.
pub(super) fn user_agent(request: &HttpRequest) -> Option<String> {
    let name = request.headers().get(header::USER_AGENT)?.to_str().ok()?;
    Some(name.chars().filter(|c| !deceives(*c)).take(USER_AGENT_MAX).collect())
}
