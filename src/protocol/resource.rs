//! Resource indicators (RFC 8707): a token is for one API. Each plugin has one; asking for none means that one.

use url::Url;

use super::error::{ErrorCode, OAuthError};

/// Longest `resource` read.
pub const LENGTH_MAX: usize = 2048;

/// Decides which resource a request is for: the client's own, whether it was named or not.
pub fn decide<'a>(own: &'a str, requested: Option<&str>) -> Result<&'a str, OAuthError> {
    match requested {
        None => Ok(own),
        Some(requested) if names(own, requested) => Ok(own),
        Some(_) => Err(OAuthError::new(ErrorCode::InvalidTarget, "resource is not one this client may ask for")),
    }
}

/// Scheme and host in upper case and a trailing slash after the host mean the same resource (MCP 2026-07-28).
fn names(own: &str, requested: &str) -> bool {
    if own == requested {
        return true;
    }
    if requested.contains('#') {
        return false;
    }
    matches!((Url::parse(own), Url::parse(requested)), (Ok(own), Ok(requested)) if own == requested)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_the_own_resource_are_accepted_and_others_are_not() {
        let own = "https://api.example.com";
        for requested in [None, Some("https://api.example.com"), Some("HTTPS://API.example.com/")] {
            assert_eq!(decide(own, requested), Ok(own));
        }
        for requested in
            ["https://api.example.com/x", "https://other.example", "api.example.com", "https://api.example.com/#"]
        {
            assert_eq!(decide(own, Some(requested)).unwrap_err().code, ErrorCode::InvalidTarget);
        }
    }
}
