//! Whether a connection lives on: a refresh, the same again as if its answer had been lost, and two at once.

use super::{
    check::Check,
    connection::Connection,
    tokens::{cure_of, why},
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
    if let Some((code, request)) = connection.code().await
        && let Some(tokens) = Tokens::of(&counter.redeem(&code, request.verifier.as_ref()).await)
        && let Some(token) = tokens.refresh
    {
        checks.push(parallel(counter, &token).await);
    }
    checks
}

fn works(counter: &Counter<'_>, heard: &Heard) -> Check {
    let name = "refresh.works";
    if Tokens::of(heard).is_some() {
        return Check::ok(name, "A refresh gives new tokens.");
    }
    let usual = "Take a refresh token for as long as its connection is in use, from the client it was given to, \
                 whether or not resource and scope come with it (RFC 6749 §6).";
    let cure = cure_of(heard, counter).unwrap_or_else(|| usual.to_owned());
    Check::wrong(name, format!("A fresh refresh token is answered {}.", why(heard)), cure)
}

fn lost_answer(again: &Heard) -> Check {
    let name = "refresh.lost_answer";
    if Tokens::of(again).is_some() {
        return Check::ok(name, "A caller that lost the answer may ask again.");
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
