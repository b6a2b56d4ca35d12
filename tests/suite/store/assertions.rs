//! Client assertions: of many requests that bring one, on any node, one uses it; the others' codes and tokens are as
//! good as before.

use chrono::TimeDelta;
use consentry::{
    model::{assertion::AssertionId, client::AuthenticationMethod, digest::Digest},
    random,
    store::{
        assertions::AssertionUse,
        families::{Redeem, Redemption, Rotation},
    },
};

use super::{
    answers::{Answer, present},
    facts::{World, at, audit, start},
    tables::Tables,
};
use crate::{harness::aside::at_once, on_both_engines};

/// The use of an assertion by a request of its own.
pub fn using(jti: &str) -> AssertionUse {
    let id = AssertionId { expires_at: start() + TimeDelta::minutes(5), digest: Digest::of(jti) };
    AssertionUse { id, use_id: random::bytes() }
}

/// A code redeemed with an assertion.
fn redemption(world: &World, jti: &str) -> Redemption {
    let authentication_method = AuthenticationMethod::PrivateKeyJwt;
    Redemption { assertion: Some(using(jti)), authentication_method, ..world.redemption() }
}

/// A token presented with an assertion.
fn rotation(world: &World, family: &Redemption, presented: i64, jti: &str) -> Rotation {
    Rotation {
        assertion: Some(using(jti)),
        authentication_method: AuthenticationMethod::PrivateKeyJwt,
        ..world.rotation(family.id, presented, 5)
    }
}

async fn redeem(world: &World, redemption: &Redemption) -> Redeem {
    world.store.redeem(redemption, &audit(redemption.at)).await.unwrap()
}

async fn family(world: &World) -> Redemption {
    let redemption = Redemption { assertion: None, ..redemption(world, "") };
    assert!(matches!(redeem(world, &redemption).await, Redeem::Won(_)));
    redemption
}

on_both_engines! {
    async fn the_first_use_counts_and_its_retry(engine) {
        let world = World::new(engine).await;
        let first = using("a");
        assert!(world.store.use_assertion(&first).await.unwrap());
        assert!(world.store.use_assertion(&first).await.unwrap(), "the same request again");
        for _ in 0..2 {
            assert!(!world.store.use_assertion(&using("a")).await.unwrap());
        }
        assert!(world.store.use_assertion(&first).await.unwrap(), "the first stays the first");
        assert!(world.store.use_assertion(&using("b")).await.unwrap());
        assert_eq!(world.database.count("assertion_ids").await, 2);
    }

    async fn of_fifty_callers_one_uses_it(engine) {
        let world = World::new(engine).await;
        let answers = at_once(50, |_| {
            let store = world.store.clone();
            async move { store.use_assertion(&using("a")).await.unwrap() }
        })
        .await;
        assert_eq!(answers.iter().filter(|is_first| **is_first).count(), 1);
        assert_eq!(world.database.count("assertion_ids").await, 1);
    }

    async fn of_fifty_codes_with_one_assertion_one_is_redeemed(engine) {
        let world = World::new(engine).await;
        let codes: Vec<Redemption> = (0..50).map(|_| redemption(&world, "a")).collect();
        let answers = at_once(50, |number| {
            let (store, code) = (world.store.clone(), codes[number].clone());
            async move { store.redeem(&code, &audit(code.at)).await.unwrap() }
        })
        .await;
        let mut winners = 0;
        for (code, answer) in codes.iter().zip(answers) {
            match answer {
                Redeem::Won(family) => {
                    winners += 1;
                    assert_eq!(family.id, code.id);
                }
                Redeem::AssertionReplayed => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(winners, 1);
        assert_eq!(world.database.count("families").await, 1);
        assert_eq!(world.database.audited("family.born").await, 1);
        // Nothing was consumed but the assertion.
        for (number, code) in codes.iter().enumerate() {
            if world.store.standing_family(code.id, at(1)).await.unwrap().is_none() {
                let anew = Redemption { assertion: Some(using(&format!("anew {number}"))), ..code.clone() };
                assert!(matches!(redeem(&world, &anew).await, Redeem::Won(_)));
            }
        }
        assert_eq!(world.database.count("families").await, 50);
    }

    async fn a_request_may_redeem_its_code_again(engine) {
        let world = World::new(engine).await;
        let code = redemption(&world, "a");
        for _ in 0..2 {
            assert!(matches!(redeem(&world, &code).await, Redeem::Won(_)));
        }
        assert!(world.store.standing_family(code.id, at(1)).await.unwrap().is_some());
        // Somebody else's copy of the whole request: refused for the assertion, before it can end the family.
        let copy = Redemption { redemption: random::bytes(), assertion: Some(using("a")), ..code.clone() };
        assert!(matches!(redeem(&world, &copy).await, Redeem::AssertionReplayed));
        assert!(world.store.standing_family(code.id, at(1)).await.unwrap().is_some());
        // With an assertion of its own it is the code that is replayed.
        let thief = Redemption { redemption: random::bytes(), assertion: Some(using("b")), ..code.clone() };
        assert!(matches!(redeem(&world, &thief).await, Redeem::Replayed));
        assert!(world.store.standing_family(code.id, at(1)).await.unwrap().is_none());
    }

    async fn a_code_that_does_not_stand_uses_the_assertion_up(engine) {
        let world = World::new(engine).await;
        let code = redemption(&world, "a");
        world.store.revoke_consent(&world.consent_key(), &audit(at(1))).await.unwrap();
        assert!(matches!(redeem(&world, &code).await, Redeem::NotStanding));
        assert!(!world.store.use_assertion(&using("a")).await.unwrap());
        let mut tables = Tables::of(&world.database).await;
        let before = tables.rows().await;
        let other = redemption(&world, "a");
        assert!(matches!(redeem(&world, &other).await, Redeem::AssertionReplayed), "whatever else is wrong");
        assert_eq!(tables.rows().await, before, "nothing was written");
    }

    async fn of_fifty_refreshes_with_one_assertion_one_counts(engine) {
        let world = World::new(engine).await;
        let family = family(&world).await;
        let answers = at_once(50, |_| {
            let (store, rotation) = (world.store.clone(), rotation(&world, &family, 0, "a"));
            async move { present(&store, &rotation).await }
        })
        .await;
        assert_eq!(answers.iter().filter(|answer| **answer == Answer::Rotated(1)).count(), 1);
        assert_eq!(answers.iter().filter(|answer| **answer == Answer::AssertionReplayed).count(), 49);
        assert_eq!(Tables::of(&world.database).await.counters().await, ["1 0"]);
        assert_eq!(present(&world.store, &rotation(&world, &family, 0, "b")).await, Answer::Repeated(1));
    }

    async fn of_fifty_repeats_with_one_assertion_one_counts(engine) {
        let world = World::new(engine).await;
        let family = family(&world).await;
        assert_eq!(present(&world.store, &rotation(&world, &family, 0, "first")).await, Answer::Rotated(1));
        let answers = at_once(50, |_| {
            let (store, rotation) = (world.store.clone(), rotation(&world, &family, 0, "a"));
            async move { present(&store, &rotation).await }
        })
        .await;
        assert_eq!(answers.iter().filter(|answer| **answer == Answer::Repeated(1)).count(), 1);
        assert_eq!(answers.iter().filter(|answer| **answer == Answer::AssertionReplayed).count(), 49);
        assert_eq!(world.database.count("assertion_ids").await, 2);
    }

    async fn a_request_may_refresh_again(engine) {
        let world = World::new(engine).await;
        let family = family(&world).await;
        let first = rotation(&world, &family, 0, "a");
        assert_eq!(present(&world.store, &first).await, Answer::Rotated(1));
        assert_eq!(present(&world.store, &first).await, Answer::Repeated(1), "as after an answer that was lost");
        // A superseded token with a used assertion is no theft: whoever copied the request could end the connection.
        assert_eq!(present(&world.store, &rotation(&world, &family, 1, "b")).await, Answer::Repeated(1));
        let mut late = rotation(&world, &family, 1, "c");
        late.at = at(200_000);
        assert_eq!(present(&world.store, &late).await, Answer::Rotated(2));
        let mut copied = rotation(&world, &family, 0, "a");
        copied.at = at(200_001);
        assert_eq!(present(&world.store, &copied).await, Answer::AssertionReplayed);
        assert!(world.store.standing_family(family.id, at(200_002)).await.unwrap().is_some());
        copied.assertion = Some(using("d"));
        assert_eq!(present(&world.store, &copied).await, Answer::Replayed);
        assert_eq!(Tables::of(&world.database).await.end_reasons().await, ["refresh_replayed"]);
    }

    async fn a_token_that_does_not_stand_uses_the_assertion_up(engine) {
        let world = World::new(engine).await;
        let family = family(&world).await;
        world.store.revoke_consent(&world.consent_key(), &audit(at(1))).await.unwrap();
        assert_eq!(present(&world.store, &rotation(&world, &family, 0, "a")).await, Answer::NotStanding);
        assert_eq!(present(&world.store, &rotation(&world, &family, 0, "a")).await, Answer::AssertionReplayed);
        assert_eq!(world.database.count("assertion_ids").await, 1);
        assert_eq!(Tables::of(&world.database).await.counters().await, ["0 -"]);
    }

    async fn parallel_workers_with_assertions_of_their_own_share_one_line(engine) {
        let world = World::new(engine).await;
        let family = family(&world).await;
        let answers = at_once(20, |number| {
            let (store, rotation) = (world.store.clone(), rotation(&world, &family, 0, &format!("worker {number}")));
            async move { present(&store, &rotation).await }
        })
        .await;
        assert_eq!(answers.iter().filter(|answer| **answer == Answer::Rotated(1)).count(), 1);
        assert_eq!(answers.iter().filter(|answer| **answer == Answer::Repeated(1)).count(), 19);
        assert_eq!(world.database.count("assertion_ids").await, 20);
    }
}
