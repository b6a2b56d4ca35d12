//! Telemetry: where log lines go. To standard error, as text or JSON, filtered as the operator says. What is counted
//! stands in `metrics`.
//!
//! Events are logged once, where they are handled; secrets and personal data never appear in them.

pub mod metrics;

use std::io;

use tracing_subscriber::{EnvFilter, fmt};

/// The form of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Why logging cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not understood; `config` refuses such a one before.
    #[error("the log filter is not understood")]
    Filter,
    /// Somebody in this process has set up logging already.
    #[error("logging is set up already")]
    Twice,
    /// Somebody in this process counts already.
    #[error("metrics are set up already")]
    CountedTwice,
}

/// Libraries that log every refusal of a vault at each of their floors, and by which identity they ask it; whoever asked
/// the vault says it once.
const SILENT: &str = "rustify=off,vaultrs=off,azure_core=off,azure_identity=off,typespec_client_core=off";

/// Sets up logging for the whole process; once.
pub fn start(filter: &str, form: Form) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(format!("{SILENT},{filter}")).map_err(|_| TelemetryError::Filter)?;
    let lines = fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match form {
        // Escape sequences belong to terminals, not into the files and pipes a server usually writes to.
        Form::Text => lines.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).try_init(),
        Form::Json => lines.json().flatten_event(true).try_init(),
    };
    started.map_err(|_| TelemetryError::Twice)
}
