//! Sweeping: what has expired leaves in small batches; what has merely ended stays, because its tokens may still come.

use chrono::TimeDelta;
use consentry::{
    model::{
        Timestamp,
        client::ClientSecret,
        digest::Digest,
        family::EndReason,
        id::{ClientSecretId, FamilyId, SessionId},
    },
    random,
    store::{client_changes::SecretRotation, families::FamilyEnd, sessions::NewSession, sweep::Sweep},
};

use super::facts::{World, at, audit, start};
use crate::{harness::aside::at_once, on_both_engines};

/// What has expired by then leaves.
pub fn sweep(by: Timestamp, rows_max: u32) -> Sweep {
    Sweep {
        families_expired_by: by,
        sessions_expired_by: by,
        clients_unused_since: by,
        offers_unseen_since: by,
        assertions_expired_by: by,
        rows_max,
    }
}

async fn family(world: &World, idle_until: Timestamp, expires_at: Timestamp) -> FamilyId {
    let mut redemption = world.redemption();
    redemption.idle_until = idle_until;
    redemption.expires_at = expires_at;
    world.store.redeem(&redemption, &audit(start())).await.unwrap();
    redemption.id
}

async fn session(world: &World, cookie: &str, expires_at: Timestamp) {
    let session = NewSession {
        id: SessionId(random::id(start())),
        digest: Digest::of(cookie),
        account_id: world.account,
        account_generation: 1,
        session_generation: 1,
        at: start(),
        expires_at,
        address: None,
        user_agent: None,
        factor_at: None,
        replaces: None,
    };
    assert!(world.store.start_session(&session).await.unwrap());
}

on_both_engines! {
    async fn only_what_has_expired_leaves(engine) {
        let world = World::new(engine).await;
        let late = at(9_999_999);
        for (idle_until, expires_at) in [(at(877), late), (late, at(877)), (at(878), late), (late, at(878))] {
            family(&world, idle_until, expires_at).await;
        }
        session(&world, "expired", at(877)).await;
        session(&world, "live", at(878)).await;
        let rotation = SecretRotation {
            client_id: world.client_id.clone(),
            secret: ClientSecret {
                id: ClientSecretId(random::id(at(5))),
                digest: Digest::of("second"),
                created_at: at(5),
                expires_at: None,
                last_used_at: None,
            },
            old_expires_at: at(877),
            seen: None,
        };
        world.store.rotate_secret(&rotation, &audit(at(5))).await.unwrap();
        assert_eq!(world.store.sweep(&sweep(at(876), 100)).await.unwrap(), 0);
        assert_eq!(world.store.sweep(&sweep(at(877), 100)).await.unwrap(), 4);
        assert_eq!(world.database.count("families").await, 2);
        assert_eq!(world.store.sweep(&sweep(at(877), 100)).await.unwrap(), 0);
        assert!(world.store.session(Digest::of("live"), at(800)).await.unwrap().is_some());
        assert!(world.store.session(Digest::of("expired"), at(800)).await.unwrap().is_none());
        let client = world.store.client(&world.client_id, at(6)).await.unwrap().unwrap();
        assert_eq!(client.secrets.len(), 1, "the secret without an end stays");
        assert_eq!(client.secrets[0].digest, Digest::of("second"));
    }

    async fn families_and_sessions_have_times_of_their_own(engine) {
        let world = World::new(engine).await;
        let kept = family(&world, at(100), at(200)).await;
        session(&world, "cookie", at(100)).await;
        let sweep = Sweep { sessions_expired_by: at(100), ..sweep(at(99), 100) };
        assert_eq!(world.store.sweep(&sweep).await.unwrap(), 1);
        assert!(world.store.standing_family(kept, at(50)).await.unwrap().is_some());
        assert_eq!(world.database.count("sessions").await, 0);
    }

    async fn a_batch_is_no_larger_than_it_may_be(engine) {
        let world = World::new(engine).await;
        for number in 0..5 {
            family(&world, at(10), at(20)).await;
            session(&world, &format!("cookie {number}"), at(10)).await;
        }
        let mut batches = Vec::new();
        for _ in 0..4 {
            batches.push(world.store.sweep(&sweep(at(30), 2)).await.unwrap());
        }
        assert_eq!(batches, [4, 4, 2, 0]);
    }

    async fn an_ended_family_stays_until_it_has_expired(engine) {
        let world = World::new(engine).await;
        let id = family(&world, at(1000), at(2000)).await;
        let end = FamilyEnd { id, reason: EndReason::Revoked };
        assert!(world.store.end_family(&end, &audit(at(1))).await.unwrap());
        assert_eq!(world.store.sweep(&sweep(at(999), 100)).await.unwrap(), 0);
        assert_eq!(world.database.count("families").await, 1);
        assert_eq!(world.store.sweep(&sweep(at(1000), 100)).await.unwrap(), 1);
    }

    async fn several_sweepers_remove_each_row_once(engine) {
        let world = World::new(engine).await;
        for _ in 0..30 {
            family(&world, at(10), at(20)).await;
        }
        let live = family(&world, at(10) + TimeDelta::hours(1), at(20) + TimeDelta::hours(1)).await;
        let left = at_once(5, |_| {
            let store = world.store.clone();
            async move { store.sweep(&sweep(at(30), 100)).await.unwrap() }
        })
        .await;
        assert_eq!(left.iter().sum::<u64>(), 30);
        assert!(world.store.standing_family(live, at(30)).await.unwrap().is_some());
    }
}
