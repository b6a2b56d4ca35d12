//! The classic manifest, `ai-plugin.json`: the owner's words come in, the served document goes out.
//!
//! The owner writes everything but the endpoints; the server computes those, so that they are never wrong.
//! `rules` checks the words, `urls` where they point, `auth` the owner's part of `auth` and the computed rest;
//! `openapi` reads the API's scopes from its description; `comparison` judges what was read back. Pure: the
//! command line reads the files, the store keeps the outcome, `http` serves it.

mod auth;
mod comparison;
pub mod openapi;
mod rules;
mod urls;

use std::fmt;

use serde_json::{Map, Value};

pub use auth::{CHALLENGE_PLACE, NotAToken, SERVICE, authorization_endpoint, check_token, served, token_endpoint};
pub use comparison::{Judgement, judge};
use urls::Reach;
pub use urls::{Astray, may_lead};

use crate::model::plugin::Host;

/// The largest manifest that is read; an honest one has a tenth of it.
pub const BYTES_MAX: usize = 64 * 1024;

/// Where it is served, and read.
pub const PLACE: &str = "/.well-known/ai-plugin.json";

/// The owner's words, checked, and the short name made from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnersWords {
    /// The manifest as it is kept: `auth` holds only what is the owner's to say.
    pub manifest: Value,
    /// The plugin's short name, from `name_for_model`.
    pub slug: String,
}

/// Something about a member that keeps the manifest from being imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where, as a path: `api.url`.
    pub member: String,
    /// What is wrong, and what to write instead.
    pub problem: String,
    /// Whether it leads away from the plugin's own domain, and nothing else is wrong with it.
    pub leads_away: bool,
}

/// Something about a member that works here and may be refused elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Where, as a path.
    pub member: String,
    /// What may be refused, and what would be safer.
    pub remark: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.member, self.problem)
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.member, self.remark)
    }
}

/// What the checks have found so far.
#[derive(Default)]
struct Findings {
    mistakes: Vec<Mistake>,
    warnings: Vec<Warning>,
    /// Whether nobody reads the manifest.
    is_unpublished: bool,
}

impl Findings {
    fn mistake(&mut self, member: &str, problem: impl Into<String>) {
        self.mistakes.push(Mistake { member: member.to_owned(), problem: problem.into(), leads_away: false });
    }

    fn leads_away(&mut self, member: &str, problem: impl Into<String>) {
        if self.is_unpublished && member != "api.url" {
            return self.warning(member, problem);
        }
        self.mistakes.push(Mistake { member: member.to_owned(), problem: problem.into(), leads_away: true });
    }

    fn warning(&mut self, member: &str, remark: impl Into<String>) {
        self.warnings.push(Warning { member: member.to_owned(), remark: remark.into() });
    }
}

/// Reads the owner's words for a plugin that is to be served on `host`. All mistakes are found at once.
pub fn read(bytes: &[u8], host: &Host) -> Result<(OwnersWords, Vec<Warning>), Vec<Mistake>> {
    read_with(bytes, host, Findings::default())
}

/// The same for a plugin that nobody reads the manifest of: whom to write to and the terms may be anywhere, which is a
/// warning then.
pub fn read_unpublished(bytes: &[u8], host: &Host) -> Result<(OwnersWords, Vec<Warning>), Vec<Mistake>> {
    read_with(bytes, host, Findings { is_unpublished: true, ..Findings::default() })
}

fn read_with(bytes: &[u8], host: &Host, mut findings: Findings) -> Result<(OwnersWords, Vec<Warning>), Vec<Mistake>> {
    let mut manifest = match parse(bytes) {
        Ok(manifest) => manifest,
        Err(problem) => {
            findings.mistake("the file", problem);
            return Err(findings.mistakes);
        }
    };
    let reach = Reach::of(host);
    rules::check_texts(&manifest, &mut findings);
    urls::check(&manifest, &reach, &mut findings);
    let slug = rules::slug(&manifest, &mut findings);
    let auth = auth::owners_part(manifest.remove("auth"), host, &mut findings);
    match slug {
        Some(slug) if findings.mistakes.is_empty() => {
            manifest.insert("auth".to_owned(), auth);
            Ok((OwnersWords { manifest: Value::Object(manifest), slug }, findings.warnings))
        }
        _ => Err(findings.mistakes),
    }
}

fn parse(bytes: &[u8]) -> Result<Map<String, Value>, String> {
    if bytes.len() > BYTES_MAX {
        return Err(format!("it has {} bytes; a manifest may have at most {BYTES_MAX}", bytes.len()));
    }
    // Some editors begin every file with a byte order mark, which JSON does not allow (RFC 8259 §8.1).
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(manifest)) => Ok(manifest),
        Ok(_) => Err("it is JSON, but not an object; write { \"schema_version\": \"v1\", … }".to_owned()),
        Err(error) => Err(format!("it is not JSON: {error}")),
    }
}

#[cfg(test)]
mod tests;
