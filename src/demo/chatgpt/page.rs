//! The page itself: what a connection looks like to the person in front of it.
//! Neighbour: `templates/demo/chatgpt.html`, which holds every word that does not depend on the connection.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use askama::Template;

use super::api_calls::{Reply, Turn};
use super::connection::{Connection, Stage, Step};
use super::plugin::Plugin;
use super::timeline::Entry;
use super::{ChatGpt, Notice, shown};

#[derive(Template)]
#[template(path = "demo/chatgpt.html")]
struct Page<'a> {
    host: &'a str,
    manifest_path: &'a str,
    notice: Option<&'a Notice>,
    plugin: Option<&'a Plugin>,
    stage: View<'a>,
    turn: Option<&'a Turn>,
    steps: Vec<Milestone>,
    entries: Vec<Shown<'a>>,
}

/// The stage as the page needs it, without secrets.
enum View<'a> {
    Start,
    Away { url: &'a str },
    Refused,
    Connected(Held),
    Ended,
}

/// What may be shown of the tokens held.
struct Held {
    access: String,
    refresh: Option<String>,
    lifetime: String,
    permissions: Vec<String>,
}

struct Milestone {
    name: &'static str,
    detail: &'static str,
    state: &'static str,
}

struct Shown<'a> {
    entry: &'a Entry,
    open: bool,
}

/// The page before anything was installed.
pub(super) fn start(app: &ChatGpt, notice: Option<&Notice>) -> HttpResponse {
    let status = if notice.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = Page {
        host: host(app),
        manifest_path: app.manifest_url.path(),
        notice,
        plugin: None,
        stage: View::Start,
        turn: None,
        steps: milestones(&[], false),
        entries: Vec::new(),
    };
    answer(status, &page)
}

/// The page of a connection.
pub(super) fn of(app: &ChatGpt, connection: &Connection) -> HttpResponse {
    let stage = match &connection.stage {
        Stage::Unusable => View::Start,
        Stage::Away { url, .. } => View::Away { url: url.as_str() },
        Stage::Refused { .. } => View::Refused,
        Stage::Ended { .. } => View::Ended,
        Stage::Connected { tokens, .. } => View::Connected(Held {
            access: shown::shortened(tokens.access.secret()),
            refresh: tokens.refresh.as_ref().map(|token| shown::shortened(token.secret())),
            lifetime: tokens.lifetime.map_or_else(|| "not said".to_owned(), |time| spoken(time.as_secs())),
            permissions: tokens.scope.split_whitespace().map(str::to_owned).collect(),
        }),
    };
    let over = matches!(connection.stage, Stage::Refused { .. } | Stage::Ended { .. });
    let timeline = &connection.timeline;
    let page = Page {
        host: host(app),
        manifest_path: app.manifest_url.path(),
        notice: connection.notice.as_ref(),
        plugin: connection.plugin(),
        stage,
        turn: connection.turn.as_ref(),
        steps: milestones(&connection.reached, over),
        entries: timeline.entries().map(|entry| Shown { entry, open: timeline.is_latest(entry) }).collect(),
    };
    answer(StatusCode::OK, &page)
}

fn host(app: &ChatGpt) -> &str {
    let authority = app.manifest_url.authority();
    authority.rsplit('@').next().unwrap_or(authority)
}

/// The story's steps; the first one not yet reached is next, unless the story is over.
fn milestones(reached: &[Step], over: bool) -> Vec<Milestone> {
    const STEPS: [(Step, &str, &str); 6] = [
        (Step::Install, "Install", "The manifest is read"),
        (Step::Consent, "Consent", "You sign in and say yes"),
        (Step::Tokens, "Tokens", "The code is exchanged"),
        (Step::Call, "Call", "The API answers for you"),
        (Step::Refresh, "Refresh", "New tokens, no questions"),
        (Step::Disconnect, "Disconnect", "And the API refuses"),
    ];
    let next = STEPS.iter().find(|(step, ..)| !reached.contains(step));
    let milestone = |(step, name, detail): &(Step, &'static str, &'static str)| Milestone {
        name,
        detail,
        state: if reached.contains(step) {
            "done"
        } else if !over && next.is_some_and(|(next, ..)| next == step) {
            "next"
        } else {
            "ahead"
        },
    };
    STEPS.iter().map(milestone).collect()
}

fn spoken(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        _ => (seconds / 3600, "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

fn answer(status: StatusCode, page: &Page<'_>) -> HttpResponse {
    match page.render() {
        Ok(html) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::CONTENT_SECURITY_POLICY, policy(page.plugin)))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .body(html),
        Err(error) => {
            tracing::error!(%error, "the demo page could not be rendered");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// No `form-action`: browsers apply it to the redirect after a form too, and "Install plugin" redirects to wherever the manifest says.
fn policy(plugin: Option<&Plugin>) -> String {
    let logo = plugin.and_then(|plugin| plugin.logo.as_ref());
    let logos = logo.map(|logo| logo.origin().ascii_serialization()).unwrap_or_default();
    format!("default-src 'none'; style-src 'self'; img-src 'self' {logos}; base-uri 'none'; frame-ancestors 'none'")
}
