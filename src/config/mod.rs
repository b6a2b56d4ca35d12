//! Configuration: `consentry.toml` < environment < flags, checked into types before anything starts.
//!
//! `keys` is the table of what there is; `sources` gathers texts; each section (`public`, `database`, `master_keys`,
//! `lifetimes`, `key_ages`, `passwords`, `clients`, `registration`, `resources`, `outbound`, `mail`, `proxies`, `ops`, `look`, `log`)
//! checks its own, and so do the tables of the file (`providers`, `own_login`, read with `table`); `mistake` is how all
//! that is wrong is told at once. The command line brings the sources and shows the
//! warnings.

pub mod clients;
pub mod database;
pub mod example;
mod key_ages;
pub mod keys;
pub mod lifetimes;
pub mod log;
mod look;
pub mod mail;
pub mod master_keys;
pub mod mistake;
mod ops;
pub mod outbound;
mod own_login;
mod passwords;
mod providers;
mod proxies;
pub mod public;
mod reader;
pub mod registration;
mod resources;
pub mod sources;
mod table;
mod traces;

use std::{net::SocketAddr, time::Duration};

pub use self::{
    clients::Clients,
    database::Database,
    lifetimes::Lifetimes,
    log::{Log, LogFormat},
    mail::{Mail, MailSecurity, People},
    master_keys::MasterKeyBytes,
    mistake::{ConfigError, Mistake},
    outbound::Outbound,
    public::PublicUrl,
    sources::{DEFAULT_FILE, Environment, Flag, Sources},
    traces::Traces,
};
use crate::{
    model::{
        account::SignUps,
        brand::Brand,
        key_timetable::KeyTimetable,
        mechanisms::RegistrationPolicy,
        provider::{OwnLogin, Provider},
        proxies::TrustedProxies,
        resource::ResourceIdentifier,
    },
    vault::Secrets,
};
use reader::Reader;

/// What every command needs.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where everything is remembered.
    pub database: Database,
    /// What is logged.
    pub log: Log,
    /// Where the server is reached, when somebody has said so.
    pub public_url: Option<PublicUrl>,
    /// What the pages call it.
    pub server_name: String,
    /// How clients may become known.
    pub clients: Clients,
    /// Who may make an account.
    pub sign_ups: SignUps,
    /// What passwords must be, and cost.
    pub passwords: crate::passwords::Settings,
    /// What may be fetched from.
    pub outbound: Outbound,
    /// How long working keys are published, used and kept.
    pub keys: KeyTimetable,
}

/// What the server needs.
#[derive(Clone, Debug)]
pub struct ServeConfig {
    /// Where everything is remembered.
    pub database: Database,
    /// What is logged.
    pub log: Log,
    /// Where traces go, if anywhere.
    pub traces: Option<Traces>,
    /// Where the server is reached; also its issuer.
    pub public_url: PublicUrl,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where those who run it look at it, if anywhere.
    pub ops_listen: Option<SocketAddr>,
    /// What the pages call it.
    pub server_name: String,
    /// How long things live.
    pub lifetimes: Lifetimes,
    /// How long working keys are published, used and kept.
    pub keys: KeyTimetable,
    /// What of the operator's own the pages show.
    pub brand: Brand,
    /// What passwords must be, and cost.
    pub passwords: crate::passwords::Settings,
    /// What may be fetched from.
    pub outbound: Outbound,
    /// How clients may become known.
    pub clients: Clients,
    /// Which of them may register themselves.
    pub registration: RegistrationPolicy,
    /// What those get that belong to no plugin and name no resource.
    pub default_resource: Option<ResourceIdentifier>,
    /// Whose word about where a call came from is believed.
    pub trusted_proxies: TrustedProxies,
    /// What people may do by themselves, and the mail it takes.
    pub people: People,
    /// Through whom they may sign in.
    pub providers: Vec<Provider>,
    /// The owner's own sign-in page, if there is one.
    pub own_login: Option<OwnLogin>,
    /// What wraps the working keys; the first wraps, all unwrap.
    pub master_keys: Vec<MasterKeyBytes>,
    /// The other secrets, which may be changed where they are kept while the server runs.
    pub secrets: Secrets,
}

/// A configuration, and what its operator should know about it.
#[derive(Clone, Debug)]
pub struct Checked<T> {
    /// The configuration.
    pub config: T,
    /// What works and could be better, a line each.
    pub warnings: Vec<String>,
}

impl Config {
    /// Checks what a command needs. Secrets it does not need are not read; all else that is given is checked.
    pub fn check(sources: &Sources) -> Result<Checked<Self>, ConfigError> {
        check(sources, |reader| {
            let database = database::read(reader);
            let log = log::read(reader);
            let public_url = public::read_public_url(reader);
            // Not needed here, but a mistake in the file is better told by the first command than by the server.
            let listen = public::read_listen(reader);
            ops::read(reader, listen);
            let server_name = public::read_server_name(reader);
            look::read(reader);
            let lifetimes = lifetimes::read(reader);
            let keys = key_ages::read(reader, lifetimes.as_ref());
            let passwords = passwords::read(reader);
            let outbound = outbound::read(reader);
            let clients = clients::read(reader);
            registration::look_at(reader);
            reader.number("secrets_renewal", 1..=86_400);
            traces::look_at(reader);
            let sign_ups = mail::look_at(reader);
            providers::read(reader, false);
            own_login::read(reader, false);
            resources::read(reader);
            proxies::read(reader);
            Some(Self {
                database: database?,
                log: log?,
                public_url,
                server_name: server_name?,
                clients: clients?,
                sign_ups: sign_ups?,
                passwords: passwords?,
                outbound: outbound?,
                keys: keys?,
            })
        })
    }
}

impl ServeConfig {
    /// Checks everything, and reads the secrets.
    pub fn check(sources: &Sources) -> Result<Checked<Self>, ConfigError> {
        check(sources, |reader| {
            let database = database::read(reader);
            let log = log::read(reader);
            let public_url = public::read_public_url(reader);
            if !reader.is_given("public_url") {
                let cure = "write the address people reach the server at: https://consent.example.com";
                reader.mistake("public_url", "it is missing", cure);
            }
            let listen = public::read_listen(reader);
            let ops_listen = ops::read(reader, listen);
            let server_name = public::read_server_name(reader);
            let brand = look::read(reader);
            let lifetimes = lifetimes::read(reader);
            let keys = key_ages::read(reader, lifetimes.as_ref());
            let passwords = passwords::read(reader);
            let outbound = outbound::read(reader);
            let clients = clients::read(reader);
            let registration = registration::read(reader);
            let default_resource = resources::read(reader);
            let trusted_proxies = proxies::read(reader);
            let people = mail::read(reader);
            let providers = providers::read(reader, true);
            let own_login = own_login::read(reader, true);
            let master_keys = master_keys::read(reader);
            let traces = traces::read(reader);
            let every = reader.number("secrets_renewal", 1..=86_400).map(u64::from).map(Duration::from_secs);
            let secrets = reader.take_secrets(every?);
            Some(Self {
                database: database?,
                log: log?,
                traces,
                public_url: public_url?,
                listen: listen?,
                ops_listen,
                server_name: server_name?,
                brand,
                lifetimes: lifetimes?,
                keys: keys?,
                passwords: passwords?,
                outbound: outbound?,
                clients: clients?,
                registration: registration?,
                default_resource: default_resource?,
                trusted_proxies: trusted_proxies?,
                people: people?,
                providers,
                own_login,
                master_keys,
                secrets,
            })
        })
    }
}

/// Reads the master keys alone, for a command that needs them.
pub fn master_keys(sources: &Sources) -> Result<Checked<Vec<MasterKeyBytes>>, ConfigError> {
    check(sources, |reader| Some(master_keys::read(reader)))
}

fn check<T>(sources: &Sources, read: impl FnOnce(&mut Reader<'_>) -> Option<T>) -> Result<Checked<T>, ConfigError> {
    let mut reader = Reader::new(sources::gather(sources), &sources.environment);
    let config = read(&mut reader);
    let (mistakes, warnings) = reader.into_findings();
    match config {
        Some(config) if mistakes.is_empty() => Ok(Checked { config, warnings }),
        _ => Err(ConfigError(mistakes)),
    }
}

#[cfg(test)]
mod tests;
