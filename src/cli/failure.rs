//! Failures: what is told on standard error when a command has no answer, and the exit code that says whose turn it
//! is. 1: the thing asked could not be done. 2: configuration or usage.

use std::{fmt::Display, io, process::ExitCode};

use super::serve::ServeError;
use crate::{
    config::ConfigError,
    registry::{RegistryError, Wrong},
    server::StartError,
    store::{SchemaState, StoreError},
};

/// Why a command has no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The thing asked could not be done.
    NotDone(String),
    /// It was asked in a way, or with a configuration, that cannot work.
    Misconfigured(String),
}

impl Failure {
    pub(super) fn not_done(message: impl Into<String>) -> Self {
        Self::NotDone(message.into())
    }

    /// Several things at once, under one heading.
    pub(super) fn list<T: Display>(heading: impl Display, problems: &[T]) -> Self {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        Self::NotDone(format!("{heading}\n  {}", lines.join("\n  ")))
    }

    /// Why a schema that is not this program's own cannot be used.
    pub(super) fn of_schema(state: SchemaState) -> Option<Self> {
        match state {
            SchemaState::Current => None,
            SchemaState::Behind(count) => Some(Self::NotDone(format!(
                "the database is {count} migration(s) behind this program; run `consentry migrate` first"
            ))),
            SchemaState::FromTheFuture => Some(Self::Misconfigured(
                "the database was migrated by a newer version of this program; run that version instead".to_owned(),
            )),
        }
    }

    pub(super) fn print(&self) -> ExitCode {
        let (message, code) = match self {
            Self::NotDone(message) => (message, 1),
            Self::Misconfigured(message) => (message, 2),
        };
        eprintln!("error: {message}");
        ExitCode::from(code)
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Store(error) => error.into(),
            RegistryError::Key(error) => Self::not_done(error.to_string()),
            RegistryError::Wrong(wrong) => {
                let told: Vec<String> = wrong.iter().map(told).collect();
                match told.as_slice() {
                    [one] => Self::not_done(one),
                    many => Self::list("nothing was changed:", many),
                }
            }
            error @ (RegistryError::Gone
            | RegistryError::ChangedMeanwhile
            | RegistryError::Unproven
            | RegistryError::Password(_)) => Self::not_done(error.to_string()),
        }
    }
}

/// A field is a flag, unless what is wrong is no field's.
fn told(wrong: &Wrong) -> String {
    match wrong.field {
        "other" => wrong.problem.clone(),
        field => format!("--{}: {}", field.replace('_', "-"), wrong.problem),
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Misconfigured(error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Misconfigured(message) => Self::Misconfigured(message),
            error @ (StoreError::Unavailable(_) | StoreError::Contended | StoreError::Broken(_)) => {
                Self::NotDone(error.to_string())
            }
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Store(error) => error.into(),
            StartError::FromTheFuture => Self::Misconfigured(error.to_string()),
            StartError::Behind(_) | StartError::Keys(_) | StartError::Issuer(_) | StartError::Outbound(_) => {
                Self::NotDone(error.to_string())
            }
        }
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Start(error) => error.into(),
            ServeError::Mail(_) | ServeError::Listen { .. } | ServeError::Telemetry(_) | ServeError::Stopped(_) => {
                Self::NotDone(error.to_string())
            }
        }
    }
}

/// The runtime a command runs on; one thread is enough for one person.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let refused = |error: io::Error| Failure::not_done(format!("the system gives no runtime: {error}"));
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)
}
