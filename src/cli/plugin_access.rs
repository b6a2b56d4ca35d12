//! `consentry plugin access|reviewer`, and `consentry group …`: who may connect to a plugin, and groups of people.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    answer::{Answer, columns, shown},
    desk::Desk,
    failure::Failure,
};
use crate::{
    model::{
        access::{Access, Grants},
        plugin::Plugin,
        scope::Scopes,
    },
    passwords::Passwords,
    registry::{
        RegistryError,
        access::{self, Change, Outcome},
        reviewer::{self, Made},
    },
};

#[derive(Debug, Args)]
pub(super) struct Set {
    /// The plugin's short name
    slug: String,
    /// Let everybody in, to grant everything
    #[arg(long, conflicts_with_all = ["who", "remove"])]
    open: bool,
    /// Let somebody in: everyone, @domain, an address or group:NAME
    #[arg(long, value_name = "WHO", conflicts_with = "remove")]
    who: Vec<String>,
    /// What they may grant; everything if none is named
    #[arg(long, value_name = "SCOPE", requires = "who")]
    scopes: Vec<String>,
    /// Let them in no more
    #[arg(long, value_name = "WHO")]
    remove: Vec<String>,
    /// Yes, shut people out who are connected
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Group {
    /// Make a group
    Create(Which),
    /// Put somebody into a group
    Add(Whom),
    /// Take somebody out of a group
    Remove(Whom),
    /// List all groups, or who is in one
    List(Listed),
    /// Delete a group; whoever was let in by it alone is let in no more
    Delete(Which),
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// What it is called
    group: String,
}

#[derive(Debug, Args)]
pub(super) struct Listed {
    /// What it is called
    group: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Whom {
    /// What it is called
    group: String,
    /// The address of their account
    #[arg(long)]
    email: String,
}

#[derive(Debug, Subcommand)]
pub(super) enum Reviewer {
    /// Make the account, or a new password for it; both are printed this once
    Make(For),
    /// Show its name and its end
    Show(Of),
    /// Let it last so many days from now
    Prolong(For),
    /// End it now, with its sessions and connections
    End(Of),
}

#[derive(Debug, Args)]
pub(super) struct Of {
    /// The plugin's short name
    slug: String,
}

#[derive(Debug, Args)]
pub(super) struct For {
    /// The plugin's short name
    slug: String,
    /// How many days it lasts, at most 180
    #[arg(long, default_value = "30")]
    days: String,
}

pub(super) async fn reviewer(command: Reviewer, desk: &Desk) -> Result<Answer, Failure> {
    let registry = desk.registry();
    let (Reviewer::Make(For { slug, .. })
    | Reviewer::Prolong(For { slug, .. })
    | Reviewer::Show(Of { slug })
    | Reviewer::End(Of { slug })) = &command;
    let plugin = desk.plugin(slug).await?;
    let none = || Failure::not_done(format!("{} has no account for reviewers; make one first", plugin.slug));
    let known = |error| if matches!(error, RegistryError::Gone) { none() } else { error.into() };
    match &command {
        Reviewer::Make(For { days, .. }) => {
            let passwords = Passwords::with(desk.passwords);
            let Made { reviewer, password } = reviewer::make(&registry, &passwords, &plugin, days).await?;
            let (name, until) = (reviewer.email.to_string(), shown(reviewer.ends_at));
            let text = format!("Name      {name}\nPassword  {password}\nUntil     {until}");
            return Ok(Answer { json: json!({ "name": name, "password": password, "ends_at": until }), text });
        }
        Reviewer::Prolong(For { days, .. }) => reviewer::prolong(&registry, &plugin, days).await.map_err(known)?,
        Reviewer::End(_) => reviewer::finish(&registry, &plugin).await.map_err(known)?,
        Reviewer::Show(_) => {}
    }
    let reviewer = reviewer::find(&registry, &plugin).await?.ok_or_else(none)?;
    let (name, until) = (reviewer.email.to_string(), shown(reviewer.ends_at));
    let text = format!("{name} may connect to {} until {until}.", plugin.slug);
    Ok(Answer { json: json!({ "name": name, "ends_at": until }), text })
}

pub(super) async fn run(arguments: Set, desk: &Desk) -> Result<Answer, Failure> {
    let plugin = desk.plugin(&arguments.slug).await?;
    let registry = desk.registry();
    let (version, now) = access::read(&registry, &plugin).await?;
    let plugin = Plugin { version, ..plugin };
    let scopes: Option<Scopes> =
        (!arguments.scopes.is_empty()).then(|| arguments.scopes.iter().map(String::as_str).collect());
    let change = if arguments.open {
        Change::Open
    } else if !arguments.who.is_empty() {
        Change::Add { who: arguments.who.join("\n"), scopes }
    } else if !arguments.remove.is_empty() {
        Change::Remove { who: arguments.remove.join("\n") }
    } else {
        return Ok(answer(&plugin, &now));
    };
    let now = if arguments.yes {
        access::change_anyway(&registry, &plugin, &change).await?.1
    } else {
        match access::change(&registry, &plugin, &change).await? {
            Outcome::Made(_, access) => access,
            Outcome::ShutsOut(people) => {
                return Err(Failure::not_done(format!("this shuts out {people}; say --yes if that is meant")));
            }
        }
    };
    Ok(answer(&plugin, &now))
}

fn answer(plugin: &Plugin, access: &Access) -> Answer {
    let is_open = *access == Access::Open;
    let scopes = |grants: &Grants| match grants {
        Grants::Everything => None,
        Grants::These(scopes) => Some(scopes.to_string()),
    };
    let rules = access.rules();
    let json = rules.iter().map(|rule| json!({ "who": rule.who.to_string(), "scopes": scopes(&rule.grants) }));
    let json = json!({ "slug": plugin.slug, "open": is_open, "rules": json.collect::<Value>() });
    let head = ["WHO", "MAY GRANT"].map(str::to_owned);
    let rows = rules
        .iter()
        .map(|rule| [rule.who.to_string(), scopes(&rule.grants).unwrap_or_else(|| "everything".to_owned())]);
    let text = match (is_open, rules.is_empty()) {
        (true, _) => format!("Everybody may connect to {}, and grant everything.", plugin.slug),
        (false, true) => format!("Nobody may connect to {}: no rule names anybody.", plugin.slug),
        (false, false) => columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>()),
    };
    Answer { json, text }
}

pub(super) async fn group(command: Group, desk: &Desk) -> Result<Answer, Failure> {
    let registry = desk.registry();
    match command {
        Group::Create(Which { group }) => {
            let group = access::create_group(&registry, &group).await?;
            let text = format!("There is a group {0} now. Rules name it as group:{0}.", group.name);
            Ok(Answer { json: json!({ "group": group.name.as_str(), "group_id": group.id }), text })
        }
        Group::Add(Whom { group, email }) => {
            let group = access::group(&registry, &group).await?;
            let is_new = access::add_member(&registry, &group, &email).await?;
            let (email, name) = (email.trim(), &group.name);
            let text = if is_new { format!("{email} is in {name} now.") } else { format!("{email} was in {name}.") };
            Ok(Answer { json: json!({ "group": name.as_str(), "email": email, "added": is_new }), text })
        }
        Group::Remove(Whom { group, email }) => {
            let group = access::group(&registry, &group).await?;
            let was_in = access::remove_member(&registry, &group, &email).await?;
            let (email, name) = (email.trim(), &group.name);
            let text =
                if was_in { format!("{email} is in {name} no more.") } else { format!("{email} was not in {name}.") };
            Ok(Answer { json: json!({ "group": name.as_str(), "email": email, "removed": was_in }), text })
        }
        Group::Delete(Which { group }) => {
            let group = access::group(&registry, &group).await?;
            access::delete_group(&registry, &group).await?;
            let text = format!("The group {} is deleted, and with it the rules that named it.", group.name);
            Ok(Answer { json: json!({ "group": group.name.as_str(), "deleted": true }), text })
        }
        Group::List(Listed { group: None }) => {
            let groups = desk.store.groups().await?;
            let json = groups.iter().map(|it| json!({ "group": it.group.name.as_str(), "members": it.members }));
            let head = ["GROUP", "MEMBERS"].map(str::to_owned);
            let rows = groups.iter().map(|it| [it.group.name.to_string(), it.members.to_string()]);
            let text = if groups.is_empty() {
                "No groups yet. Make one with `consentry group create NAME`.".to_owned()
            } else {
                columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
            };
            Ok(Answer { json: json.collect(), text })
        }
        Group::List(Listed { group: Some(name) }) => {
            let group = access::group(&registry, &name).await?;
            let members = desk.store.members_of(group.id).await?;
            let json = members.iter().map(|it| json!({ "email": it.email, "added_at": shown(it.added_at) }));
            let head = ["EMAIL", "SINCE"].map(str::to_owned);
            let rows = members.iter().map(|it| [it.email.to_string(), shown(it.added_at)]);
            let text = if members.is_empty() {
                format!("Nobody is in {}.", group.name)
            } else {
                columns(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
            };
            Ok(Answer { json: json.collect(), text })
        }
    }
}
