//! Whether the server is reached: by an answer, over TLS, with a right clock, and whoever asks.

use chrono::DateTime;

use super::{Report, check::Check, filter};
use crate::{
    model::Timestamp,
    simulate::{
        discovery::Discovery,
        wire::{Answer, Silence, Wire},
    },
};

/// Further off than this, a token is judged wrongly.
const SECONDS_WRONG: i64 = 300;
const SECONDS_DOUBTFUL: i64 = 30;

pub(super) async fn look(wire: &Wire, found: &Discovery, patient: &super::Patient, report: &mut Report) -> bool {
    let answer = match &found.first_call {
        Ok(answer) => answer,
        Err(silence) => {
            report.checks.push(unanswered("reach.answers", silence));
            return false;
        }
    };
    report.checks.push(answers(&found.target, answer.status));
    report.checks.push(match found.target.scheme() {
        "https" => Check::ok("reach.tls", "Its certificate holds for its name."),
        _ => Check::ok("reach.tls", "It is on this computer, over plain http; assistants elsewhere need https."),
    });
    if let Some(date) = date(answer) {
        report.checks.push(clock((answer.at - date).num_seconds()));
    }
    report.checks.push(filter::look(wire, found, patient).await);
    true
}

/// What the server's clock said when it answered.
pub(super) fn date(answer: &Answer) -> Option<Timestamp> {
    DateTime::parse_from_rfc2822(answer.header("date")?).ok().map(|date| date.to_utc())
}

/// A place does not answer. What made us wait before was not asked, so nothing is known of it.
pub(super) fn unanswered(name: &'static str, silence: &Silence) -> Check {
    let cure = match silence {
        Silence::Insecure(_) => "Serve it over https with a certificate of a public authority, and name that address.",
        Silence::Unreachable { .. } => {
            "Publish it under a name the public resolves, on port 443, with a certificate of a public authority that \
             holds for the name, and let the firewall pass requests from outside."
        }
        Silence::Near(_) => "Name the address that is reached from outside.",
        Silence::Broken(_) | Silence::TooLong | Silence::TooSlow => {
            "Answer within a few seconds, and with less than is read here; a call without a token with a short 401."
        }
        Silence::NotAdmitted(_) => {
            "Give its name addresses that everybody reaches. Where it belongs inside, the operator of this server opens \
             them by outbound_allow."
        }
        Silence::GivenUp(_) | Silence::UsedUp(_) => return Check::left_out(name, silence.to_string()),
    };
    Check::wrong(name, format!("{silence}."), cure)
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
    fn who_was_not_asked_is_not_judged() {
        let place = || "https://a.example".to_owned();
        assert_eq!(unanswered("keys.fetch", &Silence::GivenUp(place())).state, State::LeftOut);
        let refused = Silence::Unreachable { place: place(), why: "certificate has expired".to_owned() };
        let check = unanswered("keys.fetch", &refused);
        assert!(check.state == State::Wrong && check.cure.unwrap().contains("certificate"));
    }

    #[test]
    fn a_proxy_that_answers_alone_is_no_server() {
        let url = "https://a.example/mcp".parse().unwrap();
        let states = [200, 401, 404, 500, 502].map(|status| answers(&url, status).state);
        assert_eq!(states, [State::Ok, State::Ok, State::Ok, State::Wrong, State::Wrong]);
        assert!(answers(&url, 502).cure.unwrap().contains("proxy"));
    }
}
