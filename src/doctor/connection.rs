//! Whether a connection can be made: becoming known, asking for a code, and with an account all the way.

use jsonwebtoken::jwk::JwkSet;

use super::{
    Patient, Report, authorize,
    check::{Check, State},
    registration, tokens,
};
use crate::{
    model::client::Dialect,
    protocol::presets::{KnownBy, Preset},
    simulate::{
        api::{Api, root_domain},
        discovery::Discovery,
        endpoints::Endpoints,
        person::{self, Account, Asked, Authorization, Ended},
        registration::{Client, introduce, way},
        tokens::{Counter, Encoding},
        wire::Wire,
    },
};

/// Everything a code needs.
pub(super) struct Connection<'a> {
    pub(super) wire: &'a Wire,
    pub(super) found: &'a Discovery,
    pub(super) client: &'a Client,
    pub(super) endpoints: &'a Endpoints,
    account: Option<&'a Account>,
}

impl Connection<'_> {
    /// Lets the account sign in and consent.
    async fn walk(&self) -> Result<(Authorization, Ended), String> {
        let account = self.account.ok_or("it takes a test account (--email and --password-file)")?;
        let request = person::ask(self.client, &self.endpoints.asked)?;
        let (ended, _) = person::walk(self.wire, &request.url, &self.client.redirect_uri, account).await;
        Ok((request, ended))
    }

    /// A token endpoint that is written to in this way.
    pub(super) fn counter(&self, encoding: Encoding) -> Counter<'_> {
        let (endpoint, resource) = (self.endpoints.token.clone(), self.endpoints.asked.resource.clone());
        Counter { wire: self.wire, endpoint, client: self.client, encoding, resource }
    }

    /// A new connection, without anything being judged.
    pub(super) async fn code(&self) -> Result<(String, Authorization), String> {
        let (request, ended) = self.walk().await?;
        match ended {
            Ended::Left(location) => {
                let code = person::parameter(&location, "code");
                Ok((code.ok_or("another time the browser came back without a code")?, request))
            }
            Ended::Stayed(why) | Ended::Beyond(why) => Err(why),
        }
    }
}

pub(super) async fn look(
    wire: &Wire,
    found: &Discovery,
    patient: &Patient,
    keys: Option<&JwkSet>,
    report: &mut Report,
) {
    // What is missing there was told by `metadata.endpoints` or `manifest.rules`.
    let endpoints = match Endpoints::of(found, patient.preset, &patient.typed) {
        Ok(endpoints) => endpoints,
        Err(why) => return report.leave_out("authorize.answers", format!("connecting: {why}")),
    };
    report.checks.extend(domain(found, &endpoints, patient.preset));
    if let Some(where_to) = left_behind(found, patient) {
        let what = format!(
            "connecting: it would leave a client at {where_to}, which is not this server's; consentry doctor on a command \
             line asks there"
        );
        return report.leave_out("registration.works", what);
    }
    let introduced = introduce(wire, found, patient.preset, &patient.typed).await;
    if introduced.by == KnownBy::Registration {
        report.checks.extend(registration::judged(&introduced, wire.clock().now()));
    }
    let client = match introduced.client {
        Ok(client) => client,
        Err(why) => return report.leave_out("authorize.answers", format!("connecting: {why}")),
    };
    let account = patient.account.as_ref();
    let connection = Connection { wire, found, client: &client, endpoints: &endpoints, account };
    let right = authorize::ask(wire, &client, &endpoints.asked).await.answers(&endpoints.asked.endpoint, &client);
    let is_taken = right.state == State::Ok;
    report.checks.push(right);
    let error = if is_taken { ask_otherwise(&connection, patient.preset.dialect, report).await } else { None };
    if patient.may_change(endpoints.token.as_str()) {
        report.checks.push(tokens::errors(&connection.counter(endpoints.encoding).refresh(tokens::MADE_UP).await));
    } else {
        let what = format!(
            "how a token that was made up is refused: {} is not this server's; consentry doctor on a command line asks \
             there",
            endpoints.token
        );
        report.leave_out("token.errors", what);
    }
    if !is_taken {
        return report.leave_out("authorize.code", "codes, tokens, refreshing and the API: nobody gets to sign in");
    }
    let arrived = arrive(&connection, report).await;
    let answers = [("a code", arrived.as_ref().map(|it| &it.location)), ("an error", error.as_ref())];
    let answers: Vec<(&str, &str)> =
        answers.iter().filter_map(|(with, it)| Some((*with, it.as_ref()?.as_str()))).collect();
    report.checks.extend(authorize::iss(found, &answers));
    let Some(arrived) = arrived else { return };
    let api = Api::of(wire, found, patient.preset.dialect).await;
    tokens::look(&connection, (&arrived.code, &arrived.request), keys, api, report).await;
}

/// Where a registration would leave a client that must not be left there.
fn left_behind(found: &Discovery, patient: &Patient) -> Option<String> {
    if way(found, patient.preset, &patient.typed) != Ok(KnownBy::Registration) {
        return None;
    }
    let endpoint = found.server()?["registration_endpoint"].as_str()?;
    (!patient.may_change(endpoint)).then(|| endpoint.to_owned())
}

/// Asks wrongly, and without scopes. The address in which the error was told.
async fn ask_otherwise(connection: &Connection<'_>, dialect: Dialect, report: &mut Report) -> Option<String> {
    let Connection { wire, client, endpoints, .. } = connection;
    let refused = authorize::ask_wrongly(wire, client, &endpoints.asked).await;
    match refused.is_told() {
        Some(check) => report.checks.push(check),
        None => {
            report.leave_out("authorize.error", "where errors go: a person is asked before the request is looked at");
        }
    }
    if let Some(asked) = without_scope(&endpoints.asked, dialect) {
        report.checks.push(authorize::ask(wire, client, &asked).await.takes_no_scope());
    }
    refused.error
}

/// What came back with the browser.
struct Arrived {
    location: String,
    code: String,
    request: Authorization,
}

async fn arrive(connection: &Connection<'_>, report: &mut Report) -> Option<Arrived> {
    let (request, ended) = match connection.walk().await {
        Ok(walked) => walked,
        Err(why) => {
            report.leave_out("authorize.code", format!("codes, tokens, refreshing and the API: {why}"));
            return None;
        }
    };
    let check = match ended {
        Ended::Left(location) => {
            report.checks.extend(authorize::came_back(&location, &request, connection.client));
            if let Some(code) = person::parameter(&location, "code") {
                report.checks.push(Check::ok("authorize.code", "A code came back."));
                return Some(Arrived { location, code, request });
            }
            authorize::refused(&location, &connection.endpoints.asked)
        }
        Ended::Stayed(why) => authorize::stayed(&why),
        Ended::Beyond(why) => {
            report.leave_out(
                "authorize.code",
                format!(
                    "codes, tokens, refreshing and the API: {why}. Play the same with consentry simulate without --email \
                     and --password-file, and sign in with a browser"
                ),
            );
            return None;
        }
    };
    // One who wants scopes has been told so, and this is the same once more.
    let is_told = report.checks.iter().any(|it| it.name == "authorize.scope" && it.state != State::Ok);
    if !is_told {
        report.checks.push(check);
    }
    report.leave_out("token.form", "tokens, refreshing and the API: there is no code");
    None
}

/// The request that has no scopes, if this caller ever makes one.
fn without_scope(asked: &Asked, dialect: Dialect) -> Option<Asked> {
    match (dialect, asked.scope.as_deref()) {
        (Dialect::Connector, _) => Some(Asked { scope: None, ..asked.clone() }),
        (_, Some("")) => Some(asked.clone()),
        _ => None,
    }
}

/// The endpoints' place as the editor of actions sees it; of plugins nobody has said.
fn domain(found: &Discovery, endpoints: &Endpoints, preset: &Preset) -> Option<Check> {
    let name = "authorize.domain";
    let own = root_domain(found.target.host_str()?);
    let authorize = url::Url::parse(&endpoints.asked.endpoint).ok()?;
    let hosts = [authorize.host_str()?, endpoints.token.host_str()?];
    let is_below = |host: &str, domain: &str| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    let is_excepted = |host: &str| preset.endpoint_domains.iter().any(|domain| is_below(host, domain));
    let Some(other) = hosts.into_iter().find(|host| root_domain(host) != own && !is_excepted(host)) else {
        return (preset.dialect != Dialect::Connector).then(|| {
            Check::ok(name, "The endpoints stand where they may: on the API's root domain, or one excepted.")
        });
    };
    let says = format!("{other} and the API's host {} share no root domain.", found.target.host_str()?);
    let cure = format!("Serve both endpoints on a name below {own}; the editor saves no others.");
    match preset.dialect {
        Dialect::Action => Some(Check::wrong(name, says, cure)),
        Dialect::Connector => None,
        _ => Some(Check::warning(name, says, cure)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        doctor::State::{Ok, Warning, Wrong},
        protocol::presets,
        simulate::{discovery::Place, wire::Silence},
    };

    #[test]
    fn an_action_has_its_endpoints_on_the_apis_domain() {
        let silent = || Err(Silence::Broken(String::new()));
        let target: url::Url = "https://api.example.co.uk/".parse().unwrap();
        let manifest = Place { form: "root", url: target.clone(), heard: silent(), document: None, moved: None };
        let found = Discovery {
            target,
            first_call: silent(),
            resources: Vec::new(),
            issuer: String::new(),
            issuer_is_named: false,
            servers: Vec::new(),
            manifest,
        };
        let state = |host: &str, preset: &str| {
            let asked = Asked { endpoint: "https://auth.example.co.uk/authorize".to_owned(), ..Asked::default() };
            let token = format!("https://{host}/token").parse().unwrap();
            let endpoints = Endpoints { asked, token, encoding: Encoding::Form, sender: None };
            domain(&found, &endpoints, presets::named(preset).unwrap()).map(|check| check.state)
        };
        assert_eq!(state("auth.example.co.uk", "chatgpt-action"), Some(Ok));
        assert_eq!(state("other.co.uk", "chatgpt-action"), Some(Wrong), "co.uk is nobody's");
        assert_eq!(state("other.co.uk", "chatgpt-plugin"), Some(Warning));
        assert_eq!(state("other.co.uk", "chatgpt-connector"), None);
        assert_eq!(state("oauth2.googleapis.com", "chatgpt-action"), Some(Ok), "who is excepted may stand elsewhere");
    }
}
