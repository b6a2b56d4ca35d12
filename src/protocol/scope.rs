//! Which scopes a request gets (RFC 6749 §3.3): nothing harmless ever kills a sign-in.
//!
//! Callers send `scope=` empty, leave it out when they reconnect, or add scopes of other servers. Missing and empty
//! mean the client's own; unknown ones are left out; only a malformed list is an error.

use super::error::{ErrorCode, OAuthError};
use crate::model::scope::{NAME_LENGTH_MAX, Scopes};

/// Longest `scope` read.
pub const LENGTH_MAX: usize = 4096;

const MALFORMED: OAuthError = OAuthError::new(ErrorCode::InvalidScope, "scope has a character RFC 6749 does not allow");

/// What an authorization request asks for: the known part of it, or what the client gets when it asks for nothing.
pub fn requested(allowed: &Scopes, default: Scopes, scope: Option<&str>) -> Result<Scopes, OAuthError> {
    let asked = read(scope)?;
    let known = asked.intersection(allowed);
    Ok(if known.is_empty() { default } else { known })
}

/// What a token gets when a narrower `scope` may be named: a part of what is allowed, never more. Naming only scopes
/// that are not allowed is an error, so that nobody is handed more than they named.
pub fn narrowed(allowed: &Scopes, scope: Option<&str>) -> Result<Scopes, OAuthError> {
    let asked = read(scope)?;
    if asked.is_empty() && scope.unwrap_or_default().trim().is_empty() {
        return Ok(allowed.clone());
    }
    let known = asked.intersection(allowed);
    if known.is_empty() {
        return Err(OAuthError::new(ErrorCode::InvalidScope, "none of the scopes named is granted"));
    }
    Ok(known)
}

/// Whether it is a list at all.
pub fn check(scope: Option<&str>) -> Result<(), OAuthError> {
    read(scope).map(|_| ())
}

/// Reads a list. RFC 6749 §3.3 sets no length, so a name longer than any of ours is unknown and not malformed.
fn read(scope: Option<&str>) -> Result<Scopes, OAuthError> {
    let legal = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    let (short, long): (Vec<_>, Vec<_>) =
        scope.unwrap_or_default().split(' ').partition(|name| name.len() <= NAME_LENGTH_MAX);
    if long.into_iter().flat_map(str::bytes).all(legal) {
        short.join(" ").parse().map_err(|_| MALFORMED)
    } else {
        Err(MALFORMED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Scopes {
        text.parse().unwrap()
    }

    #[test]
    fn missing_empty_and_foreign_scopes_mean_the_clients_own() {
        let requested = |scope: Option<&str>| super::requested(&scopes("a b"), scopes("a"), scope);
        for scope in [None, Some(""), Some(" "), Some("offline_access unknown")] {
            assert_eq!(requested(scope).unwrap(), scopes("a"));
        }
        assert_eq!(requested(Some("b unknown")).unwrap(), scopes("b"), "it is no limit");
        assert!(requested(Some("\"")).is_err());
        let long = "x".repeat(NAME_LENGTH_MAX + 1);
        assert_eq!(requested(Some(&long)).unwrap(), scopes("a"));
        assert_eq!(requested(Some(&format!("b {long}"))).unwrap(), scopes("b"));
        assert!(requested(Some(&format!("b {long}\""))).is_err());
    }

    #[test]
    fn a_refresh_never_gets_more() {
        let allowed = scopes("a b");
        assert_eq!(narrowed(&allowed, None).unwrap(), allowed);
        assert_eq!(narrowed(&allowed, Some("b c")).unwrap(), scopes("b"));
        assert!(narrowed(&allowed, Some("c")).is_err());
        assert!(narrowed(&allowed, Some(&"x".repeat(NAME_LENGTH_MAX + 1))).is_err(), "named, and not granted");
        assert_eq!(narrowed(&Scopes::default(), Some("")).unwrap(), Scopes::default());
    }
}
