//! The parameter `r`: an authorization request in flight, sealed, so that tabs, reload and back work and nothing is
//! stored. Bound to the browser until sign-in, from then on to session and account.

use serde::{Serialize, de::DeserializeOwned};

use super::{decode, encode};
use crate::{
    keys::{KeyError, ring::Ring, seal},
    model::{
        Timestamp,
        key::{Kid, Purpose},
    },
};

/// The longest text that is opened at all: room for a request whose every parameter is as long as it may be, or one
/// could be begun that cannot be gone on with.
pub const LENGTH_MAX: usize = 24 * 1024;

/// Seals what a request in flight consists of.
pub fn write<T: Serialize>(ring: &Ring, request: &T, now: Timestamp, nonce: [u8; 12]) -> Result<String, KeyError> {
    let plain = postcard::to_allocvec(request).map_err(|_| KeyError::Refused)?;
    Ok(encode(&ring.sealing(Purpose::SealRequest)?.seal(&plain, now, nonce)?))
}

/// Opens what this installation sealed; anything else is `None`. Says nothing about age or binding.
pub fn read<T: DeserializeOwned>(ring: &Ring, text: &str) -> Option<T> {
    let sealed = decode(text).filter(|_| text.len() <= LENGTH_MAX)?;
    let plain = ring.sealing_of(Purpose::SealRequest, seal::kid_of(&sealed)?)?.open(&sealed)?;
    postcard::from_bytes(&plain).ok()
}

/// Which key a text claims to be sealed with.
pub fn kid(text: &str) -> Option<Kid> {
    seal::kid_of(&decode(text).filter(|_| text.len() <= LENGTH_MAX)?)
}
