//! `consentry plugin …`: APIs, and the documents about them. Importing has a file of its own.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    answer::{Answer, columns},
    desk::Desk,
    failure::Failure,
    flags::ConfigFlags,
    plugin_access, plugin_import, plugin_numbers, plugin_people, plugin_routes, plugin_verification, plugin_webhook,
    resource,
};
use crate::{
    model::{plugin::Plugin, resource::Resource},
    protocol::manifest,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register a plugin from its manifest, or change it
    Import(plugin_import::Import),
    /// List all plugins
    List,
    /// Show one plugin and its manifest as it is served
    Show(Show),
    /// List who owns a plugin
    Owners(plugin_people::Which),
    /// Make somebody an owner
    AddOwner(plugin_people::Whom),
    /// Take an owner away, but not the last one
    RemoveOwner(plugin_people::Whom),
    /// Say who may connect, and what they may grant; show it when nothing is to change
    Access(plugin_access::Set),
    /// Say which requests go on to the API behind the gate, and what each needs; show it when nothing is to change
    Routes(plugin_routes::Routes),
    /// The account with which a vendor's reviewers try a plugin
    #[command(subcommand)]
    Reviewer(plugin_access::Reviewer),
    /// List who is connected to a plugin, the newest first
    People(plugin_people::People),
    /// Disconnect one person, or everybody
    Disconnect(plugin_people::Disconnect),
    /// Publish the verification token that an assistant has shown
    VerificationToken(plugin_verification::Token),
    /// Read the manifest back through its public address, as an assistant does
    Verify(plugin_verification::Verify),
    /// Serve the proof of the domain that a connector's vendor asks for
    Challenge(plugin_verification::Challenge),
    /// Where the plugin's API is told who connects and who leaves
    #[command(subcommand)]
    Webhook(plugin_webhook::Command),
    /// Tell how one is used: connected people, new and lost connections, token requests, refusals
    Numbers(plugin_numbers::Show),
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The plugin's short name
    slug: String,
}

pub(super) async fn run(
    command: Command,
    desk: &Desk,
    (as_json, flags): (bool, &ConfigFlags),
) -> Result<Answer, Failure> {
    match command {
        Command::Import(arguments) => plugin_import::run(arguments, desk).await,
        Command::List => list(desk).await,
        Command::Show(arguments) => show(&arguments, desk).await,
        Command::Owners(arguments) => plugin_people::list(&arguments, desk).await,
        Command::AddOwner(arguments) => plugin_people::add(&arguments, desk).await,
        Command::RemoveOwner(arguments) => plugin_people::remove(&arguments, desk).await,
        Command::Access(arguments) => plugin_access::run(arguments, desk).await,
        Command::Routes(arguments) => plugin_routes::run(&arguments, desk).await,
        Command::Reviewer(command) => plugin_access::reviewer(command, desk).await,
        Command::People(arguments) => plugin_people::connected(arguments, desk).await,
        Command::Disconnect(arguments) => plugin_people::disconnect(&arguments, desk).await,
        Command::VerificationToken(arguments) => plugin_verification::set_token(&arguments, desk).await,
        Command::Verify(arguments) => plugin_verification::verify(&arguments, desk, as_json).await,
        Command::Challenge(arguments) => plugin_verification::set_challenge(&arguments, desk).await,
        Command::Webhook(command) => plugin_webhook::run(command, desk, flags).await,
        Command::Numbers(arguments) => plugin_numbers::run(&arguments, desk).await,
    }
}

/// What every command says about a plugin, with the names of the contract first.
pub(super) fn summary(plugin: &Plugin) -> Value {
    json!({
        "plugin_id": plugin.id,
        "slug": plugin.slug,
        "host": plugin.host,
        "state": plugin.state,
        "name": plugin.name(),
        "upstream": plugin.upstream,
        "resource": plugin.resource,
        "accent_color": plugin.accent_color.map(|colour| colour.to_string()),
        "scopes": plugin.scopes,
    })
}

async fn list(desk: &Desk) -> Result<Answer, Failure> {
    let plugins = desk.store.plugins().await?;
    let json = plugins.iter().map(summary).collect();
    let text = if plugins.is_empty() {
        "No plugins yet. Register one with `consentry plugin import ai-plugin.json --host HOST`.".to_owned()
    } else {
        let head = ["SLUG", "HOST", "STATE", "NAME"].map(str::to_owned);
        let row = |plugin: &Plugin| {
            [plugin.slug.clone(), plugin.host.to_string(), plugin.state.as_str().to_owned(), plugin.name().to_owned()]
        };
        columns(&std::iter::once(head).chain(plugins.iter().map(row)).collect::<Vec<_>>())
    };
    Ok(Answer { json, text })
}

async fn show(arguments: &Show, desk: &Desk) -> Result<Answer, Failure> {
    let plugin = desk.plugin(&arguments.slug).await?;
    let served = manifest::served(&plugin, desk.scheme(&plugin.host));
    let facts = columns(&[
        ["Plugin".to_owned(), plugin.name().to_owned()],
        ["Slug".to_owned(), plugin.slug.clone()],
        ["Host".to_owned(), plugin.host.to_string()],
        ["State".to_owned(), plugin.state.as_str().to_owned()],
        ["API".to_owned(), plugin.resource.clone()],
        ["Upstream".to_owned(), plugin.upstream.clone().unwrap_or_else(|| "none".to_owned())],
    ]);
    let mut scopes: Vec<String> =
        plugin.scopes.iter().map(|scope| format!("  {}: {}", scope.name, scope.words)).collect();
    if scopes.is_empty() {
        scopes.push("  none; import it again with --openapi FILE or --scope NAME=WORDS".to_owned());
    }
    let resources = desk.store.resources().await?;
    let resources: Vec<&Resource> = resources.iter().filter(|resource| resource.plugin_id == plugin.id).collect();
    let listed: Vec<String> = resources
        .iter()
        .map(|resource| format!("  {}{}", resource.identifier, if resource.is_default { " (default)" } else { "" }))
        .collect();
    let verification = desk.store.remembered_looks(plugin.id).await?;
    let text = format!(
        "{facts}\n\nPublic address\n  {}\n\nScopes\n{}\n\nResources\n{}\n\nServed at {}\n{}",
        plugin_verification::told(&verification).replace('\n', "\n  "),
        scopes.join("\n"),
        listed.join("\n"),
        manifest_url(desk, &plugin),
        serde_json::to_string_pretty(&served).unwrap_or_default()
    );
    let mut json = summary(&plugin);
    json["resources"] = resources.into_iter().map(resource::summary).collect();
    json["manifest"] = served;
    json["verification"] = plugin_verification::remembered(&verification);
    Ok(Answer { json, text })
}

/// Where a plugin's manifest is served.
pub(super) fn manifest_url(desk: &Desk, plugin: &Plugin) -> String {
    format!("{}://{}/.well-known/ai-plugin.json", desk.scheme(&plugin.host), plugin.host)
}
