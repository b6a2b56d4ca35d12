//! Each request is watched: a span says which endpoint was called, how, and what came of it, and `telemetry::metrics` counts
//! that and takes its time. The endpoint is the pattern of the route table and never the path, in which strangers can write
//! anything; of the query and of who asks there is nothing.

use std::cell::LazyCell;

use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};
use tracing::{Instrument, Span, field::Empty};

use super::request_id;
use crate::{
    clock,
    model::traces::TARGET,
    telemetry::metrics::{self, Answered},
};

/// The methods that are told apart; strangers can make up any number of others.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What a method is called that is none of these.
const OTHER_METHOD: &str = "_OTHER";

/// Writes the span around the answer, and counts it. A request whose caller leaves before it is not counted.
pub async fn watch(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let method = METHODS.into_iter().find(|known| request.method() == known).unwrap_or(OTHER_METHOD);
    // A span is named before the request has found its route, so the table is searched for it: where anybody collects spans.
    // Afterwards the answer knows its route.
    let route = LazyCell::new(|| request.match_pattern());
    let span = tracing::info_span!(
        target: TARGET,
        "request",
        otel.kind = "server",
        otel.name = name(method, route.as_deref()),
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route.as_deref(),
        http.response.status_code = Empty,
        request.id = request_id::of(request.request()),
        oauth.grant = Empty,
    );
    let began = clock::elapsed();
    let answered = async { next.call(request).await }.instrument(span.clone()).await;
    let took = clock::elapsed().saturating_sub(began);
    let (endpoint, status) = match &answered {
        Ok(response) => (response.request().match_pattern(), response.status()),
        Err(error) => (None, error.as_response_error().status_code()),
    };
    metrics::request_answered(Answered { endpoint, method, status: status.as_u16(), took });
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    answered
}

fn name(method: &str, route: Option<&str>) -> String {
    route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"))
}

/// Notes what a token request is about, once that is known; `grant_type` as its RFC has it.
pub fn note_grant(grant: &'static str) {
    Span::current().record("oauth.grant", grant);
}
