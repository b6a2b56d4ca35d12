//! `/api/v1/plugins/{slug}/clients/{client_id}/redirect-uris` and `…/offers`: where people may be sent back to, and what
//! was asked for that is not registered.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    caller::{Caller, look, take},
    clients::ShownClient,
    paging::time,
    problem::Problem,
};
use crate::{
    model::owner_token::OwnerScope,
    registry::clients::{Which, callbacks},
    server::Server,
};

/// The name of the one field there is, where it is one.
const ONE: &str = "redirect_uri";
const MANY: &str = "redirect_uris";

/// Redirect URIs to be registered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedirectUris {
    /// Each comes with the same on the caller's other host, where it has one.
    #[schema(min_items = 1, max_items = 20)]
    redirect_uris: Vec<String>,
    /// The client's version that was read; left out, it is changed as it is.
    #[serde(default)]
    version: Option<i64>,
}

/// One redirect URI.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OneRedirectUri {
    /// As it stands in the list.
    redirect_uri: String,
    /// The client's version that was read; left out, it is changed as it is.
    #[serde(default)]
    version: Option<i64>,
}

/// Redirect URIs that were asked for and look like the client's own.
#[derive(Debug, Serialize, ToSchema)]
pub struct Offers {
    /// The one asked for last in front.
    offers: Vec<Offer>,
}

/// One of them. Approve it only if the caller shows the very same: a stranger can have caused it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Offer {
    /// What was asked for.
    redirect_uri: String,
    /// When first.
    #[schema(format = DateTime)]
    first_seen_at: String,
    /// When last.
    #[schema(format = DateTime)]
    last_seen_at: String,
    /// How often, about.
    seen: i64,
}

/// Registers further redirect URIs of a client.
#[utoipa::path(
    post, path = "/plugins/{slug}/clients/{client_id}/redirect-uris", operation_id = "add_redirect_uris",
    tag = "Clients", request_body = RedirectUris,
    responses((status = 200, description = "The client as it is now", body = ShownClient)),
    security(("owner_token" = ["clients:write"]))
)]
pub async fn add(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let client = caller.client(&caller.plugin().await?).await?;
        let RedirectUris { redirect_uris, version } = caller.json()?;
        if redirect_uris.is_empty() {
            return Err(Problem::wrong(MANY, "none is named"));
        }
        let which = Which { client_id: &client.client_id, seen: version };
        caller.tell(&ShownClient::of(&callbacks::add(&caller.registry(), which, &redirect_uris).await?))
    };
    take(&server, &request, (payload, OwnerScope::ClientsWrite), act).await
}

/// Takes a redirect URI of a client away, and the same on the caller's other host.
#[utoipa::path(
    post, path = "/plugins/{slug}/clients/{client_id}/redirect-uris/remove", operation_id = "remove_redirect_uri",
    tag = "Clients", request_body = OneRedirectUri,
    responses((status = 200, description = "The client as it is now", body = ShownClient)),
    security(("owner_token" = ["clients:write"]))
)]
pub async fn remove(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let client = caller.client(&caller.plugin().await?).await?;
        let OneRedirectUri { redirect_uri, version } = caller.json()?;
        let which = Which { client_id: &client.client_id, seen: version };
        let removed = callbacks::remove(&caller.registry(), which, &redirect_uri).await;
        caller.tell(&ShownClient::of(&removed.map_err(|error| Problem::from(error).calling(MANY, ONE))?))
    };
    take(&server, &request, (payload, OwnerScope::ClientsWrite), act).await
}

/// Lists the redirect URIs that were asked for within a week and are not registered.
#[utoipa::path(
    get, path = "/plugins/{slug}/clients/{client_id}/offers", operation_id = "list_offers", tag = "Clients",
    responses((status = 200, description = "All of them", body = Offers)),
    security(("owner_token" = ["plugins:read"]))
)]
pub async fn offers(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let client = caller.client(&caller.plugin().await?).await?;
        let offers = callbacks::offers(&caller.registry(), &client).await?.into_iter().map(|offer| Offer {
            redirect_uri: offer.redirect_uri.to_string(),
            first_seen_at: time(offer.first_seen_at),
            last_seen_at: time(offer.last_seen_at),
            seen: offer.seen,
        });
        caller.tell(&Offers { offers: offers.collect() })
    };
    look(&server, &request, OwnerScope::PluginsRead, act).await
}

/// Registers a redirect URI that is offered.
#[utoipa::path(
    post, path = "/plugins/{slug}/clients/{client_id}/offers/approve", operation_id = "approve_offer", tag = "Clients",
    request_body = OneRedirectUri,
    responses((status = 200, description = "The client as it is now", body = ShownClient)),
    security(("owner_token" = ["clients:write"]))
)]
pub async fn approve(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let client = caller.client(&caller.plugin().await?).await?;
        let OneRedirectUri { redirect_uri, version } = caller.json()?;
        let which = Which { client_id: &client.client_id, seen: version };
        let approved = callbacks::approve(&caller.registry(), which, &redirect_uri).await;
        caller.tell(&ShownClient::of(&approved.map_err(|error| Problem::from(error).calling(MANY, ONE))?))
    };
    take(&server, &request, (payload, OwnerScope::ClientsWrite), act).await
}

/// Takes an offer away; it comes back if it is asked for again.
#[utoipa::path(
    post, path = "/plugins/{slug}/clients/{client_id}/offers/dismiss", operation_id = "dismiss_offer", tag = "Clients",
    request_body = OneRedirectUri, responses((status = 204, description = "It is not offered any more")),
    security(("owner_token" = ["clients:write"]))
)]
pub async fn dismiss(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let client = caller.client(&caller.plugin().await?).await?;
        let OneRedirectUri { redirect_uri, .. } = caller.json()?;
        let dismissed = callbacks::dismiss(&caller.registry(), &client.client_id, &redirect_uri).await;
        dismissed.map_err(|error| Problem::from(error).calling(MANY, ONE))?;
        caller.done()
    };
    take(&server, &request, (payload, OwnerScope::ClientsWrite), act).await
}
