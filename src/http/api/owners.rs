//! `/api/v1/plugins/{slug}/owners` and `…/invitations`: who owns a plugin, and who is asked to.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    caller::{Answer, Caller, look, take},
    paging::time,
    problem::Problem,
};
use crate::{
    http::console::owners::invite as ask,
    model::{
        id::{AccountId, PluginId},
        owner_token::OwnerScope,
    },
    registry::owners,
    server::{Server, people::Invited},
};

/// Who owns a plugin.
#[derive(Debug, Serialize, ToSchema)]
pub struct Owners {
    /// In the order in which they came.
    owners: Vec<ShownOwner>,
    /// Who is asked and has not answered.
    invitations: Vec<ShownInvitation>,
}

/// An owner.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Owner)]
pub struct ShownOwner {
    /// By which they are removed.
    account_id: String,
    /// Their name.
    name: String,
    /// Their address.
    email: String,
    /// Since when.
    #[schema(format = DateTime)]
    added_at: String,
}

/// Somebody who is asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Invitation)]
pub struct ShownInvitation {
    /// Their address.
    email: String,
    /// Until when.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// An address.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Such as name@example.com.
    email: String,
}

async fn all(caller: &Caller<'_>, plugin: PluginId) -> Answer {
    let store = &caller.server.store;
    let owners = store.owners(plugin).await?.into_iter().map(|owner| ShownOwner {
        account_id: owner.account_id.to_string(),
        name: owner.name,
        email: owner.email.to_string(),
        added_at: time(owner.added_at),
    });
    let invited = store.invitations_of(plugin, caller.server.clock.now()).await?.into_iter();
    let invitation = invited.map(|it| ShownInvitation { email: it.email.to_string(), expires_at: time(it.expires_at) });
    caller.tell(&Owners { owners: owners.collect(), invitations: invitation.collect() })
}

/// Says who owns a plugin.
#[utoipa::path(
    get, path = "/plugins/{slug}/owners", operation_id = "list_owners", tag = "Owners",
    responses((status = 200, description = "All of them", body = Owners)),
    security(("owner_token" = ["plugins:read"]))
)]
pub async fn list(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| all(caller, caller.plugin().await?.id).await;
    look(&server, &request, OwnerScope::PluginsRead, act).await
}

/// Makes somebody an owner without asking; only administrators may.
#[utoipa::path(
    post, path = "/plugins/{slug}/owners", operation_id = "add_owner", tag = "Owners", request_body = Address,
    responses((status = 200, description = "Who owns it now", body = Owners)),
    security(("owner_token" = ["owners:write"]))
)]
pub async fn add(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?.id;
        let Address { email } = caller.json()?;
        owners::add(&caller.registry(), plugin, &email).await?;
        all(caller, plugin).await
    };
    take(&server, &request, (payload, OwnerScope::OwnersWrite), act).await
}

/// Removes an owner, who may be the token's own: leaving is the same. The last one stays.
#[utoipa::path(
    delete, path = "/plugins/{slug}/owners/{account_id}", operation_id = "remove_owner", tag = "Owners",
    responses((status = 204, description = "They own it no more")), security(("owner_token" = ["owners:write"]))
)]
pub async fn remove(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?.id;
        let owner = AccountId(caller.id("account_id")?);
        let removed = owners::remove(&caller.registry(), plugin, owner).await;
        removed.map_err(|error| Problem::from(error).calling("email", "account_id"))?;
        caller.done()
    };
    look(&server, &request, OwnerScope::OwnersWrite, act).await
}

/// Asks whoever reads the mail of an address to own a plugin.
#[utoipa::path(
    post, path = "/plugins/{slug}/invitations", operation_id = "invite_owner", tag = "Owners", request_body = Address,
    responses((status = 200, description = "A mail is on its way; who owns it, and who is asked", body = Owners)),
    security(("owner_token" = ["owners:write"]))
)]
pub async fn invite(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?.id;
        let Address { email } = caller.json()?;
        match ask(&server, &request, &caller.registry(), (plugin, &email)).await?? {
            Invited::NotOffered => Err(Problem::wrong("", "no mail is sent here, so nobody can be invited")),
            Invited::TooMany => Err(Problem::wrong("email", "there are too many invitations")),
            Invited::Asked => all(caller, plugin).await,
        }
    };
    take(&server, &request, (payload, OwnerScope::OwnersWrite), act).await
}

/// Takes an invitation back.
#[utoipa::path(
    post, path = "/plugins/{slug}/invitations/withdraw", operation_id = "withdraw_invitation", tag = "Owners",
    request_body = Address, responses((status = 204, description = "It is good for nothing any more")),
    security(("owner_token" = ["owners:write"]))
)]
pub async fn withdraw(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?.id;
        let Address { email } = caller.json()?;
        owners::end_invitation(&caller.registry(), plugin, &owners::address(&email)?).await?;
        caller.done()
    };
    take(&server, &request, (payload, OwnerScope::OwnersWrite), act).await
}
