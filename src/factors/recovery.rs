//! Recovery codes: what a person writes down for the day on which their other factors are lost. 80 random bits each, so
//! that a digest is enough to keep.

use crate::{model::digest::Digest, random};

/// How many are made at a time.
pub const COUNT: usize = 10;

/// Letters and digits that are not taken for one another (those of RFC 4648, in lower case).
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
const LENGTH: usize = 16;
const GROUP: usize = 4;

/// Makes them: as they are shown, once.
pub fn make() -> Vec<String> {
    (0..COUNT).map(|_| written(random::bytes())).collect()
}

fn written(random: [u8; LENGTH]) -> String {
    let letters = random.map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    letters.chunks(GROUP).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// What is kept of a code, however it was typed; none for what is no code.
pub fn digest(typed: &str) -> Option<Digest> {
    let code: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_lowercase();
    let is_one = code.len() == LENGTH && code.bytes().all(|b| ALPHABET.contains(&b));
    is_one.then(|| Digest::of(format!("consentry recovery code v1 {code}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let codes = make();
        assert_eq!(codes.len(), COUNT);
        for code in codes {
            let kept = digest(&code).unwrap();
            assert!(kept == digest(&code.to_uppercase().replace('-', " ")).unwrap());
            assert!(kept != digest(&written(random::bytes())).unwrap());
            assert_eq!(code.len(), LENGTH + 3);
        }
        for none in ["", "287082", "abcd-efgh-abcd-efg", "abcd-efgh-abcd-efg1", "äbcd-efgh-abcd-efgh"] {
            assert!(digest(none).is_none(), "{none}");
        }
    }
}
