//! Clients registered and looked after by hand: owners give a program its id, and say where it may send people.
//!
//! `callbacks`, `secrets`, `keys`, `changes` and `try_outs` have a file each. A client is named by its `client_id`; that it belongs to
//! a plugin of whoever asks is known before anything here is called.

pub mod callbacks;
pub mod changes;
pub mod keys;
pub mod scopes;
pub mod secrets;
pub mod try_outs;

use self::{callbacks::Callbacks, keys::KeysForm, secrets::new_secret};
use super::{Registry, RegistryError, RegistryResult, Wrong};
use crate::{
    model::{
        Timestamp,
        client::{AuthenticationMethod, Client, ClientKeys, Dialect, Registration},
        id::ClientId,
        legible,
        plugin::{Host, Plugin},
        redirect_uri::RedirectUri,
        scope::Scopes,
    },
    protocol::{
        dialect::{self, Endpoints},
        manifest,
        presets::{self, Preset},
    },
    random,
    store::clients::{NewClient, OwnWords},
    tokens::secret::SecretText,
};

/// A client to be registered, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct NewClientForm {
    /// How it speaks, or a known caller by its name.
    pub preset: String,
    /// What people are shown when they are asked for consent.
    pub name: String,
    /// Where people are sent back to; empty ones are left out.
    pub callbacks: Vec<String>,
    /// What it may ask for; all of the plugin's scopes where none is named.
    pub scopes: Vec<String>,
    /// The keys it signs with instead of showing a secret.
    pub keys: KeysForm,
}

/// A client as somebody saw it who is about to change it.
#[derive(Clone, Copy, Debug)]
pub struct Which<'a> {
    /// What the wire calls `client_id`.
    pub client_id: &'a str,
    /// Its version then; none for whoever changes it as it is.
    pub seen: Option<i64>,
}

/// A client that was registered just now.
#[derive(Debug)]
pub struct Registered {
    /// The client.
    pub client: NewClient,
    /// Its secret, if it has one: shown this once.
    pub secret: Option<SecretText>,
    /// Those of its callbacks that nobody typed: the same callback on another host.
    pub twins: Vec<RedirectUri>,
    /// What to type in where.
    pub handover: Handover,
}

/// What the caller's own form asks for, in its words and in its order.
#[derive(Clone, Debug)]
pub struct Handover {
    /// Where the form is.
    pub place: &'static str,
    /// Its fields with what belongs into each, the client's id and secret in front.
    pub fields: Vec<(&'static str, String)>,
    /// What to do afterwards, if anything.
    pub then: Option<&'static str>,
}

/// What the caller's form is told of a client.
#[derive(Clone, Copy, Debug)]
pub struct HandedOver<'a> {
    /// What the wire calls `client_id`.
    pub client_id: &'a str,
    /// How it speaks.
    pub dialect: Dialect,
    /// What it may ask for.
    pub scopes: &'a Scopes,
    /// Its secret, if it was made just now.
    pub secret: Option<&'a SecretText>,
}

/// Registers a client of a plugin.
///
/// # Errors
///
/// [`RegistryError::Wrong`] with everything that is wrong with the form.
pub async fn register(registry: &Registry<'_>, plugin: &Plugin, form: &NewClientForm) -> RegistryResult<Registered> {
    let read = read(registry, plugin, form)?;
    let (dialect, scopes, twins) = (read.dialect, read.scopes.clone(), read.callbacks.twins.clone());
    let (client, secret) = add(registry, plugin, read, None).await?;
    let handed = HandedOver { client_id: &client.client_id, dialect, scopes: &scopes, secret: secret.as_ref() };
    let handover = handover(registry, &plugin.host, handed);
    Ok(Registered { client, secret, twins, handover })
}

/// Adds a client of a plugin, with a secret if it needs one; it may have an end.
async fn add(
    registry: &Registry<'_>,
    plugin: &Plugin,
    read: Read,
    ends_at: Option<Timestamp>,
) -> RegistryResult<(NewClient, Option<SecretText>)> {
    let Read { dialect, name, callbacks: Callbacks { uris, .. }, scopes, keys } = read;
    let at = registry.clock.now();
    let method = keys.as_ref().map_or(dialect::authentication_method(dialect), |_| AuthenticationMethod::PrivateKeyJwt);
    let (secret, kept) = (method == AuthenticationMethod::ClientSecret).then(|| new_secret(at)).unzip();
    let id = ClientId(random::id(at));
    let client = NewClient {
        id,
        client_id: id.to_string(),
        plugin_id: Some(plugin.id),
        registration: Registration::ByHand,
        name,
        dialect,
        authentication_methods: method.into(),
        signing_algorithm: None,
        keys: keys.unwrap_or_default(),
        redirect_uris: uris,
        scopes: Some(scopes),
        secret: kept,
        registration_digest: None,
        own_words: OwnWords::default(),
        ends_at,
        at,
    };
    registry.store.add_client(&client, &registry.audit(at)).await?;
    Ok((client, secret))
}

/// What to type in where, for a client of a plugin on this host.
pub fn handover(registry: &Registry<'_>, host: &Host, client: HandedOver<'_>) -> Handover {
    let [authorization, token] = endpoints(registry, client.dialect, host);
    let scope = client.scopes.to_string();
    let endpoints = Endpoints { authorization: &authorization, token: &token, scope: &scope };
    let dialect::Handover { place, fields, credentials, then } = dialect::handover(client.dialect, endpoints);
    let mut all = vec![(credentials.0, client.client_id.to_owned())];
    all.extend(client.secret.map(|secret| (credentials.1, secret.reveal().to_owned())));
    all.extend(fields.into_iter().map(|(field, value)| (field, value.to_owned())));
    Handover { place, fields: all, then }
}

/// The authorization and the token endpoint, where this kind of client looks for them.
pub fn endpoints(registry: &Registry<'_>, dialect: Dialect, host: &Host) -> [String; 2] {
    match registry.issuer {
        Some(issuer) if !dialect::stays_on_the_plugins_host(dialect) => {
            ["/authorize", "/token"].map(|path| format!("{issuer}{path}"))
        }
        _ => {
            let scheme = registry.scheme(host);
            [manifest::authorization_endpoint(host, scheme), manifest::token_endpoint(host, scheme)]
        }
    }
}

/// A form that is good.
struct Read {
    dialect: Dialect,
    name: String,
    callbacks: Callbacks,
    scopes: Scopes,
    keys: Option<ClientKeys>,
}

/// Reads every field before it answers, so that everything that is wrong is told at once.
fn read(registry: &Registry<'_>, plugin: &Plugin, form: &NewClientForm) -> RegistryResult<Read> {
    let mut wrong = Vec::new();
    let dialect = preset(registry, &form.preset).map_err(|it| wrong.push(it)).ok();
    let name = name(&form.name).map_err(|it| wrong.push(it)).ok();
    let callbacks = dialect.and_then(|(dialect, caller)| {
        let read = match caller {
            Some(caller) => callbacks::of(caller, &form.callbacks),
            None => callbacks::read(dialect, &form.callbacks),
        };
        read.map_err(|those| wrong.extend(those)).ok()
    });
    let scopes = scopes::read((&plugin.slug, &plugin.scopes), &form.scopes).map_err(|it| wrong.push(it)).ok();
    let keys = dialect.and_then(|(dialect, _)| keys::read(&form.keys, dialect).map_err(|it| wrong.push(it)).ok());
    match (dialect, name, callbacks, scopes, keys) {
        (Some((dialect, _)), Some(name), Some(callbacks), Some(scopes), Some(keys)) => {
            Ok(Read { dialect, name, callbacks, scopes, keys })
        }
        _ => Err(RegistryError::Wrong(wrong)),
    }
}

fn preset(registry: &Registry<'_>, text: &str) -> Result<(Dialect, Option<&'static Preset>), Wrong> {
    let caller = presets::named(text);
    let dialect = match caller {
        Some(caller) => caller.dialect,
        None => {
            text.parse().map_err(|error: crate::model::account::UnknownWord| Wrong::new("preset", error.to_string()))?
        }
    };
    if !registry.clients_by_hand && dialect::authorization_code_allowed(dialect) {
        let problem =
            "clients are not registered by hand here: clients_by_hand is off; only the preset service is taken";
        return Err(Wrong::new("preset", problem));
    }
    Ok((dialect, caller))
}

fn name(text: &str) -> Result<String, Wrong> {
    legible::name(text).ok_or_else(|| {
        let problem = format!("write 1 to {} visible characters on one line", legible::NAME_LENGTH_MAX);
        Wrong::new("name", problem)
    })
}

/// The client as it is now.
async fn find(registry: &Registry<'_>, client_id: &str) -> RegistryResult<Client> {
    registry.store.client(client_id, registry.clock.now()).await?.ok_or(RegistryError::Gone)
}

/// The client as it is now, for whoever changes it. One that is there for a time is nobody's to change: where it sends
/// people was checked when it was made, and for nothing else.
async fn find_to_change(registry: &Registry<'_>, client_id: &str) -> RegistryResult<Client> {
    let client = find(registry, client_id).await?;
    if client.ends_at.is_some() {
        return Err(Wrong::new("other", "it is a try-out's, and ends by itself; it can be disabled or deleted").into());
    }
    Ok(client)
}

/// Refuses what a client's document says anew whenever it is read.
fn says_not_so_itself(client: &Client) -> RegistryResult<()> {
    if client.registration == Registration::Document {
        return Err(Wrong::new("other", "the client says this itself, in the document that is its id").into());
    }
    Ok(())
}
