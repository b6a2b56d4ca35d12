//! `consentry plugin routes`: which requests the gate lets through to a plugin's API, and what each needs.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{
    answer::{Answer, columns},
    desk::{Desk, audit},
    failure::Failure,
    plugin_import::read_file,
};
use crate::{
    model::{
        gate::{Needs, Passage, RouteTable},
        plugin::{DocumentKind, Plugin},
        scope::Scopes,
    },
    protocol::gate::described::{self, Described},
};

/// The largest file of lines.
const BYTES_MAX: usize = 1024 * 1024;

#[derive(Debug, Args)]
pub(super) struct Routes {
    /// The plugin's short name
    slug: String,
    /// Use the lines of this file from now on, such as `GET /todos/{id} todo.read`, one line a route
    #[arg(long, value_name = "FILE", conflicts_with = "from_description")]
    from: Option<PathBuf>,
    /// Use what the plugin's API description says from now on
    #[arg(long)]
    from_description: bool,
}

pub(super) async fn run(arguments: &Routes, desk: &Desk) -> Result<Answer, Failure> {
    let plugin = desk.plugin(&arguments.slug).await?;
    let plugin = match (&arguments.from, arguments.from_description) {
        (None, false) => plugin,
        (Some(file), _) => {
            let text = read_file(file, BYTES_MAX).map_err(|told| Failure::list("nothing was changed:", &told))?;
            let routes = table(&String::from_utf8_lossy(&text), &plugin)
                .map_err(|error| Failure::not_done(format!("{}: {error}; nothing was changed", file.display())))?;
            set(&plugin, Some(&routes), desk).await?
        }
        (None, true) => set(&plugin, None, desk).await?,
    };
    show(&plugin, desk).await
}

/// Reads lines, whose scopes must be the plugin's: nobody could be granted others.
fn table(text: &str, plugin: &Plugin) -> Result<RouteTable, String> {
    let routes: RouteTable = text.parse().map_err(|error| format!("{error}"))?;
    if routes.is_empty() {
        return Err("it has no routes; nothing would go through".to_owned());
    }
    let unknown = routes.scopes().without(&plugin.scopes.names());
    if unknown.is_empty() { Ok(routes) } else { Err(format!("the plugin has no such scope: {unknown}")) }
}

async fn set(plugin: &Plugin, routes: Option<&RouteTable>, desk: &Desk) -> Result<Plugin, Failure> {
    desk.store.set_routes(plugin.id, routes, &audit(desk.clock.now())).await?;
    desk.plugin(&plugin.slug).await
}

async fn show(plugin: &Plugin, desk: &Desk) -> Result<Answer, Failure> {
    let (source, Described { routes, left_out }) = match &plugin.routes {
        Some(lines) => {
            let routes = lines.parse().map_err(|error| Failure::not_done(format!("its routes: {error}")))?;
            ("lines", Described { routes, left_out: Vec::new() })
        }
        None => match desk.store.document(&plugin.host, DocumentKind::OpenApi).await? {
            Some(document) => {
                let described = described::read(&document.body);
                ("description", described.map_err(|error| Failure::not_done(format!("its description: {error}")))?)
            }
            None => ("description", Described::default()),
        },
    };
    let json = json!({
        "plugin_id": plugin.id,
        "slug": plugin.slug,
        "upstream": plugin.upstream,
        "from": source,
        "routes": routes.iter().map(|passage| json!({
            "route": passage.route.to_string(),
            "public": passage.needs == Needs::Nothing,
            "scopes": alternatives(passage).iter().map(Scopes::to_string).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "left_out": left_out,
    });
    Ok(Answer { json, text: told(plugin, source, &routes, &left_out) })
}

fn alternatives(passage: &Passage) -> &[Scopes] {
    match &passage.needs {
        Needs::Nothing => &[],
        Needs::Token(alternatives) => alternatives,
    }
}

fn told(plugin: &Plugin, source: &str, routes: &RouteTable, left_out: &[String]) -> String {
    let needs = |passage: &Passage| match alternatives(passage) {
        [] => "nothing: anybody may call".to_owned(),
        [none] if none.is_empty() => "a token".to_owned(),
        some => some.iter().map(Scopes::to_string).collect::<Vec<_>>().join(", or "),
    };
    let head = ["ROUTE", "NEEDS"].map(str::to_owned);
    let rows = routes.iter().map(|passage| [passage.route.to_string(), needs(passage)]);
    let mut text = match &plugin.upstream {
        Some(upstream) => format!("What comes to {} goes on to {upstream}, if it is one of these.", plugin.host),
        None => format!(
            "{} is not behind the gate: `consentry plugin import … --upstream URL` puts it there. It would be these.",
            plugin.name()
        ),
    };
    text += match source {
        "lines" => " They are lines of your own.\n\n",
        _ => " They are those of its description.\n\n",
    };
    if routes.is_empty() {
        text += "None: whatever comes is refused. `consentry plugin routes SLUG --from FILE` says what there is.";
    } else {
        text += &columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>());
    }
    if !left_out.is_empty() {
        text +=
            "\n\nRefused, because the gate cannot tell by whole parts of a path what they are, or what they need:\n  ";
        text += &left_out.join("\n  ");
    }
    text
}
