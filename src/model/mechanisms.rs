//! Mechanisms: the ways in which a client can become known here, and which of them the operator has left open.
//!
//! `config` reads them, `protocol::metadata` advertises them, the endpoints ask them.

use std::num::NonZeroU32;

use chrono::TimeDelta;

use super::{digest::Digest, live::Live, redirect_uri::RedirectUri};

/// Which ways are open.
#[derive(Clone, Debug, Default)]
pub struct Mechanisms {
    /// Dynamic registration (RFC 7591).
    pub registration: RegistrationPolicy,
    /// Client metadata documents (draft-ietf-oauth-client-id-metadata-document).
    pub documents: DocumentPolicy,
}

/// Which metadata documents are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentPolicy {
    /// Whether documents are accepted at all.
    pub enabled: bool,
    /// The only hosts whose documents are accepted; empty for all.
    pub allowed_hosts: Vec<HostPattern>,
    /// Hosts whose documents are not accepted, whatever the other list says.
    pub denied_hosts: Vec<HostPattern>,
}

impl Default for DocumentPolicy {
    /// Every document is accepted: whom it lets in is for each person to say.
    fn default() -> Self {
        Self { enabled: true, allowed_hosts: Vec::new(), denied_hosts: Vec::new() }
    }
}

impl DocumentPolicy {
    /// Whether documents of a host, in lower case, are accepted.
    pub fn accepts(&self, host: &str) -> bool {
        // `example.com.` is the same host as `example.com`, and not to be a way around a list.
        let host = host.trim_end_matches('.');
        let named = |patterns: &[HostPattern]| patterns.iter().any(|pattern| pattern.matches(host));
        self.enabled && !named(&self.denied_hosts) && (self.allowed_hosts.is_empty() || named(&self.allowed_hosts))
    }
}

/// A host's name in lower case, or with a leading dot every name below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern(pub String);

impl HostPattern {
    fn matches(&self, host: &str) -> bool {
        if self.0.starts_with('.') { host.ends_with(&self.0) } else { host == self.0 }
    }
}

/// Which clients may register themselves.
#[derive(Clone, Debug)]
pub struct RegistrationPolicy {
    /// Whose.
    pub registrants: Registrants,
    /// Where such a client may send people.
    pub redirects: RedirectKinds,
    /// How many a minute.
    pub per_minute: NonZeroU32,
    /// How long one stays that nobody ever consents to.
    pub unused_age: TimeDelta,
}

/// Registrations a minute, unless the operator says otherwise.
const PER_MINUTE: NonZeroU32 = NonZeroU32::new(120).unwrap();

impl Default for RegistrationPolicy {
    /// Open: registering gives nothing until a person consents.
    fn default() -> Self {
        Self {
            registrants: Registrants::Anybody,
            redirects: RedirectKinds::ALL,
            per_minute: PER_MINUTE,
            unused_age: TimeDelta::days(7),
        }
    }
}

/// Who may register a client.
#[derive(Clone, Debug)]
pub enum Registrants {
    /// Whoever asks.
    Anybody,
    /// Whoever holds the initial access token (RFC 7591 §1.2), of which this is the SHA-256.
    Bearer(Live<Digest>),
    /// No program; clients are registered by hand, or known by their documents.
    Nobody,
}

/// Where a client that registers itself may send people. `https` always; the others reach programs on the person's own
/// device, and no server can tell which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedirectKinds {
    /// `http` on loopback (RFC 8252 §7.3).
    pub loopback: bool,
    /// Private-use schemes (RFC 8252 §7.1).
    pub private_use: bool,
}

impl RedirectKinds {
    /// All of them: what today's clients register.
    pub const ALL: Self = Self { loopback: true, private_use: true };

    /// Whether this is one of them.
    pub fn allow(self, uri: &RedirectUri) -> bool {
        uri.is_website() || if uri.is_loopback() { self.loopback } else { self.private_use }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_redirect_is_allowed_by_itself() {
        let uris = ["https://a.example/cb", "http://127.0.0.1/cb", "cursor://anysphere.cursor-mcp/oauth/callback"];
        let allowed = |kinds: RedirectKinds| uris.map(|uri| kinds.allow(&uri.parse().unwrap()));
        assert_eq!(allowed(RedirectKinds::ALL), [true, true, true]);
        assert_eq!(allowed(RedirectKinds { loopback: false, private_use: true }), [true, false, true]);
        assert_eq!(allowed(RedirectKinds { loopback: true, private_use: false }), [true, true, false]);
        let with_a_certificate = "https://localhost:8443/cb".parse().unwrap();
        assert!(!RedirectKinds { loopback: false, private_use: true }.allow(&with_a_certificate));
    }

    #[test]
    fn hosts_are_allowed_and_denied_and_denying_wins() {
        let patterns = |texts: &[&str]| texts.iter().map(|text| HostPattern((*text).to_owned())).collect();
        let accepts = |allowed: &[&str], denied: &[&str], host: &str| {
            let policy =
                DocumentPolicy { enabled: true, allowed_hosts: patterns(allowed), denied_hosts: patterns(denied) };
            policy.accepts(host)
        };
        assert!(accepts(&[], &[], "a.example"));
        assert!(accepts(&["a.example"], &[], "a.example") && !accepts(&["a.example"], &[], "b.a.example"));
        assert!(accepts(&[".a.example"], &[], "b.a.example") && !accepts(&[".a.example"], &[], "a.example"));
        assert!(!accepts(&[".a.example"], &[], "evila.example"));
        assert!(!accepts(&["a.example"], &["a.example"], "a.example") && !accepts(&[], &["a.example"], "a.example."));
        assert!(!accepts(&[], &["a.example"], "a.example..") && !accepts(&[], &[".example"], "a.example."));
        assert!(!DocumentPolicy { enabled: false, ..DocumentPolicy::default() }.accepts("a.example"));
    }
}
