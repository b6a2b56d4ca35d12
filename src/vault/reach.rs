//! How a vault is reached: what the environment says of it, by which way, and how long it may take.

use std::{collections::BTreeMap, error::Error, iter::successors, time::Duration};

use url::Url;

use super::error::SecretError;
use crate::model::{legible::with_causes, private_way::is_private};

pub(super) type Environment = BTreeMap<String, String>;

/// How long a vault may take for one answer, with all that is asked on the way to it.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// A variable that says something.
pub(super) fn given<'a>(environment: &'a Environment, variable: &str) -> Option<&'a str> {
    environment.get(variable).map(|text| text.trim()).filter(|text| !text.is_empty())
}

/// One without which nothing can be asked.
pub(super) fn required<'a>(environment: &'a Environment, variable: &str) -> Result<&'a str, SecretError> {
    given(environment, variable).ok_or_else(|| SecretError::NotSet(variable.to_owned()))
}

/// An address that a variable says. A vault is told secrets and tells them: on the way nobody may listen.
pub(super) fn address(environment: &Environment, variable: &'static str) -> Result<Option<Url>, SecretError> {
    let Some(text) = given(environment, variable) else { return Ok(None) };
    let address = Url::parse(text).ok().filter(|url| url.has_host() && is_private(url));
    let problem = "is no https address (http is for this machine only)";
    address.map(Some).ok_or(SecretError::Settings { variable, problem })
}

/// Waits for an answer as long as a vault may take.
pub(super) async fn in_time<T>(answer: impl Future<Output = T>) -> Result<T, SecretError> {
    let late = |_| SecretError::Unavailable(format!("it did not answer within {} seconds", TIMEOUT.as_secs()));
    tokio::time::timeout(TIMEOUT, answer).await.map_err(late)
}

/// Why nothing came of asking, in the words of what failed first: what is said around it repeats addresses and what was
/// answered.
pub(super) fn reason(error: &(dyn Error + 'static)) -> String {
    if causes(error).any(<dyn Error>::is::<serde_json::Error>) {
        return UNREADABLE.to_owned();
    }
    causes(error).last().map(with_causes).unwrap_or_default()
}

/// What is said of an answer that is not what such a service answers; a word of it might be a secret.
pub(super) const UNREADABLE: &str = "it gave an answer that cannot be read";

/// A code as these services have them, in brackets: `7000215`, `Forbidden`. Nothing else of what they answer is repeated.
#[cfg(any(feature = "aws-sm", feature = "azure-kv"))]
pub(super) fn in_brackets(code: Option<&str>) -> String {
    let is_code = |code: &&str| code.len() <= 60 && code.chars().all(|c| c.is_ascii_alphanumeric() || c == ',');
    code.filter(is_code).map(|code| format!(" ({code})")).unwrap_or_default()
}

/// An error, what it was caused by, and so on.
pub(super) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&cause| cause.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A library's error as they are: around the cause stand an address and what was answered.
    #[derive(Debug, thiserror::Error)]
    #[error("error sending request for url (https://vault.example/v1/secret): {{\"errors\":[\"\\u001b[2J\"]}}")]
    struct Around<E: Error + 'static>(#[source] E);

    #[cfg(any(feature = "aws-sm", feature = "azure-kv"))]
    #[test]
    fn only_a_code_is_repeated() {
        assert_eq!(in_brackets(Some("7000215,50034")), " (7000215,50034)");
        assert_eq!(in_brackets(Some("AADSTS7000215: Invalid client secret provided")), "");
        assert_eq!(in_brackets(None), "");
    }

    #[test]
    fn what_failed_first_is_told_and_nothing_that_was_answered() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(reason(&Around(Around(refused))), "connection refused");
        let unread = serde_json::from_str::<u64>("\"a-secret\"").unwrap_err();
        assert!(unread.to_string().contains("a-secret"));
        assert_eq!(reason(&Around(unread)), UNREADABLE);
        assert_eq!(reason(&std::io::Error::other("a\u{1b}b".to_owned() + &"x".repeat(1000))).len(), 400);
    }

    #[test]
    fn a_vault_is_reached_safely_or_not_at_all() {
        let read = |text: &str| address(&BTreeMap::from([("A".to_owned(), text.to_owned())]), "A");
        for text in ["https://vault.example:8200", "http://127.0.0.1:8200/", "http://[::1]:8200", "http://localhost"] {
            assert!(read(text).unwrap().is_some(), "{text}");
        }
        for text in ["http://vault.example:8200", "vault.example", "file:///x", "http://127.0.0.1.example"] {
            let error = read(text).unwrap_err();
            assert!(matches!(error, SecretError::Settings { variable: "A", .. }), "{text}: {error}");
        }
        assert!(read(" ").unwrap().is_none());
        assert!(matches!(required(&Environment::new(), "A"), Err(SecretError::NotSet(_))));
    }
}
