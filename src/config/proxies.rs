//! The operator's proxies: `trusted_proxies`.

use super::{outbound::read_ranges, reader::Reader};
use crate::model::proxies::TrustedProxies;

const EVERYBODY: &str = "lets every caller say which address it calls from";

pub(super) fn read(reader: &mut Reader<'_>) -> Option<TrustedProxies> {
    read_ranges(reader, "trusted_proxies", EVERYBODY).map(TrustedProxies)
}
