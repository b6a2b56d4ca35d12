//! `/sign-out`: ends the session; with a request in flight, so that another account can answer it.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::{
    http::{
        extract::{body, cookies, visitor::Visitor},
        failure::{self, PageError},
        guard,
        oauth::authorize::{open, to_page, to_path},
        pages::{self, SignedOutPage},
    },
    server::Server,
    tokens,
};

/// Takes the form.
pub async fn sign_out(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    failure::page(&server, &request, take(&server, &request, payload).await)
}

async fn take(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, PageError> {
    let fields = body::form(request, payload).await?;
    let visitor = Visitor::read(server, request).await?;
    guard::form::check(server, request, &visitor, &fields).await?;
    if let Some(digest) = visitor.session_digest {
        server.store.end_session(digest).await?;
    }
    let mut answer = HttpResponse::SeeOther();
    answer.cookie(cookies::remove_session(&server.settings));
    match fields.one("r", tokens::request::LENGTH_MAX).map_err(PageError::Incomplete)? {
        Some(r) => to_page(server, answer, "/sign-in", &open(server, r, &visitor).await?),
        None => Ok(to_path(server, answer, "/signed-out")),
    }
}

/// Shows that it is done.
pub async fn signed_out(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let page = SignedOutPage { layout: pages::Layout::of(&server, &request) };
    match pages::answer(HttpResponse::Ok(), &page, None) {
        Ok(response) => response,
        Err(fault) => PageError::from(fault).answer(&server, &request),
    }
}
