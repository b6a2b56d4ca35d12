//! Discovery: from the address that was typed to the server that gives tokens, in the order in which callers look.
//!
//! The API's challenge (RFC 9728 §5.1) leads to the resource's metadata, that to the issuer, and the issuer to the
//! server's metadata (RFC 8414 §3.1, then OpenID's places); a classic plugin's manifest names the endpoints itself.

use reqwest::header::{ACCEPT, ORIGIN};
use serde_json::{Value, json};
use url::Url;

use super::wire::{Heard, Request, Wire};

const RESOURCE: &str = "/.well-known/oauth-protected-resource";
const SERVER: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";
const MANIFEST: &str = "/.well-known/ai-plugin.json";

/// Forms of a server's address at which no caller looks; what stands there helps to say what to do.
const UNTRIED: [&str; 2] = ["appended", "above"];

/// So many servers that a resource names are looked at.
const SERVERS_MAX: usize = 3;

/// Whose page is said to read the documents, to learn whether a page may.
pub const ELSEWHERE: &str = "https://inspector.example";

/// A place where a document may stand.
#[derive(Clone, Debug)]
pub struct Place {
    /// Which form of the address this is.
    pub form: &'static str,
    /// The address.
    pub url: Url,
    /// What it answered.
    pub heard: Heard,
    /// The document, also when it stood behind one redirect on the same host.
    pub document: Option<Value>,
    /// Where it was moved to.
    pub moved: Option<String>,
}

impl Place {
    /// Whether the document stands here.
    pub fn is_found(&self) -> bool {
        self.document.is_some()
    }

    /// Whether callers look here.
    pub fn is_tried(&self) -> bool {
        !UNTRIED.contains(&self.form)
    }
}

/// What was found out.
#[derive(Clone, Debug)]
pub struct Discovery {
    /// What was typed.
    pub target: Url,
    /// What a call without a token was answered.
    pub first_call: Heard,
    /// Where the resource's metadata may stand.
    pub resources: Vec<Place>,
    /// The issuer, as the resource names it; where nothing does, what was typed if that is one, or else its host.
    pub issuer: String,
    /// Whether the resource named it.
    pub issuer_is_named: bool,
    /// Where the server's metadata may stand.
    pub servers: Vec<Place>,
    /// The manifest.
    pub manifest: Place,
}

impl Discovery {
    /// Looks everywhere, also where a caller would no longer look because it has found what it wanted.
    pub async fn of(wire: &Wire, target: &Url) -> Self {
        let first_call = wire.send(first_call(target)).await;
        let told = first_call.as_ref().ok().and_then(|answer| challenge_parameter(answer, "resource_metadata"));
        let told = told.and_then(|address| Url::parse(&address).ok());
        let mut places: Vec<(&'static str, Url)> = told.into_iter().map(|url| ("challenge", url)).collect();
        places.push(("path", inserted(target, RESOURCE)));
        places.push(("root", at_root(target, RESOURCE)));
        let resources = look(wire, places).await;
        let named = named_issuer(wire, &resources).await;
        let issuer_is_named = named.is_some();
        let (issuer, servers) = match named {
            Some(named) => named,
            None => unnamed_issuer(wire, target).await,
        };
        let manifest = visit(wire, "root", at_root(target, MANIFEST)).await;
        Self { target: target.clone(), first_call, resources, issuer, issuer_is_named, servers, manifest }
    }

    /// The server's metadata, as callers find it.
    pub fn server(&self) -> Option<&Value> {
        found(&self.servers)
    }

    /// Whether the server says that its answers have `iss` (RFC 9207 §3).
    pub fn promises_iss(&self) -> bool {
        self.server().is_some_and(|server| server["authorization_response_iss_parameter_supported"] == true)
    }

    /// The resource's metadata.
    pub fn resource(&self) -> Option<&Value> {
        self.resources.iter().find_map(|place| place.document.as_ref())
    }

    /// A challenge's parameter at the first call.
    pub fn challenged(&self, name: &str) -> Option<String> {
        challenge_parameter(self.first_call.as_ref().ok()?, name)
    }
}

fn found(servers: &[Place]) -> Option<&Value> {
    servers.iter().filter(|place| place.is_tried()).find_map(|place| place.document.as_ref())
}

/// The first server of those the resource names that has metadata, or else the first.
async fn named_issuer(wire: &Wire, resources: &[Place]) -> Option<(String, Vec<Place>)> {
    let names = |place: &Place| {
        let names = place.document.as_ref()?.get("authorization_servers")?.as_array()?;
        Some(names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
    };
    let names: Vec<String> = resources.iter().filter_map(names).find(|names: &Vec<String>| !names.is_empty())?;
    let mut first = None;
    for name in names.into_iter().take(SERVERS_MAX) {
        let servers = servers_of(wire, &name).await;
        if found(&servers).is_some() {
            return Some((name, servers));
        }
        first.get_or_insert((name, servers));
    }
    first
}

/// Where no resource names the server, people may have typed the server's own address, which can have a path. Only a
/// document that says so makes it an issuer: some servers tell of themselves before any path.
async fn unnamed_issuer(wire: &Wire, target: &Url) -> (String, Vec<Place>) {
    let origin = target.origin().ascii_serialization();
    let own = format!("{origin}{}", target.path().trim_end_matches('/'));
    if own != origin {
        let places = servers_of(wire, &own).await;
        let says_so = |place: &Place| {
            let issuer = place.document.as_ref().and_then(|document| document["issuer"].as_str());
            issuer.is_some_and(|issuer| issuer.trim_end_matches('/') == own)
        };
        if places.iter().any(says_so) {
            return (own, places);
        }
    }
    let places = servers_of(wire, &origin).await;
    (origin, places)
}

/// What stands in the places of an issuer's metadata; nothing for what is no address.
async fn servers_of(wire: &Wire, issuer: &str) -> Vec<Place> {
    match Url::parse(issuer) {
        Ok(url) => look(wire, server_places(&url)).await,
        Err(_) => Vec::new(),
    }
}

/// What a caller begins with: an MCP client's first message, without a token.
pub fn first_call(target: &Url) -> Request {
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "consentry", "version": env!("CARGO_PKG_VERSION") },
        },
    });
    Request::post_json(target, &body).with(ACCEPT, "application/json, text/event-stream")
}

/// A parameter of an answer's `Bearer` challenge (RFC 9110 §11.2).
pub fn challenge_parameter(answer: &super::wire::Answer, name: &str) -> Option<String> {
    answer.headers.get_all("www-authenticate").iter().find_map(|value| {
        let value = value.to_str().ok()?;
        let (scheme, mut rest) = value.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        while let Some((found, after)) = rest.split_once('=') {
            let (text, left) = match after.trim_start().strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_once(',').unwrap_or((after, "")),
            };
            if found.trim_matches([',', ' ']).eq_ignore_ascii_case(name) {
                return Some(text.trim().to_owned());
            }
            rest = left;
        }
        None
    })
}

fn server_places(issuer: &Url) -> Vec<(&'static str, Url)> {
    if issuer.path() == "/" {
        return vec![("root", at_root(issuer, SERVER)), ("openid root", at_root(issuer, OPENID))];
    }
    vec![
        ("inserted", inserted(issuer, SERVER)),
        ("openid inserted", inserted(issuer, OPENID)),
        ("openid appended", appended(issuer, OPENID)),
        ("appended", appended(issuer, SERVER)),
        ("above", at_root(issuer, SERVER)),
    ]
}

async fn look(wire: &Wire, places: Vec<(&'static str, Url)>) -> Vec<Place> {
    let mut seen: Vec<Place> = Vec::new();
    for (form, url) in places {
        if seen.iter().all(|place| place.url != url) {
            seen.push(visit(wire, form, url).await);
        }
    }
    seen
}

async fn visit(wire: &Wire, form: &'static str, url: Url) -> Place {
    let ask = |url: &Url| Request::get(url).with(ACCEPT, "application/json").with(ORIGIN, ELSEWHERE);
    let heard = wire.send(ask(&url)).await;
    let moved = heard.as_ref().ok().and_then(|answer| answer.redirect().map(str::to_owned));
    let next = moved.as_deref().and_then(|to| url.join(to).ok()).filter(|next| next.origin() == url.origin());
    let behind = match next {
        Some(next) => wire.send(ask(&next)).await.ok(),
        None => None,
    };
    let answer = behind.as_ref().or(heard.as_ref().ok());
    let document = answer.filter(|answer| answer.status == 200).and_then(super::wire::Answer::object);
    Place { form, url, heard, document, moved }
}

/// The well-known path between the host and the rest.
fn inserted(base: &Url, place: &str) -> Url {
    let mut url = base.clone();
    let path = base.path().trim_end_matches('/');
    url.set_path(&format!("{place}{path}"));
    url
}

fn appended(base: &Url, place: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{place}", base.path().trim_end_matches('/')));
    url
}

fn at_root(base: &Url, place: &str) -> Url {
    let mut url = base.clone();
    url.set_path(place);
    url.set_query(None);
    url
}

/// Whether a list has that word.
pub fn lists(document: &Value, member: &str, word: &str) -> bool {
    document.get(member).and_then(Value::as_array).is_some_and(|words| words.iter().any(|it| it == word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::Timestamp, simulate::wire::Answer};

    #[test]
    fn a_challenge_is_read_by_its_parameters() {
        let with = |value: &str| {
            let headers = [("www-authenticate".parse().unwrap(), value.parse().unwrap())].into_iter().collect();
            Answer { status: 401, headers, body: Vec::new(), at: Timestamp::default() }
        };
        let read = |value: &str, name: &str| challenge_parameter(&with(value), name);
        let usual = r#"Bearer error="invalid_token", resource_metadata="https://a.example/x?y=1,2", scope="a b""#;
        assert_eq!(read(usual, "resource_metadata").as_deref(), Some("https://a.example/x?y=1,2"));
        assert_eq!(read(usual, "scope").as_deref(), Some("a b"));
        assert_eq!(read("bearer realm=x, scope=y", "scope").as_deref(), Some("y"));
        assert_eq!(read(r#"Basic realm="Bearer scope=x""#, "scope"), None);
        assert_eq!(read(r#"Bearer scope="never ends"#, "scope"), None);
    }

    #[test]
    fn the_places_are_those_callers_try() {
        let tried = |issuer: &str| {
            let places = server_places(&issuer.parse().unwrap()).into_iter();
            let tried = places.filter(|(form, _)| !UNTRIED.contains(form));
            tried.map(|(_, url)| url.path().to_owned()).collect::<Vec<_>>()
        };
        let at_root = ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];
        assert_eq!(tried("https://a.example"), at_root);
        assert_eq!(
            tried("https://a.example/auth"),
            [
                "/.well-known/oauth-authorization-server/auth",
                "/.well-known/openid-configuration/auth",
                "/auth/.well-known/openid-configuration",
            ]
        );
    }
}
