//! Redeeming a code: it becomes a family exactly once, and only while everything it was issued under still is.

use chrono::TimeDelta;
use consentry::{
    model::{
        family::{EndReason, Family},
        id::{ConsentId, FamilyId},
    },
    random,
    store::families::{FamilyEnd, Redeem, Redemption},
};

use super::{
    facts::{World, at, audit, scopes, start},
    tables::Tables,
};
use crate::on_both_engines;

/// Every way in which what a code was issued under ceases to be, and the way back.
const BROKEN_AND_MENDED: [(&str, &str); 5] = [
    ("update accounts set generation = generation + 1", "update accounts set generation = 1"),
    ("update accounts set enabled = false", "update accounts set enabled = true"),
    ("update clients set generation = generation + 1", "update clients set generation = 1"),
    ("update clients set enabled = false", "update clients set enabled = true"),
    ("update consents set generation = generation + 1", "update consents set generation = 1"),
];

async fn redeem(world: &World, redemption: &Redemption) -> Redeem {
    world.store.redeem(redemption, &audit(redemption.at)).await.unwrap()
}

async fn won(world: &World, redemption: &Redemption) -> Family {
    match redeem(world, redemption).await {
        Redeem::Won(family) => family,
        other => panic!("not won: {other:?}"),
    }
}

/// The same code, presented by somebody else.
fn by_another(redemption: &Redemption, milliseconds: i64) -> Redemption {
    Redemption { redemption: random::bytes(), at: at(milliseconds), ..redemption.clone() }
}

on_both_engines! {
    async fn the_family_is_what_the_code_said(engine) {
        let world = World::new(engine).await;
        let redemption = world.redemption();
        let family = won(&world, &redemption).await;
        let stored = world.store.standing_family(redemption.id, at(1)).await.unwrap().unwrap();
        assert_eq!(format!("{family:?}"), format!("{stored:?}"), "what is answered is what was stored");
        assert_eq!(family.id, redemption.id);
        assert_eq!((family.account_id, family.client_id, family.consent_id), (world.account, world.client, world.consent.id));
        assert_eq!(family.resource, redemption.resource);
        assert_eq!(family.scopes, redemption.scopes);
        assert_eq!(family.access_generation, 1);
        assert_eq!((family.auth_time, family.created_at), (start(), start()));
        assert_eq!(family.expires_at, start() + TimeDelta::hours(10));
        assert_eq!(family.idle_until, start() + TimeDelta::hours(1));
    }

    async fn the_same_request_wins_again(engine) {
        let world = World::new(engine).await;
        let redemption = world.redemption();
        let event = audit(at(0));
        for _ in 0..2 {
            // A retry after a lost connection brings the same audit event.
            let outcome = world.store.redeem(&redemption, &event).await.unwrap();
            assert!(matches!(outcome, Redeem::Won(_)), "{outcome:?}");
        }
        let mut tables = Tables::of(&world.database).await;
        assert_eq!(tables.family_events().await, ["family.born -"], "the log tells it once");
        assert_eq!(tables.end_reasons().await, ["-"]);
    }

    async fn the_same_request_does_not_revive_an_ended_family(engine) {
        let world = World::new(engine).await;
        let redemption = world.redemption();
        won(&world, &redemption).await;
        let end = FamilyEnd { id: redemption.id, reason: EndReason::Revoked };
        // At the very time of the redemption: the store must not take this end for its own.
        assert!(world.store.end_family(&end, &audit(at(0))).await.unwrap());
        let mut tables = Tables::of(&world.database).await;
        let again = redeem(&world, &redemption).await;
        assert!(matches!(again, Redeem::Replayed), "{again:?}");
        let other = redeem(&world, &by_another(&redemption, 0)).await;
        assert!(matches!(other, Redeem::Replayed), "{other:?}");
        assert_eq!(tables.end_reasons().await, ["revoked"], "the reason stays the first one");
        assert_eq!(tables.family_events().await, ["family.born -", "family.ended revoked"]);
    }

    async fn another_request_ends_the_family(engine) {
        let world = World::new(engine).await;
        let redemption = world.redemption();
        won(&world, &redemption).await;
        let other = redeem(&world, &by_another(&redemption, 5)).await;
        assert!(matches!(other, Redeem::Replayed), "{other:?}");
        assert!(world.store.standing_family(redemption.id, at(6)).await.unwrap().is_none());
        let mut tables = Tables::of(&world.database).await;
        assert_eq!(tables.end_reasons().await, ["code_replayed"]);
        let ended = tables.families().await;

        let third = redeem(&world, &by_another(&redemption, 5)).await;
        assert!(matches!(third, Redeem::Replayed), "{third:?}");
        let first = redeem(&world, &redemption).await;
        assert!(matches!(first, Redeem::Replayed), "the winner's retry finds it ended: {first:?}");
        assert_eq!(tables.families().await, ended, "it ends once, at the first replay");
        assert_eq!(tables.family_events().await, ["family.born -", "family.ended code_replayed"]);
    }

    async fn a_race_has_one_winner_and_no_family(engine) {
        let world = World::new(engine).await;
        let redemption = world.redemption();
        // All in one millisecond: that must not make each of them the one that ended it.
        let callers: Vec<_> = (0..50)
            .map(|_| {
                let (store, mine) = (world.store.clone(), by_another(&redemption, 5));
                tokio::spawn(async move { store.redeem(&mine, &audit(mine.at)).await.unwrap() })
            })
            .collect();
        let mut winners = 0;
        for caller in callers {
            match caller.await.unwrap() {
                Redeem::Won(_) => winners += 1,
                Redeem::Replayed => {}
                other => panic!("everything stands, and there is no assertion: {other:?}"),
            }
        }
        assert_eq!(winners, 1, "whoever comes first wins, and is told so");
        let mut tables = Tables::of(&world.database).await;
        assert_eq!(tables.end_reasons().await, ["code_replayed"]);
        let mut events = tables.family_events().await;
        events.sort();
        assert_eq!(events, ["family.born -", "family.ended code_replayed"]);
    }

    async fn nothing_is_born_under_what_no_longer_is(engine) {
        let world = World::new(engine).await;
        let mut tables = Tables::of(&world.database).await;
        for (broken, mended) in BROKEN_AND_MENDED {
            let redemption = world.redemption();
            let before = tables.rows().await;
            tables.change(broken).await;
            let outcome = redeem(&world, &redemption).await;
            assert!(matches!(outcome, Redeem::NotStanding), "{broken}: {outcome:?}");
            assert_eq!(tables.rows().await, before, "{broken}: nothing is written");
            tables.change(mended).await;
            // Nothing was consumed either, and it was this change alone that stood in the way.
            won(&world, &redemption).await;
        }
    }

    async fn nothing_is_born_after_the_store_took_it_back(engine) {
        for taken_back in ["consent", "account", "client"] {
            let world = World::new(engine).await;
            let redemption = world.redemption();
            match taken_back {
                "consent" => assert!(world.store.revoke_consent(&world.consent_key(), &audit(at(1))).await.unwrap()),
                "account" => assert!(world.store.sign_out_everywhere(world.account, &audit(at(1))).await.unwrap()),
                _ => assert!(world.store.disable_client(&world.client_id, &audit(at(1))).await.unwrap().is_some()),
            }
            let mut tables = Tables::of(&world.database).await;
            let before = tables.rows().await;
            let outcome = redeem(&world, &redemption).await;
            assert!(matches!(outcome, Redeem::NotStanding), "{taken_back}: {outcome:?}");
            assert_eq!(tables.rows().await, before, "{taken_back}");
        }
    }

    async fn nothing_is_born_under_what_never_was(engine) {
        let world = World::new(engine).await;
        let unknown = Redemption { consent_id: ConsentId(random::id(start())), ..world.redemption() };
        let outcome = redeem(&world, &unknown).await;
        assert!(matches!(outcome, Redeem::NotStanding), "{outcome:?}");
        assert!(Tables::of(&world.database).await.families().await.is_empty());
    }

    async fn scopes_are_the_codes_and_the_consents(engine) {
        let world = World::new(engine).await;
        let narrow = Redemption { scopes: scopes("todo.read"), ..world.redemption() };
        assert_eq!(won(&world, &narrow).await.scopes, scopes("todo.read"), "not more than the code");

        let wide = world.redemption();
        assert_eq!(won(&world, &wide).await.scopes, scopes("todo.read todo.write"));
        Tables::of(&world.database).await.change("update consents set scopes = 'todo.write'").await;
        let shrunk = world.store.standing_family(wide.id, at(1)).await.unwrap().unwrap();
        assert_eq!(shrunk.scopes, scopes("todo.write"), "not more than today's consent");
        assert_eq!(won(&world, &world.redemption()).await.scopes, scopes("todo.write"));
        let empty = world.store.standing_family(narrow.id, at(1)).await.unwrap();
        assert!(empty.is_none(), "with no scope it would be for the plugin as a whole: {empty:?}");
    }

    async fn codes_do_not_meet(engine) {
        let world = World::new(engine).await;
        let (one, other) = (world.redemption(), world.redemption());
        won(&world, &one).await;
        won(&world, &other).await;
        redeem(&world, &by_another(&one, 1)).await;
        assert!(world.store.standing_family(one.id, at(2)).await.unwrap().is_none());
        assert!(world.store.standing_family(other.id, at(2)).await.unwrap().is_some(), "another installation's");
        assert!(world.store.standing_family(FamilyId(random::id(start())), at(2)).await.unwrap().is_none());
    }
}
