//! Plugins' API keys: one name each, one newest version, and nothing kept of what has ended.

use chrono::TimeDelta;
use consentry::{
    model::{
        id::{PluginId, SecretId, SecretVersionId},
        plugin_secret::{Injection, SecretName, SecretSource},
    },
    random,
    store::{
        audit_log::{LogQuery, Of},
        due_secrets::DueTelling,
        owners::Page,
        plugin_secrets::{
            AddSecret, ChangeSecret, NewSecret, NewSecretVersion, PluginSecret, PluginSecretRotation, SecretChange,
            SecretDue, SecretSettings,
        },
        plugins::{ImportPlugin, Known, PluginImport},
        secret_uses::SecretVersionUse,
    },
};
use serde_json::json;

use super::{
    facts::{World, at, audit, plugin, start},
    tables::Tables,
};
use crate::{harness::aside::at_once, on_both_engines};

fn settings() -> SecretSettings {
    SecretSettings {
        injection: Injection::new("x-api-key", None).unwrap(),
        routes: vec!["GET /items/{id}".parse().unwrap(), "* /v1/*".parse().unwrap()],
        grace: TimeDelta::hours(1),
        rotate_every: Some(TimeDelta::days(90)),
        source: SecretSource::People,
    }
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

fn version(world: &World, id: SecretId, number: i64) -> NewSecretVersion {
    let (id, sealed) = (SecretVersionId::of(world.plugin.id, id, number), vec![u8::try_from(number).unwrap(); 50]);
    NewSecretVersion { id, number, sealed, issuer_id: None }
}

/// Each in a header of its own.
fn new_secret(world: &World, called: &str) -> NewSecret {
    let id = SecretId(random::id(start()));
    let injection = Injection::new(&format!("x-{called}-key"), None).unwrap();
    NewSecret {
        id,
        plugin_id: world.plugin.id,
        name: name(called),
        settings: SecretSettings { injection, ..settings() },
        due: SecretDue { due_at: Some(at(1000)), try_at: None },
        follows_sealed: None,
        version: version(world, id, 1),
        secrets_max: 3,
    }
}

async fn add(world: &World, called: &str) -> SecretId {
    let secret = new_secret(world, called);
    assert_eq!(world.store.add_plugin_secret(&secret, &audit(at(1))).await.unwrap(), AddSecret::Added);
    secret.id
}

fn rotation(world: &World, id: SecretId, number: i64) -> PluginSecretRotation {
    PluginSecretRotation {
        secret_id: id,
        plugin_id: world.plugin.id,
        version: version(world, id, number),
        old_until: at(60_000 * number),
        due: SecretDue { due_at: Some(at(7000)), try_at: None },
        turn: None,
        revision: None,
    }
}

async fn rotate(world: &World, rotation: &PluginSecretRotation, milliseconds: i64) -> ChangeSecret {
    world.store.rotate_plugin_secret(rotation, &audit(at(milliseconds))).await.unwrap()
}

async fn found(world: &World, called: &str) -> PluginSecret {
    world.store.plugin_secret(world.plugin.id, &name(called)).await.unwrap().unwrap()
}

on_both_engines! {
    async fn a_secret_is_kept_as_it_was_put_away_and_its_value_is_for_requests_alone(engine) {
        let world = World::new(engine).await;
        let id = add(&world, "upstream").await;
        let secret = found(&world, "upstream").await;
        assert_eq!((secret.id, secret.plugin_id, secret.revision), (id, world.plugin.id, 1));
        assert_eq!((secret.settings.clone(), secret.due.due_at, secret.failing.clone()), (new_secret(&world, "upstream").settings, Some(at(1000)), None));
        assert_eq!(secret.versions.len(), 1);
        assert_eq!((secret.versions[0].number, secret.versions[0].made_at), (1, at(1)));
        assert_eq!((secret.versions[0].ends_at, secret.versions[0].last_used_at), (None, None));
        assert!(!format!("{secret:?}").contains("sealed"), "whoever looks at a secret does not get its value");

        let used = world.store.injectable_secrets(world.plugin.id).await.unwrap();
        assert_eq!((used.len(), used[0].number, used[0].sealed.clone()), (1, 1, vec![1; 50]));
        assert_eq!((used[0].injection.header(), used[0].routes.len()), ("x-upstream-key", 2));
        assert_eq!(world.database.audited("secret.added").await, 1);
        assert_eq!(world.store.plugins_with_secret(&name("upstream")).await.unwrap(), [world.plugin.id]);
        assert_eq!(world.store.plugins_with_secret(&name("other")).await.unwrap(), []);
    }

    async fn one_is_found_by_its_name_and_the_others_are_not_read(engine) {
        let world = World::new(engine).await;
        let id = add(&world, "b").await;
        rotate(&world, &rotation(&world, id, 2), 2).await;
        for other in ["a", "c"] {
            add(&world, other).await;
        }
        world.database.execute("update plugin_secrets set routes = 'nonsense' where name <> 'b'").await;
        assert!(world.store.plugin_secrets(world.plugin.id).await.is_err(), "whoever reads all meets the others");
        let secret = found(&world, "b").await;
        assert_eq!((secret.id, secret.name.as_str(), secret.plugin_id), (id, "b", world.plugin.id));
        assert_eq!(secret.versions.iter().map(|version| version.number).collect::<Vec<_>>(), [2, 1]);
        let find = async |plugin, called: &str| world.store.plugin_secret(plugin, &name(called)).await.unwrap();
        assert!(find(world.plugin.id, "d").await.is_none());
        assert!(find(PluginId(random::id(start())), "b").await.is_none(), "it is another plugin's");
        world.store.remove_plugin_secret(id, &audit(at(3))).await.unwrap();
        assert!(find(world.plugin.id, "b").await.is_none());
    }

    async fn a_plugin_that_has_keys_moves_only_where_they_may_go_with_it(engine) {
        let world = World::new(engine).await;
        let import = async |host: &str, name: &str, moves_keys| {
            let mut plugin = world.store.plugin(world.plugin.id).await.unwrap().unwrap();
            plugin.host = host.parse().unwrap();
            plugin.manifest["name_for_human"] = name.into();
            // Of a version that no key has changed: only the store can see that one was put away since.
            let known = Known::Version(plugin.version);
            let import = PluginImport { plugin, documents: vec![], known, moves_keys, at: at(5) };
            world.store.import_plugin(&import, &audit(at(5))).await.unwrap()
        };
        assert!(!world.store.has_plugin_secrets(world.plugin.id).await.unwrap());
        assert!(matches!(import("first.example", "To-do", false).await, ImportPlugin::Updated(_)), "there is none");
        let id = add(&world, "upstream").await;
        assert!(world.store.has_plugin_secrets(world.plugin.id).await.unwrap());
        let before = world.database.audited("plugin.imported").await;
        let refused = import("second.example", "To-do", false).await;
        assert!(matches!(refused, ImportPlugin::KeysWouldMove), "{refused:?}");
        let kept = world.store.plugin(world.plugin.id).await.unwrap().unwrap();
        assert_eq!((kept.host.as_str(), world.database.audited("plugin.imported").await), ("first.example", before));
        assert!(matches!(import("first.example", "Named anew", false).await, ImportPlugin::Updated(_)), "it stays");
        assert!(matches!(import("second.example", "To-do", true).await, ImportPlugin::Updated(_)), "they may go");
        world.store.remove_plugin_secret(id, &audit(at(6))).await.unwrap();
        assert!(!world.store.has_plugin_secrets(world.plugin.id).await.unwrap());
        assert!(matches!(import("third.example", "To-do", false).await, ImportPlugin::Updated(_)), "there is none left");
    }

    async fn the_log_tells_what_was_otherwise_before_a_change(engine) {
        let world = World::new(engine).await;
        let id = add(&world, "upstream").await;
        let change = async |seen, settings| {
            let change = SecretChange { secret_id: id, plugin_id: world.plugin.id, seen, settings, due: SecretDue::default() };
            let done = world.store.change_plugin_secret(&change, &audit(at(5 + seen))).await.unwrap();
            assert_eq!(done, ChangeSecret::Done);
            let of = Of::Action(world.plugin.id, "secret.changed".into());
            let query = LogQuery { of, page: Page { before: None, rows_max: 1 } };
            world.store.audit_log(&query).await.unwrap().remove(0).detail
        };
        let first = new_secret(&world, "upstream").settings;
        let given = SecretSettings { source: SecretSource::Rotator("keys".into()), ..first.clone() };
        let told = change(1, given.clone()).await;
        assert_eq!((&told["rotator"], &told["before"]), (&json!("keys"), &json!({ "rotator": null })));
        let moved = SecretSettings {
            injection: Injection::new("x-api-key", None).unwrap(),
            routes: vec!["GET /a".parse().unwrap()],
            grace: TimeDelta::hours(2),
            rotate_every: None,
            source: SecretSource::People,
        };
        let told = change(2, moved).await;
        let before = json!({
            "header": "x-upstream-key", "routes": ["GET /items/{id}", "* /v1/*"], "grace": 3600,
            "rotate_every": 90 * 86_400, "rotator": "keys",
        });
        assert_eq!((&told["before"], &told["name"]), (&before, &json!("upstream")));
    }

    async fn a_name_is_given_once_and_a_plugin_has_so_many(engine) {
        let world = World::new(engine).await;
        add(&world, "a").await;
        let again = new_secret(&world, "a");
        assert_eq!(world.store.add_plugin_secret(&again, &audit(at(2))).await.unwrap(), AddSecret::NameTaken);
        let store = world.store.clone();
        let secrets: Vec<NewSecret> = (0..8).map(|number| new_secret(&world, &format!("b{number}"))).collect();
        let outcomes = at_once(8, |number| {
            let (store, secret) = (store.clone(), secrets[number].clone());
            async move { store.add_plugin_secret(&secret, &audit(at(3))).await.unwrap() }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == AddSecret::Added).count(), 2, "{outcomes:?}");
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == AddSecret::TooMany).count(), 6);
        assert_eq!(world.store.plugin_secrets(world.plugin.id).await.unwrap().len(), 3);
        let other = plugin("other", "other.example");
        assert!(world.store.plugin_secrets(other.id).await.unwrap().is_empty());
    }

    async fn a_new_version_takes_over_and_the_one_before_stays_for_its_time(engine) {
        let world = World::new(engine).await;
        let id = add(&world, "upstream").await;
        assert_eq!(rotate(&world, &rotation(&world, id, 2), 10).await, ChangeSecret::Done);
        let secret = found(&world, "upstream").await;
        let told: Vec<_> = secret.versions.iter().map(|version| (version.number, version.ends_at)).collect();
        assert_eq!(told, [(2, None), (1, Some(at(120_000)))]);
        assert_eq!((secret.revision, secret.due.due_at), (2, Some(at(7000))));
        let used = world.store.injectable_secrets(world.plugin.id).await.unwrap();
        assert_eq!((used.len(), used[0].number), (1, 2), "the newest alone goes into requests");

        // What was to end earlier still does, whatever a later rotation says.
        assert_eq!(rotate(&world, &rotation(&world, id, 3), 20).await, ChangeSecret::Done);
        let told: Vec<_> = found(&world, "upstream").await.versions.iter().map(|version| version.ends_at).collect();
        assert_eq!(told, [None, Some(at(180_000)), Some(at(120_000))]);
        let mut sooner = rotation(&world, id, 4);
        sooner.old_until = at(30);
        assert_eq!(rotate(&world, &sooner, 30).await, ChangeSecret::Done);
        let told: Vec<_> = found(&world, "upstream").await.versions.iter().map(|version| version.ends_at).collect();
        assert_eq!(told, [None, Some(at(30)), Some(at(30)), Some(at(30))]);
        assert_eq!(world.database.audited("secret.rotated").await, 3);
    }

    async fn of_many_who_rotate_at_once_one_does(engine) {
        let world = World::new(engine).await;
        let id = add(&world, "upstream").await;
        let (store, rotation) = (world.store.clone(), rotation(&world, id, 2));
        let outcomes = at_once(8, |_| {
            let (store, rotation) = (store.clone(), rotation.clone());
            async move { store.rotate_plugin_secret(&rotation, &audit(at(5))).await.unwrap() }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == ChangeSecret::Done).count(), 1);
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == ChangeSecret::ChangedMeanwhile).count(), 7);
        let mut of_a_turn = self::rotation(&world, id, 3);
        of_a_turn.turn = Some(7);
        assert_eq!(rotate(&world, &of_a_turn, 6).await, ChangeSecret::ChangedMeanwhile, "it is somebody else's turn");
        // The version before raised it: whoever was making one then keeps nothing.
        of_a_turn.turn = Some(1);
        assert_eq!(rotate(&world, &of_a_turn, 6).await, ChangeSecret::Done);
        assert_eq!(rotate(&world, &self::rotation(&world, SecretId(random::id(start())), 1), 6).await, ChangeSecret::Gone);
    }

    async fn a_version_that_ends_leaves_nothing_and_the_newest_stays(engine) {
        let world = World::new(engine).await;
        let id = add(&world, "upstream").await;
        rotate(&world, &rotation(&world, id, 2), 10).await;
        let end = async |number| world.store.end_secret_version(id, number, &audit(at(20))).await.unwrap();
        assert_eq!((end(2).await, end(9).await), (ChangeSecret::Gone, ChangeSecret::Gone));
        assert_eq!((end(1).await, end(1).await), (ChangeSecret::Done, ChangeSecret::Gone));
        let old = found(&world, "upstream").await.versions.pop().unwrap();
        assert_eq!((old.ends_at, old.ended_at), (Some(at(20)), Some(at(20))));
        let left = world.database.count("plugin_secret_versions where length(sealed) > 0").await;
        assert_eq!((left, world.database.audited("secret.version_ended").await), (1, 1));
    }

    async fn a_change_is_made_by_who_saw_what_there_was(engine) {
        let world = World::new(engine).await;
        let id = add(&world, "upstream").await;
        let settings = SecretSettings {
            injection: Injection::new("authorization", None).unwrap(),
            routes: Vec::new(),
            grace: TimeDelta::zero(),
            rotate_every: None,
            source: SecretSource::Rotator("ours".into()),
        };
        let change = SecretChange {
            secret_id: id,
            plugin_id: world.plugin.id,
            seen: 1,
            settings: settings.clone(),
            due: SecretDue::default(),
        };
        assert_eq!(world.store.change_plugin_secret(&change, &audit(at(5))).await.unwrap(), ChangeSecret::Done);
        let secret = found(&world, "upstream").await;
        assert_eq!((secret.settings, secret.due, secret.revision), (settings, SecretDue::default(), 2));
        let again = world.store.change_plugin_secret(&change, &audit(at(6))).await.unwrap();
        assert_eq!(again, ChangeSecret::ChangedMeanwhile);
        assert_eq!(world.database.audited("secret.changed").await, 1);
    }

    async fn two_that_share_a_header_of_a_request_are_not_both_kept(engine) {
        let world = World::new(engine).await;
        let store = world.store.clone();
        let injection = Injection::new("x-api-key", None).unwrap();
        let new = |called: &str| {
            let secret = new_secret(&world, called);
            NewSecret { settings: SecretSettings { injection: injection.clone(), ..secret.settings.clone() }, ..secret }
        };
        let secrets = [new("a"), new("b"), new("c")];
        let outcomes = at_once(3, |number| {
            let (store, secret) = (store.clone(), secrets[number].clone());
            async move { store.add_plugin_secret(&secret, &audit(at(3))).await.unwrap() }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == AddSecret::Added).count(), 1, "{outcomes:?}");
        assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, AddSecret::Overlaps(_))).count(), 2);
        // Nor by a change.
        let other = add(&world, "other").await;
        let settings = SecretSettings { injection, routes: vec!["GET /items/5".parse().unwrap()], ..settings() };
        let change =
            SecretChange { secret_id: other, plugin_id: world.plugin.id, seen: 1, settings, due: SecretDue::default() };
        let refused = world.store.change_plugin_secret(&change, &audit(at(4))).await.unwrap();
        let ChangeSecret::Overlaps(overlap) = refused else { panic!("{refused:?}") };
        assert_eq!(overlap.route.to_string(), "GET /items/5");
    }

    async fn owners_who_were_told_are_told_again_only_of_another_time(engine) {
        let world = World::new(engine).await;
        let id = add(&world, "upstream").await;
        let due = async || world.store.due_secrets((at(2000), at(9000)), 10).await.unwrap();
        let secret = due().await.remove(0);
        let telling = DueTelling { secret, is_overdue: true, mails: Vec::new() };
        assert!(world.store.tell_of_due_secret(&telling, &audit(at(2000))).await.unwrap());
        assert!(!world.store.tell_of_due_secret(&telling, &audit(at(2000))).await.unwrap(), "another node was faster");
        assert!(due().await.is_empty());
        let change = async |seen, milliseconds| {
            let due = SecretDue { due_at: Some(at(milliseconds)), try_at: None };
            let change = SecretChange { secret_id: id, plugin_id: world.plugin.id, seen, settings: settings(), due };
            world.store.change_plugin_secret(&change, &audit(at(2100))).await.unwrap()
        };
        assert_eq!((change(1, 1000).await, due().await.len()), (ChangeSecret::Done, 0), "it is as late as it was");
        assert_eq!((change(2, 5000).await, due().await.len()), (ChangeSecret::Done, 1));
        // Whoever rotates goes by the age that they saw.
        let seen = PluginSecretRotation { revision: Some(2), ..rotation(&world, id, 2) };
        assert_eq!(rotate(&world, &seen, 2200).await, ChangeSecret::ChangedMeanwhile);
        let seen = PluginSecretRotation { revision: Some(3), ..seen };
        assert_eq!(rotate(&world, &seen, 2200).await, ChangeSecret::Done);
    }

    async fn a_secret_that_is_removed_leaves_what_is_to_be_ended_elsewhere_and_no_more(engine) {
        let world = World::new(engine).await;
        let id = add(&world, "upstream").await;
        assert_eq!(world.store.remove_plugin_secret(id, &audit(at(5))).await.unwrap(), ChangeSecret::Done);
        assert_eq!(world.store.remove_plugin_secret(id, &audit(at(5))).await.unwrap(), ChangeSecret::Gone);
        assert_eq!(world.database.count("plugin_secrets").await, 0);
        assert_eq!(world.database.count("plugin_secret_versions").await, 0);

        let mut issued = new_secret(&world, "upstream");
        issued.version.issuer_id = Some("key_1".into());
        world.store.add_plugin_secret(&issued, &audit(at(6))).await.unwrap();
        let mut second = rotation(&world, issued.id, 2);
        second.version.issuer_id = Some("key_2".into());
        rotate(&world, &second, 7).await;
        world.store.remove_plugin_secret(issued.id, &audit(at(8))).await.unwrap();
        assert!(world.store.plugin_secrets(world.plugin.id).await.unwrap().is_empty());
        assert!(world.store.injectable_secrets(world.plugin.id).await.unwrap().is_empty());
        let mut tables = Tables::of(&world.database).await;
        let left = tables
            .lines("select issuer_id || ' ' || length(sealed) || ' ' || (revoke_at is not null) from plugin_secret_versions order by number")
            .await;
        let left: Vec<_> = left.iter().map(|line| line.replace("true", "1")).collect();
        assert_eq!(left, ["key_1 0 1", "key_2 0 1"]);
        add(&world, "upstream").await;
        assert_eq!(world.database.audited("secret.removed").await, 2);
    }

    async fn uses_are_kept_and_the_first_is_told(engine) {
        let world = World::new(engine).await;
        let id = add(&world, "upstream").await;
        let used = |milliseconds, unless_after| SecretVersionUse {
            secret_id: id,
            number: 1,
            at: at(milliseconds),
            unless_after: at(unless_after),
        };
        let note = async |used| world.store.note_secret_version_uses(&[used], &|| audit(at(9))).await.unwrap();
        let last = async || found(&world, "upstream").await.versions[0].last_used_at;
        note(used(1000, 0)).await;
        assert_eq!(last().await, Some(at(1000)));
        note(used(2000, 999)).await;
        assert_eq!(last().await, Some(at(1000)), "a use after that is kept already");
        note(used(3000, 1000)).await;
        assert_eq!(last().await, Some(at(3000)));
        assert_eq!(world.database.audited("secret.used").await, 1);
        // One that was removed meanwhile is no matter.
        world.store.remove_plugin_secret(id, &audit(at(10))).await.unwrap();
        note(used(4000, 2000)).await;
        assert_eq!(world.database.audited("secret.used").await, 1);
    }
}
