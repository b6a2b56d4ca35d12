//! Whether what goes to an address can be read on the way. Secrets go only where nobody can: `vault` and `config` ask.

use url::{Host, Url};

/// Whether it goes over TLS, or never leaves this machine.
pub fn is_private(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_listens_to_tls_or_within_this_machine() {
        for (text, expected) in [
            ("https://otel.example", true),
            ("http://[::1]:4318", true),
            ("http://localhost", true),
            ("http://otel.example:4318", false),
            ("http://127.0.0.1.example", false),
            ("file:///x", false),
        ] {
            assert_eq!(is_private(&Url::parse(text).unwrap()), expected, "{text}");
        }
    }
}
