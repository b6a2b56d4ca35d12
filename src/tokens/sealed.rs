//! Texts that come back to this server by way of a browser and somebody else, sealed and bound to what they are for: one
//! kind never opens as another, nor as a request in flight.

use serde::{Serialize, de::DeserializeOwned};

use super::{decode, encode};
use crate::{
    keys::{KeyError, ring::Ring, seal},
    model::{
        Timestamp,
        key::{Kid, Purpose},
    },
};

/// The longest text that is opened: a request in flight fits in, with what is added to it.
pub const LENGTH_MAX: usize = 28 * 1024;

/// What a sealed text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `state`, which a person leaves for a provider with.
    Departure,
    /// An identity that could be linked, while its owner signs in.
    Offer,
}

impl Kind {
    fn place(self) -> &'static [u8] {
        match self {
            Self::Departure => b"consentry departure v1",
            Self::Offer => b"consentry offer v1",
        }
    }
}

/// Seals.
pub fn write<T: Serialize>(
    ring: &Ring,
    kind: Kind,
    value: &T,
    (now, nonce): (Timestamp, [u8; 12]),
) -> Result<String, KeyError> {
    let plain = postcard::to_allocvec(value).map_err(|_| KeyError::Refused)?;
    Ok(encode(&ring.sealing(Purpose::SealRequest)?.seal_for(kind.place(), &plain, now, nonce)?))
}

/// Opens what this installation sealed for the same; anything else is `None`. Says nothing about age or browser.
pub fn read<T: DeserializeOwned>(ring: &Ring, kind: Kind, text: &str) -> Option<T> {
    let sealed = decode(text).filter(|_| text.len() <= LENGTH_MAX)?;
    let key = ring.sealing_of(Purpose::SealRequest, seal::kid_of(&sealed)?)?;
    postcard::from_bytes(&key.open_from(kind.place(), &sealed)?).ok()
}

/// Which key a text claims to be sealed with.
pub fn kid(text: &str) -> Option<Kid> {
    seal::kid_of(&decode(text).filter(|_| text.len() <= LENGTH_MAX)?)
}

/// Random bytes as a text that nobody guesses: a nonce, or a PKCE verifier (RFC 7636 §4.1).
pub fn unguessable(random: [u8; 32]) -> String {
    encode(&random)
}
