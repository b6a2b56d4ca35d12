//! The endpoints as a caller takes them, and what it goes no further for: from the manifest, from the server's metadata,
//! or as they were typed in.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{
    discovery::{Discovery, lists},
    person::{self, Asked},
    registration::Typed,
    tokens::Encoding,
};
use crate::{model::client::Dialect, protocol::presets::Preset};

/// Where the endpoints are, for a caller.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// What an authorization request holds.
    pub asked: Asked,
    /// The token endpoint.
    pub token: Url,
    /// How it is written to.
    pub encoding: Encoding,
    /// Who has to be named as the sender of an answer, if this caller looks.
    pub sender: Option<Sender>,
}

/// Who sends answers (RFC 9207).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sender {
    /// The issuer.
    pub issuer: String,
    /// Whether answers without a name are thrown away.
    pub is_promised: bool,
}

impl Endpoints {
    /// As that caller takes them.
    pub fn of(found: &Discovery, preset: &Preset, typed: &Typed) -> Result<Self, String> {
        let is_connector = preset.dialect == Dialect::Connector;
        let (document, authorize, token) = match source(found, preset.dialect) {
            Err(_) if typed.endpoints.is_some() => (&Value::Null, "", ""),
            source => source?,
        };
        let text = |name: &str| document[name].as_str().ok_or_else(|| format!("{name} is missing"));
        let (authorize, token) = if let Some((authorize, token)) = &typed.endpoints {
            (authorize.to_string(), token.clone())
        } else {
            let wrong = |error| format!("{token} is no address: {error}");
            (text(authorize)?.to_owned(), Url::parse(text(token)?).map_err(wrong)?)
        };
        let resource = found.resource().and_then(|resource| resource["resource"].as_str());
        let typed_in = document["scope"].as_str().unwrap_or_default();
        let usual = || if is_connector { scopes(found, preset) } else { Some(typed_in.to_owned()) };
        let is_json = document["authorization_content_type"] == "application/json" && preset.dialect == Dialect::Plugin;
        let sender = |server: &Value| {
            let issuer = server["issuer"].as_str().unwrap_or_default().to_owned();
            Sender { issuer, is_promised: found.promises_iss() }
        };
        Ok(Self {
            asked: Asked {
                endpoint: authorize,
                scope: typed.scope.clone().or_else(usual),
                resource: resource.filter(|_| is_connector).map(str::to_owned),
                with_challenge: is_connector,
            },
            token,
            encoding: if is_json { Encoding::Json } else { Encoding::Form },
            sender: found.server().filter(|_| is_connector).map(sender),
        })
    }
}

impl Sender {
    /// Whether the answer in an address is one of this sender's.
    pub fn sent(&self, location: &str) -> Result<(), String> {
        match person::parameter(location, "iss") {
            Some(iss) if iss == self.issuer => Ok(()),
            Some(iss) => {
                Err(format!("iss is {iss:?}, and the server is {:?}, so the answer is thrown away", self.issuer))
            }
            None if self.is_promised => {
                Err("iss is promised and did not come, so the answer is thrown away".to_owned())
            }
            None => Ok(()),
        }
    }
}

/// Why a connector goes no further: without S256 a server is unsupported, and one that calls itself otherwise than it is
/// called may be another (RFC 8414 §3.3).
pub fn refusal(found: &Discovery, dialect: Dialect) -> Option<String> {
    let server = found.server().filter(|_| dialect == Dialect::Connector)?;
    if !lists(server, "code_challenge_methods_supported", "S256") {
        return Some("the metadata does not list S256, so the server is not supported".to_owned());
    }
    let own = server["issuer"].as_str().unwrap_or_default();
    (found.issuer_is_named && own != found.issuer)
        .then(|| format!("the server calls itself {own:?}, and the API's metadata calls it {:?}", found.issuer))
}

/// The document that names the endpoints, and by which members.
fn source(found: &Discovery, dialect: Dialect) -> Result<(&Value, &'static str, &'static str), String> {
    let auth = found.manifest.document.as_ref().map(|manifest| &manifest["auth"]);
    match (dialect, auth, found.server()) {
        (Dialect::Connector, _, None) => Err("the server's metadata was not found".to_owned()),
        (Dialect::Plugin, None, _) => Err(format!("there is no manifest at {}", found.manifest.url)),
        (Dialect::Plugin, Some(auth), _) if auth["type"] != "oauth" => {
            Err("the manifest's auth.type is not \"oauth\", so nobody signs in".to_owned())
        }
        (Dialect::Plugin | Dialect::Action, Some(auth), _) if auth["type"] == "oauth" => {
            Ok((auth, "client_url", "authorization_url"))
        }
        (_, _, Some(server)) => Ok((server, "authorization_endpoint", "token_endpoint")),
        (_, _, None) => {
            Err("neither a manifest nor the server's metadata was found; name --authorization-url and --token-url"
                .to_owned())
        }
    }
}

/// What a connector asks for: what the API names, and what it wants of its own where the server lists it.
fn scopes(found: &Discovery, preset: &Preset) -> Option<String> {
    let supported = |resource: &Value| {
        let names = resource["scopes_supported"].as_array()?.iter().filter_map(Value::as_str);
        Some(names.collect::<Vec<_>>().join(" ")).filter(|names| !names.is_empty())
    };
    let own = found.challenged("scope").or_else(|| supported(found.resource()?));
    let is_listed = |scope: &&String| found.server().is_some_and(|server| lists(server, "scopes_supported", scope));
    let is_new = |scope: &&String| !own.iter().flat_map(|own| own.split_whitespace()).any(|known| known == *scope);
    let more = preset.scopes_where_listed.iter().filter(is_listed).filter(is_new);
    let all: Vec<&str> = own.as_deref().into_iter().chain(more.map(String::as_str)).collect();
    (!all.is_empty()).then(|| all.join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        protocol::presets,
        simulate::{discovery::Place, wire::Silence},
    };

    fn place(form: &'static str, document: Value) -> Place {
        let url = "https://a.example/x".parse().unwrap();
        let document = Some(document).filter(Value::is_object);
        Place { form, url, heard: Err(Silence::TooLong), document, moved: None }
    }

    fn found(server: Value, manifest: Value) -> Discovery {
        let resource = json!({ "resource": "https://a.example/mcp", "scopes_supported": ["read", "openid"] });
        Discovery {
            target: "https://a.example/mcp".parse().unwrap(),
            first_call: Err(Silence::TooLong),
            resources: vec![place("path", resource)],
            issuer: "https://a.example".to_owned(),
            issuer_is_named: true,
            servers: vec![place("root", server)],
            manifest: place("root", manifest),
        }
    }

    fn server() -> Value {
        json!({
            "issuer": "https://a.example", "authorization_endpoint": "https://a.example/authorize",
            "token_endpoint": "https://a.example/token", "code_challenge_methods_supported": ["plain", "S256"],
            "scopes_supported": ["email", "offline_access", "openid", "read"],
        })
    }

    #[test]
    fn a_connector_goes_no_further_at_a_server_it_refuses() {
        let refused = |member: &str, value: Value| {
            let mut server = server();
            server[member] = value;
            refusal(&found(server, Value::Null), Dialect::Connector)
        };
        assert_eq!(refused("x", Value::Null), None);
        assert!(refused("code_challenge_methods_supported", json!(["plain"])).unwrap().contains("S256"));
        assert!(refused("code_challenge_methods_supported", Value::Null).unwrap().contains("S256"));
        assert!(refused("issuer", json!("https://a.example/")).unwrap().contains("calls itself"));
        let other = found(json!({ "issuer": "x" }), Value::Null);
        assert_eq!(refusal(&other, Dialect::Plugin), None, "a plugin does not read it");
        let mut above = found(server(), Value::Null);
        above.servers[0].form = "above";
        assert!(
            Endpoints::of(&above, presets::named("claude").unwrap(), &Typed::default()).is_err(),
            "nobody looks there"
        );
    }

    #[test]
    fn an_answer_has_to_be_the_server_s() {
        let sent =
            |is_promised, location: &str| Sender { issuer: "https://a.example".into(), is_promised }.sent(location);
        let callback = "https://c.example/cb?code=1";
        assert!(sent(false, callback).is_ok() && sent(true, callback).unwrap_err().contains("did not come"));
        for is_promised in [true, false] {
            assert!(sent(is_promised, &format!("{callback}&iss=https://a.example")).is_ok());
            assert!(
                sent(is_promised, &format!("{callback}&iss=https://b.example")).unwrap_err().contains("thrown away")
            );
        }
    }

    #[test]
    fn each_caller_asks_for_its_own_scopes() {
        let scope = |name: &str| {
            let endpoints =
                Endpoints::of(&found(server(), Value::Null), presets::named(name).unwrap(), &Typed::default());
            endpoints.unwrap().asked.scope.unwrap()
        };
        assert_eq!(scope("chatgpt-connector"), "read openid email");
        assert_eq!(scope("claude"), "read openid offline_access");
        assert_eq!(scope("codex"), "read openid");
        let typed = Typed { scope: Some("write".to_owned()), ..Typed::default() };
        let endpoints = Endpoints::of(&found(server(), Value::Null), presets::named("codex").unwrap(), &typed);
        assert_eq!(endpoints.unwrap().asked.scope.as_deref(), Some("write"));
    }

    #[test]
    fn a_plugin_takes_its_endpoints_from_the_manifest_alone() {
        let of = |name: &str, server: Value, manifest: Value, typed: &Typed| {
            Endpoints::of(&found(server, manifest), presets::named(name).unwrap(), typed).map(|it| it.token.to_string())
        };
        let auth = json!({ "auth": {
            "type": "oauth", "client_url": "https://a.example/a", "authorization_url": "https://a.example/t",
        } });
        let nothing = Typed::default();
        assert_eq!(of("chatgpt-plugin", server(), auth.clone(), &nothing), Ok("https://a.example/t".to_owned()));
        let none = json!({ "auth": { "type": "none" } });
        assert!(of("chatgpt-plugin", server(), none.clone(), &nothing).unwrap_err().contains("auth.type"));
        assert!(of("chatgpt-plugin", server(), Value::Null, &nothing).unwrap_err().contains("no manifest"));
        assert_eq!(of("chatgpt-action", server(), none, &nothing), Ok("https://a.example/token".to_owned()));
        assert!(of("chatgpt-action", Value::Null, Value::Null, &nothing).unwrap_err().contains("--token-url"));
        let endpoints = Some(("https://b.example/a".parse().unwrap(), "https://b.example/t".parse().unwrap()));
        let typed = Typed { endpoints, ..Typed::default() };
        assert_eq!(of("chatgpt-action", Value::Null, Value::Null, &typed), Ok("https://b.example/t".to_owned()));
        assert_eq!(of("chatgpt-action", Value::Null, auth, &typed), Ok("https://b.example/t".to_owned()));
    }
}
