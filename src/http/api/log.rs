//! `/api/v1/plugins/{slug}/log`: what happened to a plugin.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    caller::{Caller, look},
    paging::{Paging, Part},
};
use crate::{
    model::{id::AuditEventId, owner_token::OwnerScope},
    registry::log,
    server::Server,
};

/// The longest text that is looked for: a client's id.
const SEARCH_MAX: usize = 2048;

/// What is looked for.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Search {
    /// A word of the log such as `client.added`, or the id of a client; everything where it is left out.
    #[param(max_length = 2048, nullable = false)]
    pub search: Option<String>,
}

/// A page of the log.
#[derive(Debug, Serialize, ToSchema)]
pub struct Log {
    /// The newest first.
    lines: Vec<LogLine>,
    /// Where the next page begins; null where this is the last.
    next_cursor: Option<String>,
}

/// A line of it. What is not known, or not the owner's to know, is an empty text.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogLine {
    /// Its id.
    event_id: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// What happened.
    action: String,
    /// Who did it.
    by: String,
    /// The token by which a program of theirs did it; empty where they did it themselves.
    token_id: String,
    /// What it was called.
    token_name: String,
    /// Whom it is about.
    person: String,
    /// Which client.
    client_id: String,
    /// What that is called.
    client_name: String,
    /// From which network address.
    address: String,
    /// Under which request: the X-Request-Id of its answer.
    request_id: String,
    /// What more is known.
    detail: String,
}

impl From<log::Line> for LogLine {
    fn from(line: log::Line) -> Self {
        Self {
            event_id: line.id.to_string(),
            at: line.at,
            action: line.action,
            by: line.by,
            token_id: line.token_id,
            token_name: line.token_name,
            person: line.person,
            client_id: line.client_id,
            client_name: line.client_name,
            address: line.address,
            request_id: line.request_id,
            detail: line.detail,
        }
    }
}

/// Reads the log of a plugin.
#[utoipa::path(
    get, path = "/plugins/{slug}/log", operation_id = "read_log", tag = "Log", params(Search, Paging),
    responses((status = 200, description = "A page of it, newest first", body = Log)),
    security(("owner_token" = ["log:read"]))
)]
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?;
        let part = Part::asked_for(caller)?;
        let registry = caller.registry();
        let of = log::sought(&registry, &plugin, &caller.query("search", SEARCH_MAX)?.unwrap_or_default()).await?;
        let mut lines = log::read(&registry, Some(&plugin), of, part.page(AuditEventId)).await?;
        let next_cursor = part.cut(&mut lines, |line| line.id.0);
        caller.tell(&Log { lines: lines.into_iter().map(LogLine::from).collect(), next_cursor })
    };
    look(&server, &request, OwnerScope::LogRead, act).await
}
