//! Where the manifest's URLs may point: to https, and to the plugin's own domain.
//!
//! On loopback hosts plain http is fine and host names are compared as they stand: there is no domain to own.

use serde_json::{Map, Value};
use url::Url;

use super::{Findings, rules};
use crate::model::{legible::deceives, plugin::Host, redirect_uri::has_loopback_host};

/// Which URLs a host vouches for.
pub(super) enum Reach {
    /// A name of this very computer, or an address: only the very same name is its own.
    Itself(String),
    /// A domain in the public name system.
    Domain {
        /// The host without a leading `www.`.
        root: String,
        /// The part of it that somebody registered: `example.co.uk` of `api.example.co.uk`.
        registrable: String,
    },
}

impl Reach {
    pub(super) fn of(host: &Host) -> Self {
        let name = host.name();
        let is_address = name.starts_with('[') || name.parse::<std::net::Ipv4Addr>().is_ok();
        let is_local = name == "localhost" || name.ends_with(".localhost");
        match psl::domain_str(name) {
            Some(registrable) if !is_address && !is_local => Self::Domain {
                root: name.strip_prefix("www.").unwrap_or(name).to_owned(),
                registrable: registrable.to_owned(),
            },
            _ => Self::Itself(name.to_owned()),
        }
    }

    /// Whether a host is the root domain or below it.
    fn has_below(&self, name: &str) -> bool {
        match self {
            Self::Itself(own) => name == own,
            Self::Domain { root, .. } => {
                name == root || name.strip_suffix(root.as_str()).is_some_and(|rest| rest.ends_with('.'))
            }
        }
    }

    /// Whether a host belongs to whoever registered the root domain.
    fn has_same_owner(&self, name: &str) -> bool {
        match self {
            Self::Itself(own) => name == own,
            Self::Domain { registrable, .. } => psl::domain_str(name) == Some(registrable),
        }
    }
}

/// Why a redirection is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Astray {
    /// To an address that is no https URL.
    NotHttps,
    /// To a host that is neither the same nor below it.
    Elsewhere,
}

/// Whether whoever reads a manifest follows a redirection: to the same host, to one below it, or from `www.` to the
/// name without it. A parent, a sibling or another domain could be somebody else's.
pub fn may_lead(from: &Url, to: &Url) -> Result<(), Astray> {
    let (Some(from), Some(name)) = (from.host_str().and_then(|name| name.parse().ok()), to.host_str()) else {
        return Err(Astray::NotHttps);
    };
    if to.scheme() != "https" {
        return Err(Astray::NotHttps);
    }
    if Reach::of(&from).has_below(name) { Ok(()) } else { Err(Astray::Elsewhere) }
}

/// Checks every member that is a URL, and the domain of the contact address.
pub(super) fn check(manifest: &Map<String, Value>, reach: &Reach, findings: &mut Findings) {
    forbid_running(manifest, "", findings);
    if let Some(Value::Object(api)) = manifest.get("api")
        && let Some(url) = read(api, "url", "api.url", findings)
        && let Some(name) = url.host_str()
        && !reach.has_below(name)
    {
        findings.leads_away("api.url", format!("{name} must be {} or below it", own(reach)));
    }
    let _ = read(manifest, "logo_url", "logo_url", findings);
    if let Some(url) = read(manifest, "legal_info_url", "legal_info_url", findings)
        && let Some(name) = url.host_str()
        && !reach.has_same_owner(name)
    {
        findings.leads_away("legal_info_url", format!("{name} must belong to {}", registered(reach)));
    }
    check_contact(manifest, reach, findings);
}

fn check_contact(manifest: &Map<String, Value>, reach: &Reach, findings: &mut Findings) {
    // Who tries a plugin out on his own computer has no mail there.
    let Reach::Domain { .. } = reach else { return };
    let Some((_, domain)) = manifest.get("contact_email").and_then(Value::as_str).and_then(|at| at.split_once('@'))
    else {
        return;
    };
    // Parsed as a URL's host, so that case and non-ASCII names compare as the name system compares them.
    let same = url::Host::parse(domain.trim()).is_ok_and(|host| reach.has_same_owner(&host.to_string()));
    if !same {
        findings.leads_away("contact_email", format!("its domain must belong to {}", registered(reach)));
    }
}

fn read(object: &Map<String, Value>, member: &'static str, path: &'static str, findings: &mut Findings) -> Option<Url> {
    let mut missing = Findings::default();
    let Some(text) = rules::text(object, member, &mut missing) else {
        for mistake in missing.mistakes {
            findings.mistake(path, mistake.problem);
        }
        return None;
    };
    let Ok(url) = Url::parse(text) else {
        findings.mistake(path, "it is not a URL; write it in full, with https://");
        return None;
    };
    if RUNNING.contains(&url.scheme()) {
        // Told by `forbid_running` already.
        return None;
    }
    // The URL standard forgives spaces and control characters by dropping them; who compares texts does not.
    if text.chars().any(|c| c.is_whitespace() || deceives(c) || c == '\\') {
        findings.mistake(path, "it has a space, a backslash or a control character");
        return None;
    }
    match url.scheme() {
        "https" => {}
        "http" if has_loopback_host(&url) => {}
        "http" => findings.mistake(path, "it is plain http; only loopback addresses may use it, write https://"),
        _ => findings.mistake(path, "it must begin with https://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        findings.mistake(path, "it has a user name before the host; write it without");
    }
    Some(url)
}

/// Schemes that run or carry something instead of naming a place.
const RUNNING: [&str; 7] = ["javascript", "vbscript", "data", "blob", "file", "filesystem", "view-source"];

/// Refuses such URLs wherever they stand, in members this program does not know too: somebody else's page may make a
/// link of them. Prose is left alone; a sentence may begin with "Data: ".
fn forbid_running(object: &Map<String, Value>, above: &str, findings: &mut Findings) {
    for (member, value) in object {
        let path = if above.is_empty() { member.clone() } else { format!("{above}.{member}") };
        let prose = member.starts_with("description") || member.starts_with("name_") || member == "instructions";
        forbid_in(value, &path, prose, findings);
    }
}

fn forbid_in(value: &Value, path: &str, prose: bool, findings: &mut Findings) {
    match value {
        Value::Object(object) => forbid_running(object, path, findings),
        Value::Array(values) => {
            for (position, value) in values.iter().enumerate() {
                forbid_in(value, &format!("{path}[{position}]"), prose, findings);
            }
        }
        Value::String(text) if !prose && runs(text) => {
            findings.mistake(path, "a URL of this scheme is not allowed; write an https:// URL");
        }
        _ => {}
    }
}

/// Whether a browser would take the text for a URL of a running scheme: it skips leading spaces and control
/// characters, and line breaks anywhere (URL Standard, basic URL parser).
fn runs(text: &str) -> bool {
    let kept: String = text
        .trim_start_matches(|c: char| c <= ' ')
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .take(20)
        .collect();
    kept.split_once(':').is_some_and(|(scheme, _)| RUNNING.contains(&scheme.to_ascii_lowercase().as_str()))
}

fn own(reach: &Reach) -> &str {
    match reach {
        Reach::Itself(own) | Reach::Domain { root: own, .. } => own,
    }
}

fn registered(reach: &Reach) -> &str {
    match reach {
        Reach::Itself(own) | Reach::Domain { registrable: own, .. } => own,
    }
}
