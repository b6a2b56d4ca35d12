//! `/sessions`: where a person is signed in; signing out there, or everywhere.

use actix_web::{HttpRequest, HttpResponse, web};

use super::place::Place;
use crate::{
    http::{
        extract::{body, cookies, visitor::Visitor},
        failure::{self, PageError},
        guard,
        oauth::{authorize::to_path, caller::origin},
        pages::{self, Layout, SessionLine, SessionsPage},
    },
    model::{audit::Actor, id::SessionId, session::Session},
    protocol::{
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
    },
    server::Server,
    tokens,
};

/// What is to end.
enum Asked {
    One(SessionId),
    Others,
    Everything,
}

impl Asked {
    fn read(fields: &Parameters) -> Result<Self, PageError> {
        let word = fields.required("session", 36).map_err(PageError::Incomplete)?;
        match word {
            "others" => Ok(Self::Others),
            "everything" => Ok(Self::Everything),
            id => id.parse().map(|id| Self::One(SessionId(id))).map_err(|_| {
                PageError::Incomplete(OAuthError::new(
                    ErrorCode::InvalidRequest,
                    "session is an id, others or everything",
                ))
            }),
        }
    }
}

/// Shows the page.
pub async fn list(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    failure::page(&server, &request, show(&server, &request).await)
}

async fn show(server: &Server, request: &HttpRequest) -> Result<HttpResponse, PageError> {
    let visitor = Visitor::read(server, request).await?;
    match &visitor.session {
        None => Ok(Place::Sessions.after_signing_in(server)),
        Some(session) => render(server, request, &visitor, session, None).await,
    }
}

/// Takes the form.
pub async fn end(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    failure::page(&server, &request, take(&server, &request, payload).await)
}

async fn take(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, PageError> {
    let fields = body::form(request, payload).await?;
    let visitor = Visitor::read(server, request).await?;
    guard::form::check(server, request, &visitor, &fields).await?;
    let Some(session) = &visitor.session else { return Ok(Place::Sessions.after_signing_in(server)) };
    let account = session.account.id;
    let audit = server.audit(Actor::Account(account), origin(request));
    let ended = match Asked::read(&fields)? {
        Asked::One(id) if id == session.id => {
            server.store.end_session_of(account, id, &audit).await?;
            return Ok(signed_out(server));
        }
        Asked::One(id) => u64::from(server.store.end_session_of(account, id, &audit).await?),
        Asked::Others => server.store.end_other_sessions(account, session.id, &audit).await?,
        Asked::Everything => {
            server.store.sign_out_everywhere(account, &audit).await?;
            return Ok(signed_out(server));
        }
    };
    render(server, request, &visitor, session, Some(ended)).await
}

/// This browser is signed out too.
fn signed_out(server: &Server) -> HttpResponse {
    let mut answer = HttpResponse::SeeOther();
    answer.cookie(cookies::remove_session(&server.settings));
    to_path(server, answer, "/signed-out")
}

async fn render(
    server: &Server,
    request: &HttpRequest,
    visitor: &Visitor,
    session: &Session,
    ended: Option<u64>,
) -> Result<HttpResponse, PageError> {
    let layout = Layout::of(server, request);
    let open = server.store.open_sessions(session.account.id, server.clock.now()).await?;
    let page = SessionsPage {
        csrf: tokens::form::write(&server.keyring.current(), visitor.browser())?,
        account: session.into(),
        sessions: open.into_iter().map(|open| SessionLine::of(open, session.id, layout.language)).collect(),
        ended,
        layout,
    };
    let mut answer = HttpResponse::Ok();
    visitor.mark(&server.settings, &mut answer);
    Ok(pages::answer(answer, &page, None)?)
}
