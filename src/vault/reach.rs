//! How a vault is reached: what the environment says of it, by which way, and how long it may take.

use std::{collections::BTreeMap, error::Error, iter::successors, time::Duration};

use url::Url;

use super::error::SecretError;
use crate::model::private_way::is_private;

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

/// An error, what it was caused by, and so on.
pub(super) fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    successors(Some(error), |&cause| cause.source())
}

#[cfg(test)]
mod tests {
    use super::*;

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
