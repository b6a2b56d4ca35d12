//! `consentry serve`: from the configuration to a running server, and to its orderly end.

use std::{net::TcpListener, sync::Arc};

use serde_json::Value;

use super::{answer::Answer, desk, failure, failure::Failure, flags::ConfigFlags, run::until_stopped};
use crate::{
    clock::Clock,
    config::{Checked, LogFormat, ServeConfig},
    keys::master::MasterKey,
    server::{Server, Settings},
    telemetry,
};

pub(super) fn run(flags: &ConfigFlags) -> Result<Answer, Failure> {
    let Checked { config, warnings } = flags.serve_config()?;
    let form = match config.log.format {
        LogFormat::Text => telemetry::Form::Text,
        LogFormat::Json => telemetry::Form::Json,
    };
    telemetry::start(&config.log.filter, form).map_err(|error| Failure::not_done(error.to_string()))?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    failure::runtime()?.block_on(serve(config))?;
    Ok(Answer { json: Value::Null, text: String::new() })
}

async fn serve(config: ServeConfig) -> Result<(), Failure> {
    // Taken first: when the port is somebody else's, nothing else need be touched.
    let listener = TcpListener::bind(config.listen).map_err(|error| {
        Failure::not_done(format!("cannot listen on {} ({error}); choose another with --listen", config.listen))
    })?;
    let masters = config.master_keys.iter().map(|key| MasterKey::new(*key.reveal())).collect();
    let store = desk::open_store(&config.database).await?;
    let server = Server::assemble(settings(&config), Clock::System, store.clone(), masters).await;
    let server = match server {
        Ok(server) => server,
        Err(error) => {
            store.close().await;
            return Err(error.into());
        }
    };
    let address = listener.local_addr().unwrap_or(config.listen);
    tracing::info!(net.address = %address, http.public_url = config.public_url.origin(), "serving");
    let ended = until_stopped(Arc::new(server), listener).await;
    ended.map_err(|error| Failure::not_done(format!("the server stopped: {error}")))
}

fn settings(config: &ServeConfig) -> Settings {
    let lifetimes = config.lifetimes;
    Settings {
        issuer: config.public_url.origin().to_owned(),
        host: config.public_url.host().clone(),
        server_name: config.server_name.clone(),
        refresh_grace: lifetimes.refresh_grace,
        access_token_lifetime: lifetimes.access_token,
        refresh_idle: lifetimes.refresh_idle,
        refresh_absolute: lifetimes.refresh_absolute,
        session_lifetime: lifetimes.session,
    }
}
