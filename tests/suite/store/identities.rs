//! Identities: one leads to one account, is linked under its address alone, and goes with its account.

use consentry::{
    model::id::{AccountId, IdentityId},
    random,
    store::{
        identities::{Federated, LinkIdentity, NewFederated, NewIdentity, Unlink},
        people::Deletion,
    },
};

use super::facts::{World, at, audit, new_account, start};
use crate::{harness::aside::at_once, on_both_engines};

pub fn new_identity(provider: &str, subject: &str, email: &str) -> NewIdentity {
    NewIdentity {
        id: IdentityId(random::id(start())),
        provider: provider.into(),
        subject: subject.into(),
        email: email.parse().unwrap(),
        at: start(),
    }
}

fn federated(subject: &str, email: &str) -> NewFederated {
    NewFederated {
        account_id: AccountId(random::id(start())),
        email: email.parse().unwrap(),
        name: "Joan".into(),
        language: Some("de".into()),
        identity: new_identity("https://a.example", subject, email),
    }
}

on_both_engines! {
    /// An identity is a way in, and after a reset it may be somebody else's.
    async fn a_new_password_that_was_not_asked_for_by_the_old_one_unlinks_all(engine) {
        let world = World::new(engine).await;
        let identity = new_identity("https://a.example", "1", "ada@example.com");
        let linked = world.store.link_identity(world.account, &identity, &audit(at(1))).await.unwrap();
        assert!(matches!(linked, LinkIdentity::Linked), "{linked:?}");
        assert!(world.store.use_identity(identity.id, None, at(2)).await.unwrap());
        assert!(world.store.set_password(world.account, "$argon2id$new", &audit(at(3))).await.unwrap());
        assert!(world.store.identity("https://a.example", "1").await.unwrap().is_none());
        assert!(!world.store.use_identity(identity.id, None, at(4)).await.unwrap(), "nobody enters by it any more");
    }

    async fn an_account_is_made_with_its_identity_or_not_at_all(engine) {
        let world = World::new(engine).await;
        let Federated::Made(account) =
            world.store.add_federated(&federated("1", "joan@example.com"), &audit(at(1))).await.unwrap()
        else {
            panic!("it is made");
        };
        assert!(account.enabled && account.email_verified_at == Some(start()) && account.language.as_deref() == Some("de"));
        let (identity, found) = world.store.identity("https://a.example", "1").await.unwrap().unwrap();
        assert_eq!((found.id, identity.account_id, identity.last_used_at), (account.id, account.id, None));
        for (subject, email) in [("1", "other@example.com"), ("1", "joan@example.com")] {
            let again = world.store.add_federated(&federated(subject, email), &audit(at(2))).await.unwrap();
            assert!(matches!(again, Federated::Linked), "{again:?}");
        }
        let taken = world.store.add_federated(&federated("2", "joan@example.com"), &audit(at(2))).await.unwrap();
        assert!(matches!(taken, Federated::EmailTaken), "{taken:?}");
        assert_eq!(world.database.count("accounts").await, 2, "nothing is left of what was not made");
        assert!(world.store.identity("https://a.example", "2").await.unwrap().is_none());
        assert!(world.store.identity("https://a.example", "a\0").await.unwrap().is_none());
        let email = "new@example.com".parse().unwrap();
        world.store.use_identity(identity.id, Some(&email), at(3)).await.unwrap();
        world.store.use_identity(identity.id, None, at(4)).await.unwrap();
        let (identity, _) = world.store.identity("https://a.example", "1").await.unwrap().unwrap();
        assert_eq!((identity.email, identity.last_used_at), (Some(email), Some(at(4))));
    }

    async fn of_fifty_tabs_one_makes_the_account(engine) {
        let world = World::new(engine).await;
        let store = world.store.clone();
        let outcomes = at_once(50, move |_| {
            let store = store.clone();
            async move { store.add_federated(&federated("1", "joan@example.com"), &audit(at(1))).await.unwrap() }
        })
        .await;
        let made = outcomes.iter().filter(|outcome| matches!(outcome, Federated::Made(_))).count();
        let linked = outcomes.iter().filter(|outcome| matches!(outcome, Federated::Linked)).count();
        assert_eq!((made, linked), (1, 49));
        assert_eq!(world.database.count("identities").await, 1);
    }

    async fn an_identity_is_linked_under_the_address_of_the_account_alone(engine) {
        let world = World::new(engine).await;
        let (store, ada) = (&world.store, world.account);
        let link = async |account, provider: &str, email: &str| {
            store.link_identity(account, &new_identity(provider, "1", email), &audit(at(1))).await.unwrap()
        };
        assert_eq!(link(ada, "a", "other@example.com").await, LinkIdentity::NotStanding);
        assert_eq!(link(AccountId(random::id(start())), "a", "ada@example.com").await, LinkIdentity::NotStanding);
        assert_eq!(link(ada, "a", "ada@example.com").await, LinkIdentity::Linked);
        assert_eq!(link(ada, "a", "ada@example.com").await, LinkIdentity::Linked, "twice is once");
        let other = new_account("grace@example.com");
        store.add_account(&other, &audit(at(1))).await.unwrap();
        assert_eq!(link(other.id, "a", "grace@example.com").await, LinkIdentity::Taken);
        assert_eq!(world.database.count("audit_events where action = 'identity.linked'").await, 1);
        store.disable_account(ada, &audit(at(2))).await.unwrap();
        assert_eq!(link(ada, "b", "ada@example.com").await, LinkIdentity::NotStanding);
        let (_, account) = store.identity("a", "1").await.unwrap().unwrap();
        assert!(!account.enabled);
    }

    async fn the_last_way_to_sign_in_stays_and_all_go_with_the_account(engine) {
        let world = World::new(engine).await;
        let (store, ada) = (&world.store, world.account);
        store.link_identity(ada, &new_identity("a", "1", "ada@example.com"), &audit(at(1))).await.unwrap();
        let id = store.identities(ada).await.unwrap()[0].id;
        let Federated::Made(joan) =
            store.add_federated(&federated("2", "joan@example.com"), &audit(at(1))).await.unwrap()
        else {
            panic!("it is made");
        };
        let joans = store.identities(joan.id).await.unwrap()[0].id;
        let offered = ["https://a.example".to_owned()];
        let gone = new_identity("https://gone.example", "2", "joan@example.com");
        assert_eq!(store.link_identity(joan.id, &gone, &audit(at(1))).await.unwrap(), LinkIdentity::Linked);
        assert_eq!(store.unlink_identity(joan.id, joans, &offered, &audit(at(2))).await.unwrap(), Unlink::LastWay);
        assert_eq!(store.unlink_identity(joan.id, gone.id, &offered, &audit(at(2))).await.unwrap(), Unlink::Unlinked);
        assert_eq!(store.unlink_identity(joan.id, joans, &offered, &audit(at(2))).await.unwrap(), Unlink::LastWay);
        assert_eq!(store.unlink_identity(joan.id, id, &offered, &audit(at(2))).await.unwrap(), Unlink::NotThere);
        assert_eq!(store.unlink_identity(ada, joans, &offered, &audit(at(2))).await.unwrap(), Unlink::NotThere);
        assert_eq!(store.unlink_identity(ada, id, &offered, &audit(at(2))).await.unwrap(), Unlink::Unlinked);
        assert_eq!(store.unlink_identity(ada, id, &offered, &audit(at(2))).await.unwrap(), Unlink::NotThere);
        assert_eq!(world.database.count("audit_events where action = 'identity.unlinked'").await, 2);
        let export = store.export_account(joan.id).await.unwrap().unwrap();
        assert_eq!((export.identities.len(), export.identities[0].subject.as_str()), (1, "2"));
        let deletion = Deletion { account_id: joan.id, verified: None, mail: None };
        assert!(store.delete_account(&deletion, &audit(at(3))).await.unwrap());
        assert!(store.identity("https://a.example", "2").await.unwrap().is_none());
    }
}
