//! Whether a connection lives on: a refresh, the same again as if its answer had been lost, and two at once.

use super::{
    check::Check,
    connection::Connection,
    tokens::{cure_of, no_refusal, unclear, why},
};
use crate::simulate::{
    tokens::{Counter, Tokens},
    wire::Heard,
};

pub(super) async fn look(connection: &Connection<'_>, counter: &Counter<'_>, token: &str) -> Vec<Check> {
    let first = counter.refresh(token).await;
    let mut checks = vec![works(counter, &first)];
    if Tokens::of(&first).is_none() {
        return checks;
    }
    checks.push(lost_answer(&counter.refresh(token).await));
    // With a connection of its own: the other one may be over.
    let other = match connection.code().await {
        Ok((code, request)) => {
            let tokens = Tokens::of(&counter.redeem(&code, request.verifier.as_ref()).await);
            tokens.and_then(|tokens| tokens.refresh).ok_or_else(|| "no second refresh token came".to_owned())
        }
        Err(why) => Err(why),
    };
    checks.push(match other {
        Ok(token) => parallel(counter, &token).await,
        Err(why) => Check::left_out("refresh.parallel", format!("two refreshes at once: {why}")),
    });
    checks
}

fn works(counter: &Counter<'_>, heard: &Heard) -> Check {
    let name = "refresh.works";
    if Tokens::of(heard).is_some() {
        return Check::ok(name, "A refresh gives new tokens.");
    }
    if let Some(why) = unclear(heard) {
        return Check::left_out(name, format!("refreshing: {why}"));
    }
    let usual = || match heard {
        Ok(answer) if answer.status >= 500 => FAILED.to_owned(),
        _ => {
            "Take a refresh token for as long as its connection is in use, from the client it was given to, whether or \
              not resource and scope come with it (RFC 6749 §6)."
                .to_owned()
        }
    };
    let cure = cure_of(heard, counter).unwrap_or_else(usual);
    Check::wrong(name, format!("A fresh refresh token is answered {}.", why(heard)), cure)
}

/// What to do where a server fails.
const FAILED: &str = "Look into the server's log at this moment.";

fn lost_answer(again: &Heard) -> Check {
    let name = "refresh.lost_answer";
    if Tokens::of(again).is_some() {
        return Check::ok(name, "A caller that lost the answer may ask again.");
    }
    if let Some(why) = no_refusal(again) {
        return Check::left_out(name, format!("whether a caller that lost the answer may ask again: {why}"));
    }
    Check::wrong(
        name,
        format!("A caller that lost the answer asks again at once, and is answered {}.", why(again)),
        "For a minute or two let a token that was used lead to its successor again, before it counts as stolen.",
    )
}

async fn parallel(counter: &Counter<'_>, token: &str) -> Check {
    let name = "refresh.parallel";
    let (one, other) = tokio::join!(counter.refresh(token), counter.refresh(token));
    if let Some(why) = [&one, &other].into_iter().find_map(no_refusal) {
        return Check::left_out(name, format!("two refreshes at once: {why}"));
    }
    let both = [Tokens::of(&one), Tokens::of(&other)];
    // Both may look good while the connection is already over.
    let next = both.iter().flatten().find_map(|tokens| tokens.refresh.clone());
    let lives = match next {
        Some(next) => Tokens::of(&counter.refresh(&next).await).is_some(),
        None => both.iter().any(Option::is_some),
    };
    if both.iter().all(Option::is_some) && lives {
        return Check::ok(name, "Two workers may refresh at once.");
    }
    let end = if lives { "lives on" } else { "is over" };
    Check::wrong(
        name,
        format!("Two workers refresh at once: {} and {}; the connection {end}.", why(&one), why(&other)),
        "Give all who come with one token, at once or for a minute or two after, the same successor.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        doctor::{State, samples::answer},
        simulate::wire::Silence,
    };

    #[test]
    fn who_is_asked_too_often_has_not_refused() {
        let state = |status| lost_answer(&Ok(answer(status, &[], r#"{"error":"x"}"#))).state;
        assert_eq!([400, 429, 503].map(state), [State::Wrong, State::LeftOut, State::LeftOut]);
        assert_eq!(lost_answer(&Err(Silence::TooSlow)).state, State::LeftOut);
    }
}
