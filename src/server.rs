//! Server: the running parts, assembled once and shared by everything that serves or works in the background.
//!
//! `http` answers with them, `jobs` tidies with them; `cli` decides when they start and stop.

pub mod clients;
pub mod counts;
pub mod documents;
pub mod examinations;
pub mod factors;
pub mod flows;
pub mod gate;
pub mod injection;
mod issuer;
mod kept;
pub mod key_sets;
pub mod keyring;
pub mod mails;
pub mod notes;
mod owners;
pub mod people;
pub mod refusals;
pub mod registrations;
mod reminders;
pub mod secret_turns;
mod shared_time;
pub mod shares;
pub mod sign_ins;
pub mod standing;
pub mod upstreams;
pub mod uses;
pub mod verifications;
pub mod webhooks;

use std::{sync::OnceLock, time::Duration};

use chrono::TimeDelta;

use crate::{
    clock::Clock,
    factors::passkeys::Passkeys,
    keys::master::MasterKey,
    mail::Mailer,
    model::{
        Timestamp,
        account::SignUps,
        audit::{Actor, Audit, Origin},
        brand::Brand,
        id::{AuditEventId, OwnerTokenId},
        key_timetable::KeyTimetable,
        mechanisms::Mechanisms,
        plugin::{Host, NotAHost},
        provider::{OwnLogin, Provider},
        proxies::TrustedProxies,
        public_url,
        resource::ResourceIdentifier,
        rotator::Rotator,
    },
    outbound::{self, Outbound, OutboundError},
    passwords::{self, Passwords},
    protocol::metadata::IssuerError,
    providers::Providers,
    random,
    registry::Registry,
    rotators::Rotators,
    store::{SchemaState, Store, StoreError},
    vault::Secrets,
};
use counts::Counts;
use documents::Documents;
use examinations::Examinations;
use flows::Flows;
use gate::Gate;
use injection::{Injections, UsedVersion};
use key_sets::KeySets;
use keyring::{Keyring, KeyringError};
use mails::Mails;
use notes::Notes;
use refusals::Refusals;
use registrations::Registrations;
pub use shared_time::measure;
use sign_ins::SignIns;
use upstreams::Upstreams;
use uses::Uses;

/// What the operator chose, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The public URL, without trailing slash; also the issuer identifier, the same bytes everywhere.
    pub issuer: String,
    /// Its origin: what browsers say in `Origin`.
    pub origin: String,
    /// Its path, which pages and endpoints stand under: empty, or such as `/auth`.
    pub base: String,
    /// Its host.
    pub host: Host,
    /// What the pages call this server.
    pub server_name: String,
    /// What of the operator's own they show.
    pub brand: Brand,
    /// How long a superseded refresh token is answered with its successor; zero is strict.
    pub refresh_grace: TimeDelta,
    /// How long an access token is good for.
    pub access_token_lifetime: TimeDelta,
    /// For how long it may be remembered that a connection stands; zero is not at all.
    pub standing_max_age: TimeDelta,
    /// How long a connection lives without being refreshed.
    pub refresh_idle: TimeDelta,
    /// How long a connection lives at most.
    pub refresh_absolute: TimeDelta,
    /// How long a browser stays signed in.
    pub session_lifetime: TimeDelta,
    /// How long working keys are published, used and kept.
    pub keys: KeyTimetable,
    /// How long the audit log is kept; none for ever.
    pub audit_age: Option<TimeDelta>,
    /// What passwords must be, and cost.
    pub passwords: passwords::Settings,
    /// In which ways a client can become known.
    pub mechanisms: Mechanisms,
    /// Whether clients may be registered by hand that send people somewhere.
    pub clients_by_hand: bool,
    /// What a client that belongs to no plugin means when it names no resource; none for the only one there is.
    pub default_resource: Option<ResourceIdentifier>,
    /// Whose word about where a call came from is believed.
    pub trusted_proxies: TrustedProxies,
    /// Who may make an account.
    pub sign_ups: SignUps,
    /// Through whom people may sign in.
    pub providers: Vec<Provider>,
    /// The owner's own sign-in page, if there is one.
    pub own_login: Option<OwnLogin>,
    /// Who makes new versions of API keys.
    pub rotators: Vec<Rotator>,
}

impl Settings {
    /// The defaults, for a server reached at this address; [`Server::assemble`] refuses one that is misspelled.
    pub fn defaults(public_url: &str, server_name: &str) -> Result<Self, NotAHost> {
        let (scheme, rest) = public_url.split_once("://").unwrap_or_default();
        let (host, _) = rest.split_once('/').unwrap_or((rest, ""));
        let (origin, base) = public_url.split_at((scheme.len() + "://".len() + host.len()).min(public_url.len()));
        Ok(Self {
            issuer: public_url.to_owned(),
            origin: origin.to_owned(),
            base: base.to_owned(),
            host: host.parse()?,
            server_name: server_name.to_owned(),
            brand: Brand::default(),
            refresh_grace: TimeDelta::minutes(2),
            access_token_lifetime: TimeDelta::minutes(15),
            standing_max_age: TimeDelta::seconds(1),
            refresh_idle: TimeDelta::days(90),
            refresh_absolute: TimeDelta::days(365),
            session_lifetime: TimeDelta::days(30),
            keys: KeyTimetable::default(),
            audit_age: Some(TimeDelta::days(2 * 365)),
            passwords: passwords::Settings::default(),
            mechanisms: Mechanisms::default(),
            clients_by_hand: true,
            default_resource: None,
            trusted_proxies: TrustedProxies::default(),
            sign_ups: SignUps::default(),
            providers: Vec::new(),
            own_login: None,
            rotators: Vec::new(),
        })
    }

    /// Whether people reach the server over TLS; cookies are bound to it if so.
    pub fn is_https(&self) -> bool {
        self.issuer.starts_with("https://")
    }

    /// When a connection that is used now ends unless it is used again. Rounded up to a ninetieth of the idle time, so
    /// that most refreshes leave the stored time, and its index, as they are.
    pub fn idle_until(&self, now: Timestamp) -> Timestamp {
        let end = now + self.refresh_idle;
        let step = (self.refresh_idle / 90).num_milliseconds().max(1);
        let past = end.timestamp_millis().rem_euclid(step);
        if past == 0 { end } else { end + TimeDelta::milliseconds(step - past) }
    }

    /// The scheme people reach it with.
    pub fn scheme(&self) -> &'static str {
        if self.is_https() { "https" } else { "http" }
    }

    /// The schemes a host may be reached with: the likeliest, and the other one where that may be in use as well.
    pub fn schemes_of(&self, host: &Host) -> (&'static str, Option<&'static str>) {
        public_url::schemes(host, Some((&self.host, self.scheme())))
    }
}

/// The running parts.
pub struct Server {
    /// What the operator chose.
    pub settings: Settings,
    /// What this process is called among those that share a database: drawn when it starts.
    pub node: String,
    /// The time.
    pub clock: Clock,
    /// What is remembered.
    pub store: Store,
    /// What signs, authenticates and seals.
    pub keyring: Keyring,
    /// What hashes passwords, on workers of its own.
    pub passwords: Passwords,
    /// Clients' metadata documents.
    pub documents: Documents,
    /// Clients' keys.
    pub key_sets: KeySets,
    /// How many clients register themselves.
    pub registrations: Registrations,
    /// Fetches what plugin owners name.
    pub for_owners: Outbound,
    /// How often the doctor looks at what owners name.
    pub examinations: Examinations,
    /// Other people's servers that say who somebody is.
    pub providers: Providers,
    /// Who makes new versions of API keys.
    pub rotators: Rotators,
    /// How fast passwords can be guessed.
    pub sign_ins: SignIns,
    /// Passkeys, where browsers have them for this site.
    pub passkeys: Option<Passkeys>,
    /// What happened at each step of an attempt to connect.
    pub flows: Flows,
    /// What is noted about clients in passing.
    pub notes: Notes,
    /// What was refused and should be heard of.
    pub refusals: Refusals,
    /// When owners' tokens were used.
    pub owner_tokens: Uses<OwnerTokenId>,
    /// When versions of plugins' API keys were.
    pub secret_uses: Uses<UsedVersion>,
    /// Those that were open a moment ago.
    pub injections: Injections,
    /// The APIs behind the gate, and who stands behind tokens.
    pub gate: Gate,
    /// Sends on what passes it.
    pub upstreams: Upstreams,
    /// The description of the owners' API, once somebody has asked for it.
    pub owners_api: OnceLock<String>,
    /// How often what happened to whose plugin.
    pub counts: Counts,
    /// Who takes mail away, and how much waits.
    pub mails: Mails,
    /// Secrets that may be changed where they are kept.
    pub secrets: Secrets,
    /// Reads back what plugins publish; it waits for nobody else's fetches, and nobody for its.
    pub verifier: Outbound,
    /// Tells owners' APIs what they asked to be told.
    pub teller: Outbound,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The schema is older than this program.
    #[error("the database is {0} migration(s) behind this program; run `consentry migrate` first")]
    Behind(usize),
    /// The schema is newer than this program.
    #[error("the database was migrated by a newer version of this program; run that version instead")]
    FromTheFuture,
    /// The working keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyringError),
    /// The issuer is not one string everywhere.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// Nothing can be fetched.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
}

impl Server {
    /// Checks the issuer and the schema, reads or makes the working keys, and puts the parts together.
    pub async fn assemble(
        settings: Settings,
        clock: Clock,
        store: Store,
        masters: Vec<MasterKey>,
        outbound: outbound::Settings,
    ) -> Result<Self, StartError> {
        issuer::check(&settings)?;
        match store.schema_state().await? {
            SchemaState::Current => {}
            SchemaState::Behind(count) => return Err(StartError::Behind(count)),
            SchemaState::FromTheFuture => return Err(StartError::FromTheFuture),
        }
        let resources = store.resources().await?;
        issuer::check_resources(&settings, &resources)?;
        issuer::look_for_default(&settings, &resources);
        measure(&clock, &store).await?;
        let keyring = Keyring::open(masters, &store, clock.now()).await?;
        keyring.settle(&store, clock.now()).await?;
        // Strangers name what is fetched; what living connections need must not wait behind that.
        let known = Outbound::new(outbound.apart())?;
        let providers = Providers::new(settings.providers.clone(), Outbound::new(outbound.apart())?);
        let rotators = Rotators::new(settings.rotators.clone(), Outbound::new(outbound.apart())?);
        let for_owners = Outbound::new(outbound.apart())?;
        let verifier = Outbound::new(outbound.apart())?;
        let teller = Outbound::new(outbound.apart())?;
        let upstreams = Upstreams::new(&outbound)?;
        let strangers = Outbound::new(outbound)?;
        let documents = Documents::new(settings.mechanisms.documents.clone(), strangers.clone(), known.clone());
        let key_sets = KeySets::new(strangers, known);
        let per_minute = settings.mechanisms.registration.per_minute;
        let registrations = Registrations::new(per_minute, settings.trusted_proxies.clone(), &clock);
        let examinations = Examinations::new(&clock);
        let sign_ins = SignIns::new(settings.trusted_proxies.clone(), &clock);
        let passwords = Passwords::with(settings.passwords);
        let gate = Gate::new(settings.standing_max_age.to_std().unwrap_or_default());
        let passkeys = Passkeys::of_site(&settings.origin, &settings.server_name);
        Ok(Self {
            settings,
            node: format!("{:08x}", u32::from_be_bytes(random::bytes())),
            clock,
            store,
            keyring,
            passwords,
            documents,
            key_sets,
            registrations,
            for_owners,
            examinations,
            providers,
            rotators,
            sign_ins,
            passkeys,
            flows: Flows::default(),
            notes: Notes::default(),
            refusals: Refusals::default(),
            owner_tokens: Uses::default(),
            secret_uses: Uses::default(),
            injections: Injections::default(),
            gate,
            upstreams,
            owners_api: OnceLock::new(),
            counts: Counts::default(),
            mails: Mails::new(Mailer::none()),
            secrets: Secrets::default(),
            verifier,
            teller,
        })
    }

    /// The same, with somebody who takes mail away.
    #[must_use]
    pub fn with_mailer(self, mailer: Mailer) -> Self {
        Self { mails: Mails::new(mailer), ..self }
    }

    /// The same, with secrets that may be changed where they are kept.
    #[must_use]
    pub fn with_secrets(self, secrets: Secrets) -> Self {
        Self { secrets, ..self }
    }

    /// Where the server itself changes things.
    pub fn registry(&self) -> Registry<'_> {
        Registry {
            store: &self.store,
            clock: &self.clock,
            issuer: Some(&self.settings.issuer),
            public: Some((&self.settings.host, self.settings.scheme())),
            clients_by_hand: false,
            rotators: self.rotators.all(),
            is_trusted: false,
            actor: Actor::Server,
            origin: Origin::default(),
        }
    }

    /// The audit of a change that happens now.
    pub fn audit(&self, actor: Actor, origin: Origin) -> Audit {
        let at = self.clock.now();
        Audit { id: AuditEventId(random::id(at)), at, actor, origin }
    }
}

/// How long a shutdown waits for answers under way.
pub const DRAIN: Duration = Duration::from_secs(10);
