//! `/api/v1/plugins/{slug}/attempts`: attempts to connect, and where each of them stopped.

use std::cmp::Reverse;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    caller::{Caller, look},
    paging::{Paging, Part, time},
    problem::Problem,
};
use crate::{
    http::owner::attempts::{self, Told},
    model::{
        attempt::Attempt,
        flow::{FlowEvent, FlowId},
        owner_token::OwnerScope,
    },
    server::Server,
    store::flows::OfPlugin,
};

/// An attempt to connect.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
pub struct ShownAttempt {
    /// Its id, which the log has too.
    attempt_id: String,
    /// When it began.
    #[schema(format = DateTime)]
    began_at: String,
    /// How it stands: `refused`, `failed`, `connected`, `ended`, `registered` or `stopped`.
    standing: &'static str,
    /// What that means.
    says: &'static str,
    /// Who attempts it; null where that is not known.
    client_id: Option<String>,
    /// For what; null where that is not known.
    resource: Option<String>,
    /// What happened, in that order; of an attempt with more than 200 events the last ones. Lists of attempts leave it
    /// out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    events: Option<Vec<ShownEvent>>,
    /// Documents of the plugin that were read in the ten minutes before it began, perhaps for another attempt. Lists of
    /// attempts leave it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    before: Option<Vec<ShownEvent>>,
}

/// What happened at one step.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct ShownEvent {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Which step, such as `authorization`, `consent` or `token`.
    step: &'static str,
    /// How it ended: `done`, `refused` or `failed`.
    outcome: &'static str,
    /// The sentence.
    says: String,
    /// From where; null where that is not known.
    address: Option<String>,
    /// What the caller calls itself; null where it did not say.
    user_agent: Option<String>,
    /// The answer's id in the server's log.
    request_id: String,
}

/// A page of attempts.
#[derive(Debug, Serialize, ToSchema)]
pub struct Attempts {
    /// Those that began last in front.
    attempts: Vec<ShownAttempt>,
    /// Where the next page begins; null where this is the last.
    next_cursor: Option<String>,
}

impl ShownAttempt {
    fn of(attempt: &Attempt) -> Self {
        let standing = attempt.standing();
        Self {
            attempt_id: attempt.id.to_string(),
            began_at: time(attempt.id.began_at()),
            standing: standing.as_str(),
            says: standing.says(),
            client_id: attempt.client().map(str::to_owned),
            resource: attempt.resource().map(str::to_owned),
            events: None,
            before: None,
        }
    }

    fn in_full(told: Told) -> Self {
        let shown = Self::of(&told.attempt);
        let events = |events: Vec<FlowEvent>| Some(events.into_iter().map(ShownEvent::from).collect());
        Self { events: events(told.attempt.events), before: events(told.before), ..shown }
    }
}

impl From<FlowEvent> for ShownEvent {
    fn from(event: FlowEvent) -> Self {
        Self {
            at: time(event.at),
            step: event.step.as_str(),
            outcome: event.outcome.as_str(),
            says: event.says,
            address: event.address,
            user_agent: event.user_agent,
            request_id: event.request_id,
        }
    }
}

/// Lists the latest attempts to connect to a plugin.
#[utoipa::path(
    get, path = "/plugins/{slug}/attempts", operation_id = "list_attempts", tag = "Working", params(Paging),
    responses((status = 200, description = "A page of them, newest first", body = Attempts)),
    security(("owner_token" = ["plugins:read"]))
)]
pub async fn list(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let part = Part::asked_for(caller)?;
        let of = OfPlugin { plugin: plugin.id, rows_max: part.rows_read() };
        let mut attempts = Attempt::sort(server.store.flows_of_plugin(of, part.before.map(FlowId::of)).await?);
        attempts.sort_by_key(|attempt| Reverse(attempt.id));
        let next_cursor = part.cut(&mut attempts, |attempt| attempt.id.uuid());
        caller.tell(&Attempts { attempts: attempts.iter().map(ShownAttempt::of).collect(), next_cursor })
    };
    look(&server, &request, OwnerScope::PluginsRead, act).await
}

/// Tells one attempt.
#[utoipa::path(
    get, path = "/plugins/{slug}/attempts/{attempt_id}", operation_id = "read_attempt", tag = "Working",
    responses((status = 200, description = "The attempt", body = ShownAttempt)),
    security(("owner_token" = ["plugins:read"]))
)]
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let id = FlowId::of(caller.id("attempt_id")?);
        let told = attempts::read(&caller.owner(), &plugin, id).await?.ok_or(Problem::NotThere)?;
        caller.tell(&ShownAttempt::in_full(told))
    };
    look(&server, &request, OwnerScope::PluginsRead, act).await
}
