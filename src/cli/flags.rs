//! The flags every command has: where the configuration is, and what of it is overridden this once.

use std::{env, path::PathBuf};

use clap::Args;

use super::failure::Failure;
use crate::{
    config::{self, Checked, Config, ConfigError, Environment, Flag, ServeConfig, Sources},
    keys::master::MasterKey,
    vault::{Keepers, SecretRef, SecretValue, reference::HOW_TO_WRITE},
};

/// Flags that configure; they win over the environment, which wins over the file.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Configuration")]
pub(super) struct ConfigFlags {
    /// Read this file instead of ./consentry.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The origin at which people and programs reach the server
    #[arg(long, global = true, value_name = "URL")]
    public_url: Option<String>,
    /// The address and port to listen on
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Where everything is remembered, on SQLite or on Postgres
    #[arg(long, global = true, value_name = "sqlite://PATH|postgres://USER@HOST/DATABASE")]
    database_url: Option<String>,
    /// What is logged: error, warn, info, debug or trace
    #[arg(long, global = true, value_name = "FILTER")]
    log: Option<String>,
    /// How it is logged: text or json
    #[arg(long, global = true, value_name = "FORM")]
    log_format: Option<String>,
    /// Set any other key of the configuration
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = key_and_value)]
    set: Vec<(String, String)>,
}

/// Splits `KEY=VALUE`.
pub(super) fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

impl ConfigFlags {
    /// The configuration of a command. What could be better about it is told on standard error.
    pub(super) fn command_config(&self) -> Result<Config, Failure> {
        told(Config::check(&self.sources()))
    }

    /// The configuration of the server, with what could be better about it.
    pub(super) fn serve_config(&self) -> Result<Checked<ServeConfig>, Failure> {
        Ok(ServeConfig::check(&self.sources())?)
    }

    /// The master keys, for a command that opens or seals something: no other reads them.
    pub(super) fn master_keys(&self) -> Result<Vec<MasterKey>, Failure> {
        Ok(told(config::master_keys(&self.sources()))?.iter().map(|key| MasterKey::new(*key.reveal())).collect())
    }

    fn sources(&self) -> Sources {
        Sources { file: self.config.clone(), environment: environment(), flags: self.given() }
    }

    fn given(&self) -> Vec<Flag> {
        let named = [
            ("public_url", &self.public_url),
            ("listen", &self.listen),
            ("database_url", &self.database_url),
            ("log", &self.log),
            ("log_format", &self.log_format),
        ];
        let named = named.into_iter().filter_map(|(key, value)| {
            let flag = format!("--{}", key.replace('_', "-"));
            Some(Flag { flag, key: key.to_owned(), value: value.clone()? })
        });
        let set = self.set.iter().map(|(key, value)| {
            let (key, value) = (key.to_lowercase(), value.clone());
            Flag { flag: format!("--set {key}"), key, value }
        });
        named.chain(set).collect()
    }
}

/// The environment; variables that are not Unicode are nobody's of ours.
pub(super) fn environment() -> Environment {
    env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

/// Reads what a reference leads to. What is given instead of one is not repeated: it may be the secret.
pub(super) fn secret_from(flag: &str, reference: &str) -> Result<SecretValue, Failure> {
    let refused = |problem: String, cure: &str| Failure::not_done(format!("{flag}: {problem}; {cure}"));
    let place: SecretRef = reference.parse().map_err(|error| refused(format!("{error}"), HOW_TO_WRITE))?;
    Keepers::new(&environment()).read_now(&place).map_err(|error| refused(error.to_string(), &error.cure()))
}

fn told<T>(checked: Result<Checked<T>, ConfigError>) -> Result<T, Failure> {
    let Checked { config, warnings } = checked?;
    for warning in warnings {
        eprintln!("warning: {warning}");
    }
    Ok(config)
}
