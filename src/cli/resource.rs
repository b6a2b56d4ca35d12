//! `consentry resource …`: what tokens can be for (RFC 8707): each plugin's API, and further ones such as its MCP
//! server.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    answer::{Answer, columns, shown},
    desk::{Desk, audit},
    failure::Failure,
    flags::ConfigFlags,
};
use crate::{
    model::{
        id::ResourceId,
        public_key::SigningAlgorithm,
        resource::{Resource, ResourceIdentifier},
    },
    protocol::{
        bearer::{Problem, Target, challenge, resource_metadata_url},
        resource_metadata::scopes,
    },
    random,
    registry::{RegistryError, keys},
    store::resources::{AddResource, NewResource, RemoveResource},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register a further resource of a plugin, such as its MCP server
    Add(Add),
    /// List all resources
    List,
    /// Say how access tokens for a resource are signed, for an API that verifies nothing else than RS256 or `EdDSA`
    SetAlgorithm(SetAlgorithm),
    /// Remove a resource; whatever was issued for it ends
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// The URL clients know it by, letter for letter, such as `https://api.example.com/mcp`
    identifier: String,
    /// The short name of the plugin whose scopes it has
    #[arg(long, value_name = "SLUG")]
    plugin: String,
}

#[derive(Debug, Args)]
pub(super) struct SetAlgorithm {
    /// The URL clients know it by
    identifier: String,
    /// ES256, RS256 or `EdDSA`
    algorithm: SigningAlgorithm,
}

#[derive(Debug, Args)]
pub(super) struct Remove {
    /// The URL clients know it by
    identifier: String,
}

pub(super) async fn run(command: Command, desk: &Desk, flags: &ConfigFlags) -> Result<Answer, Failure> {
    match command {
        Command::Add(arguments) => add(&arguments, desk).await,
        Command::List => list(desk).await,
        Command::SetAlgorithm(arguments) => set_algorithm(&arguments, desk, flags).await,
        Command::Remove(arguments) => remove(&arguments, desk).await,
    }
}

/// What every command says about a resource.
pub(super) fn summary(resource: &Resource) -> Value {
    json!({
        "resource_id": resource.id,
        "resource": resource.identifier.as_str(),
        "plugin": resource.plugin_slug,
        "default": resource.is_default,
        "signing_algorithm": resource.signing_algorithm.as_str(),
        "metadata_url": resource_metadata_url(&resource.identifier),
    })
}

fn read(text: &str) -> Result<ResourceIdentifier, Failure> {
    text.trim().parse().map_err(|error| Failure::not_done(format!("\"{text}\" is no resource: {error}")))
}

async fn add(arguments: &Add, desk: &Desk) -> Result<Answer, Failure> {
    let identifier = read(&arguments.identifier)?;
    let plugin = desk.plugin(&arguments.plugin).await?;
    let at = desk.clock.now();
    let resource = NewResource { id: ResourceId(random::id(at)), plugin_id: plugin.id, identifier, at };
    let (done, resource) = match desk.store.add_resource(&resource, &audit(at)).await? {
        AddResource::Added(resource) => ("is registered", resource),
        AddResource::Known(resource) => ("was registered before", resource),
        AddResource::Taken { slug } => {
            return Err(Failure::not_done(format!(
                "{} is a resource of the plugin \"{slug}\" already; a resource belongs to one plugin",
                resource.identifier
            )));
        }
    };
    let text = format!("{} {done} for {}.\n\n{}", resource.identifier, resource.plugin_slug, to_do(&resource));
    Ok(Answer { json: summary(&resource), text })
}

/// What the API has to do so that clients find their way.
fn to_do(resource: &Resource) -> String {
    let metadata = resource_metadata_url(&resource.identifier);
    let scope = scopes(resource).collect::<Vec<_>>().join(" ");
    let header = challenge(Problem::Missing, Target { resource_metadata: &metadata, scope: &scope });
    format!(
        "Its metadata, for which the API's host has to hand on requests to this server:\n  {metadata}\n\n\
         What the API answers to a call without a token, with status 401:\n  WWW-Authenticate: {header}\n\n\
         What a token for it has as its audience:\n  {}\n\n\
         docs/connectors.md has lines for a reverse proxy, and what to check in a token.",
        resource.identifier
    )
}

async fn list(desk: &Desk) -> Result<Answer, Failure> {
    let resources = desk.store.resources().await?;
    let json = resources.iter().map(summary).collect();
    let text = if resources.is_empty() {
        "No resources yet. Each plugin has one from the start: `consentry plugin import ai-plugin.json --host HOST`."
            .to_owned()
    } else {
        let head = ["RESOURCE", "PLUGIN", "", "SIGNED", "METADATA"].map(str::to_owned);
        let row = |resource: &Resource| {
            [
                resource.identifier.to_string(),
                resource.plugin_slug.clone(),
                if resource.is_default { "default" } else { "" }.to_owned(),
                resource.signing_algorithm.as_str().to_owned(),
                resource_metadata_url(&resource.identifier),
            ]
        };
        columns(&std::iter::once(head).chain(resources.iter().map(row)).collect::<Vec<_>>())
    };
    Ok(Answer { json, text })
}

async fn set_algorithm(arguments: &SetAlgorithm, desk: &Desk, flags: &ConfigFlags) -> Result<Answer, Failure> {
    let identifier = read(&arguments.identifier)?;
    let keyring = super::key::open(desk, flags.master_keys()?).await?;
    let means = super::key::means(desk, &keyring)?;
    let done = keys::sign_for(&desk.registry(), means, &identifier.canonical(), arguments.algorithm).await;
    let (resource, begins) = match done {
        Err(RegistryError::Gone) => return Err(unknown(&identifier)),
        done => done?,
    };
    let (identifier, algorithm) = (&resource.identifier, resource.signing_algorithm.as_str());
    let text = match begins {
        None => format!("Access tokens for {identifier} are signed with {algorithm}."),
        Some(at) if resource.signing_algorithm != arguments.algorithm => format!(
            "The key is published at /.well-known/jwks.json, and can be used from {} on. Say this again then; until then \
             tokens for {identifier} are signed with {algorithm}.",
            shown(at)
        ),
        Some(at) => format!(
            "Access tokens for {identifier} are signed with {algorithm} from {} on. Its key is published at \
             /.well-known/jwks.json already, so that everybody knows it by then.",
            shown(at)
        ),
    };
    Ok(Answer { json: summary(&resource), text })
}

fn unknown(identifier: &ResourceIdentifier) -> Failure {
    Failure::not_done(format!("there is no resource \"{identifier}\"; see `consentry resource list`"))
}

async fn remove(arguments: &Remove, desk: &Desk) -> Result<Answer, Failure> {
    let identifier = read(&arguments.identifier)?;
    match desk.store.remove_resource(&identifier.canonical(), &audit(desk.clock.now())).await? {
        RemoveResource::Removed(resource) => {
            let text = format!(
                "Removed {} of {}. Nothing that was issued for it is valid any more.",
                resource.identifier, resource.plugin_slug
            );
            Ok(Answer { json: summary(&resource), text })
        }
        RemoveResource::IsDefault(resource) => Err(Failure::not_done(format!(
            "{} is the default of the plugin \"{}\", which always has one; `consentry plugin import` with another \
             --host makes another the default",
            resource.identifier, resource.plugin_slug
        ))),
        RemoveResource::Unknown => Err(unknown(&identifier)),
    }
}
