//! `consentry serve`: from a checked configuration to a server that runs until it is asked to stop.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use super::{desk::outbound_settings, run};
use crate::{
    clock::{self, Clock},
    config::{MailSecurity, ServeConfig},
    http,
    keys::master::MasterKey,
    mail::{Login, MailError, Mailer, Security, Sender, SmtpSettings},
    model::mechanisms::{DocumentPolicy, HostPattern, Mechanisms},
    server::{Server, Settings, StartError},
    store::{OpenOptions, Store, StoreError, watch::Watch},
    telemetry::{TelemetryError, metrics},
};

/// How long an operation may wait for a connection or a lock before the store counts as down.
const PATIENCE: Duration = Duration::from_secs(3);

/// Why the server did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The parts do not fit together.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}; choose another with {variable}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What it was chosen with.
        variable: &'static str,
        /// Why.
        error: std::io::Error,
    },
    /// No mail can be sent as it should be.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// Nothing can be counted.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The server broke off.
    #[error("the server stopped: {0}")]
    Stopped(std::io::Error),
}

impl From<StoreError> for ServeError {
    fn from(error: StoreError) -> Self {
        Self::Start(error.into())
    }
}

/// Serves until the operator or the system asks to stop.
pub async fn serve(config: ServeConfig) -> Result<(), ServeError> {
    let store = Store::open(&open_options(&config)).await?;
    let masters = config.master_keys.iter().map(|key| MasterKey::new(*key.reveal())).collect();
    let outbound = outbound_settings(&config.outbound);
    let server = Server::assemble(settings(&config), Clock::system(), store, masters, outbound).await?;
    let server = Arc::new(server.with_mailer(mailer(&config)?).with_secrets(config.secrets.clone()));
    // Both are bound before either answers, so that a start that fails has answered nobody.
    let listener = bind(config.listen, "CONSENTRY_LISTEN")?;
    let ops_listener = config.ops_listen.map(|address| bind(address, "CONSENTRY_OPS_LISTEN")).transpose()?;
    let mut listening = vec![http::listen(Arc::clone(&server), listener).map_err(ServeError::Stopped)?];
    let exposition = ops_listener.is_some().then(metrics::install).transpose()?;
    if let (Some(exposition), Some(listener)) = (exposition.clone(), ops_listener) {
        let ops = http::ops::listen(Arc::clone(&server), exposition, listener).map_err(ServeError::Stopped)?;
        listening.push(ops);
    }
    tracing::info!(
        listen = %config.listen,
        ops_listen = config.ops_listen.map(tracing::field::display),
        public_url = config.public_url.as_str(),
        "serving"
    );
    run::until_stopped(server, listening, exposition).await.map_err(ServeError::Stopped)
}

fn bind(address: SocketAddr, variable: &'static str) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).map_err(|error| ServeError::Listen { address, variable, error })
}

fn open_options(config: &ServeConfig) -> OpenOptions {
    let database = &config.database;
    OpenOptions {
        url: database.url.clone(),
        password: database.password.clone(),
        connections_max: database.connections_max,
        patience: PATIENCE,
        watch: config.ops_listen.map(|_| Watch { elapsed: clock::elapsed, ended: metrics::store_operation_ended }),
    }
}

fn settings(config: &ServeConfig) -> Settings {
    let lifetimes = &config.lifetimes;
    Settings {
        issuer: config.public_url.as_str().to_owned(),
        origin: config.public_url.origin().to_owned(),
        base: config.public_url.base().to_owned(),
        host: config.public_url.host().clone(),
        server_name: config.server_name.clone(),
        brand: config.brand.clone(),
        refresh_grace: lifetimes.refresh_grace,
        access_token_lifetime: lifetimes.access_token,
        standing_max_age: lifetimes.standing_max_age,
        refresh_idle: lifetimes.refresh_idle,
        refresh_absolute: lifetimes.refresh_absolute,
        session_lifetime: lifetimes.session,
        keys: config.keys,
        audit_age: lifetimes.audit,
        passwords: config.passwords,
        mechanisms: mechanisms(config),
        clients_by_hand: config.clients.by_hand,
        default_resource: config.default_resource.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
        sign_ups: config.people.sign_ups,
        providers: config.providers.clone(),
        own_login: config.own_login.clone(),
        rotators: config.rotators.clone(),
    }
}

fn mailer(config: &ServeConfig) -> Result<Mailer, MailError> {
    let Some(mail) = &config.people.mail else { return Ok(Mailer::none()) };
    let sender = Sender {
        from: mail.from.clone(),
        name: config.server_name.clone(),
        host: config.public_url.host().as_str().to_owned(),
    };
    let login = mail.login.as_ref();
    let login = login.map(|login| Login { user: login.user.clone(), password: login.password.clone() });
    let security = match mail.security {
        MailSecurity::Tls => Security::Tls,
        MailSecurity::StartTls => Security::StartTls,
        MailSecurity::Plain => Security::Plain,
    };
    let authorities = config.outbound.authorities_pem.clone();
    Mailer::smtp(sender, SmtpSettings { host: mail.host.clone(), port: mail.port, security, login, authorities })
}

fn mechanisms(config: &ServeConfig) -> Mechanisms {
    let clients = &config.clients;
    let patterns = |hosts: &[String]| hosts.iter().cloned().map(HostPattern).collect();
    let documents = DocumentPolicy {
        enabled: clients.documents,
        allowed_hosts: patterns(&clients.document_hosts),
        denied_hosts: patterns(&clients.document_hosts_denied),
    };
    Mechanisms { documents, registration: config.registration.clone() }
}
