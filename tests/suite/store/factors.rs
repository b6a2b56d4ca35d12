//! Second factors in the store: whatever can be shown once is taken once, and nothing is left when an account goes.

use consentry::{
    model::{
        digest::Digest,
        id::{DeviceId, PasskeyId},
    },
    random,
    store::{
        factors::{NewApp, NewDevice, NewPasskey, PasskeyUse},
        people::Deletion,
    },
};

use super::{
    facts::{World, at, audit, new_account, start},
    people::session,
    tables::Tables,
};
use crate::{harness::aside::at_once, on_both_engines};

pub fn passkey(world: &World, name: &str) -> NewPasskey {
    NewPasskey {
        id: PasskeyId(random::id(start())),
        account_id: world.account,
        credential_id: name.as_bytes().to_vec(),
        credential: "{}".into(),
        name: name.into(),
        challenge_at: 1,
    }
}

fn app(world: &World, step: i64) -> NewApp {
    NewApp { account_id: world.account, sealed: b"sealed".to_vec(), step }
}

fn codes() -> Vec<Digest> {
    (0..10).map(|number| Digest::of(format!("code {number}"))).collect()
}

pub fn device(world: &World, number: &str) -> NewDevice {
    NewDevice {
        id: DeviceId(random::id(start())),
        account_id: world.account,
        digest: Digest::of(number),
        at: start(),
        expires_at: at(60_000),
        address: None,
        user_agent: None,
    }
}

on_both_engines! {
    async fn a_code_of_an_app_is_taken_once_and_none_before_it(engine) {
        let world = World::new(engine).await;
        let (store, account) = (&world.store, world.account);
        assert!(!store.has_factors(account).await.unwrap());
        assert!(store.add_authenticator_app(&app(&world, 7), &audit(at(1))).await.unwrap());
        assert!(!store.add_authenticator_app(&app(&world, 9), &audit(at(1))).await.unwrap(), "there is one");
        assert!(store.has_factors(account).await.unwrap());
        for (step, taken) in [(7, false), (6, false), (9, true), (9, false), (8, false), (10, true)] {
            assert_eq!(store.use_authenticator_app(account, step, at(step)).await.unwrap(), taken, "{step}");
        }
        let taken = at_once(50, |_| {
            let store = world.store.clone();
            async move { store.use_authenticator_app(account, 11, at(11)).await.unwrap() }
        })
        .await;
        assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
        assert_eq!(store.factors(account, at(12)).await.unwrap().app.unwrap().last_used_at, Some(at(11)));
    }

    async fn a_recovery_code_is_taken_once_and_new_ones_end_the_old(engine) {
        let world = World::new(engine).await;
        let (store, account) = (&world.store, world.account);
        assert!(!store.make_recovery_codes(account, &codes(), &audit(at(1))).await.unwrap(), "there is no factor");
        assert!(store.add_authenticator_app(&app(&world, 7), &audit(at(1))).await.unwrap());
        assert!(store.make_recovery_codes(account, &codes(), &audit(at(1))).await.unwrap());
        let taken = at_once(50, |_| {
            let store = world.store.clone();
            async move { store.use_recovery_code(account, Digest::of("code 3"), &audit(at(2))).await.unwrap() }
        })
        .await;
        assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
        assert_eq!(store.factors(account, at(3)).await.unwrap().recovery_codes_left, 9);
        assert!(!store.use_recovery_code(account, Digest::of("another"), &audit(at(3))).await.unwrap());
        let fresh: Vec<_> = (0..10).map(|number| Digest::of(format!("fresh {number}"))).collect();
        assert!(store.make_recovery_codes(account, &fresh, &audit(at(4))).await.unwrap());
        assert!(!store.use_recovery_code(account, Digest::of("code 4"), &audit(at(5))).await.unwrap());
        assert_eq!(store.factors(account, at(6)).await.unwrap().recovery_codes_left, 10);
    }

    async fn an_answer_to_a_challenge_is_taken_once(engine) {
        let world = World::new(engine).await;
        let (store, account) = (&world.store, world.account);
        let new = passkey(&world, "one");
        assert!(store.add_passkey(&new, &audit(at(1))).await.unwrap());
        let again = NewPasskey { id: PasskeyId(random::id(start())), ..new.clone() };
        assert!(!store.add_passkey(&again, &audit(at(1))).await.unwrap(), "its authenticator calls no other so");
        let used = |challenge_at| PasskeyUse { id: new.id, credential: "{\"a\":1}".into(), challenge_at, at: at(2) };
        assert!(!store.use_passkey(&used(1)).await.unwrap(), "the challenge it was made by");
        let taken = at_once(50, |_| {
            let (store, used) = (world.store.clone(), used(5));
            async move { store.use_passkey(&used).await.unwrap() }
        })
        .await;
        assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
        assert!(!store.use_passkey(&used(4)).await.unwrap(), "an older challenge");
        let found = store.passkey(b"one").await.unwrap().unwrap();
        assert_eq!((found.account_id, found.credential.as_str(), found.last_used_at), (account, "{\"a\":1}", Some(at(2))));
        assert!(store.passkey(b"two").await.unwrap().is_none());
    }

    async fn with_the_last_factor_goes_what_stood_in_for_one(engine) {
        let world = World::new(engine).await;
        let (store, account) = (&world.store, world.account);
        let new = passkey(&world, "one");
        assert!(store.add_passkey(&new, &audit(at(1))).await.unwrap());
        assert!(store.add_authenticator_app(&app(&world, 7), &audit(at(1))).await.unwrap());
        assert!(store.make_recovery_codes(account, &codes(), &audit(at(1))).await.unwrap());
        store.remember_device(&device(&world, "here")).await.unwrap();
        assert!(store.remove_authenticator_app(account, &audit(at(2))).await.unwrap());
        let left = store.factors(account, at(3)).await.unwrap();
        assert!(left.are_there() && left.recovery_codes_left == 10 && left.devices.len() == 1);
        assert!(!store.remove_passkey(account, PasskeyId(random::id(start())), &audit(at(2))).await.unwrap());
        assert!(store.remove_passkey(account, new.id, &audit(at(3))).await.unwrap());
        let left = store.factors(account, at(4)).await.unwrap();
        assert!(!left.are_there() && left.recovery_codes_left == 0 && left.devices.is_empty());

        assert!(!store.remove_factors(account, &audit(at(5))).await.unwrap(), "there is none");
        assert!(store.add_passkey(&passkey(&world, "two"), &audit(at(5))).await.unwrap());
        assert!(store.remove_factors(account, &audit(at(6))).await.unwrap());
        assert!(!store.has_factors(account).await.unwrap());
        let mut tables = Tables::of(&world.database).await;
        let told = tables.lines("select action from audit_events where action like 'account.%' order by at, action").await;
        let expected = [
            "account.added", "account.authenticator_app_added", "account.passkey_added", "account.recovery_codes_made",
            "account.authenticator_app_removed", "account.passkey_removed", "account.passkey_added",
            "account.factors_removed",
        ];
        assert_eq!(told, expected);
    }

    async fn a_browser_is_remembered_for_its_time_and_its_account(engine) {
        let world = World::new(engine).await;
        let (store, account) = (&world.store, world.account);
        store.remember_device(&device(&world, "here")).await.unwrap();
        store.remember_device(&device(&world, "here")).await.unwrap();
        store.remember_device(&device(&world, "there")).await.unwrap();
        let other = new_account("grace@example.com");
        store.add_account(&other, &audit(at(0))).await.unwrap();
        let remembers = async |account, number: &str, time| {
            store.is_device_remembered(account, Digest::of(number), at(time)).await.unwrap()
        };
        assert!(remembers(account, "here", 59_999).await && !remembers(account, "here", 60_000).await);
        assert!(!remembers(other.id, "here", 1).await && !remembers(account, "elsewhere", 1).await);
        let devices = store.factors(account, at(1)).await.unwrap().devices;
        assert_eq!(devices.len(), 2);
        assert_eq!(store.forget_devices(other.id, Some(devices[0].id), &audit(at(1))).await.unwrap(), 0);
        assert_eq!(store.forget_devices(account, Some(devices[0].id), &audit(at(1))).await.unwrap(), 1);
        assert_eq!(store.forget_devices(account, None, &audit(at(1))).await.unwrap(), 1);
        assert!(!remembers(account, "here", 1).await && !remembers(account, "there", 1).await);
    }

    async fn a_session_knows_what_was_shown_in_it(engine) {
        let world = World::new(engine).await;
        let here = session(&world, "here").await;
        let read = async || world.store.session(here.digest, at(5)).await.unwrap().unwrap();
        assert_eq!((read().await.proven_at, read().await.factor_at), (start(), None));
        assert!(world.store.prove_session(here.id, at(2)).await.unwrap());
        assert_eq!((read().await.proven_at, read().await.factor_at), (at(2), None));
        assert!(world.store.prove_session_by_factor(here.id, at(3)).await.unwrap());
        assert_eq!((read().await.proven_at, read().await.factor_at), (at(3), Some(at(3))));
        assert_eq!(read().await.auth_time, start());
        world.store.end_session(here.digest).await.unwrap();
        assert!(!world.store.prove_session(here.id, at(4)).await.unwrap());
    }

    async fn an_account_that_goes_takes_its_factors_with_it(engine) {
        let world = World::new(engine).await;
        let (store, account) = (&world.store, world.account);
        assert!(store.add_passkey(&passkey(&world, "one"), &audit(at(1))).await.unwrap());
        assert!(store.add_authenticator_app(&app(&world, 7), &audit(at(1))).await.unwrap());
        assert!(store.make_recovery_codes(account, &codes(), &audit(at(1))).await.unwrap());
        store.remember_device(&device(&world, "here")).await.unwrap();
        let export = store.export_account(account).await.unwrap().unwrap().factors;
        assert_eq!((export.passkeys.len(), export.recovery_codes_left, export.remembered_devices.len()), (1, 10, 1));
        assert_eq!(export.authenticator_app_since, Some(at(1)));
        assert!(!serde_json::to_string(&export).unwrap().contains("sealed"));
        let deletion = Deletion { account_id: account, verified: None, mail: None };
        assert!(store.delete_account(&deletion, &audit(at(2))).await.unwrap());
        for table in ["passkeys", "authenticator_apps", "recovery_codes", "remembered_devices"] {
            assert_eq!(world.database.count(table).await, 0, "{table}");
        }
        assert!(!store.add_passkey(&passkey(&world, "two"), &audit(at(3))).await.unwrap());
        assert!(!store.add_authenticator_app(&app(&world, 7), &audit(at(3))).await.unwrap());
    }
}
