//! Accounts: one per address, and a way to end everything at once.

use consentry::{
    model::{
        account::Role,
        digest::Digest,
        id::{AccountId, SessionId},
    },
    random,
    store::{accounts::AddAccount, families::Rotate, sessions::NewSession},
};

use super::facts::{World, at, audit, new_account, start};
use crate::{
    harness::{aside::at_once, databases::Database},
    on_both_engines,
};

on_both_engines! {
    async fn an_added_account_is_found_by_its_address(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        let mut account = new_account("grace@example.com");
        account.role = Role::Admin;
        assert_eq!(store.add_account(&account, &audit(at(0))).await.unwrap(), AddAccount::Added);
        let (found, password) = store.account_by_email(&"Grace@Example.COM".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(found.id, account.id);
        assert_eq!(found.email.as_str(), "grace@example.com");
        assert_eq!((found.name.as_str(), found.role, found.generation, found.enabled), ("Ada", Role::Admin, 1, true));
        assert_eq!(found.created_at, start());
        assert_eq!(password.unwrap(), account.password_hash);
        assert!(store.account_by_email(&"nobody@example.com".parse().unwrap()).await.unwrap().is_none());
        assert_eq!(database.audited("account.added").await, 1);
    }

    async fn an_address_is_taken_however_it_is_written(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        let first = new_account("grace@example.com");
        store.add_account(&first, &audit(at(0))).await.unwrap();
        for spelling in ["grace@example.com", "GRACE@example.com", " Grace@Example.Com "] {
            let again = store.add_account(&new_account(spelling), &audit(at(1))).await.unwrap();
            assert_eq!(again, AddAccount::EmailTaken, "{spelling}");
        }
        let (found, _) = store.account_by_email(&first.email).await.unwrap().unwrap();
        assert_eq!(found.id, first.id);
        assert_eq!(database.audited("account.added").await, 1);
    }

    async fn of_fifty_at_once_one_gets_the_address(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        let answers = at_once(50, |_| {
            let store = store.clone();
            async move { store.add_account(&new_account("race@example.com"), &audit(at(0))).await.unwrap() }
        })
        .await;
        assert_eq!(answers.iter().filter(|answer| **answer == AddAccount::Added).count(), 1);
        assert_eq!(database.count("accounts").await, 1);
        assert_eq!(database.audited("account.added").await, 1);
    }

    async fn signing_out_everywhere_ends_sessions_and_families(engine) {
        let world = World::new(engine).await;
        let family = world.family().await;
        let session = NewSession {
            id: SessionId(random::id(start())),
            digest: Digest::of("cookie"),
            account_id: world.account,
            account_generation: 1,
            session_generation: 1,
            at: start(),
            expires_at: at(60_000),
            address: None,
            user_agent: None,
            factor_at: None,
            replaces: None,
        };
        assert!(world.store.start_session(&session).await.unwrap());
        assert!(world.store.session(session.digest, at(1)).await.unwrap().is_some());
        assert!(world.store.standing_family(family, at(1)).await.unwrap().is_some());

        assert!(world.store.sign_out_everywhere(world.account, &audit(at(2))).await.unwrap());

        assert!(world.store.session(session.digest, at(3)).await.unwrap().is_none());
        assert!(world.store.standing_family(family, at(3)).await.unwrap().is_none());
        let refreshed = world.store.rotate(&world.rotation(family, 0, 3), &audit(at(3))).await.unwrap();
        assert!(matches!(refreshed, Rotate::NotStanding), "{refreshed:?}");
        let (account, _) = world.store.account_by_email(&"ada@example.com".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(account.generation, 2);
        assert_eq!(world.database.audited("account.signed_out_everywhere").await, 1);
    }

    async fn nobody_is_signed_out_of_an_account_that_is_not_there(engine) {
        let world = World::new(engine).await;
        let nobody = AccountId(random::id(start()));
        assert!(!world.store.sign_out_everywhere(nobody, &audit(at(1))).await.unwrap());
        assert_eq!(world.database.audited("account.signed_out_everywhere").await, 0);
    }
}
