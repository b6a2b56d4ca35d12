//! Bearer challenges (RFC 6750 §3): how an API that takes bearer tokens says no, and where to find out more.
//!
//! `resource_metadata` leads the client to the API's document (RFC 9728 §5.1) and from there to the authorization
//! server; `scope` is what it will need (MCP 2026-07-28, Protected Resource Metadata Discovery). Neighbour:
//! `resource_metadata` writes that document.

use super::resource_metadata::PLACE;
use crate::model::resource::ResourceIdentifier;

/// Why a call is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem<'a> {
    /// No token came. That is no error (RFC 6750 §3.1): the challenge has no code.
    Missing,
    /// A token came that is not, or no longer, good here; 401.
    InvalidToken(&'a str),
    /// The token is good and does not allow this; 403. The challenge names all the scopes that are needed.
    InsufficientScope(&'a str),
}

/// What a challenge leads to.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The address of the API's metadata: [`resource_metadata_url`].
    pub resource_metadata: &'a str,
    /// All the scopes the call needs, separated by spaces; left out when empty.
    pub scope: &'a str,
}

/// The value of `WWW-Authenticate` for a call that is refused.
pub fn challenge(problem: Problem<'_>, target: Target<'_>) -> String {
    let mut parameters = Vec::new();
    match problem {
        Problem::Missing => {}
        Problem::InvalidToken(description) => {
            parameters.extend([("error", "invalid_token"), ("error_description", description)]);
        }
        Problem::InsufficientScope(description) => {
            parameters.extend([("error", "insufficient_scope"), ("error_description", description)]);
        }
    }
    parameters.push(("resource_metadata", target.resource_metadata));
    if !target.scope.is_empty() {
        parameters.push(("scope", target.scope));
    }
    let written: Vec<String> =
        parameters.into_iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
    format!("Bearer {}", written.join(", "))
}

/// Where a resource's metadata stands: the well-known path inserted between the host and the rest (RFC 9728 §3.1).
pub fn resource_metadata_url(identifier: &ResourceIdentifier) -> String {
    format!("{}{PLACE}{}", identifier.origin(), identifier.tail())
}

/// A quoted string. RFC 6750 §3 has no way to write quotes, backslashes or anything beyond printable ASCII in these
/// values, escaped or not; whatever brings them from outside must not end the string, or the header, for us.
fn quoted(value: &str) -> String {
    let plain = value.chars().map(|c| match c {
        '"' => '\'',
        '\\' => '/',
        ' '..='~' => c,
        _ => '?',
    });
    format!("\"{}\"", plain.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = "https://api.example/.well-known/oauth-protected-resource/mcp";

    fn written(problem: Problem<'_>, scope: &str) -> String {
        challenge(problem, Target { resource_metadata: METADATA, scope })
    }

    #[test]
    fn a_call_without_a_token_is_told_where_to_get_one() {
        assert_eq!(
            written(Problem::Missing, "todo.read todo.write"),
            format!(r#"Bearer resource_metadata="{METADATA}", scope="todo.read todo.write""#)
        );
        assert_eq!(written(Problem::Missing, ""), format!(r#"Bearer resource_metadata="{METADATA}""#));
    }

    #[test]
    fn a_refused_token_is_told_why() {
        assert_eq!(
            written(Problem::InvalidToken("The token has expired."), "todo.read"),
            format!(
                "Bearer error=\"invalid_token\", error_description=\"The token has expired.\", \
                 resource_metadata=\"{METADATA}\", scope=\"todo.read\""
            )
        );
        let refused = written(Problem::InsufficientScope("It may only read."), "todo.read todo.write");
        assert!(refused.starts_with(r#"Bearer error="insufficient_scope", error_description="It may only read.","#));
        assert!(refused.ends_with(r#"scope="todo.read todo.write""#));
    }

    #[test]
    fn nothing_from_outside_ends_the_string() {
        for nasty in ["a\", scope=\"admin", "a\\", "a\r\nSet-Cookie: x=y", "ä\u{0}\u{7f}\t", "\", Basic realm=\""] {
            for header in [
                written(Problem::InvalidToken(nasty), "a"),
                written(Problem::InsufficientScope(nasty), "a"),
                written(Problem::Missing, nasty),
                challenge(Problem::InvalidToken("x"), Target { resource_metadata: nasty, scope: "a" }),
            ] {
                assert!(header.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'\\'), "{header}");
                // Two quotes for each parameter there should be, and no more.
                let parameters = if header.contains("error=") { 4 } else { 2 };
                assert_eq!(header.matches('"').count(), 2 * parameters, "{header}");
            }
        }
    }

    #[test]
    fn the_metadata_is_between_host_and_path() {
        for (identifier, tail) in [
            ("https://api.example", ""),
            ("https://api.example/", ""),
            ("https://api.example?t=1", "?t=1"),
            ("https://api.example/?t=1", "?t=1"),
            ("https://api.example/mcp", "/mcp"),
            ("https://api.example:443/mcp/", "/mcp/"),
            ("HTTPS://API.example/a/b?t=\"1", "/a/b?t=%221"),
        ] {
            let expected = format!("https://api.example/.well-known/oauth-protected-resource{tail}");
            assert_eq!(resource_metadata_url(&identifier.parse().unwrap()), expected);
        }
        let local = resource_metadata_url(&"http://localhost:8080/mcp".parse().unwrap());
        assert_eq!(local, "http://localhost:8080/.well-known/oauth-protected-resource/mcp");
    }
}
