//! `/api/v1/plugins/{slug}/people`: who is connected to a plugin, and disconnecting them.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    caller::{Caller, look, take},
    paging::{Paging, Part, time},
    problem::Problem,
};
use crate::{
    model::{account::Role, id::ConsentId, owner_token::OwnerScope, resource},
    registry::people,
    server::Server,
    store::plugin_people::ConnectedPerson,
};

/// To which resource.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AtResource {
    /// One of the plugin's; its default one where it is left out.
    #[param(nullable = false)]
    pub resource: Option<String>,
}

/// A page of who is connected.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectedPeople {
    /// To which resource.
    resource: String,
    /// The others that the plugin has.
    other_resources: Vec<String>,
    /// The newest first.
    people: Vec<Person>,
    /// Where the next page begins; null where this is the last.
    next_cursor: Option<String>,
}

/// Somebody who allows a client something.
#[derive(Debug, Serialize, ToSchema)]
pub struct Person {
    /// By which they are disconnected.
    consent_id: String,
    /// The name under which the plugin's API knows them.
    subject: String,
    /// Their address; only administrators are told it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
    /// The client.
    client_id: String,
    /// What it is called.
    client_name: String,
    /// What is allowed.
    scopes: Vec<String>,
    /// Since when.
    #[schema(format = DateTime)]
    granted_at: String,
    /// When a token was last issued; null where nothing is connected.
    #[schema(format = DateTime)]
    last_used_at: Option<String>,
}

/// Yes, everybody.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Everybody {
    /// The plugin's short name once more: so nobody is disconnected by mistake.
    confirm: String,
}

/// Lists who is connected to a plugin.
#[utoipa::path(
    get, path = "/plugins/{slug}/people", operation_id = "list_people", tag = "People", params(AtResource, Paging),
    responses((status = 200, description = "A page of them, newest first", body = ConnectedPeople)),
    security(("owner_token" = ["people:read"]))
)]
pub async fn list(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let part = Part::asked_for(caller)?;
        let wanted = caller.query("resource", resource::LENGTH_MAX)?.unwrap_or_else(|| plugin.resource.clone());
        let mut identifiers = server.store.identifiers_of(plugin.id).await?;
        // What is not this plugin's is as if it were not there.
        let place = identifiers.iter().position(|it| *it == wanted).ok_or(Problem::NotThere)?;
        let resource = identifiers.remove(place);
        let mut rows = server.store.people_of(plugin.id, &resource, part.page(ConsentId)).await?;
        let next_cursor = part.cut(&mut rows, |person| person.consent_id.0);
        let is_administrator = caller.account.role == Role::Admin;
        let shown = |person: &ConnectedPerson| Person {
            consent_id: person.consent_id.to_string(),
            subject: people::subject_of(&plugin, person.account_id),
            email: is_administrator.then(|| person.email.to_string()),
            client_id: person.client_id.clone(),
            client_name: person.client_name.clone(),
            scopes: person.scopes.iter().map(str::to_owned).collect(),
            granted_at: time(person.granted_at),
            last_used_at: person.last_used_at.map(time),
        };
        let people = rows.iter().map(shown).collect();
        caller.tell(&ConnectedPeople { resource, other_resources: identifiers, people, next_cursor })
    };
    look(&server, &request, OwnerScope::PeopleRead, act).await
}

/// Disconnects one person from one client.
#[utoipa::path(
    delete, path = "/plugins/{slug}/people/{consent_id}", operation_id = "disconnect_person", tag = "People",
    responses((status = 204, description = "Nothing of it stands any more")),
    security(("owner_token" = ["people:write"]))
)]
pub async fn disconnect(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        people::disconnect(&caller.registry(), &plugin, ConsentId(caller.id("consent_id")?)).await?;
        caller.done()
    };
    look(&server, &request, OwnerScope::PeopleWrite, act).await
}

/// Disconnects everybody.
#[utoipa::path(
    post, path = "/plugins/{slug}/people/disconnect", operation_id = "disconnect_everybody", tag = "People",
    request_body = Everybody, responses((status = 204, description = "Nobody is connected any more")),
    security(("owner_token" = ["people:write"]))
)]
pub async fn disconnect_everybody(
    server: web::Data<Server>,
    request: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let Everybody { confirm } = caller.json()?;
        if confirm != plugin.slug {
            return Err(Problem::wrong("confirm", format!("it is not {}; nobody was disconnected", plugin.slug)));
        }
        people::disconnect_everybody(&caller.registry(), &plugin).await?;
        caller.done()
    };
    take(&server, &request, (payload, OwnerScope::PeopleWrite), act).await
}
