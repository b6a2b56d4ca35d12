//! The page's routes: one page, one callback, and a form for each thing a person can do.
//! Every form redirects back to the page, so that reload never repeats anything.

use std::future::{Ready, ready};

use actix_web::cookie::{Cookie, SameSite};
use actix_web::http::header;
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, dev, error, web};
use serde::Deserialize;

use super::api_calls::Change;
use super::callback::Disbelief;
use super::connection::{Shared, Stage};
use super::{ChatGpt, Notice, page};

/// The callback's path, in the form of a classic plugin's: `/aip/{plugin id}/oauth/callback`.
pub const CALLBACK_PATH: &str = "/aip/plugin-demo/oauth/callback";

/// Cookies of one host are shared by all its ports, so the name must not be one that Consentry uses.
const COOKIE: &str = "demo_chatgpt";
const FORM_BYTES_MAX: usize = 4096;

/// Mounts the page: `/`, its stylesheet and icon, the callback and the forms.
pub fn configure(cfg: &mut web::ServiceConfig, state: web::Data<ChatGpt>) {
    cfg.app_data(state)
        .app_data(web::FormConfig::default().limit(FORM_BYTES_MAX))
        .route("/", web::get().to(show))
        .route("/demo.css", web::get().to(stylesheet))
        .route("/icon.svg", web::get().to(icon))
        .route("/install", web::post().to(install))
        .route(CALLBACK_PATH, web::get().to(come_back))
        .route("/call", web::post().to(call))
        .route("/todos", web::post().to(add))
        .route("/todos/remove", web::post().to(remove))
        .route("/refresh", web::post().to(refresh))
        .route("/disconnect", web::post().to(disconnect))
        .route("/start-over", web::post().to(start_over));
}

async fn show(request: HttpRequest, app: web::Data<ChatGpt>) -> HttpResponse {
    match find(&request, &app) {
        Some(connection) => page::of(&app, &*connection.lock().await),
        None => page::start(&app, None),
    }
}

async fn stylesheet() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(include_str!("../../../static/demo.css"))
}

async fn icon() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("image/svg+xml")
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(include_str!("../../../static/mark.svg"))
}

/// A new connection gets a new cookie: nobody can prepare one for somebody else's browser.
async fn install(_: Pressed, request: HttpRequest, app: web::Data<ChatGpt>) -> HttpResponse {
    if let Some(cookie) = request.cookie(COOKIE) {
        app.connections.forget(cookie.value());
    }
    let connection = app.install().await;
    let target = match &connection.stage {
        Stage::Away { url, .. } => url.to_string(),
        _ => "/".to_owned(),
    };
    let browser = (app.random)();
    let cookie = Cookie::build(COOKIE, browser.clone()).path("/").http_only(true).same_site(SameSite::Lax).finish();
    app.connections.keep(browser, connection);
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, target))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .cookie(cookie)
        .finish()
}

async fn come_back(request: HttpRequest, app: web::Data<ChatGpt>) -> HttpResponse {
    let Some(connection) = find(&request, &app) else {
        return unbelieved(&app, Disbelief::Unasked);
    };
    let mut connection = connection.lock().await;
    match app.come_back(&mut connection, request.query_string()).await {
        Ok(()) => to_page(),
        Err(disbelief) => unbelieved(&app, disbelief),
    }
}

async fn call(pressed: Pressed, app: web::Data<ChatGpt>) -> HttpResponse {
    if let Some(connection) = pressed.0 {
        let mut connection = connection.lock().await;
        connection.begin();
        app.list(&mut connection, "What is on my to-do list?").await;
    }
    to_page()
}

#[derive(Deserialize)]
struct NewItem {
    text: String,
}

async fn add(pressed: Pressed, app: web::Data<ChatGpt>, form: web::Form<NewItem>) -> HttpResponse {
    change(pressed, &app, Change::Add(form.into_inner().text)).await
}

#[derive(Deserialize)]
struct OldItem {
    id: u64,
}

async fn remove(pressed: Pressed, app: web::Data<ChatGpt>, form: web::Form<OldItem>) -> HttpResponse {
    change(pressed, &app, Change::Remove(form.id)).await
}

async fn change(pressed: Pressed, app: &ChatGpt, change: Change) -> HttpResponse {
    if let Some(connection) = pressed.0 {
        let mut connection = connection.lock().await;
        connection.begin();
        app.change(&mut connection, change).await;
    }
    to_page()
}

async fn refresh(pressed: Pressed, app: web::Data<ChatGpt>) -> HttpResponse {
    if let Some(connection) = pressed.0 {
        app.refresh(&mut *connection.lock().await).await;
    }
    to_page()
}

async fn disconnect(pressed: Pressed, app: web::Data<ChatGpt>) -> HttpResponse {
    if let Some(connection) = pressed.0 {
        app.disconnect(&mut *connection.lock().await).await;
    }
    to_page()
}

async fn start_over(_: Pressed, request: HttpRequest, app: web::Data<ChatGpt>) -> HttpResponse {
    if let Some(cookie) = request.cookie(COOKIE) {
        app.connections.forget(cookie.value());
    }
    to_page()
}

/// A button of this very page was pressed; the connection of its browser, if there is one.
struct Pressed(Option<Shared>);

impl FromRequest for Pressed {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        ready(Self::read(request))
    }
}

impl Pressed {
    /// Browsers say where a request comes from (fetch metadata); other programs have no cookie to misuse.
    fn read(request: &HttpRequest) -> Result<Self, Error> {
        let elsewhere =
            request.headers().get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none");
        if elsewhere {
            return Err(error::ErrorForbidden("This form belongs to another page."));
        }
        let app = request
            .app_data::<web::Data<ChatGpt>>()
            .ok_or_else(|| error::ErrorInternalServerError("The page is not set up."))?;
        Ok(Self(find(request, app)))
    }
}

fn find(request: &HttpRequest, app: &ChatGpt) -> Option<Shared> {
    app.connections.find(request.cookie(COOKIE)?.value())
}

fn to_page() -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, "/"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

fn unbelieved(app: &ChatGpt, disbelief: Disbelief) -> HttpResponse {
    let notice = Notice::bad("That answer was not used", disbelief.to_string());
    page::start(app, Some(&notice))
}
