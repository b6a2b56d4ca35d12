//! Becoming known: by the document a caller publishes, by registering (RFC 7591), or by what its owner typed in.

use oauth2::ClientSecret;
use serde_json::{Value, json};
use url::Url;

use super::{
    arrival,
    discovery::{Discovery, lists},
    wire::{Heard, Request, Wire},
};
use crate::protocol::{
    presets::{KnownBy, Preset},
    redirect_uri,
};

/// The ways to show a secret (RFC 6749 §2.3.1).
const WITH_SECRET: [&str; 2] = ["client_secret_post", "client_secret_basic"];

/// What a caller calls itself at a server. The secret does not print.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: Option<ClientSecret>,
    /// Whether it sends the secret in a header, or in the body.
    pub by_header: bool,
    /// Where it is sent back to.
    pub redirect_uri: String,
}

/// What its owner typed in.
#[derive(Clone, Debug, Default)]
pub struct Typed {
    /// The id.
    pub client_id: Option<String>,
    /// The secret.
    pub client_secret: Option<ClientSecret>,
    /// The callback, where the preset leaves something open.
    pub redirect_uri: Option<String>,
    /// Where this computer waits for the browser, in place of the callback that is the same but for its port.
    pub waiting_at: Option<String>,
    /// In which way the caller is to become known; the first one that can work, where nothing is said.
    pub by: Option<KnownBy>,
    /// Whether the secret goes in a header; as the caller and the server can, where nothing is said.
    pub by_header: Option<bool>,
    /// The scopes to ask for, in place of those the caller would find.
    pub scope: Option<String>,
    /// The authorization and the token endpoint, where they are found nowhere.
    pub endpoints: Option<(Url, Url)>,
}

/// A try to become known.
#[derive(Clone, Debug)]
pub struct Introduced {
    /// In which way.
    pub by: KnownBy,
    /// What came of it, or why nothing did.
    pub client: Result<Client, String>,
    /// What registering was answered, where it was tried.
    pub heard: Option<Heard>,
    /// The redirect URIs that were registered.
    pub redirect_uris: Vec<String>,
}

/// Makes a caller known in the first way it knows that the server offers.
pub async fn introduce(wire: &Wire, found: &Discovery, preset: &Preset, typed: &Typed) -> Introduced {
    if let Some(secret) = &typed.client_secret {
        wire.learn(secret.secret());
    }
    let id = crate::random::bytes::<6>().map(|byte| format!("{byte:02x}")).concat();
    let callbacks = callbacks(preset.callbacks_with(&id, found.promises_iss()), typed);
    let (by, client) = match way(found, preset, typed) {
        Ok(KnownBy::Registration) => return register(wire, found, preset, callbacks).await,
        Ok(KnownBy::Document) => {
            let document = preset.document_with(&id, found.promises_iss());
            (KnownBy::Document, by_document(document, preset, callbacks))
        }
        Ok(KnownBy::Hand) => (KnownBy::Hand, by_hand(found, preset, typed, callbacks)),
        Err(why) => (KnownBy::Hand, Err(why)),
    };
    Introduced { by, client, heard: None, redirect_uris: Vec::new() }
}

/// The way: what was said, or what can work.
pub fn way(found: &Discovery, preset: &Preset, typed: &Typed) -> Result<KnownBy, String> {
    if let Some(by) = typed.by {
        return Ok(by);
    }
    if typed.client_id.is_some() {
        return Ok(KnownBy::Hand);
    }
    let server = found.server();
    let offers = |by: &KnownBy| match by {
        KnownBy::Document => {
            server.is_some_and(|server| server["client_id_metadata_document_supported"] == true)
                && preset.document_with("", found.promises_iss()).is_some()
                // The vendor's key is the vendor's: it cannot be played, only a client that proves nothing.
                && server.is_some_and(|server| lists(server, "token_endpoint_auth_methods_supported", "none"))
                && preset.methods.iter().any(|method| method == "none")
        }
        KnownBy::Registration => server.is_some_and(|server| server["registration_endpoint"].is_string()),
        KnownBy::Hand => false,
    };
    let way = preset.known_by.iter().copied().find(offers);
    way.ok_or_else(|| {
        let is_by_hand = preset.known_by.contains(&KnownBy::Hand);
        let way = if is_by_hand { "is known by hand" } else { "cannot become known by itself" };
        format!("{} {way} here; name a --client-id", preset.about)
    })
}

fn by_document(document: Option<String>, preset: &Preset, callbacks: Vec<String>) -> Result<Client, String> {
    let id = document.ok_or_else(|| format!("{} publishes no document at a fixed address", preset.about))?;
    let redirect_uri = callbacks.into_iter().next().ok_or("its callback is not known; name it with --redirect-uri")?;
    Ok(Client { id, secret: None, by_header: false, redirect_uri })
}

fn by_hand(found: &Discovery, preset: &Preset, typed: &Typed, callbacks: Vec<String>) -> Result<Client, String> {
    let id = typed.client_id.clone().ok_or("name the client with --client-id")?;
    // An id that was made up here is not the one that somebody typed in at the server.
    let is_made_up = preset.callbacks_with("", found.promises_iss()).first().is_some_and(|first| {
        typed.redirect_uri.is_none() && typed.waiting_at.is_none() && !preset.callbacks.contains(first)
    });
    let redirect_uri = callbacks.into_iter().next().filter(|_| !is_made_up);
    let redirect_uri = redirect_uri.ok_or("its callback has an id of its own; name it with --redirect-uri")?;
    let by_header = typed.by_header.unwrap_or_else(|| shows_in_header(found, preset));
    Ok(Client { id, secret: typed.client_secret.clone(), by_header, redirect_uri })
}

/// Where a secret goes that was typed in: in the caller's first way that the server takes, or else in its first.
pub(super) fn shows_in_header(found: &Discovery, preset: &Preset) -> bool {
    let own: Vec<&str> = WITH_SECRET.into_iter().filter(|way| preset.methods.iter().any(|own| own == way)).collect();
    let own = if own.is_empty() { WITH_SECRET.to_vec() } else { own };
    let member = "token_endpoint_auth_methods_supported";
    let takes = |way: &&str| {
        found.server().is_some_and(|server| match server.get(member) {
            Some(_) => lists(server, member, way),
            // What is meant where nothing is said (RFC 8414 §2).
            None => *way == "client_secret_basic",
        })
    };
    own.iter().copied().find(takes).or(own.first().copied()) == Some("client_secret_basic")
}

/// All callbacks, the one that is used in front. Nobody is sent to a port that is not named.
fn callbacks(of_preset: Vec<String>, typed: &Typed) -> Vec<String> {
    let mut uris = typed.redirect_uri.clone().map_or(of_preset, |typed| vec![typed]);
    let here = typed.waiting_at.clone().or_else(|| arrival::with_a_port(uris.first()?));
    if let Some(here) = here {
        let is_same = |uri: &String| uri.parse().is_ok_and(|uri| redirect_uri::find(&[uri], &here).is_some());
        uris.retain(|uri| !is_same(uri));
        uris.insert(0, here);
    }
    uris
}

async fn register(wire: &Wire, found: &Discovery, preset: &Preset, redirect_uris: Vec<String>) -> Introduced {
    let failed = |why: &str| Introduced {
        by: KnownBy::Registration,
        client: Err(why.to_owned()),
        heard: None,
        redirect_uris: Vec::new(),
    };
    let endpoint = found.server().and_then(|server| server["registration_endpoint"].as_str());
    let Some(endpoint) = endpoint.and_then(|endpoint| Url::parse(endpoint).ok()) else {
        return failed("the server names no registration endpoint");
    };
    let offered = |method: &&String| {
        let server = found.server();
        server.is_some_and(|server| lists(server, "token_endpoint_auth_methods_supported", method))
            && method.as_str() != "private_key_jwt"
    };
    let method = preset.methods.iter().find(offered).map_or("none", String::as_str);
    let is_native = redirect_uris.iter().all(|uri| !uri.starts_with("https:"));
    let body = json!({
        "client_name": preset.about,
        "redirect_uris": redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
        "application_type": if is_native { "native" } else { "web" },
    });
    let heard = wire.send(Request::post_json(&endpoint, &body)).await;
    let client = taken(&heard, method, &redirect_uris);
    wire.learn_from(&heard, &["client_secret", "registration_access_token"]);
    Introduced { by: KnownBy::Registration, client, heard: Some(heard), redirect_uris }
}

fn taken(heard: &Heard, method: &str, redirect_uris: &[String]) -> Result<Client, String> {
    let answer = heard.as_ref().map_err(ToString::to_string)?;
    let body = answer.object().unwrap_or(Value::Null);
    let Some(id) = body["client_id"].as_str().filter(|_| answer.is_success()) else {
        return Err(format!("registering was answered {}: {}", answer.status, told(&body)));
    };
    let method = body["token_endpoint_auth_method"].as_str().unwrap_or(method);
    let secret = body["client_secret"].as_str().filter(|_| method != "none");
    let redirect_uri = redirect_uris.first().cloned().ok_or("it has no callback")?;
    Ok(Client {
        id: id.to_owned(),
        secret: secret.map(|secret| ClientSecret::new(secret.to_owned())),
        by_header: method == "client_secret_basic",
        redirect_uri,
    })
}

/// An error in the words of whoever made it.
pub fn told(body: &Value) -> String {
    let words = |name: &str| body[name].as_str().map(str::to_owned);
    let both: Vec<String> = [words("error"), words("error_description")].into_iter().flatten().collect();
    if both.is_empty() { "no error that could be read".to_owned() } else { both.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::presets,
        simulate::{discovery::Place, wire::Silence},
    };

    fn found(methods: &Value) -> Discovery {
        let url: Url = "https://a.example/".parse().unwrap();
        let place =
            |document| Place { form: "root", url: url.clone(), heard: Err(Silence::TooLong), document, moved: None };
        let mut server = json!({ "issuer": "https://a.example" });
        if !methods.is_null() {
            server["token_endpoint_auth_methods_supported"] = methods.clone();
        }
        Discovery {
            target: url.clone(),
            first_call: Err(Silence::TooLong),
            resources: Vec::new(),
            issuer: String::new(),
            issuer_is_named: false,
            servers: vec![place(Some(server))],
            manifest: place(None),
        }
    }

    #[test]
    fn a_secret_goes_where_both_sides_have_it() {
        let in_header = |name: &str, methods: &Value| shows_in_header(&found(methods), presets::named(name).unwrap());
        let (post, basic, both) = (
            json!(["client_secret_post"]),
            json!(["client_secret_basic"]),
            json!(["client_secret_basic", "client_secret_post"]),
        );
        for name in ["claude", "chatgpt-connector", "chatgpt-action", "gemini"] {
            let places = [&post, &basic, &both, &Value::Null].map(|methods| in_header(name, methods));
            assert_eq!(places, [false, true, false, true], "{name}: where nothing is said, the header is meant");
        }
        assert!(!in_header("chatgpt-plugin", &basic), "it knows no other way");
        let typed = Typed { client_id: Some("x".into()), by_header: Some(true), ..Typed::default() };
        let callbacks = vec!["https://c.example/cb".to_owned()];
        let client = by_hand(&found(&post), presets::named("claude").unwrap(), &typed, callbacks).unwrap();
        assert!(client.by_header, "who typed it in knows");
    }

    #[test]
    fn nobody_is_sent_back_to_a_port_that_is_not_named() {
        let of = |uris: &[&str], typed: &Typed| callbacks(uris.iter().map(|uri| (*uri).to_owned()).collect(), typed);
        let open = of(&["http://127.0.0.1/cb", "http://localhost/cb"], &Typed::default());
        assert!(
            open.len() == 2 && open[0].starts_with("http://127.0.0.1:") && open[1] == "http://localhost/cb",
            "{open:?}"
        );
        let named = ["http://localhost:6274/cb", "http://127.0.0.1/cb"];
        assert_eq!(of(&named, &Typed::default()), named);
        let elsewhere = ["https://c.example/cb", "http://127.0.0.1/cb"];
        assert_eq!(of(&elsewhere, &Typed::default()), elsewhere, "that one is used");
        let typed = Typed { redirect_uri: Some("http://localhost/typed".into()), ..Typed::default() };
        let typed = of(&named, &typed);
        assert!(
            typed.len() == 1 && typed[0].starts_with("http://localhost:") && typed[0].ends_with("/typed"),
            "{typed:?}"
        );
    }

    #[test]
    fn a_callback_with_an_id_of_its_own_is_not_made_up_for_a_client_by_hand() {
        let typed = Typed { client_id: Some("x".into()), ..Typed::default() };
        let client = |name: &str| {
            let preset = presets::named(name).unwrap();
            by_hand(&found(&Value::Null), preset, &typed, callbacks(preset.callbacks_with("x1", false), &typed))
        };
        for own in ["chatgpt-plugin", "chatgpt-connector", "gemini"] {
            assert!(client(own).unwrap_err().contains("--redirect-uri"), "{own}");
        }
        assert_eq!(client("claude").unwrap().redirect_uri, "https://claude.ai/api/mcp/auth_callback");
    }
}
