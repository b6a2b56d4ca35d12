//! What ended here and not yet where it was issued: it is told of once a day, counted and listed until it is done, also of a
//! key that was removed. Nobody who is asked keeps back what is asked of others, and no broken row another.

use chrono::TimeDelta;
use consentry::{
    model::{
        id::SecretId,
        plugin_secret::{SecretSource, label},
    },
    store::{
        plugin_secrets::{ChangeSecret, SecretChange, SecretDue},
        secret_revocations::LeftAtIssuers,
        secret_turns::{SecretFailure, SecretTaking, TakenSecret},
    },
};
use serde_json::json;

use super::{
    facts::{World, at, audit},
    secret_turns::{add, end, found, put_off, revocations, revoked, rotate, rotation, take, taking, told},
    tables::Tables,
};
use crate::{
    harness::{aside::at_once, log},
    on_both_engines,
};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// A key whose first two versions have ended here.
async fn two_old_versions(world: &World) -> SecretId {
    let id = add(world, "upstream", 100).await;
    for now in [100, 900_000] {
        let taken = take(world, now).await.remove(0);
        assert_eq!(rotate(world, &rotation(world, &taken, now + 10), now).await, ChangeSecret::Done);
        assert!(end(world, id, taken.number, now + 10).await);
    }
    id
}

async fn left(world: &World) -> LeftAtIssuers {
    world.store.left_at_issuers().await.unwrap()
}

on_both_engines! {
    async fn what_is_not_ended_where_it_was_issued_is_told_of_once_a_day_for_each_key(engine) {
        let world = World::new(engine).await;
        let id = two_old_versions(&world).await;
        let now = 1_000_000;
        let old = revocations(&world, now).await;
        assert_eq!(old.len(), 2);
        let tellings = at_once(4, |number| {
            let (store, taken) = (world.store.clone(), old[number % 2].clone());
            async move { put_off(&store, &taken, (now, now + 5000)).await }
        });
        let tellings = tellings.await;
        assert_eq!(tellings.iter().filter(|told| **told).count(), 1, "{tellings:?}");
        let first = told(&world, "secret.revocation_failed").await.remove(0);
        let number = first["version"].as_i64().unwrap();
        let ended = old.iter().find(|taken| taken.number == number).unwrap().ended_at;
        assert_eq!(first, json!({
            "name": "upstream", "version": number, "ended_at": ended, "rotator": "keys", "label": label(id, number),
            "says": format!("no {now}"),
        }));
        assert!(revocations(&world, now + 4999).await.is_empty());
        assert!(!put_off(&world.store, &old[0], (now + DAY - 1, now + DAY)).await);
        // Another key of the name is another matter.
        assert_eq!(world.store.remove_plugin_secret(id, &audit(at(now))).await.unwrap(), ChangeSecret::Done);
        let another = add(&world, "upstream", now).await;
        let taken = take(&world, now + 100).await.into_iter().find(|taken| taken.id == another).unwrap();
        assert_eq!(rotate(&world, &rotation(&world, &taken, now + 200), now + 150).await, ChangeSecret::Done);
        assert!(end(&world, another, 1, now + 200).await);
        let its = revocations(&world, now + 200).await.into_iter().find(|taken| taken.secret_id == another).unwrap();
        assert!(put_off(&world.store, &its, (now + 300, now + 5000)).await);
        assert!(put_off(&world.store, &old[0], (now + DAY + 1, now + DAY + 2)).await, "a day later");
        assert_eq!(told(&world, "secret.revocation_failed").await.len(), 3);
        let known = revocations(&world, now + 2 * DAY).await.into_iter().find(|taken| taken.secret_id == another).unwrap();
        assert!(revoked(&world, &known, now + 2 * DAY).await);
        assert!(!put_off(&world.store, &known, (now + 4 * DAY, now + 5 * DAY)).await, "it is ended");
    }

    async fn what_is_left_at_issuers_is_counted_and_listed_also_of_a_removed_key(engine) {
        let world = World::new(engine).await;
        assert_eq!(left(&world).await, LeftAtIssuers::default());
        let id = two_old_versions(&world).await;
        assert_eq!(left(&world).await, LeftAtIssuers { number: 2, oldest: Some(at(110)) });
        let listed: Vec<_> = found(&world, "upstream").await.left_at_issuer().collect();
        assert_eq!(listed, [(1, at(110)), (2, at(900_010))]);
        let plugin = world.plugin.id;
        let removed = async || world.store.removed_plugin_secrets(plugin).await.unwrap();
        assert!(removed().await.is_empty());
        assert_eq!(world.store.remove_plugin_secret(id, &audit(at(950_000))).await.unwrap(), ChangeSecret::Done);
        // Its newest version has ended as well, and its rotator may have made one that nobody kept.
        assert_eq!(left(&world).await, LeftAtIssuers { number: 4, oldest: Some(at(110)) });
        let one = removed().await.remove(0);
        assert_eq!((one.name.as_str(), one.removed_at, one.is_to_be_abandoned), ("upstream", at(950_000), true));
        assert_eq!(one.versions, [(1, at(110)), (2, at(900_010)), (3, at(950_000))]);
        for taken in revocations(&world, 960_000).await {
            assert!(revoked(&world, &taken, 960_000).await);
        }
        assert_eq!(left(&world).await, LeftAtIssuers { number: 1, oldest: Some(at(950_000)) });
        let taken = take(&world, 960_000).await.remove(0);
        let failure = SecretFailure {
            secret_id: id, turn: taken.turn, says: "no".into(), try_at: at(970_000), is_told: false,
        };
        assert!(world.store.keep_secret_failure(&failure, &audit(at(960_000))).await.unwrap());
        let one = removed().await.remove(0);
        assert_eq!((one.versions.len(), one.failing), (0, Some((at(960_000), "no".to_owned()))));
        let taken = take(&world, 970_000).await.remove(0);
        world.store.keep_secret_abandoned(id, taken.turn).await.unwrap();
        assert!(removed().await.is_empty());
        assert_eq!(left(&world).await, LeftAtIssuers::default());
    }

    async fn each_who_is_asked_has_a_queue_of_their_own(engine) {
        let world = World::new(engine).await;
        let sources = [
            SecretSource::Rotator("keys".into()),
            SecretSource::Rotator("vault".into()),
            SecretSource::Reference("vault://secret/a#b".into()),
            SecretSource::Reference("vault://secret/c#d".into()),
            SecretSource::Reference("aws-sm://a".into()),
        ];
        for (number, source) in sources.into_iter().enumerate() {
            let (name, due) = (format!("key-{number}"), SecretDue { due_at: None, try_at: Some(at(100)) });
            let id = add(&world, &name, 100).await;
            let secret = found(&world, &name).await;
            let mut settings = secret.settings;
            settings.source = source;
            let change = SecretChange { secret_id: id, plugin_id: world.plugin.id, seen: secret.revision, settings, due };
            assert_eq!(world.store.change_plugin_secret(&change, &audit(at(50))).await.unwrap(), ChangeSecret::Done);
        }
        assert!(world.store.asked_for_due_secrets(at(99)).await.unwrap().is_empty());
        let mut asked = world.store.asked_for_due_secrets(at(100)).await.unwrap();
        asked.sort();
        assert_eq!(asked, ["aws-s", "rotator keys", "rotator vault", "vault"]);
        let mut counts = Vec::new();
        for one in &asked {
            counts.push(world.store.take_secrets(one, &taking(100)).await.unwrap().len());
        }
        assert_eq!(counts, [1, 1, 1, 2]);
        assert!(world.store.asked_for_due_secrets(at(100)).await.unwrap().is_empty());
    }

    async fn no_more_are_taken_than_there_is_room_for_and_the_longest_waiting_first(engine) {
        let world = World::new(engine).await;
        for (name, due) in [("third", 103), ("first", 101), ("second", 102)] {
            add(&world, name, due).await;
        }
        let two = SecretTaking { rows_max: 2, ..taking(200) };
        let taken = world.store.take_secrets("rotator keys", &two).await.unwrap();
        let mut names: Vec<_> = taken.iter().map(|taken| taken.name.to_string()).collect();
        names.sort();
        assert_eq!(names, ["first", "second"]);
        assert_eq!(take(&world, 200).await[0].name.as_str(), "third");
    }

    async fn a_broken_row_keeps_back_only_itself(engine) {
        let world = World::new(engine).await;
        let mut tables = Tables::of(&world.database).await;
        log::listen();
        let broken = add(&world, "broken", 100).await;
        add(&world, "good", 200).await;
        tables.change("update plugin_secrets set name = 'Not A Name' where name = 'broken'").await;
        let names = |taken: Vec<TakenSecret>| -> Vec<String> {
            taken.into_iter().map(|taken| taken.name.to_string()).collect()
        };
        assert_eq!(names(take(&world, 300).await), ["good"]);
        // It waits for its next turn, and so does the other.
        assert!(world.store.asked_for_due_secrets(at(1299)).await.unwrap().is_empty());
        assert_eq!(names(take(&world, 1300).await), ["good"]);
        let due = world.store.due_secrets((at(300), at(300) + TimeDelta::days(1)), 10).await.unwrap();
        assert_eq!(due.iter().map(|due| due.name.as_str()).collect::<Vec<_>>(), ["good"]);
        let said = "a row of an API key is broken, and is passed over";
        assert!(log::told().lines().any(|line| line.contains(said) && line.contains(&broken.0.to_string())));

        // One that is to be ended where it was issued, and nobody knows what it is called there.
        tables.change("delete from plugin_secrets where name = 'Not A Name'").await;
        let taken = take(&world, 3000).await.remove(0);
        assert_eq!(rotate(&world, &rotation(&world, &taken, 4000), 3000).await, ChangeSecret::Done);
        assert!(end(&world, taken.id, 1, 4000).await);
        tables.change("update plugin_secret_versions set issuer_id = null where revoke_at is not null").await;
        let nameless = revocations(&world, 4000).await.remove(0);
        assert_eq!(nameless.issuer_id, "");
        assert!(revoked(&world, &nameless, 4100).await && revocations(&world, 100_000).await.is_empty());
    }
}
