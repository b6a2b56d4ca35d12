//! Whether the server is reached: by an answer, over TLS, with a right clock, and whoever asks.

use chrono::DateTime;
use reqwest::header::USER_AGENT;

use super::{Report, check::Check};
use crate::simulate::{
    callers,
    discovery::Discovery,
    wire::{Request, Wire},
};

/// Further off than this, a token is judged wrongly.
const SECONDS_WRONG: i64 = 300;
const SECONDS_DOUBTFUL: i64 = 30;

pub(super) async fn look(wire: &Wire, found: &Discovery, report: &mut Report) -> bool {
    let answer = match &found.first_call {
        Ok(answer) => answer,
        Err(silence) => {
            let cure =
                "Publish it under a name the public resolves, on port 443, with a certificate of a public authority.";
            report.checks.push(Check::wrong("reach.answers", silence.to_string(), cure));
            return false;
        }
    };
    report.checks.push(Check::ok("reach.answers", format!("{} answers, with {}.", found.target, answer.status)));
    report.checks.push(match found.target.scheme() {
        "https" => Check::ok("reach.tls", "Its certificate holds for its name."),
        _ => Check::ok("reach.tls", "It is on this computer, over plain http; assistants elsewhere need https."),
    });
    if let Some(date) = answer.header("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok()) {
        report.checks.push(clock((answer.at - date.to_utc()).num_seconds()));
    }
    report.checks.push(bot_filter(wire, found).await);
    true
}

fn clock(behind: i64) -> Check {
    let says = format!("Its clock and this computer's are {} seconds apart.", behind.abs());
    let cure = "Let both be set by a time server; tokens and assertions are judged by the clock.";
    match behind.abs() {
        off if off > SECONDS_WRONG => Check::wrong("reach.clock", says, cure),
        off if off > SECONDS_DOUBTFUL => Check::warning("reach.clock", says, cure),
        _ => Check::ok("reach.clock", says),
    }
}

/// Asks for each document that was found under each name callers were seen with.
async fn bot_filter(wire: &Wire, found: &Discovery) -> Check {
    let places = found.servers.iter().chain(&found.resources).chain([&found.manifest]);
    let mut urls: Vec<_> = places.filter(|place| place.is_found()).map(|place| &place.url).collect();
    urls.truncate(3);
    for agent in callers::USER_AGENTS {
        for url in &urls {
            let status = wire.send(Request::get(url).with(USER_AGENT, agent)).await.map(|answer| answer.status);
            if status.as_ref().is_ok_and(|status| !(200..400).contains(status)) || status.is_err() {
                let got = status.map_or_else(|silence| silence.to_string(), |status| status.to_string());
                let says = format!("{url} answers {got} to \"{agent}\", and answers others.");
                let cure =
                    "Exempt /.well-known/, the token and the registration endpoint from the bot filter in front.";
                return Check::wrong("reach.bot_filter", says, cure);
            }
        }
    }
    Check::ok("reach.bot_filter", "The names assistants go by are answered like any other.")
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
    }
}
