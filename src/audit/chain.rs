//! Links: what stands in one, and under which key. Pure; `jobs::audit_links` has the store keep them.
//!
//! There is one chain for the installation, and each link says which process made it. A chain for each process would
//! need a lock of its own around everything that writes an event; this one is made behind the writes.

use aws_lc_rs::hmac;
use chrono::TimeDelta;

use super::canonical;
use crate::{
    keys::ring::MacKey,
    model::{Timestamp, digest::Digest},
    store::audit_links::{AuditLink, Forgotten, Member, StoredEvent},
};

/// How many events a link has at most.
pub const MEMBERS_MAX: u32 = 500;

/// An event is written by a step that began when its id was made. So much later it is taken for one that was put among
/// the others afterwards.
pub const LATE: TimeDelta = TimeDelta::minutes(10);

/// The digest before the first link.
pub const BEGINNING: Digest = Digest([0; 32]);

const LINK: &[u8] = b"consentry audit link v1";
const FORGOTTEN: &[u8] = b"consentry audit forgotten v1";
const BEGUN_ANEW: &[u8] = b"consentry audit begun anew v1";

/// The link after another one, or the first, of some events in the order of their ids. None for no events.
pub fn link(
    last: Option<&AuditLink>,
    events: &[StoredEvent],
    (made_at, node): (Timestamp, &str),
    key: &MacKey,
) -> Option<AuditLink> {
    let member = |event: &StoredEvent| Member { event: event.id, digest: canonical::digest(event) };
    let greatest = events.last()?.id;
    let mut link = AuditLink {
        number: last.map_or(1, |last| last.number + 1),
        made_at,
        node: node.to_owned(),
        reached: last.map_or(greatest, |last| last.reached.max(greatest)),
        members: events.iter().map(member).collect(),
        previous: last.map_or(BEGINNING, |last| last.digest),
        digest: BEGINNING,
        kid: key.kid,
        mac: [0; 32],
    };
    link.digest = digest(&link);
    link.mac = mac(key, &authenticated(&link));
    Some(link)
}

/// What a link's digest has to be.
pub fn digest(link: &AuditLink) -> Digest {
    let node = link.node.as_bytes();
    let mut bytes = LINK.to_vec();
    bytes.extend_from_slice(&link.number.to_be_bytes());
    bytes.extend_from_slice(&link.made_at.timestamp_micros().to_be_bytes());
    bytes.extend_from_slice(&(node.len() as u64).to_be_bytes());
    bytes.extend_from_slice(node);
    bytes.extend_from_slice(link.reached.0.as_bytes());
    bytes.extend_from_slice(&link.kid.0.to_be_bytes());
    bytes.extend_from_slice(&link.previous.0);
    bytes.extend_from_slice(&Member::pack(&link.members));
    Digest::of(bytes)
}

/// Whether a link's digest was written by who has the key.
pub fn is_authentic(link: &AuditLink, key: &MacKey) -> bool {
    hmac::verify(&key.key, &authenticated(link), &link.mac).is_ok()
}

fn authenticated(link: &AuditLink) -> Vec<u8> {
    [LINK, &link.digest.0].concat()
}

fn mac(key: &MacKey, of: &[u8]) -> [u8; 32] {
    let mut mac = [0; 32];
    mac.copy_from_slice(hmac::sign(&key.key, of).as_ref());
    mac
}

/// Says that the log begins after a link, by its number and digest; and, unless that is further, up to which one the keys
/// of its links were given up. Each link holds the digest of the one before, so with that one all of them are vouched for
/// as they are now. Where both are the same, it was a lost key as well that said how much was forgotten.
pub fn begin_after(
    (number, digest): (i64, Digest),
    unproven: Option<(i64, Digest)>,
    forgotten_at: Timestamp,
    key: &MacKey,
) -> Forgotten {
    let unproven = unproven.filter(|(last, _)| number <= *last);
    let mut forgotten = Forgotten { number, digest, unproven, forgotten_at, kid: key.kid, mac: [0; 32] };
    forgotten.mac = mac(key, &told(&forgotten));
    forgotten
}

/// Whether that was said by who has the key.
pub fn is_truly_forgotten(forgotten: &Forgotten, key: &MacKey) -> bool {
    hmac::verify(&key.key, &told(forgotten), &forgotten.mac).is_ok()
}

fn told(forgotten: &Forgotten) -> Vec<u8> {
    let at = forgotten.forgotten_at.timestamp_micros().to_be_bytes();
    let begins = [&forgotten.number.to_be_bytes()[..], &at, &forgotten.digest.0].concat();
    match forgotten.unproven {
        None => [FORGOTTEN, &begins].concat(),
        Some((last, digest)) => [BEGUN_ANEW, &begins, &last.to_be_bytes(), &digest.0].concat(),
    }
}
