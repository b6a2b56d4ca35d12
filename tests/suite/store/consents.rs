//! Consents: they only grow while they last, and taking one back leaves nothing that could revive.

use consentry::{
    model::{consent::Consent, id::ConsentId},
    random,
    store::consents::{ConsentGrant, ConsentKey},
};

use super::facts::{World, at, audit, scopes, start};
use crate::{harness::aside::at_once, on_both_engines};

/// A key nobody has consented under yet.
fn other_key(world: &World) -> ConsentKey {
    ConsentKey { resource: "https://other.example".into(), ..world.consent_key() }
}

fn grant(key: &ConsentKey, text: &str) -> ConsentGrant {
    ConsentGrant {
        id: ConsentId(random::id(start())),
        key: key.clone(),
        scopes: scopes(text),
        left_out: scopes(""),
        document: None,
    }
}

fn same(one: &Consent, other: &Consent) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}

on_both_engines! {
    async fn the_first_grant_makes_the_row(engine) {
        let world = World::new(engine).await;
        let key = other_key(&world);
        assert!(world.store.consent(&key).await.unwrap().is_none());
        let grant = grant(&key, "todo.read");
        let given = world.store.grant_consent(&grant, &audit(at(5))).await.unwrap();
        assert_eq!((given.id, given.generation, given.granted_at), (grant.id, 1, at(5)));
        assert_eq!((given.account_id, given.client_id, &given.resource), (world.account, world.client, &key.resource));
        assert_eq!((given.scopes.to_string().as_str(), given.revoked_at), ("todo.read", None));
        same(&world.store.consent(&key).await.unwrap().unwrap(), &given);
        assert_eq!(world.database.audited("consent.granted").await, 2);
    }

    async fn a_second_grant_widens(engine) {
        let world = World::new(engine).await;
        let key = other_key(&world);
        let first = world.store.grant_consent(&grant(&key, "todo.read"), &audit(at(5))).await.unwrap();
        let wider = world.store.grant_consent(&grant(&key, "todo.write"), &audit(at(6))).await.unwrap();
        assert_eq!((wider.id, wider.generation, wider.granted_at), (first.id, 1, at(6)));
        assert_eq!(wider.scopes.to_string(), "todo.read todo.write");
        same(&world.store.consent(&key).await.unwrap().unwrap(), &wider);
        assert_eq!(world.database.audited("consent.granted").await, 3);
    }

    async fn a_grant_of_nothing_new_writes_nothing(engine) {
        let world = World::new(engine).await;
        let before = world.database.count("audit_events").await;
        for text in ["todo.read", "todo.write todo.read", ""] {
            let answer = world.store.grant_consent(&grant(&world.consent_key(), text), &audit(at(9))).await.unwrap();
            same(&answer, &world.consent);
        }
        same(&world.store.consent(&world.consent_key()).await.unwrap().unwrap(), &world.consent);
        assert_eq!(world.database.count("audit_events").await, before);
    }

    async fn twenty_grants_at_once_all_count(engine) {
        let world = World::new(engine).await;
        let key = other_key(&world);
        let answers = at_once(20, |number| {
            let store = world.store.clone();
            let grant = grant(&key, &format!("scope.{number}"));
            async move { (grant.scopes.clone(), store.grant_consent(&grant, &audit(at(5))).await.unwrap()) }
        })
        .await;
        let now = world.store.consent(&key).await.unwrap().unwrap();
        assert_eq!(now.scopes.iter().count(), 20, "{}", now.scopes);
        for (asked, answer) in answers {
            assert_eq!((answer.id, answer.generation), (now.id, 1));
            assert!(asked.is_subset(&answer.scopes), "{asked} in {}", answer.scopes);
        }
        assert_eq!(world.database.count("consents").await, 2);
        assert_eq!(world.database.audited("consent.granted").await, 21);
    }

    async fn revoking_empties_the_row_and_keeps_it(engine) {
        let world = World::new(engine).await;
        let family = world.family().await;
        assert!(world.store.revoke_consent(&world.consent_key(), &audit(at(5))).await.unwrap());
        let revoked = world.store.consent(&world.consent_key()).await.unwrap().unwrap();
        assert_eq!((revoked.id, revoked.generation, revoked.revoked_at), (world.consent.id, 2, Some(at(5))));
        assert!(revoked.scopes.is_empty());
        assert!(world.store.standing_family(family, at(6)).await.unwrap().is_none());
        assert!(!world.store.revoke_consent(&world.consent_key(), &audit(at(6))).await.unwrap());
        same(&world.store.consent(&world.consent_key()).await.unwrap().unwrap(), &revoked);
        assert!(!world.store.revoke_consent(&other_key(&world), &audit(at(6))).await.unwrap());
        assert_eq!(world.database.audited("consent.revoked").await, 1);
    }

    async fn a_grant_after_revoking_begins_anew(engine) {
        let world = World::new(engine).await;
        let family = world.family().await;
        world.store.revoke_consent(&world.consent_key(), &audit(at(5))).await.unwrap();
        let again = world.store.grant_consent(&grant(&world.consent_key(), "todo.read"), &audit(at(6))).await.unwrap();
        assert_eq!((again.id, again.generation, again.granted_at), (world.consent.id, 2, at(6)));
        assert_eq!((again.scopes.to_string().as_str(), again.revoked_at), ("todo.read", None));
        assert!(world.store.standing_family(family, at(7)).await.unwrap().is_none(), "nothing old revives");
        assert!(world.store.revoke_consent(&world.consent_key(), &audit(at(8))).await.unwrap());
        let nothing = world.store.grant_consent(&grant(&world.consent_key(), ""), &audit(at(9))).await.unwrap();
        assert_eq!((nothing.generation, nothing.scopes.is_empty()), (3, true));
    }

    async fn grants_and_revocations_at_once_leave_a_whole_row(engine) {
        let world = World::new(engine).await;
        let key = world.consent_key();
        let revoked = at_once(20, |number| {
            let (store, key) = (world.store.clone(), key.clone());
            async move {
                if number % 2 == 0 {
                    return store.revoke_consent(&key, &audit(at(5))).await.unwrap();
                }
                store.grant_consent(&grant(&key, &format!("scope.{number}")), &audit(at(5))).await.unwrap();
                false
            }
        })
        .await;
        let now = world.store.consent(&key).await.unwrap().unwrap();
        let revocations = revoked.into_iter().filter(|done| *done).count();
        assert_eq!(now.generation, 1 + i64::try_from(revocations).unwrap());
        assert_eq!(now.revoked_at.is_some(), now.scopes.is_empty());
    }
}
