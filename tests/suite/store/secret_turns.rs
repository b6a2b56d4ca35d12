//! What the server does about API keys by itself: a version ends when its time has come, one node at a time makes a new
//! one, what fails is told of, and what is to be ended where it was issued is remembered until it is.

use chrono::TimeDelta;
use consentry::{
    model::{
        id::{SecretId, SecretVersionId},
        plugin_secret::{Injection, SecretSource},
    },
    random,
    store::{
        Store,
        audit_log::{LogQuery, Of},
        owners::Page,
        plugin_secrets::{
            AddSecret, ChangeSecret, NewSecret, NewSecretVersion, PluginSecret, PluginSecretRotation, SecretChange,
            SecretDue, SecretSettings,
        },
        secret_revocations::{RevocationFailure, TakenRevocation},
        secret_turns::{SecretFailure, SecretTaking, TakenSecret},
    },
};
use serde_json::Value;

use super::{
    facts::{World, at, audit, start},
    tables::Tables,
};
use crate::{harness::aside::at_once, on_both_engines};

pub(super) fn rotated() -> SecretSettings {
    SecretSettings {
        injection: Injection::new("x-api-key", None).unwrap(),
        routes: Vec::new(),
        grace: TimeDelta::seconds(60),
        rotate_every: Some(TimeDelta::days(90)),
        source: SecretSource::Rotator("keys".into()),
    }
}

pub(super) fn version(world: &World, secret: SecretId, number: i64) -> NewSecretVersion {
    NewSecretVersion {
        id: SecretVersionId::of(world.plugin.id, secret, number),
        number,
        sealed: vec![u8::try_from(number).unwrap(); 50],
        issuer_id: Some(format!("keys/key_{number}")),
    }
}

/// A secret that is to be renewed from then on.
pub(super) async fn add(world: &World, called: &str, try_at: i64) -> SecretId {
    let id = SecretId(random::id(start()));
    let secret = NewSecret {
        id,
        plugin_id: world.plugin.id,
        name: called.parse().unwrap(),
        settings: rotated(),
        due: SecretDue { due_at: Some(at(try_at)), try_at: Some(at(try_at)) },
        follows_sealed: None,
        version: version(world, id, 1),
        secrets_max: 9,
    };
    assert_eq!(world.store.add_plugin_secret(&secret, &audit(at(1))).await.unwrap(), AddSecret::Added);
    id
}

pub(super) fn taking(milliseconds: i64) -> SecretTaking {
    SecretTaking { at: at(milliseconds), until: at(milliseconds + 1000), rows_max: 10 }
}

/// Whatever is due, whoever is asked for it.
pub(super) async fn take(world: &World, milliseconds: i64) -> Vec<TakenSecret> {
    let taking = taking(milliseconds);
    let mut taken = Vec::new();
    for asked in world.store.asked_for_due_secrets(taking.at).await.unwrap() {
        taken.extend(world.store.take_secrets(&asked, &taking).await.unwrap());
    }
    taken
}

pub(super) fn rotation(world: &World, taken: &TakenSecret, old_until: i64) -> PluginSecretRotation {
    PluginSecretRotation {
        secret_id: taken.id,
        plugin_id: world.plugin.id,
        version: version(world, taken.id, taken.number + 1),
        old_until: at(old_until),
        due: SecretDue { due_at: Some(at(900_000)), try_at: Some(at(900_000)) },
        turn: Some(taken.turn),
        revision: None,
    }
}

pub(super) async fn rotate(world: &World, rotation: &PluginSecretRotation, milliseconds: i64) -> ChangeSecret {
    world.store.rotate_plugin_secret(rotation, &audit(at(milliseconds))).await.unwrap()
}

pub(super) async fn found(world: &World, called: &str) -> PluginSecret {
    world.store.plugin_secret(world.plugin.id, &called.parse().unwrap()).await.unwrap().unwrap()
}

/// What the log says of the plugin under a word, the newest first.
pub(super) async fn told(world: &World, action: &str) -> Vec<Value> {
    let query = LogQuery { of: Of::Action(world.plugin.id, action.into()), page: Page { before: None, rows_max: 50 } };
    let lines = world.store.audit_log(&query).await.unwrap();
    lines.into_iter().map(|line| line.detail).collect()
}

pub(super) async fn end(world: &World, secret: SecretId, number: i64, milliseconds: i64) -> bool {
    world.store.end_secret_version_in_time(secret, number, &audit(at(milliseconds))).await.unwrap()
}

pub(super) async fn revocations(world: &World, milliseconds: i64) -> Vec<TakenRevocation> {
    let taking = taking(milliseconds);
    let mut taken = Vec::new();
    for issuer in world.store.issuers_to_revoke_at(taking.at).await.unwrap() {
        taken.extend(world.store.take_secret_revocations(&issuer, &taking).await.unwrap());
    }
    taken
}

pub(super) async fn revoked(world: &World, taken: &TakenRevocation, milliseconds: i64) -> bool {
    world.store.keep_secret_revocation(taken, &audit(at(milliseconds))).await.unwrap()
}

/// Whether the log is told of it.
pub(super) async fn put_off(store: &Store, taken: &TakenRevocation, (now, until): (i64, i64)) -> bool {
    let failure = RevocationFailure {
        revocation: taken.clone(),
        rotator: "keys".into(),
        says: format!("no {now}"),
        until: at(until),
        unless_told_after: at(now) - TimeDelta::days(1),
    };
    store.put_off_secret_revocation(&failure, &audit(at(now))).await.unwrap()
}

on_both_engines! {
    async fn a_version_ends_when_its_time_has_come_and_then_where_it_was_issued(engine) {
        let world = World::new(engine).await;
        let mut tables = Tables::of(&world.database).await;
        let id = add(&world, "upstream", 100).await;
        let taken = take(&world, 100).await.remove(0);
        assert_eq!((taken.number, taken.issued_number, taken.sealed.clone()), (1, 1, vec![1; 50]));
        assert_eq!(rotate(&world, &rotation(&world, &taken, 5000), 200).await, ChangeSecret::Done);
        let due = async |milliseconds| world.store.secret_versions_to_end(at(milliseconds), 10).await.unwrap();
        assert!(due(4999).await.is_empty() && revocations(&world, 4999).await.is_empty());
        assert!(!end(&world, id, 1, 4999).await, "it has time left");
        assert_eq!(due(5000).await, [(id, 1)]);
        // What ends first here is not ended there before.
        assert!(revocations(&world, 5000).await.is_empty());
        let ends = at_once(4, |_| {
            let store = world.store.clone();
            async move { store.end_secret_version_in_time(id, 1, &audit(at(5000))).await.unwrap() }
        });
        let ends = ends.await;
        assert_eq!(ends.iter().filter(|ended| **ended).count(), 1, "{ends:?}");
        let sealed = "select sealed from plugin_secret_versions where id = $1";
        assert!(tables.bytes(sealed, SecretVersionId::of(world.plugin.id, id, 1).0).await.is_empty());
        let old = found(&world, "upstream").await.versions.remove(1);
        assert_eq!((old.ends_at, old.ended_at, old.is_to_be_revoked), (Some(at(5000)), Some(at(5000)), true));
        assert_eq!(told(&world, "secret.version_ended").await, [serde_json::json!({ "name": "upstream", "version": 1 })]);

        let first = revocations(&world, 5000).await.remove(0);
        assert_eq!((first.issuer_id.as_str(), first.ended_at), ("keys/key_1", at(5000)));
        assert!(revocations(&world, 5999).await.is_empty(), "one node has it");
        assert!(put_off(&world.store, &first, (5000, 9000)).await);
        assert!(revocations(&world, 8999).await.is_empty());
        let again = revocations(&world, 9000).await.remove(0);
        assert!(revoked(&world, &again, 9100).await && !revoked(&world, &first, 9200).await);
        assert!(revocations(&world, 100_000).await.is_empty());
        assert_eq!(told(&world, "secret.version_revoked").await.len(), 1);
        assert!(!found(&world, "upstream").await.versions[1].is_to_be_revoked);
        assert!(!end(&world, id, 2, 1_000_000).await, "the newest does not end");
    }

    async fn one_node_at_a_time_makes_a_new_version_and_whoever_was_overtaken_keeps_nothing(engine) {
        let world = World::new(engine).await;
        add(&world, "upstream", 100).await;
        assert!(take(&world, 99).await.is_empty());
        let takes = at_once(4, |_| {
            let store = world.store.clone();
            async move { store.take_secrets("rotator keys", &taking(100)).await.unwrap() }
        });
        let takes = takes.await;
        let [slow] = &takes.concat()[..] else { panic!("{takes:?}") };
        assert!(take(&world, 1099).await.is_empty(), "it is in somebody's hands");
        let quick = take(&world, 1100).await.remove(0);
        assert_eq!((slow.turn + 1, slow.number), (quick.turn, quick.number));
        assert_eq!(rotate(&world, &rotation(&world, slow, 5000), 1200).await, ChangeSecret::ChangedMeanwhile);
        let failure = |taken: &TakenSecret| SecretFailure {
            secret_id: taken.id, turn: taken.turn, says: "no".into(), try_at: at(2000), is_told: true,
        };
        assert!(!world.store.keep_secret_failure(&failure(slow), &audit(at(1200))).await.unwrap());
        assert!(!world.store.keep_secret_look(slow.id, slow.turn, at(2000)).await.unwrap());
        assert_eq!(rotate(&world, &rotation(&world, &quick, 5000), 1300).await, ChangeSecret::Done);
        assert_eq!(rotate(&world, &rotation(&world, &quick, 5000), 1300).await, ChangeSecret::ChangedMeanwhile);
        assert!(told(&world, "secret.rotation_failed").await.is_empty());
        assert_eq!(found(&world, "upstream").await.due.try_at, Some(at(900_000)));
    }

    async fn a_change_by_people_overtakes_whoever_is_making_a_version(engine) {
        let world = World::new(engine).await;
        let id = add(&world, "upstream", 100).await;
        let taken = take(&world, 100).await.remove(0);
        let secret = found(&world, "upstream").await;
        let settings = SecretSettings { source: SecretSource::People, ..secret.settings };
        let due = SecretDue { due_at: Some(at(8000)), try_at: None };
        let change = SecretChange { secret_id: id, plugin_id: world.plugin.id, seen: secret.revision, settings, due };
        assert_eq!(world.store.change_plugin_secret(&change, &audit(at(200))).await.unwrap(), ChangeSecret::Done);
        assert_eq!(rotate(&world, &rotation(&world, &taken, 5000), 300).await, ChangeSecret::ChangedMeanwhile);
        assert!(!world.store.ask_for_secret_rotation(id, &audit(at(300))).await.unwrap(), "people make it");
        assert!(take(&world, 1_000_000).await.is_empty());

        let id = add(&world, "another", 100).await;
        let taken = take(&world, 400).await.remove(0);
        let by_hand = PluginSecretRotation { turn: None, ..rotation(&world, &taken, 9000) };
        assert_eq!(rotate(&world, &by_hand, 500).await, ChangeSecret::Done);
        let late = SecretFailure {
            secret_id: id, turn: taken.turn, says: "no".into(), try_at: at(600), is_told: true,
        };
        assert!(!world.store.keep_secret_failure(&late, &audit(at(500))).await.unwrap());
        assert!(found(&world, "another").await.failing.is_none());
    }

    async fn what_fails_is_remembered_and_told_and_tried_when_it_is_said(engine) {
        let world = World::new(engine).await;
        let id = add(&world, "upstream", 100).await;
        for (turn, (now, is_told)) in [(100, true), (3000, false)].into_iter().enumerate() {
            let taken = take(&world, now).await.remove(0);
            assert_eq!(taken.failures, i64::try_from(turn).unwrap());
            let failure = SecretFailure {
                secret_id: id, turn: taken.turn, says: format!("no {now}"), try_at: at(now + 2900), is_told,
            };
            assert!(world.store.keep_secret_failure(&failure, &audit(at(now))).await.unwrap());
            assert_eq!(found(&world, "upstream").await.failing, Some((at(100), format!("no {now}"))));
        }
        assert_eq!(told(&world, "secret.rotation_failed").await, [serde_json::json!({ "name": "upstream", "says": "no 100" })]);
        assert!(take(&world, 5899).await.is_empty());
        assert!(world.store.ask_for_secret_rotation(id, &audit(at(4000))).await.unwrap());
        let taken = take(&world, 4000).await.remove(0);
        assert_eq!((taken.failures, taken.failing_since), (2, Some(at(100))));
        assert!(world.store.keep_secret_look(id, taken.turn, at(7000)).await.unwrap());
        let secret = found(&world, "upstream").await;
        assert_eq!((secret.failing, secret.due.try_at), (None, Some(at(7000))));
        assert_eq!(told(&world, "secret.changed").await.len(), 1, "somebody asked for it");
    }

    async fn a_removed_secret_goes_with_the_last_version_that_is_ended_where_it_was_issued(engine) {
        let world = World::new(engine).await;
        let id = add(&world, "upstream", 100).await;
        let taken = take(&world, 100).await.remove(0);
        assert_eq!(rotate(&world, &rotation(&world, &taken, 5000), 200).await, ChangeSecret::Done);
        assert_eq!(world.store.remove_plugin_secret(id, &audit(at(300))).await.unwrap(), ChangeSecret::Done);
        assert!(world.store.plugin_secrets(world.plugin.id).await.unwrap().is_empty());
        assert!(!world.store.ask_for_secret_rotation(id, &audit(at(300))).await.unwrap());
        let both = revocations(&world, 400).await;
        assert_eq!(both.len(), 2);
        let rows = async || world.database.count("plugin_secrets").await;
        assert!(revoked(&world, &both[0], 500).await);
        assert_eq!(rows().await, 1);
        assert!(revoked(&world, &both[1], 500).await && !revoked(&world, &both[1], 600).await);
        assert_eq!(rows().await, 1);
        // Its rotator is asked for what it made and nobody kept.
        let removed = take(&world, 700).await.remove(0);
        assert!(removed.is_removed && removed.turn > taken.turn);
        world.store.keep_secret_abandoned(id, taken.turn).await.unwrap();
        assert_eq!(rows().await, 1, "it was another's turn");
        world.store.keep_secret_abandoned(id, removed.turn).await.unwrap();
        assert_eq!(rows().await, 0);
        assert_eq!(told(&world, "secret.version_revoked").await.len(), 2);
    }
}
