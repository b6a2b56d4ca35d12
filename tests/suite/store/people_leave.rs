//! Leaving: what is deleted with an account, what is given to its owner before, and what the operator may do.

use consentry::{
    model::{digest::Digest, id::AccountId, link::LinkPurpose},
    random,
    store::{
        families::{Redeem, Rotate},
        people::{Deletion, Followed},
    },
};

use super::{
    facts::{World, at, audit, new_account, scopes, start},
    links::{made, new_link, new_mail, state},
    people::session,
    tables::Tables,
};
use crate::{harness::aside::at_once, on_both_engines};

fn deletion(world: &World) -> Deletion {
    Deletion { account_id: world.account, verified: Some("$argon2id$x".into()), mail: Some(new_mail(None)) }
}

on_both_engines! {
    async fn a_deleted_account_leaves_nothing_but_ids(engine) {
        let world = World::new(engine).await;
        let (family, here) = (world.family().await, session(&world, "here").await);
        let code = world.redemption();
        let link = new_link("one", LinkPurpose::ResetPassword, Some(world.account), "ada@example.com");
        world.store.make_link(&link, Some(&new_mail(Some(world.account))), None).await.unwrap();
        made(&world.store, &new_link("before", LinkPurpose::SignUp, None, "ada@example.com")).await;
        Tables::of(&world.database).await.change("insert into plugin_owners select p.id, a.id, p.created_at from plugins p, accounts a").await;

        let mut wrong = deletion(&world);
        wrong.verified = Some("$other".into());
        assert!(!world.store.delete_account(&wrong, &audit(at(1))).await.unwrap());
        assert!(world.store.delete_account(&deletion(&world), &audit(at(2))).await.unwrap());
        assert!(!world.store.delete_account(&deletion(&world), &audit(at(3))).await.unwrap());

        for table in ["accounts", "sessions", "families", "consents", "links", "plugin_owners"] {
            assert_eq!(world.database.count(table).await, 0, "{table}");
        }
        assert_eq!(world.database.count("outgoing_mails where account_id is null").await, 1, "the farewell");
        assert_eq!(world.database.count("outgoing_mails").await, 1);
        assert_eq!(world.database.count("plugins").await, 1);
        assert!(world.store.session(here.digest, at(4)).await.unwrap().is_none());
        assert!(world.store.standing_family(family, at(4)).await.unwrap().is_none());
        let refreshed = world.store.rotate(&world.rotation(family, 0, 4), &audit(at(4))).await.unwrap();
        assert!(matches!(refreshed, Rotate::NotStanding), "{refreshed:?}");
        let redeemed = world.store.redeem(&code, &audit(at(4))).await.unwrap();
        assert!(matches!(redeemed, Redeem::NotStanding), "{redeemed:?}");
        let mut tables = Tables::of(&world.database).await;
        let events = tables.lines("select action || coalesce(cast(detail as text), '') from audit_events").await;
        assert!(events.iter().any(|event| event.starts_with("account.deleted")));
        assert!(!events.iter().any(|event| event.contains("ada@example.com") || event.contains("Ada")), "{events:?}");
        // The address is free again.
        world.store.add_account(&new_account("ada@example.com"), &audit(at(5))).await.unwrap();
        assert_eq!(state(&world.store, "before", 6).await, "gone");
    }

    async fn whoever_consents_while_the_account_goes_leaves_nothing(engine) {
        for _ in 0..5 {
            let world = World::new(engine).await;
            at_once(20, |number| {
                let store = world.store.clone();
                let (deletion, consent, key) = (deletion(&world), world.consent.clone(), world.consent_key());
                let resource = format!("https://{number}.example");
                let link = new_link(&resource, LinkPurpose::ResetPassword, Some(world.account), "ada@example.com");
                async move {
                    if number == 10 {
                        assert!(store.delete_account(&deletion, &audit(at(1))).await.unwrap());
                    } else if number % 2 == 0 {
                        let grant = consentry::store::consents::ConsentGrant {
                            id: consentry::model::id::ConsentId(random::id(start())),
                            key: consentry::store::consents::ConsentKey { resource, ..key },
                            scopes: scopes(&consent.scopes.to_string()),
                            left_out: scopes(""),
                            document: None,
                        };
                        if let Err(error) = store.grant_consent(&grant, &audit(at(1))).await {
                            assert!(error.is_orphan(), "{error}");
                        }
                    } else {
                        store.make_link(&link, None, None).await.unwrap();
                    }
                }
            })
            .await;
            for table in ["accounts", "consents", "links"] {
                assert_eq!(world.database.count(table).await, 0, "{table}");
            }
        }
    }

    async fn an_export_has_everything_and_no_secret(engine) {
        let world = World::new(engine).await;
        let family = world.family().await;
        session(&world, "here").await;
        world.store.add_account(&new_account("grace@example.com"), &audit(at(0))).await.unwrap();
        world.store.change_name(world.account, "Ada Lovelace", &audit(at(1))).await.unwrap();
        let export = world.store.export_account(world.account).await.unwrap().unwrap();
        assert_eq!((export.account.name.as_str(), export.account.email.as_str()), ("Ada Lovelace", "ada@example.com"));
        assert_eq!((export.consents.len(), export.sessions.len(), export.connections.len()), (1, 1, 1));
        assert_eq!((export.consents[0].client_id.as_str(), export.connections[0].family), (world.client_id.as_str(), family));
        let mut told: Vec<_> = export.events.iter().map(|event| event.action.as_str()).collect();
        told.sort_unstable();
        assert_eq!(told, ["account.added", "account.renamed", "consent.granted", "family.born"]);
        let text = serde_json::to_string(&export).unwrap();
        assert!(!text.contains("argon2id") && !text.contains("grace"), "{text}");
        assert!(world.store.export_account(AccountId(random::id(start()))).await.unwrap().is_none());
    }

    async fn what_the_operator_disables_ends_and_is_not_revived(engine) {
        let world = World::new(engine).await;
        let (family, here) = (world.family().await, session(&world, "here").await);
        made(&world.store, &new_link("one", LinkPurpose::ResetPassword, Some(world.account), "ada@example.com")).await;
        for _ in 0..2 {
            assert!(!world.store.disable_account(world.account, &audit(at(1))).await.unwrap().unwrap().enabled);
        }
        assert_eq!(state(&world.store, "one", 2).await, "gone");
        for _ in 0..2 {
            assert!(world.store.enable_account(world.account, &audit(at(2))).await.unwrap().unwrap().enabled);
        }
        assert!(world.store.session(here.digest, at(3)).await.unwrap().is_none());
        assert!(world.store.standing_family(family, at(3)).await.unwrap().is_none());
        assert_eq!(state(&world.store, "one", 3).await, "gone");
        assert_eq!(world.database.audited("account.disabled").await, 1);
        assert_eq!(world.database.audited("account.enabled").await, 1);
        assert!(world.store.disable_account(AccountId(random::id(start())), &audit(at(1))).await.unwrap().is_none());
    }

    async fn the_operator_sets_passwords_and_vouches(engine) {
        let world = World::new(engine).await;
        let (family, here) = (world.family().await, session(&world, "here").await);
        made(&world.store, &new_link("one", LinkPurpose::ResetPassword, Some(world.account), "ada@example.com")).await;
        assert!(world.store.set_password(world.account, "$argon2id$set", &audit(at(1))).await.unwrap());
        assert!(!world.store.set_password(AccountId(random::id(start())), "$", &audit(at(1))).await.unwrap());
        assert!(world.store.session(here.digest, at(2)).await.unwrap().is_none());
        assert!(world.store.standing_family(family, at(2)).await.unwrap().is_none());
        let late = world.store.verify_email(Digest::of("one"), &audit(at(2))).await.unwrap();
        assert!(matches!(late, Followed::LinkGone), "{late:?}");
        assert_eq!(state(&world.store, "one", 2).await, "gone");
        let email = "ada@example.com".parse().unwrap();
        let vouched = world.store.vouch_for_email(&email, &audit(at(3))).await.unwrap().unwrap();
        assert_eq!(vouched.email_verified_at, Some(at(3)));
        let nobody = "nobody@example.com".parse().unwrap();
        assert!(world.store.vouch_for_email(&nobody, &audit(at(3))).await.unwrap().is_none());
    }

    async fn accounts_are_listed_page_by_page(engine) {
        let world = World::new(engine).await;
        for number in 0..4 {
            let account = new_account(&format!("{number}@example.com"));
            world.store.add_account(&account, &audit(at(0))).await.unwrap();
        }
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = world.store.accounts(after, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            assert!(page.len() <= 2);
            after = Some(last.account.id);
            seen.extend(page.into_iter().map(|listed| listed.account.id));
        }
        assert!(seen.len() == 5 && seen.is_sorted() && seen.contains(&world.account), "{seen:?}");
    }
}
