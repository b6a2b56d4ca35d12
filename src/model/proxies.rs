//! Proxies: the operator's machines in front of this one, whose word about where a call came from is believed.

use std::net::IpAddr;

use ipnet::IpNet;

/// The addresses the operator's proxies call from; none unless somebody says so.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(pub Vec<IpNet>);

impl TrustedProxies {
    /// Whether nobody has said which they are.
    pub fn are_unknown(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them has this address, however it is spelled.
    pub fn have(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|range| range.contains(&address))
    }
}
