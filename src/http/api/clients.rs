//! `/api/v1/plugins/{slug}/clients`: client IDs of a plugin.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    caller::{Caller, look, take},
    paging::{Paging, Part, time},
    problem::Problem,
};
use crate::{
    model::{
        client::{Client, ClientSecret},
        id::ClientId,
        owner_token::OwnerScope,
    },
    registry::clients::{self, NewClientForm, Which, changes, keys::KeysForm},
    server::Server,
};

/// A client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Client)]
pub struct ShownClient {
    /// What the wire calls it.
    client_id: String,
    /// What people are shown when they are asked for consent.
    name: String,
    /// How it speaks: `plugin`, `action`, `connector`, `service` or `custom`.
    dialect: &'static str,
    /// How it came to be known: `by_hand`, `document` or `dynamic`.
    registration: &'static str,
    /// Whether it gets anything.
    enabled: bool,
    /// Raised by every change: send it back to change what you have read.
    version: i64,
    /// Where people may be sent back to.
    redirect_uris: Vec<String>,
    /// What it may ask for; null for whatever the plugin offers.
    scopes: Option<Vec<String>>,
    /// When it was registered.
    #[schema(format = DateTime)]
    created_at: String,
    /// Its secrets that are valid, the newest first.
    secrets: Vec<ShownSecret>,
}

/// What is kept of a secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClientSecret)]
pub struct ShownSecret {
    /// By which it is ended.
    secret_id: String,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it ends; null where it has no end.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// When it was last used, to the minute; null where no use is noted.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
}

/// A page of clients.
#[derive(Debug, Serialize, ToSchema)]
pub struct Clients {
    /// The newest first.
    clients: Vec<ShownClient>,
    /// Where the next page begins; null where this is the last.
    next_cursor: Option<String>,
}

/// A client to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    /// How it speaks (`plugin`, `action`, `connector`, `service` or `custom`), or a known caller by its name.
    preset: String,
    /// What people are shown when they are asked for consent.
    name: String,
    /// Where people are sent back to; can be added later where the caller shows it only then.
    #[serde(default)]
    redirect_uris: Vec<String>,
    /// What it may ask for; everything that the plugin has where it is left out.
    #[serde(default)]
    scopes: Option<Vec<String>>,
    /// Its public keys (a JWK set), where it signs instead of showing a secret.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    jwks: Option<Value>,
    /// Or where they are published.
    #[serde(default)]
    jwks_uri: Option<String>,
}

/// A client that was registered just now.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegisteredClient {
    /// The client.
    client: ShownClient,
    /// Its secret, where it has one: answered this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    client_secret: Option<String>,
    /// Those of its redirect URIs that nobody named: the same on another host of the caller.
    twins: Vec<String>,
    /// Where the caller's own form is.
    place: &'static str,
    /// What that form asks for, in its words and order.
    fields: Vec<Field>,
    /// What to do afterwards, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    then: Option<&'static str>,
}

/// A field of somebody else's form.
#[derive(Debug, Serialize, ToSchema)]
pub struct Field {
    /// What it is called there.
    name: &'static str,
    /// What belongs into it.
    value: String,
}

/// Another name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// What people are shown.
    name: String,
    /// The version that was read; left out, it is changed as it is.
    #[serde(default)]
    version: Option<i64>,
}

/// Which client was seen.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// The version that was read; left out, it is changed as it is.
    #[serde(default)]
    version: Option<i64>,
}

/// A client that was deleted.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeletedClient {
    /// How many connections ended; null where more than 1,000 were made through it, which are not counted.
    connections: Option<u32>,
}

impl ShownSecret {
    fn of(secret: &ClientSecret) -> Self {
        Self {
            secret_id: secret.id.to_string(),
            created_at: time(secret.created_at),
            expires_at: secret.expires_at.map(time),
            last_used_at: secret.last_used_at.map(time),
        }
    }
}

impl ShownClient {
    /// One that was registered just now, told without being looked up again: a secret that is not answered now is known
    /// to nobody.
    fn of_new(client: &clients::Registered) -> Self {
        let client = &client.client;
        Self {
            client_id: client.client_id.clone(),
            name: client.name.clone(),
            dialect: client.dialect.as_str(),
            registration: client.registration.as_str(),
            enabled: true,
            version: 1,
            redirect_uris: client.redirect_uris.iter().map(ToString::to_string).collect(),
            scopes: client.scopes.as_ref().map(|scopes| scopes.iter().map(str::to_owned).collect()),
            created_at: time(client.at),
            secrets: client.secret.iter().map(ShownSecret::of).collect(),
        }
    }

    /// As it is told.
    pub(super) fn of(client: &Client) -> Self {
        Self {
            client_id: client.client_id.clone(),
            name: client.name.clone(),
            dialect: client.dialect.as_str(),
            registration: client.registration.as_str(),
            enabled: client.enabled,
            version: client.version,
            redirect_uris: client.redirect_uris.iter().map(ToString::to_string).collect(),
            scopes: client.scopes.as_ref().map(|scopes| scopes.iter().map(str::to_owned).collect()),
            created_at: time(client.created_at),
            secrets: client.secrets.iter().map(ShownSecret::of).collect(),
        }
    }
}

impl NewClient {
    fn form(self) -> Result<NewClientForm, Problem> {
        // On the command line no scope means all of them; an empty list means that none was wanted.
        if self.scopes.as_ref().is_some_and(Vec::is_empty) {
            return Err(Problem::wrong("scopes", "nothing is named that it may ask for"));
        }
        let keys = match (self.jwks, self.jwks_uri) {
            (None, None) => KeysForm::None,
            (Some(set), None) => KeysForm::Set(set.to_string().into_bytes()),
            (None, Some(uri)) => KeysForm::Published(uri),
            (Some(_), Some(_)) => return Err(Problem::wrong("jwks_uri", "it stands beside jwks; give one")),
        };
        let scopes = self.scopes.unwrap_or_default();
        Ok(NewClientForm { preset: self.preset, name: self.name, callbacks: self.redirect_uris, scopes, keys })
    }
}

/// Lists the clients of a plugin.
#[utoipa::path(
    get, path = "/plugins/{slug}/clients", operation_id = "list_clients", tag = "Clients", params(Paging),
    responses((status = 200, description = "A page of them, newest first", body = Clients)),
    security(("owner_token" = ["plugins:read"]))
)]
pub async fn list(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let part = Part::asked_for(caller)?;
        let mut clients = server.store.clients_of(plugin.id, server.clock.now(), part.page(ClientId)).await?;
        let next_cursor = part.cut(&mut clients, |client| client.id.0);
        caller.tell(&Clients { clients: clients.iter().map(ShownClient::of).collect(), next_cursor })
    };
    look(&server, &request, OwnerScope::PluginsRead, act).await
}

/// Registers a client of a plugin.
#[utoipa::path(
    post, path = "/plugins/{slug}/clients", operation_id = "create_client", tag = "Clients", request_body = NewClient,
    responses((status = 201, description = "It is registered", body = RegisteredClient)),
    security(("owner_token" = ["clients:write"]))
)]
pub async fn register(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let form = caller.json::<NewClient>()?.form()?;
        let registered = clients::register(&caller.registry(), &plugin, &form).await?;
        let client = ShownClient::of_new(&registered);
        let path = format!("/plugins/{}/clients/{}", plugin.slug, client.client_id);
        let fields = registered.handover.fields.into_iter().map(|(name, value)| Field { name, value });
        let answer = RegisteredClient {
            client,
            client_secret: registered.secret.map(|secret| secret.reveal().to_owned()),
            twins: registered.twins.iter().map(ToString::to_string).collect(),
            place: registered.handover.place,
            fields: fields.collect(),
            then: registered.handover.then,
        };
        caller.made(&path, &answer)
    };
    take(&server, &request, (payload, OwnerScope::ClientsWrite), act).await
}

/// Reads a client.
#[utoipa::path(
    get, path = "/plugins/{slug}/clients/{client_id}", operation_id = "read_client", tag = "Clients",
    responses((status = 200, description = "The client", body = ShownClient)),
    security(("owner_token" = ["plugins:read"]))
)]
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let client = caller.client(&caller.plugin().await?).await?;
        caller.tell(&ShownClient::of(&client))
    };
    look(&server, &request, OwnerScope::PluginsRead, act).await
}

/// Gives a client another name.
#[utoipa::path(
    patch, path = "/plugins/{slug}/clients/{client_id}", operation_id = "rename_client", tag = "Clients",
    request_body = Rename, responses((status = 200, description = "The client as it is now", body = ShownClient)),
    security(("owner_token" = ["clients:write"]))
)]
pub async fn rename(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let client = caller.client(&caller.plugin().await?).await?;
        let Rename { name, version } = caller.json()?;
        let which = Which { client_id: &client.client_id, seen: version };
        caller.tell(&ShownClient::of(&changes::rename(&caller.registry(), which, &name).await?))
    };
    take(&server, &request, (payload, OwnerScope::ClientsWrite), act).await
}

/// Deletes a client with its secrets, consents and connections.
#[utoipa::path(
    delete, path = "/plugins/{slug}/clients/{client_id}", operation_id = "delete_client", tag = "Clients",
    responses((status = 200, description = "It is gone, and what ended with it", body = DeletedClient)),
    security(("owner_token" = ["clients:write"]))
)]
pub async fn delete(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let client = caller.client(&caller.plugin().await?).await?;
        let deleted = changes::delete(&caller.registry(), &client.client_id).await?;
        caller.tell(&DeletedClient { connections: deleted.connections })
    };
    look(&server, &request, OwnerScope::ClientsWrite, act).await
}

/// Disables a client: nothing it was given is valid any more.
#[utoipa::path(
    post, path = "/plugins/{slug}/clients/{client_id}/disable", operation_id = "disable_client", tag = "Clients",
    responses((status = 200, description = "The client as it is now", body = ShownClient)),
    security(("owner_token" = ["clients:write"]))
)]
pub async fn disable(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let client = caller.client(&caller.plugin().await?).await?;
        caller.tell(&ShownClient::of(&changes::disable(&caller.registry(), &client.client_id).await?))
    };
    look(&server, &request, OwnerScope::ClientsWrite, act).await
}

/// Enables a client again; people connect anew.
#[utoipa::path(
    post, path = "/plugins/{slug}/clients/{client_id}/enable", operation_id = "enable_client", tag = "Clients",
    request_body = Seen, responses((status = 200, description = "The client as it is now", body = ShownClient)),
    security(("owner_token" = ["clients:write"]))
)]
pub async fn enable(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let client = caller.client(&caller.plugin().await?).await?;
        let Seen { version } = caller.json()?;
        let which = Which { client_id: &client.client_id, seen: version };
        caller.tell(&ShownClient::of(&changes::enable(&caller.registry(), which).await?))
    };
    take(&server, &request, (payload, OwnerScope::ClientsWrite), act).await
}
