//! The trail of a request: which step of which flow it is, gathered while it is handled, told to the flow record.
//!
//! It travels with the request, as the request's id does, because what is known of a flow is found out in many places,
//! and most must be told where it ends: `failure` for what is refused, each endpoint for what is done.

use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{self, HeaderValue},
    web,
};
use chrono::TimeDelta;
use uuid::Uuid;

use super::{extract::peer, guard::request_id};
use crate::{
    model::{
        Timestamp,
        client::{Client, Registration},
        flow::{FlowEvent, FlowId, Outcome, Step},
        scope::Scopes,
    },
    server::Server,
};

/// So long after a client has registered itself, what it does belongs to the flow it registered for.
const REGISTERED_JUST_NOW: TimeDelta = TimeDelta::minutes(10);

/// What is known of the flow of a request.
#[derive(Clone, Debug, Default)]
struct Trail {
    step: Option<Step>,
    flow_id: Option<FlowId>,
    client_id: Option<String>,
    resource: Option<String>,
}

fn mark(request: &HttpRequest, mark: impl FnOnce(&mut Trail)) {
    let mut extensions = request.extensions_mut();
    if extensions.get::<Trail>().is_none() {
        extensions.insert(Trail::default());
    }
    if let Some(trail) = extensions.get_mut::<Trail>() {
        mark(trail);
    }
}

fn read(request: &HttpRequest) -> Trail {
    request.extensions().get::<Trail>().cloned().unwrap_or_default()
}

/// The request is this step; what is refused from now on is told as that.
pub fn at(request: &HttpRequest, step: Step) {
    mark(request, |trail| trail.step = Some(step));
}

/// It belongs to this flow.
pub fn of_flow(request: &HttpRequest, flow: FlowId) {
    mark(request, |trail| trail.flow_id = Some(flow));
}

/// It is this client's. One that has just registered itself goes on with the flow it began by that.
pub fn by(request: &HttpRequest, client: &Client, now: Timestamp) {
    let is_new = client.registration == Registration::Dynamic && now < client.created_at + REGISTERED_JUST_NOW;
    mark(request, |trail| {
        trail.client_id = Some(client.client_id.clone());
        if is_new && trail.step == Some(Step::Authorization) {
            trail.flow_id = Some(FlowId::of(client.id.0));
        }
    });
}

/// It is the client's with this id, whoever asks.
pub fn of_client(request: &HttpRequest, client_id: &str) {
    mark(request, |trail| trail.client_id = Some(client_id.to_owned()));
}

/// It is for this resource.
pub fn towards(request: &HttpRequest, resource: &str) {
    mark(request, |trail| trail.resource = Some(resource.to_owned()));
}

/// Whether it is a step of a flow at all.
pub fn is_a_step(request: &HttpRequest) -> bool {
    read(request).step.is_some()
}

/// The flow it belongs to.
pub fn flow_of(request: &HttpRequest) -> Option<FlowId> {
    read(request).flow_id
}

/// A step was taken.
pub fn done(request: &HttpRequest, step: Step, says: impl Into<String>) {
    tell(request, Trail { step: Some(step), ..read(request) }, Outcome::Done, says.into());
}

/// The step that the request is was refused; one that is no step of a flow tells nothing.
pub fn refused(request: &HttpRequest, says: impl Into<String>) {
    tell(request, read(request), Outcome::Refused, says.into());
}

/// Scopes in a sentence.
pub fn told(scopes: &Scopes) -> String {
    match scopes.to_string() {
        none if none.is_empty() => "access without a scope".to_owned(),
        names => names,
    }
}

fn tell(request: &HttpRequest, trail: Trail, outcome: Outcome, says: String) {
    let Trail { step: Some(step), flow_id, client_id, resource } = trail else { return };
    let Some(server) = request.app_data::<web::Data<Server>>() else { return };
    let at = server.clock.now();
    let user_agent = request.headers().get(header::USER_AGENT).and_then(|value: &HeaderValue| value.to_str().ok());
    server.flows.take(FlowEvent {
        id: Uuid::nil(),
        flow_id,
        at,
        step,
        outcome,
        client_id,
        resource,
        address: peer::of(request).map(|address| address.to_string()),
        user_agent: user_agent.map(str::to_owned),
        request_id: request_id::of(request),
        says,
    });
}
