//! What stands, and what ends it: one row raised, disabled or ended ends everything under it, at once.

use chrono::TimeDelta;
use consentry::{
    model::{family::EndReason, id::FamilyId},
    random,
    store::families::{FamilyEnd, Redemption},
};

use super::{
    answers::Answer::{NotStanding, Rotated},
    facts::{World, at, audit, scopes, start},
    tables::Tables,
};
use crate::on_both_engines;

/// Every change that ends a family without touching its row, and the way back.
const ENDED_AND_MENDED: [(&str, &str); 5] = [
    ("update accounts set generation = generation + 1", "update accounts set generation = 1"),
    ("update accounts set enabled = false", "update accounts set enabled = true"),
    ("update clients set generation = generation + 1", "update clients set generation = 1"),
    ("update clients set enabled = false", "update clients set enabled = true"),
    ("update consents set generation = generation + 1", "update consents set generation = 1"),
];

async fn stands(world: &World, id: FamilyId) -> bool {
    world.store.standing_family(id, at(1)).await.unwrap().is_some()
}

on_both_engines! {
    async fn a_family_stands_with_its_parents(engine) {
        let world = World::new(engine).await;
        let id = world.family().await;
        let mut tables = Tables::of(&world.database).await;
        let before = tables.families().await;
        for (ended, mended) in ENDED_AND_MENDED {
            assert!(stands(&world, id).await);
            tables.change(ended).await;
            assert!(!stands(&world, id).await, "{ended}");
            assert_eq!(world.present(id, 0, 1).await, NotStanding, "{ended}");
            assert_eq!(world.present(id, -1, 1).await, NotStanding, "no theft of what does not stand: {ended}");
            assert_eq!(tables.families().await, before, "{ended}");
            tables.change(mended).await;
        }
        assert_eq!(world.present(id, 0, 1).await, Rotated(1));
    }

    async fn consenting_again_revives_nothing(engine) {
        let world = World::new(engine).await;
        let id = world.family().await;
        assert!(world.store.revoke_consent(&world.consent_key(), &audit(at(1))).await.unwrap());
        assert!(!stands(&world, id).await);
        let grant = consentry::store::consents::ConsentGrant {
            id: world.consent.id,
            key: world.consent_key(),
            scopes: scopes("todo.read"),
            left_out: scopes(""),
            document: None,
        };
        world.store.grant_consent(&grant, &audit(at(2))).await.unwrap();
        assert!(!stands(&world, id).await);
        assert_eq!(world.present(id, 0, 3).await, NotStanding);
    }

    async fn signing_out_and_disabling_end_families(engine) {
        let world = World::new(engine).await;
        let id = world.family().await;
        assert!(world.store.sign_out_everywhere(world.account, &audit(at(1))).await.unwrap());
        assert!(!stands(&world, id).await);

        let world = World::new(engine).await;
        let id = world.family().await;
        world.store.disable_client(&world.client_id, &audit(at(1))).await.unwrap();
        Tables::of(&world.database).await.change("update clients set enabled = true").await;
        assert!(!stands(&world, id).await, "enabled again, it is of another generation");
    }

    async fn a_family_stands_to_the_millisecond(engine) {
        let world = World::new(engine).await;
        for end in [at(5_000), at(4_877)] {
            let later = end + TimeDelta::hours(1);
            for (idle_until, expires_at) in [(end, later), (later, end)] {
                let redemption = Redemption { idle_until, expires_at, ..world.redemption() };
                world.store.redeem(&redemption, &audit(start())).await.unwrap();
                let last = world.store.standing_family(redemption.id, end - TimeDelta::milliseconds(1)).await.unwrap();
                assert!(last.is_some());
                assert!(world.store.standing_family(redemption.id, end).await.unwrap().is_none());
            }
        }
    }

    async fn a_family_ends_once(engine) {
        let world = World::new(engine).await;
        let (id, other) = (world.family().await, world.family().await);
        let end = FamilyEnd { id, reason: EndReason::Revoked };
        assert!(world.store.end_family(&end, &audit(at(1))).await.unwrap());
        assert!(!stands(&world, id).await);
        assert!(stands(&world, other).await);
        assert_eq!(world.present(id, 0, 1).await, NotStanding);
        let mut tables = Tables::of(&world.database).await;
        let before = (tables.families().await, tables.rows().await);
        let again = FamilyEnd { id, reason: EndReason::RefreshReplayed };
        assert!(!world.store.end_family(&again, &audit(at(2))).await.unwrap());
        let unknown = FamilyEnd { id: FamilyId(random::id(start())), ..again };
        assert!(!world.store.end_family(&unknown, &audit(at(2))).await.unwrap());
        assert_eq!((tables.families().await, tables.rows().await), before);
        assert_eq!(tables.family_events().await, ["family.born -", "family.born -", "family.ended revoked"]);
    }

    async fn revoking_access_spares_the_refresh_token(engine) {
        let world = World::new(engine).await;
        let id = world.family().await;
        assert!(!world.store.revoke_access(id, 2, &audit(at(1))).await.unwrap(), "not of that generation");
        assert!(world.store.revoke_access(id, 1, &audit(at(1))).await.unwrap());
        assert!(!world.store.revoke_access(id, 1, &audit(at(1))).await.unwrap(), "an older token is dead already");
        let family = world.store.standing_family(id, at(2)).await.unwrap().unwrap();
        assert_eq!(family.access_generation, 2);
        assert_eq!(world.present(id, 0, 3).await, Rotated(1));
        let mut tables = Tables::of(&world.database).await;
        let mut events = tables.family_events().await;
        events.sort();
        assert_eq!(events, ["access.revoked -", "family.born -"]);

        world.store.end_family(&FamilyEnd { id, reason: EndReason::Revoked }, &audit(at(4))).await.unwrap();
        assert!(!world.store.revoke_access(id, 2, &audit(at(5))).await.unwrap(), "nothing left to revoke");
    }

    async fn revoking_access_at_once_raises_once(engine) {
        let world = World::new(engine).await;
        let id = world.family().await;
        let callers: Vec<_> = (0..50)
            .map(|_| {
                let store = world.store.clone();
                tokio::spawn(async move { store.revoke_access(id, 1, &audit(at(1))).await.unwrap() })
            })
            .collect();
        let mut raised = 0;
        for caller in callers {
            raised += usize::from(caller.await.unwrap());
        }
        assert_eq!(raised, 1);
        assert_eq!(world.store.standing_family(id, at(2)).await.unwrap().unwrap().access_generation, 2);
    }

}
