//! The verification handshake: tokens that assistants hand out are published, and what they will read is read back
//! through the public address, as they would read it.
//!
//! `store::verifications` remembers, `protocol::manifest` judges what came and `protocol::verification` what it means.
//! A look takes seconds; what is changed meanwhile is not undone by it, because then nothing of it is kept.

use std::time::Duration;

use reqwest::{StatusCode, header::LOCATION};
use url::Url;

use super::{Registry, RegistryError, RegistryResult, Wrong};
use crate::{
    model::{
        Timestamp,
        id::PluginId,
        plugin::Plugin,
        verification::{Finding, Look, News, Outcome, Verification},
    },
    outbound::{Answered, FetchError, Limits, Outbound},
    protocol::{
        manifest::{self, Astray, Judgement},
        verification::meaning,
    },
    store::{
        mails::NewMail,
        verifications::{KeepLook, LookKeeping, SetChallenge, SetToken, TokenSetting},
    },
};

/// What a look may cost: what readers were documented to allow, in time and in size.
const LIMITS: Limits = Limits { bytes_max: 100_000, patience: Duration::from_secs(15) };

/// How many redirections are followed.
const REDIRECTIONS_MAX: usize = 3;

/// The longest name of a service.
const SERVICE_LENGTH_MAX: usize = 50;

/// A plugin, and what is remembered of looks at its public address.
#[derive(Clone, Debug)]
pub struct Verified {
    /// As it is now.
    pub plugin: Plugin,
    /// With the last look.
    pub verification: Verification,
}

/// A look that was made and not yet kept.
#[derive(Clone, Debug)]
pub struct Looked {
    /// What its owners should hear.
    pub news: Option<News>,
    /// Whose address it is.
    pub plugin: Plugin,
    keeping: LookKeeping,
}

/// Publishes the token that an assistant has handed out for this plugin; `service` is what its manifest calls the
/// assistant's maker, `manifest::SERVICE` for most, and `seen` the plugin's version as far as whoever sets it knows.
/// Answers the plugin as it is now.
///
/// # Errors
///
/// [`RegistryError::Wrong`], [`RegistryError::Gone`]; [`RegistryError::ChangedMeanwhile`] where the plugin is another
/// than was seen, and publishes another token than this.
pub async fn set_verification_token(
    registry: &Registry<'_>,
    (plugin, seen): (PluginId, Option<i64>),
    service: &str,
    token: &str,
) -> RegistryResult<Plugin> {
    let mut wrong = Vec::new();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !(1..=SERVICE_LENGTH_MAX).contains(&service.len()) || !service.chars().all(is_name) {
        let problem = format!("write what the manifest calls the service, such as {}", manifest::SERVICE);
        wrong.push(Wrong::new("service", problem));
    }
    let token = token.trim();
    wrong.extend(manifest::check_token(token).err().map(|problem| Wrong::new("token", problem.to_string())));
    if !wrong.is_empty() {
        return Err(RegistryError::Wrong(wrong));
    }
    let at = registry.clock.now();
    let setting = TokenSetting { plugin_id: plugin, service: service.to_owned(), token: token.to_owned(), seen, at };
    match registry.store.set_verification_token(&setting, &registry.audit(at)).await? {
        SetToken::Published(plugin) => Ok(*plugin),
        SetToken::ChangedMeanwhile => Err(RegistryError::ChangedMeanwhile),
        SetToken::Gone => Err(RegistryError::Gone),
    }
}

/// Sets what proves to the connectors' vendor that the plugin's host is its owner's; `seen` is what was served there as far
/// as whoever sets it knows, an empty text where nothing was.
///
/// # Errors
///
/// [`RegistryError::Wrong`], [`RegistryError::Gone`], [`RegistryError::ChangedMeanwhile`].
pub async fn set_challenge(
    registry: &Registry<'_>,
    (plugin, seen): (PluginId, Option<&str>),
    token: &str,
) -> RegistryResult<()> {
    let token = token.trim();
    manifest::check_token(token).map_err(|problem| Wrong::new("token", problem.to_string()))?;
    let audit = registry.audit(registry.clock.now());
    match registry.store.set_challenge(plugin, (token, seen), &audit).await? {
        SetChallenge::Set => Ok(()),
        SetChallenge::ChangedMeanwhile => Err(RegistryError::ChangedMeanwhile),
        SetChallenge::Gone => Err(RegistryError::Gone),
    }
}

/// Reads a plugin's manifest back through its public address, and keeps what that means. Somebody else's look that was
/// kept meanwhile is as good.
pub async fn verify(registry: &Registry<'_>, outbound: &Outbound, plugin: PluginId) -> RegistryResult<Verified> {
    let began = registry.clock.now();
    let looked = look(registry, outbound, plugin).await?;
    match keep(registry, looked, Vec::new()).await {
        Err(RegistryError::ChangedMeanwhile) => as_good(registry, plugin, began).await,
        kept => kept,
    }
}

/// What somebody else's look came to that was kept since then; where there is none the plugin was changed.
pub async fn as_good(registry: &Registry<'_>, plugin: PluginId, began: Timestamp) -> RegistryResult<Verified> {
    let (plugin, verification) = registry.store.verification(plugin).await?.ok_or(RegistryError::Gone)?;
    let is_as_good = verification.look.as_ref().is_some_and(|look| look.at >= began);
    if is_as_good { Ok(Verified { plugin, verification }) } else { Err(RegistryError::ChangedMeanwhile) }
}

/// Looks, and says what that would mean. Whoever keeps it can tell the owners in the same step.
pub async fn look(registry: &Registry<'_>, outbound: &Outbound, plugin: PluginId) -> RegistryResult<Looked> {
    let (plugin, known) = registry.store.verification(plugin).await?.ok_or(RegistryError::Gone)?;
    let scheme = registry.scheme(&plugin.host);
    let judged = match read_back(outbound, &plugin).await {
        Ok((place, body)) => manifest::judge(&plugin, scheme, place.as_str(), &body),
        Err(NotRead::Met((outcome, says))) => Judgement { outcome, says, findings: Vec::<Finding>::new() },
        Err(NotRead::Busy) => {
            // Nothing is known of the host by that, so nothing is kept against it.
            let problem = "Too many plugins are looked at just now. Try again in a minute";
            return Err(Wrong::new("other", problem).into());
        }
    };
    let Judgement { outcome, says, findings } = judged;
    let look = Look { at: registry.clock.now(), outcome, says, findings };
    let meant = meaning(plugin.state, plugin.unseen_state(), &known, look);
    let keeping = LookKeeping {
        plugin_id: plugin.id,
        version: plugin.version,
        state: meant.state,
        verification: meant.verification,
        mails: Vec::new(),
    };
    Ok(Looked { news: meant.news, plugin, keeping })
}

/// Keeps a look, with the mails that tell of it.
pub async fn keep(registry: &Registry<'_>, looked: Looked, mails: Vec<NewMail>) -> RegistryResult<Verified> {
    let keeping = LookKeeping { mails, ..looked.keeping };
    match registry.store.keep_look(&keeping, &registry.audit(registry.clock.now())).await? {
        KeepLook::Kept(plugin) => Ok(Verified { plugin: *plugin, verification: keeping.verification }),
        KeepLook::ChangedMeanwhile => Err(RegistryError::ChangedMeanwhile),
        KeepLook::Gone => Err(RegistryError::Gone),
    }
}

/// What a look came to that has read no manifest.
type Unread = (Outcome, String);

/// Why nothing came of a look.
enum NotRead {
    /// It came to this.
    Met(Unread),
    /// Nobody was asked, because too much is under way here.
    Busy,
}

impl From<Unread> for NotRead {
    fn from(unread: Unread) -> Self {
        Self::Met(unread)
    }
}

/// Reads what stands at the public address, and where it stood in the end.
async fn read_back(outbound: &Outbound, plugin: &Plugin) -> Result<(Url, Vec<u8>), NotRead> {
    let place = format!("https://{}{}", plugin.host, manifest::PLACE);
    let unread = |_| (Outcome::OutOfReach, format!("{place} is no address."));
    let mut url = Url::parse(&place).map_err(unread)?;
    for _ in 0..=REDIRECTIONS_MAX {
        let answered = match outbound.look(&url, LIMITS).await {
            Ok(answered) => answered,
            Err(error) if error.is_ours() => return Err(NotRead::Busy),
            Err(error) => return Err(unanswered(&url, &error).into()),
        };
        match answered.status.as_u16() {
            200 => return Ok((url, answered.body)),
            301 | 302 | 303 | 307 | 308 => url = followed(&url, &answered)?,
            _ => return Err(refused(&url, answered.status).into()),
        }
    }
    Err((
        Outcome::LeadsAway,
        format!("{place} redirects more than {REDIRECTIONS_MAX} times; nobody follows any further."),
    )
        .into())
}

/// Where a redirection leads, if a reader would follow it.
fn followed(from: &Url, answered: &Answered) -> Result<Url, Unread> {
    let leads_away = |says: String| (Outcome::LeadsAway, format!("{from} redirects {says}."));
    let named = answered.headers.get(LOCATION).and_then(|location| location.to_str().ok());
    let Some(to) = named.and_then(|location| from.join(location).ok()) else {
        return Err(leads_away("and does not say where to".to_owned()));
    };
    // An origin is ASCII and holds no path, so it can be told as it is.
    let origin = to.origin().ascii_serialization();
    let host = from.host_str().unwrap_or_default();
    match manifest::may_lead(from, &to) {
        Ok(()) => Ok(to),
        Err(Astray::NotHttps) => {
            Err(leads_away(format!("to {origin}, which is not https; only an address with https:// is read")))
        }
        Err(Astray::Elsewhere) => Err(leads_away(format!(
            "to {origin}. A manifest is read only on {host} itself or on a host below it, because any other could be \
             somebody else's: let {host} answer it itself"
        ))),
    }
}

fn refused(url: &Url, status: StatusCode) -> Unread {
    let error = FetchError::Status(status.as_u16());
    let outcome = if error.may_pass() { Outcome::OutOfReach } else { Outcome::NoManifest };
    let hint = match status.as_u16() {
        404 | 410 => ": there is no manifest. Does the host lead to this server?",
        401 | 403 => ": something in front of this server turns programs away. Let this path through",
        _ => " instead of 200",
    };
    (outcome, format!("{url} answers with status {}{hint}.", status.as_u16()))
}

/// In words for whoever has never heard of any of it.
fn unanswered(url: &Url, error: &FetchError) -> Unread {
    let host = url.host_str().unwrap_or_default();
    let says = match error {
        FetchError::Address { purpose, .. } => {
            let says = format!(
                "{host} has an address that is for {purpose}, which nobody reaches over the internet. Give it \
                 a public address; on an intranet, let the operator allow its range (outbound_allow)."
            );
            return (Outcome::PrivateAddress, says);
        }
        FetchError::TooLarge => {
            let says = format!("What {url} answers is larger than a manifest may be ({} bytes).", LIMITS.bytes_max);
            return (Outcome::NoManifest, says);
        }
        FetchError::NoSuchHost => format!(
            "The name {host} could not be resolved: either there is no such name, or its name servers do not answer. \
             Look at its DNS records."
        ),
        FetchError::Unreachable(why) => format!("{host} could not be spoken with: {why}."),
        FetchError::TooSlow => {
            format!("{host} did not answer in full within {} seconds.", LIMITS.patience.as_secs())
        }
        other => format!("{url} could not be read: {other}."),
    };
    (Outcome::OutOfReach, says)
}
