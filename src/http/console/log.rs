//! `/console/plugins/{slug}/log`: what happened to a plugin, newest first; `/log.csv`: the same as a file.

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use super::{
    entry::{Entry, Outcome, take, text, visit},
    paging::Part,
    people::encoded,
};
use crate::{
    http::{
        failure::PageError,
        oauth::authorize::to_path,
        pages::console::{LogLine, LogPage, Section},
    },
    model::{id::AuditEventId, plugin::Plugin},
    protocol::parameters::Parameters,
    registry::log::{self, CSV_HEAD},
    server::Server,
    store::owners::Page,
};

/// How many lines stand on a page.
const ROWS: u32 = 50;

/// How many are read in one statement for a file, and how often: what one request may cost.
const BATCH: u32 = 500;
const BATCHES: usize = 20;

/// The longest text that is looked for: a client's id.
const SEARCH_MAX: usize = 2048;

/// Shows a page of it.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    visit(&server, &request, async |entry| render(entry).await).await
}

/// Takes what is to be looked for, and leads to the page of that, which can be kept and sent on.
pub async fn search(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let carry_out = async |entry: &Entry<'_>, fields: &Parameters| {
        let plugin = entry.plugin().await?;
        let query = encoded(asked(fields)?.trim());
        let path = format!("/console/plugins/{}/log?search={query}", plugin.slug);
        Ok(to_path(entry.server, HttpResponse::SeeOther(), &path))
    };
    take(&server, &request, payload, carry_out).await
}

/// Answers the newest lines as a file.
pub async fn file(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    visit(&server, &request, async |entry| export(entry).await).await
}

fn asked(fields: &Parameters) -> Result<&str, PageError> {
    text(fields, "search", SEARCH_MAX)
}

async fn read(entry: &Entry<'_>) -> Result<(Plugin, String), PageError> {
    let plugin = entry.plugin().await?;
    Ok((plugin, asked(&entry.query()?)?.to_owned()))
}

async fn render(entry: &Entry<'_>) -> Outcome {
    let (plugin, search) = read(entry).await?;
    let part = Part::asked_for(entry, ROWS)?;
    let registry = entry.registry();
    let of = log::sought(&registry, &plugin, &search).await?;
    let mut lines = log::read(&registry, Some(&plugin), of, part.page(AuditEventId)).await?;
    let query = encoded(&search);
    let (list, kept) = (format!("/console/plugins/{}/log", plugin.slug), format!("search={query}"));
    let pager = part.shown(&mut lines, |line| line.id.0, (&list, &kept));
    let page = LogPage {
        layout: entry.layout(),
        frame: entry.frame(Some((&plugin, Section::Log)))?,
        slug: plugin.slug.clone(),
        query,
        search,
        lines: lines.into_iter().map(LogLine::from).collect(),
        pager,
    };
    entry.answer(HttpResponse::Ok(), &page)
}

async fn export(entry: &Entry<'_>) -> Outcome {
    let (plugin, search) = read(entry).await?;
    let registry = entry.registry();
    let of = log::sought(&registry, &plugin, &search).await?;
    let (mut csv, mut before) = (CSV_HEAD.to_owned(), Part::asked_for(entry, BATCH)?.before.map(AuditEventId));
    let mut is_whole = false;
    for _ in 0..BATCHES {
        let page = Page { before, rows_max: BATCH };
        let lines = log::read(&registry, Some(&plugin), of.clone(), page).await?;
        csv.extend(lines.iter().map(log::Line::csv));
        before = lines.last().map(|line| line.id);
        is_whole = lines.len() < BATCH as usize;
        if is_whole {
            break;
        }
    }
    if let Some(before) = before.filter(|_| !is_whole) {
        csv.push_str(&log::there_may_be_more(before));
    }
    let name = format!("attachment; filename=\"{}-log.csv\"", plugin.slug);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_DISPOSITION, name))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"))
        .content_type("text/csv; charset=utf-8")
        .body(csv))
}
