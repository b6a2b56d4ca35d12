//! Dialects: what each kind of caller is forgiven, and the forms its operator fills in.
//!
//! The only file of the code that knows a vendor by name. `client_authentication`, `authorization` and `token` ask
//! here; so does the command line when it registers a client. Sources: RFC 6749, RFC 8252, RFC 9700, and what the
//! callers have been seen to send.

use crate::model::{
    client::{AuthenticationMethod, Dialect},
    redirect_uri::RedirectUri,
};

/// Something a dialect may do that not every dialect may.
#[derive(Clone, Copy, PartialEq, Eq)]
enum May {
    /// Send people to the authorization endpoint, redeem codes and refresh.
    ActForPeople,
    /// Ask for a token of its own (RFC 6749 §4.4).
    ActForItself,
    /// Leave out PKCE. A challenge that was sent is enforced all the same.
    SkipPkce,
    /// Send the token request as JSON; RFC 6749 knows forms only.
    SendJson,
    /// Authenticate by HTTP Basic beside the body (RFC 6749 §2.3.1).
    UseBasic,
    /// Be registered before its redirect URI is known: the assistant shows it only after the credentials were
    /// typed in. Until one is registered, nobody can be sent back.
    RegisterWithoutRedirectUri,
}

/// The table. A dialect may do what stands beside it and nothing else.
fn allowances(dialect: Dialect) -> &'static [May] {
    use May::{ActForItself, ActForPeople, RegisterWithoutRedirectUri, SendJson, SkipPkce, UseBasic};
    match dialect {
        Dialect::Plugin => &[ActForPeople, SkipPkce, SendJson, RegisterWithoutRedirectUri],
        Dialect::Action => &[ActForPeople, SkipPkce, SendJson, RegisterWithoutRedirectUri, UseBasic],
        Dialect::Connector | Dialect::Custom => &[ActForPeople, UseBasic],
        Dialect::Service => &[ActForItself, UseBasic, RegisterWithoutRedirectUri],
    }
}

fn may(dialect: Dialect, what: May) -> bool {
    allowances(dialect).contains(&what)
}

/// How a client registered by hand proves that it is itself.
pub fn authentication_method(dialect: Dialect) -> AuthenticationMethod {
    match dialect {
        // A connector runs on people's own devices as often as on a server: it can keep no secret.
        Dialect::Connector => AuthenticationMethod::None,
        Dialect::Plugin | Dialect::Action | Dialect::Service | Dialect::Custom => AuthenticationMethod::ClientSecret,
    }
}

/// Whether a client cannot be registered without a redirect URI.
pub fn requires_redirect_uri(dialect: Dialect) -> bool {
    !may(dialect, May::RegisterWithoutRedirectUri)
}

/// Whether an authorization request without `code_challenge` is accepted.
pub fn may_skip_pkce(dialect: Dialect) -> bool {
    may(dialect, May::SkipPkce)
}

/// Whether the client credentials grant is open to it.
pub fn client_credentials_allowed(dialect: Dialect) -> bool {
    may(dialect, May::ActForItself)
}

/// Whether the authorization code grant, and with it refreshing, is open to it.
pub fn authorization_code_allowed(dialect: Dialect) -> bool {
    may(dialect, May::ActForPeople)
}

/// Whether a token request may come as JSON.
pub fn accepts_json(dialect: Dialect) -> bool {
    may(dialect, May::SendJson)
}

/// Whether credentials may come by HTTP Basic.
pub fn accepts_basic(dialect: Dialect) -> bool {
    may(dialect, May::UseBasic)
}

/// The two hosts one assistant sends people back through: which of them is used depends on where the person is
/// signed in, so a callback on one has to be registered on both.
const TWIN_HOSTS: [&str; 2] = ["chat.openai.com", "chatgpt.com"];

/// The same callback on the assistant's other host: `https://{host}/aip/{g-… or plugin-…}/oauth/callback`, exactly.
pub fn twin_callback(callback: &RedirectUri) -> Option<RedirectUri> {
    let (host, path) = callback.as_str().strip_prefix("https://")?.split_once('/')?;
    let other = match TWIN_HOSTS.iter().position(|twin| *twin == host)? {
        0 => TWIN_HOSTS[1],
        _ => TWIN_HOSTS[0],
    };
    let id = path.strip_prefix("aip/")?.strip_suffix("/oauth/callback")?;
    let own = id.strip_prefix("g-").or_else(|| id.strip_prefix("plugin-"))?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if own.is_empty() || !own.bytes().all(plain) {
        return None;
    }
    format!("https://{other}/{path}").parse().ok()
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

/// The form a dialect's operator fills in, in its own words.
pub fn handover(dialect: Dialect, endpoints: Endpoints<'_>) -> Handover<'_> {
    let urls = vec![("Authorization URL", endpoints.authorization), ("Token URL", endpoints.token)];
    match dialect {
        Dialect::Plugin => Handover {
            place: "ChatGPT asks for these when it has found the manifest",
            fields: Vec::new(),
            credentials: ("OAuth Client ID", "OAuth Client Secret"),
            then: Some(
                "ChatGPT then shows a verification token: put it into auth.verification_tokens of your ai-plugin.json \
                 under the name \"openai\" and run `consentry plugin import` again.",
            ),
        },
        Dialect::Action => Handover {
            place: "GPT editor, Actions, Authentication, OAuth",
            fields: [urls, vec![("Scope", endpoints.scope), ("Token Exchange Method", "Default (POST request)")]]
                .concat(),
            credentials: ("Client ID", "Client Secret"),
            then: Some("When the editor has saved them it shows a callback URL; it has to be registered here."),
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

    fn twin(text: &str) -> Option<String> {
        twin_callback(&text.parse().unwrap()).map(|twin| twin.as_str().to_owned())
    }

    #[test]
    fn a_callback_on_either_host_has_its_twin_on_the_other() {
        for path in ["aip/g-68a508b9180081919110e09ab9faee17/oauth/callback", "aip/plugin-1-a/oauth/callback"] {
            let (old, new) = (format!("https://chat.openai.com/{path}"), format!("https://chatgpt.com/{path}"));
            assert_eq!(twin(&old).as_ref(), Some(&new));
            assert_eq!(twin(&new), Some(old));
        }
    }

    #[test]
    fn nothing_else_has_a_twin() {
        for text in [
            "https://chat.openai.com.evil.example/aip/g-1/oauth/callback",
            "https://evil.example/chatgpt.com/aip/g-1/oauth/callback",
            "https://chatgpt.com:8443/aip/g-1/oauth/callback",
            "https://chatgpt.com/aip/g-1/oauth/callback?x=1",
            "https://chatgpt.com/aip/g-1/../oauth/callback",
            "https://chatgpt.com/aip/g-/oauth/callback",
            "https://chatgpt.com/aip/x-1/oauth/callback",
            "https://chatgpt.com/aip/g-1/oauth/callback/",
            "https://chatgpt.com/connector_platform_oauth_redirect",
            "http://localhost/aip/g-1/oauth/callback",
        ] {
            assert_eq!(twin(text), None, "{text}");
        }
    }

    #[test]
    fn only_the_two_old_dialects_are_forgiven_anything() {
        for dialect in Dialect::ALL {
            let old = matches!(dialect, Dialect::Plugin | Dialect::Action);
            assert_eq!(may_skip_pkce(dialect), old, "{dialect:?}");
            assert_eq!(accepts_json(dialect), old, "{dialect:?}");
            assert_ne!(authorization_code_allowed(dialect), client_credentials_allowed(dialect), "{dialect:?}");
            // Without PKCE a client must at least be able to prove who it is.
            let confidential = authentication_method(dialect) == AuthenticationMethod::ClientSecret;
            assert!(confidential || !may_skip_pkce(dialect), "{dialect:?}");
        }
        assert!(!accepts_basic(Dialect::Plugin));
        assert!(client_credentials_allowed(Dialect::Service));
    }
}
