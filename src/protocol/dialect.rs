//! Dialects: what each kind of caller is forgiven. No vendor name stands anywhere else, but in the data of `presets`.
//!
//! | | `plugin` | `action` | `connector` | `service` | `custom` |
//! | --- | --- | --- | --- | --- | --- |
//! | authenticates by | secret | secret | nothing | secret | secret |
//! | may sign assertions instead | no | no | yes | yes | yes |
//! | secret in HTTP Basic | no | yes | yes | yes | yes |
//! | JSON bodies | yes | yes | no | no | no |
//! | may leave PKCE out | yes | yes | no | – | no |
//! | authorization code | yes | yes | yes | no | yes |
//! | client credentials | no | no | no | yes | no |
//! | spelling of `token_type` | bearer | bearer | Bearer | Bearer | Bearer |

use crate::model::client::{AuthenticationMethod, Dialect};

/// How a client of this dialect authenticates.
pub fn authentication_method(dialect: Dialect) -> AuthenticationMethod {
    match dialect {
        Dialect::Connector => AuthenticationMethod::None,
        Dialect::Plugin | Dialect::Action | Dialect::Service | Dialect::Custom => AuthenticationMethod::ClientSecret,
    }
}

/// Whether it may prove itself by signed assertions (RFC 7523) instead.
pub fn may_sign_assertions(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::Connector | Dialect::Service | Dialect::Custom)
}

/// Whether the secret, if there is one, may come in an `Authorization: Basic` header. The classic manifest puts it in
/// the body, always.
pub fn accepts_basic(dialect: Dialect) -> bool {
    dialect != Dialect::Plugin
}

/// Whether the token request may be JSON. The classic manifest asks for it by `authorization_content_type`.
pub fn accepts_json(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::Plugin | Dialect::Action)
}

/// Whether an authorization request may come without a challenge. Only confidential callers that are known never to
/// send one; whoever sends one is held to it.
pub fn may_skip_pkce(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::Plugin | Dialect::Action)
}

/// Whether people can be sent here for consent.
pub fn authorization_code_allowed(dialect: Dialect) -> bool {
    dialect != Dialect::Service
}

/// Whether it may act for itself.
pub fn client_credentials_allowed(dialect: Dialect) -> bool {
    dialect == Dialect::Service
}

/// Whether it is told the endpoints on the plugin's host, because it insists that they share a root domain with the
/// API. All others are told those of the issuer, which its metadata names too.
pub fn stays_on_the_plugins_host(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::Plugin | Dialect::Action)
}

/// Whether it must be registered with a redirect URI. Some callers show theirs only once they were given an id and a
/// secret; theirs is added afterwards.
pub fn requires_redirect_uri(dialect: Dialect) -> bool {
    matches!(dialect, Dialect::Connector | Dialect::Custom)
}

/// The spelling of `token_type`: RFC 6749 §5.1 ignores its case, but the samples of 2023 compare with lower case.
pub fn token_type(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Plugin | Dialect::Action => "bearer",
        Dialect::Connector | Dialect::Service | Dialect::Custom => "Bearer",
    }
}

/// What a caller needs to be told about the server, as it will be typed into a form.
#[derive(Clone, Copy, Debug)]
pub struct Endpoints<'a> {
    /// Where people are sent.
    pub authorization: &'a str,
    /// Where codes are redeemed.
    pub token: &'a str,
    /// What to ask for, separated by spaces.
    pub scope: &'a str,
}

/// One field of the caller's own form and what belongs into it.
pub type Field<'a> = (&'static str, &'a str);

/// Where the operator types a new client's values in, and what to do then.
#[derive(Clone, Debug)]
pub struct Handover<'a> {
    /// Where the form is.
    pub place: &'static str,
    /// Its fields beside the client's id and secret.
    pub fields: Vec<Field<'a>>,
    /// What its id and secret are called there.
    pub credentials: (&'static str, &'static str),
    /// What to do afterwards, if anything.
    pub then: Option<&'static str>,
}

/// What a client of a dialect is, in an owner's words.
pub fn in_words(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Plugin => "Classic plugin of ChatGPT",
        Dialect::Action => "Action of a custom GPT",
        Dialect::Connector => "ChatGPT plugin or app, or another MCP client",
        Dialect::Service => "Program that acts for itself, without people",
        Dialect::Custom => "Something else that signs people in",
    }
}

/// What people most likely know a client of this dialect by; nothing where it could be anything.
pub fn usual_name(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Plugin | Dialect::Action | Dialect::Connector => "ChatGPT",
        Dialect::Service | Dialect::Custom => "",
    }
}

/// The form a dialect's operator fills in, in its own words.
pub fn handover(dialect: Dialect, endpoints: Endpoints<'_>) -> Handover<'_> {
    let urls = vec![("Authorization URL", endpoints.authorization), ("Token URL", endpoints.token)];
    match dialect {
        Dialect::Plugin => Handover {
            place: "ChatGPT asks for these when it has found the manifest",
            fields: Vec::new(),
            credentials: ("OAuth Client ID", "OAuth Client Secret"),
            then: Some(
                "ChatGPT then shows a verification token: put it into a file and run `consentry plugin \
                 verification-token SLUG --from file:FILE`, then `consentry plugin verify SLUG`. The callback URL it \
                 sends people back to stands in its first request: add it with `consentry client add-callback`.",
            ),
        },
        Dialect::Action => Handover {
            place: "GPT editor, Actions, Authentication, OAuth",
            fields: [urls, vec![("Scope", endpoints.scope), ("Token Exchange Method", "Default (POST request)")]]
                .concat(),
            credentials: ("Client ID", "Client Secret"),
            then: Some(
                "When the editor has saved them it shows a callback URL: it has to be one of those registered here, \
                 letter for letter. It can change when the settings are edited; `consentry client callbacks` then shows \
                 the new one, once somebody has tried to connect.",
            ),
        },
        Dialect::Connector | Dialect::Custom => Handover {
            place: "The client's OAuth settings",
            fields: [urls, vec![("Scope", endpoints.scope)]].concat(),
            credentials: ("Client ID", "Client Secret"),
            then: None,
        },
        Dialect::Service => Handover {
            place: "The program's configuration",
            fields: vec![("Token URL", endpoints.token), ("Scope", endpoints.scope)],
            credentials: ("Client ID", "Client Secret"),
            then: None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_pkce_a_caller_must_be_able_to_prove_who_it_is() {
        for dialect in Dialect::ALL {
            let confidential = authentication_method(dialect) == AuthenticationMethod::ClientSecret;
            assert!(confidential || !may_skip_pkce(dialect), "{dialect:?}");
        }
    }
}
