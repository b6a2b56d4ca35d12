//! Whether a code is worth nothing to who cannot prove to have asked for it, and nothing a second time. Each is tried with
//! a code of its own, at once: an old one may be refused for its age.

use oauth2::PkceCodeVerifier;

use super::{check::Check, connection::Connection, tokens::no_refusal};
use crate::simulate::{
    tokens::{Counter, Tokens},
    wire::Heard,
};

pub(super) async fn look(connection: &Connection<'_>, counter: &Counter<'_>) -> Vec<Check> {
    let proof = if connection.endpoints.asked.with_challenge {
        verifier(connection, counter).await
    } else {
        redirect_uri(connection, counter).await
    };
    let unknown = |name| move |why: String| Check::left_out(name, format!("what a code is good for: {why}"));
    vec![
        proof.unwrap_or_else(|(name, why)| unknown(name)(why)),
        // Last of all, since it ends the connection, as it should.
        once(connection, counter).await.unwrap_or_else(unknown("token.code_once")),
    ]
}

type Unknown = (&'static str, String);

/// With another verifier, and without one, as if nobody had asked for a proof.
async fn verifier(connection: &Connection<'_>, counter: &Counter<'_>) -> Result<Check, Unknown> {
    let name = "token.pkce";
    let another = PkceCodeVerifier::new("another-verifier-than-that-of-the-challenge".to_owned());
    for (proof, with) in [(Some(&another), "with another code_verifier"), (None, "without its code_verifier")] {
        let (code, _) = connection.code().await.map_err(|why| (name, why))?;
        if gives(&counter.redeem(&code, proof).await).map_err(|why| (name, why))? {
            return Ok(Check::wrong(
                name,
                format!("A code gives tokens {with}, so whoever steals one can use it."),
                "Compare the SHA-256 of code_verifier with the code_challenge of the request (RFC 7636 §4.6), and give \
                 nothing where it is missing.",
            ));
        }
    }
    Ok(Check::ok(name, "A code with another verifier, or without one, gives nothing."))
}

async fn redirect_uri(connection: &Connection<'_>, counter: &Counter<'_>) -> Result<Check, Unknown> {
    let name = "token.redirect_uri";
    let (code, _) = connection.code().await.map_err(|why| (name, why))?;
    let mut client = connection.client.clone();
    client.redirect_uri.push_str("/elsewhere");
    let counter = Counter { client: &client, ..counter.clone() };
    if gives(&counter.redeem(&code, None).await).map_err(|why| (name, why))? {
        return Ok(Check::wrong(
            name,
            "A code gives tokens with another redirect_uri, so whoever lures it elsewhere can use it.",
            "Compare redirect_uri with that of the authorization request (RFC 6749 §4.1.3).",
        ));
    }
    Ok(Check::ok(name, "A code with another redirect URI gives nothing."))
}

async fn once(connection: &Connection<'_>, counter: &Counter<'_>) -> Result<Check, String> {
    let name = "token.code_once";
    let (code, request) = connection.code().await?;
    if !gives(&counter.redeem(&code, request.verifier.as_ref()).await)? {
        return Err("the first time it gave nothing".to_owned());
    }
    if !gives(&counter.redeem(&code, request.verifier.as_ref()).await)? {
        return Ok(Check::ok(name, "A code gives tokens once."));
    }
    Ok(Check::wrong(
        name,
        "A code gives tokens a second time, so whoever reads it in a log can use it.",
        "Take each code once, and end what it gave when it comes again (RFC 6749 §4.1.2).",
    ))
}

/// Whether tokens came, or a no; or why neither did.
fn gives(heard: &Heard) -> Result<bool, String> {
    no_refusal(heard).map_or_else(|| Ok(Tokens::of(heard).is_some()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{doctor::samples::answer, simulate::wire::Silence};

    #[test]
    fn only_a_no_is_a_no() {
        let given = |status, body: &str| gives(&Ok(answer(status, &[], body)));
        assert_eq!(given(200, r#"{"access_token":"x"}"#), Ok(true));
        assert_eq!(given(400, r#"{"error":"invalid_grant"}"#), Ok(false));
        assert!(given(429, "{}").is_err() && given(503, "").is_err());
        assert!(gives(&Err(Silence::TooSlow)).is_err());
    }
}
