//! The ring: every working key, unwrapped, found by purpose for making and by `kid` for checking.
//!
//! It is resolved as of an instant: which key makes new things follows from the times of all (`model::key`), so a ring is
//! made anew by [`Ring::at`] as time goes on, without unwrapping anything again.

use std::{collections::HashMap, sync::Arc};

use aws_lc_rs::hmac;
use chrono::TimeDelta;
use zeroize::Zeroizing;

use super::{
    KeyError,
    master::{self, MasterKey},
    seal::SealingKey,
    signing::{self, Jwk, SigningKey},
};
use crate::{
    model::{
        Timestamp,
        key::{KeyAlgorithm, Kid, Purpose, WrappedKey},
        public_key::SigningAlgorithm,
    },
    random,
};

/// For so long a process that was held up may still come with what it made with a key that another one took over from: a
/// link of the audit log, or a row that keeps something sealed.
pub const IN_HAND: TimeDelta = TimeDelta::hours(1);

/// A key that authenticates.
#[derive(Clone)]
pub struct MacKey {
    /// Its name in what it authenticated.
    pub kid: Kid,
    /// HMAC-SHA-256.
    pub key: hmac::Key,
}

#[derive(Clone)]
enum Material {
    Sign(Arc<SigningKey>),
    Mac(Arc<MacKey>),
    Seal(Arc<SealingKey>),
}

#[derive(Clone)]
struct Held {
    purpose: Purpose,
    algorithm: KeyAlgorithm,
    active_at: Timestamp,
    retired_at: Option<Timestamp>,
    needed_until: Option<Timestamp>,
    material: Material,
}

/// A row that is not in the ring, and why.
#[derive(Debug)]
pub struct Unreadable {
    /// Its name.
    pub kid: Kid,
    /// What it is for.
    pub purpose: Purpose,
    /// What is wrong with it.
    pub error: KeyError,
}

/// All working keys of one reading of the table, as of an instant.
#[derive(Clone)]
pub struct Ring {
    keys: Arc<HashMap<Kid, Held>>,
    unreadable: Arc<Vec<Unreadable>>,
    as_of: Timestamp,
}

impl Ring {
    /// Unwraps every row that opens; the others are kept out, so that one row that another node wrapped with a master
    /// key that is not known here takes nothing away from all the rest.
    pub fn unwrap(masters: &[MasterKey], rows: &[WrappedKey], now: Timestamp) -> Self {
        Self { keys: Arc::default(), unreadable: Arc::default(), as_of: now }.read_again(masters, rows, now)
    }

    /// The ring of another reading. Only what was not known is unwrapped: a row's material never changes.
    #[must_use]
    pub fn read_again(&self, masters: &[MasterKey], rows: &[WrappedKey], now: Timestamp) -> Self {
        let (mut keys, mut unreadable) = (HashMap::with_capacity(rows.len()), Vec::new());
        for row in rows.iter().filter(|row| row.gone_at.is_none()) {
            let material = match self.keys.get(&row.kid) {
                Some(held) => Ok(held.material.clone()),
                None => master::unwrap(masters, row).and_then(|material| read(row, &material)),
            };
            let (purpose, algorithm, active_at) = (row.purpose, row.algorithm, row.active_at);
            let (retired_at, needed_until) = (row.retired_at, row.needed_until);
            match material {
                Ok(material) => {
                    let held = Held { purpose, algorithm, active_at, retired_at, needed_until, material };
                    keys.insert(row.kid, held);
                }
                Err(error) => unreadable.push(Unreadable { kid: row.kid, purpose, error }),
            }
        }
        Self { keys: Arc::new(keys), unreadable: Arc::new(unreadable), as_of: now }
    }

    /// The same keys, as of another instant.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self { as_of: now, ..self.clone() }
    }

    /// The instant it is resolved for.
    pub fn as_of(&self) -> Timestamp {
        self.as_of
    }

    /// The rows that are kept out.
    pub fn unreadable(&self) -> &[Unreadable] {
        &self.unreadable
    }

    /// The purposes that lack a key for new things.
    pub fn lacking(&self) -> Vec<Purpose> {
        let lacks = |purpose: &Purpose| self.in_force(*purpose, purpose.algorithm(), self.as_of).is_none();
        Purpose::ALL.iter().copied().filter(lacks).collect()
    }

    /// The key that makes new things. Where the one that took over does not open here, that is the one before: what it makes
    /// is taken everywhere for as long as it is needed. Not so for what rows keep: its old key goes as soon as no row is
    /// sealed with it.
    fn active(&self, purpose: Purpose, algorithm: KeyAlgorithm) -> Option<&Material> {
        let before = || if purpose == Purpose::SealData { None } else { self.before(purpose, algorithm) };
        self.in_force(purpose, algorithm, self.as_of).or_else(before)
    }

    /// The last key that has begun and is still needed, whether another one took over or not. One that was replaced before
    /// it began never was in use; and no link of the audit log is believed that is made with one that was replaced long ago
    /// (`chaining_of`), so none is made then.
    fn before(&self, purpose: Purpose, algorithm: KeyAlgorithm) -> Option<&Material> {
        let is_good = |held: &&Held| {
            held.purpose == purpose
                && held.algorithm == algorithm
                && held.active_at <= self.as_of
                && held.retired_at.is_none_or(|until| held.active_at < until)
                && held.is_needed(self.as_of)
                && (purpose != Purpose::Audit || held.retired_at.is_none_or(|until| self.as_of <= until + IN_HAND))
        };
        self.keys.values().filter(is_good).max_by_key(|held| held.active_at).map(|held| &held.material)
    }

    /// The key that made new things at an instant. Before the first began, that one did: it was made by a node whose
    /// clock is ahead of this one's.
    fn in_force(&self, purpose: Purpose, algorithm: KeyAlgorithm, time: Timestamp) -> Option<&Material> {
        let first = || self.not_retired(purpose, algorithm, time).min_by_key(|held| held.active_at);
        self.begun(purpose, algorithm, time).or_else(|| first().map(|held| &held.material))
    }

    /// The same, if any has begun.
    fn begun(&self, purpose: Purpose, algorithm: KeyAlgorithm, time: Timestamp) -> Option<&Material> {
        let begun = self.not_retired(purpose, algorithm, time).filter(|held| held.active_at <= time);
        begun.max_by_key(|held| held.active_at).map(|held| &held.material)
    }

    fn not_retired(&self, purpose: Purpose, algorithm: KeyAlgorithm, time: Timestamp) -> impl Iterator<Item = &Held> {
        let is_of_kind = move |held: &&Held| held.purpose == purpose && held.algorithm == algorithm;
        let not_retired = move |held: &&Held| held.retired_at.is_none_or(|until| time < until);
        self.keys.values().filter(is_of_kind).filter(not_retired)
    }

    /// What a key that somebody names may be checked with: until nothing that it made can come back.
    fn of(&self, purpose: Purpose, kid: Kid) -> Option<&Material> {
        let held = self.keys.get(&kid).filter(|held| held.purpose == purpose && held.is_needed(self.as_of))?;
        Some(&held.material)
    }

    /// Whether the key is known at all, for any purpose.
    pub fn knows(&self, kid: Kid) -> bool {
        self.keys.contains_key(&kid)
    }

    /// The key that signs new tokens with an algorithm. As long as the first one of an algorithm is only published, tokens
    /// are signed with the one that is always there.
    pub fn signing(&self, algorithm: SigningAlgorithm) -> Result<&SigningKey, KeyError> {
        let asked = self.begun(Purpose::Sign, algorithm.into(), self.as_of);
        let asked = asked.or_else(|| self.before(Purpose::Sign, algorithm.into()));
        match asked.or_else(|| self.active(Purpose::Sign, Purpose::Sign.algorithm())) {
            Some(Material::Sign(key)) => Ok(key),
            _ => Err(KeyError::Missing("sign")),
        }
    }

    /// The key that signed something.
    pub fn signing_of(&self, kid: Kid) -> Option<&SigningKey> {
        match self.of(Purpose::Sign, kid) {
            Some(Material::Sign(key)) => Some(key),
            _ => None,
        }
    }

    /// The public halves of all signing keys, for the JWKS; `next` ones too, so that they are known before use.
    pub fn jwks(&self) -> Vec<&Jwk> {
        let published = |held: &Held| held.purpose == Purpose::Sign && held.is_needed(self.as_of);
        let mut kids: Vec<_> = self.keys.iter().filter(|(_, held)| published(held)).collect();
        kids.sort_by_key(|(kid, _)| **kid);
        kids.into_iter()
            .filter_map(|(_, held)| match &held.material {
                Material::Sign(key) => Some(key.jwk()),
                _ => None,
            })
            .collect()
    }

    /// The key that authenticates new things.
    pub fn mac(&self) -> Result<&MacKey, KeyError> {
        self.mac_at(self.as_of)
    }

    /// The key that authenticated new things at a past moment: a repeated answer must be the same to the byte.
    pub fn mac_at(&self, time: Timestamp) -> Result<&MacKey, KeyError> {
        let algorithm = Purpose::Mac.algorithm();
        let usable = |material: Option<&Material>| match material {
            Some(Material::Mac(key)) => self.mac_of(key.kid).is_some(),
            _ => false,
        };
        let then = self.in_force(Purpose::Mac, algorithm, time);
        // One that is not needed any more would make what nobody takes: whoever repeats so late gets a new answer.
        let then = if usable(then) { then } else { self.active(Purpose::Mac, algorithm) };
        match then {
            Some(Material::Mac(key)) => Ok(key),
            _ => Err(KeyError::Missing("authenticate")),
        }
    }

    /// The key that labels what is counted about somebody: the oldest that is kept, so that a change of keys does not
    /// forget who has failed how often.
    pub fn labelling(&self) -> Result<&MacKey, KeyError> {
        let usable = |held: &&Held| held.purpose == Purpose::Mac && held.is_needed(self.as_of);
        match self.keys.values().filter(usable).min_by_key(|held| held.active_at).map(|held| &held.material) {
            Some(Material::Mac(key)) => Ok(key),
            _ => Err(KeyError::Missing("label")),
        }
    }

    /// The key that authenticated something.
    pub fn mac_of(&self, kid: Kid) -> Option<&MacKey> {
        match self.of(Purpose::Mac, kid) {
            Some(Material::Mac(key)) => Some(key),
            _ => None,
        }
    }

    /// The key that authenticates new links of the audit log.
    pub fn chaining(&self) -> Result<&MacKey, KeyError> {
        match self.active(Purpose::Audit, Purpose::Audit.algorithm()) {
            Some(Material::Mac(key)) => Ok(key),
            _ => Err(KeyError::Missing("chain the audit log")),
        }
    }

    /// The key that authenticated a link of the audit log at a time: none where another one had long taken over by then.
    /// Whoever has a key that was replaced makes no link with it.
    pub fn chaining_of(&self, kid: Kid, time: Timestamp) -> Option<&MacKey> {
        let held = self.keys.get(&kid)?;
        match self.of(Purpose::Audit, kid) {
            Some(Material::Mac(key)) if held.retired_at.is_none_or(|until| time <= until + IN_HAND) => Some(key),
            _ => None,
        }
    }

    /// The key that seals new things for a purpose.
    pub fn sealing(&self, purpose: Purpose) -> Result<&SealingKey, KeyError> {
        match self.active(purpose, purpose.algorithm()) {
            Some(Material::Seal(key)) => Ok(key),
            _ => Err(KeyError::Missing(purpose.as_str())),
        }
    }

    /// The key that sealed something for a purpose.
    pub fn sealing_of(&self, purpose: Purpose, kid: Kid) -> Option<&SealingKey> {
        match self.of(purpose, kid) {
            Some(Material::Seal(key)) => Some(key),
            _ => None,
        }
    }
}

impl Held {
    fn is_needed(&self, now: Timestamp) -> bool {
        self.needed_until.is_none_or(|until| now < until)
    }
}

fn read(row: &WrappedKey, material: &[u8]) -> Result<Material, KeyError> {
    let unusable = KeyError::Unusable(row.kid);
    match (row.purpose, row.algorithm) {
        (Purpose::Sign, KeyAlgorithm::Es256 | KeyAlgorithm::Rs256 | KeyAlgorithm::EdDsa) => {
            Ok(Material::Sign(Arc::new(SigningKey::from_pkcs8(row.kid, row.algorithm, material)?)))
        }
        (Purpose::Mac | Purpose::Audit, KeyAlgorithm::HmacSha256) if material.len() == 32 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, material);
            Ok(Material::Mac(Arc::new(MacKey { kid: row.kid, key })))
        }
        (Purpose::SealCode | Purpose::SealRequest | Purpose::SealData, KeyAlgorithm::Aes256Gcm) => {
            let bytes = material.try_into().map_err(|_| unusable)?;
            Ok(Material::Seal(Arc::new(SealingKey::new(row.kid, row.purpose, bytes))))
        }
        _ => Err(unusable),
    }
}

/// Makes a key for every purpose, in use at once and wrapped by the master key: what a first start adds to the table.
pub fn first_keys(master: &MasterKey, now: Timestamp) -> Result<Vec<WrappedKey>, KeyError> {
    Purpose::ALL.iter().map(|&purpose| new_key(master, (purpose, purpose.algorithm()), now, now)).collect()
}

/// Makes a key that is used from a time on, wrapped by the master key.
pub fn new_key(
    master: &MasterKey,
    (purpose, algorithm): (Purpose, KeyAlgorithm),
    now: Timestamp,
    active_at: Timestamp,
) -> Result<WrappedKey, KeyError> {
    let material = match algorithm {
        KeyAlgorithm::Es256 | KeyAlgorithm::Rs256 | KeyAlgorithm::EdDsa => signing::generate(algorithm)?,
        KeyAlgorithm::HmacSha256 | KeyAlgorithm::Aes256Gcm => Zeroizing::new(random::bytes::<32>().to_vec()),
    };
    let mut row = WrappedKey {
        kid: Kid(u32::from_be_bytes(random::bytes())),
        purpose,
        algorithm,
        master: String::new(),
        wrapped: Vec::new(),
        created_at: now,
        active_at,
        retired_at: None,
        needed_until: None,
        gone_at: None,
    };
    master.wrap(&mut row, &material, random::bytes())?;
    Ok(row)
}

#[cfg(test)]
mod tests;
