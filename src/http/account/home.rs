//! `/`: what this server is, and who is signed in.

use actix_web::{HttpRequest, HttpResponse, web};

use crate::{
    http::{
        extract::visitor::Visitor,
        failure::{self, PageError},
        pages::{self, HomePage, SignedIn},
    },
    model::account::Role,
    server::Server,
    tokens,
};

/// Shows the page.
pub async fn home(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    failure::page(&server, &request, show(&server, &request).await)
}

async fn show(server: &Server, request: &HttpRequest) -> Result<HttpResponse, PageError> {
    let visitor = Visitor::read(server, request).await?;
    let page = HomePage {
        layout: pages::Layout::of(server, request),
        account: visitor.session.as_ref().map(SignedIn::from),
        has_console: visitor.session.as_ref().is_some_and(|session| session.account.role != Role::Person),
        csrf: tokens::form::write(&server.keyring.current(), visitor.browser())?,
    };
    let mut answer = HttpResponse::Ok();
    visitor.mark(&server.settings, &mut answer);
    Ok(pages::answer(answer, &page, None)?)
}
