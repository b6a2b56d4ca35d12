//! The text of an authorization code: `cst_ac_` and the sealed [`AuthorizationCode`].

use super::{decode, encode};
use crate::{
    keys::{KeyError, ring::Ring, seal},
    model::{
        Timestamp,
        code::AuthorizationCode,
        key::{Kid, Purpose},
    },
};

const PREFIX: &str = "cst_ac_";

/// The longest text; a client may be asked for no more (whatever it asked for itself).
pub const LENGTH_MAX: usize = 512;

/// Writes a code.
pub fn write(ring: &Ring, code: &AuthorizationCode, now: Timestamp, nonce: [u8; 12]) -> Result<String, KeyError> {
    let plain = postcard::to_allocvec(code).map_err(|_| KeyError::Refused)?;
    let sealed = ring.sealing(Purpose::SealCode)?.seal(&plain, now, nonce)?;
    Ok(format!("{PREFIX}{}", encode(&sealed)))
}

/// Which key a text claims to be sealed with.
pub fn kid(text: &str) -> Option<Kid> {
    seal::kid_of(&bytes(text)?)
}

/// Reads a code this installation wrote; anything else is `None`. Says nothing about expiry or use.
pub fn read(ring: &Ring, text: &str) -> Option<AuthorizationCode> {
    let sealed = bytes(text)?;
    let plain = ring.sealing_of(Purpose::SealCode, seal::kid_of(&sealed)?)?.open(&sealed)?;
    postcard::from_bytes(&plain).ok()
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    decode(text.strip_prefix(PREFIX).filter(|_| text.len() <= LENGTH_MAX)?)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        keys::{master::MasterKey, ring},
        model::{family::Birth, id},
    };

    #[test]
    fn the_largest_code_fits_and_comes_back() {
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let master = MasterKey::new([3; 32]);
        let ring = Ring::unwrap(std::slice::from_ref(&master), &ring::first_keys(&master, now).unwrap(), now);
        let code = AuthorizationCode {
            id: id::FamilyId(Uuid::max()),
            account_id: id::AccountId(Uuid::max()),
            client_id: id::ClientId(Uuid::max()),
            consent_id: id::ConsentId(Uuid::max()),
            resource_id: id::ResourceId(Uuid::max()),
            birth: Birth { account: i64::MAX, client: i64::MAX, consent: i64::MAX },
            redirect_uri: [255; 16],
            scopes: u128::MAX,
            code_challenge: Some([255; 32]),
            auth_time: i64::MAX,
            expires_at: i64::MAX,
        };
        let text = write(&ring, &code, now, [1; 12]).unwrap();
        assert!(text.len() <= LENGTH_MAX, "{}", text.len());
        assert_eq!(read(&ring, &text), Some(code));
        assert_eq!(read(&ring, &text[..text.len() - 1]), None);
        assert_eq!(read(&ring, &format!("{text}=")), None);
    }
}
