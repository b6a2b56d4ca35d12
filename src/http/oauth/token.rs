//! `POST /token` (RFC 6749 §3.2): one straight path per grant.
//!
//! Caller → grant's checks (`protocol::token`) → one step of `store::families` → tokens (`tokens`).

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use super::{
    caller::{Caller, answer},
    carried::Sought,
    resource,
};
use crate::{
    http::{failure::MachineError, guard::watched, trail},
    keys::{KeyError, ring::Ring},
    model::{
        Timestamp, client::Client, counts::Counted, family::Family, flow::Step, refresh_token::RefreshToken,
        scope::Scopes,
    },
    protocol::{
        admission::{self, Admission},
        client_authentication::formerly,
        dialect,
        error::OAuthError,
        token::{
            TokenRequest,
            answer::TokenAnswer,
            authorization_code::{self, CodeRequest, Redeemable},
            client_credentials::ClientCredentialsRequest,
            refresh::{self, RefreshRequest, Refusal},
        },
    },
    random,
    server::Server,
    store::families::{Redeem, Redemption, Rotate, Rotation},
    telemetry::metrics,
    tokens,
};

/// The endpoint.
pub async fn token(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    trail::at(&request, Step::Token);
    let (began, mut grant_type) = (server.clock.elapsed(), metrics::GRANT_UNKNOWN);
    let outcome = grant(&server, &request, payload, &mut grant_type).await;
    let refused = outcome.as_ref().err().map(|error| error.code().as_str());
    metrics::token_request_answered(grant_type, refused, server.clock.elapsed().saturating_sub(began));
    // Only now is it known whose plugin it was for.
    trail::counted(&request, Counted::TokenRequest);
    answer(&request, outcome)
}

async fn grant(
    server: &Server,
    request: &HttpRequest,
    payload: web::Payload,
    grant_type: &mut &'static str,
) -> Result<HttpResponse, MachineError> {
    let caller = Caller::read(server, request, payload, Sought::Grant).await?;
    let asked = TokenRequest::read(&caller.parameters, &caller.client)?;
    *grant_type = asked.grant_type();
    watched::note_grant(grant_type);
    let issued = match asked {
        TokenRequest::AuthorizationCode(code) => redeem(server, request, &caller, &code).await?,
        TokenRequest::Refresh(refresh) => rotate(server, request, &caller, &refresh).await?,
        TokenRequest::ClientCredentials(credentials) => {
            client_credentials(server, request, &caller, &credentials).await?
        }
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(issued))
}

async fn redeem(
    server: &Server,
    request: &HttpRequest,
    caller: &Caller,
    asked: &CodeRequest<'_>,
) -> Result<TokenAnswer, MachineError> {
    let client = &caller.client;
    let now = server.clock.now();
    let good = asked.check(caller.code().cloned(), client, now)?;
    let authorized = match client.home.as_ref().filter(|home| home.id == good.code.resource_id) {
        Some(home) => Some(home.clone()),
        None => server.store.resource_by_id(good.code.resource_id).await?,
    };
    let Redeemable { code, resource, scopes, auth_time } = asked.at(good, authorized)?;
    trail::about(request, resource.plugin_id);
    let line = RefreshToken { family_id: code.id, counter: 0, secret: random::bytes() };
    let redemption = Redemption {
        id: code.id,
        redemption: random::bytes(),
        account_id: code.account_id,
        client_id: client.id,
        consent_id: code.consent_id,
        birth: code.birth,
        resource: resource.identifier.to_string(),
        plugin_id: resource.plugin_id,
        subject_salt: resource.subject_salt,
        signing_algorithm: resource.signing_algorithm,
        scopes,
        authentication_method: caller.method,
        assertion: caller.assertion,
        secret_digest: line.secret_digest(),
        auth_time,
        at: now,
        expires_at: now + server.settings.refresh_absolute,
        idle_until: server.settings.idle_until(now).min(now + server.settings.refresh_absolute),
    };
    let audit = caller.audit(server);
    match server.store.redeem(&redemption, &audit).await? {
        Redeem::Won(family) => {
            let ring = server.keyring.current();
            let refresh_token = tokens::refresh::write(ring.mac()?, &line);
            let scopes = family.scopes.clone();
            trail::towards(request, &family.resource);
            trail::done(request, Step::Token, format!("The code was redeemed, for {}.", trail::told(&scopes)));
            Ok(issue(server, &ring, &Issue { client, family: &family, scopes: &scopes, now }, refresh_token)?)
        }
        Redeem::Replayed => {
            metrics::code_replayed();
            Err(authorization_code::NOT_GOOD.because(authorization_code::REPLAYED).into())
        }
        Redeem::NotStanding => {
            let grants = server.store.grants_of(redemption.plugin_id, redemption.account_id).await?;
            let asked = &redemption.scopes;
            let left = client.scopes.as_ref().map_or_else(|| asked.clone(), |allowed| asked.intersection(allowed));
            let why = match admission::decide(grants.as_ref(), &left) {
                Admission::Open { .. } if asked.is_empty() || !left.is_empty() => authorization_code::NOT_STANDING,
                Admission::Open { .. } | Admission::Closed => admission::SHUT_OUT,
            };
            Err(authorization_code::NOT_GOOD.because(why).into())
        }
        Redeem::AssertionReplayed => Err(caller.replayed(server)),
    }
}

async fn rotate(
    server: &Server,
    request: &HttpRequest,
    caller: &Caller,
    asked: &RefreshRequest<'_>,
) -> Result<TokenAnswer, MachineError> {
    let client = &caller.client;
    let resource = asked.check()?;
    let now = server.clock.now();
    let presented = caller.refresh_token().ok_or_else(|| refresh::NOT_GOOD.because(refresh::FORGED))?;
    if asked.names_scopes()
        && let Some(family) = own_family(server, client, presented).await?
    {
        asked.scopes(&family.scopes)?;
    }
    let rotation = Rotation {
        id: presented.family_id,
        client_id: client.id,
        authentication_method: caller.method,
        formerly: formerly(client.authentication_methods, caller.method),
        assertion: caller.assertion,
        resource,
        secret_digest: presented.secret_digest(),
        presented: presented.counter,
        grace: server.settings.refresh_grace,
        at: now,
        idle_until: server.settings.idle_until(now),
    };
    let audit = caller.audit(server);
    let (family, counter, rotated_at) = match server.store.rotate(&rotation, &audit).await? {
        Rotate::Rotated { family, counter, jumped } => {
            if jumped {
                tracing::warn!(
                    family.id = %family.id,
                    "a refresh token is ahead of the database; was a backup restored?"
                );
            }
            (family, counter, now)
        }
        Rotate::Repeated { family, counter, rotated_at } => (family, counter, rotated_at),
        Rotate::Replayed => {
            metrics::refresh_replayed();
            return Err(refresh::NOT_GOOD.because(refresh::REPLAYED).into());
        }
        Rotate::NotStanding => {
            return Err(OAuthError::from(why_not(server, caller, asked, presented).await?).into());
        }
        Rotate::AssertionReplayed => return Err(caller.replayed(server)),
    };
    trail::about(request, family.plugin_id);
    let ring = server.keyring.current();
    let refresh_token = tokens::refresh::write(ring.mac_at(rotated_at)?, &presented.at(counter));
    let scopes = asked.scopes(&family.scopes)?;
    trail::done_again(server, request, Step::Refresh, "It was refreshed, and goes on.");
    Ok(issue(server, &ring, &Issue { client, family: &family, scopes: &scopes, now }, refresh_token)?)
}

/// Why a line did not turn. That a client came by less than before is counted: whoever stole the token has no key.
async fn why_not(
    server: &Server,
    caller: &Caller,
    asked: &RefreshRequest<'_>,
    presented: &RefreshToken,
) -> Result<Refusal, MachineError> {
    let Some(family) = own_family(server, &caller.client, presented).await? else {
        let is_shut_out = server.store.is_shut_out(presented.family_id, server.clock.now()).await?;
        return Ok(if is_shut_out { Refusal::ShutOut } else { Refusal::NotGood });
    };
    let refusal = asked.refusal(&family, &caller.client, caller.method);
    if matches!(refusal, Refusal::WeakerMethod { .. }) {
        metrics::refresh_downgrade_refused();
        let by = (caller.method, caller.origin.clone());
        server.refusals.refresh_downgraded(&family, by, server.clock.now());
    }
    Ok(refusal)
}

/// The family of a refresh token, if it stands and both are the client's.
async fn own_family(server: &Server, client: &Client, token: &RefreshToken) -> Result<Option<Family>, MachineError> {
    let family = server.store.standing_family(token.family_id, server.clock.now()).await?;
    Ok(family.filter(|family| family.client_id == client.id && family.has(token)))
}

/// What an access token is minted from.
struct Issue<'a> {
    client: &'a Client,
    family: &'a Family,
    scopes: &'a Scopes,
    now: Timestamp,
}

fn issue(server: &Server, ring: &Ring, issue: &Issue<'_>, refresh_token: String) -> Result<TokenAnswer, KeyError> {
    let Issue { client, family, scopes, now } = *issue;
    // Never longer than the family: an access token must not outlive what it stands with.
    let expires_at = (now + server.settings.access_token_lifetime).min(family.expires_at);
    let claims = tokens::access::Claims {
        iss: server.settings.issuer.clone(),
        sub: tokens::subject::pairwise(&family.subject_salt, family.account_id),
        aud: family.resource.clone(),
        client_id: client.client_id.clone(),
        iat: now.timestamp(),
        exp: expires_at.timestamp(),
        jti: tokens::access::jti(random::bytes()),
        scope: scopes.to_string(),
        auth_time: Some(family.auth_time.timestamp()),
        family: Some(family.id),
        generation: family.access_generation,
    };
    Ok(TokenAnswer {
        access_token: tokens::access::write(ring, family.signing_algorithm, &claims)?,
        token_type: dialect::token_type(client.dialect),
        expires_in: claims.exp - claims.iat,
        refresh_token: Some(refresh_token),
        scope: claims.scope,
    })
}

async fn client_credentials(
    server: &Server,
    request: &HttpRequest,
    caller: &Caller,
    asked: &ClientCredentialsRequest<'_>,
) -> Result<TokenAnswer, MachineError> {
    let client = &caller.client;
    let resource = resource::find(server, client, Ok(asked.requested_resource())).await?.map_err(OAuthError::from)?;
    trail::about(request, resource.plugin_id);
    let scopes = asked.check(client, &resource)?;
    caller.use_up(server, caller.assertion).await?;
    let now = server.clock.now();
    let ring = server.keyring.current();
    let claims = tokens::access::Claims {
        iss: server.settings.issuer.clone(),
        sub: client.client_id.clone(),
        aud: resource.identifier.to_string(),
        client_id: client.client_id.clone(),
        iat: now.timestamp(),
        exp: (now + server.settings.access_token_lifetime).timestamp(),
        jti: tokens::access::jti(random::bytes()),
        scope: scopes.to_string(),
        auth_time: None,
        family: None,
        generation: client.generation,
    };
    Ok(TokenAnswer {
        access_token: tokens::access::write(&ring, resource.signing_algorithm, &claims)?,
        token_type: dialect::token_type(client.dialect),
        expires_in: claims.exp - claims.iat,
        refresh_token: None,
        scope: claims.scope,
    })
}
