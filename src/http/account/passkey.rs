//! `/passkey`: signing in with a passkey alone; and `/passkey-options`, where the script on our pages gets challenges.
//!
//! A challenge is an answer to one of our own forms, like everything else that is sent from a page.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{json, value::RawValue};

use super::{
    arrival::{Errand, Proof, arrive},
    authenticate::Refusal,
    browser_of, half_way,
    second_step::ANSWER_LENGTH_MAX,
    security::is_fresh,
    sign_in::refuse,
};
use crate::{
    http::{
        extract::{body, cookies, peer, visitor::Visitor},
        failure::{self, PageError},
        guard,
        oauth::authorize::follow,
    },
    model::{
        account::Account,
        factor::{KeptPasskey, PASSKEYS_MAX},
        flow::Step,
    },
    protocol::{
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
    },
    server::{
        Server,
        factors::{Asked, Shown, Verdict},
    },
    tokens,
};

/// Answers with a challenge, as JSON.
pub async fn options(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    failure::page(&server, &request, challenge(&server, &request, payload).await)
}

async fn challenge(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, PageError> {
    let fields = body::form(request, payload).await?;
    let visitor = Visitor::read(server, request).await?;
    guard::form::check(server, request, &visitor, &fields).await?;
    let mark = visitor.browser();
    let asked = match fields.required("for", 16).map_err(PageError::Incomplete)? {
        "sign-in" => server.ask_for_passkey(&[], mark)?,
        "second-step" => match half_way::find(server, request, &visitor).await? {
            Some(account) => ask_for_one_of(server, &account, mark).await?,
            None => None,
        },
        "prove" => match &visitor.session {
            Some(session) => ask_for_one_of(server, &session.account, mark).await?,
            None => None,
        },
        "add" => match &visitor.session {
            Some(session) if is_fresh(server, session).await? => {
                let known = passkeys(server, &session.account).await?;
                if known.len() < PASSKEYS_MAX {
                    server.ask_to_make_passkey(&session.account, &known, mark)?
                } else {
                    None
                }
            }
            _ => None,
        },
        _ => {
            let error = OAuthError::new(ErrorCode::InvalidRequest, "for is sign-in, second-step, prove or add");
            return Err(PageError::Incomplete(error));
        }
    };
    // The script then sends its form all the same, and the answer to that says why.
    let Some(Asked { options, state }) = asked else { return Ok(HttpResponse::Forbidden().json(json!({}))) };
    let options = RawValue::from_string(options).map_err(|_| PageError::Unreadable)?;
    Ok(HttpResponse::Ok().json(Challenge { options, state }))
}

#[derive(serde::Serialize)]
struct Challenge {
    options: Box<RawValue>,
    state: String,
}

async fn passkeys(server: &Server, account: &Account) -> Result<Vec<KeptPasskey>, PageError> {
    Ok(server.store.factors(account.id, server.clock.now()).await?.passkeys)
}

/// An empty list would ask for any passkey, so an account that has none is asked for nothing.
async fn ask_for_one_of(server: &Server, account: &Account, mark: &str) -> Result<Option<Asked>, PageError> {
    let known = passkeys(server, account).await?;
    if known.is_empty() { Ok(None) } else { Ok(server.ask_for_passkey(&known, mark)?) }
}

/// Takes a passkey that is shown on the page to sign in.
pub async fn sign_in(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    failure::page(&server, &request, take(&server, &request, payload).await)
}

async fn take(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, PageError> {
    let fields = body::form(request, payload).await?;
    follow(server, request, &fields, Step::SignIn);
    let visitor = Visitor::read(server, request).await?;
    guard::form::check(server, request, &visitor, &fields).await?;
    let errand = Errand::read(server, &fields, &visitor).await?;
    match authenticate(server, request, &visitor, &fields).await? {
        Ok(account) => arrive(server, request, visitor, (account, Proof::Passkey), errand).await,
        Err(refusal) => refuse(server, request, &visitor, &errand, ("", refusal)).await,
    }
}

async fn authenticate(
    server: &Server,
    request: &HttpRequest,
    visitor: &Visitor,
    fields: &Parameters,
) -> Result<Result<Account, Refusal>, PageError> {
    let text = |name, most| fields.one(name, most).unwrap_or_default().unwrap_or_default();
    let (answer, state) = (text("answer", ANSWER_LENGTH_MAX), text("state", tokens::between::LENGTH_MAX));
    if let Err(too_many) = server.sign_ins.count(peer::of(request)) {
        return Ok(Err(Refusal::TooMany(too_many)));
    }
    let owner = match server.passkey_in(answer).await? {
        Some(kept) => server.store.account(kept.account_id).await?.map(|(account, _)| account),
        None => None,
    };
    let Some(account) = owner.filter(|account| account.enabled) else {
        return Ok(Err(Refusal::Passkey("The passkey is of no account here, or of one that is disabled.")));
    };
    let devices = cookies::device(&server.settings, request);
    let browser = browser_of(request, visitor, &devices);
    Ok(match server.look_at_factor(&account, Shown::Passkey { answer, state }, &browser).await? {
        Verdict::Right => Ok(account),
        Verdict::Wrong(why) => Err(Refusal::Passkey(why)),
        Verdict::TooMany(too_many) => Err(Refusal::TooMany(too_many)),
    })
}
