//! The gate: whatever comes to a plugin's host and is no document of ours goes on to the plugin's API, if its route is
//! listed and its token allows it. The API needs no OAuth code of its own.
//!
//! ```text
//! target (whose API, which path) → admission (route, token, scope) → forward (headers, keys, body) → answer
//! ```
//!
//! `protocol::gate` decides, `server::gate` knows, `server::upstreams` sends.

mod admission;
mod answer;
mod body;
mod forward;
mod target;

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};

use super::{absent, failure};
use crate::{
    protocol::error::{ErrorCode, OAuthError},
    server::{Server, gate::GateError},
};

/// What is no endpoint here: a call of a plugin's API, or nothing.
pub async fn serve(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    match pass(&server, &request, payload).await {
        Ok(answer) | Err(Stopped::Answered(answer)) => answer,
        Err(Stopped::NotThere) => absent::not_found(&server, &request),
        Err(Stopped::Fault(fault)) => failure::MachineError::from(fault).answer(&request),
    }
}

/// Why a call does not reach the API.
enum Stopped {
    /// There is nothing at its address.
    NotThere,
    /// The caller is told why.
    Answered(HttpResponse),
    /// Nobody can say for now.
    Fault(Arc<GateError>),
}

impl From<Arc<GateError>> for Stopped {
    fn from(fault: Arc<GateError>) -> Self {
        Self::Fault(fault)
    }
}

async fn pass(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, Stopped> {
    let target = target::of(server, request).await?;
    let passed = admission::admit(server, request, &target).await?;
    let onward = forward::prepare(server, request, &target, &passed).await?;
    forward::send(server, request, onward, payload.into_inner()).await
}

/// The caller did something that is refused whatever the API is.
fn malformed(request: &HttpRequest, description: &'static str) -> Stopped {
    Stopped::Answered(
        failure::MachineError::from(OAuthError::new(ErrorCode::InvalidRequest, description)).answer(request),
    )
}

/// The API, or the way there, is at fault.
fn failed(request: &HttpRequest, status: StatusCode, error: &str, description: &str) -> Stopped {
    Stopped::Answered(failure::json(request, status, error, description))
}
