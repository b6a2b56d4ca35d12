//! Whether a connection can be made: by registering, at the authorization endpoint, and with an account all the way.

use jsonwebtoken::jwk::JwkSet;
use serde_json::Value;

use super::{Patient, Report, check::Check, tokens};
use crate::{
    model::client::Dialect,
    protocol::presets::KnownBy,
    simulate::{
        api::Api,
        discovery::{Discovery, lists},
        forms::Page,
        journey::Endpoints,
        person::{self, Account, Authorization, Ended},
        registration::{self, Client, Introduced},
        tokens::{Counter, Encoding},
        wire::{Heard, Request, Wire},
    },
};

/// Everything a code needs.
pub(super) struct Connection<'a> {
    pub(super) wire: &'a Wire,
    pub(super) client: &'a Client,
    pub(super) endpoints: &'a Endpoints,
    pub(super) account: &'a Account,
}

impl Connection<'_> {
    /// Lets the account sign in and consent.
    pub(super) async fn walk(&self) -> Result<(Authorization, Ended), String> {
        let request = person::ask(self.client, &self.endpoints.asked)?;
        let (ended, _) = person::walk(self.wire, &request.url, self.account).await;
        Ok((request, ended))
    }

    /// A token endpoint that is written to in this way.
    pub(super) fn counter(&self, encoding: Encoding) -> Counter<'_> {
        let (endpoint, resource) = (self.endpoints.token.clone(), self.endpoints.asked.resource.clone());
        Counter { wire: self.wire, endpoint, client: self.client, encoding, resource }
    }

    /// A new connection, without anything being judged.
    pub(super) async fn code(&self) -> Option<(String, Authorization)> {
        let (request, ended) = self.walk().await.ok()?;
        let Ended::Left(location) = ended else { return None };
        Some((person::parameter(&location, "code")?, request))
    }
}

pub(super) async fn look(
    wire: &Wire,
    found: &Discovery,
    patient: &Patient,
    keys: Option<&JwkSet>,
    report: &mut Report,
) {
    let endpoints = match Endpoints::of(found, patient.preset.dialect) {
        Ok(endpoints) => endpoints,
        Err(why) => return report.left_out.push(format!("connecting: {why}")),
    };
    let introduced = registration::introduce(wire, found, patient.preset, &patient.typed).await;
    if introduced.by == KnownBy::Registration {
        report.checks.extend(registered(&introduced));
    }
    let client = match introduced.client {
        Ok(client) => client,
        Err(why) => return report.left_out.push(format!("connecting: {why}")),
    };
    let refused = refusal(wire, &client, &endpoints).await;
    report.checks.extend(refused.judged(found));
    let Some(account) = &patient.account else {
        report.left_out.push("codes, tokens, refreshing and the API: no --email and --password-file".to_owned());
        return;
    };
    let connection = Connection { wire, client: &client, endpoints: &endpoints, account };
    let (request, ended) = match connection.walk().await {
        Ok(walked) => walked,
        Err(why) => return report.left_out.push(format!("tokens: {why}")),
    };
    let location = match ended {
        Ended::Left(location) => location,
        Ended::Stayed(why) => {
            let says = format!("The test account did not come back from it: {why}.");
            let cure = "Open the address of consentry simulate in a browser and see what the page says.";
            report.checks.push(Check::wrong("authorize.answers", says, cure));
            report.left_out.push("tokens: there is no code".to_owned());
            return;
        }
    };
    report.checks.extend(came_back(&location, &request, &client));
    report.checks.push(iss(found, &[("a code", Some(&location)), ("an error", refused.location.as_ref())]));
    let Some(code) = person::parameter(&location, "code") else {
        return report.left_out.push("tokens: there is no code".to_owned());
    };
    let api = match patient.preset.dialect {
        Dialect::Connector => Some(Api::of_target(found)),
        _ => Api::of_manifest(wire, found).await,
    };
    tokens::look(&connection, (&code, &request), keys, api, report).await;
}

fn registered(introduced: &Introduced) -> Vec<Check> {
    let cure = "Take RFC 7591 requests, pass over members that are not known (§2), and answer 201 with a client_id.";
    let Some(Ok(answer)) = &introduced.heard else {
        let why = introduced.client.as_ref().err().cloned().unwrap_or_default();
        return vec![Check::wrong("registration.works", why, cure)];
    };
    if let Err(why) = &introduced.client {
        return vec![Check::wrong("registration.works", why, cure)];
    }
    let body = answer.object().unwrap_or(Value::Null);
    let kept = introduced.redirect_uris.iter().filter(|uri| lists(&body, "redirect_uris", uri)).count();
    let says = format!("{kept} of {} redirect URIs were registered.", introduced.redirect_uris.len());
    let is_whole = kept == introduced.redirect_uris.len();
    vec![
        Check::ok("registration.works", "A client can register."),
        Check::of("registration.redirect_uris", is_whole, says, "Keep every redirect URI, and say back which."),
    ]
}

/// What a request with a fault was answered.
struct Refusal {
    heard: Heard,
    /// Where the error is told: by a redirect, or by a link on a page.
    location: Option<String>,
}

/// Asks with a fault that the client should be told of (RFC 6749 §4.1.2.1).
async fn refusal(wire: &Wire, client: &Client, endpoints: &Endpoints) -> Refusal {
    let mut url = match person::ask(client, &endpoints.asked) {
        Ok(request) => request.url,
        Err(why) => return Refusal { heard: Err(crate::simulate::wire::Silence::Broken(why)), location: None },
    };
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let wrong = |name: &str, value: String| if name == "response_type" { "nothing".to_owned() } else { value };
    url.query_pairs_mut().clear().extend_pairs(pairs.into_iter().map(|(name, value)| {
        let value = wrong(&name, value);
        (name, value)
    }));
    let heard = wire.send(Request::get(&url)).await;
    let location = heard.as_ref().ok().and_then(|answer| {
        let links = || Page::read(&answer.body).links.into_iter();
        let tells = |place: &String| person::parameter(place, "error").is_some();
        answer.redirect().map(str::to_owned).filter(tells).or_else(|| links().find(tells))
    });
    Refusal { heard, location }
}

impl Refusal {
    fn judged(&self, found: &Discovery) -> Vec<Check> {
        let endpoint = "The authorization endpoint";
        let answers = match &self.heard {
            Ok(answer) if answer.status < 500 => Check::ok("authorize.answers", format!("{endpoint} answers.")),
            Ok(answer) => {
                let says = format!("{endpoint} answers {}.", answer.status);
                Check::wrong("authorize.answers", says, "Look into the server's log at this moment.")
            }
            Err(silence) => Check::wrong("authorize.answers", silence.to_string(), "Correct authorization_endpoint."),
        };
        let says = match &self.location {
            Some(_) => "An error leads back to the client, by a redirect or by a link.",
            None => "An error stays on a page, though the redirect URI is the client's.",
        };
        let cure =
            "Send the browser to the redirect URI with error, state and iss (RFC 6749 §4.1.2.1), or show a link there.";
        let mut checks = vec![answers, Check::of("authorize.error", self.location.is_some(), says, cure)];
        // Without an account this is the only answer there is.
        if let Some(location) = &self.location {
            let seen = iss(found, &[("an error", Some(location))]);
            if seen.state != super::State::Ok {
                checks.push(seen);
            }
        }
        checks
    }
}

fn came_back(location: &str, request: &Authorization, client: &Client) -> Vec<Check> {
    let place = location.split(['?', '#']).next().unwrap_or_default();
    let wanted = client.redirect_uri.split('?').next().unwrap_or_default();
    let state = person::parameter(location, "state");
    let is_same = state.as_ref() == Some(&request.state);
    vec![
        Check::of(
            "authorize.redirect",
            place == wanted,
            format!("The browser was sent to {place}; the client waits at {wanted}."),
            "Send it to the redirect URI as it was asked for, byte for byte.",
        ),
        Check::of(
            "authorize.state",
            is_same,
            if is_same { "state came back unchanged." } else { "state came back changed, or not at all." },
            "Give state back byte for byte, however long it is and whatever characters it has.",
        ),
    ]
}

/// `iss` where it is promised (RFC 9207), in each answer that came.
fn iss(found: &Discovery, answers: &[(&str, Option<&String>)]) -> Check {
    let name = "authorize.iss";
    let promise = "authorization_response_iss_parameter_supported";
    let server = found.server().filter(|server| server[promise] == true);
    let Some(own) = server.and_then(|server| server["issuer"].as_str()) else {
        return Check::ok(name, "No iss is promised.");
    };
    for (with, location) in answers {
        let Some(location) = location else { continue };
        let came = person::parameter(location, "iss");
        if came.as_deref() != Some(own) {
            let says = format!("With {with} came iss {came:?}; the server calls itself {own:?}.");
            let cure = "Send the issuer as iss with every code and every error, or stop promising it.";
            return Check::wrong(name, says, cure);
        }
    }
    Check::ok(name, "iss comes as promised.")
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::doctor::State;

    #[test]
    fn what_comes_back_is_compared_byte_for_byte() {
        let redirect_uri = "https://client.example/cb".to_owned();
        let client = Client { id: "x".to_owned(), secret: None, by_header: false, redirect_uri };
        let url: Url = "https://a.example/authorize".parse().unwrap();
        let request = Authorization { url, state: "a%2F_".to_owned(), verifier: None };
        let states =
            |location: &str| came_back(location, &request, &client).iter().map(|check| check.state).collect::<Vec<_>>();
        assert_eq!(states("https://client.example/cb?code=c&state=a%252F_"), [State::Ok, State::Ok]);
        assert_eq!(states("https://www.client.example/cb?state=a%252F_"), [State::Wrong, State::Ok]);
        assert_eq!(states("https://client.example/cb?state=a%2F_"), [State::Ok, State::Wrong]);
    }
}
