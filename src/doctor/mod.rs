//! Doctor: says of a server in sentences what is right, what is wrong and how to cure it.
//!
//! It goes the way of `simulate` and judges what was met: `reach`, `discovery`, `metadata` (with the keys) and
//! `manifest` need no account; `connection` goes on with one. `check` is what each of them hands up.

mod check;
mod connection;
mod discovery;
mod manifest;
mod metadata;
mod reach;
mod tokens;

use reqwest::Url;

pub use self::check::{Check, State};
use crate::{
    protocol::presets::Preset,
    simulate::{discovery::Discovery, person::Account, registration::Typed, wire::Wire},
};

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
    let found = Discovery::of(wire, &patient.target).await;
    let is_there = reach::look(wire, &found, &mut report).await;
    if !is_there {
        report.left_out.push("everything else: the server does not answer".to_owned());
        return report.cleaned(wire);
    }
    discovery::look(&found, patient.preset.dialect, &mut report);
    let keys = metadata::look(wire, &found, patient.preset.dialect, &mut report).await;
    manifest::look(wire, &found, patient.preset.dialect, &mut report).await;
    connection::look(wire, &found, patient, keys.as_ref(), &mut report).await;
    report.cleaned(wire)
}
