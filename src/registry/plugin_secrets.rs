//! A plugin's secrets: API keys, put away for the routes that are named for them. Whoever puts one away knows it; from
//! then on nobody does: nothing here, and no page, command or answer, tells a value.
//!
//! `store::plugin_secrets` keeps them sealed, `server::injection` uses them, `jobs::secrets` has new ones made.

mod settings;

use super::{Registry, RegistryError, RegistryResult, Wrong};
use crate::{
    keys::{place::Place, ring::Ring},
    model::{
        Timestamp,
        audit::Actor,
        id::{PluginId, SecretId, SecretVersionId},
        plugin_secret::{SecretName, SecretSource, check_value},
        rotator::Rotator,
    },
    random,
    store::plugin_secrets::{
        AddSecret, ChangeSecret, NewSecret, NewSecretVersion, Overlap, PluginSecret, PluginSecretRotation,
        SecretChange, SecretDue, SecretSettings,
    },
    vault::{SecretRef, SecretValue, reference::HOW_TO_WRITE},
};
pub use settings::{GRACE_MIN, GRACE_USUAL, SettingsForm};
use settings::{read, read_grace};

/// More than anybody looks after.
const SECRETS_MAX: u32 = 50;

/// A plugin's secret of that name.
///
/// # Errors
///
/// [`RegistryError::Gone`] where it has none.
pub async fn find(registry: &Registry<'_>, plugin: PluginId, name: &str) -> RegistryResult<PluginSecret> {
    let name: SecretName = name.parse().map_err(|_| RegistryError::Gone)?;
    registry.store.plugin_secret(plugin, &name).await?.ok_or(RegistryError::Gone)
}

/// Whether any goes to a plugin's API.
///
/// # Errors
///
/// The store's.
pub async fn has_any(registry: &Registry<'_>, plugin: PluginId) -> RegistryResult<bool> {
    Ok(registry.store.has_plugin_secrets(plugin).await?)
}

/// Puts a secret away.
///
/// # Errors
///
/// [`RegistryError::Wrong`] with everything that is wrong with it; the value is not repeated.
pub async fn put(
    registry: &Registry<'_>,
    ring: &Ring,
    (plugin, name): (PluginId, &str),
    value: &SecretValue,
    form: &SettingsForm,
) -> RegistryResult<PluginSecret> {
    let mut wrong = Vec::new();
    let parsed: Option<SecretName> =
        name.trim().parse().map_err(|error| wrong.push(Wrong::new("name", format!("{error}")))).ok();
    if let Err(error) = check_value(value.reveal()) {
        wrong.push(Wrong::new("value", error.to_string()));
    }
    let settings = read(form).map_err(|more| wrong.extend(more)).ok();
    wrong.extend(look_at_source(registry, &form.source, None));
    let (Some(name), Some(settings), true) = (parsed, settings, wrong.is_empty()) else {
        return Err(RegistryError::Wrong(wrong));
    };
    let at = registry.clock.now();
    let id = SecretId(random::id(at));
    let secret = NewSecret {
        id,
        plugin_id: plugin,
        name: name.clone(),
        due: due(&settings, at),
        follows_sealed: seal_reference(ring, (plugin, id), &settings.source, at)?,
        settings,
        version: version(ring, (plugin, id, 1), value, at)?,
        secrets_max: SECRETS_MAX,
    };
    match registry.store.add_plugin_secret(&secret, &registry.audit(at)).await? {
        AddSecret::Added => find(registry, plugin, name.as_str()).await,
        AddSecret::NameTaken => {
            let problem = format!("there is one of the name {name}; give it a new value by rotating it");
            Err(Wrong::new("name", problem).into())
        }
        AddSecret::Overlaps(overlap) => Err(overlaps(&overlap)),
        AddSecret::TooMany => {
            let problem = format!("a plugin can have at most {SECRETS_MAX} API keys; remove one that is not needed");
            Err(Wrong::new("other", problem).into())
        }
    }
}

/// Lets a new value take over; `seen` is the number of the newest version that whoever asks has seen. The one before stays
/// good for as long as is said, or else as the secret's own settings say; no time at all for one that has leaked.
///
/// # Errors
///
/// [`RegistryError::Wrong`] of the fields `value` and `grace`, also where the value is followed;
/// [`RegistryError::ChangedMeanwhile`]; [`RegistryError::Gone`].
pub async fn rotate(
    registry: &Registry<'_>,
    ring: &Ring,
    (secret, seen): (&PluginSecret, i64),
    value: &SecretValue,
    grace: Option<&str>,
) -> RegistryResult<PluginSecret> {
    let mut wrong = Vec::new();
    if let Err(error) = check_value(value.reveal()) {
        wrong.push(Wrong::new("value", error.to_string()));
    }
    if let SecretSource::Reference(reference) = &secret.settings.source {
        // Or it would be what it was again within a moment.
        wrong.push(Wrong::new("value", format!("it is followed: change it where it is kept, at {reference}")));
    }
    let grace = match grace.filter(|text| !text.trim().is_empty()) {
        None => Some(secret.settings.grace),
        Some(text) => read_grace(text).map_err(|problem| wrong.push(problem)).ok(),
    };
    let (Some(grace), true) = (grace, wrong.is_empty()) else { return Err(RegistryError::Wrong(wrong)) };
    // Whoever has seen more than there can be has not seen this one.
    let number = seen.checked_add(1).ok_or(RegistryError::ChangedMeanwhile)?;
    let at = registry.clock.now();
    let rotation = PluginSecretRotation {
        secret_id: secret.id,
        plugin_id: secret.plugin_id,
        version: version(ring, (secret.plugin_id, secret.id, number), value, at)?,
        old_until: at + grace,
        due: due(&secret.settings, at),
        turn: None,
        revision: Some(secret.revision),
    };
    done(registry.store.rotate_plugin_secret(&rotation, &registry.audit(at)).await?)?;
    find(registry, secret.plugin_id, secret.name.as_str()).await
}

/// Ends a version before its time. The newest is replaced instead, or goes with the secret.
///
/// # Errors
///
/// [`RegistryError::Wrong`] of the field `version`; [`RegistryError::Gone`] where it has ended already.
pub async fn end_version(registry: &Registry<'_>, secret: &PluginSecret, number: i64) -> RegistryResult<()> {
    if secret.versions.first().is_some_and(|newest| newest.number == number) {
        let problem = "it is the newest: rotate the API key without any overlap, or remove it";
        return Err(Wrong::new("version", problem).into());
    }
    done(registry.store.end_secret_version(secret.id, number, &registry.audit(registry.clock.now())).await?)
}

/// Changes how or where a secret is used; `seen` is the revision that whoever asks has seen.
///
/// # Errors
///
/// [`RegistryError::Wrong`] with everything that is wrong; [`RegistryError::ChangedMeanwhile`]; [`RegistryError::Gone`].
pub async fn change(
    registry: &Registry<'_>,
    (secret, seen): (&PluginSecret, i64),
    form: &SettingsForm,
) -> RegistryResult<PluginSecret> {
    let settings = read(form).map_err(RegistryError::Wrong)?;
    if let Some(wrong) = look_at_source(registry, &form.source, Some(&secret.settings.source)) {
        return Err(wrong.into());
    }
    if settings == secret.settings && seen == secret.revision {
        return Ok(secret.clone());
    }
    let made_at = secret.versions.first().map_or(secret.created_at, |newest| newest.made_at);
    let due = due(&settings, made_at);
    let change = SecretChange { secret_id: secret.id, plugin_id: secret.plugin_id, seen, settings, due };
    done(registry.store.change_plugin_secret(&change, &registry.audit(registry.clock.now())).await?)?;
    find(registry, secret.plugin_id, secret.name.as_str()).await
}

/// Has the server make the next version now, or look whether there is one.
///
/// # Errors
///
/// [`RegistryError::Wrong`] where that is left to people; [`RegistryError::Gone`].
pub async fn rotate_by_itself(registry: &Registry<'_>, secret: &PluginSecret) -> RegistryResult<PluginSecret> {
    if secret.settings.source == SecretSource::People {
        return Err(Wrong::new("value", "give the new one: nobody else makes it").into());
    }
    let audit = registry.audit(registry.clock.now());
    if !registry.store.ask_for_secret_rotation(secret.id, &audit).await? {
        return Err(RegistryError::Gone);
    }
    find(registry, secret.plugin_id, secret.name.as_str()).await
}

/// Removes a secret with all its versions: what its routes lead to gets no key any more.
pub async fn remove(registry: &Registry<'_>, secret: &PluginSecret) -> RegistryResult<()> {
    done(registry.store.remove_plugin_secret(secret.id, &registry.audit(registry.clock.now())).await?)
}

/// Seals a value for its version.
pub fn version(
    ring: &Ring,
    (plugin, secret, number): (PluginId, SecretId, i64),
    value: &SecretValue,
    at: Timestamp,
) -> RegistryResult<NewSecretVersion> {
    let id = SecretVersionId::of(plugin, secret, number);
    let sealed = Place::PluginSecret(id).seal(ring, value.reveal().as_bytes(), at, random::bytes())?;
    Ok(NewSecretVersion { id, number, sealed, issuer_id: None })
}

/// Seals where a secret is kept, so that the server follows nothing that somebody wrote into its database.
fn seal_reference(
    ring: &Ring,
    (plugin, secret): (PluginId, SecretId),
    source: &SecretSource,
    at: Timestamp,
) -> RegistryResult<Option<Vec<u8>>> {
    let SecretSource::Reference(reference) = source else { return Ok(None) };
    let plain = [plugin.0.as_bytes(), reference.as_bytes()].concat();
    Ok(Some(Place::SecretReference(secret).seal(ring, &plain, at, random::bytes())?))
}

/// The reference that was sealed so; none where it was changed, or is another plugin's.
pub fn sealed_reference(plugin: PluginId, plain: &[u8]) -> Option<SecretRef> {
    let reference = plain.strip_prefix(plugin.0.as_bytes())?;
    std::str::from_utf8(reference).ok()?.parse().ok()
}

/// When something is to be done about a version that was made then.
pub fn due(settings: &SecretSettings, made_at: Timestamp) -> SecretDue {
    let due_at = settings.rotate_every.map(|age| made_at + age);
    let try_at = match settings.source {
        SecretSource::People => None,
        SecretSource::Rotator(_) => due_at,
        // Looked at once soon; from then on as often as all that is referred to.
        SecretSource::Reference(_) => Some(made_at),
    };
    SecretDue { due_at, try_at }
}

/// The rotators that whoever asks may choose: all of them, but for owners those alone that the configuration has for them.
pub fn rotators<'a>(registry: &Registry<'a>) -> Vec<&'a str> {
    let is_theirs = |rotator: &&Rotator| rotator.for_owners || registry.is_trusted;
    registry.rotators.iter().filter(is_theirs).map(|rotator| rotator.name.as_str()).collect()
}

/// Whether whoever asks may say who makes new versions of a secret for which that is so now. What is followed stays the
/// operator's. A rotator may be left by anybody, also one that is not for owners, or not there any more: its keys would
/// fail or go on for ever at one that was withdrawn, and nobody knows whether it was chosen before.
pub fn may_give_away(registry: &Registry<'_>, source: &SecretSource) -> bool {
    match source {
        SecretSource::People | SecretSource::Rotator(_) => true,
        SecretSource::Reference(_) => is_operator(registry),
    }
}

fn is_operator(registry: &Registry<'_>) -> bool {
    matches!(registry.actor, Actor::Operator)
}

/// Whether whoever asks may have new versions made so; what was so before may stay. What the server reads by itself is the
/// operator's alone to say, or a secret of the configuration could be had by a route of one's own.
fn look_at_source(registry: &Registry<'_>, source: &SecretSource, before: Option<&SecretSource>) -> Option<Wrong> {
    if before == Some(source) {
        return None;
    }
    if before.is_some_and(|before| !may_give_away(registry, before)) {
        return Some(Wrong::new("rotator", "the operator has said who makes new versions, and changes it"));
    }
    match source {
        SecretSource::People => None,
        SecretSource::Reference(reference) => {
            let problem = match reference.parse::<SecretRef>() {
                _ if !is_operator(registry) => "only the operator has references followed, on the command line",
                // Both would be looked for where the server runs, and not where this was asked.
                Ok(SecretRef::Environment(_)) => "an environment does not change while a server runs; name a file",
                Ok(SecretRef::File(path)) if path.is_relative() => "write the whole path of the file",
                Ok(_) => return None,
                Err(_) => HOW_TO_WRITE,
            };
            Some(Wrong::new("follows", problem))
        }
        SecretSource::Rotator(name) => {
            let theirs = rotators(registry);
            (!theirs.contains(&name.as_str())).then(|| Wrong::new("rotator", not_one_of(&theirs)))
        }
    }
}

/// What is said of every other name alike, so that nobody finds out which ones there are.
fn not_one_of(theirs: &[&str]) -> String {
    match theirs {
        [] => "the configuration has no rotator to choose".to_owned(),
        theirs => format!("the configuration has no rotator of this name to choose; it has {}", theirs.join(", ")),
    }
}

fn overlaps(Overlap { name, route }: &Overlap) -> RegistryError {
    let problem = format!("{route} gets another API key in the same header: {name}");
    Wrong::new("routes", problem).into()
}

fn done(change: ChangeSecret) -> RegistryResult<()> {
    match change {
        ChangeSecret::Done => Ok(()),
        ChangeSecret::ChangedMeanwhile => Err(RegistryError::ChangedMeanwhile),
        ChangeSecret::Gone => Err(RegistryError::Gone),
        ChangeSecret::Overlaps(overlap) => Err(overlaps(&overlap)),
    }
}
