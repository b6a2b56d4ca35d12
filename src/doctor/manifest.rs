//! Whether the classic manifest is one that is taken: found, within its limits, on its own domain, with a real token
//! and a description that is there; and for those without a manifest, whether the proof of the domain is one.

use serde_json::Value;
use url::Url;

use super::{Report, check::Check, documents, reach::unanswered};
use crate::{
    model::{client::Dialect, plugin::Host, redirect_uri::has_loopback_host},
    protocol::manifest::{self, Mistake, Warning},
    simulate::{
        callers,
        discovery::Discovery,
        wire::{Answer, Heard, Request, Silence, Wire},
    },
};

pub(super) async fn look(wire: &Wire, found: &Discovery, dialect: Dialect, report: &mut Report) {
    if dialect == Dialect::Connector {
        if let Ok(url) = found.target.join(callers::CHALLENGE_FILE) {
            report.checks.push(challenge_file(&url, &wire.send(Request::get(&url)).await));
        }
        return;
    }
    let at = &found.manifest.url;
    let Some(document) = &found.manifest.document else {
        if dialect == Dialect::Plugin {
            let says = format!("There is no manifest: {}.", documents::answered(&found.manifest));
            report.checks.push(Check::wrong("manifest.found", says, format!("Serve it at {at}, as application/json.")));
        }
        return;
    };
    report.checks.push(stands(at, &found.manifest.heard));
    match host_of(&found.target) {
        Some(host) => report.checks.extend(judged(document, &host)),
        None => report.leave_out("manifest.rules", "the manifest's rules: its host cannot be read"),
    }
    if let Some(url) = document["api"]["url"].as_str().and_then(|url| Url::parse(url).ok()) {
        report.checks.push(description(&url, &wire.read(&url).await));
    }
}

fn stands(at: &Url, heard: &Heard) -> Check {
    let name = "manifest.found";
    match heard {
        Ok(answer) if answer.status == 200 && !answer.is_of("application/json") => Check::warning(
            name,
            format!("It stands at {at}, and is sent as {}.", documents::named(answer.content_type())),
            "Send it with Content-Type: application/json.",
        ),
        _ => Check::ok(name, format!("It stands at {at}.")),
    }
}

fn judged(document: &Value, host: &Host) -> Vec<Check> {
    let (mistakes, warnings) = match manifest::read(document.to_string().as_bytes(), host) {
        Ok((_, warnings)) => (Vec::new(), warnings),
        Err(mistakes) => (mistakes, Vec::new()),
    };
    let (domains, others): (Vec<Mistake>, Vec<Mistake>) = mistakes.into_iter().partition(|mistake| mistake.leads_away);
    let (tokens, mut rules): (Vec<Mistake>, Vec<Mistake>) =
        others.into_iter().partition(|mistake| mistake.member.starts_with("auth.verification_tokens"));
    rules.extend(endpoints(&document["auth"]));
    // Where the endpoints stand is computed for plugins of our own; elsewhere they stand where they stand.
    let doubts: Vec<&Warning> = warnings.iter().filter(|warning| !warning.member.starts_with("auth.")).collect();
    vec![
        texts(&rules, &doubts),
        domain(&domains, host),
        verification_token(&tokens, &document["auth"]["verification_tokens"]),
    ]
}

/// Both endpoints under the names that mislead: the first is for the browser, the second for tokens.
fn endpoints(auth: &Value) -> Vec<Mistake> {
    let mistake = |member: &str, problem: &str| {
        let (member, problem) = (member.to_owned(), problem.to_owned());
        Mistake { member, problem, leads_away: false }
    };
    if auth["type"] != "oauth" {
        return vec![mistake("auth.type", "people sign in only where it is \"oauth\"")];
    }
    let is_good = |url: Url| url.scheme() == "https" || has_loopback_host(&url);
    let members = [
        ("client_url", "it must be the address of the authorization endpoint, with https://"),
        ("authorization_url", "it must be the address of the token endpoint, with https://"),
    ];
    let wrong =
        |(member, _): &(&str, &str)| !auth[*member].as_str().and_then(|it| it.parse().ok()).is_some_and(is_good);
    members.into_iter().filter(wrong).map(|(member, problem)| mistake(&format!("auth.{member}"), problem)).collect()
}

fn joined(all: impl Iterator<Item = impl ToString>) -> String {
    all.map(|it| it.to_string()).collect::<Vec<_>>().join("; ")
}

fn texts(mistakes: &[Mistake], doubts: &[&Warning]) -> Check {
    let name = "manifest.rules";
    let cure = "Correct each member that is named in ai-plugin.json: a manifest that breaks a rule is not taken.";
    if !mistakes.is_empty() {
        return Check::wrong(name, format!("{}.", joined(mistakes.iter())), cure);
    }
    if !doubts.is_empty() {
        return Check::warning(name, format!("{}.", joined(doubts.iter())), "Keep to what every reader allows.");
    }
    Check::ok(name, "Its texts are within their limits.")
}

fn domain(mistakes: &[Mistake], host: &Host) -> Check {
    let name = "manifest.domains";
    if mistakes.is_empty() {
        return Check::ok(name, "It stays on its domain.");
    }
    let cure = format!("Move what is named to the domain of {host}, or serve the manifest from the domain it names.");
    Check::wrong(name, format!("{}.", joined(mistakes.iter())), cure)
}

fn verification_token(mistakes: &[Mistake], tokens: &Value) -> Check {
    let name = "manifest.verification_token";
    if mistakes.is_empty() {
        let has_one = tokens[callers::VERIFICATION_TOKEN].is_string();
        let says = if has_one { "It has a verification token." } else { "It has no verification token." };
        return Check::ok(name, format!("{says} It is wanted only where the store asks for one."));
    }
    let cure = "Put in the token the store shows after it has read the manifest, or leave the member out until then.";
    Check::wrong(name, format!("{}.", joined(mistakes.iter())), cure)
}

fn description(url: &Url, heard: &Heard) -> Check {
    let name = "manifest.description";
    let got = match heard {
        Ok(answer) if answer.status == 200 => return Check::ok(name, format!("The API is described at {url}.")),
        Ok(answer) => format!("{url} answers {}", answer.status),
        Err(Silence::TooLong) => return Check::left_out(name, format!("the API's description: {}", Silence::TooLong)),
        Err(silence) => return unanswered(name, silence),
    };
    let cure = format!("Serve the OpenAPI document at {url}, or correct api.url: without it there is nothing to call.");
    Check::wrong(name, format!("The API's description is not there: {got}."), cure)
}

/// Wanted only of who hands an app in; but what answers everything with a page is no proof.
fn challenge_file(url: &Url, heard: &Heard) -> Check {
    let name = "challenge.file";
    let cure = format!("Serve at {url} the token alone as text/plain, or answer 404 until there is one.");
    let is_token = |answer: &Answer| {
        let text = String::from_utf8_lossy(&answer.body).trim().to_owned();
        !text.is_empty() && text.len() <= 512 && text.bytes().all(|b| b.is_ascii_graphic())
    };
    match heard {
        Ok(answer) if answer.status == 404 => {
            Check::ok(name, "There is no proof of the domain; an app needs one only to be handed in.")
        }
        Ok(answer) if answer.status == 200 && answer.is_of("text/plain") && is_token(answer) => {
            Check::ok(name, "The proof of the domain is there, as plain text.")
        }
        Ok(answer) => {
            let kind = documents::named(answer.content_type());
            let says = format!("{url} answers {} as {kind}, and not a token alone.", answer.status);
            Check::warning(name, says, cure)
        }
        Err(silence) => Check::warning(name, format!("{url}: {silence}."), cure),
    }
}

/// The host with its port, as manifests are kept by.
fn host_of(url: &Url) -> Option<Host> {
    let name = url.host_str()?;
    let text = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{State, samples::answer};

    fn sound() -> Value {
        json!({
            "schema_version": "v1", "name_for_human": "List", "name_for_model": "list",
            "description_for_human": "A list.", "description_for_model": "Reads the list.",
            "auth": {
                "type": "oauth", "client_url": "https://a.example.com/authorize", "scope": "",
                "authorization_url": "https://a.example.com/token", "authorization_content_type": "application/json",
                "verification_tokens": { "store": "8c1f5e07d2a94b6390d7be41f2c6a85e" },
            },
            "api": { "type": "openapi", "url": "https://a.example.com/openapi.json" },
            "logo_url": "https://a.example.com/logo.png", "contact_email": "o@example.com",
            "legal_info_url": "https://example.com/legal",
        })
    }

    #[test]
    fn each_mistake_is_told_by_its_own_check() {
        let found = |pointer: &str, value: Value| {
            let mut document = sound();
            if !pointer.is_empty() {
                *document.pointer_mut(pointer).unwrap() = value;
            }
            let checks = judged(&document, &"a.example.com".parse().unwrap());
            checks.iter().filter(|it| it.state != State::Ok).map(|it| (it.name, it.state)).collect::<Vec<_>>()
        };
        assert_eq!(found("", Value::Null), []);
        for (pointer, value, name, state) in [
            ("/description_for_human", json!("x".repeat(121)), "manifest.rules", State::Wrong),
            ("/description_for_human", json!("x".repeat(101)), "manifest.rules", State::Warning),
            ("/auth/type", json!("none"), "manifest.rules", State::Wrong),
            ("/auth/client_url", json!("/authorize"), "manifest.rules", State::Wrong),
            ("/auth/authorization_url", json!("http://a.example.com/token"), "manifest.rules", State::Wrong),
            ("/auth/authorization_content_type", json!("text/plain"), "manifest.rules", State::Wrong),
            ("/api/url", json!("ftp://a.example.com/openapi.json"), "manifest.rules", State::Wrong),
            ("/api/url", json!("https://b.example.net/openapi.json"), "manifest.domains", State::Wrong),
            ("/contact_email", json!("o@example.net"), "manifest.domains", State::Wrong),
            ("/auth/verification_tokens/store", json!("your token"), "manifest.verification_token", State::Wrong),
            ("/auth/verification_tokens/store", json!(7), "manifest.verification_token", State::Wrong),
        ] {
            assert_eq!(found(pointer, value), [(name, state)], "{pointer}");
        }
    }

    #[test]
    fn what_is_there_and_is_not_read_is_not_said_to_be_gone() {
        let url = "https://a.example/openapi.json".parse().unwrap();
        assert_eq!(description(&url, &Err(Silence::TooLong)).state, State::LeftOut);
        let as_page = answer(200, &[("content-type", "text/html")], "{}");
        assert_eq!(stands(&url, &Ok(as_page)).state, State::Warning);
    }

    #[test]
    fn a_page_is_no_proof_of_a_domain() {
        let state = |status, kind: &str, body: &str| {
            let answer = answer(status, &[("content-type", kind)], body);
            challenge_file(&"https://a.example/x".parse().unwrap(), &Ok(answer)).state
        };
        assert_eq!(state(200, "text/plain; charset=utf-8", "8c1f5e07d2a94b63\n"), State::Ok);
        assert_eq!(state(404, "text/html", "<p>Nothing here</p>"), State::Ok);
        assert_eq!(state(200, "text/html", "8c1f5e07d2a94b63"), State::Warning);
        assert_eq!(state(200, "text/plain", "token: 8c1f5e07d2a94b63"), State::Warning);
        assert_eq!(state(200, "text/plain", ""), State::Warning);
    }
}
