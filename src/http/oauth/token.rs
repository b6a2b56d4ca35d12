//! `POST /token` (RFC 6749 §3.2): one straight path per grant.
//!
//! Caller → grant's checks (`protocol::token`) → one step of `store::families` → tokens (`tokens`).

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use super::caller::{Caller, answer, peer};
use crate::{
    http::failure::MachineError,
    keys::{KeyError, ring::Ring},
    model::{Timestamp, audit::Actor, client::Client, family::Family, refresh_token::RefreshToken, scope::Scopes},
    protocol::{
        dialect,
        token::{
            TokenRequest,
            answer::TokenAnswer,
            authorization_code::{self, CodeRequest},
            client_credentials::ClientCredentialsRequest,
            refresh::{self, RefreshRequest},
        },
    },
    random,
    server::Server,
    store::families::{Redeem, Redemption, Rotate, Rotation},
    tokens,
};

/// The endpoint.
pub async fn token(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    answer(&request, grant(&server, &request, payload).await)
}

async fn grant(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, MachineError> {
    let caller = Caller::read(server, request, payload).await?;
    let issued = match TokenRequest::read(&caller.parameters, &caller.client)? {
        TokenRequest::AuthorizationCode(code) => redeem(server, request, &caller.client, &code).await?,
        TokenRequest::Refresh(refresh) => rotate(server, request, &caller.client, &refresh).await?,
        TokenRequest::ClientCredentials(credentials) => client_credentials(server, &caller.client, &credentials)?,
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(issued))
}

async fn redeem(
    server: &Server,
    request: &HttpRequest,
    client: &Client,
    asked: &CodeRequest<'_>,
) -> Result<TokenAnswer, MachineError> {
    let now = server.clock.now();
    let ring = server.keyring.knowing(tokens::code::kid(asked.code), &server.store, now).await?;
    let good = asked.check(tokens::code::read(&ring, asked.code), client, now)?;
    let line = RefreshToken { family_id: good.code.id, counter: 0, secret: random::bytes() };
    let redemption = Redemption {
        id: good.code.id,
        redemption: random::bytes(),
        account_id: good.code.account_id,
        client_id: client.id,
        consent_id: good.code.consent_id,
        birth: good.code.birth,
        resource: good.resource,
        scopes: good.scopes,
        authentication_method: client.authentication_method,
        secret_digest: line.secret_digest(),
        auth_time: good.auth_time,
        at: now,
        expires_at: now + server.settings.refresh_absolute,
        idle_until: server.settings.idle_until(now).min(now + server.settings.refresh_absolute),
    };
    let audit = server.audit(Actor::Client(client.id), peer(request));
    match server.store.redeem(&redemption, &audit).await? {
        Redeem::Won(family) => {
            let refresh_token = tokens::refresh::write(ring.mac()?, &line);
            let scopes = family.scopes.clone();
            Ok(issue(server, &ring, &Issue { client, family: &family, scopes: &scopes, now }, refresh_token)?)
        }
        Redeem::Replayed => {
            tracing::warn!(family.id = %good.code.id, client.id = %client.client_id, "a code was presented twice; its family is ended");
            Err(authorization_code::NOT_GOOD.into())
        }
        Redeem::NotStanding => Err(authorization_code::NOT_GOOD.into()),
    }
}

async fn rotate(
    server: &Server,
    request: &HttpRequest,
    client: &Client,
    asked: &RefreshRequest<'_>,
) -> Result<TokenAnswer, MachineError> {
    asked.check(client)?;
    let now = server.clock.now();
    let ring = server.keyring.knowing(tokens::refresh::kid(asked.refresh_token), &server.store, now).await?;
    let presented = tokens::refresh::read(&ring, asked.refresh_token).ok_or(refresh::NOT_GOOD)?;
    if asked.names_scopes()
        && let Some(family) = server.store.standing_family(presented.family_id, now).await?
        && family.client_id == client.id
    {
        asked.scopes(&family.scopes)?;
    }
    let rotation = Rotation {
        id: presented.family_id,
        client_id: client.id,
        authentication_method: client.authentication_method,
        secret_digest: presented.secret_digest(),
        presented: presented.counter,
        grace: server.settings.refresh_grace,
        at: now,
        idle_until: server.settings.idle_until(now),
    };
    let audit = server.audit(Actor::Client(client.id), peer(request));
    let (family, counter, rotated_at) = match server.store.rotate(&rotation, &audit).await? {
        Rotate::Rotated { family, counter, jumped } => {
            if jumped {
                tracing::warn!(family.id = %family.id, "a refresh token is ahead of the database; was a backup restored?");
            }
            (family, counter, now)
        }
        Rotate::Repeated { family, counter, rotated_at } => (family, counter, rotated_at),
        Rotate::Replayed => {
            tracing::warn!(family.id = %presented.family_id, client.id = %client.client_id, "a superseded refresh token was presented; its family is ended");
            return Err(refresh::NOT_GOOD.into());
        }
        Rotate::NotStanding => return Err(refresh::NOT_GOOD.into()),
    };
    let refresh_token = tokens::refresh::write(ring.mac_at(rotated_at)?, &presented.at(counter));
    let scopes = asked.scopes(&family.scopes)?;
    Ok(issue(server, &ring, &Issue { client, family: &family, scopes: &scopes, now }, refresh_token)?)
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
        sub: tokens::subject::pairwise(&client.plugin.subject_salt, family.account_id),
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
        access_token: tokens::access::write(ring, &claims)?,
        token_type: dialect::token_type(client.dialect),
        expires_in: claims.exp - claims.iat,
        refresh_token: Some(refresh_token),
        scope: claims.scope,
    })
}

fn client_credentials(
    server: &Server,
    client: &Client,
    asked: &ClientCredentialsRequest<'_>,
) -> Result<TokenAnswer, MachineError> {
    let (resource, scopes) = asked.check(client)?;
    let now = server.clock.now();
    let ring = server.keyring.current();
    let claims = tokens::access::Claims {
        iss: server.settings.issuer.clone(),
        sub: client.client_id.clone(),
        aud: resource,
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
        access_token: tokens::access::write(&ring, &claims)?,
        token_type: dialect::token_type(client.dialect),
        expires_in: claims.exp - claims.iat,
        refresh_token: None,
        scope: claims.scope,
    })
}
