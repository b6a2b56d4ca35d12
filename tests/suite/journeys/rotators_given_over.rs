//! API keys that are given to another rotator, or back to people: what a rotator has made is ended by that one, whoever
//! makes the next.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use consentry::{
    jobs,
    registry::plugin_secrets::{self, SettingsForm},
    vault::SecretValue,
};

use super::rotators::Rotated;
use crate::on_both_engines;

/// Has another rotator make new versions, or people, as the command line does.
async fn give_to(it: &Rotated, rotator: Option<&str>) {
    let secret = it.secret().await;
    let mut form = SettingsForm::from(&secret.settings);
    form.give_to(rotator.map(str::to_owned));
    plugin_secrets::change(&it.world.running.registry(), (&secret, secret.revision), &form).await.unwrap();
}

/// Who made its versions and is still to end them, the newest first.
async fn makers(it: &Rotated) -> Vec<Option<String>> {
    it.secret().await.versions.into_iter().map(|version| version.rotator).collect()
}

on_both_engines! {
    async fn a_version_is_ended_by_the_rotator_that_made_it(engine) {
        let it = Rotated::new(engine).await;
        let registry = it.world.running.registry();
        it.pass(TimeDelta::minutes(61)).await;
        let (second, third) = (it.label(2).await, it.label(3).await);
        assert_eq!(it.issuer.good(), ["made by hand", &second]);
        give_to(&it, Some("others")).await;
        assert_eq!(makers(&it).await, [Some("keys".to_owned()), None], "whoever makes the next");
        it.pass(TimeDelta::minutes(58)).await;
        assert_eq!((it.other.calls(), it.secret().await.newest()), (0, 2), "it is as old as it was");
        let calls = it.issuer.calls();
        it.pass(TimeDelta::minutes(3)).await;
        assert_eq!((it.other.good(), it.secret().await.newest()), (vec![third.clone()], 3));
        assert_eq!((it.issuer.good(), it.issuer.calls()), (vec!["made by hand".to_owned(), second], calls));
        // Its overlap is over.
        it.pass(TimeDelta::seconds(61)).await;
        assert_eq!((it.issuer.good(), it.other.good()), (vec!["made by hand".to_owned()], vec![third]));
        assert!(it.secret().await.versions.iter().all(|version| !version.is_to_be_revoked));
        // So the configuration may drop the one that made the second.
        assert_eq!(makers(&it).await, [Some("others".to_owned()), None, None]);

        give_to(&it, None).await;
        it.pass(TimeDelta::hours(3)).await;
        assert_eq!((it.secret().await.newest(), it.secret().await.due.try_at), (3, None), "people make the next");
        let (secret, ring) = (it.secret().await, it.server().keyring.current());
        let value = SecretValue::new("uk_4-made-by-people".to_owned());
        plugin_secrets::rotate(&registry, &ring, (&secret, 3), &value, None).await.unwrap();
        let calls = it.issuer.calls();
        it.pass(TimeDelta::seconds(61)).await;
        assert_eq!((it.other.good(), it.issuer.calls()), (Vec::<String>::new(), calls));
        for (action, times) in [("changed", 2), ("version_revoked", 2), ("rotation_failed", 0)] {
            assert_eq!(it.world.database.audited(&format!("secret.{action}")).await, times, "{action}");
        }
    }

    async fn a_key_that_is_removed_is_ended_by_each_that_made_a_version(engine) {
        let it = Rotated::new(engine).await;
        let registry = it.world.running.registry();
        it.pass(TimeDelta::minutes(61)).await;
        give_to(&it, Some("others")).await;
        plugin_secrets::rotate_by_itself(&registry, &it.secret().await).await.unwrap();
        it.pass(TimeDelta::seconds(1)).await;
        assert_eq!((it.issuer.good().len(), it.other.good().len()), (2, 1), "both are good for a minute");
        plugin_secrets::remove(&registry, &it.secret().await).await.unwrap();
        it.pass(TimeDelta::seconds(1)).await;
        assert_eq!((it.issuer.good(), it.other.good()), (vec!["made by hand".to_owned()], Vec::new()));
        assert_eq!(it.world.database.count("plugin_secrets").await, 0);
    }

    async fn what_is_made_while_another_is_chosen_is_ended_at_once(engine) {
        let it = Rotated::new(engine).await;
        it.issuer.hold();
        it.server().clock.advance(TimeDelta::minutes(61));
        let server = Arc::clone(it.server());
        let late = tokio::spawn(async move { jobs::secrets::once(&server).await });
        for turn in 0.. {
            if it.issuer.keys().len() == 2 {
                break;
            }
            assert!(turn < 500, "no key was made");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        give_to(&it, Some("others")).await;
        it.issuer.go_on();
        late.await.unwrap().unwrap();
        assert_eq!((it.issuer.good(), it.secret().await.newest()), (vec!["made by hand".to_owned()], 1));
        // Once the turn of who was late is over.
        it.pass(TimeDelta::minutes(6)).await;
        assert_eq!((it.other.good(), it.secret().await.newest()), (vec![it.label(2).await], 2));
        assert_eq!(it.issuer.good(), ["made by hand"]);
    }
}
