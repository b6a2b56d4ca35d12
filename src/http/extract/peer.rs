//! Who is at the other end: the connection's peer, or whom a proxy of the operator's calls for.
//!
//! Each proxy appends the address it was called from to `X-Forwarded-For`. What stands left of that came with the call
//! and may be made up, so the list is read from its right end, and only as far as the operator's own proxies go.

use std::net::{IpAddr, SocketAddr};

use actix_web::{HttpRequest, http::header::HeaderValue, web};

use crate::{model::proxies::TrustedProxies, server::Server};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of the caller.
pub fn of(request: &HttpRequest) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let server = request.app_data::<web::Data<Server>>()?;
    let lines = request.headers().get_all(FORWARDED_FOR).map(HeaderValue::as_bytes);
    Some(caller(&server.settings.trusted_proxies, peer, lines))
}

/// Follows the operator's proxies back to the first address that is not one of them. An entry that is no address ends
/// the way there: the proxy that wrote it speaks for itself. Entries are bytes, because a proxy appends to whatever it
/// was sent: one that is no text must not spoil those to its right.
fn caller<'a>(proxies: &TrustedProxies, peer: IpAddr, lines: impl Iterator<Item = &'a [u8]>) -> IpAddr {
    let mut caller = peer.to_canonical();
    let entries: Vec<&[u8]> = lines.flat_map(|line| line.split(|byte| *byte == b',')).collect();
    for entry in entries.into_iter().rev() {
        match str::from_utf8(entry).ok().and_then(|entry| address(entry.trim())) {
            Some(named) if proxies.have(caller) => caller = named,
            _ => break,
        }
    }
    caller
}

/// An address, with a port where a proxy writes one.
fn address(entry: &str) -> Option<IpAddr> {
    let bare = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    entry.parse().ok().or_else(with_port).or_else(bare).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(proxies: &[&str], peer: &str, lines: &[&str]) -> String {
        let proxies = TrustedProxies(proxies.iter().map(|range| range.parse().unwrap()).collect());
        caller(&proxies, peer.parse().unwrap(), lines.iter().map(|line| line.as_bytes())).to_string()
    }

    #[test]
    fn only_the_operators_proxies_are_believed() {
        let claims = &["203.0.113.7"];
        assert_eq!(seen(&[], "127.0.0.1", claims), "127.0.0.1", "nobody said that there is one");
        assert_eq!(seen(&["127.0.0.1/32"], "198.51.100.1", claims), "198.51.100.1", "this is not one");
        assert_eq!(seen(&["127.0.0.1/32"], "127.0.0.1", claims), "203.0.113.7");
        assert_eq!(seen(&["127.0.0.1/32"], "::ffff:127.0.0.1", claims), "203.0.113.7", "however it is spelled");
        assert_eq!(seen(&["127.0.0.1/32"], "127.0.0.1", &[]), "127.0.0.1", "it calls for itself");
    }

    #[test]
    fn what_a_caller_made_up_stands_too_far_to_the_left() {
        let proxies = &["127.0.0.1/32", "10.0.0.0/8"];
        for lines in [
            &["203.0.113.7"][..],
            &["192.0.2.1, 203.0.113.7"],
            &["127.0.0.1, 203.0.113.7"],
            &["192.0.2.1", "203.0.113.7"],
            &["192.0.2.1, 203.0.113.7, 10.0.0.2"],
            &["192.0.2.1 ,203.0.113.7", "10.0.0.2 , 10.0.0.3"],
            &["nonsense, 203.0.113.7"],
            &["203.0.113.7:4711"],
            &["::ffff:203.0.113.7"],
        ] {
            assert_eq!(seen(proxies, "127.0.0.1", lines), "203.0.113.7", "{lines:?}");
        }
        assert_eq!(seen(proxies, "127.0.0.1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(seen(proxies, "127.0.0.1", &["[2001:db8::1]:4711"]), "2001:db8::1");
        assert_eq!(seen(proxies, "127.0.0.1", &["[2001:db8::1]"]), "2001:db8::1");
        assert_eq!(seen(proxies, "127.0.0.1", &["10.0.0.9, 10.0.0.2"]), "10.0.0.9", "the farthest of them");
    }

    #[test]
    fn what_is_no_text_spoils_nothing_to_its_right() {
        let proxies = TrustedProxies(vec!["127.0.0.1/32".parse().unwrap()]);
        let seen = |line: &[u8]| caller(&proxies, "127.0.0.1".parse().unwrap(), [line].into_iter()).to_string();
        assert_eq!(seen(b"\xff, 203.0.113.7"), "203.0.113.7");
        assert_eq!(seen(b"\xff,203.0.113.7"), "203.0.113.7");
        assert_eq!(seen(b"203.0.113.7, \xff"), "127.0.0.1");
        assert_eq!(seen(b"203.0.113.7\xff"), "127.0.0.1");
    }

    #[test]
    fn what_is_no_address_is_nobodys() {
        for last in ["", "unknown", "_hidden", "203.0.113.7.1", "for=203.0.113.7", "203.0.113.7 192.0.2.1", "localhost"]
        {
            assert_eq!(seen(&["127.0.0.1/32"], "127.0.0.1", &[&format!("203.0.113.7, {last}")]), "127.0.0.1", "{last}");
        }
        assert_eq!(seen(&["127.0.0.0/8"], "127.0.0.1", &["x, 127.0.0.2"]), "127.0.0.2", "the last good one");
    }
}
