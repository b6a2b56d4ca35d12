//! A plugin's own documents, on its own host: manifest, API description, logo; and the logo on the pages' host.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};

use crate::{
    http::{
        absent,
        failure::{self, MachineError, PageError},
        guard::host,
        oauth::caller::answer,
        trail,
    },
    model::{
        counts::Refusal,
        flow::Step,
        plugin::{Document, DocumentKind, Host},
    },
    protocol::manifest,
    server::Server,
};

/// `/.well-known/ai-plugin.json`: the owner's words with the computed `auth` object.
pub async fn manifest(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    trail::at(&request, Step::Discovery);
    answer(&request, serve_manifest(&server, &request).await)
}

async fn serve_manifest(server: &Server, request: &HttpRequest) -> Result<HttpResponse, MachineError> {
    let plugin = match host::of(request.head()) {
        Some(host) => server.store.plugin_by_host(&host).await?,
        None => None,
    };
    let Some(plugin) = plugin else {
        trail::refused(request, Refusal::Other, "A manifest was looked for on a host that no plugin is served on.");
        return Ok(no_plugin(request));
    };
    trail::towards(request, &plugin.resource);
    trail::done(request, Step::Discovery, format!("The manifest of {} was read.", plugin.slug));
    Ok(HttpResponse::Ok()
        // Whoever verifies a new token must not be answered from a cache.
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .json(manifest::served(&plugin, server.settings.schemes_of(&plugin.host).0)))
}

/// The proof of the domain: the token alone, as plain text, where the connectors' vendor looks for it.
pub async fn challenge(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    answer(&request, serve_challenge(&server, &request).await)
}

async fn serve_challenge(server: &Server, request: &HttpRequest) -> Result<HttpResponse, MachineError> {
    let token = match host::of(request.head()) {
        Some(host) => server.store.challenge(&host).await?,
        None => None,
    };
    Ok(match token {
        // Whoever has just changed it must not be answered from a cache.
        Some(token) => HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .content_type("text/plain; charset=utf-8")
            .body(token),
        None => no_plugin(request),
    })
}

/// `/openapi.json` and `/openapi.yaml`: the API's description, as the owner wrote it.
pub async fn openapi(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    answer(&request, serve_document(&server, &request, DocumentKind::OpenApi).await)
}

/// `/logo.png`: the picture shown at installation.
pub async fn logo(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    answer(&request, serve_document(&server, &request, DocumentKind::Logo).await)
}

/// `/logos/{host}` on the public host: the same picture for our own pages, whose policy loads none from elsewhere.
pub async fn logo_for_pages(server: web::Data<Server>, request: HttpRequest, host: web::Path<String>) -> HttpResponse {
    let found = match host.parse::<Host>() {
        Ok(host) => server.store.document(&host, DocumentKind::Logo).await,
        Err(_) => Ok(None),
    };
    match found {
        Ok(Some(logo)) => file(logo),
        Ok(None) => absent::not_found(&server, &request),
        Err(error) => PageError::from(error).answer(&server, &request),
    }
}

async fn serve_document(
    server: &Server,
    request: &HttpRequest,
    kind: DocumentKind,
) -> Result<HttpResponse, MachineError> {
    let document = match host::of(request.head()) {
        Some(host) => server.store.document(&host, kind).await?,
        None => None,
    };
    Ok(match document {
        Some(document) => file(document),
        None => no_plugin(request),
    })
}

fn file(document: Document) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, super::CACHE_CONTROL))
        // An owner's file must not act as a page of ours, whatever is in it.
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'"))
        .content_type(document.content_type)
        .body(document.body)
}

fn no_plugin(request: &HttpRequest) -> HttpResponse {
    failure::json(
        request,
        StatusCode::NOT_FOUND,
        "not_found",
        "no plugin is served on this host, or it has no such file",
    )
}
