//! The authorization endpoint: whether it answers, where an error goes, and what comes back with a code.

use url::Url;

use super::{check::Check, reach::unanswered};
use crate::simulate::{
    discovery::Discovery,
    forms::Page,
    person::{self, Asked, Authorization},
    registration::Client,
    wire::{Heard, Request, Silence, Wire},
};

/// What a request was answered that should be refused, or should not.
pub(super) struct Answered {
    heard: Heard,
    /// Where an error is told: by a redirect, or by a link on a page.
    pub(super) error: Option<String>,
}

/// Asks for a code as the caller does, and goes no further.
pub(super) async fn ask(wire: &Wire, client: &Client, asked: &Asked) -> Answered {
    send(wire, person::ask(client, asked).map(|request| request.url)).await
}

/// Asks with a fault that the client should be told of (RFC 6749 §4.1.2.1).
pub(super) async fn ask_wrongly(wire: &Wire, client: &Client, asked: &Asked) -> Answered {
    let wrongly = |request: Authorization| {
        let mut url = request.url;
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let others = pairs.iter().filter(|(name, _)| name != "response_type");
        url.query_pairs_mut().clear().extend_pairs(others).append_pair("response_type", "nothing");
        url
    };
    send(wire, person::ask(client, asked).map(wrongly)).await
}

async fn send(wire: &Wire, url: Result<Url, String>) -> Answered {
    let heard = match url {
        Ok(url) => wire.send(Request::get(&url)).await,
        Err(why) => Err(Silence::Broken(why)),
    };
    let error = heard.as_ref().ok().and_then(|answer| {
        let links = || Page::read(&answer.body).links.into_iter();
        let tells = |place: &String| person::told(place, "error").is_some();
        answer.redirect().map(str::to_owned).filter(tells).or_else(|| links().find(tells))
    });
    Answered { heard, error }
}

impl Answered {
    /// To a request that is right. A page with an error means that client or redirect URI are not known here, and then
    /// nobody may be sent anywhere (RFC 6749 §4.1.2.1).
    pub(super) fn answers(&self, endpoint: &str, client: &Client) -> Check {
        let name = "authorize.answers";
        let (says, cure) = match &self.heard {
            Ok(answer) if answer.status < 400 || self.error.is_some() => {
                return Check::ok(name, format!("{endpoint} answers."));
            }
            Ok(answer) if answer.status == 404 || answer.status == 405 => (
                format!("{endpoint} answers {} to a GET.", answer.status),
                "Correct the address of the authorization endpoint in the metadata or the manifest.".to_owned(),
            ),
            Ok(answer) if [403, 429].contains(&answer.status) || answer.status >= 500 => (
                format!("{endpoint} answers {} to a request for a code.", answer.status),
                "Look into the server's log, and into that of a filter in front, at this moment.".to_owned(),
            ),
            Ok(answer) => (
                format!("{endpoint} answers {} to a request for a code, and sends nobody back.", answer.status),
                format!(
                    "See that the server knows the client {} with the redirect URI {}, byte for byte; the page that \
                     people see, or its log, says what it misses.",
                    client.id, client.redirect_uri
                ),
            ),
            Err(silence) => return unanswered(name, silence),
        };
        Check::wrong(name, says, cure)
    }

    /// To a wrong request of a client whose right one is taken. Nothing where the server asks a person before it looks,
    /// or says something of another matter: then it cannot be told.
    pub(super) fn is_told(&self) -> Option<Check> {
        let name = "authorize.error";
        if self.error.is_some() {
            return Some(Check::ok(name, "An error leads back to the client, by a redirect or by a link."));
        }
        let status =
            self.heard.as_ref().ok().map(|answer| answer.status).filter(|status| [400, 401].contains(status))?;
        Some(Check::wrong(
            name,
            format!("An error stays on a page ({status}), though client and redirect URI are good."),
            "Send the browser to the redirect URI with error, state and iss (RFC 6749 §4.1.2.1), or show a link there: \
             else the assistant waits, and its people learn nothing.",
        ))
    }

    pub(super) fn takes_no_scope(&self) -> Check {
        let name = "authorize.scope";
        match self.error.as_ref().and_then(|place| person::told(place, "error")) {
            Some(error) if error == "invalid_scope" => Check::wrong(
                name,
                "A request without scopes is refused: invalid_scope. Assistants connect again without any.",
                SCOPES_BY_DEFAULT,
            ),
            _ => Check::ok(name, "A request without scopes is not refused before somebody signs in."),
        }
    }
}

const SCOPES_BY_DEFAULT: &str =
    "Take a missing or an empty scope for the client's default scopes (RFC 6749 §3.3), all it may have.";

/// What came back with the browser instead of a code.
pub(super) fn refused(location: &str, asked: &Asked) -> Check {
    let name = "authorize.code";
    let Some(error) = person::parameter(location, "error") else {
        let says = "The browser came back with neither a code nor an error.";
        return Check::wrong(name, says, "Send the code as the parameter code of the redirect URI (RFC 6749 §4.1.2).");
    };
    let says = match person::parameter(location, "error_description") {
        Some(why) => format!("Instead of a code came {error}: {why}"),
        None => format!("Instead of a code came {error}, without a reason."),
    };
    let cure = match error.as_str() {
        "invalid_scope" => SCOPES_BY_DEFAULT.to_owned(),
        "invalid_target" => {
            let resource = asked.resource.as_deref().unwrap_or("the API's address");
            format!("Register {resource} at the server as a resource that tokens are given for (RFC 8707 §2).")
        }
        "invalid_request" if !asked.with_challenge => {
            "If it is for the missing code_challenge, let this one client do without PKCE: it sends none. Ask it of all \
             others."
                .to_owned()
        }
        "access_denied" => match asked.scope.as_deref().unwrap_or_default() {
            "" => format!(
                "Nothing was asked for, and some servers grant nothing then. {SCOPES_BY_DEFAULT} Or the test account \
                 may not use this client."
            ),
            scope => format!(
                "See that the server knows the scopes that were asked for ({scope}) and lets this client have them, and \
                 that the test account may use it."
            ),
        },
        "unauthorized_client" => "Allow this client the grant authorization_code.".to_owned(),
        _ => "Look into the server's log at this moment: it knows why it said so.".to_owned(),
    };
    Check::wrong(name, says, cure)
}

/// The browser ended on a page of the server's.
pub(super) fn stayed(why: &str) -> Check {
    Check::wrong(
        "authorize.code",
        format!("The test account did not come back with a code: {why}."),
        "Play the same with consentry simulate, open the address it prints in a browser, and read what the page says.",
    )
}

pub(super) fn came_back(location: &str, request: &Authorization, client: &Client) -> Vec<Check> {
    vec![
        redirect(location, &client.redirect_uri),
        state(person::parameter(location, "state").as_deref(), &request.state),
    ]
}

fn redirect(location: &str, wanted: &str) -> Check {
    let name = "authorize.redirect";
    let place = location.split(['?', '#']).next().unwrap_or_default();
    if person::arrives(location, wanted) {
        return Check::ok(name, "The browser was sent to the redirect URI.");
    }
    let cure =
        format!("Send it to the redirect URI of the request byte for byte, {wanted}, whatever else is registered.");
    Check::wrong(name, format!("The browser was sent to {place}, and the client waits at {wanted}."), cure)
}

fn state(came: Option<&str>, sent: &str) -> Check {
    let name = "authorize.state";
    let says = match came {
        Some(came) if came == sent => return Check::ok(name, "state came back unchanged."),
        Some(came) => format!("state was sent as {sent:?} and came back as {came:?}."),
        None => "state did not come back.".to_owned(),
    };
    Check::wrong(
        name,
        says,
        "Give state back byte for byte (RFC 6749 §4.1.2), however long, whatever characters it has.",
    )
}

/// `iss` in each answer that came, where it is promised (RFC 9207).
pub(super) fn iss(found: &Discovery, answers: &[(&str, &str)]) -> Option<Check> {
    let name = "authorize.iss";
    let server = found.server()?;
    let own = server["issuer"].as_str().unwrap_or_default();
    let came: Vec<(&str, Option<String>)> =
        answers.iter().map(|(with, location)| (*with, person::told(location, "iss"))).collect();
    let promise = "authorization_response_iss_parameter_supported";
    if server[promise] != true {
        let is_sent = came.iter().any(|(_, iss)| iss.is_some());
        return is_sent.then(|| {
            let cure = format!("Say {promise}: true in the metadata (RFC 9207 §3).");
            Check::warning(name, "iss comes, and the metadata does not promise it, so nobody relies on it.", cure)
        });
    }
    let Some((with, iss)) = came.iter().find(|(_, iss)| iss.as_deref() != Some(own)) else {
        return came.first().map(|_| Check::ok(name, "iss comes as promised."));
    };
    let wrong = |says: String, cure: String| Some(Check::wrong(name, says, cure));
    match iss {
        Some(iss) => wrong(
            format!("With {with} came iss {iss:?}, and the metadata says {own:?}: callers take it for an attack."),
            format!("Send as iss the very issuer of the metadata, {own} (RFC 9207 §2)."),
        ),
        None if came.iter().any(|(_, iss)| iss.is_some()) => wrong(
            format!("iss is promised and does not come with {with}."),
            format!("Send iss={own} with errors too (RFC 9207 §2): without it callers throw the answer away."),
        ),
        None => wrong(
            format!("iss is promised and does not come with {with}."),
            format!("Send iss={own} with every code and every error (RFC 9207 §2), or stop promising it."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{State, samples::answer};

    #[test]
    fn who_is_not_known_is_to_be_registered_and_nobody_is_sent_on() {
        let redirect_uri = "https://client.example/cb".to_owned();
        let client = Client { id: "x".to_owned(), secret: None, by_header: false, redirect_uri };
        let answered = |status| Answered { heard: Ok(answer(status, &[], "<p>")), error: None };
        let right = |status| answered(status).answers("https://a.example/authorize", &client);
        assert_eq!((right(200).state, right(303).state), (State::Ok, State::Ok));
        let unknown = right(400);
        let cure = unknown.cure.unwrap();
        assert!(cure.contains("the client x with the redirect URI https://client.example/cb"), "{cure}");
        assert!(right(404).cure.unwrap().contains("Correct the address"));
        assert!(right(429).cure.unwrap().contains("filter") && right(500).cure.unwrap().contains("log"));
        // Only a no to the request itself is one that belongs at the client.
        let wrong = [200, 400, 401, 403, 404, 429, 503].map(|status| answered(status).is_told().map(|it| it.state));
        let told = Some(State::Wrong);
        assert_eq!(wrong, [None, told, told, None, None, None, None]);
    }

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

    #[test]
    fn an_error_behind_a_hash_leads_back_too() {
        let location = "https://c.example/cb#error=unsupported_response_type&iss=https%3A%2F%2Fa.example".to_owned();
        let answered = |error| Answered { heard: Err(Silence::TooLong), error };
        assert_eq!(answered(Some(location.clone())).is_told().map(|check| check.state), Some(State::Ok));
        assert_eq!(person::told(&location, "iss").as_deref(), Some("https://a.example"));
        assert_eq!(person::parameter(&location, "error"), None, "a code there is of no use");
    }

    #[test]
    fn a_refusal_is_cured_by_what_it_says() {
        let asked = Asked { resource: Some("https://a.example/mcp".to_owned()), ..Asked::default() };
        let cure = |error: &str, asked: &Asked| {
            refused(&format!("https://c.example/cb?error={error}"), asked).cure.unwrap_or_default()
        };
        assert!(cure("invalid_target", &asked).contains("Register https://a.example/mcp"));
        assert!(cure("invalid_scope", &asked).contains("default scopes"));
        assert!(cure("access_denied", &asked).contains("Nothing was asked for"));
        let with_scope = Asked { scope: Some("a b".to_owned()), ..asked.clone() };
        assert!(cure("access_denied", &with_scope).contains("(a b)"));
        assert!(cure("invalid_request", &asked).contains("do without PKCE"));
        let with_challenge = Asked { with_challenge: true, ..asked };
        assert!(cure("invalid_request", &with_challenge).contains("log"), "PKCE cannot be what is missing");
    }
}
