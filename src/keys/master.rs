//! Master keys: they live outside the database and wrap only the table of working keys.
//!
//! The first of the list wraps, all unwrap, so that a new one can be listed second on every node before it is first
//! on any. Wrapping is AES-256-GCM whose associated data names purpose, table, row and version: a row's material
//! cannot be moved to another row or taken for another kind.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::{Zeroize, Zeroizing};

use super::KeyError;
use crate::model::{digest::Digest, key::WrappedKey};

/// A master key and the short name rows remember it by.
#[derive(Clone)]
pub struct MasterKey {
    id: String,
    bytes: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "MasterKey({})", self.id)
    }
}

impl MasterKey {
    /// Takes 32 random bytes.
    pub fn new(mut bytes: [u8; 32]) -> Self {
        // The id is a digest under a label of its own: it tells two keys apart and nothing about either.
        let labelled = [b"consentry master key id v1".as_slice(), &bytes].concat();
        let digest = Digest::of(&*Zeroizing::new(labelled)).0;
        let id = format!("{:08x}", u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]));
        let key = Self { id, bytes: Zeroizing::new(bytes) };
        bytes.zeroize();
        key
    }

    /// The name rows remember it by: eight hexadecimal digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn aead(&self) -> Result<LessSafeKey, KeyError> {
        let key = UnboundKey::new(&AES_256_GCM, self.bytes.as_slice()).map_err(|_| KeyError::Refused)?;
        Ok(LessSafeKey::new(key))
    }

    /// Wraps key material into the row, under a nonce that has never been used with this key.
    pub fn wrap(&self, row: &mut WrappedKey, material: &[u8], nonce: [u8; 12]) -> Result<(), KeyError> {
        let mut sealed = material.to_vec();
        self.aead()?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place(row), &mut sealed)
            .map_err(|_| KeyError::Refused)?;
        row.wrapped = [nonce.as_slice(), &sealed].concat();
        row.master.clone_from(&self.id);
        Ok(())
    }
}

/// Unwraps a row's material with whichever master key wrapped it.
pub fn unwrap(masters: &[MasterKey], row: &WrappedKey) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let master = masters
        .iter()
        .find(|master| master.id == row.master)
        .ok_or_else(|| KeyError::UnknownMaster { kid: row.kid, master: row.master.clone() })?;
    let (nonce, sealed) = row.wrapped.split_at_checked(12).ok_or(KeyError::Tampered(row.kid))?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyError::Tampered(row.kid))?;
    let mut material = Zeroizing::new(sealed.to_vec());
    let length =
        master.aead()?.open_in_place(nonce, place(row), &mut material).map_err(|_| KeyError::Tampered(row.kid))?.len();
    material.truncate(length);
    Ok(material)
}

/// The row as the first of the master keys wraps it; none where it does already.
pub fn rewrap(masters: &[MasterKey], row: &WrappedKey, nonce: [u8; 12]) -> Result<Option<WrappedKey>, KeyError> {
    let Some(first) = masters.first().filter(|first| first.id != row.master) else { return Ok(None) };
    let material = unwrap(masters, row)?;
    let mut row = row.clone();
    first.wrap(&mut row, &material, nonce)?;
    Ok(Some(row))
}

fn place(row: &WrappedKey) -> Aad<String> {
    let (kid, purpose, algorithm) = (row.kid, row.purpose.as_str(), row.algorithm.as_str());
    Aad::from(format!("consentry wrap v1 working_keys/{kid}/wrapped {purpose} {algorithm}"))
}
