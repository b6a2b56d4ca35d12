//! `/api/v1/plugins/{slug}/clients/{client_id}/scopes`: what a client may ask for.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    caller::{Caller, take},
    clients::ShownClient,
};
use crate::{
    model::owner_token::OwnerScope,
    registry::clients::{Which, scopes},
    server::Server,
};

/// What a client may ask for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientScopes {
    /// All of it, by the names that the plugin's scopes have. What is not named is taken away.
    #[schema(min_items = 1, max_items = 128)]
    scopes: Vec<String>,
    /// The client's version that was read; left out, it is changed as it is.
    #[serde(default)]
    version: Option<i64>,
}

/// Says anew what a client may ask for. A scope that is taken away is gone from its connections at their next refresh, and
/// from what introspection says at once; one that is given is asked of people when they connect the next time, if
/// the client asks for it: where it names its scopes, the new list has to stand there too.
#[utoipa::path(
    put, path = "/plugins/{slug}/clients/{client_id}/scopes", operation_id = "replace_client_scopes", tag = "Clients",
    request_body = ClientScopes,
    responses((status = 200, description = "The client as it is now", body = ShownClient)),
    security(("owner_token" = ["clients:write"]))
)]
pub async fn replace(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let client = caller.client(&caller.plugin().await?).await?;
        let ClientScopes { scopes, version } = caller.json()?;
        let which = Which { client_id: &client.client_id, seen: version };
        caller.tell(&ShownClient::of(&scopes::replace(&caller.registry(), which, &scopes).await?))
    };
    take(&server, &request, (payload, OwnerScope::ClientsWrite), act).await
}
