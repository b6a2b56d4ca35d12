//! What a new password must be (NIST SP 800-63B-4 §3.1.1.2): long enough, and none that a guesser tries first. No
//! rules of composition, nothing cut off, no change by the calendar. Whatever a person has already stays good.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// Longest password read, in bytes. Argon2 takes any length; this bounds a request.
pub const LENGTH_MAX: usize = 1024;

/// The shortest an operator may allow, in characters: the standard's for a password beside a second factor.
pub const LENGTH_MIN_LOWEST: usize = 8;

/// The shortest by default: the standard's for a password that is the only factor. Nobody is asked for a second one
/// unless they or a scope want it, so the password of most people stands alone.
pub const LENGTH_MIN: usize = 15;

/// A password that is found within so many guesses counts as known. What the guesser has is a list of 30 000 passwords
/// people use, of words and names, of keyboard walks, dates, sequences and repetitions, and what is known of them.
const GUESSES_MIN: u64 = 100_000_000;

/// The shortest word about a person that is held against a password: shorter ones stand in every other by chance.
const WORD_LENGTH_MIN: usize = 3;

/// Why a password will not do; each has words of its own on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// Too short.
    #[error("a password must have at least {length_min} characters")]
    TooShort {
        /// The shortest that will do, in characters.
        length_min: usize,
    },
    /// Longer than [`LENGTH_MAX`] bytes.
    #[error("a password may have at most {LENGTH_MAX} bytes")]
    TooLong,
    /// One of those that everybody tries first.
    #[error("this password is among the first that anybody would guess; choose another, such as a few unrelated words")]
    Known,
    /// Made of the person's name or address, or the server's name.
    #[error("this password is made of names that anybody can know; choose another, such as a few unrelated words")]
    Personal,
}

/// A password as it is hashed: the same characters are the same bytes, from whatever keyboard (UAX #15, NFKC).
pub(super) fn normalised(password: &str) -> Zeroizing<String> {
    Zeroizing::new(password.nfkc().collect())
}

/// Whether a new password will do. `about` is what is known of the person and the server: names and addresses.
pub fn judge(password: &str, length_min: usize, about: &[&str]) -> Result<(), Unfit> {
    if password.len() > LENGTH_MAX {
        return Err(Unfit::TooLong);
    }
    let password = normalised(password);
    if password.chars().count() < length_min {
        return Err(Unfit::TooShort { length_min });
    }
    if is_guessed(&password, &[]) {
        return Err(Unfit::Known);
    }
    let words = words(about);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if !words.is_empty() && is_guessed(&password, &words) { Err(Unfit::Personal) } else { Ok(()) }
}

fn is_guessed(password: &str, words: &[&str]) -> bool {
    zxcvbn::zxcvbn(password, words).guesses() < GUESSES_MIN
}

/// Each text as a whole and each word in it, in lower case.
fn words(about: &[&str]) -> Vec<String> {
    let whole = about.iter().copied();
    let parts = about.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()));
    let long_enough = |word: &&str| word.chars().count() >= WORD_LENGTH_MIN;
    whole.chain(parts).filter(long_enough).map(str::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: &[&str] = &["Ada Lovelace", "ada.lovelace@example.com", "Example Accounts"];

    fn judged(password: &str) -> Result<(), Unfit> {
        judge(password, LENGTH_MIN, ABOUT)
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        assert_eq!(judged("fourteen chars"), Err(Unfit::TooShort { length_min: 15 }));
        assert_eq!(judged("日本語の長い合言葉です"), Err(Unfit::TooShort { length_min: 15 }));
        assert_eq!(judged("庭の池に鯉が三匹と亀が一匹いる"), Ok(()));
        // An e with an accent is one character, however it was typed.
        assert_eq!(judged(&"e\u{301}".repeat(14)), Err(Unfit::TooShort { length_min: 15 }));
        assert_eq!(judged(&"kV9 ".repeat(300)), Err(Unfit::TooLong));
        assert_eq!(judge("vkq3 tzm", 8, &[]), Ok(()));
    }

    #[test]
    fn there_are_no_rules_of_composition() {
        for password in [
            "correct horse battery staple",
            "mir ist heute nach regen zumute",
            "4071 8852 9936 1207",
            "🐌🧵🪐🥨🌶🛶🪗🦔🧦🫖🪁🧭🪺🦩🧀",
        ] {
            assert_eq!(judged(password), Ok(()), "{password}");
        }
        let longest: String = (0_u32..).map(|number| (number * 7919 % 1000).to_string()).take(300).collect();
        assert_eq!(judged(&longest), Ok(()), "and nothing is too long to be looked at");
    }

    #[test]
    fn what_everybody_tries_first_will_not_do() {
        for password in [
            "passwordpassword",
            "Password12345678",
            "p4ssw0rdp4ssw0rd",
            "123456789012345",
            "qwertyuiopasdfgh",
            "aaaaaaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "abcdefghijklmnopq",
        ] {
            assert_eq!(judged(password), Err(Unfit::Known), "{password}");
        }
        for password in ["trustno1", "iloveyou", "football1"] {
            assert_eq!(judge(password, LENGTH_MIN_LOWEST, &[]), Err(Unfit::Known), "{password}");
        }
    }

    #[test]
    fn names_that_anybody_can_know_will_not_do() {
        for password in ["ada.lovelace@example.com", "Ada Lovelace 1"] {
            assert_eq!(judge(password, LENGTH_MIN_LOWEST, ABOUT), Err(Unfit::Personal), "{password}");
            assert_eq!(judge(password, LENGTH_MIN_LOWEST, &[]), Ok(()), "{password}");
        }
        assert_eq!(judged("ada reads while snow falls on tin"), Ok(()), "a name may stand in a long one");
    }
}
