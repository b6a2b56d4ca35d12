//! How clients may become known: `clients_by_hand`, `client_documents`, `client_document_hosts`, `client_document_hosts_denied`.

use super::reader::Reader;

const BY_HAND: &str = "clients_by_hand";
const DOCUMENTS: &str = "client_documents";
const HOSTS: &str = "client_document_hosts";
const HOSTS_DENIED: &str = "client_document_hosts_denied";

/// How clients may become known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clients {
    /// Whether a client that people are sent to may be registered here by its owner.
    pub by_hand: bool,
    /// Whether a client may be known by its metadata document.
    pub documents: bool,
    /// The only hosts such documents may come from; empty for any. A leading dot stands for every name below.
    pub document_hosts: Vec<String>,
    /// Hosts they may not come from.
    pub document_hosts_denied: Vec<String>,
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Clients> {
    // All are read before any is missed, so that all mistakes are told.
    let by_hand = reader.switch(BY_HAND);
    let documents = reader.switch(DOCUMENTS);
    let document_hosts = read_only_hosts(reader);
    let document_hosts_denied = read_hosts(reader, HOSTS_DENIED);
    Some(Clients {
        by_hand: by_hand?,
        documents: documents?,
        document_hosts: document_hosts?,
        document_hosts_denied: document_hosts_denied?,
    })
}

/// Left out it means any host, so whoever writes an empty list must be asked what it is to mean.
fn read_only_hosts(reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let hosts = read_hosts(reader, HOSTS)?;
    if hosts.is_empty() && reader.is_given(HOSTS) {
        let cure = format!("name the hosts that are meant, leave it out for any host, or write {DOCUMENTS} = \"off\"");
        reader.mistake(HOSTS, "it names no host", cure);
        return None;
    }
    Some(hosts)
}

fn read_hosts(reader: &mut Reader<'_>, key: &str) -> Option<Vec<String>> {
    let list = reader.text(key).unwrap_or_default();
    let hosts: Vec<String> = list.split(',').map(folded).filter(|host| !host.is_empty()).collect();
    let wrong = hosts.iter().find(|host| !is_host(host)).cloned();
    if let Some(wrong) = wrong {
        let cure = "write example.com for that host, or .example.com for every host below it";
        reader.mistake(key, format!("{wrong} is no host"), cure);
        return None;
    }
    Some(hosts)
}

/// In the spelling hosts are compared in: `Example.com.` is the same host as `example.com`.
fn folded(host: &str) -> String {
    let host = host.trim().to_ascii_lowercase();
    match host.strip_suffix('.') {
        Some(name) if is_host(name) => name.to_owned(),
        _ => host,
    }
}

/// Whether a URL could have it as its host; ports and wildcards are not part of a name.
fn is_host(pattern: &str) -> bool {
    let name = pattern.strip_prefix('.').unwrap_or(pattern);
    let parsed = url::Url::parse(&format!("https://{name}/"));
    parsed.is_ok_and(|url| url.host_str() == Some(name) && url.port().is_none()) && !name.contains('*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_all_below_them_are_hosts_and_nothing_else_is() {
        for host in ["example.com", ".example.com", "a.b.example", "localhost"] {
            assert!(is_host(host), "{host}");
        }
        for other in ["*.example.com", "example.com:8443", "https://example.com", "example.com/x", "a b", ".", ""] {
            assert!(!is_host(other), "{other}");
        }
    }

    #[test]
    fn a_host_is_the_same_in_capitals_and_with_the_dot_that_ends_it() {
        for host in ["evil.example", "evil.example.", "EVIL.example.", " Evil.Example "] {
            assert_eq!(folded(host), "evil.example", "{host}");
        }
        assert_eq!(
            (folded(".evil.example."), folded("."), folded("")),
            (".evil.example".into(), ".".into(), String::new())
        );
    }
}
