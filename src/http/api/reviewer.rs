//! `/api/v1/plugins/{slug}/reviewer`: the account with which reviewers of an assistant's vendor look at a plugin.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    caller::{Caller, look, take},
    paging::time,
    problem::Problem,
};
use crate::{
    http::extract::peer,
    model::{Timestamp, owner_token::OwnerScope},
    registry::reviewer::{self, DAYS},
    server::{Server, shares::TooMany},
    store::reviewers::Reviewer,
};

/// The account, if there is one.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewerAccount {
    /// The account; null where the plugin has had none.
    reviewer: Option<ShownReviewer>,
}

/// An account for reviewers.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reviewer)]
pub struct ShownReviewer {
    /// What they sign in with.
    name: String,
    /// Until when it is good.
    #[schema(format = DateTime)]
    ends_at: String,
    /// Whether that is over.
    has_ended: bool,
}

/// An account as it is handed on.
#[derive(Serialize, ToSchema)]
pub struct MadeReviewer {
    /// The account.
    reviewer: ShownReviewer,
    /// Its password: answered this once.
    password: String,
}

/// For how long.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Lasting {
    /// For how many days from now; 30 where it is left out.
    #[serde(default = "days")]
    #[schema(minimum = 1, maximum = 180)]
    days: i64,
}

fn days() -> i64 {
    DAYS
}

fn shown(reviewer: &Reviewer, now: Timestamp) -> ShownReviewer {
    ShownReviewer {
        name: reviewer.email.to_string(),
        ends_at: time(reviewer.ends_at),
        has_ended: reviewer.ends_at <= now,
    }
}

/// Says whether there is an account for reviewers.
#[utoipa::path(
    get, path = "/plugins/{slug}/reviewer", operation_id = "read_reviewer", tag = "Reviewer",
    responses((status = 200, description = "The account, if there is one", body = ReviewerAccount)),
    security(("owner_token" = ["access:read"]))
)]
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let found = reviewer::find(&caller.registry(), &caller.plugin().await?).await?;
        caller.tell(&ReviewerAccount { reviewer: found.map(|it| shown(&it, server.clock.now())) })
    };
    look(&server, &request, OwnerScope::AccessRead, act).await
}

/// Makes the account, or gives it a new password, with which all that was begun with the one before ends.
#[utoipa::path(
    post, path = "/plugins/{slug}/reviewer", operation_id = "make_reviewer", tag = "Reviewer", request_body = Lasting,
    responses((status = 201, description = "The account with its password", body = MadeReviewer)),
    security(("owner_token" = ["access:write"]))
)]
pub async fn make(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let Lasting { days } = caller.json()?;
        // A password is hashed, so it counts as trying one does.
        let too_many = |wait: TooMany| Problem::TooMany { retry_after_seconds: wait.retry_after_seconds };
        server.sign_ins.count(peer::of(caller.request)).map_err(too_many)?;
        let made = reviewer::make(&caller.registry(), &server.passwords, &plugin, &days.to_string()).await?;
        let answer = MadeReviewer { reviewer: shown(&made.reviewer, server.clock.now()), password: made.password };
        caller.made(&format!("/plugins/{}/reviewer", plugin.slug), &answer)
    };
    take(&server, &request, (payload, OwnerScope::AccessWrite), act).await
}

/// Lets the account last so many days from now.
#[utoipa::path(
    patch, path = "/plugins/{slug}/reviewer", operation_id = "prolong_reviewer", tag = "Reviewer",
    request_body = Lasting, responses((status = 200, description = "The account as it is now", body = ReviewerAccount)),
    security(("owner_token" = ["access:write"]))
)]
pub async fn prolong(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let (plugin, registry) = (caller.plugin().await?, caller.registry());
        let Lasting { days } = caller.json()?;
        reviewer::prolong(&registry, &plugin, &days.to_string()).await?;
        let found = reviewer::find(&registry, &plugin).await?;
        caller.tell(&ReviewerAccount { reviewer: found.map(|it| shown(&it, server.clock.now())) })
    };
    take(&server, &request, (payload, OwnerScope::AccessWrite), act).await
}

/// Ends the account now, with its sessions and connections.
#[utoipa::path(
    delete, path = "/plugins/{slug}/reviewer", operation_id = "end_reviewer", tag = "Reviewer",
    responses((status = 204, description = "Nobody signs in with it any more")),
    security(("owner_token" = ["access:write"]))
)]
pub async fn end(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        reviewer::finish(&caller.registry(), &caller.plugin().await?).await?;
        caller.done()
    };
    look(&server, &request, OwnerScope::AccessWrite, act).await
}
