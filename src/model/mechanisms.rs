//! Mechanisms: the ways in which a client can become known here, and which of them the operator has left open.
//!
//! `config` reads them, `protocol::metadata` advertises them, the endpoints ask them.

/// Which ways are open.
#[derive(Clone, Debug, Default)]
pub struct Mechanisms {
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
        let host = host.strip_suffix('.').unwrap_or(host);
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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(!DocumentPolicy { enabled: false, ..DocumentPolicy::default() }.accepts("a.example"));
    }
}
