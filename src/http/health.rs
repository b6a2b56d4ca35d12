//! Health: `live` says the process answers, `ready` that it can do its work.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};

use super::failure::{self, MachineError};
use crate::server::Server;

/// `/health/live`.
pub async fn live() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("live\n")
}

/// `/health/ready`: asks the database for a sign of life, and looks at the clock.
pub async fn ready(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    match server.store.ping().await {
        Ok(()) if !server.is_clock_sound() => failure::json(
            &request,
            StatusCode::SERVICE_UNAVAILABLE,
            "clock",
            "the clock is too far from the database's",
        ),
        Ok(()) => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body("ready\n"),
        Err(error) => MachineError::from(error).answer(&request),
    }
}
