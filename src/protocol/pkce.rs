//! PKCE (RFC 7636), S256 only (RFC 9700 §2.1.1): plain would show the verifier to whoever sees the request.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::error::{ErrorCode, OAuthError};
use crate::model::digest::Digest;

/// Longest code verifier (RFC 7636 §4.1).
pub const VERIFIER_LENGTH_MAX: usize = 128;
const VERIFIER_LENGTH_MIN: usize = 43;

/// Reads `code_challenge` and `code_challenge_method` of an authorization request. `optional` is for callers whose
/// dialect never sends a challenge; whoever sends one is held to it.
pub fn read_challenge(
    challenge: Option<&str>,
    method: Option<&str>,
    optional: bool,
) -> Result<Option<[u8; 32]>, OAuthError> {
    let refused = |description| Err(OAuthError::new(ErrorCode::InvalidRequest, description));
    match (challenge, method) {
        (None, None) if optional => Ok(None),
        (None, None) => refused("code_challenge is missing; this client must use PKCE with S256"),
        (None, Some(_)) => refused("code_challenge_method came without code_challenge"),
        // RFC 7636 §4.3 reads a missing method as plain, which is not accepted either.
        (Some(_), method) if method != Some("S256") => refused("code_challenge_method must be S256"),
        (Some(challenge), _) => match URL_SAFE_NO_PAD.decode(challenge).map(<[u8; 32]>::try_from) {
            Ok(Ok(digest)) => Ok(Some(digest)),
            _ => refused("code_challenge is not a SHA-256 in base64url without padding"),
        },
    }
}

/// Compares the verifier of a token request with the challenge the code carries (RFC 7636 §4.6).
pub fn verify(challenge: Option<[u8; 32]>, verifier: Option<&str>) -> Result<(), OAuthError> {
    let refused = |description| Err(OAuthError::new(ErrorCode::InvalidGrant, description));
    match (challenge, verifier) {
        (None, None) => Ok(()),
        (Some(_), None) => refused("code_verifier is missing; the code was asked for with a challenge"),
        // RFC 9700 §4.8.2: accepting it would hide that somebody stripped the challenge on the way.
        (None, Some(_)) => refused("code_verifier came, but the code was asked for without a challenge"),
        (Some(challenge), Some(verifier)) => {
            let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
            let shaped =
                (VERIFIER_LENGTH_MIN..=VERIFIER_LENGTH_MAX).contains(&verifier.len()) && verifier.bytes().all(legal);
            if shaped && Digest::of(verifier) == Digest(challenge) {
                Ok(())
            } else {
                refused("code_verifier does not match the challenge")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of RFC 7636 Appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_example_of_the_rfc_verifies() {
        let challenge = read_challenge(Some(CHALLENGE), Some("S256"), false).unwrap();
        assert_eq!(verify(challenge, Some(VERIFIER)), Ok(()));
        assert!(verify(challenge, Some(&VERIFIER.replace('d', "e"))).is_err());
        assert!(verify(challenge, Some(CHALLENGE)).is_err());
        assert!(verify(challenge, None).is_err());
    }

    #[test]
    fn a_verifier_nobody_asked_for_is_refused() {
        assert_eq!(verify(None, None), Ok(()));
        assert!(verify(None, Some(VERIFIER)).is_err());
    }

    #[test]
    fn only_s256_is_a_method() {
        for method in [None, Some("plain"), Some("s256"), Some("S512"), Some("")] {
            assert!(read_challenge(Some(CHALLENGE), method, true).is_err(), "{method:?}");
        }
        assert!(read_challenge(Some("short"), Some("S256"), true).is_err());
        assert!(read_challenge(None, Some("S256"), true).is_err());
        assert!(read_challenge(None, None, false).is_err());
        assert_eq!(read_challenge(None, None, true), Ok(None));
    }
}
