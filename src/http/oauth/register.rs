//! `POST /register` (RFC 7591 §3): a client registers itself.
//!
//! Who may → rate → body (`protocol::client_metadata`) → what it may have (`protocol::registration`) → one row. Nobody
//! is asked and nothing is proven: it gives the client an id, and nothing until a person consents.

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use super::{
    caller::{answer, origin},
    resource,
};
use crate::{
    http::{
        extract::{self, body, credentials},
        failure::MachineError,
        trail,
    },
    model::{
        audit::Actor,
        client::{AuthenticationMethod, Client, Dialect, Registration as Origin},
        digest::Digest,
        flow::{FlowId, Step},
        id::ClientId,
        mechanisms::Registrants,
    },
    protocol::{
        client_metadata::{Registration, read_registration},
        error::OAuthError,
        registration::{self, ClientInformation, Credentials, Said},
    },
    random,
    registry::clients::secrets::new_secret,
    server::{Server, documents},
    store::{
        StoreError, StoreResult,
        clients::{NewClient, OwnWords},
    },
    telemetry::metrics,
    tokens::secret::{REGISTRATION, SecretText},
};

/// The endpoint.
pub async fn register(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    trail::at(&request, Step::Registration);
    answer(&request, run(&server, &request, payload).await)
}

async fn run(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, MachineError> {
    admit(server, request)?;
    let asked = read(server, request, payload).await?;
    let now = server.clock.now();
    let token = SecretText::new(REGISTRATION, random::bytes());
    let (secret, kept) = needs_secret(&asked).then(|| new_secret(now)).unzip();
    let id = ClientId(random::id(now));
    let client = NewClient {
        id,
        client_id: id.to_string(),
        plugin_id: None,
        registration: Origin::Dynamic,
        name: asked.metadata.name.clone(),
        dialect: Dialect::Connector,
        authentication_methods: asked.metadata.methods,
        signing_algorithm: asked.metadata.signing_algorithm,
        keys: documents::keys_read_at(&asked.metadata, now),
        redirect_uris: asked.metadata.redirect_uris.clone(),
        // What it names is what it means to ask for first; it will step up to more, and a person is asked each time.
        scopes: None,
        secret: kept,
        registration_digest: Some(token.digest()),
        ends_at: None,
        own_words: own_words(&asked),
        at: now,
    };
    server.store.add_client(&client, &server.audit(Actor::Client(id), origin(request))).await?;
    let client =
        server.store.client(&client.client_id, now).await?.ok_or(StoreError::Broken("the client is gone".into()))?;
    trail::by(request, &client);
    trail::of_flow(request, FlowId::of(id.0));
    // Its name is in its row. What a stranger calls itself, an address perhaps, has no place in the log.
    trail::done(request, Step::Registration, "A client registered itself.");
    let credentials = Credentials {
        registration_client_uri: uri_of(server, &client),
        registration_access_token: token.reveal(),
        client_secret: secret.as_ref().map(SecretText::reveal),
    };
    let told = ClientInformation::new(&client, Said::of(&asked), scope_of(server, &client).await?, credentials);
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"))
        .json(told))
}

/// Whether one more registration is taken, from this caller and at this moment. Asked before the body is read: a flood
/// is to cost no more than its heads.
fn admit(server: &Server, request: &HttpRequest) -> Result<(), MachineError> {
    let registrants = &server.settings.mechanisms.registration.registrants;
    let refused = |error: OAuthError| {
        metrics::registration_refused();
        Err(error.into())
    };
    match registrants {
        Registrants::Nobody => refused(registration::NOT_OPEN),
        // Before it is counted: strangers without the token shall not use up the rate of those who have it.
        Registrants::Bearer(expected)
            if credentials::bearer(request).is_none_or(|shown| Digest::of(shown) != *expected.get()) =>
        {
            refused(registration::NOT_INITIATED)
        }
        Registrants::Bearer(_) | Registrants::Anybody => count(server, request),
    }
}

/// Counts a registration, or a change to one: both write.
pub(super) fn count(server: &Server, request: &HttpRequest) -> Result<(), MachineError> {
    server.registrations.count(extract::peer::of(request)).map_err(|refused| {
        metrics::registration_refused();
        tracing::debug!(client.address = origin(request).address, "a registration was refused: there are too many");
        MachineError::TooMany(refused)
    })
}

/// What a client asks to be registered as, reduced to what it may have.
pub(super) async fn read(
    server: &Server,
    request: &HttpRequest,
    payload: web::Payload,
) -> Result<Registration, MachineError> {
    let body = body::json(request, payload).await?;
    let asked = read_registration(&body).map_err(OAuthError::from)?;
    Ok(registration::admit(asked, server.settings.mechanisms.registration.redirects)?)
}

/// Whether it will prove itself by a secret.
pub(super) fn needs_secret(asked: &Registration) -> bool {
    asked.metadata.methods.contains(AuthenticationMethod::ClientSecret)
}

/// What is kept of the rest it says.
pub(super) fn own_words(asked: &Registration) -> OwnWords {
    OwnWords { default_scopes: asked.metadata.scope.clone(), metadata: Said::of(asked).to_keep() }
}

/// Where a client manages its registration.
pub(super) fn uri_of(server: &Server, client: &Client) -> String {
    format!("{}/register/{}", server.settings.issuer, client.client_id)
}

/// What a client gets when it names nothing; where that takes a resource to be named, what it said it would ask for.
pub(super) async fn scope_of(server: &Server, client: &Client) -> StoreResult<Option<String>> {
    let resource = resource::find(server, client, Ok(None)).await?.ok();
    let scopes = resource.map(|resource| client.default_scopes_at(&resource)).or_else(|| client.default_scopes.clone());
    Ok(scopes.map(|scopes| scopes.to_string()))
}
