//! The clients: by hand, registered, or by a URL; which redirect URIs they may name, and how they prove themselves.

use actix_web::http::{
    StatusCode,
    header::{self, HeaderMap},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use url::{Url, form_urlencoded};

use super::{Inside, parameters::Parameters, wire::Refusal};

/// The id and the secret of the client that was typed in by hand, as for a classic plugin or an action. It may do
/// without PKCE, and is sent back to an assistant's plugin or action callback or to loopback.
pub const CLIENT_BY_HAND: (&str, &str) = ("todo-by-hand", "an-owner-typed-this-25-letter-secret");

/// A client.
#[derive(Clone)]
pub struct Client {
    pub id: String,
    /// What people are shown.
    pub name: String,
    pub callbacks: Callbacks,
    pub proof: Proof,
    pub must_use_pkce: bool,
}

/// Where a client may be sent back to.
#[derive(Clone)]
pub enum Callbacks {
    /// To these; the port of a loopback address is any (RFC 8252 §7.3).
    These(Vec<String>),
    /// To `/aip/…/oauth/callback` on the assistant's two hosts, or to loopback.
    OfPlugins,
    /// Anywhere on https, or to loopback: its document would say, and is not read.
    Unread,
}

/// How a client proves itself.
#[derive(Clone)]
pub enum Proof {
    Nothing,
    SecretInBody(String),
    SecretInHeader(String),
    /// Either way.
    Secret(String),
}

impl Client {
    /// The client of an id.
    pub fn find(server: &Inside, id: &str) -> Option<Self> {
        if id == CLIENT_BY_HAND.0 {
            return Some(Self {
                id: id.to_owned(),
                name: "Typed in by hand".into(),
                callbacks: Callbacks::OfPlugins,
                proof: Proof::Secret(CLIENT_BY_HAND.1.to_owned()),
                must_use_pkce: false,
            });
        }
        if let Some(registered) = server.memory().clients.get(id) {
            return Some(registered.clone());
        }
        let url = Url::parse(id).ok().filter(|url| url.scheme() == "https" && url.path() != "/")?;
        Some(Self {
            id: id.to_owned(),
            name: url.host_str()?.to_owned(),
            callbacks: Callbacks::Unread,
            proof: Proof::Nothing,
            must_use_pkce: true,
        })
    }

    /// Whether it may be sent back there.
    pub fn may_return_to(&self, redirect_uri: &str) -> bool {
        let Ok(url) = Url::parse(redirect_uri) else { return false };
        if url.fragment().is_some() {
            return false;
        }
        match &self.callbacks {
            Callbacks::These(all) => all.iter().any(|known| known == redirect_uri || same_but_port(known, &url)),
            Callbacks::OfPlugins => {
                let of_plugin = matches!(url.host_str(), Some("chat.openai.com" | "chatgpt.com"))
                    && url.scheme() == "https"
                    && url.path().starts_with("/aip/")
                    && url.path().ends_with("/oauth/callback");
                of_plugin || is_loopback(&url)
            }
            Callbacks::Unread => url.scheme() == "https" || is_loopback(&url),
        }
    }
}

/// Whether an address is plain http to this computer.
pub fn is_loopback(url: &Url) -> bool {
    url.scheme() == "http" && matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"))
}

fn same_but_port(known: &str, url: &Url) -> bool {
    let Ok(mut known) = Url::parse(known) else { return false };
    is_loopback(&known) && known.set_port(url.port()).is_ok() && known == *url
}

/// The client that makes a token request (RFC 6749 §2.3.1).
pub fn authenticate(server: &Inside, headers: &HeaderMap, parameters: &Parameters) -> Result<Client, Refusal> {
    let basic = headers.get(header::AUTHORIZATION).map(|value| basic(value.as_bytes()).ok_or_else(unknown));
    let basic = basic.transpose()?;
    if basic.is_some() && parameters.get("client_secret").is_some() {
        return Err(Refusal::new("invalid_request", "The client proves itself in two ways at once."));
    }
    let id = basic.as_ref().map(|(id, _)| id.as_str()).or(parameters.get("client_id"));
    let Some(id) = id else {
        return Err(Refusal::new("invalid_request", "client_id is missing."));
    };
    if parameters.get("client_id").is_some_and(|named| named != id) {
        return Err(Refusal::new("invalid_request", "client_id is not the client of the header."));
    }
    let client = Client::find(server, id).ok_or_else(unknown)?;
    let (in_body, in_header) = (parameters.get("client_secret"), basic.as_ref().map(|(_, secret)| secret.as_str()));
    let proven = match &client.proof {
        Proof::Nothing => in_body.is_none() && in_header.is_none(),
        Proof::SecretInBody(secret) => in_body == Some(secret),
        Proof::SecretInHeader(secret) => in_header == Some(secret),
        Proof::Secret(secret) => in_body.or(in_header) == Some(secret),
    };
    let asserts = parameters.get("client_assertion").is_some();
    if proven && !asserts { Ok(client) } else { Err(unknown()) }
}

fn unknown() -> Refusal {
    Refusal {
        status: StatusCode::UNAUTHORIZED,
        ..Refusal::new("invalid_client", "The client is not known, or does not prove itself as it said it would.")
    }
}

/// The id and the secret of a header, each encoded as a form's value.
fn basic(value: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(value).ok()?;
    let (scheme, pair) = text.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(pair).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    let decoded = |text: &str| {
        let form = format!("x={text}");
        form_urlencoded::parse(form.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((decoded(id)?, decoded(secret)?))
}
