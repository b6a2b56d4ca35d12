//! Metrics: what is counted, and the text a monitoring system reads them as. Each name stands in the file here that is
//! about its subject, and nowhere else.
//!
//! Whoever sees something happen calls the function named for it; until somebody has installed a recorder, that does
//! nothing. `cli` installs one where the operator wants an operations listener, and `http::ops` serves the text.

mod fetched;
mod kept;
mod mail;
mod refused;
mod theft;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::TelemetryError;
pub use {fetched::*, kept::*, mail::*, refused::*, theft::*};

/// Something that is counted from the start of the process.
struct Counter {
    name: &'static str,
    /// What it counts, in the words of whoever reads a graph.
    help: &'static str,
}

impl Counter {
    fn one_more(&self) {
        metrics::counter!(self.name).increment(1);
    }
}

/// How much there is of something now.
struct Gauge {
    name: &'static str,
    help: &'static str,
}

impl Gauge {
    fn stands_at(&self, number: u64) {
        #[expect(clippy::cast_precision_loss, reason = "a gauge is drawn, and nobody draws the last of 2^53")]
        metrics::gauge!(self.name).set(number as f64);
    }
}

/// Everything that is counted.
fn counters() -> impl Iterator<Item = &'static Counter> {
    [fetched::COUNTERS, kept::COUNTERS, mail::COUNTERS, refused::COUNTERS, theft::COUNTERS].into_iter().flatten()
}

/// Everything that stands somewhere.
fn gauges() -> impl Iterator<Item = &'static Gauge> {
    [kept::GAUGES, mail::GAUGES].into_iter().flatten()
}

/// What has been counted, to be read as text.
#[derive(Clone, Debug)]
pub struct Exposition {
    // Its upkeep folds the samples of histograms that nobody reads. There are only counters and gauges yet, which hold
    // one number each however long nobody looks; whoever adds the first histogram adds a job that runs it.
    handle: PrometheusHandle,
}

impl Exposition {
    /// How the text is announced.
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// The text, as of now.
    pub fn text(&self) -> String {
        self.handle.render()
    }
}

/// Begins to count, for the whole process; once.
pub fn install() -> Result<Exposition, TelemetryError> {
    let handle = PrometheusBuilder::new().install_recorder().map_err(|_| TelemetryError::CountedTwice)?;
    describe();
    Ok(Exposition { handle })
}

/// Says what each counter counts, and shows it at zero: an alert on an increase misses the first event of a series
/// that did not exist before it.
fn describe() {
    for Counter { name, help } in counters() {
        metrics::describe_counter!(*name, *help);
        metrics::counter!(*name).increment(0);
    }
    for gauge in gauges() {
        metrics::describe_gauge!(gauge.name, gauge.help);
        gauge.stands_at(0);
    }
}

#[cfg(test)]
mod tests;
