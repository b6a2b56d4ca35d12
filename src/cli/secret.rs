//! `consentry secret …`: API keys that go into requests to a plugin's API. They are read from where they are kept, sealed,
//! and told to nobody again.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{
    answer::{Answer, shown},
    desk::Desk,
    failure::Failure,
    flags::{ConfigFlags, secret_from},
    key,
    secret_list::{self, summary},
};
use crate::{
    model::{
        plugin::Plugin,
        plugin_secret::{SecretName, SecretRoute, SecretSource},
    },
    registry::plugin_secrets::{self, GRACE_USUAL, SettingsForm},
    store::plugin_secrets::PluginSecret,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Put an API key away for the routes it is for
    Put(Put),
    /// List API keys: where they are used, how old they are, and what is due
    List(List),
    /// Let a new value take over; the one before stays good for a while
    Rotate(Rotate),
    /// Change where an API key is used, or how, or who makes new versions of it
    Change(Change),
    /// End a version before its time
    End(End),
    /// Remove an API key with all its versions: what its routes lead to gets none any more
    Remove(Which),
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// The API key's name
    name: String,
    /// The plugin's short name; may be left out where only one plugin has a key of this name
    #[arg(long, value_name = "SLUG")]
    plugin: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Put {
    /// What to call it: small letters, digits and hyphens
    name: String,
    /// The plugin's short name
    #[arg(long, value_name = "SLUG")]
    plugin: String,
    /// Where its value is: `file:PATH`, `vault://MOUNT/PATH#FIELD`, `aws-sm://NAME` or `env:NAME`
    #[arg(long, value_name = "REFERENCE")]
    from: String,
    /// The header of a request in which it goes
    #[arg(long, default_value = "authorization")]
    header: String,
    /// What stands before it in the header; "Bearer " in authorization, and nothing elsewhere, unless it is said
    #[arg(long)]
    prefix: Option<String>,
    /// A route that it is for, such as "GET /items/{id}" or "* /v1/*"; may be given several times. Without one it is
    /// used nowhere
    #[arg(long = "route", value_name = "ROUTE")]
    routes: Vec<String>,
    /// How long the version before stays good beside a new one
    #[arg(long, value_name = "TIME", default_value = GRACE_USUAL)]
    grace: String,
    /// How often a new version is due, such as 90d
    #[arg(long, value_name = "TIME", default_value = "")]
    rotate_every: String,
    /// Look there again and again: another value there is a new version here
    #[arg(long, conflicts_with = "rotator")]
    follow: bool,
    /// Have new versions made by this rotator of the configuration, from the first one that is due on
    #[arg(long, value_name = "NAME")]
    rotator: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those of this plugin
    #[arg(long, value_name = "SLUG")]
    plugin: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Rotate {
    #[command(flatten)]
    which: Which,
    /// Where the new value is: `file:PATH`, `vault://MOUNT/PATH#FIELD`, `aws-sm://NAME` or `env:NAME`. May be left out where
    /// the server makes new versions or follows them: then it does so now
    #[arg(long, value_name = "REFERENCE")]
    from: Option<String>,
    /// How long the version before stays good this once; 0 ends it at once, because it has leaked
    #[arg(long, value_name = "TIME", requires = "from")]
    grace: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Change {
    #[command(flatten)]
    which: Which,
    /// A further route that it is for
    #[arg(long = "add-route", value_name = "ROUTE")]
    add_routes: Vec<String>,
    /// A route that it is for no more, as `consentry secret list` writes it
    #[arg(long = "remove-route", value_name = "ROUTE")]
    remove_routes: Vec<String>,
    /// The header of a request in which it goes
    #[arg(long)]
    header: Option<String>,
    /// What stands before it in the header
    #[arg(long)]
    prefix: Option<String>,
    /// How long the version before stays good beside a new one
    #[arg(long, value_name = "TIME")]
    grace: Option<String>,
    /// How often a new version is due; an empty one for never
    #[arg(long, value_name = "TIME")]
    rotate_every: Option<String>,
    /// Have new versions made by this rotator of the configuration from now on; what was followed is followed no more
    #[arg(long, value_name = "NAME", conflicts_with = "no_rotator")]
    rotator: Option<String>,
    /// Leave new versions to people from now on
    #[arg(long)]
    no_rotator: bool,
}

#[derive(Debug, Args)]
pub(super) struct End {
    #[command(flatten)]
    which: Which,
    /// The version's number, as `consentry secret list` has it
    #[arg(long)]
    version: i64,
}

pub(super) async fn run(command: Command, desk: &Desk, flags: &ConfigFlags) -> Result<Answer, Failure> {
    match command {
        Command::Put(arguments) => put(arguments, desk, flags).await,
        Command::List(List { plugin }) => secret_list::list(plugin.as_deref(), desk).await,
        Command::Rotate(Rotate { which, from, grace }) => {
            let (plugin, secret) = which.find(desk).await?;
            let Some(from) = from else { return rotate_by_itself(&plugin, &secret, desk).await };
            let value = secret_from("--from", &from)?;
            let ring = key::open(desk, flags.master_keys()?).await?.current();
            let seen = (&secret, secret.newest());
            let rotated = plugin_secrets::rotate(&desk.registry(), &ring, seen, &value, grace.as_deref()).await?;
            Ok(told(&plugin, &rotated, format!("Version {} takes over.", rotated.newest())))
        }
        Command::Change(arguments) => change(arguments, desk).await,
        Command::End(End { which, version }) => {
            let (plugin, secret) = which.find(desk).await?;
            plugin_secrets::end_version(&desk.registry(), &secret, version).await?;
            let secret = plugin_secrets::find(&desk.registry(), plugin.id, secret.name.as_str()).await?;
            Ok(told(&plugin, &secret, format!("Version {version} is wiped.")))
        }
        Command::Remove(which) => {
            let (plugin, secret) = which.find(desk).await?;
            plugin_secrets::remove(&desk.registry(), &secret).await?;
            let text = format!("Removed. No route of \"{}\" gets the API key {} any more.", plugin.slug, secret.name);
            Ok(Answer { json: json!({ "plugin": plugin.slug, "name": secret.name.as_str(), "removed": true }), text })
        }
    }
}

async fn put(arguments: Put, desk: &Desk, flags: &ConfigFlags) -> Result<Answer, Failure> {
    let plugin = desk.plugin(&arguments.plugin).await?;
    let value = secret_from("--from", &arguments.from)?;
    let source = match arguments.rotator {
        Some(rotator) => SecretSource::Rotator(rotator),
        None if arguments.follow => SecretSource::Reference(arguments.from.trim().to_owned()),
        None => SecretSource::People,
    };
    let form = SettingsForm {
        header: arguments.header,
        prefix: arguments.prefix,
        routes: arguments.routes,
        grace: arguments.grace,
        rotate_every: arguments.rotate_every,
        source,
    };
    let ring = key::open(desk, flags.master_keys()?).await?.current();
    let name = (plugin.id, arguments.name.as_str());
    let secret = plugin_secrets::put(&desk.registry(), &ring, name, &value, &form).await?;
    let done = if secret.settings.routes.is_empty() {
        "Put away. It is used nowhere yet: name the routes it is for with `consentry secret change`."
    } else {
        "Put away."
    };
    Ok(told(&plugin, &secret, done.to_owned()))
}

async fn rotate_by_itself(plugin: &Plugin, secret: &PluginSecret, desk: &Desk) -> Result<Answer, Failure> {
    let done = match secret.settings.source {
        SecretSource::People => {
            let cure = "say where the new value is: --from file:PATH, for example";
            return Err(Failure::not_done(format!("nobody else makes new versions of {}; {cure}", secret.name)));
        }
        SecretSource::Rotator(_) => {
            "A running server has the next version made in a moment; `consentry secret list` shows it."
        }
        SecretSource::Reference(_) => {
            "A running server looks for another value in a moment; `consentry secret list` shows it."
        }
    };
    let asked = plugin_secrets::rotate_by_itself(&desk.registry(), secret).await?;
    Ok(told(plugin, &asked, done.to_owned()))
}

async fn change(arguments: Change, desk: &Desk) -> Result<Answer, Failure> {
    let (plugin, secret) = arguments.which.find(desk).await?;
    let mut form = SettingsForm::from(&secret.settings);
    for route in &arguments.remove_routes {
        let written = route.parse::<SecretRoute>().map_or_else(|_| route.clone(), |route| route.to_string());
        let before = form.routes.len();
        form.routes.retain(|kept| *kept != written);
        if form.routes.len() == before {
            return Err(Failure::not_done(format!("--remove-route: it is not for {written}")));
        }
    }
    form.routes.extend(arguments.add_routes);
    if let Some(header) = arguments.header {
        form.move_to(header);
    }
    form.prefix = arguments.prefix.or(form.prefix);
    form.grace = arguments.grace.unwrap_or(form.grace);
    form.rotate_every = arguments.rotate_every.unwrap_or(form.rotate_every);
    if arguments.no_rotator && form.source.rotator().is_none() {
        return Err(Failure::not_done(format!("--no-rotator: {}", made_by(&form.source))));
    }
    if arguments.no_rotator || arguments.rotator.is_some() {
        form.give_to(arguments.rotator);
    }
    let changed = plugin_secrets::change(&desk.registry(), (&secret, secret.revision), &form).await?;
    let (before, after) = (&secret.settings.source, &changed.settings.source);
    let done =
        if before == after { "Changed.".to_owned() } else { format!("Changed: {} from now on.", made_by(after)) };
    Ok(told(&plugin, &changed, done))
}

/// Who makes new versions, in words.
fn made_by(source: &SecretSource) -> String {
    match source {
        SecretSource::People => "people make new versions".to_owned(),
        SecretSource::Rotator(rotator) => format!("the rotator {rotator} makes new versions"),
        SecretSource::Reference(reference) => format!("new versions come from {reference}"),
    }
}

impl Which {
    async fn find(&self, desk: &Desk) -> Result<(Plugin, PluginSecret), Failure> {
        let missing = || {
            let cure = "see `consentry secret list`";
            Failure::not_done(format!("there is no API key \"{}\"; {cure}", self.name))
        };
        let name: SecretName = self.name.parse().map_err(|_| missing())?;
        let plugin = if let Some(slug) = &self.plugin {
            desk.plugin(slug).await?
        } else {
            let with_it = desk.store.plugins_with_secret(&name).await?;
            let [only] = with_it.as_slice() else {
                let several = || Failure::not_done(format!("several plugins have an API key {name}; add --plugin"));
                return Err(if with_it.is_empty() { missing() } else { several() });
            };
            desk.store.plugin(*only).await?.ok_or_else(missing)?
        };
        let secret = desk.store.plugin_secret(plugin.id, &name).await?.ok_or_else(missing)?;
        Ok((plugin, secret))
    }
}

fn told(plugin: &Plugin, secret: &PluginSecret, done: String) -> Answer {
    let settings = &secret.settings;
    let mut lines = vec![done];
    lines.push(format!("{} of \"{}\" goes into requests as {}", secret.name, plugin.slug, settings.injection));
    lines.extend(settings.routes.iter().map(|route| format!("  {route}")));
    for version in &secret.versions {
        lines.extend(version.ends_at.filter(|_| version.ended_at.is_none()).map(|end| {
            format!("Version {} is good until {}; see that nothing else uses it by then.", version.number, shown(end))
        }));
    }
    lines.extend(secret.due.due_at.map(|due| format!("The next version is due at {}.", shown(due))));
    Answer { json: summary(plugin, secret), text: lines.join("\n") }
}
