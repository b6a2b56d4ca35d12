//! A connection to Postgres that breaks after the commit and before the answer: nobody can know whether the statement
//! was carried out, and running it again must come to the same end.

use consentry::{
    model::id::ConsentId,
    random,
    store::{
        OpenOptions, Store, StoreError,
        consents::ConsentGrant,
        families::{Redeem, Redemption, Rotate, Rotation},
    },
};

use super::{
    assertions::using,
    facts::{World, at, audit, scopes, start},
};
use crate::harness::{
    cut::Cut,
    databases::{Engine, without_postgres},
};

/// A world and a second store that reaches the same database over a wire.
async fn over_a_wire() -> Option<(World, Cut, Store)> {
    if without_postgres() {
        return None;
    }
    let world = World::new(Engine::Postgres).await;
    let cut = Cut::before(&world.database.url).await;
    let options = OpenOptions { url: cut.url().into(), ..world.database.options() };
    let store = Store::open(&options).await.unwrap();
    Some((world, cut, store))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_redeemed_unheard_is_won_all_the_same() {
    let Some((world, cut, store)) = over_a_wire().await else { return };
    // The second time the statement is already prepared, and only its name passes.
    for round in 1..=2 {
        let redemption = world.redemption();
        cut.arm("insert into families");
        let won = store.redeem(&redemption, &audit(at(0))).await.unwrap();
        assert!(matches!(won, Redeem::Won(_)), "{won:?}");
        assert_eq!(cut.cuts(), round, "the wire was cut");
        assert!(world.store.standing_family(redemption.id, at(1)).await.unwrap().is_some());
    }
    assert_eq!(world.database.count("families").await, 2);
    assert_eq!(world.database.audited("family.born").await, 2, "each told once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_ended_unheard_is_told_once() {
    let Some((world, cut, store)) = over_a_wire().await else { return };
    let mut redemption = world.redemption();
    store.redeem(&redemption, &audit(at(0))).await.unwrap();
    redemption.redemption = [0; 16];
    redemption.at = at(5);
    cut.arm("insert into families");
    let replayed = store.redeem(&redemption, &audit(at(5))).await.unwrap();
    assert!(matches!(replayed, Redeem::Replayed), "{replayed:?}");
    assert_eq!(cut.cuts(), 1);
    assert_eq!(world.database.audited("family.ended").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_unheard_answers_the_counter_it_moved_to() {
    let Some((world, cut, store)) = over_a_wire().await else { return };
    let family = world.family().await;
    cut.arm("update families");
    let answer = store.rotate(&world.rotation(family, 0, 5), &audit(at(5))).await.unwrap();
    match answer {
        Rotate::Repeated { counter, rotated_at, .. } => assert_eq!((counter, rotated_at), (1, at(5))),
        other => panic!("{other:?}"),
    }
    assert_eq!(cut.cuts(), 1, "the wire was cut");
    let next = store.rotate(&world.rotation(family, 1, 200_000), &audit(at(200_000))).await.unwrap();
    assert!(matches!(next, Rotate::Rotated { counter: 2, .. }), "{next:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_strict_refresh_unheard_is_no_theft() {
    let Some((world, cut, store)) = over_a_wire().await else { return };
    let family = world.family().await;
    let mut strict = world.rotation(family, 0, 5);
    strict.grace = chrono::TimeDelta::zero();
    cut.arm("update families");
    let error = store.rotate(&strict, &audit(at(5))).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert_eq!(cut.cuts(), 1, "the wire was cut");
    assert!(
        store.standing_family(family, at(6)).await.unwrap().is_some(),
        "it was not run again and taken for a theft"
    );
    assert_eq!(world.database.count("families where counter = 1").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_committed_unheard_can_be_repeated() {
    let Some((world, cut, store)) = over_a_wire().await else { return };
    let mut key = world.consent_key();
    key.resource = "https://other.example".into();
    let grant = ConsentGrant {
        id: ConsentId(random::id(start())),
        key,
        scopes: scopes("todo.read"),
        left_out: scopes(""),
        document: None,
    };
    let event = audit(at(5));
    cut.arm("commit");
    let error = store.grant_consent(&grant, &event).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    assert_eq!(cut.cuts(), 1, "the wire was cut");
    let given = store.grant_consent(&grant, &event).await.unwrap();
    assert_eq!((given.id, given.generation), (grant.id, 1));
    assert_eq!(world.database.audited("consent.granted").await, 2, "the world's own, and this one once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_redeemed_with_an_assertion_unheard_is_won_all_the_same() {
    let Some((world, cut, store)) = over_a_wire().await else { return };
    let redemption = Redemption { assertion: Some(using("a")), ..world.redemption() };
    cut.arm("insert into families");
    let won = store.redeem(&redemption, &audit(at(0))).await.unwrap();
    assert!(matches!(won, Redeem::Won(_)), "its own assertion is no replay: {won:?}");
    assert_eq!(cut.cuts(), 1, "the wire was cut");
    assert_eq!(world.database.count("assertion_ids").await, 1);
    assert_eq!(world.database.audited("family.born").await, 1, "told once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_with_an_assertion_unheard_is_no_replay_of_it() {
    let Some((world, cut, store)) = over_a_wire().await else { return };
    let family = world.family().await;
    // The first one moves the line; the second finds it moved and only uses the assertion.
    for (round, jti) in [(1, "a"), (2, "b")] {
        let rotation = Rotation { assertion: Some(using(jti)), ..world.rotation(family, 0, 5) };
        cut.arm("update families");
        let answer = store.rotate(&rotation, &audit(at(5))).await.unwrap();
        assert!(matches!(answer, Rotate::Repeated { counter: 1, .. }), "{answer:?}");
        assert_eq!(cut.cuts(), round, "the wire was cut");
    }
    assert_eq!(world.database.count("assertion_ids").await, 2);
    let copied = Rotation { assertion: Some(using("a")), ..world.rotation(family, 0, 6) };
    let answer = store.rotate(&copied, &audit(at(6))).await.unwrap();
    assert!(matches!(answer, Rotate::AssertionReplayed), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_used_unheard_is_the_same_requests_still() {
    let Some((world, cut, store)) = over_a_wire().await else { return };
    let first = using("a");
    cut.arm("insert into assertion_ids");
    assert!(store.use_assertion(&first).await.unwrap(), "it is no replay of itself");
    assert_eq!(cut.cuts(), 1, "the wire was cut");
    assert!(!store.use_assertion(&using("a")).await.unwrap());
    assert!(store.use_assertion(&first).await.unwrap());
    assert_eq!(world.database.count("assertion_ids").await, 1);
}
