//! Whether a code is worth nothing to who cannot prove to have asked for it, and nothing a second time.

use oauth2::PkceCodeVerifier;

use super::{check::Check, connection::Connection};
use crate::simulate::{
    tokens::{Counter, Tokens},
    wire::Heard,
};

/// By the verifier, or without one by the redirect URI.
pub(super) async fn proof(connection: &Connection<'_>, counter: &Counter<'_>) -> Option<Check> {
    let (code, request) = connection.code().await?;
    if request.verifier.is_some() {
        let another = PkceCodeVerifier::new("another-verifier-than-that-of-the-challenge".to_owned());
        let is_given = Tokens::of(&counter.redeem(&code, Some(&another)).await).is_some();
        return Some(if is_given {
            Check::wrong(
                "token.pkce",
                "A code gives tokens with another code_verifier, so whoever steals one can use it.",
                "Compare the SHA-256 of code_verifier with the code_challenge of the request (RFC 7636 §4.6).",
            )
        } else {
            Check::ok("token.pkce", "A code with another verifier gives nothing.")
        });
    }
    let mut client = connection.client.clone();
    client.redirect_uri.push_str("/elsewhere");
    let counter = Counter { client: &client, ..counter.clone() };
    let is_given = Tokens::of(&counter.redeem(&code, None).await).is_some();
    Some(if is_given {
        Check::wrong(
            "token.redirect_uri",
            "A code gives tokens with another redirect_uri, so whoever lures it elsewhere can use it.",
            "Compare redirect_uri with that of the authorization request (RFC 6749 §4.1.3).",
        )
    } else {
        Check::ok("token.redirect_uri", "A code with another redirect URI gives nothing.")
    })
}

pub(super) fn once(again: &Heard) -> Check {
    let name = "token.code_once";
    if Tokens::of(again).is_none() {
        return Check::ok(name, "A code gives tokens once.");
    }
    Check::wrong(
        name,
        "A code gives tokens a second time, so whoever reads it in a log can use it.",
        "Take each code once, and end what it gave when it comes again (RFC 6749 §4.1.2).",
    )
}
