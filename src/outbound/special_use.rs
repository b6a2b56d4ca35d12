//! Special use: the addresses that no stranger's document lives at, from IANA's special-purpose address registries
//! (RFC 6890) and the space IANA has not handed out. `admission` asks here; this is data and one function.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// A range of addresses and what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    range: IpNet,
    /// What stands after "is for".
    pub(super) purpose: &'static str,
    /// Where that is said.
    pub(super) rfc: &'static str,
}

const fn v4(address: [u8; 4], length: u8, purpose: &'static str, rfc: &'static str) -> Block {
    let [a, b, c, d] = address;
    Block { range: IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)), purpose, rfc }
}

/// The first four groups are enough to write every range but the few that end in an IPv4 address.
const fn v6(start: [u16; 4], length: u8, purpose: &'static str, rfc: &'static str) -> Block {
    let [a, b, c, d] = start;
    let address = Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0);
    Block { range: IpNet::V6(Ipv6Net::new_assert(address, length)), purpose, rfc }
}

/// The first block that holds an address says what it is for, so narrow ones stand before wide ones.
const BLOCKS: &[Block] = &[
    v4([0, 0, 0, 0], 8, "\"this network\"", "RFC 791"),
    v4([10, 0, 0, 0], 8, "private use", "RFC 1918"),
    v4([100, 64, 0, 0], 10, "sharing behind carriers' NAT", "RFC 6598"),
    v4([127, 0, 0, 0], 8, "loopback", "RFC 1122"),
    // Where clouds keep their metadata services.
    v4([169, 254, 0, 0], 16, "link-local use", "RFC 3927"),
    v4([172, 16, 0, 0], 12, "private use", "RFC 1918"),
    v4([192, 0, 0, 0], 24, "protocol assignments", "RFC 6890"),
    v4([192, 0, 2, 0], 24, "documentation", "RFC 5737"),
    v4([192, 31, 196, 0], 24, "AS112", "RFC 7535"),
    v4([192, 52, 193, 0], 24, "AMT relays", "RFC 7450"),
    v4([192, 88, 99, 0], 24, "6to4 relays", "RFC 7526"),
    v4([192, 168, 0, 0], 16, "private use", "RFC 1918"),
    v4([192, 175, 48, 0], 24, "AS112", "RFC 7534"),
    v4([198, 18, 0, 0], 15, "benchmarking", "RFC 2544"),
    v4([198, 51, 100, 0], 24, "documentation", "RFC 5737"),
    v4([203, 0, 113, 0], 24, "documentation", "RFC 5737"),
    v4([224, 0, 0, 0], 4, "multicast", "RFC 5771"),
    v4([255, 255, 255, 255], 32, "broadcast", "RFC 919"),
    v4([240, 0, 0, 0], 4, "later", "RFC 1112"),
    // Loopback, unspecified and the IPv4-compatible addresses, which some systems still connect to as IPv4.
    Block { range: LOOPBACK_V6, purpose: "loopback", rfc: "RFC 4291" },
    Block { range: UNSPECIFIED_V6, purpose: "nobody", rfc: "RFC 4291" },
    v6([0, 0, 0, 0], 96, "IPv4-compatible use", "RFC 4291"),
    // What a translator of this network makes of it is the network's own affair; the well-known prefix is not here,
    // since `reached` tells what lies behind it.
    v6([0x64, 0xff9b, 1, 0], 48, "local translation", "RFC 8215"),
    v6([0x100, 0, 0, 0], 64, "discarding", "RFC 6666"),
    v6([0x100, 0, 0, 1], 64, "dummy addresses", "RFC 9780"),
    // Tunnels that carry an IPv4 address of the attacker's choice, to be unpacked by a relay.
    v6([0x2001, 0, 0, 0], 32, "Teredo", "RFC 4380"),
    v6([0x2002, 0, 0, 0], 16, "6to4", "RFC 3056"),
    v6([0x2001, 2, 0, 0], 48, "benchmarking", "RFC 5180"),
    v6([0x2001, 0xdb8, 0, 0], 32, "documentation", "RFC 3849"),
    v6([0x2001, 0, 0, 0], 23, "protocol assignments", "RFC 2928"),
    v6([0x2620, 0x4f, 0x8000, 0], 48, "AS112", "RFC 7534"),
    v6([0x3fff, 0, 0, 0], 20, "documentation", "RFC 9637"),
    v6([0x5f00, 0, 0, 0], 16, "segment routing", "RFC 9602"),
    v6([0xfc00, 0, 0, 0], 7, "private use", "RFC 4193"),
    v6([0xfe80, 0, 0, 0], 10, "link-local use", "RFC 4291"),
    v6([0xfec0, 0, 0, 0], 10, "site-local use", "RFC 3879"),
    v6([0xff00, 0, 0, 0], 8, "multicast", "RFC 4291"),
    // Only 2000::/3 has been opened for global unicast, so whatever comes next is refused until somebody looks at it.
    v6([0, 0, 0, 0], 3, "later", "RFC 4291"),
    v6([0x4000, 0, 0, 0], 2, "later", "RFC 4291"),
    v6([0x8000, 0, 0, 0], 1, "later", "RFC 4291"),
];

const LOOPBACK_V6: IpNet = IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128));
const UNSPECIFIED_V6: IpNet = IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128));

/// The well-known prefix of translators (RFC 6052 §2.1).
const TRANSLATED: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);

/// What the address is for, unless it is one of the public ones.
pub(super) fn of(address: IpAddr) -> Option<&'static Block> {
    let reached = reached(address);
    BLOCKS.iter().find(|block| block.range.contains(&reached))
}

/// Where a connection to the address ends: behind an IPv4-mapped address (RFC 4291 §2.5.5.2) and behind a translator
/// (RFC 6052) it is the IPv4 address that they carry.
pub(super) fn reached(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) if TRANSLATED.contains(&six) => {
            let [.., a, b, c, d] = six.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        canonical => canonical,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purpose(address: &str) -> Option<&'static str> {
        of(address.parse().expect(address)).map(|block| block.purpose)
    }

    #[test]
    fn the_ends_of_every_range_are_refused() {
        for block in BLOCKS {
            for address in [block.range.network(), block.range.broadcast()] {
                assert!(of(address).is_some(), "{address}");
            }
        }
    }

    #[test]
    fn public_addresses_are_not() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::",
            "2001:4860:4860::8888",
            "2003::1",
            "2606:4700::1111",
            "2a00::1",
            "3ffe:ffff::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ] {
            assert_eq!(purpose(address), None, "{address}");
        }
    }

    #[test]
    fn an_address_is_told_by_the_narrowest_range_that_holds_it() {
        for (address, expected) in [
            ("0.0.0.0", "\"this network\""),
            ("127.255.255.254", "loopback"),
            ("169.254.169.254", "link-local use"),
            ("192.0.0.170", "protocol assignments"),
            ("255.255.255.255", "broadcast"),
            ("255.255.255.254", "later"),
            ("::", "nobody"),
            ("::1", "loopback"),
            ("::7f00:1", "IPv4-compatible use"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::ffff:a9fe:a9fe", "link-local use"),
            ("64:ff9b::a00:1", "private use"),
            ("64:ff9b:1::808:808", "local translation"),
            ("64:ff9b:0:1::1", "later"),
            ("2001::1", "Teredo"),
            ("2001:1::1", "protocol assignments"),
            ("2001:20::1", "protocol assignments"),
            ("2002:808:808::1", "6to4"),
            ("fd00:ec2::254", "private use"),
            ("fe80::1", "link-local use"),
            ("1000::1", "later"),
            ("4000::1", "later"),
            ("e000::1", "later"),
        ] {
            assert_eq!(purpose(address), Some(expected), "{address}");
        }
    }
}
