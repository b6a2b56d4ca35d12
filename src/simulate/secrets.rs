//! Masking by value: what was typed in and what a server gave. A server may say any of it back anywhere, in a page, a
//! challenge or an error, so whatever is told is searched for all of it.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use url::form_urlencoded;

use super::masked::shortened;

/// Shorter ones would be found in words that have nothing to do with them.
const CHARACTERS_MIN: usize = 8;

/// Secrets in each of the ways they may be written. They do not print.
#[derive(Default)]
pub struct Secrets(Mutex<Vec<(String, String)>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secrets(hidden)")
    }
}

impl Secrets {
    /// Hides this text from now on.
    pub fn learn(&self, secret: &str) {
        if secret.chars().count() < CHARACTERS_MIN {
            return;
        }
        let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let json = Value::from(secret).to_string();
        let written = [secret.to_owned(), form.replace('+', "%20"), form, json.trim_matches('"').to_owned()];
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(written.into_iter().map(|text| (text, shortened(secret))));
        // One may be part of another: the longer one goes first.
        known.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        known.dedup();
    }

    /// The text without them.
    pub fn out_of(&self, text: &str) -> String {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().fold(text.to_owned(), |text, (secret, mask)| text.replace(secret.as_str(), mask))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_secret_is_found_however_it_is_written() {
        let secrets = Secrets::default();
        let password = "a \"good\" pässword";
        secrets.learn(password);
        secrets.learn("short");
        for text in [
            format!("you typed {password}!"),
            format!("{}", Value::from(password)),
            "a+%22good%22+p%C3%A4ssword".to_owned(),
            "x?y=a%20%22good%22%20p%C3%A4ssword".to_owned(),
        ] {
            let told = secrets.out_of(&text);
            assert!(told.contains("… (17 characters)") && !told.contains("ssword"), "{told}");
        }
        assert_eq!(secrets.out_of("a short word"), "a short word");
        assert!(!format!("{secrets:?}").contains("good"));
    }
}
