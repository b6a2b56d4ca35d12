//! `consentry client rename`, `scopes`, `disable`, `enable` and `delete`.

use clap::Args;

use super::{
    answer::Answer,
    client::{failed, find, summary},
    desk::Desk,
    failure::Failure,
};
use crate::registry::clients::{
    Which,
    changes::{self, COUNTED_MAX, Deleted},
    scopes as scopes_of,
};

#[derive(Debug, Args)]
pub(super) struct Rename {
    /// The client's id
    client_id: String,
    /// What people are shown when they are asked for consent
    #[arg(long)]
    name: String,
}

#[derive(Debug, Args)]
pub(super) struct Scopes {
    /// The client's id
    client_id: String,
    /// What it may ask for; several may be given. What is not named is taken away
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct Delete {
    /// The client's id
    client_id: String,
    /// Do it; without this it is only said what would end
    #[arg(long)]
    yes: bool,
}

pub(super) async fn rename(arguments: &Rename, desk: &Desk) -> Result<Answer, Failure> {
    let Rename { client_id: id, name } = arguments;
    let which = Which { client_id: id, seen: None };
    let client = changes::rename(&desk.registry(), which, name).await.map_err(|error| failed(error, id))?;
    let text = format!("{} is called {} from now on.", client.client_id, client.name);
    Ok(Answer { json: summary(&client, None), text })
}

pub(super) async fn scopes(arguments: &Scopes, desk: &Desk) -> Result<Answer, Failure> {
    let Scopes { client_id: id, scopes } = arguments;
    let which = Which { client_id: id, seen: None };
    let client = scopes_of::replace(&desk.registry(), which, scopes).await.map_err(|error| failed(error, id))?;
    let may = client.scopes.as_ref().map(ToString::to_string).unwrap_or_default();
    let text = format!(
        "{} ({}) may ask for: {may}\n\nWhat it had beside that is gone from its connections at their next refresh, and \
         from its own tokens. What it did not have is asked of people when they connect the next time; who agreed to it \
         before has it back at the next refresh. Where the client itself names its scopes, put the new list there too.",
        client.client_id, client.name
    );
    Ok(Answer { json: summary(&client, None), text })
}

pub(super) async fn disable(id: &str, desk: &Desk) -> Result<Answer, Failure> {
    let client = changes::disable(&desk.registry(), id).await.map_err(|error| failed(error, id))?;
    let text = format!("Disabled {} ({}). Nothing it was given is valid any more.", client.client_id, client.name);
    Ok(Answer { json: summary(&client, None), text })
}

pub(super) async fn enable(id: &str, desk: &Desk) -> Result<Answer, Failure> {
    let which = Which { client_id: id, seen: None };
    let client = changes::enable(&desk.registry(), which).await.map_err(|error| failed(error, id))?;
    let text = format!(
        "Enabled {} ({}). What it was given before it was disabled stays ended: people connect anew.",
        client.client_id, client.name
    );
    Ok(Answer { json: summary(&client, None), text })
}

pub(super) async fn delete(arguments: &Delete, desk: &Desk) -> Result<Answer, Failure> {
    let (id, registry) = (arguments.client_id.as_str(), desk.registry());
    if !arguments.yes {
        let client = find(id, desk).await?;
        let ends = counted(changes::connections(&registry, &client).await?);
        return Err(Failure::not_done(format!(
            "nothing was deleted. {} ({}) would go with its secrets, and {ends} would end; people would have to connect \
             anew with another client. Say --yes to delete it, or keep it with `consentry client disable`",
            client.client_id, client.name
        )));
    }
    let Deleted { client, connections } = changes::delete(&registry, id).await.map_err(|error| failed(error, id))?;
    let ended = counted(connections);
    let text = format!("Deleted {} ({}); {ended} ended.", client.client_id, client.name);
    let mut json = summary(&client, None);
    json["deleted"] = true.into();
    json["connections_ended"] = connections.into();
    Ok(Answer { json, text })
}

fn counted(connections: Option<u32>) -> String {
    match connections {
        Some(1) => "1 connection".to_owned(),
        Some(some) => format!("{some} connections"),
        None => format!("all that stand of more than {COUNTED_MAX} connections"),
    }
}
