//! Who may connect to a plugin, and the groups that its rules name.
//!
//! A change is made where it shuts nobody out who is connected (`change`), or where that is meant (`change_anyway`). What
//! rules say counts at once, for connections that stand too; nothing is ended by them, so a rule that is put back puts
//! everything back.

use std::collections::BTreeSet;

use super::{Registry, RegistryError, RegistryResult, Wrong};
use crate::{
    model::{
        access::{Access, Domain, Grants, Group, GroupName, NotAGroupName, RULES_MAX, Rule, Who},
        id::{AccountId, GroupId},
        plugin::Plugin,
        scope::Scopes,
    },
    random,
    store::access::{AccessChange, SetAccess, ShutOut},
};

/// How many mistakes of a list are told at once.
const WRONG_MAX: usize = 20;

/// Below this many people whoever is not trusted with the server is not told how many a change shuts out: somebody
/// could be picked out by asking often enough.
const FEW: usize = 5;

/// What is to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Everybody may connect, and grant everything.
    Open,
    /// Whom these name may, and nobody is taken away; where everybody could, it is only they from now on.
    Add {
        /// One in each line: `everyone`, `@domain`, an address, or `group:NAME`.
        who: String,
        /// What they may grant; none for everything.
        scopes: Option<Scopes>,
    },
    /// These rules go, written in the same way. Nobody may where the last one goes.
    Remove {
        /// One in each line.
        who: String,
    },
    /// These rules take the place of all there are; nobody may where there are none.
    Whole(Vec<Named>),
}

/// A rule as somebody writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// `everyone`, `@domain`, an address, or `group:NAME`.
    pub who: String,
    /// What they may grant; none for everything.
    pub scopes: Option<Scopes>,
}

/// What came of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds; the plugin's version, and who may connect now.
    Made(i64, Access),
    /// Nothing is changed yet: it would shut these people out.
    ShutsOut(String),
}

/// Who may connect to a plugin now.
///
/// # Errors
///
/// [`RegistryError::Gone`] when there is no such plugin.
pub async fn read(registry: &Registry<'_>, plugin: &Plugin) -> RegistryResult<(i64, Access)> {
    registry.store.access(plugin.id).await?.ok_or(RegistryError::Gone)
}

/// Makes a change, seen from the plugin's version, if it shuts nobody out who is connected.
///
/// # Errors
///
/// [`RegistryError::Wrong`] of the fields `who` and `scopes`; [`RegistryError::ChangedMeanwhile`] when the plugin is not
/// at the version it was read at.
pub async fn change(registry: &Registry<'_>, plugin: &Plugin, change: &Change) -> RegistryResult<Outcome> {
    let planned = match planned(registry, plugin, change).await? {
        Planned::AsItIs(access) => return Ok(Outcome::Made(plugin.version, access)),
        Planned::Other(access) => access,
    };
    if let Some(people) = told(registry, registry.store.shut_out_by(plugin.id, &planned).await?) {
        return Ok(Outcome::ShutsOut(people));
    }
    apply(registry, plugin, planned).await.map(|(version, access)| Outcome::Made(version, access))
}

/// The same, whomever it shuts out; answers the plugin's version, and who may connect now.
///
/// # Errors
///
/// As [`change`]'s.
pub async fn change_anyway(registry: &Registry<'_>, plugin: &Plugin, change: &Change) -> RegistryResult<(i64, Access)> {
    match planned(registry, plugin, change).await? {
        Planned::AsItIs(access) => Ok((plugin.version, access)),
        Planned::Other(access) => apply(registry, plugin, access).await,
    }
}

/// Who may connect after a change.
enum Planned {
    /// The same as now: nothing is written.
    AsItIs(Access),
    /// Others, or with other scopes.
    Other(Access),
}

async fn planned(registry: &Registry<'_>, plugin: &Plugin, change: &Change) -> RegistryResult<Planned> {
    let (version, now) = read(registry, plugin).await?;
    if version != plugin.version {
        return Err(RegistryError::ChangedMeanwhile);
    }
    let planned = with(registry, plugin, &now, change).await?;
    let (rules, others) = (now.rules(), planned.rules());
    let is_as_it_is = (now == Access::Open) == (planned == Access::Open)
        && rules.len() == others.len()
        && rules.iter().all(|rule| others.contains(rule));
    Ok(if is_as_it_is { Planned::AsItIs(now) } else { Planned::Other(planned) })
}

async fn apply(registry: &Registry<'_>, plugin: &Plugin, access: Access) -> RegistryResult<(i64, Access)> {
    let change = AccessChange { plugin_id: plugin.id, version: plugin.version, access };
    match registry.store.set_access(&change, &registry.audit(registry.clock.now())).await? {
        SetAccess::Done(version) => Ok((version, change.access)),
        SetAccess::ChangedMeanwhile => Err(RegistryError::ChangedMeanwhile),
    }
}

async fn with(registry: &Registry<'_>, plugin: &Plugin, access: &Access, change: &Change) -> RegistryResult<Access> {
    match change {
        Change::Open => Ok(Access::Open),
        Change::Add { who, scopes } => {
            let grants = grants(plugin, scopes.as_ref())?;
            let mut rules = access.rules().to_vec();
            for who in named(registry, who).await? {
                let rule = Rule { who, grants: grants.clone() };
                match rules.iter_mut().find(|known| known.who == rule.who) {
                    Some(known) => *known = rule,
                    None => rules.push(rule),
                }
            }
            if rules.len() > RULES_MAX {
                return Err(too_many());
            }
            Ok(Access::Only(rules))
        }
        Change::Remove { who } => {
            if lines(who).next().is_none() {
                return Err(Wrong::new("who", "name whom a rule names").into());
            }
            let mut rules = access.rules().to_vec();
            for line in lines(who) {
                let before = rules.len();
                rules.retain(|rule| !rule.who.to_string().eq_ignore_ascii_case(line));
                if rules.len() == before {
                    return Err(Wrong::new("who", format!("no rule names {line}")).into());
                }
            }
            Ok(if *access == Access::Open { Access::Open } else { Access::Only(rules) })
        }
        Change::Whole(rules) => whole(registry, plugin, rules).await,
    }
}

async fn whole(registry: &Registry<'_>, plugin: &Plugin, named: &[Named]) -> RegistryResult<Access> {
    if named.len() > RULES_MAX {
        return Err(too_many());
    }
    let groups = groups(registry, &named.iter().map(|rule| rule.who.trim()).collect::<Vec<_>>().join("\n")).await?;
    let (mut rules, mut wrong): (Vec<Rule>, _) = (Vec::new(), Vec::new());
    for Named { who: text, scopes } in named {
        match who(text.trim(), &groups) {
            Ok(who) if rules.iter().any(|rule| rule.who == who) => {
                wrong.push(Wrong::new("who", format!("{who} is named twice")));
            }
            Ok(who) => rules.push(Rule { who, grants: grants(plugin, scopes.as_ref())? }),
            Err(problem) => wrong.push(Wrong::new("who", problem)),
        }
    }
    wrong.truncate(WRONG_MAX);
    if wrong.is_empty() { Ok(Access::Only(rules)) } else { Err(RegistryError::Wrong(wrong)) }
}

/// How many people a change shuts out, in words; none where it shuts nobody out.
fn told(registry: &Registry<'_>, cost: ShutOut) -> Option<String> {
    let people = match (cost.people, cost.is_all) {
        (1..FEW, true) if !registry.is_trusted => format!("between 1 and {} people who are connected", FEW - 1),
        (0, true) => return None,
        (0, false) => {
            return Some("perhaps some people: there are too many connections to look at all of them".to_owned());
        }
        (1, true) => "one person who is connected".to_owned(),
        (people, true) => format!("{people} people who are connected"),
        (people, false) => format!("{people} people who are connected, or more"),
    };
    Some(people)
}

fn grants(plugin: &Plugin, scopes: Option<&Scopes>) -> RegistryResult<Grants> {
    let Some(scopes) = scopes else { return Ok(Grants::Everything) };
    let unknown = scopes.without(&plugin.scopes.names());
    if scopes.is_empty() {
        return Err(Wrong::new("scopes", "choose what they may grant, or everything").into());
    }
    if !unknown.is_empty() {
        return Err(Wrong::new("scopes", format!("the plugin has no scope {unknown}")).into());
    }
    Ok(Grants::These(scopes.clone()))
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// Reads whom somebody names. More than a plugin can name are refused, and never cut.
async fn named(registry: &Registry<'_>, text: &str) -> RegistryResult<Vec<Who>> {
    let groups = groups(registry, text).await?;
    let (mut found, mut wrong): (Vec<Who>, _) = (Vec::new(), Vec::new());
    for line in lines(text) {
        match who(line, &groups) {
            Ok(who) if found.contains(&who) => {}
            Ok(who) => found.push(who),
            Err(problem) => wrong.push(Wrong::new("who", problem)),
        }
        if found.len() > RULES_MAX {
            return Err(too_many());
        }
        if wrong.len() >= WRONG_MAX {
            break;
        }
    }
    if found.is_empty() && wrong.is_empty() {
        wrong.push(Wrong::new("who", "name somebody: @domain, an e-mail address, group:name or everyone"));
    }
    if wrong.is_empty() { Ok(found) } else { Err(RegistryError::Wrong(wrong)) }
}

/// The groups that are named, all of them in one question.
async fn groups(registry: &Registry<'_>, text: &str) -> RegistryResult<Vec<Group>> {
    let names = lines(text).filter_map(|line| line.strip_prefix("group:")?.parse().ok());
    let names: BTreeSet<GroupName> = names.collect();
    if names.len() > RULES_MAX {
        return Err(too_many());
    }
    Ok(registry.store.groups_named(&names.into_iter().collect::<Vec<_>>()).await?)
}

fn who(line: &str, groups: &[Group]) -> Result<Who, String> {
    if line.eq_ignore_ascii_case("everyone") {
        return Ok(Who::Everyone);
    }
    if let Some(domain) = line.strip_prefix('@') {
        return domain.parse::<Domain>().map(Who::Domain).map_err(|_| {
            format!("{line} is not a whole domain; write it as @corp.example, and each domain below another on a line of its own")
        });
    }
    if let Some(name) = line.strip_prefix("group:") {
        let name: GroupName = name.parse().map_err(|error: NotAGroupName| error.to_string())?;
        let group = groups.iter().find(|group| group.name == name);
        return group.cloned().map(Who::Group).ok_or_else(|| format!("there is no group {name}"));
    }
    line.parse()
        .map(Who::Person)
        .map_err(|_| format!("{line} is none of @domain, an e-mail address, group:name and everyone"))
}

fn too_many() -> RegistryError {
    let problem = format!("a plugin can name {RULES_MAX}; ask an administrator for a group with everybody in it");
    Wrong::new("who", problem).into()
}

/// Finds a group by what it is called.
///
/// # Errors
///
/// [`RegistryError::Wrong`] of the field `group`, and [`RegistryError::Gone`] for who may not.
pub async fn group(registry: &Registry<'_>, name: &str) -> RegistryResult<Group> {
    let name = group_name(registry, name)?;
    let missing = || Wrong::new("group", format!("there is no group {name}"));
    Ok(registry.store.group(&name).await?.ok_or_else(missing)?)
}

/// Makes a group.
///
/// # Errors
///
/// As [`group`]'s.
pub async fn create_group(registry: &Registry<'_>, name: &str) -> RegistryResult<Group> {
    let name = group_name(registry, name)?;
    let at = registry.clock.now();
    let group = Group { id: GroupId(random::id(at)), name };
    if registry.store.create_group(&group, &registry.audit(at)).await? {
        return Ok(group);
    }
    Err(Wrong::new("group", format!("there is a group {} already", group.name)).into())
}

/// Deletes a group; whoever was let in by it alone is let in no more.
///
/// # Errors
///
/// [`RegistryError::Gone`] when it is gone, or for who may not.
pub async fn delete_group(registry: &Registry<'_>, group: &Group) -> RegistryResult<()> {
    let deleted =
        registry.is_trusted && registry.store.delete_group(group.id, &registry.audit(registry.clock.now())).await?;
    if deleted { Ok(()) } else { Err(RegistryError::Gone) }
}

/// Puts the account of an address into a group; whether it was not in it before.
///
/// # Errors
///
/// [`RegistryError::Wrong`] of the field `email`; [`RegistryError::Gone`] for who may not.
pub async fn add_member(registry: &Registry<'_>, group: &Group, email: &str) -> RegistryResult<bool> {
    let account = account_of(registry, email).await?;
    Ok(registry.store.add_member(group.id, account, &registry.audit(registry.clock.now())).await?)
}

/// Takes it out; whether it was in it.
///
/// # Errors
///
/// As [`add_member`]'s.
pub async fn remove_member(registry: &Registry<'_>, group: &Group, email: &str) -> RegistryResult<bool> {
    let account = account_of(registry, email).await?;
    Ok(registry.store.remove_member(group.id, account, &registry.audit(registry.clock.now())).await?)
}

/// Groups are the whole server's, so only who is trusted with it keeps them.
fn group_name(registry: &Registry<'_>, name: &str) -> RegistryResult<GroupName> {
    if !registry.is_trusted {
        return Err(RegistryError::Gone);
    }
    name.parse().map_err(|error: NotAGroupName| Wrong::new("group", error.to_string()).into())
}

async fn account_of(registry: &Registry<'_>, email: &str) -> RegistryResult<AccountId> {
    if !registry.is_trusted {
        return Err(RegistryError::Gone);
    }
    let found = registry.store.account_by_email(&super::owners::address(email)?).await?;
    let missing = || Wrong::new("email", "nobody has an account with this address");
    Ok(found.map(|(account, _)| account.id).ok_or_else(missing)?)
}
