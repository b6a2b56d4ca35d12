//! The owners' API about API keys: put away, used where it is said, replaced with an overlap, ended and removed, by a program
//! that never reads one again.

use chrono::{DateTime, TimeDelta};
use consentry::{
    clock::Clock,
    keys::place::Place,
    model::{
        id::SecretVersionId,
        plugin_secret::SecretSource,
        rotator::{Rotator, Way},
    },
    registry::plugin_secrets::{self, SettingsForm},
    store::secret_uses::SecretVersionUse,
    vault::SecretValue,
};
use serde_json::{Value, json};

use crate::{
    harness::{
        databases::Engine,
        program::Program,
        server::{Options, World},
    },
    on_both_engines,
};

const SECRETS: &str = "/plugins/todo/secrets";
const KEY: &str = "/plugins/todo/secrets/upstream-key";
const VERSIONS: &str = "/plugins/todo/secrets/upstream-key/versions";

/// A server at a time of the test's own, and a program of the plugin's owner.
async fn owned(engine: Engine) -> (World, Program, Clock) {
    let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
    let (program, account) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
    world.running.server.store.add_owner(world.plugin.id, account, &world.running.operator()).await.unwrap();
    (world, program, clock)
}

/// What goes into requests now: each key's name, header and value.
async fn injected(world: &World) -> Vec<(String, String, String)> {
    let (server, plugin) = (&world.running.server, world.plugin.id);
    let ring = server.keyring.current();
    let secrets = server.store.injectable_secrets(plugin).await.unwrap();
    let told = |secret: consentry::store::secret_uses::InjectableSecret| {
        let id = SecretVersionId::of(plugin, secret.id, secret.number);
        let value = Place::PluginSecret(id).open(&ring, &secret.sealed).expect("it opens");
        (secret.name.to_string(), secret.injection.to_string(), String::from_utf8(value).unwrap())
    };
    secrets.into_iter().map(told).collect()
}

/// A rotator of the configuration, which nobody asks here.
fn rotator(name: &str, for_owners: bool) -> Rotator {
    Rotator { name: name.to_owned(), for_owners, way: Way::Command(vec!["/bin/false".to_owned()]) }
}

fn one(name: &str, injection: &str, value: &str) -> Vec<(String, String, String)> {
    vec![(name.to_owned(), injection.to_owned(), value.to_owned())]
}

on_both_engines! {
    async fn a_key_is_put_away_replaced_and_removed_by_a_program(engine) {
        let (world, program, clock) = owned(engine).await;
        assert_eq!(program.call("GET", SECRETS).await.json, json!({ "secrets": [], "rotators": [] }));
        let new = json!({
            "name": "upstream-key", "value": "First-9fK2xQ7b", "routes": ["get /items/{id}", "* /v1/*"],
            "grace": "2h", "rotate_every": "90d",
        });
        let put = program.call_with("POST", SECRETS, &new).await;
        assert_eq!(put.status, 201, "{put:?}");
        assert_eq!(put.header("location"), format!("/api/v1{KEY}"));
        let expected = json!({
            "name": "upstream-key", "version": 1, "revision": put.json["revision"], "header": "authorization",
            "prefix": "Bearer ", "routes": ["GET /items/{id}", "* /v1/*"], "grace": "2h", "rotate_every": "90d",
            "rotator": null, "follows": null, "due_at": "2027-04-15T08:00:00.000Z", "next_try_at": null,
            "failing_since": null, "says": null, "created_at": "2027-01-15T08:00:00.000Z", "last_used_at": null,
            "versions": [{
                "version": 1, "made_at": "2027-01-15T08:00:00.000Z", "ends_at": null, "ended_at": null, "rotator": null,
                "last_used_at": null,
            }],
        });
        assert_eq!(put.json, expected);
        assert_eq!(program.call("GET", KEY).await.json, expected);
        assert_eq!(program.call("GET", SECRETS).await.json, json!({ "secrets": [expected], "rotators": [] }));
        assert_eq!(injected(&world).await, one("upstream-key", "authorization: Bearer …", "First-9fK2xQ7b"));
        let again = program.call_with("POST", SECRETS, &new).await;
        assert_eq!((again.status, again.fields()), (422, vec!["name"]), "{}", again.json);

        // Another value takes over; whoever sends the same twice is told.
        clock.advance(TimeDelta::hours(1));
        let next = json!({ "version": 1, "value": "Second-3mP8vL0c" });
        let rotated = program.call_with("POST", VERSIONS, &next).await;
        assert_eq!((rotated.status, rotated.json["version"].clone()), (201, json!(2)), "{rotated:?}");
        assert_eq!(rotated.header("location"), format!("/api/v1{KEY}"));
        assert_eq!(rotated.json["versions"][1]["ends_at"], "2027-01-15T11:00:00.000Z", "the key's own overlap");
        assert_eq!(rotated.json["due_at"], "2027-04-15T09:00:00.000Z");
        assert_eq!(program.call_with("POST", VERSIONS, &next).await.status, 409);
        for seen in [0, 3, i64::MAX, i64::MIN] {
            let other = json!({ "version": seen, "value": "Second-3mP8vL0c" });
            assert_eq!(program.call_with("POST", VERSIONS, &other).await.status, 409, "{seen}");
        }
        assert_eq!(injected(&world).await, one("upstream-key", "authorization: Bearer …", "Second-3mP8vL0c"));
        // One has leaked: the one before ends at once, this once.
        let third = json!({ "version": 2, "value": "Third-6dR4nY1s", "grace": "0" });
        let rotated = program.must("POST", VERSIONS, &third).await;
        assert_eq!(rotated["versions"][1]["ends_at"], "2027-01-15T09:00:00.000Z");
        assert_eq!(rotated["grace"], "2h");

        // Its use is shown.
        let server = &world.running.server;
        let kept = plugin_secrets::find(&world.running.registry(), world.plugin.id, "upstream-key").await.unwrap();
        let at = clock.now();
        let used = SecretVersionUse {
            secret_id: kept.id, number: 3, at, unless_after: at - TimeDelta::minutes(1),
        };
        server.store.note_secret_version_uses(&[used], &|| world.running.operator()).await.unwrap();
        let read = program.call("GET", KEY).await.json;
        assert_eq!((&read["last_used_at"], &read["versions"][0]["last_used_at"]), (&json!("2027-01-15T09:00:00.000Z"), &json!("2027-01-15T09:00:00.000Z")));

        // A version ends before its time; the newest does not.
        let at_version = |number: &str| format!("{VERSIONS}/{number}");
        let ended = program.call("DELETE", &at_version("1")).await;
        assert_eq!((ended.status, &ended.json["versions"][2]["ended_at"]), (200, &json!("2027-01-15T09:00:00.000Z")));
        assert_eq!(program.call("DELETE", &at_version("1")).await.status, 404, "it has ended");
        let newest = program.call("DELETE", &at_version("3")).await;
        assert_eq!((newest.status, newest.fields()), (422, vec!["number"]), "{}", newest.json);
        for number in ["4", "0", "-1", "x", "99999999999999999999"] {
            assert_eq!(program.call("DELETE", &at_version(number)).await.status, 404, "{number}");
        }

        assert_eq!(program.call("DELETE", KEY).await.status, 204);
        assert_eq!(program.call("DELETE", KEY).await.status, 404);
        assert_eq!(program.call("GET", KEY).await.status, 404);
        assert!(injected(&world).await.is_empty());
        for (action, times) in [("added", 1), ("rotated", 2), ("version_ended", 1), ("removed", 1)] {
            assert_eq!(world.database.audited(&format!("secret.{action}")).await, times, "{action}");
        }
        assert_eq!(world.database.count("audit_events where action = 'secret.removed' and actor = 'account'").await, 1);
    }

    async fn how_and_where_a_key_is_used_is_changed_by_what_is_sent(engine) {
        let (world, program, clock) = owned(engine).await;
        let new = json!({ "name": "upstream-key", "value": "First-9fK2xQ7b", "rotate_every": "90d" });
        let put = program.must("POST", SECRETS, &new).await;
        assert_eq!((&put["routes"], &put["grace"]), (&json!([]), &json!("1h")));
        let change = async |with: Value| {
            let mut body = json!({ "revision": program.call("GET", KEY).await.json["revision"] });
            body.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
            program.must("PATCH", KEY, &body).await
        };
        let header = change(json!({ "header": "X-API-Key" })).await;
        assert_eq!((&header["header"], &header["prefix"]), (&json!("x-api-key"), &json!("")));
        let prefix = change(json!({ "prefix": "Key ", "routes": ["POST /items"] })).await;
        assert_eq!((&prefix["prefix"], &prefix["routes"]), (&json!("Key "), &json!(["POST /items"])));
        assert_eq!((&prefix["header"], &prefix["rotate_every"], &prefix["grace"]), (&json!("x-api-key"), &json!("90d"), &json!("1h")));
        clock.advance(TimeDelta::days(1));
        let sooner = change(json!({ "rotate_every": "30d", "grace": "0" })).await;
        assert_eq!((&sooner["due_at"], &sooner["grace"]), (&json!("2027-02-14T08:00:00.000Z"), &json!("0s")));
        let never = change(json!({ "rotate_every": null })).await;
        assert_eq!((&never["due_at"], &never["rotate_every"]), (&Value::Null, &Value::Null));
        assert_eq!(never["version"], 1, "nothing of this makes another version");
        assert_eq!(injected(&world).await, one("upstream-key", "x-api-key: Key …", "First-9fK2xQ7b"));
        // Of two who change it at once the second is told, and the same is no change.
        let late = json!({ "revision": put["revision"], "routes": [] });
        assert_eq!(program.call_with("PATCH", KEY, &late).await.status, 409);
        assert_eq!(change(json!({})).await["revision"], never["revision"]);
        assert_eq!(program.call("GET", KEY).await.json["routes"], json!(["POST /items"]));
        assert_eq!(world.database.audited("secret.changed").await, 4);
    }

    async fn keys_are_given_to_the_rotators_that_are_for_owners(engine) {
        let rotators = vec![rotator("theirs", true), rotator("ours", false), rotator("second", true)];
        let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let world = World::with(engine, Options { clock, rotators, ..Options::default() }).await;
        let (program, account) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
        world.running.server.store.add_owner(world.plugin.id, account, &world.running.operator()).await.unwrap();
        assert_eq!(program.call("GET", SECRETS).await.json["rotators"], json!(["theirs", "second"]));
        let new = json!({ "name": "upstream-key", "value": "First-9fK2xQ7b", "rotator": "theirs" });
        let ageless = program.call_with("POST", SECRETS, &new).await;
        assert_eq!((ageless.status, ageless.fields()), (422, vec!["rotate_every"]), "{}", ageless.json);
        let mut with_age = new.clone();
        with_age["rotate_every"] = json!("90d");
        let put = program.must("POST", SECRETS, &with_age).await;
        assert_eq!((&put["rotator"], &put["next_try_at"]), (&json!("theirs"), &json!("2027-04-15T08:00:00.000Z")));
        let change = async |path: &str, mut with: Value| {
            with["revision"] = program.call("GET", path).await.json["revision"].clone();
            program.call_with("PATCH", path, &with).await
        };
        let other = change(KEY, json!({ "rotator": "second" })).await.json;
        assert_eq!((&other["rotator"], &other["rotate_every"]), (&json!("second"), &json!("90d")));
        let never = change(KEY, json!({ "rotate_every": null })).await;
        assert_eq!((never.status, never.fields()), (422, vec!["rotate_every"]), "a rotator has to know when");
        let people = change(KEY, json!({ "rotator": null })).await.json;
        assert_eq!((&people["rotator"], &people["next_try_at"]), (&Value::Null, &Value::Null));
        assert_eq!(people["due_at"], "2027-04-15T08:00:00.000Z", "they are told when it is due");

        // What the operator has followed is the operator's to change; a rotator of theirs can be left, for good.
        let (registry, ring) = (world.running.registry(), world.running.server.keyring.current());
        let value = SecretValue::new("Second-3mP8vL0c".to_owned());
        for (name, source) in [
            ("ours", SecretSource::Rotator("ours".into())),
            ("followed", SecretSource::Reference("file:/run/upstream".into())),
        ] {
            let form = SettingsForm {
                header: format!("x-{name}"), rotate_every: "90d".into(), source, ..SettingsForm::default()
            };
            plugin_secrets::put(&registry, &ring, (world.plugin.id, name), &value, &form).await.unwrap();
            let path = format!("{SECRETS}/{name}");
            assert_eq!(change(&path, json!({ "grace": "2h" })).await.json["grace"], "2h", "the rest is theirs");
        }
        let ours = "/plugins/todo/secrets/ours";
        let left = change(ours, json!({ "rotator": null })).await;
        assert_eq!((left.status, &left.json["rotator"]), (200, &Value::Null), "{}", left.json);
        let taken = change(ours, json!({ "rotator": "ours" })).await;
        assert_eq!((taken.status, taken.fields()), (422, vec!["rotator"]), "{}", taken.json);
        // So can one that the configuration does not have any more.
        world.database.execute("update plugin_secrets set rotator = 'gone' where name = 'ours'").await;
        assert_eq!(change(ours, json!({ "grace": "3h" })).await.json["rotator"], "gone", "until somebody says so");
        assert_eq!(change(ours, json!({ "rotator": null })).await.json["rotator"], Value::Null);
        let followed = "/plugins/todo/secrets/followed";
        for rotator in [json!("theirs"), Value::Null] {
            let taken = change(followed, json!({ "rotator": rotator })).await;
            assert_eq!((taken.status, taken.fields()), (422, vec!["rotator"]), "{}", taken.json);
        }
        assert_eq!(program.call("GET", followed).await.json["follows"], "file:/run/upstream");
    }

    async fn what_is_wrong_is_said_of_its_member_and_the_value_is_not_repeated(engine) {
        let (world, program, _) = owned(engine).await;
        let kept = json!({ "name": "other-key", "value": "Other-5tG7hW2z", "routes": ["GET /items/{id}"] });
        program.must("POST", SECRETS, &kept).await;
        let with = |change: Value| {
            let mut body = json!({ "name": "upstream-key", "value": "First-9fK2xQ7b", "routes": ["POST /items"] });
            body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            body
        };
        let before = world.database.count("audit_events").await;
        for (change, field) in [
            (json!({ "name": "Upstream Key" }), "name"),
            (json!({ "value": "changeme-Geheim-4471" }), "value"),
            (json!({ "value": "Geheim" }), "value"),
            (json!({ "value": "two words Geheim" }), "value"),
            (json!({ "value": format!("Geheim{}", "x".repeat(9000)) }), "value"),
            (json!({ "value": 4_471_447_144_714_471_i64 }), "value"),
            (json!({ "value": ["Geheim-4471"] }), "value"),
            (json!({ "value": null }), "value"),
            (json!({ "header": "Host" }), "header"),
            (json!({ "prefix": "Bearer\r\nX: " }), "prefix"),
            (json!({ "routes": ["/items"] }), "routes"),
            (json!({ "routes": ["GET /items/5"] }), "routes"),
            (json!({ "routes": [5] }), "routes[0]"),
            (json!({ "grace": "1y" }), "grace"),
            (json!({ "grace": "60d" }), "grace"),
            (json!({ "rotate_every": "1m" }), "rotate_every"),
            (json!({ "rotator": "openai", "rotate_every": "90d" }), "rotator"),
            (json!({ "follows": "file:/etc/shadow" }), "follows"),
        ] {
            let told = program.call_with("POST", SECRETS, &with(change.clone())).await;
            assert_eq!((told.status, told.fields()), (422, vec![field]), "{change}: {}", told.json);
            let says = told.json.to_string();
            assert!(!says.contains("Geheim") && !says.contains("4471"), "{says}");
        }
        let several = json!({ "name": "", "value": "", "header": "host", "routes": ["GET"], "grace": "x", "rotate_every": "y" });
        let told = program.call_with("POST", SECRETS, &with(several)).await;
        assert_eq!(told.fields(), ["name", "value", "header", "routes", "grace", "rotate_every"], "{}", told.json);
        for (body, field) in [
            (json!({ "version": 1, "value": "Geheim" }), "value"),
            (json!({ "version": 1, "value": 44_714_471 }), "value"),
            (json!({ "version": 1, "value": "Second-3mP8vL0c", "grace": "soon" }), "grace"),
            (json!({ "value": "Second-3mP8vL0c" }), ""),
        ] {
            let told = program.call_with("POST", "/plugins/todo/secrets/other-key/versions", &body).await;
            assert_eq!((told.status, told.fields()), (422, vec![field]), "{body}: {}", told.json);
            assert!(!told.json.to_string().contains("Geheim") && !told.json.to_string().contains("4471"), "{}", told.json);
        }
        assert_eq!(world.database.count("audit_events").await, before);
        for path in ["/plugins/todo/secrets/none", "/plugins/todo/secrets/None%20such", "/plugins/none/secrets/other-key"] {
            assert_eq!(program.call("GET", path).await.status, 404, "{path}");
        }
        let method = program.call("PUT", "/plugins/todo/secrets/other-key").await;
        assert_eq!((method.status, method.header("allow")), (405, "GET, PATCH, DELETE"));
    }
}
