//! `/register/{client_id}` (RFC 7592 §2): a client that registered itself looks at its registration, changes it,
//! leaves.
//!
//! It shows the token it was given when it registered. Clients that were registered otherwise have none, and for
//! whoever asks about them there is nobody here.

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use super::{
    caller::{answer, origin},
    register::{count, needs_secret, own_words, read, scope_of, uri_of},
};
use crate::{
    http::{extract::credentials, failure::MachineError},
    model::{audit::Actor, client::Client, scope::Scopes},
    protocol::{
        client_metadata::Registration,
        registration::{self, ClientInformation, Credentials, NOT_GOOD, Said},
    },
    registry::clients::secrets::new_secret,
    server::{Server, documents},
    store::{
        StoreResult,
        clients::{ChangedRegistration, OwnWords},
    },
    tokens::secret::{REGISTRATION, SecretText},
};

type Id = web::Path<String>;

/// `GET`: what is registered.
pub async fn look(server: web::Data<Server>, id: Id, request: HttpRequest) -> HttpResponse {
    answer(&request, show(&server, &id, &request).await)
}

/// `PUT`: something else instead.
pub async fn change(server: web::Data<Server>, id: Id, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    answer(&request, replace(&server, &id, &request, payload).await)
}

/// `DELETE`: nothing any more.
pub async fn leave(server: web::Data<Server>, id: Id, request: HttpRequest) -> HttpResponse {
    answer(&request, end(&server, &id, &request).await)
}

async fn show(server: &Server, id: &str, request: &HttpRequest) -> Result<HttpResponse, MachineError> {
    let (client, token) = prove(server, id, request).await?;
    let credentials = Credentials {
        registration_client_uri: uri_of(server, &client),
        registration_access_token: token.reveal(),
        client_secret: None,
    };
    let said = Said::kept(server.store.registered_metadata(client.id).await?.as_deref());
    let scope = scope_of(server, &client).await?;
    Ok(tell(&ClientInformation::new(&client, said, scope, credentials)))
}

async fn replace(
    server: &Server,
    id: &str,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, MachineError> {
    let (client, token) = prove(server, id, request).await?;
    count(server, request)?;
    let asked = read(server, request, payload).await?;
    registration::check_change(&client, &asked)?;
    let now = server.clock.now();
    let lacks_secret = needs_secret(&asked) && client.secrets.is_empty();
    let (secret, kept) = lacks_secret.then(|| new_secret(now)).unzip();
    let changed = ChangedRegistration {
        client_id: client.client_id.clone(),
        name: asked.metadata.name.clone(),
        authentication_methods: asked.metadata.methods,
        signing_algorithm: asked.metadata.signing_algorithm,
        keys: documents::keys_read_at(&asked.metadata, now),
        redirect_uris: asked.metadata.redirect_uris.clone(),
        scopes: None,
        own_words: OwnWords { default_scopes: default_scopes(server, &client, &asked).await?, ..own_words(&asked) },
        secret: kept,
    };
    let audit = server.audit(Actor::Client(client.id), origin(request));
    // Disabled since it proved itself: that is no longer a client.
    let client = server.store.change_registration(&changed, &audit).await?.ok_or(NOT_GOOD)?;
    tracing::info!(client.id = %client.id, client.address = audit.origin.address, "a client changed its registration");
    let credentials = Credentials {
        registration_client_uri: uri_of(server, &client),
        registration_access_token: token.reveal(),
        client_secret: secret.as_ref().map(SecretText::reveal),
    };
    let scope = scope_of(server, &client).await?;
    Ok(tell(&ClientInformation::new(&client, Said::of(&asked), scope, credentials)))
}

/// What it asks for from now on when it names nothing. What it was told, sent back, changes nothing: one that named no
/// scope is told all there are, and shall get those too that are added later.
async fn default_scopes(server: &Server, client: &Client, asked: &Registration) -> StoreResult<Option<Scopes>> {
    let Some(named) = &asked.metadata.scope else { return Ok(None) };
    let was_told = scope_of(server, client).await?.is_some_and(|told| told == named.to_string());
    Ok(if was_told { client.default_scopes.clone() } else { Some(named.clone()) })
}

async fn end(server: &Server, id: &str, request: &HttpRequest) -> Result<HttpResponse, MachineError> {
    let (client, _) = prove(server, id, request).await?;
    let audit = server.audit(Actor::Client(client.id), origin(request));
    server.store.disable_client(&client.client_id, &audit).await?;
    tracing::info!(client.id = %client.id, client.address = audit.origin.address, "a client ended its registration");
    Ok(HttpResponse::NoContent().insert_header((header::CACHE_CONTROL, "no-store")).finish())
}

/// The client of a token: one reading, whether there is such a client or not.
async fn prove(server: &Server, id: &str, request: &HttpRequest) -> Result<(Client, SecretText), MachineError> {
    let shown = credentials::bearer(request).and_then(|text| SecretText::parse(REGISTRATION, text));
    let token = shown.ok_or(NOT_GOOD)?;
    let found = server.store.client(id, server.clock.now()).await?;
    let is_good = registration::manages(found.as_ref(), token.digest());
    match found {
        Some(client) if is_good => Ok((client, token)),
        known => {
            // Of an address that is nobody's, nothing is said: what stands there may be a secret in the wrong place.
            let known = known.as_ref().map(|client| client.client_id.as_str());
            tracing::warn!(client.id = known, "a registration access token is not good");
            Err(NOT_GOOD.into())
        }
    }
}

fn tell(information: &ClientInformation<'_>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(information)
}
