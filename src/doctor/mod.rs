//! Doctor: says of a server in sentences what is right, what is wrong and how to cure it.
//!
//! It goes the way of `simulate` and judges what was met: `reach`, `discovery` (with `documents`), `metadata` (with the
//! keys) and `manifest` need no account; `connection` goes on with one, by `registration`, `authorize`, `tokens`,
//! `access_token`, `refresh` and `codes`. `check` is what each of them hands up.

mod access_token;
mod authorize;
mod check;
mod codes;
mod connection;
mod discovery;
mod documents;
mod manifest;
mod metadata;
mod reach;
mod refresh;
mod registration;
#[cfg(test)]
mod samples;
mod tokens;

use reqwest::Url;

pub use self::check::{Check, State};
use crate::{
    model::client::Dialect,
    protocol::presets::Preset,
    simulate::{discovery::Discovery, person::Account, registration::Typed, wire::Wire},
};

/// What a caller whose owner types in the endpoints never reads.
const OF_CONNECTORS: [&str; 2] = ["discovery", "metadata"];

/// Whom the server is to serve, and who may sign in.
pub struct Patient {
    /// The address somebody would paste.
    pub target: Url,
    /// The caller.
    pub preset: &'static Preset,
    /// What its owner typed in.
    pub typed: Typed,
    /// A test account.
    pub account: Option<Account>,
}

/// What was found, and what could not be looked at.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order they were looked at.
    pub checks: Vec<Check>,
    /// Each with the reason.
    pub left_out: Vec<String>,
}

impl Report {
    /// What a server's words brought along is taken out: secrets, and lines that would look like ours.
    fn cleaned(mut self, wire: &Wire) -> Self {
        let sentences = self.checks.iter_mut().map(|check| &mut check.says).chain(&mut self.left_out);
        sentences.for_each(|sentence| *sentence = wire.clean(sentence).replace('\n', " "));
        self
    }
}

/// Looks at everything that can be looked at.
pub async fn examine(wire: &Wire, patient: &Patient) -> Report {
    let mut report = Report::default();
    let dialect = patient.preset.dialect;
    let found = Discovery::of(wire, &patient.target).await;
    let is_there = reach::look(wire, &found, &mut report).await;
    if !is_there {
        report.left_out.push("everything else: the server does not answer".to_owned());
        return report.cleaned(wire);
    }
    discovery::look(&found, dialect, &mut report);
    let keys = metadata::look(wire, &found, patient.preset, &mut report).await;
    manifest::look(wire, &found, dialect, &mut report).await;
    connection::look(wire, &found, patient, keys.as_ref(), &mut report).await;
    if dialect != Dialect::Connector {
        report.checks = report.checks.into_iter().map(unread).collect();
    }
    report.cleaned(wire)
}

/// Where there is no manifest the metadata is all that names the endpoints, and is needed.
fn unread(check: Check) -> Check {
    let is_unread = OF_CONNECTORS.contains(&check.area()) || check.name == "authorize.iss";
    if !is_unread || check.name == "discovery.server_metadata" {
        return check;
    }
    check.of_others("This caller does not read it, and connectors do.")
}
