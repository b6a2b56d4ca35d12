//! `/api/v1/plugins/{slug}/clients/{client_id}/secrets`: secrets of a client, renewed and ended.

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    caller::{Caller, look, take},
    clients::ShownClient,
    paging::time,
    problem::Problem,
};
use crate::{
    model::{id::ClientSecretId, owner_token::OwnerScope},
    registry::clients::secrets,
    server::Server,
};

/// A new secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// How long the secret before stays valid beside it, in seconds: at most 30 days.
    #[schema(maximum = 2_592_000)]
    keep_old_seconds: u32,
    /// The newest secret that was seen: whoever comes second, or sends the same twice, is told.
    #[schema(format = "uuid")]
    secret_id: String,
}

/// A client with a new secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct RenewedSecret {
    /// The client as it is now.
    client: ShownClient,
    /// The new secret: answered this once.
    client_secret: String,
    /// When the one before ends.
    #[schema(format = DateTime)]
    old_expires_at: String,
}

/// Makes a new secret; two are valid at a time.
#[utoipa::path(
    post, path = "/plugins/{slug}/clients/{client_id}/secrets", operation_id = "renew_secret", tag = "Clients",
    request_body = Renewal, responses((status = 201, description = "It is valid from now on", body = RenewedSecret)),
    security(("owner_token" = ["clients:write"]))
)]
pub async fn renew(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let client = caller.client(&plugin).await?;
        let Renewal { keep_old_seconds, secret_id } = caller.json()?;
        let seen = secret_id.parse().map(ClientSecretId);
        let seen = seen.map_err(|_| Problem::wrong("secret_id", "it is not the id of a secret"))?;
        let keep_old = TimeDelta::seconds(i64::from(keep_old_seconds));
        let rotated = secrets::rotate(&caller.registry(), &client.client_id, keep_old, Some(seen)).await?;
        let answer = RenewedSecret {
            client: ShownClient::of(&rotated.client),
            client_secret: rotated.secret.reveal().to_owned(),
            old_expires_at: time(rotated.old_expires_at),
        };
        caller.made(&format!("/plugins/{}/clients/{}", plugin.slug, client.client_id), &answer)
    };
    take(&server, &request, (payload, OwnerScope::ClientsWrite), act).await
}

/// Ends a secret now, if one without an end is left.
#[utoipa::path(
    delete, path = "/plugins/{slug}/clients/{client_id}/secrets/{secret_id}", operation_id = "end_secret",
    tag = "Clients", responses((status = 200, description = "The client as it is now", body = ShownClient)),
    security(("owner_token" = ["clients:write"]))
)]
pub async fn end(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let client = caller.client(&caller.plugin().await?).await?;
        let id = ClientSecretId(caller.id("secret_id")?);
        if !client.secrets.iter().any(|secret| secret.id == id) {
            return Err(Problem::NotThere);
        }
        caller.tell(&ShownClient::of(&secrets::end(&caller.registry(), &client.client_id, id).await?))
    };
    look(&server, &request, OwnerScope::ClientsWrite, act).await
}
