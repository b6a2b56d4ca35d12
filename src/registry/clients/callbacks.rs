//! Callbacks of clients: where people may be sent back to. Some callers use the same one on two hosts, so its twin comes
//! and goes with it.
//!
//! Callers' callbacks change: one that was asked for, is not registered and looks like the client's own is offered to its
//! owner, who approves it or not. Until then nobody is sent there, and a stranger can have caused the offer.

use chrono::TimeDelta;

use super::{Registry, RegistryError, RegistryResult, Which, Wrong, find_to_change, says_not_so_itself};
use crate::{
    model::{
        client::{Client, Dialect},
        redirect_uri::RedirectUri,
    },
    protocol::{
        dialect,
        presets::{self, Preset},
    },
    store::{
        callback_offers::CallbackOffer,
        client_changes::{ChangeClient, ClientChange, ClientEdit},
    },
};

/// More than any caller is known to use.
const CALLBACKS_MAX: usize = 20;

/// The most a client has in all: few enough to compare at every request.
const TOTAL_MAX: usize = 40;

/// How long one is offered after it was last asked for.
pub const OFFER_AGE_MAX: TimeDelta = TimeDelta::days(7);

/// What is to be registered, and which of it nobody typed.
#[derive(Clone, Debug)]
pub struct Callbacks {
    /// All of it.
    pub uris: Vec<RedirectUri>,
    /// The same callbacks on other hosts.
    pub twins: Vec<RedirectUri>,
}

/// Reads what was typed.
pub(super) fn read(dialect: Dialect, texts: &[String]) -> Result<Callbacks, Vec<Wrong>> {
    let texts: Vec<&str> = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).collect();
    let mut wrong = Vec::new();
    let mut say = |problem: String| wrong.push(Wrong::new("callback", problem));
    let mut uris: Vec<RedirectUri> = Vec::new();
    // First of all: the rest looks at each beside every other.
    if texts.len() > CALLBACKS_MAX {
        return Err(vec![Wrong::new("callback", format!("at most {CALLBACKS_MAX} can be registered"))]);
    }
    for text in &texts {
        match text.parse::<RedirectUri>() {
            Ok(uri) if uris.contains(&uri) => {}
            Ok(uri) => uris.push(uri),
            Err(error) => say(error.to_string()),
        }
    }
    if !dialect::authorization_code_allowed(dialect) && !texts.is_empty() {
        say("a client of this preset acts for itself and sends nobody anywhere; leave it out".to_owned());
    }
    if dialect::requires_redirect_uri(dialect) && texts.is_empty() {
        say("it is missing; give the URL the client shows as its callback or redirect URL".to_owned());
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let twins: Vec<RedirectUri> = uris.iter().flat_map(presets::twins).filter(|twin| !uris.contains(twin)).collect();
    uris.extend(twins.iter().cloned());
    Ok(Callbacks { uris, twins })
}

/// Those of a known caller: what was typed, if it is one of its own, and otherwise those that everybody knows.
pub(super) fn of(caller: &Preset, texts: &[String]) -> Result<Callbacks, Vec<Wrong>> {
    if texts.iter().all(|text| text.trim().is_empty()) {
        let fixed: Vec<String> = caller.fixed_callbacks().map(str::to_owned).collect();
        return read(caller.dialect, &fixed);
    }
    let callbacks = read(caller.dialect, texts)?;
    let (name, dialect, known) = (&caller.name, caller.dialect.as_str(), caller.callbacks.join(", "));
    let foreign = |uri: &&RedirectUri| !caller.uses(uri);
    let problem = |uri| {
        format!(
            "{uri} is not known of {name}, which uses {known}; take the preset {dialect} if it is right nevertheless"
        )
    };
    let wrong: Vec<Wrong> =
        callbacks.uris.iter().filter(foreign).map(|uri| Wrong::new("callback", problem(uri))).collect();
    if wrong.is_empty() { Ok(callbacks) } else { Err(wrong) }
}

/// Registers further callbacks of a client, each with its twin.
///
/// # Errors
///
/// [`RegistryError::Wrong`] with everything that is wrong, [`RegistryError::Gone`], [`RegistryError::ChangedMeanwhile`].
pub async fn add(registry: &Registry<'_>, which: Which<'_>, texts: &[String]) -> RegistryResult<Client> {
    let client = find_to_change(registry, which.client_id).await?;
    says_not_so_itself(&client)?;
    let Callbacks { uris, .. } = read(client.dialect, texts).map_err(RegistryError::Wrong)?;
    put(registry, which, &client, uris).await
}

/// Takes a callback of a client away, and its twin.
///
/// # Errors
///
/// As [`add`].
pub async fn remove(registry: &Registry<'_>, which: Which<'_>, text: &str) -> RegistryResult<Client> {
    let client = find_to_change(registry, which.client_id).await?;
    says_not_so_itself(&client)?;
    let gone = client.redirect_uris.iter().find(|uri| uri.as_str() == text.trim());
    let gone = gone.ok_or_else(|| Wrong::new("callback", "it is not registered for this client"))?;
    let gone = with_twins(gone);
    let is_last = client.redirect_uris.iter().all(|uri| gone.contains(uri));
    if is_last && dialect::requires_redirect_uri(client.dialect) {
        let problem = "it is the only one, and without one the client can do nothing; add another one first, or disable \
                       the client";
        return Err(Wrong::new("callback", problem).into());
    }
    change(registry, which, ClientEdit::RemoveRedirectUris(gone)).await
}

/// What is offered to a client's owner, the one asked for last in front.
pub async fn offers(registry: &Registry<'_>, client: &Client) -> RegistryResult<Vec<CallbackOffer>> {
    let mut offers = registry.store.callback_offers(client.id, registry.clock.now() - OFFER_AGE_MAX).await?;
    offers.retain(|offer| !client.redirect_uris.contains(&offer.redirect_uri));
    Ok(offers)
}

/// Registers a callback that is offered, with its twin.
///
/// # Errors
///
/// As [`add`].
pub async fn approve(registry: &Registry<'_>, which: Which<'_>, text: &str) -> RegistryResult<Client> {
    let client = find_to_change(registry, which.client_id).await?;
    let offer = offered(registry, &client, text).await?;
    put(registry, which, &client, with_twins(&offer.redirect_uri)).await
}

/// Takes an offer away, and its twin's. It comes back if it is asked for again.
///
/// # Errors
///
/// As [`add`].
pub async fn dismiss(registry: &Registry<'_>, client_id: &str, text: &str) -> RegistryResult<()> {
    let client = find_to_change(registry, client_id).await?;
    let offer = offered(registry, &client, text).await?;
    let audit = registry.audit(registry.clock.now());
    registry.store.dismiss_callbacks(&client, &with_twins(&offer.redirect_uri), &audit).await?;
    Ok(())
}

async fn offered(registry: &Registry<'_>, client: &Client, text: &str) -> RegistryResult<CallbackOffer> {
    let offers = offers(registry, client).await?;
    let found = offers.into_iter().find(|offer| offer.redirect_uri.as_str() == text.trim());
    let days = OFFER_AGE_MAX.num_days();
    let problem = || format!("it is not offered: nobody has been sent here with it within {days} days");
    found.ok_or_else(|| Wrong::new("callback", problem()).into())
}

fn with_twins(uri: &RedirectUri) -> Vec<RedirectUri> {
    std::iter::once(uri.clone()).chain(presets::twins(uri)).collect()
}

async fn put(
    registry: &Registry<'_>,
    which: Which<'_>,
    client: &Client,
    uris: Vec<RedirectUri>,
) -> RegistryResult<Client> {
    let new = uris.iter().filter(|uri| !client.redirect_uris.contains(uri)).count();
    if client.redirect_uris.len() + new > TOTAL_MAX {
        return Err(Wrong::new("callback", format!("a client can have at most {TOTAL_MAX} callbacks")).into());
    }
    change(registry, which, ClientEdit::AddRedirectUris(uris)).await
}

/// Makes a change to a client.
pub(super) async fn change(registry: &Registry<'_>, which: Which<'_>, edit: ClientEdit) -> RegistryResult<Client> {
    let change = ClientChange { client_id: which.client_id.to_owned(), seen: which.seen, edit };
    match registry.store.change_client(&change, &registry.audit(registry.clock.now())).await? {
        ChangeClient::Done(client) => Ok(*client),
        ChangeClient::Unknown => Err(RegistryError::Gone),
        ChangeClient::ChangedMeanwhile => Err(RegistryError::ChangedMeanwhile),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "https://chat.openai.com/aip/g-1f2e/oauth/callback";
    const NEW: &str = "https://chatgpt.com/aip/g-1f2e/oauth/callback";

    fn registered(texts: &[&str]) -> (Vec<String>, Vec<String>) {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let Callbacks { uris, twins } = read(Dialect::Action, &texts).unwrap();
        let shown = |uris: Vec<RedirectUri>| uris.iter().map(ToString::to_string).collect();
        (shown(uris), shown(twins))
    }

    #[test]
    fn a_known_callers_callbacks_need_not_be_typed() {
        let callbacks_of = |name: &str, texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            let found = of(presets::named(name).unwrap(), &texts);
            found.map(|found| found.uris.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let [web, other] = ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"];
        assert_eq!(callbacks_of("claude", &[]).unwrap(), [web, other]);
        assert_eq!(callbacks_of("claude", &[" "]).unwrap(), [web, other]);
        assert_eq!(callbacks_of("claude", &[other]).unwrap(), [other]);
        assert_eq!(
            callbacks_of("chatgpt-action", &[]).unwrap(),
            Vec::<String>::new(),
            "its callback is shown afterwards"
        );
        assert_eq!(callbacks_of("chatgpt-action", &[OLD]).unwrap(), [OLD, NEW]);
        assert!(callbacks_of("gemini", &[]).is_err(), "it has one for each user");
        let told = callbacks_of("claude", &[web, NEW]).unwrap_err();
        let [Wrong { field: "callback", problem }, _twin] = told.as_slice() else { panic!("{told:?}") };
        assert!(problem.contains(NEW) && problem.contains("preset connector") && problem.contains(other), "{problem}");
    }

    #[test]
    fn one_callback_brings_its_twin_and_two_bring_none() {
        assert_eq!(registered(&[OLD]), (vec![OLD.into(), NEW.into()], vec![NEW.into()]));
        assert_eq!(registered(&[NEW, OLD, NEW]), (vec![NEW.into(), OLD.into()], vec![]));
        let own = "https://a.example/cb";
        assert_eq!(registered(&[own]), (vec![own.into()], vec![]));
    }
}
