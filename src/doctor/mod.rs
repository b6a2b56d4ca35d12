//! Doctor: says of a server in sentences what is right, what is wrong and how to cure it.
//!
//! It goes the way of `simulate` and judges what was met: `reach` (with `filter`), `discovery` (with `documents`),
//! `metadata` (with the keys) and `manifest` need no account; `connection` goes on with one, by `registration`,
//! `authorize`, `tokens`, `access_token`, `refresh` and `codes`. `check` is what each of them hands up.

mod access_token;
mod authorize;
mod check;
mod codes;
mod connection;
mod discovery;
mod documents;
mod filter;
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
    /// The endpoints at which something may be left behind, a client or a line in a log; none for all of them.
    pub changes_only: Option<Vec<String>>,
}

impl Patient {
    /// Whether something may be left behind at an endpoint.
    fn may_change(&self, endpoint: &str) -> bool {
        self.changes_only.as_ref().is_none_or(|known| known.iter().any(|known| known == endpoint))
    }
}

/// What was found, and what could not be looked at, in that order.
#[derive(Debug, Default)]
pub struct Report {
    /// Each with a name of its own.
    pub checks: Vec<Check>,
}

impl Report {
    /// What could not be looked at, with the reason, under the name of the first check of it.
    fn leave_out(&mut self, name: &'static str, what: impl Into<String>) {
        self.checks.push(Check::left_out(name, what));
    }

    /// What a server's words brought along is taken out: secrets, and lines that would look like ours.
    fn cleaned(mut self, wire: &Wire) -> Self {
        self.checks = self.checks.into_iter().map(|check| check.told(|text| wire.clean(text))).collect();
        self
    }
}

/// Looks at everything that can be looked at.
pub async fn examine(wire: &Wire, patient: &Patient) -> Report {
    let mut report = Report::default();
    let dialect = patient.preset.dialect;
    let found = Discovery::of(wire, &patient.target).await;
    let is_there = reach::look(wire, &found, patient, &mut report).await;
    if !is_there {
        report.leave_out("discovery.server_metadata", "everything else: the server does not answer");
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

fn unread(check: Check) -> Check {
    let is_unread = OF_CONNECTORS.contains(&check.area()) || check.name == "authorize.iss";
    if !is_unread {
        return check;
    }
    check.of_others("This caller does not read it, and connectors do.")
}
