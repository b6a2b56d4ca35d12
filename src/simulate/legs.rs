//! A journey in two legs, where the person's browser is at a server that plays the caller: `find` and `set_out` until the
//! browser leaves, `arrive` from when it is back. Nothing is kept in between but luggage, which whoever waits seals into
//! what the browser carries.

use oauth2::{ClientSecret, PkceCodeVerifier};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    api::Api,
    discovery::Discovery,
    endpoints::{Endpoints, Sender},
    journey::{CAME_BACK, Listener, Step, code, discover, use_code},
    person::{self, Authorization},
    registration::{Client, Typed, shows_in_header},
    tokens::{Counter, Encoding},
    wire::{Request, Wire},
};
use crate::{model::client::Dialect, protocol::presets::Preset};

/// The longest reason that is carried along.
const REASON_MAX: usize = 300;

/// What was found out before anybody is sent anywhere.
pub struct Found {
    preset: &'static Preset,
    endpoints: Endpoints,
    /// Whether the caller would send a secret in a header.
    pub by_header: bool,
    api: Result<Option<Api>, String>,
}

/// Where a server's own pages and endpoints are: no browser goes to any other, and codes go to the first one for tokens
/// alone. What a name leads to is its owner's to say, and behind the others there may be somebody else.
#[derive(Clone, Debug)]
pub struct Own {
    /// Where people are asked.
    pub page: String,
    /// The other addresses of it.
    pub authorization: Vec<String>,
    /// Where codes are redeemed.
    pub token: String,
    /// The other addresses for tokens that documents may name.
    pub other_tokens: Vec<String>,
}

/// What has to be known when the browser is back. It does not print: secrets are in it.
#[derive(Serialize, Deserialize)]
pub struct Luggage {
    /// Which client it is for.
    pub client_id: String,
    secret: Option<String>,
    by_header: bool,
    redirect_uri: String,
    token: String,
    encoding: Encoding,
    resource: Option<String>,
    sender: Option<Sender>,
    verifier: Option<String>,
    /// What is called, and whether it is an MCP server; or why nothing is.
    api: Result<Option<(bool, String)>, String>,
}

/// The first steps: nobody is known yet, and nothing has changed.
pub async fn find(
    wire: &Wire,
    target: &Url,
    (preset, typed): (&'static Preset, &Typed),
    own: &Own,
    tell: &mut dyn FnMut(Step),
) -> Option<Found> {
    let mut listener = Listener { wire, tell };
    let (found, endpoints) = discover(&mut listener, target, preset, typed).await?;
    if let Some(why) = stranger(&endpoints, own) {
        listener.hears("client", &Err(why));
        return None;
    }
    Some(Found {
        preset,
        by_header: shows_in_header(&found, preset),
        api: described(wire, &found, preset).await,
        endpoints,
    })
}

/// Where somebody else's address stands in the place of this server's.
fn stranger(endpoints: &Endpoints, own: &Own) -> Option<String> {
    let page = &endpoints.asked.endpoint;
    let is_own = *page == own.page || own.authorization.contains(page);
    let said = |what: &str, is: &str, known: &[String]| {
        format!("its documents name {is} as {what}, which is not this server's: {} would be", known.join(" or "))
    };
    if !is_own {
        let mut known = own.authorization.clone();
        known.push(own.page.clone());
        return Some(said("the place where people sign in", page, &known));
    }
    let token = endpoints.token.as_str();
    let known: Vec<String> = std::iter::once(&own.token).chain(&own.other_tokens).cloned().collect();
    let is_own = known.iter().any(|known| known == token);
    (!is_own).then(|| said("the place where tokens come from", token, &known))
}

/// What would be called; a description is read before anybody signs in, as callers do.
async fn described(wire: &Wire, found: &Discovery, preset: &Preset) -> Result<Option<Api>, String> {
    let api = Api::of(wire, found, preset.dialect).await;
    api.map_err(|why| why.chars().take(REASON_MAX).collect())
}

/// Writes the request with which a browser leaves, and packs. Where people are asked under another address than the
/// server's page has, it has to lead there.
pub async fn set_out(
    wire: &Wire,
    found: Found,
    client: &Client,
    own: &Own,
    tell: &mut dyn FnMut(Step),
) -> Option<(Authorization, Luggage)> {
    let mut listener = Listener { wire, tell };
    if let Some(secret) = &client.secret {
        wire.learn(secret.secret());
    }
    listener.hears("client", &Ok(format!("it is {}", client.id)));
    let request = match person::ask(client, &found.endpoints.asked) {
        Ok(request) => request,
        Err(why) => {
            listener.hears("authorization", &Err(why));
            return None;
        }
    };
    let led = if found.endpoints.asked.endpoint == own.page { Ok(()) } else { leads(wire, &request, own).await };
    let told = led.map(|()| "the browser was sent to sign in and to be asked".to_owned());
    if !listener.hears("authorization", &told) {
        return None;
    }
    let Found { preset, endpoints, by_header, api } = found;
    let luggage = Luggage {
        client_id: client.id.clone(),
        secret: client.secret.as_ref().map(|secret| secret.secret().clone()),
        by_header,
        redirect_uri: client.redirect_uri.clone(),
        token: own.token.clone(),
        encoding: endpoints.encoding,
        resource: endpoints.asked.resource,
        sender: endpoints.sender,
        verifier: request.verifier.as_ref().map(|verifier| verifier.secret().clone()),
        api: api.map(|api| api.map(|api| (preset.dialect == Dialect::Connector, api.address().to_string()))),
    };
    Some((request, luggage))
}

async fn leads(wire: &Wire, request: &Authorization, own: &Own) -> Result<(), String> {
    let answer = wire.send(Request::get(&request.url)).await.map_err(|silence| silence.to_string())?;
    let beginning = format!("{}?", own.page);
    match answer.redirect() {
        Some(location) if location.starts_with(&beginning) => Ok(()),
        Some(_) => Err(format!("the place where people sign in sends the browser somewhere else than to {}", own.page)),
        None => Err(format!(
            "the place where people sign in answers {} and does not send the browser to {}: its requests do not reach \
             this server",
            answer.status, own.page
        )),
    }
}

/// The steps from when the browser is back at this address. Whether all was well.
pub async fn arrive(
    wire: &Wire,
    luggage: Luggage,
    (location, state): (&str, &str),
    tell: &mut dyn FnMut(Step),
) -> bool {
    let mut listener = Listener { wire, tell };
    for secret in luggage.secret.iter().chain(&luggage.verifier) {
        wire.learn(secret);
    }
    person::learn_code(wire, location);
    let code = code(location, &luggage.redirect_uri, state, luggage.sender.as_ref());
    let outcome = code.as_ref().map(|_| CAME_BACK.to_owned()).map_err(Clone::clone);
    listener.hears("return", &outcome);
    let Ok(code) = code else { return false };
    let Ok(endpoint) = Url::parse(&luggage.token) else { return false };
    let client = Client {
        id: luggage.client_id,
        secret: luggage.secret.map(ClientSecret::new),
        by_header: luggage.by_header,
        redirect_uri: luggage.redirect_uri,
    };
    let counter = Counter { wire, endpoint, client: &client, encoding: luggage.encoding, resource: luggage.resource };
    let verifier = luggage.verifier.map(PkceCodeVerifier::new);
    let api = async || match luggage.api? {
        Some((is_mcp, address)) => Api::at(is_mcp, &address).map(Some),
        None => Ok(None),
    };
    use_code(&mut listener, &counter, (&code, verifier.as_ref()), api).await
}
