//! The server's error codes (RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1) in words a newcomer understands.

use super::Notice;

/// What an answer of the authorization endpoint means, when it is not a code.
pub(super) fn of_authorization(error: &str, description: Option<&str>) -> Notice {
    let (title, words) = match error {
        "access_denied" => (
            "You said no",
            "Nothing was shared, and no access was given. You can install the plugin again at any time.",
        ),
        "invalid_scope" => {
            ("Too much was asked for", "The plugin asked for a permission that this server does not give.")
        }
        "temporarily_unavailable" => ("The server is busy", "It could not answer just now. Try again in a moment."),
        "server_error" => ("The server has a problem", "It could not finish the sign-in. Its log says why."),
        "login_required" | "interaction_required" | "consent_required" => {
            ("You have to be there", "The server wants to ask you something before it answers.")
        }
        "unauthorized_client" | "unsupported_response_type" => {
            ("This client may not do that", "The client is registered, but not for this kind of sign-in.")
        }
        _ => ("The server said no", "It sent back an error instead of a code."),
    };
    Notice::bad(title, with_code(words, error, description))
}

/// What a refusal of the token or revocation endpoint means.
pub(super) fn of_token(error: &str, description: Option<&str>) -> Notice {
    let (title, words) = match error {
        "invalid_grant" => (
            "The connection has ended",
            "The server no longer accepts this code or refresh token: it was used before, has expired, or you have taken your consent back.",
        ),
        "invalid_client" => (
            "Wrong client credentials",
            "The server does not know this client ID, or the secret is wrong. Register them again and restart the demo.",
        ),
        "unauthorized_client" | "unsupported_grant_type" => {
            ("This client may not do that", "The client is registered, but not for this kind of token request.")
        }
        "invalid_scope" => ("Too much was asked for", "The token was asked for a permission that was never given."),
        _ => ("The server refused", "It answered with an error instead of a token."),
    };
    Notice::bad(title, with_code(words, error, description))
}

/// What the API's status means to the person who asked.
pub(super) fn of_api(status: u16) -> &'static str {
    match status {
        401 => "I no longer have access to your to-do list. The API refused my token.",
        403 => "You have not allowed me to do that.",
        404 => "There is no such item on your list.",
        409 => "Your list is full. Remove something first.",
        400 => "The API did not accept that text. An item is one line of at most 200 characters.",
        429 => "I am asking too often. Try again in a moment.",
        500..=599 => "The API cannot answer at the moment. Try again shortly.",
        _ => "The API gave an answer I do not understand.",
    }
}

fn with_code(words: &str, error: &str, description: Option<&str>) -> String {
    let error: String = error.chars().take(60).collect();
    match description {
        Some(description) => {
            let description: String = description.chars().take(300).collect();
            format!("{words} In its own words: {error}, “{description}”")
        }
        None => format!("{words} In its own words: {error}."),
    }
}
