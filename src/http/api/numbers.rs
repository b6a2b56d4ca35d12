//! `/api/v1/plugins/{slug}/numbers`: how a plugin is used.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    caller::{Caller, look},
    paging::time,
    problem::{FieldProblem, Problem},
};
use crate::{
    model::{
        counts::{Numbers, Period, Refusal, Slot},
        owner_token::OwnerScope,
    },
    server::Server,
};

/// Over which time.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Over {
    /// A day in hours, a month in days, or a year in months; a day unless it is said.
    #[param(inline, nullable = false)]
    pub over: Option<OverPeriod>,
}

/// The periods.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverPeriod {
    /// 24 hours.
    Day,
    /// 30 days.
    Month,
    /// 12 months.
    Year,
}

/// How a plugin was used over a period.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Numbers)]
pub struct ShownNumbers {
    /// Which: `day`, `month` or `year`.
    over: &'static str,
    /// Its parts, the oldest first.
    parts: Vec<Part>,
    /// Why something was refused, the commonest first.
    refusals: Vec<Refused>,
    /// As it was last counted; null before the first time.
    connected: Option<ConnectedNow>,
}

/// An hour, a day or a month.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Part)]
pub struct Part {
    /// When it began.
    #[schema(format = DateTime)]
    starts_at: String,
    /// How many were connected at its end; null where nobody counted.
    people: Option<i64>,
    /// Connections that began.
    gained: i64,
    /// Connections that ended.
    lost: i64,
    /// Calls of the token endpoint.
    token_requests: i64,
    /// What was refused.
    refused: i64,
}

/// What was refused for one reason.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refused {
    /// The reason in a word.
    reason: &'static str,
    /// And in a sentence.
    says: &'static str,
    /// How often.
    count: i64,
}

/// What is connected.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectedNow {
    /// When it was counted.
    #[schema(format = DateTime)]
    counted_at: String,
    /// People.
    people: i64,
    /// Their connections.
    connections: i64,
}

impl From<&Slot> for Part {
    fn from(slot: &Slot) -> Self {
        Self {
            starts_at: time(slot.starts_at),
            people: slot.people,
            gained: slot.gained,
            lost: slot.lost,
            token_requests: slot.token_requests,
            refused: slot.refused,
        }
    }
}

/// Says how a plugin is used.
#[utoipa::path(
    get, path = "/plugins/{slug}/numbers", operation_id = "read_numbers", tag = "Working", params(Over),
    responses((status = 200, description = "The numbers", body = ShownNumbers)),
    security(("owner_token" = ["plugins:read"]))
)]
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let over = caller.query("over", 16)?.map_or(Ok(Period::Day), |word| word.parse());
        let period = over.map_err(|_| Problem::Unreadable(FieldProblem::new("over", "write day, month or year")))?;
        let now = server.clock.now();
        let from = period.starts(now).first().copied().unwrap_or(now);
        let rows = server.store.counts(plugin.id, period.grain(), from).await?;
        let numbers = Numbers::of(period, now, &rows);
        let refused =
            |(reason, count): &(Refusal, i64)| Refused { reason: reason.as_str(), says: reason.says(), count: *count };
        let connected = server.store.connected(plugin.id).await?.map(|connected| ConnectedNow {
            counted_at: time(connected.counted_at),
            people: connected.people,
            connections: connected.connections,
        });
        caller.tell(&ShownNumbers {
            over: period.as_str(),
            parts: numbers.slots.iter().map(Part::from).collect(),
            refusals: numbers.refusals.iter().map(refused).collect(),
            connected,
        })
    };
    look(&server, &request, OwnerScope::PluginsRead, act).await
}
