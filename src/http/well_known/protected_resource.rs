//! `/.well-known/oauth-protected-resource` (RFC 9728), on whatever host a registered resource has.
//!
//! The document of `https://h/mcp?t=1` stands where `/.well-known/…` is inserted before path and query (§3.1). At the
//! root it is that of the origin, or, for clients that know no more than the host, of the first resource below it.
//! Neighbours: `protocol::resource_metadata` writes the document, `metadata` describes the authorization server it
//! names.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};

use crate::{
    http::{
        failure::{self, MachineError},
        guard::host,
        oauth::caller::answer,
        trail,
    },
    model::{
        counts::Refusal,
        flow::Step,
        resource::{Resource, ResourceIdentifier},
    },
    protocol::resource_metadata::{PLACE, describe},
    server::Server,
    store::StoreResult,
};

/// Serves the document of the resource the path names.
pub async fn metadata(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    trail::at(&request, Step::Discovery);
    answer(&request, serve(&server, &request).await)
}

async fn serve(server: &Server, request: &HttpRequest) -> Result<HttpResponse, MachineError> {
    let path = request.path().strip_prefix(PLACE).unwrap_or_default();
    let mut found = named(server, request, path).await?;
    if found.is_none() && matches!(path, "" | "/") && request.query_string().is_empty() {
        found = first_below(server, request).await?;
    }
    let Some(resource) = found else {
        let host = host::of(request.head()).map_or(String::new(), |host| host.to_string());
        let query = Some(request.query_string()).filter(|query| !query.is_empty());
        let place = format!("{host}{path}{}", query.map_or(String::new(), |query| format!("?{query}")));
        let why = format!("No resource is registered at {place}; `consentry resource add` registers one.");
        trail::refused(request, Refusal::Other, why);
        let description = "no resource with this path is registered on this host";
        return Ok(failure::json(request, StatusCode::NOT_FOUND, "not_found", description));
    };
    trail::towards(request, resource.identifier.as_str());
    trail::done(request, Step::Discovery, format!("The metadata of {} was read.", resource.identifier.as_str()));
    let document = describe(&server.settings.issuer, &resource);
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, super::CACHE_CONTROL)).json(document))
}

/// The resource on the request's host whose identifier has this path, and the request's query.
pub async fn named(server: &Server, request: &HttpRequest, path: &str) -> StoreResult<Option<Resource>> {
    let query = match request.query_string() {
        "" => String::new(),
        query => format!("?{query}"),
    };
    for origin in origins(server, request) {
        // What is no identifier is not registered either.
        let Ok(identifier) = format!("{origin}{path}{query}").parse::<ResourceIdentifier>() else { continue };
        if let Some(resource) = server.store.resource(&identifier.canonical()).await? {
            return Ok(Some(resource));
        }
    }
    Ok(None)
}

async fn first_below(server: &Server, request: &HttpRequest) -> StoreResult<Option<Resource>> {
    for origin in origins(server, request) {
        if let Some(resource) = server.store.resource_below(&origin).await? {
            return Ok(Some(resource));
        }
    }
    Ok(None)
}

/// The origins a request may have been sent to.
fn origins(server: &Server, request: &HttpRequest) -> Vec<String> {
    let Some(host) = host::of(request.head()) else { return Vec::new() };
    let (likeliest, other) = server.settings.schemes_of(&host);
    [Some(likeliest), other].into_iter().flatten().map(|scheme| format!("{scheme}://{host}")).collect()
}
