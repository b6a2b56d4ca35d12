//! `consentry audit …`: who changed what, when and from where.

use clap::{Args, Subcommand};
use serde_json::json;
use uuid::Uuid;

use super::{
    answer::{Answer, columns},
    audit_export,
    audit_verify::{self, Verify},
    desk::Desk,
    failure::Failure,
    flags::ConfigFlags,
};
use crate::{
    model::id::AuditEventId,
    registry::log::{self, CSV_HEAD, Line},
    store::{audit_log::Of, owners::Page},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List what happened, the newest first
    List(List),
    /// Say whether the log is as it was written: nothing deleted, changed or put in afterwards
    Verify(Verify),
    /// Write all that happened, the oldest first, as it is stored
    Export(audit_export::Arguments),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only what concerns this plugin
    #[arg(long, value_name = "SLUG")]
    plugin: Option<String>,
    /// Only lines with this word, such as client.added, or about this client
    #[arg(long, value_name = "WORD_OR_CLIENT_ID", requires = "plugin")]
    search: Option<String>,
    /// What is older than this line
    #[arg(long, value_name = "ID")]
    before: Option<Uuid>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10000))]
    limit: u32,
    /// Answer in CSV, for table programs
    #[arg(long)]
    csv: bool,
}

pub(super) async fn run(command: Command, desk: &Desk, with: (bool, &ConfigFlags)) -> Result<Answer, Failure> {
    match command {
        Command::List(arguments) => list(arguments, desk).await,
        Command::Export(arguments) => audit_export::run(&arguments, desk).await,
        Command::Verify(arguments) => audit_verify::run(arguments, desk, with).await,
    }
}

async fn list(arguments: List, desk: &Desk) -> Result<Answer, Failure> {
    let registry = desk.registry();
    let plugin = match &arguments.plugin {
        Some(slug) => Some(desk.plugin(slug).await?),
        None => None,
    };
    let of = match &plugin {
        Some(plugin) => log::sought(&registry, plugin, arguments.search.as_deref().unwrap_or_default()).await?,
        None => Of::Server,
    };
    let page = Page { before: arguments.before.map(AuditEventId), rows_max: arguments.limit };
    let lines = log::read(&registry, plugin.as_ref(), of, page).await?;
    let json = lines.iter().map(told).collect();
    let text = if arguments.csv {
        std::iter::once(CSV_HEAD.to_owned()).chain(lines.iter().map(Line::csv)).collect::<String>().replace('\r', "")
    } else if lines.is_empty() {
        "Nothing has happened.".to_owned()
    } else {
        let head = ["AT", "ACTION", "BY", "ABOUT", "CLIENT", "FROM", "DETAIL"].map(str::to_owned);
        columns(&std::iter::once(head).chain(lines.iter().map(row)).collect::<Vec<_>>())
    };
    Ok(Answer { json, text })
}

fn row(line: &Line) -> [String; 7] {
    let Line { at, action, mut by, token_name, person, client_id, address, detail, .. } = line.clone();
    if !line.token_id.is_empty() {
        by = format!("{by} by the token {token_name}");
    }
    [at, action, by, person, client_id, address, detail]
}

fn told(line: &Line) -> serde_json::Value {
    json!({
        "id": line.id,
        "at": line.at,
        "action": line.action,
        "by": line.by,
        "token_id": line.token_id,
        "token_name": line.token_name,
        "person": line.person,
        "client_id": line.client_id,
        "client_name": line.client_name,
        "address": line.address,
        "request_id": line.request_id,
        "detail": line.detail,
    })
}
