//! Metrics: what is counted, and the text a monitoring system reads them as. Each name stands in the file here that is
//! about its subject, and nowhere else.
//!
//! Whoever sees something happen calls the function named for it; until somebody has installed a recorder, that does
//! nothing. `cli` installs one where the operator wants an operations listener, and `http::ops` serves the text.

mod fetched;
mod kept;
mod mail;
mod refused;
mod requests;
mod standing;
mod store;
mod theft;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::TelemetryError;
pub use {fetched::*, kept::*, mail::*, refused::*, requests::*, standing::*, store::*, theft::*};

/// Something that is counted from the start of the process.
struct Counter {
    name: &'static str,
    /// What it counts, in the words of whoever reads a graph.
    help: &'static str,
}

impl Counter {
    fn one_more(&self) {
        self.so_many_more(1);
    }

    fn so_many_more(&self, number: u64) {
        metrics::counter!(self.name).increment(number);
    }
}

/// How much there is of something now.
struct Gauge {
    name: &'static str,
    help: &'static str,
}

impl Gauge {
    fn stands_at(&self, number: u64) {
        Self::put(&metrics::gauge!(self.name), number);
    }

    fn put(gauge: &metrics::Gauge, number: u64) {
        #[expect(clippy::cast_precision_loss, reason = "a gauge is drawn, and nobody draws the last of 2^53")]
        gauge.set(number as f64);
    }
}

/// How long something takes: how often it was within each of these bounds, in seconds.
struct Histogram {
    name: &'static str,
    help: &'static str,
    bounds: &'static [f64],
}

/// Everything that is counted, but for what is told apart by labels.
fn counters() -> impl Iterator<Item = &'static Counter> {
    [fetched::COUNTERS, kept::COUNTERS, mail::COUNTERS, refused::COUNTERS, theft::COUNTERS].into_iter().flatten()
}

/// Everything that stands somewhere, with the same exception.
fn gauges() -> impl Iterator<Item = &'static Gauge> {
    [kept::GAUGES, mail::GAUGES].into_iter().flatten()
}

/// What is counted apart by labels. Each value of a label is from a list of ours: strangers make no series.
fn labelled_counters() -> impl Iterator<Item = &'static Counter> {
    [refused::LABELLED, requests::LABELLED, store::LABELLED].into_iter().flatten()
}

/// What stands somewhere, apart by labels.
fn labelled_gauges() -> impl Iterator<Item = &'static Gauge> {
    standing::LABELLED.iter()
}

/// Everything whose time is taken.
fn histograms() -> impl Iterator<Item = &'static Histogram> {
    [requests::HISTOGRAMS, store::HISTOGRAMS].into_iter().flatten()
}

/// What has been counted, to be read as text.
#[derive(Clone, Debug)]
pub struct Exposition {
    handle: PrometheusHandle,
}

impl Exposition {
    /// How the text is announced.
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// The text, as of now.
    pub fn text(&self) -> String {
        self.handle.render()
    }

    /// Folds what histograms have taken down into their bounds. Each time that was taken lies in memory until the text is
    /// asked for or this is done, so somebody has to do it where nobody looks.
    pub fn fold(&self) {
        self.handle.run_upkeep();
    }
}

/// Begins to count, for the whole process; once.
pub fn install() -> Result<Exposition, TelemetryError> {
    let handle = builder()?.install_recorder().map_err(|_| TelemetryError::CountedTwice)?;
    describe();
    Ok(Exposition { handle })
}

fn builder() -> Result<PrometheusBuilder, TelemetryError> {
    histograms().try_fold(PrometheusBuilder::new(), |builder, histogram| {
        let matcher = Matcher::Full(histogram.name.to_owned());
        builder.set_buckets_for_metric(matcher, histogram.bounds).map_err(|_| TelemetryError::NoBounds)
    })
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
    for Counter { name, help } in labelled_counters() {
        metrics::describe_counter!(*name, *help);
    }
    for Gauge { name, help } in labelled_gauges() {
        metrics::describe_gauge!(*name, *help);
    }
    for Histogram { name, help, .. } in histograms() {
        metrics::describe_histogram!(*name, *help);
    }
    refused::show();
    requests::show();
    standing::show();
    store::show();
}

#[cfg(test)]
mod tests;
