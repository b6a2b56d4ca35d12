//! Admission: which addresses may be connected to. `special_use` is the table; what the operator allows goes before it.
//!
//! Asked twice: by `Outbound` for hosts that are written as an address, because nobody looks those up, and by
//! `resolving` for whatever a name turns out to mean.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use url::Host;

use super::{FetchError, special_use};

/// What the operator allows.
#[derive(Debug)]
pub(super) struct Admission {
    allow: Vec<IpNet>,
}

impl Admission {
    pub(super) fn new(allow: Vec<IpNet>) -> Self {
        Self { allow }
    }

    /// What can be said of a host before anybody is asked what its name means.
    pub(super) fn check_host(&self, host: &Host<&str>) -> Result<(), FetchError> {
        let written = host.to_string();
        match host {
            Host::Ipv4(address) => self.check(&written, IpAddr::V4(*address)),
            Host::Ipv6(address) => self.check(&written, IpAddr::V6(*address)),
            // RFC 6761 §6.3: such a name is loopback by itself, whatever a resolver would make of it.
            Host::Domain(name) if is_localhost(name) => self
                .check(&written, IpAddr::V4(Ipv4Addr::LOCALHOST))
                .or_else(|_| self.check(&written, IpAddr::V6(Ipv6Addr::LOCALHOST))),
            Host::Domain(_) => Ok(()),
        }
    }

    /// Whether an address may be connected to.
    pub(super) fn check(&self, host: &str, address: IpAddr) -> Result<(), FetchError> {
        let reached = special_use::reached(address);
        if self.allow.iter().any(|range| range.contains(&address) || range.contains(&reached)) {
            return Ok(());
        }
        special_use::of(address).map_or(Ok(()), |block| {
            Err(FetchError::Address { host: host.to_owned(), purpose: block.purpose, rfc: block.rfc })
        })
    }
}

fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    // The URL parser has written it in lower case.
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn check(allow: &[&str], url: &str) -> Result<(), FetchError> {
        let admission = Admission::new(allow.iter().map(|range| range.parse().expect("a range")).collect());
        admission.check_host(&Url::parse(url).expect(url).host().expect("a host"))
    }

    /// Loopback, in what the URL standard takes for it.
    const LOOPBACK: &[&str] = &[
        "https://127.0.0.1/",
        "https://127.0.0.1./",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://017700000001/",
        "https://0177.0.0.1/",
        "https://0x7f.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://127.0x1/",
        "https://%31%32%37.0.0.1/",
        "https://１２７.０.０.１/",
        "https://①②⑦.⓪.⓪.①/",
        "https://127。0。0。1/",
        "https:127.0.0.1",
        "https:\\\\127.0.0.1\\",
        "https://a@127.0.0.1/",
        "https://8.8.8.8@127.0.0.1:8443/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::FFFF:7F00:1]/",
        "https://[0:0:0:0:0:ffff:127.0.0.1]/",
        "https://[64:ff9b::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://localhost/",
        "https://LOCALHOST/",
        "https://localhost./",
        "https://a.b.localhost/",
        "https://a.localhost./",
        "https://ｌocalhost/",
        "https://local%68ost/",
    ];

    #[test]
    fn loopback_is_refused_in_every_spelling_and_can_be_allowed_in_every_spelling() {
        for url in LOOPBACK {
            assert!(matches!(check(&[], url), Err(FetchError::Address { purpose: "loopback", .. })), "{url}");
            assert_eq!(check(&["127.0.0.0/8"], url), Ok(()), "{url}");
            assert!(check(&["10.0.0.0/8", "::/0"], "https://127.0.0.1/").is_err());
        }
    }

    #[test]
    fn other_special_addresses_are_refused_too() {
        for url in [
            "https://0/",
            "https://0.0.0.0/",
            "https://10.1/",
            "https://0xa9fea9fe/",
            "https://2852039166/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://100.100.100.200/",
            "https://192.168.1/",
            "https://0xffffffff/",
            "https://224.0.0.1/",
            "https://[::]/",
            "https://[::1]/",
            "https://[::127.0.0.1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001:0:4136:e378:8000:63bf:80ff:fffe]/",
            "https://[fd00:ec2::254]/",
            "https://[fe80::1]/",
            "https://[ff02::1]/",
            "https://[2001:db8::1]/",
        ] {
            assert!(matches!(check(&[], url), Err(FetchError::Address { .. })), "{url}");
        }
    }

    #[test]
    fn names_are_left_to_their_addresses() {
        for url in ["https://a.example/", "https://localhost.example/", "https://notlocalhost/", "https://8.8.8.8/"] {
            assert_eq!(check(&[], url), Ok(()), "{url}");
        }
    }

    #[test]
    fn what_is_allowed_is_allowed_alone() {
        assert_eq!(check(&["10.1.2.3/32"], "https://10.1.2.3/"), Ok(()));
        assert_eq!(check(&["10.1.2.3/32"], "https://[::ffff:10.1.2.3]/"), Ok(()));
        assert!(check(&["10.1.2.3/32"], "https://10.1.2.4/").is_err());
        assert_eq!(check(&["::1/128"], "https://localhost/"), Ok(()));
        assert_eq!(check(&["fd00::/8"], "https://[fd12::1]/"), Ok(()));
    }
}
