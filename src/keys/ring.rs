//! The ring: every working key, unwrapped, found by purpose for making and by `kid` for checking.

use std::{collections::HashMap, sync::Arc};

use aws_lc_rs::hmac;
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
        key::{KeyAlgorithm, KeyState, Kid, Purpose, WrappedKey},
    },
    random,
};

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

struct Held {
    purpose: Purpose,
    state: KeyState,
    active_at: Option<Timestamp>,
    retired_at: Option<Timestamp>,
    material: Material,
}

/// All working keys of one reading of the table.
pub struct Ring {
    keys: HashMap<Kid, Held>,
}

impl Ring {
    /// Unwraps every row.
    pub fn unwrap(masters: &[MasterKey], rows: &[WrappedKey]) -> Result<Self, KeyError> {
        let mut keys = HashMap::with_capacity(rows.len());
        for row in rows.iter().filter(|row| row.state != KeyState::Gone) {
            let (state, active_at, retired_at) = (row.state, row.active_at, row.retired_at);
            let material = read(row, &master::unwrap(masters, row)?)?;
            keys.insert(row.kid, Held { purpose: row.purpose, state, active_at, retired_at, material });
        }
        Ok(Self { keys })
    }

    /// Whether every purpose has an active key.
    pub fn is_complete(&self) -> bool {
        Purpose::ALL.iter().all(|&purpose| self.active(purpose).is_some())
    }

    fn active(&self, purpose: Purpose) -> Option<&Material> {
        let wanted = |held: &&Held| held.purpose == purpose && held.state == KeyState::Active;
        self.keys.values().find(wanted).map(|held| &held.material)
    }

    fn of(&self, purpose: Purpose, kid: Kid) -> Option<&Material> {
        self.keys.get(&kid).filter(|held| held.purpose == purpose).map(|held| &held.material)
    }

    /// Whether the key is known at all, for any purpose.
    pub fn knows(&self, kid: Kid) -> bool {
        self.keys.contains_key(&kid)
    }

    /// The key that signs new tokens.
    pub fn signing(&self) -> Result<&SigningKey, KeyError> {
        match self.active(Purpose::Sign) {
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
        let mut kids: Vec<_> = self.keys.iter().filter(|(_, held)| held.purpose == Purpose::Sign).collect();
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
        match self.active(Purpose::Mac) {
            Some(Material::Mac(key)) => Ok(key),
            _ => Err(KeyError::Missing("authenticate")),
        }
    }

    /// The key that authenticated new things at a past moment: a repeated answer must be the same to the byte.
    pub fn mac_at(&self, time: Timestamp) -> Result<&MacKey, KeyError> {
        let in_force = |held: &&Held| {
            held.purpose == Purpose::Mac
                && held.active_at.is_some_and(|since| since <= time)
                && held.retired_at.is_none_or(|until| time < until)
        };
        match self.keys.values().filter(in_force).max_by_key(|held| held.active_at).map(|held| &held.material) {
            Some(Material::Mac(key)) => Ok(key),
            _ => self.mac(),
        }
    }

    /// The key that authenticated something.
    pub fn mac_of(&self, kid: Kid) -> Option<&MacKey> {
        match self.of(Purpose::Mac, kid) {
            Some(Material::Mac(key)) => Some(key),
            _ => None,
        }
    }

    /// The key that seals new things for a purpose.
    pub fn sealing(&self, purpose: Purpose) -> Result<&SealingKey, KeyError> {
        match self.active(purpose) {
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

fn read(row: &WrappedKey, material: &[u8]) -> Result<Material, KeyError> {
    let unusable = KeyError::Unusable(row.kid);
    match (row.purpose, row.algorithm) {
        (Purpose::Sign, KeyAlgorithm::Es256) => {
            Ok(Material::Sign(Arc::new(SigningKey::from_pkcs8(row.kid, material)?)))
        }
        (Purpose::Mac, KeyAlgorithm::HmacSha256) if material.len() == 32 => {
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

/// Makes an active key for every purpose, wrapped by the master key: what a first start adds to the table.
pub fn first_keys(master: &MasterKey, now: Timestamp) -> Result<Vec<WrappedKey>, KeyError> {
    Purpose::ALL.iter().map(|&purpose| new_key(master, purpose, now)).collect()
}

fn new_key(master: &MasterKey, purpose: Purpose, now: Timestamp) -> Result<WrappedKey, KeyError> {
    let (algorithm, material) = match purpose {
        Purpose::Sign => (KeyAlgorithm::Es256, signing::generate()?),
        Purpose::Mac => (KeyAlgorithm::HmacSha256, Zeroizing::new(random::bytes::<32>().to_vec())),
        Purpose::SealCode | Purpose::SealRequest | Purpose::SealData => {
            (KeyAlgorithm::Aes256Gcm, Zeroizing::new(random::bytes::<32>().to_vec()))
        }
    };
    let mut row = WrappedKey {
        kid: Kid(u32::from_be_bytes(random::bytes())),
        purpose,
        algorithm,
        state: KeyState::Active,
        master: String::new(),
        wrapped: Vec::new(),
        created_at: now,
        active_at: Some(now),
        retired_at: None,
    };
    master.wrap(&mut row, &material, random::bytes())?;
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    #[test]
    fn a_first_start_makes_a_complete_ring() {
        let master = MasterKey::new([1; 32]);
        let rows = first_keys(&master, now()).unwrap();
        let ring = Ring::unwrap(&[MasterKey::new([9; 32]), master], &rows).unwrap();
        assert!(ring.is_complete());
        assert_eq!(ring.jwks().len(), 1);
        assert_eq!(ring.mac_at(now()).unwrap().kid, ring.mac().unwrap().kid);
    }

    #[test]
    fn a_row_opens_only_in_its_own_place_and_under_its_own_master() {
        let master = MasterKey::new([1; 32]);
        let mut rows = first_keys(&master, now()).unwrap();
        assert!(matches!(Ring::unwrap(&[MasterKey::new([2; 32])], &rows), Err(KeyError::UnknownMaster { .. })));
        let code = rows.iter().position(|row| row.purpose == Purpose::SealCode).unwrap();
        let data = rows.iter().position(|row| row.purpose == Purpose::SealData).unwrap();
        rows[data].wrapped = rows[code].wrapped.clone();
        assert!(matches!(Ring::unwrap(&[master], &rows), Err(KeyError::Tampered(_))));
    }
}
