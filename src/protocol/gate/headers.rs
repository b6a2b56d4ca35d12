//! Which headers never pass the gate, in either direction. Whoever calls must not speak for the gate, and what an API
//! answers must not act on the pages or cookies of this server.

use crate::model::plugin_secret::OVERRIDING;

/// What is between two neighbours and no further (RFC 9110 §7.6.1), with what old programs take for that.
const HOP_BY_HOP: [&str; 10] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-authentication-info",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// How the gate's own words about a request begin.
pub const OWN: &str = "x-consentry-";

/// What the gate says itself of where a request came from, whoever said it before, and what it takes for itself.
const SAID_HERE: [&str; 11] = [
    "authorization",
    "content-length",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "true-client-ip",
    "via",
    "x-client-ip",
    "x-host",
    "x-real-ip",
];

/// How whole families of such begin.
const SAID_HERE_BEGIN: [&str; 3] = [OWN, "x-forwarded", "x-original-"];

/// What would act on this server's own pages, cookies and connections, or sends callers to sign in elsewhere.
const ACTS_HERE: [&str; 15] = [
    "accept-ch",
    "alt-svc",
    "clear-site-data",
    "critical-ch",
    "nel",
    "origin-agent-cluster",
    "refresh",
    "report-to",
    "reporting-endpoints",
    "service-worker-allowed",
    "set-cookie",
    "set-cookie2",
    "strict-transport-security",
    "www-authenticate",
    "x-request-id",
];

/// Whether a caller's header goes on to the API. Its name is in small letters, as HTTP libraries have it. One with an
/// underscore does not: programs that know headers as variables take `x_forwarded_for` for `x-forwarded-for`.
pub fn goes_on<'a>(name: &str, connection: impl IntoIterator<Item = &'a str>) -> bool {
    !name.contains('_')
        && !SAID_HERE_BEGIN.iter().any(|beginning| name.starts_with(beginning))
        && !SAID_HERE.contains(&name)
        // Would make of the call another than the one that was looked at.
        && !OVERRIDING.contains(&name)
        && !is_hop_by_hop(name, connection)
}

/// Whether an API's header goes back to the caller.
pub fn comes_back<'a>(name: &str, connection: impl IntoIterator<Item = &'a str>) -> bool {
    !name.starts_with(OWN) && !ACTS_HERE.contains(&name) && !is_hop_by_hop(name, connection)
}

/// `connection` is what the message lists in `Connection` (RFC 9110 §7.6.1): what a sender writes there goes no further, and
/// nothing is added by it.
fn is_hop_by_hop<'a>(name: &str, connection: impl IntoIterator<Item = &'a str>) -> bool {
    let is_listed = |listed: &str| listed.split(',').any(|listed| listed.trim().eq_ignore_ascii_case(name));
    HOP_BY_HOP.contains(&name) || connection.into_iter().any(is_listed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_speaks_for_the_gate() {
        for name in [
            "x-consentry-subject",
            "x_consentry_subject",
            "x-consentry_scopes",
            "x-consentry-anything",
            "authorization",
            "cookie",
            "host",
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-uri",
            "x_forwarded_host",
            "x-real-ip",
            "x-original-url",
            "x-original-host",
            "x-forwarded",
            "x-host",
            "x-http-method",
            "x-http-method-override",
            "x-method-override",
            "transfer-encoding",
            "te",
            "expect",
        ] {
            assert!(!goes_on(name, []), "{name}");
        }
        for name in ["accept", "content-type", "idempotency-key", "mcp-session-id", "openai-conversation-id", "range"] {
            assert!(goes_on(name, []), "{name}");
            assert!(goes_on(name, ["close", "keep-alive, x-other"]), "{name}");
        }
        assert!(!goes_on("x-custom", ["close, X-Custom"]) && !goes_on("accept", ["x", "accept"]));
    }

    #[test]
    fn an_api_does_not_act_on_this_server() {
        for name in [
            "set-cookie",
            "clear-site-data",
            "www-authenticate",
            "service-worker-allowed",
            "connection",
            "nel",
            "report-to",
        ] {
            assert!(!comes_back(name, []), "{name}");
        }
        for name in ["content-type", "etag", "cache-control", "location", "mcp-session-id", "content-encoding"] {
            assert!(comes_back(name, []), "{name}");
        }
        assert!(!comes_back("x-custom", ["X-Custom"]));
    }
}
