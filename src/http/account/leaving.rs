//! `/account/delete`: the last page before an account goes, which says what ends with it and asks for the password; and
//! `/account/deleted`, when it is gone.

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};

use super::{own::Own, place::Place};
use crate::{
    http::{
        extract::cookies,
        failure::{self, PageError},
        oauth::authorize::to_path,
        pages::{self, At, DeletePage, DeletedPage, Layout, SignedIn, Told},
    },
    model::account::Role,
    passwords,
    server::{
        Server,
        people::{self, Change, Unproven},
    },
};

/// Shows the page.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let shown = async {
        match Own::enter(&server, &request).await? {
            None => Ok(Place::Account.after_signing_in(&server)),
            Some(own) => render(&own, None, HttpResponse::Ok()).await,
        }
    };
    failure::page(&server, &request, shown.await)
}

/// Takes its form.
pub async fn take(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let taken = async {
        let Some((own, fields)) = Own::bring(&server, &request, payload).await? else {
            return Ok(Place::Account.after_signing_in(&server));
        };
        let say = |message| own.layout().say(message);
        if !own.is_for(&fields) {
            let told = Told::Refused(say("settings-other-account"));
            return render(&own, Some(told), HttpResponse::Conflict()).await;
        }
        let password = fields.one("password", passwords::LENGTH_MAX).unwrap_or_default().unwrap_or_default();
        let (told, answer) = match people::delete(&server, &own.person(), password).await? {
            Change::Done => return Ok(gone(&server)),
            Change::Unproven(Unproven::Wrong) => {
                (Told::Mistake(At::Password, say("settings-wrong-password")), HttpResponse::UnprocessableEntity())
            }
            Change::Unproven(Unproven::TooMany(too_many)) => {
                (Told::Mistake(At::Password, say("sign-in-too-many")), pages::too_many(too_many))
            }
            Change::Meanwhile | Change::TooManyMails | Change::NotOffered => {
                (Told::Refused(say("settings-meanwhile")), HttpResponse::Conflict())
            }
        };
        render(&own, Some(told), answer).await
    };
    failure::page(&server, &request, taken.await)
}

/// This browser is signed out with it.
fn gone(server: &Server) -> HttpResponse {
    let mut answer = HttpResponse::SeeOther();
    answer.cookie(cookies::remove_session(&server.settings));
    to_path(server, answer, "/account/deleted")
}

/// Says that it is gone; to whoever asks, since nobody is signed in any more.
pub async fn gone_page(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let page = DeletedPage { layout: Layout::of(&server, &request) };
    failure::page(&server, &request, pages::answer(HttpResponse::Ok(), &page, None).map_err(PageError::from))
}

async fn render(own: &Own<'_>, told: Option<Told>, mut answer: HttpResponseBuilder) -> Result<HttpResponse, PageError> {
    let (store, now) = (&own.server.store, own.server.clock.now());
    let page = DeletePage {
        layout: own.layout(),
        csrf: own.csrf()?,
        id: own.id(),
        account: SignedIn::from(&own.account),
        apps: store.connected_apps(own.account.id, now).await?.len(),
        sessions: store.open_sessions(own.account.id, now).await?.len(),
        is_owner: own.account.role != Role::Person,
        has_password: own.has_password,
        told,
    };
    own.visitor.mark(&own.server.settings, &mut answer);
    Ok(pages::answer(answer, &page, None)?)
}
