//! The trail of a request: which step of which flow it is, gathered while it is handled, told to the flow record.
//!
//! It travels with the request, as the request's id does, because what is known of a flow is found out in many places,
//! and most must be told where it ends: `failure` for what is refused, each endpoint for what is done. What is refused
//! is counted for the plugin, too, as far as it is known whose it is.

use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{self, HeaderValue},
    web,
};
use uuid::Uuid;

use super::{extract::peer, guard::request_id};
use crate::{
    model::{
        client::{Client, Registration},
        counts::{Counted, Refusal},
        flow::{FlowEvent, FlowId, Outcome, Step},
        id::PluginId,
        scope::Scopes,
    },
    server::{Server, counts::Whose},
    telemetry::metrics,
};

/// What is known of the flow of a request.
#[derive(Clone, Debug, Default)]
struct Trail {
    step: Option<Step>,
    flow_id: Option<FlowId>,
    client_id: Option<String>,
    resource: Option<String>,
    plugin_id: Option<PluginId>,
}

fn mark(request: &HttpRequest, mark: impl FnOnce(&mut Trail)) {
    mark(request.extensions_mut().get_or_insert_with(Trail::default));
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

/// It is this client's. One that registered itself begins its flow by that.
pub fn by(request: &HttpRequest, client: &Client) {
    let began = (client.registration == Registration::Dynamic).then(|| FlowId::of(client.id.0));
    mark(request, |trail| {
        trail.client_id = Some(client.client_id.clone());
        trail.plugin_id = client.home.as_ref().map(|home| home.plugin_id).or(trail.plugin_id);
        if trail.step == Some(Step::Authorization)
            && let Some(server) = request.app_data::<web::Data<Server>>()
            && let Some(began) = began.filter(|began| server.flows.goes_on(*began))
        {
            trail.flow_id = Some(began);
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

/// It is about this plugin.
pub fn about(request: &HttpRequest, plugin_id: PluginId) {
    mark(request, |trail| trail.plugin_id = Some(plugin_id));
}

/// Whether it is a step of a flow at all.
pub fn is_a_step(request: &HttpRequest) -> bool {
    request.extensions().get::<Trail>().is_some_and(|trail| trail.step.is_some())
}

/// The flow it belongs to.
pub fn flow_of(request: &HttpRequest) -> Option<FlowId> {
    request.extensions().get::<Trail>().and_then(|trail| trail.flow_id)
}

/// A step was taken: the one the request is, or one that follows from it. Of what is no step of a flow nothing is told.
pub fn done(request: &HttpRequest, step: Step, says: impl Into<String>) {
    let trail = read(request);
    if trail.step.is_some() {
        tell(request, Trail { step: Some(step), ..trail }, Outcome::Done, says.into());
    }
}

/// The same for a step that goes well again and again: told only where that is news.
pub fn done_again(server: &Server, request: &HttpRequest, step: Step, says: &'static str) {
    if flow_of(request).is_some_and(|flow| server.flows.awaits(flow, step)) {
        done(request, step, says);
    }
}

/// The step that the request is was refused.
pub fn refused(request: &HttpRequest, reason: Refusal, says: impl Into<String>) {
    let trail = read(request);
    // Documents are looked for where they are not by everybody, all day long.
    if trail.step.is_some_and(|step| step != Step::Discovery) {
        metrics::refused(reason);
        counted(request, Counted::Refused(reason));
    }
    tell(request, trail, Outcome::Refused, says.into());
}

/// Counts it for its plugin. The record takes what is new, once; this takes everything.
pub fn counted(request: &HttpRequest, what: Counted) {
    let Some(server) = request.app_data::<web::Data<Server>>() else { return };
    let Trail { plugin_id, client_id, resource, .. } = read(request);
    let whose = plugin_id.map_or(Whose::Named { resource, client_id }, Whose::Plugin);
    server.counts.happened(whose, what, server.clock.now());
}

/// The step that the request is failed, and not for anything the caller did.
pub fn failed(request: &HttpRequest, says: impl Into<String>) {
    tell(request, read(request), Outcome::Failed, says.into());
}

/// Scopes in a sentence.
pub fn told(scopes: &Scopes) -> String {
    match scopes.to_string() {
        none if none.is_empty() => "access without a scope".to_owned(),
        names => names,
    }
}

fn tell(request: &HttpRequest, trail: Trail, outcome: Outcome, says: String) {
    let Trail { step: Some(step), flow_id, client_id, resource, .. } = trail else { return };
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
