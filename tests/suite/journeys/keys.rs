//! Keys: replaced from the command line, followed by other nodes, and ended in haste.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use consentry::{
    clock::Clock,
    jobs,
    keys::{master::MasterKey, ring},
    model::{
        client::Dialect,
        key::{KeyAlgorithm, Kid, Purpose},
        key_timetable::KeyTimetable,
        public_key::SigningAlgorithm,
    },
    registry::keys::{Means, Replaced, give_up, rotate, rotate_due},
    store::keys::{KeyRotation, Why},
};
use serde_json::Value;

use crate::{
    attacks::by_hand::ByHand,
    harness::{
        browser::plugin_request,
        databases::{Engine, without_postgres},
        process::{Heard, Installation, write_private},
        server::{MASTER, Options, PASSWORD, Running, World},
    },
    on_both_engines,
};

fn of<'a>(keys: &'a Value, purpose: &str, state: &str) -> Vec<&'a Value> {
    let keys = keys.as_array().unwrap().iter();
    keys.filter(|key| key["purpose"] == purpose && key["state"] == state).collect()
}

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap_or_else(|| panic!("{value}")).parse().unwrap()
}

/// Replaces the key of a purpose as `consentry key rotate` does.
async fn replace(node: &Running, purpose: Purpose) {
    let (master, timetable) = (MasterKey::new(MASTER), KeyTimetable::default());
    let means = Means { master: &master, timetable: &timetable };
    assert_eq!(rotate(&node.registry(), means, (purpose, None)).await.unwrap().len(), 1);
}

/// Two nodes on one Postgres that go by the same hands of a clock.
async fn two() -> (World, Running, Clock) {
    let clock = Clock::standing_at(Clock::system().now());
    let world = World::with(Engine::Postgres, Options { clock: clock.clone(), ..Options::default() }).await;
    let public_url = Some(world.running.url.clone());
    let second =
        Running::start(&world.database, Options { clock: clock.clone(), public_url, ..Options::default() }).await;
    (world, second, clock)
}

on_both_engines! {
    async fn keys_are_listed_and_replaced_from_the_command_line(engine) {
        let installed = Installation::new(engine).await;
        let consentry = installed.program();
        consentry.set_up();
        assert_eq!(consentry.answer(&["key", "list", "--json"]).as_array().map(Vec::len), Some(0));
        let serving = consentry.serve().await;
        let listed = consentry.answer(&["key", "list", "--verify", "--json"]);
        for purpose in Purpose::ALL {
            let keys = of(&listed, purpose.as_str(), "active");
            assert_eq!((keys.len(), &keys[0]["opens"]), (1, &Value::Bool(true)), "{purpose:?}: {listed}");
            assert_eq!(keys[0]["alg"], purpose.algorithm().as_str());
            let a_day = TimeDelta::days(1);
            assert!(time(&keys[0]["due_at"]) > time(&keys[0]["created_at"]) + a_day * 89, "{listed}");
        }
        let signing = of(&listed, "sign", "active")[0]["kid"].clone();

        // A new one is published at once, takes over later, and the one before is kept.
        let made = consentry.answer(&["key", "rotate", "--purpose", "sign", "--json"]);
        let made = &made.as_array().unwrap()[0];
        let listed = consentry.answer(&["key", "list", "--json"]);
        assert_eq!(of(&listed, "sign", "next")[0]["kid"], made["kid"]);
        let old = of(&listed, "sign", "active")[0];
        assert_eq!((&old["kid"], &old["retired_at"]), (&signing, &made["active_at"]));
        assert!(time(&made["active_at"]) - time(&made["created_at"]) > TimeDelta::seconds(300));
        assert!(time(&old["needed_until"]) - time(&old["retired_at"]) > TimeDelta::days(1));
        let expected = [&made["kid"], &signing].map(|kid| kid.as_str().unwrap().to_owned());
        for turn in 0.. {
            let published = reqwest::get(format!("{}/.well-known/jwks.json", consentry.own())).await.unwrap();
            assert_eq!(published.headers()["cache-control"], "public, max-age=300");
            let published: Value = published.json().await.unwrap();
            let kids: Vec<&str> =
                published["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
            if expected.iter().all(|kid| kids.contains(&kid.as_str())) {
                break;
            }
            assert!(turn < 30, "not published within three seconds: {kids:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }

        // A resource whose API wants another algorithm.
        consentry.answer(&["resource", "list", "--json"]);
        let unknown = ["resource", "set-algorithm", "https://nowhere.example", "RS256"];
        let unknown = consentry.command().args(unknown).heard();
        assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no resource"), "{unknown:?}");
        let wrong = ["resource", "set-algorithm", "https://nowhere.example", "HS256"];
        assert_eq!(consentry.command().args(wrong).heard().status.code(), Some(2));

        // Asked for again before it has begun, there is nothing to do.
        assert_eq!(consentry.answer(&["key", "rotate", "--purpose", "sign", "--json"]).as_array().map(Vec::len), Some(0));
        // All others, by one command.
        let made = consentry.answer(&["key", "rotate", "--json"]);
        assert_eq!(made.as_array().map(Vec::len), Some(Purpose::ALL.len() - 1), "{made}");
        let listed = consentry.answer(&["key", "list", "--json"]);
        assert_eq!(of(&listed, "seal-data", "active")[0]["needed_until"], Value::Null, "until rows are sealed anew");
        let told = consentry.command().args(["key", "list"]).heard();
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(told.contains("seal-data") && told.contains("kept while"), "{told}");
        drop(serving);
    }

    async fn a_key_that_a_wrong_clock_put_far_ahead_holds_up_nothing(engine) {
        let clock = Clock::standing_at(Clock::system().now());
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let (store, registry) = (&world.running.server.store, world.running.registry());
        let newest = async || {
            let keys = store.working_keys().await.unwrap();
            keys.into_iter().find(|key| key.purpose == Purpose::SealData && key.is_newest()).unwrap()
        };
        let (first, ahead) = (newest().await, clock.now() + TimeDelta::days(400));
        let new = ring::new_key(&MasterKey::new(MASTER), (first.purpose, first.algorithm), ahead, ahead).unwrap();
        let rotation = KeyRotation { old: first.kid, new: new.clone(), needed_until: None, why: Why::Routine };
        store.rotate_key(&rotation, &world.running.operator()).await.unwrap();
        jobs::keys::once(&world.running.server).await.unwrap();
        let third = newest().await;
        assert!(third.kid != new.kid && third.active_at <= clock.now() + TimeDelta::seconds(10), "{third:?}");
        // By hand, the one of a moment ago is waited for.
        let (master, timetable) = (MasterKey::new(MASTER), KeyTimetable::default());
        let means = Means { master: &master, timetable: &timetable };
        let replaced = rotate(&registry, means, (Purpose::SealData, None)).await.unwrap();
        assert!(matches!(&replaced[..], [Replaced::Waits(key)] if key.kid == third.kid), "{replaced:?}");
        clock.advance(TimeDelta::days(1));
        let ring = world.running.server.keyring.follow(store, clock.now()).await.unwrap();
        assert_eq!(ring.sealing(Purpose::SealData).unwrap().kid(), third.kid);
    }

    /// Making a round of keys takes a while, of which none may lose some.
    async fn each_key_of_a_round_is_known_for_as_long_before_it_is_used(engine) {
        let world = World::new(engine).await;
        let (master, now) = (MasterKey::new(MASTER), Some(TimeDelta::zero()));
        let timetable = KeyTimetable { signing_key_age: now, working_key_age: now, ..KeyTimetable::default() };
        let means = Means { master: &master, timetable: &timetable };
        let made = rotate_due(&world.running.registry(), means).await.unwrap();
        assert_eq!(made.len(), Purpose::ALL.len());
        assert!(made.iter().all(|key| key.active_at == key.created_at + timetable.lead(key.purpose)), "{made:?}");
        assert!(made[0].created_at < made[made.len() - 1].created_at, "{made:?}");
    }

    async fn a_key_that_is_given_up_has_a_successor_of_its_algorithm(engine) {
        let world = World::new(engine).await;
        let (store, registry, now) = (&world.running.server.store, world.running.registry(), world.running.server.clock.now());
        let kind = (Purpose::Sign, KeyAlgorithm::EdDsa);
        let lost = ring::new_key(&MasterKey::new([0x5a; 32]), kind, now, now).unwrap();
        store.add_first_keys(std::slice::from_ref(&lost), &world.running.operator()).await.unwrap();
        assert_eq!(give_up(&registry, &[MasterKey::new(MASTER)]).await.unwrap().kids, [lost.kid]);
        let ring = world.running.server.keyring.follow(store, world.running.server.clock.now()).await.unwrap();
        let key = ring.signing(SigningAlgorithm::EdDsa).unwrap().kid();
        assert!(key != lost.kid && key != ring.signing(SigningAlgorithm::Es256).unwrap().kid());
        assert!(give_up(&registry, &[MasterKey::new(MASTER)]).await.unwrap().kids.is_empty());
    }

    async fn an_emergency_is_foretold_and_then_done(engine) {
        let installed = Installation::new(engine).await;
        let Installation { database, .. } = &installed;
        let consentry = installed.program();
        consentry.set_up();
        consentry.answer(&["key", "rotate", "--purpose", "sign", "--json"]);
        let before = consentry.answer(&["key", "list", "--json"]);
        let haste = ["key", "rotate", "--purpose", "sign", "--compromised"];
        let told = consentry.command().args(haste).heard();
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(told.contains("Every access token ends") && told.contains("Nothing was done yet"), "{told}");
        let foretold = consentry.answer(&[&haste[..], &["--json"]].concat());
        assert_eq!((&foretold["done"], foretold["ends"].as_array().map(Vec::len)), (&Value::Bool(false), Some(2)));
        assert_eq!(consentry.answer(&["key", "list", "--json"]), before, "nothing was done");

        let done = consentry.answer(&[&haste[..], &["--yes", "--json"]].concat());
        let new = &done["keys"].as_array().unwrap()[0];
        assert!(time(&new["active_at"]) - time(&new["created_at"]) <= TimeDelta::seconds(3), "{done}");
        let listed = consentry.answer(&["key", "list", "--json"]);
        for old in foretold["ends"].as_array().unwrap() {
            let now = listed.as_array().unwrap().iter().find(|key| key["kid"] == old["kid"]).unwrap();
            assert_eq!(now["needed_until"], new["active_at"], "{now}");
        }
        assert_eq!(database.audited("key.compromised").await, 1);
        // What is left out is asked for.
        let refused = consentry.command().args(["key", "rotate", "--compromised"]).heard();
        assert_eq!(refused.status.code(), Some(2));
    }

    async fn a_new_master_key_wraps_everything_at_the_next_start(engine) {
        let installed = Installation::new(engine).await;
        let Installation { database, folder, .. } = &installed;
        let consentry = installed.program();
        consentry.set_up();
        write_private(&folder.path().join("second.key"), &STANDARD.encode(consentry::random::bytes::<32>()));
        let masters = || {
            let listed = consentry.answer(&["key", "list", "--json"]);
            let mut masters: Vec<String> =
                listed.as_array().unwrap().iter().map(|key| key["master"].as_str().unwrap().to_owned()).collect();
            masters.dedup();
            masters
        };
        let start = async |masters: &str| consentry.serve_with(&[("CONSENTRY_MASTER_KEYS", masters)]).await;
        let idle = |log: &str, master: &str| log.contains("wraps nothing any more") && log.contains(master);

        start("file:master.key").await.stop();
        let [first] = masters().try_into().unwrap();
        // Listed second it only unwraps, and there is nothing yet.
        let mut serving = start("file:master.key,file:second.key").await;
        assert_eq!(masters().first(), Some(&first));
        assert!(!idle(&serving.log(), &first) && idle(&serving.log(), "master.id"), "{}", serving.log());
        serving.stop();
        // Listed first it wraps, and the other one could go.
        let mut serving = start("file:second.key,file:master.key").await;
        let [second] = masters().try_into().unwrap();
        assert_ne!(first, second);
        assert!(idle(&serving.log(), &first), "{}", serving.log());
        assert_eq!(database.audited("key.rewrapped").await, 1);
        serving.stop();
        let mut serving = start("file:second.key").await;
        assert!(!serving.log().contains("wraps nothing any more"), "{}", serving.log());
        serving.stop();
        // And the first alone opens nothing.
        let refused = consentry.command().arg("serve").heard();
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && told.contains(&second), "{told}");
    }

    /// Where the log begins was said by somebody who had the database alone: whoever gives keys up hears of it.
    async fn who_gives_keys_up_hears_that_the_logs_beginning_is_false(engine) {
        let installed = Installation::new(engine).await;
        let Installation { database, folder, .. } = &installed;
        let consentry = installed.program();
        consentry.set_up();
        consentry.answer(&["key", "rotate", "--json"]);
        let zeros = match engine {
            Engine::Sqlite => "zeroblob(32)",
            Engine::Postgres => "decode(repeat('00', 32), 'hex')",
        };
        let said = format!(
            "insert into audit_forgotten (id, number, digest, forgotten_at, kid, mac)
             values (1, 5, {zeros}, '2026-11-01 00:00:00+00:00', 7, {zeros})"
        );
        database.execute(&said).await;
        write_private(&folder.path().join("other.key"), &STANDARD.encode(consentry::random::bytes::<32>()));
        let other = ("CONSENTRY_MASTER_KEYS", format!("file:{}", folder.path().join("other.key").display()));
        let given_up = consentry.command().env(other.0, &other.1).args(["key", "give-up", "--yes"]).heard();
        let told = String::from_utf8_lossy(&given_up.stdout).into_owned();
        assert!(given_up.status.success() && told.contains("These are given up"), "{told}");
        assert!(told.contains("said with none of your keys"), "{told}");
        assert_eq!(database.count("audit_forgotten where number = 5 and kid = 7").await, 1);
    }

    async fn a_key_of_a_master_that_is_not_listed_is_named(engine) {
        let installed = Installation::new(engine).await;
        let Installation { database, folder, .. } = &installed;
        let consentry = installed.program();
        consentry.set_up();
        consentry.answer(&["key", "rotate", "--json"]);
        write_private(&folder.path().join("other.key"), &STANDARD.encode(consentry::random::bytes::<32>()));
        let other = ("CONSENTRY_MASTER_KEYS", format!("file:{}", folder.path().join("other.key").display()));
        let listed =
            consentry.command().env(other.0, &other.1).args(["key", "list", "--verify", "--json"]).heard();
        let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
        assert!(listed.as_array().unwrap().iter().all(|key| key["opens"] == Value::Bool(false)), "{listed}");
        let master = listed[0]["master"].as_str().unwrap();
        for command in [&["key", "rotate"][..], &["serve"]] {
            let refused = consentry.command().env(other.0, &other.1).args(command).heard();
            let told = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert_eq!(refused.status.code(), Some(1), "{told}");
            assert!(told.contains(master) && told.contains("list it in master_keys"), "{told}");
        }
        assert_eq!(consentry.answer(&["key", "list", "--json"]).as_array().map(Vec::len), listed.as_array().map(Vec::len));

        // If it is lost for good, what it wraps is given up, and the server begins anew.
        let with_other = |words: &[&str]| {
            let output = consentry.command().env(other.0, &other.1).args(words).heard();
            serde_json::from_slice::<Value>(&output.stdout).unwrap()
        };
        let all = listed.as_array().map(Vec::len);
        assert_eq!(with_other(&["key", "give-up", "--json"]).as_array().map(Vec::len), all);
        assert_eq!(database.count("working_keys where gone_at is null").await, i64::try_from(all.unwrap()).unwrap());
        assert_eq!(consentry.answer(&["key", "give-up", "--yes", "--json"]).as_array().map(Vec::len), Some(0));
        assert_eq!(with_other(&["key", "give-up", "--yes", "--json"]).as_array().map(Vec::len), all);
        drop(consentry.serve_with(&[(other.0, &other.1)]).await);
        let listed = with_other(&["key", "list", "--verify", "--json"]);
        assert_eq!(of(&listed, "mac", "active").len(), 1, "{listed}");
        assert_eq!(listed.as_array().unwrap().iter().filter(|key| key["opens"] == Value::Bool(true)).count(), Purpose::ALL.len());
        assert_eq!(database.audited("key.ended").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_makes_with_a_new_key_another_takes_that_has_not_read_it() {
    if without_postgres() {
        return;
    }
    let (world, b, clock) = two().await;
    let a = &world.running;
    let client = world.client(Dialect::Plugin).await;
    // With each key in turn: a form and a device mark, a request in flight, and what is sealed in a cookie.
    for purpose in [Purpose::Mac, Purpose::SealRequest] {
        replace(a, purpose).await;
        clock.advance(TimeDelta::seconds(11));
        a.server.keyring.follow(&a.server.store, clock.now()).await.unwrap();
        let kid = |node: &Running| match purpose {
            Purpose::Mac => node.server.keyring.current().mac().unwrap().kid,
            _ => Kid(0),
        };
        assert!(purpose != Purpose::Mac || kid(a) != kid(&b), "only one knows it");
        let browser = ByHand::new();
        let to_sign_in = browser.get(a, &plugin_request(&client)).await;
        let form = browser.get(a, to_sign_in.redirect()).await;
        let signed_in = browser.sign_in(&b, &form, "ada@example.com", PASSWORD).await;
        assert!(signed_in.location().is_some(), "{purpose:?}: {} {}", signed_in.status, signed_in.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_signing_key_is_published_by_every_node_within_a_second() {
    if without_postgres() {
        return;
    }
    let (world, b, clock) = two().await;
    replace(&world.running, Purpose::Sign).await;
    clock.advance(TimeDelta::seconds(1));
    let published: Value =
        reqwest::get(format!("{}/.well-known/jwks.json", b.own)).await.unwrap().json().await.unwrap();
    assert_eq!(published["keys"].as_array().map(Vec::len), Some(2), "{published}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_does_not_open_here_takes_nothing_away_from_the_rest() {
    if without_postgres() {
        return;
    }
    let (world, b, clock) = two().await;
    let store = &world.running.server.store;
    // A node that has got ahead with its master keys makes a key this one cannot read, and later one that it can.
    let now = clock.now();
    let newest = |purpose| async move {
        let keys = store.working_keys().await.unwrap();
        keys.into_iter().find(|key| key.purpose == purpose && key.is_newest()).unwrap()
    };
    let theirs = ring::new_key(
        &MasterKey::new([0x5a; 32]),
        (Purpose::SealCode, Purpose::SealCode.algorithm()),
        now,
        now + TimeDelta::days(1),
    )
    .unwrap();
    let rotation = KeyRotation {
        old: newest(Purpose::SealCode).await.kid,
        new: theirs.clone(),
        needed_until: None,
        why: Why::Routine,
    };
    store.rotate_key(&rotation, &world.running.operator()).await.unwrap();
    replace(&world.running, Purpose::Mac).await;
    let new = newest(Purpose::Mac).await.kid;
    clock.advance(TimeDelta::seconds(1));

    // A name that is made up: no failure of this server's, and everything else that is new is learnt.
    let ring = b.server.keyring.knowing([Kid(0xdead_beef)], &b.server.store, clock.now()).await.unwrap();
    assert!(ring.mac_of(new).is_some());
    assert_eq!(ring.unreadable().iter().map(|row| row.kid).collect::<Vec<_>>(), [theirs.kid]);
    let client = world.client(Dialect::Plugin).await;
    assert!(ByHand::new().get(&b, &plugin_request(&client)).await.redirect().contains("/sign-in"));
}
