//! Sessions: they end by time, by sign-out, by the next sign-in and with their account.

use consentry::{
    model::{digest::Digest, id::SessionId},
    random,
    store::sessions::NewSession,
};

use super::facts::{World, at, audit, start};
use crate::{harness::aside::at_once, on_both_engines};

/// A session from the beginning until a whole second, which SQLite's texts spell without a fraction.
fn new_session(world: &World, cookie: &str) -> NewSession {
    NewSession {
        id: SessionId(random::id(start())),
        digest: Digest::of(cookie),
        account_id: world.account,
        account_generation: 1,
        session_generation: 1,
        at: start(),
        expires_at: at(877),
        address: None,
        user_agent: None,
        factor_at: None,
        replaces: None,
    }
}

on_both_engines! {
    async fn a_session_lives_until_its_last_millisecond(engine) {
        let world = World::new(engine).await;
        let new = new_session(&world, "cookie");
        assert!(world.store.start_session(&new).await.unwrap());
        let session = world.store.session(new.digest, at(876)).await.unwrap().unwrap();
        assert_eq!((session.id, session.account_generation), (new.id, 1));
        assert_eq!((session.auth_time, session.expires_at), (start(), at(877)));
        assert_eq!((session.account.id, session.account.email.as_str()), (world.account, "ada@example.com"));
        assert!(world.store.session(new.digest, at(877)).await.unwrap().is_none());
        assert!(world.store.session(new.digest, at(878)).await.unwrap().is_none());
        assert!(world.store.session(Digest::of("other"), at(1)).await.unwrap().is_none());
    }

    async fn a_sign_in_ends_the_session_it_replaces(engine) {
        let world = World::new(engine).await;
        let old = new_session(&world, "old");
        let elsewhere = new_session(&world, "elsewhere");
        world.store.start_session(&old).await.unwrap();
        world.store.start_session(&elsewhere).await.unwrap();
        let mut new = new_session(&world, "new");
        new.replaces = Some(old.digest);
        assert!(world.store.start_session(&new).await.unwrap());
        assert!(world.store.session(old.digest, at(1)).await.unwrap().is_none());
        assert!(world.store.session(new.digest, at(1)).await.unwrap().is_some());
        assert!(world.store.session(elsewhere.digest, at(1)).await.unwrap().is_some());
        let mut of_nothing = new_session(&world, "of nothing");
        of_nothing.replaces = Some(Digest::of("never was"));
        assert!(world.store.start_session(&of_nothing).await.unwrap());
    }

    async fn no_session_starts_once_the_generation_was_raised(engine) {
        let world = World::new(engine).await;
        world.store.sign_out_everywhere(world.account, &audit(at(1))).await.unwrap();
        let late = new_session(&world, "late");
        assert!(!world.store.start_session(&late).await.unwrap());
        assert!(world.store.session(late.digest, at(2)).await.unwrap().is_none());
        let mut now = new_session(&world, "now");
        now.account_generation = 2;
        assert!(world.store.start_session(&now).await.unwrap());
        assert_eq!(world.store.session(now.digest, at(2)).await.unwrap().unwrap().account.generation, 2);
        assert_eq!(world.database.count("sessions").await, 1);
    }

    async fn a_disabled_account_has_no_session(engine) {
        let world = World::new(engine).await;
        let before = new_session(&world, "before");
        world.store.start_session(&before).await.unwrap();
        world.database.execute("update accounts set enabled = false").await;
        assert!(world.store.session(before.digest, at(1)).await.unwrap().is_none());
        assert!(!world.store.start_session(&new_session(&world, "after")).await.unwrap());
        assert_eq!(world.database.count("sessions").await, 1);
    }

    async fn an_ended_session_is_gone_and_may_be_ended_again(engine) {
        let world = World::new(engine).await;
        let session = new_session(&world, "cookie");
        let other = new_session(&world, "other");
        world.store.start_session(&session).await.unwrap();
        world.store.start_session(&other).await.unwrap();
        for _ in 0..2 {
            world.store.end_session(session.digest).await.unwrap();
            assert!(world.store.session(session.digest, at(1)).await.unwrap().is_none());
        }
        assert!(world.store.session(other.digest, at(1)).await.unwrap().is_some());
    }

    async fn no_session_outlives_signing_out_everywhere_at_the_same_time(engine) {
        let world = World::new(engine).await;
        at_once(20, |number| {
            let store = world.store.clone();
            let (account, session) = (world.account, new_session(&world, &format!("cookie {number}")));
            async move {
                if number == 10 {
                    assert!(store.sign_out_everywhere(account, &audit(at(1))).await.unwrap());
                } else {
                    store.start_session(&session).await.unwrap();
                }
            }
        })
        .await;
        for number in 0..20 {
            let digest = Digest::of(format!("cookie {number}"));
            assert!(world.store.session(digest, at(2)).await.unwrap().is_none(), "{number}");
        }
    }
}
