//! `consentry plugin owners|add-owner|remove-owner|people|disconnect`: who owns a plugin, and who is connected to it.

use clap::Args;
use serde_json::json;
use uuid::Uuid;

use super::{
    answer::{Answer, columns, shown},
    desk::Desk,
    failure::Failure,
};
use crate::{
    model::id::ConsentId,
    registry::{RegistryError, owners, people},
    store::{owners::Page, plugin_people::ConnectedPerson},
};

#[derive(Debug, Args)]
pub(super) struct Which {
    /// The plugin's short name
    slug: String,
}

#[derive(Debug, Args)]
pub(super) struct Whom {
    /// The plugin's short name
    slug: String,
    /// The address of their account
    #[arg(long)]
    email: String,
}

#[derive(Debug, Args)]
pub(super) struct People {
    /// The plugin's short name
    slug: String,
    /// One of its resources; the default one if none is named
    #[arg(long, value_name = "IDENTIFIER")]
    resource: Option<String>,
    /// What is older than this line of the list
    #[arg(long, value_name = "ID")]
    before: Option<Uuid>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

#[derive(Debug, Args)]
pub(super) struct Disconnect {
    /// The plugin's short name
    slug: String,
    /// One person: the subject that the API knows them by
    #[arg(long, value_name = "SUBJECT", conflicts_with = "all", required_unless_present = "all")]
    person: Option<String>,
    /// Everybody
    #[arg(long, requires = "yes")]
    all: bool,
    /// Yes, everybody
    #[arg(long)]
    yes: bool,
}

pub(super) async fn list(arguments: &Which, desk: &Desk) -> Result<Answer, Failure> {
    let plugin = desk.plugin(&arguments.slug).await?;
    let owners = desk.store.owners(plugin.id).await?;
    let json = owners.iter().map(|owner| {
        let since = shown(owner.added_at);
        json!({ "account_id": owner.account_id, "email": owner.email, "name": owner.name, "added_at": since })
    });
    let head = ["EMAIL", "NAME", "SINCE"].map(str::to_owned);
    let rows = owners.iter().map(|owner| [owner.email.to_string(), owner.name.clone(), shown(owner.added_at)]);
    let text = if owners.is_empty() {
        "Nobody owns it but you, the operator. Add somebody with `consentry plugin add-owner`.".to_owned()
    } else {
        columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
    };
    Ok(Answer { json: json.collect(), text })
}

pub(super) async fn add(arguments: &Whom, desk: &Desk) -> Result<Answer, Failure> {
    let plugin = desk.plugin(&arguments.slug).await?;
    let is_new = owners::add(&desk.registry(), plugin.id, &arguments.email).await?;
    let (slug, email) = (&plugin.slug, arguments.email.trim());
    let text = if is_new { format!("{email} owns {slug} now.") } else { format!("{email} owns {slug} already.") };
    Ok(Answer { json: json!({ "slug": slug, "email": email, "added": is_new }), text })
}

pub(super) async fn remove(arguments: &Whom, desk: &Desk) -> Result<Answer, Failure> {
    let plugin = desk.plugin(&arguments.slug).await?;
    let email = owners::address(&arguments.email)?;
    let owners = desk.store.owners(plugin.id).await?;
    let Some(owner) = owners.iter().find(|owner| owner.email == email) else {
        return Err(Failure::not_done(format!("--email: {email} does not own {}", plugin.slug)));
    };
    owners::remove(&desk.registry(), plugin.id, owner.account_id).await?;
    let text = format!("{email} does not own {} any more.", plugin.slug);
    Ok(Answer { json: json!({ "slug": plugin.slug, "email": email, "removed": true }), text })
}

pub(super) async fn connected(arguments: People, desk: &Desk) -> Result<Answer, Failure> {
    let plugin = desk.plugin(&arguments.slug).await?;
    let resource = arguments.resource.unwrap_or_else(|| plugin.resource.clone());
    let page = Page { before: arguments.before.map(ConsentId), rows_max: arguments.limit };
    let people = desk.store.people_of(plugin.id, &resource, page).await?;
    let subject = |person: &ConnectedPerson| people::subject_of(&plugin, person.account_id);
    let last = |person: &ConnectedPerson| person.last_used_at.map(shown);
    let json = people.iter().map(|person| {
        json!({
            "id": person.consent_id,
            "subject": subject(person),
            "email": person.email,
            "name": person.name,
            "client_id": person.client_id,
            "client_name": person.client_name,
            "scopes": person.scopes.to_string(),
            "connected_at": shown(person.granted_at),
            "last_used_at": last(person),
        })
    });
    let head = ["SUBJECT", "EMAIL", "CLIENT", "SCOPES", "CONNECTED", "LAST USED"].map(str::to_owned);
    let row = |person: &ConnectedPerson| {
        [
            subject(person),
            person.email.to_string(),
            person.client_name.clone(),
            person.scopes.to_string(),
            shown(person.granted_at),
            last(person).unwrap_or_else(|| "-".to_owned()),
        ]
    };
    let mut text = if people.is_empty() {
        format!("Nobody is connected to {resource}.")
    } else {
        columns(&std::iter::once(head).chain(people.iter().map(row)).collect::<Vec<_>>())
    };
    if let Some(last) = people.last().filter(|_| people.len() == arguments.limit as usize) {
        text = format!("{text}\n\nThere may be more: --before {}", last.consent_id);
    }
    Ok(Answer { json: json.collect(), text })
}

pub(super) async fn disconnect(arguments: &Disconnect, desk: &Desk) -> Result<Answer, Failure> {
    let plugin = desk.plugin(&arguments.slug).await?;
    let registry = desk.registry();
    let slug = &plugin.slug;
    let Some(subject) = &arguments.person else {
        if !(arguments.all && arguments.yes) {
            return Err(Failure::not_done("say whom: --person SUBJECT, or --all --yes"));
        }
        people::disconnect_everybody(&registry, &plugin).await?;
        let text = format!("Everybody was disconnected from {slug}. Whoever wants to connect again is asked again.");
        return Ok(Answer { json: json!({ "slug": slug, "disconnected": "everybody" }), text });
    };
    let found = people::find(&registry, &plugin, subject).await?;
    if found.is_empty() {
        return Err(Failure::not_done(format!("--person: nobody with this subject is connected to {slug}")));
    }
    let mut ended = 0;
    for person in &found {
        match people::disconnect(&registry, &plugin, person.consent_id).await {
            Ok(()) => ended += 1,
            // Somebody else has ended this one since it was found; the others are to end all the same.
            Err(RegistryError::Gone) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let text = format!("{subject} was disconnected from {slug}: {ended} client(s).");
    Ok(Answer { json: json!({ "slug": slug, "disconnected": ended }), text })
}
