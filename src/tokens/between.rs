//! What has to be known when a browser comes back, and is kept by nobody meanwhile: sealed into a form or a cookie, for
//! one kind of return, bound to the browser and to whoever it is about, and good for a few minutes.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{decode, encode};
use crate::{
    keys::{KeyError, ring::Ring, seal},
    model::{
        Timestamp,
        digest::Digest,
        key::{Kid, Purpose},
    },
};

/// The longest text that is opened.
pub const LENGTH_MAX: usize = 8 * 1024;

/// What the browser is to come back with. What was sealed for one opens for no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    /// A second factor, after the first.
    SecondStep,
    /// A passkey that was made.
    PasskeyMade,
    /// A passkey that is shown.
    PasskeyShown,
    /// The first code of an authenticator app.
    AppCode,
    /// The answer to an owner's own request.
    TryOut,
}

impl Return {
    fn place(self) -> &'static [u8] {
        match self {
            Self::SecondStep => b"between second step v1",
            Self::PasskeyMade => b"between passkey made v1",
            Self::PasskeyShown => b"between passkey shown v1",
            Self::AppCode => b"between app code v1",
            Self::TryOut => b"between try-out v1",
        }
    }
}

/// Field order is the order of its bytes.
#[derive(Serialize, Deserialize)]
struct Between<T> {
    /// Milliseconds since 1970.
    until: i64,
    browser: [u8; 16],
    what: T,
}

/// Seals something for a browser to come back with before a time.
pub fn write<T: Serialize>(
    ring: &Ring,
    back: Return,
    (browser, until): (&str, Timestamp),
    what: &T,
    (now, nonce): (Timestamp, [u8; 12]),
) -> Result<String, KeyError> {
    let between = Between { until: until.timestamp_millis(), browser: Digest::of(browser).short(), what };
    let plain = postcard::to_allocvec(&between).map_err(|_| KeyError::Refused)?;
    Ok(encode(&ring.sealing(Purpose::SealRequest)?.seal_for(back.place(), &plain, now, nonce)?))
}

/// Opens what was sealed for this return and browser, while it is good.
pub fn read<T: DeserializeOwned>(
    ring: &Ring,
    back: Return,
    (browser, now): (&str, Timestamp),
    text: &str,
) -> Option<T> {
    let sealed = decode(text).filter(|_| text.len() <= LENGTH_MAX)?;
    let key = ring.sealing_of(Purpose::SealRequest, seal::kid_of(&sealed)?)?;
    let between: Between<T> = postcard::from_bytes(&key.open_from(back.place(), &sealed)?).ok()?;
    let holds = now.timestamp_millis() < between.until && Digest::of(browser).begins_with(&between.browser);
    holds.then_some(between.what)
}

/// Which key a text claims to be sealed with.
pub fn kid(text: &str) -> Option<Kid> {
    seal::kid_of(&decode(text).filter(|_| text.len() <= LENGTH_MAX)?)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::keys::{master::MasterKey, ring};

    #[test]
    fn it_opens_for_its_return_in_its_browser_in_time() {
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let master = MasterKey::new([1; 32]);
        let ring = Ring::unwrap(&[MasterKey::new([1; 32])], &ring::first_keys(&master, now).unwrap(), now);
        let until = now + TimeDelta::minutes(5);
        let text = write(&ring, Return::SecondStep, ("browser", until), &7_u32, (now, [3; 12])).unwrap();
        let open = |back, browser, at| read::<u32>(&ring, back, (browser, at), &text);
        assert_eq!(open(Return::SecondStep, "browser", until - TimeDelta::milliseconds(1)), Some(7));
        assert_eq!(open(Return::SecondStep, "browser", until), None);
        assert_eq!(open(Return::SecondStep, "other", now), None);
        for other in [Return::PasskeyMade, Return::PasskeyShown, Return::AppCode, Return::TryOut] {
            assert_eq!(open(other, "browser", now), None, "{other:?}");
        }
        assert!(crate::tokens::request::read::<u32>(&ring, &text).is_none(), "it is no request in flight");
    }
}
