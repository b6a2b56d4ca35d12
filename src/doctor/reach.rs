//! Whether the server is reached: by an answer, over TLS, with a right clock, and whoever asks.

use chrono::DateTime;
use reqwest::header::USER_AGENT;

use super::{Report, check::Check};
use crate::simulate::{
    callers,
    discovery::{self, Discovery},
    wire::{Answer, Request, Silence, Wire},
};

/// Further off than this, a token is judged wrongly.
const SECONDS_WRONG: i64 = 300;
const SECONDS_DOUBTFUL: i64 = 30;

pub(super) async fn look(wire: &Wire, found: &Discovery, report: &mut Report) -> bool {
    let answer = match &found.first_call {
        Ok(answer) => answer,
        Err(silence) => {
            report.checks.push(unanswered(silence));
            return false;
        }
    };
    report.checks.push(answers(&found.target, answer.status));
    report.checks.push(match found.target.scheme() {
        "https" => Check::ok("reach.tls", "Its certificate holds for its name."),
        _ => Check::ok("reach.tls", "It is on this computer, over plain http; assistants elsewhere need https."),
    });
    if let Some(date) = answer.header("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok()) {
        report.checks.push(clock((answer.at - date.to_utc()).num_seconds()));
    }
    report.checks.push(bot_filter(wire, found, answer).await);
    true
}

fn unanswered(silence: &Silence) -> Check {
    let cure = match silence {
        Silence::Insecure(_) => "Serve it over https with a certificate of a public authority, and name that address.",
        Silence::Unreachable { .. } => {
            "Publish it under a name the public resolves, on port 443, with a certificate of a public authority that \
             holds for the name, and let the firewall pass requests from outside."
        }
        Silence::Near(_) => "Name the address that is reached from outside.",
        Silence::Broken(_) | Silence::TooLong | Silence::TooSlow | Silence::GivenUp(_) => {
            "Answer a call without a token with a short 401, within a few seconds."
        }
    };
    Check::wrong("reach.answers", format!("{silence}."), cure)
}

fn answers(target: &url::Url, status: u16) -> Check {
    let name = "reach.answers";
    let cure = match status {
        502..=504 | 520..=530 => "Start the server, or correct the address to which the proxy in front hands requests.",
        500.. => "Look into the server's log at this moment.",
        _ => return Check::ok(name, format!("{target} answers, with {status}.")),
    };
    Check::wrong(name, format!("{target} answers {status} to a call without a token."), cure)
}

fn clock(behind: i64) -> Check {
    let name = "reach.clock";
    if behind.abs() <= SECONDS_DOUBTFUL {
        return Check::ok(name, "Its clock and this computer's agree.");
    }
    let side = if behind > 0 { "behind" } else { "ahead of" };
    let says = format!("Its clock is {} seconds {side} this computer's.", behind.abs());
    let cure = "Set its clock, or this computer's, whichever is wrong, by a time server (NTP): tokens and assertions \
                are judged by the clock.";
    if behind.abs() > SECONDS_WRONG { Check::wrong(name, says, cure) } else { Check::warning(name, says, cure) }
}

/// Asks again for what was answered, under each name callers were seen with, and under none.
async fn bot_filter(wire: &Wire, found: &Discovery, first: &Answer) -> Check {
    let places = found.servers.iter().chain(&found.resources).chain([&found.manifest]);
    let documents = places.filter(|place| place.is_found()).take(3);
    let mut probes: Vec<(&str, Request)> =
        documents.map(|place| (place.url.as_str(), Request::get(&place.url))).collect();
    probes.push((found.target.as_str(), discovery::first_call(&found.target)));
    let mut refused = Vec::new();
    for agent in callers::USER_AGENTS.into_iter().chain([callers::NO_USER_AGENT]) {
        for (url, request) in &probes {
            let heard = wire.send(request.clone().with(USER_AGENT, agent)).await;
            let is_call = *url == found.target.as_str();
            let got = match heard {
                Ok(answer) if answer.status == 429 => return too_often(url),
                Ok(answer) if is_call && answer.status == first.status => continue,
                Ok(answer) if !is_call && (200..400).contains(&answer.status) => continue,
                Ok(answer) => answer.status.to_string(),
                Err(silence) => silence.to_string(),
            };
            refused.push((agent, format!("{url} answers {got}")));
            break;
        }
    }
    filtered(&refused)
}

fn filtered(refused: &[(&str, String)]) -> Check {
    let name = "reach.bot_filter";
    let Some((_, seen)) = refused.first() else {
        return Check::ok(name, "The names assistants go by are answered like any other, and so is none.");
    };
    let quoted = |agent: &str| match agent {
        callers::NO_USER_AGENT => "none at all".to_owned(),
        agent => format!("\"{agent}\""),
    };
    let agents = refused.iter().map(|(agent, _)| quoted(agent)).collect::<Vec<_>>().join(", ");
    let cure = format!(
        "Let requests with these User-Agents pass the filter in front, to /.well-known/, the API, and the token and \
         registration endpoints: {agents}."
    );
    Check::wrong(name, format!("{seen} to an assistant's User-Agent, and something else to others."), cure)
}

fn too_often(url: &str) -> Check {
    let says = format!("{url} answers 429 to a dozen requests in a row, so a filter could not be looked for.");
    let cure = "Allow bursts of some dozen requests: all people of an assistant come from few addresses.";
    Check::warning("reach.bot_filter", says, cure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn a_clock_is_judged_in_both_directions() {
        for (seconds, state) in [(0, State::Ok), (-29, State::Ok), (90, State::Warning), (-3600, State::Wrong)] {
            assert_eq!(clock(seconds).state, state, "{seconds}");
        }
        assert!(clock(3600).says.contains("behind") && clock(-3600).says.contains("ahead"));
    }

    #[test]
    fn a_proxy_that_answers_alone_is_no_server() {
        let url = "https://a.example/mcp".parse().unwrap();
        let states = [200, 401, 404, 500, 502].map(|status| answers(&url, status).state);
        assert_eq!(states, [State::Ok, State::Ok, State::Ok, State::Wrong, State::Wrong]);
        assert!(answers(&url, 502).cure.unwrap().contains("proxy"));
    }
}
