//! Placeholders: texts that samples show where a secret belongs, and that are left there by accident.
//!
//! Asked by `config` for master keys and passwords, and by `protocol::manifest` for verification tokens.

/// Whole texts that nobody drew at random; compared without case and punctuation.
const WHOLE: &[&str] = &[
    "",
    "secret",
    "password",
    "passw0rd",
    "token",
    "test",
    "testing",
    "admin",
    "default",
    "none",
    "null",
    "todo",
    "abc",
    "letmein",
    "qwerty",
    "masterkey",
    "mysecret",
    "mytoken",
    "clientsecret",
    "verificationtoken",
];

/// Beginnings that give a placeholder away whatever follows.
const BEGINNINGS: &[&str] = &["abc123", "your", "insert", "dummy", "example", "sample", "fixme", "enter", "paste"];

/// Parts that give a placeholder away wherever they stand; long enough not to occur in 32 random bytes.
const PARTS: &[&str] = &[
    "changeme",
    "changethis",
    "replaceme",
    "replacethis",
    "replacewith",
    "placeholder",
    "yoursecret",
    "yourtoken",
    "verificationtoken",
    "notasecret",
    "1234567890",
    "0123456789",
];

/// Whether a text is what people write where a secret is still to come.
pub fn looks_like_one(text: &str) -> bool {
    let text = text.trim();
    let bracketed = [("<", ">"), ("${", "}"), ("{{", "}}"), ("[", "]"), ("%", "%")]
        .iter()
        .any(|(open, close)| text.starts_with(open) && text.ends_with(close));
    let bare: String = text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    bracketed
        || WHOLE.contains(&bare.as_str())
        || BEGINNINGS.iter().any(|beginning| bare.starts_with(beginning))
        || PARTS.iter().any(|part| bare.contains(part))
        || is_one_run(&bare)
}

/// `00000000`, `xxxxxxxx`, `12345678`, `abcdefgh`: each character the same as, or the next after, the one before.
fn is_one_run(text: &str) -> bool {
    let steps = |by: u8| text.as_bytes().windows(2).all(|pair| pair[1] == pair[0].wrapping_add(by));
    steps(0) || steps(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_samples_show_is_recognised() {
        for text in [
            "",
            "changeme",
            "CHANGE_ME",
            "please-change-me",
            "REPLACE_ME",
            "Replace_this_string_with_the_verification_token",
            "placeholder",
            "abc123456",
            "secret",
            "<verification token>",
            "${TOKEN}",
            "{{ token }}",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "00000000000000000000000000000000",
            "12345678",
            "your-token-here",
            " todo ",
        ] {
            assert!(looks_like_one(text), "{text:?}");
        }
    }

    #[test]
    fn what_was_drawn_at_random_is_not() {
        for text in [
            "d1f4c6e0a2b94f7e8d35b1c09a7e6f21",
            "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=",
            "5f2c8e1b",
            "vt_Zk3mP0xQ7LrT",
        ] {
            assert!(!looks_like_one(text), "{text:?}");
        }
    }
}
