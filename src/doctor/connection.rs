//! Whether a connection can be made: becoming known, asking for a code, and with an account all the way.

use jsonwebtoken::jwk::JwkSet;

use super::{Patient, Report, authorize, check::Check, registration, tokens};
use crate::{
    model::client::Dialect,
    protocol::presets::KnownBy,
    simulate::{
        api::Api,
        discovery::Discovery,
        journey::Endpoints,
        person::{self, Account, Asked, Authorization, Ended},
        registration::{Client, introduce},
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
    pub(super) account: &'a Account,
}

impl Connection<'_> {
    /// Lets the account sign in and consent.
    async fn walk(&self) -> Result<(Authorization, Ended), String> {
        let request = person::ask(self.client, &self.endpoints.asked)?;
        let (ended, _) = person::walk(self.wire, &request.url, self.account).await;
        Ok((request, ended))
    }

    /// A token endpoint that is written to in this way.
    pub(super) fn counter(&self, encoding: Encoding) -> Counter<'_> {
        Counter { encoding, ..counter(self.wire, self.client, self.endpoints) }
    }

    /// A new connection, without anything being judged.
    pub(super) async fn code(&self) -> Option<(String, Authorization)> {
        let (request, ended) = self.walk().await.ok()?;
        let Ended::Left(location) = ended else { return None };
        Some((person::parameter(&location, "code")?, request))
    }
}

fn counter<'a>(wire: &'a Wire, client: &'a Client, endpoints: &Endpoints) -> Counter<'a> {
    let (endpoint, resource) = (endpoints.token.clone(), endpoints.asked.resource.clone());
    Counter { wire, endpoint, client, encoding: endpoints.encoding, resource }
}

pub(super) async fn look(
    wire: &Wire,
    found: &Discovery,
    patient: &Patient,
    keys: Option<&JwkSet>,
    report: &mut Report,
) {
    let dialect = patient.preset.dialect;
    // What is missing there was told by `metadata.endpoints` or `manifest.rules`.
    let endpoints = match Endpoints::of(found, dialect) {
        Ok(endpoints) => endpoints,
        Err(why) => return report.left_out.push(format!("connecting: {why}")),
    };
    report.checks.extend(domain(found, &endpoints, dialect));
    let introduced = introduce(wire, found, patient.preset, &patient.typed).await;
    if introduced.by == KnownBy::Registration {
        report.checks.extend(registration::judged(&introduced, wire.clock().now()));
    }
    let client = match introduced.client {
        Ok(client) => client,
        Err(why) => return report.left_out.push(format!("connecting: {why}")),
    };
    let refused = authorize::ask_wrongly(wire, &client, &endpoints.asked).await;
    report.checks.push(refused.answers(&endpoints.asked.endpoint));
    match refused.is_told() {
        Some(check) => report.checks.push(check),
        None => report.left_out.push("authorize.error: a person is asked before the request is looked at".to_owned()),
    }
    if let Some(asked) = without_scope(&endpoints.asked, dialect) {
        report.checks.push(authorize::ask_without_scope(wire, &client, &asked).await.takes_no_scope());
    }
    report.checks.push(tokens::errors(&counter(wire, &client, &endpoints).refresh(tokens::MADE_UP).await));
    let mut arrived = None;
    if let Some(account) = &patient.account {
        arrived = arrive(&Connection { wire, found, client: &client, endpoints: &endpoints, account }, report).await;
    } else {
        report.left_out.push("codes, tokens, refreshing and the API: no --email and --password-file".to_owned());
    }
    let answers = [("a code", arrived.as_ref().map(|it| &it.location)), ("an error", refused.error.as_ref())];
    let answers: Vec<(&str, &str)> =
        answers.iter().filter_map(|(with, it)| Some((*with, it.as_ref()?.as_str()))).collect();
    report.checks.extend(authorize::iss(found, &answers));
    let (Some(arrived), Some(account)) = (arrived, &patient.account) else { return };
    let api = match dialect {
        Dialect::Connector => Some(Api::of_target(found)),
        _ => Api::of_manifest(wire, found).await,
    };
    let connection = Connection { wire, found, client: &client, endpoints: &endpoints, account };
    tokens::look(&connection, (&arrived.code, &arrived.request), keys, api, report).await;
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
            report.left_out.push(format!("tokens: {why}"));
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
        // That is no mistake of the server's: people have browsers.
        Ended::Scripted(at) => {
            report.left_out.push(format!(
                "codes, tokens, refreshing and the API: {} makes its page by scripts, which are not run here. Play the \
                 same with consentry simulate without --email and --password-file, and sign in with a browser",
                &at[..url::Position::AfterPath]
            ));
            return None;
        }
    };
    // One who wants scopes has been told so, and this is the same once more.
    let is_told = report.checks.iter().any(|it| it.name == "authorize.scope" && !authorize::is_right(it));
    if !is_told {
        report.checks.push(check);
    }
    report.left_out.push("tokens, refreshing and the API: there is no code".to_owned());
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
fn domain(found: &Discovery, endpoints: &Endpoints, dialect: Dialect) -> Option<Check> {
    let name = "authorize.domain";
    let api = found.target.host_str()?;
    let authorize = url::Url::parse(&endpoints.asked.endpoint).ok()?;
    let hosts = [authorize.host_str()?, endpoints.token.host_str()?];
    let root = |host: &str| psl::domain_str(host).unwrap_or(host).to_owned();
    let Some(other) = hosts.into_iter().find(|host| root(host) != root(api)) else {
        return (dialect != Dialect::Connector)
            .then(|| Check::ok(name, "The endpoints share a root domain with the API."));
    };
    let says = format!("{other} and the API's host {api} share no root domain.");
    let cure = format!("Serve both endpoints on a name below {}; the editor saves no others.", root(api));
    match dialect {
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
        let state = |host: &str, dialect| {
            let asked = Asked { endpoint: "https://auth.example.co.uk/authorize".to_owned(), ..Asked::default() };
            let token = format!("https://{host}/token").parse().unwrap();
            domain(&found, &Endpoints { asked, token, encoding: Encoding::Form }, dialect).map(|check| check.state)
        };
        assert_eq!(state("auth.example.co.uk", Dialect::Action), Some(Ok));
        assert_eq!(state("other.co.uk", Dialect::Action), Some(Wrong), "co.uk is nobody's");
        assert_eq!(state("other.co.uk", Dialect::Plugin), Some(Warning));
        assert_eq!(state("other.co.uk", Dialect::Connector), None);
    }
}
