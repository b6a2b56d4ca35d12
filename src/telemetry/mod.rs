//! Telemetry: where log lines go. To standard error, as text or JSON, filtered as the operator says. What is counted
//! stands in `metrics`; `traces` sends spans to a collector, in a program that was built with it, from a `span_queue`.
//!
//! Events are logged once, where they are handled; secrets and personal data never appear in them.

pub mod metrics;
#[cfg(feature = "otlp")]
mod span_queue;
#[cfg(feature = "otlp")]
mod traces;

use std::io;

use reqwest::tls::Certificate;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt};
use url::Url;
use zeroize::Zeroizing;

use crate::model::live::Live;

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
    /// Nothing can be sent to a collector.
    #[error("traces cannot be sent: {0}")]
    Traces(String),
    /// Somebody in this process counts already.
    #[error("metrics are set up already")]
    CountedTwice,
    /// A histogram of this program has no bounds.
    #[error("a histogram has no bounds")]
    NoBounds,
}

/// Whoever collects traces.
#[derive(Clone, Debug)]
pub struct Collector {
    /// Its address for traces.
    pub endpoint: Url,
    /// What the header `Authorization` shows to it.
    pub authorization: Option<Live<Zeroizing<String>>>,
    /// Authorities that are trusted beside the system's.
    pub authorities: Vec<Certificate>,
}

/// What has to be brought to an end when the program ends.
#[must_use]
pub struct Telemetry {
    #[cfg(feature = "otlp")]
    traces: Option<traces::Traces>,
}

impl Telemetry {
    /// Sends what is left.
    pub fn end(self) {
        #[cfg(feature = "otlp")]
        self.traces.iter().for_each(traces::Traces::end);
    }
}

/// What is no line of the log. Libraries that log every refusal of a vault at each of their floors, and by which identity
/// they ask it: whoever asked the vault says it once, as `traces` does of a collector. And the spans that are traced.
const SILENT: &str = "rustify=off,vaultrs=off,azure_core=off,azure_identity=off,typespec_client_core=off,\
                      opentelemetry=off,consentry_traces=off";

/// Sets up logging for the whole process, and sends traces to whoever collects them; once.
pub fn start(filter: &str, form: Form, collector: Option<Collector>) -> Result<Telemetry, TelemetryError> {
    let filter = EnvFilter::try_new(format!("{SILENT},{filter}")).map_err(|_| TelemetryError::Filter)?;
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match form {
        // Escape sequences belong to terminals, not into the files and pipes a server usually writes to.
        Form::Text => lines.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).boxed(),
        Form::Json => lines.json().flatten_event(true).boxed(),
    };
    let subscriber = Registry::default().with(lines.with_filter(filter));
    #[cfg(feature = "otlp")]
    let telemetry = {
        let traces = collector.map(traces::Traces::new).transpose()?;
        // Not a layer that does nothing: then each place that logs would be asked about anew each time.
        if let Some(traces) = traces {
            subscriber.with(traces.layer()).try_init().map_err(|_| TelemetryError::Twice)?;
            return Ok(Telemetry { traces: Some(traces) });
        }
        Telemetry { traces }
    };
    // The configuration refuses a collector where there is nobody to send.
    #[cfg(not(feature = "otlp"))]
    let (telemetry, _) = (Telemetry {}, collector);
    subscriber.try_init().map_err(|_| TelemetryError::Twice)?;
    Ok(telemetry)
}
