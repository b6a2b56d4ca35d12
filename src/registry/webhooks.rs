//! A plugin's webhook: where its own API is told who connects and who leaves, and the secret that signs it.
//!
//! The secret is made here and shown once. It has to be used again, so it is kept sealed, bound to its plugin and to
//! whether it is the present one or the one of before.

use super::{Registry, RegistryError, RegistryResult, Wrong};
use crate::{
    keys::{place::Place, ring::Ring},
    model::{id::PluginId, webhook::WebhookAddress},
    outbound::{FetchError, Outbound},
    random,
    store::webhooks::{ChangeWebhook, Delivery, NewWebhook, Webhook, WebhookChange, WebhookEdit},
    tokens::webhook::WebhookSecret,
};

/// How many of the last events are shown.
const SHOWN_MAX: u32 = 25;

/// What seals secrets, and what says which addresses are reached at all.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// The working keys.
    pub ring: &'a Ring,
    /// Who sends.
    pub outbound: &'a Outbound,
}

/// A webhook, and what became of the last events.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The webhook; none where nothing is told.
    pub webhook: Option<Webhook>,
    /// The newest first.
    pub deliveries: Vec<Delivery>,
}

/// What there is to see.
pub async fn show(registry: &Registry<'_>, plugin: PluginId) -> RegistryResult<Shown> {
    let webhook = registry.store.webhook(plugin).await?;
    let deliveries = match webhook {
        Some(_) => registry.store.deliveries(plugin, SHOWN_MAX).await?,
        None => Vec::new(),
    };
    Ok(Shown { webhook, deliveries })
}

/// Has a plugin's API told at an address from now on; `seen` is the version whoever asks has seen, 0 for none. Answers
/// the secret where it is the first: shown this once.
///
/// # Errors
///
/// [`RegistryError::Wrong`] of the field `address`; [`RegistryError::ChangedMeanwhile`].
pub async fn set(
    registry: &Registry<'_>,
    means: Means<'_>,
    (plugin, seen): (PluginId, i64),
    address: &str,
) -> RegistryResult<Option<WebhookSecret>> {
    let wrong = |problem: String| RegistryError::from(Wrong::new("address", problem));
    let address: WebhookAddress = address.trim().parse().map_err(|problem| wrong(format!("{problem}")))?;
    means.outbound.admit(address.url()).map_err(|refused| wrong(in_words(&refused)))?;
    if seen == 0 {
        let at = registry.clock.now();
        let secret = WebhookSecret::new(random::bytes());
        let sealed = Place::WebhookSecret(plugin).seal(means.ring, secret.bytes(), at, random::bytes())?;
        let webhook = NewWebhook { plugin_id: plugin, address, secret: sealed };
        let added = registry.store.add_webhook(&webhook, &registry.audit(at)).await?;
        return if added { Ok(Some(secret)) } else { Err(RegistryError::ChangedMeanwhile) };
    }
    let known = known(registry, plugin).await?;
    if known.version == seen && known.address == address && known.stopped.is_none() {
        return Ok(None);
    }
    change(registry, plugin, seen, WebhookEdit::Move(address)).await?;
    Ok(None)
}

/// Makes a new secret. The one before signs beside it until somebody ends it, so that neither side has to hurry; unless
/// it cannot be opened here, since then it signs nothing. Made again, the new one takes the place of the newer one, which
/// perhaps nobody has seen.
///
/// # Errors
///
/// [`RegistryError::ChangedMeanwhile`]; [`RegistryError::Gone`].
pub async fn renew_secret(
    registry: &Registry<'_>,
    ring: &Ring,
    (plugin, seen): (PluginId, i64),
) -> RegistryResult<WebhookSecret> {
    let (secret, at) = (WebhookSecret::new(random::bytes()), registry.clock.now());
    let present = registry.store.webhook_secret(plugin).await?.ok_or(RegistryError::Gone)?;
    // Sealed for where it will stand: what is in one column opens in no other.
    let seal = |place: Place, plain: &[u8]| place.seal(ring, plain, at, random::bytes());
    let old = Place::WebhookSecret(plugin).open(ring, &present);
    let old = old.map(|plain| seal(Place::OldWebhookSecret(plugin), &plain)).transpose()?;
    let new = seal(Place::WebhookSecret(plugin), secret.bytes())?;
    change(registry, plugin, seen, WebhookEdit::Renew { new, old }).await?;
    Ok(secret)
}

/// Ends the secret of before.
pub async fn end_old_secret(registry: &Registry<'_>, plugin: PluginId, seen: i64) -> RegistryResult<()> {
    if !known(registry, plugin).await?.has_old_secret {
        return Err(Wrong::new("other", "There is no old secret: one alone signs").into());
    }
    change(registry, plugin, seen, WebhookEdit::EndOldSecret).await
}

/// Goes on telling where it had stopped, with what was not taken.
pub async fn start(registry: &Registry<'_>, plugin: PluginId, seen: i64) -> RegistryResult<()> {
    if known(registry, plugin).await?.stopped.is_none() {
        return Err(Wrong::new("other", "It has not stopped").into());
    }
    change(registry, plugin, seen, WebhookEdit::Start).await
}

/// Tells nothing any more, and forgets the secret and what waited.
pub async fn remove(registry: &Registry<'_>, plugin: PluginId, seen: i64) -> RegistryResult<()> {
    change(registry, plugin, seen, WebhookEdit::Remove).await
}

/// Has a test told, as everything else is.
pub async fn send_test(registry: &Registry<'_>, plugin: PluginId) -> RegistryResult<()> {
    let known = known(registry, plugin).await?;
    if registry.store.add_webhook_test(plugin, &registry.audit(registry.clock.now())).await? {
        return Ok(());
    }
    let problem = match known.stopped {
        Some(_) => "Nothing is sent, because it has stopped. Start it again first",
        None => "A test is on its way already, or too much waits before it. What became of it stands in the list below",
    };
    Err(Wrong::new("other", problem).into())
}

/// Has an event told once more.
pub async fn send_again(registry: &Registry<'_>, plugin: PluginId, delivery: &str) -> RegistryResult<()> {
    if registry.store.send_again(plugin, delivery, &registry.audit(registry.clock.now())).await? {
        return Ok(());
    }
    let problem = "It waits to be sent already, is not kept any more, or nothing is sent because it has stopped";
    Err(Wrong::new("message", problem).into())
}

async fn known(registry: &Registry<'_>, plugin: PluginId) -> RegistryResult<Webhook> {
    registry.store.webhook(plugin).await?.ok_or(RegistryError::Gone)
}

async fn change(registry: &Registry<'_>, plugin_id: PluginId, seen: i64, edit: WebhookEdit) -> RegistryResult<()> {
    let audit = registry.audit(registry.clock.now());
    match registry.store.change_webhook(&WebhookChange { plugin_id, seen, edit }, &audit).await? {
        ChangeWebhook::Done => Ok(()),
        ChangeWebhook::ChangedMeanwhile => Err(RegistryError::ChangedMeanwhile),
        ChangeWebhook::Gone => Err(RegistryError::Gone),
    }
}

fn in_words(refused: &FetchError) -> String {
    match refused {
        FetchError::Address { host, purpose, .. } => format!(
            "{host} is an address for {purpose}, where nothing is sent; name a host that is reached over the internet"
        ),
        other => other.to_string(),
    }
}
