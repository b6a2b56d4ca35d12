//! Old versions of API keys that their issuer does not end: what is told of them and where they are shown, also once the key
//! itself is removed; and an issuer that does not answer, which holds up nobody else's keys.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use consentry::{
    jobs,
    model::{
        account::Role,
        live::Live,
        plugin_secret::SecretSource,
        rotator::{Rotator, Way},
    },
    registry::plugin_secrets,
    rotators::Ask,
    store::{plugin_secrets::PluginSecret, secret_revocations::LeftAtIssuers},
    vault::SecretValue,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::rotators::{Rotated, put};
use crate::{
    attacks::by_hand::ByHand,
    harness::{
        process::{Consentry, Heard, free_port, write_private},
        server::MASTER,
        strangers::{answer::Answer, issuer::ADMIN_KEY},
    },
    on_both_engines,
    store::tables::Tables,
};

/// As many as may fetch from one host or wait for it (`outbound::turns`).
const CROWD: usize = 16;

/// More versions than are ended together (`jobs::secrets`).
const STUCK: i64 = 101;

const PAGE: &str = "/console/plugins/todo/secrets";

/// What `consentry secret list` says at the same database: as text, and as JSON.
fn listed(it: &Rotated) -> (String, Value) {
    let folder = tempfile::tempdir().unwrap();
    write_private(&folder.path().join("master.key"), &STANDARD.encode(MASTER));
    let (database, public_url) = (&it.world.database, it.world.running.url.clone());
    let consentry = Consentry { folder: folder.path(), database, port: free_port(), public_url };
    let run = |more: &[&str]| {
        let output = consentry.command().args(["secret", "list"]).args(more).heard();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    (run(&[]), serde_json::from_str(&run(&["--json"])).unwrap())
}

async fn left(it: &Rotated) -> LeftAtIssuers {
    it.server().store.left_at_issuers().await.unwrap()
}

/// The database lets nobody end a version of the key "broken".
const REFUSES: [&[&str]; 2] = [
    &["create trigger refuse before update on plugin_secret_versions
         when new.ended_at is not null and (select name from plugin_secrets where id = new.secret_id) = 'broken'
        begin select raise(abort, 'refused'); end"],
    &[
        "create function refuse() returns trigger language plpgsql as $$ begin
           if new.ended_at is not null and (select name from plugin_secrets where id = new.secret_id) = 'broken' then
             raise exception 'refused';
           end if;
           return new;
         end $$",
        "create trigger refuse before update on plugin_secret_versions for each row execute function refuse()",
    ],
];

on_both_engines! {
    async fn an_old_key_that_its_issuer_does_not_end_is_told_of_and_shown_until_it_is(engine) {
        let it = Rotated::new(engine).await;
        let (running, plugin) = (&it.world.running, it.world.plugin.id);
        let olive = running.add_account_as("olive@example.com", "Olive Owner", Role::Owner).await;
        it.server().store.add_owner(plugin, olive, &running.operator()).await.unwrap();
        it.pass(TimeDelta::minutes(61)).await;
        it.pass(TimeDelta::minutes(61)).await;
        assert_eq!(it.secret().await.newest(), 3);
        assert_eq!(left(&it).await, LeftAtIssuers::default(), "its overlap is not over");
        assert!(!listed(&it).0.contains("still to be ended"));
        it.admin_key.replace(Zeroizing::new("sk-admin-withdrawn-9x".to_owned()));
        it.pass(TimeDelta::minutes(2)).await;
        let ended = it.secret().await.versions[1].ended_at;
        assert_eq!(left(&it).await, LeftAtIssuers { number: 1, oldest: ended });
        assert_eq!(it.audited("secret.revocation_failed").await, 1);
        let calls = it.issuer.calls();
        for hours in [2, 3, 4] {
            it.pass(TimeDelta::hours(hours)).await;
        }
        // It is tried each time, beside the new version that cannot be made either.
        assert_eq!((it.issuer.calls() - calls, it.audited("secret.revocation_failed").await), (6, 1));
        it.pass(TimeDelta::days(1)).await;
        assert_eq!(it.audited("secret.revocation_failed").await, 2, "once a day");

        let (text, told) = listed(&it);
        assert!(text.contains("still to be ended where they were issued") && text.contains("upstream  todo    2"), "{text}");
        assert_eq!((&told[0]["removed_at"], &told[0]["versions"][1]["is_to_be_revoked"]), (&Value::Null, &json!(true)));
        // By whom, and nothing of what the key is called there.
        let makers: Vec<&Value> = told[0]["versions"].as_array().unwrap().iter().map(|it| &it["rotator"]).collect();
        assert_eq!(makers, [&json!("keys"), &json!("keys"), &Value::Null]);
        assert!(it.issuer.keys().iter().all(|key| !told.to_string().contains(&key.id)), "{told}");
        let browser = ByHand::signed_in(running, "olive@example.com").await;
        for path in [PAGE.to_owned(), format!("{PAGE}/upstream")] {
            let page = browser.get(running, &path).await.body;
            assert!(page.contains("version 2 still to be ended where it was issued"), "{page}");
            assert_eq!(page.contains("Made by the rotator keys"), path.ends_with("/upstream"), "{page}");
        }

        // Removed, it is as little forgotten.
        plugin_secrets::remove(&running.registry(), &it.secret().await).await.unwrap();
        it.pass(TimeDelta::hours(1)).await;
        assert_eq!(left(&it).await, LeftAtIssuers { number: 3, oldest: ended });
        let (text, told) = listed(&it);
        assert!(text.contains("No API key is kept") && text.contains("upstream (removed)  todo    2, 3"), "{text}");
        assert!(told[0]["removed_at"].is_string() && told[0]["is_to_be_abandoned"] == true, "{told}");
        assert_eq!(told[0]["versions"][0]["version"], 2);
        let page = browser.get(running, PAGE).await.body;
        assert!(page.contains("version 2, 3 still to be ended where it was issued"), "{page}");
        it.admin_key.replace(Zeroizing::new(ADMIN_KEY.to_owned()));
        it.pass(TimeDelta::hours(2)).await;
        assert_eq!(left(&it).await, LeftAtIssuers::default());
        assert_eq!(it.issuer.good(), ["made by hand"]);
        assert_eq!(listed(&it).1, json!([]));
        assert!(!browser.get(running, PAGE).await.body.contains("Removed, and not ended yet"));
        let everything = Tables::everything(&it.world.database).await;
        assert!(!everything.contains("Incorrect API key") && !everything.contains("withdrawn-9x"));
    }

    async fn an_issuer_that_does_not_answer_holds_up_nobody_elses_keys(engine) {
        // It answers as long as it is kept.
        let mut own = None;
        let it = Rotated::beside(engine, |strangers| {
            let host = strangers.host("keys.example");
            host.answer("/orders", Answer::json(&json!({ "value": "uk_9fQ2-made-by-the-service", "id": "k/7" })));
            let key = Live::new(Zeroizing::new(vec![7; 32]));
            let way = Way::Webhook { url: host.url("/orders"), key };
            own = Some(host);
            vec![Rotator { name: "own".into(), for_owners: false, way }]
        });
        let it = it.await;
        for number in 0..7 {
            let (name, value) = (format!("slow-{number}"), format!("uk_first-{number}-Zk2fQ7"));
            put(&it.world, &name, &value, SecretSource::Rotator("keys".into())).await.unwrap();
        }
        it.server().clock.advance(TimeDelta::seconds(1));
        put(&it.world, "quick", "uk_1-first-of-them", SecretSource::Rotator("own".into())).await.unwrap();
        it.issuer.hold();
        it.server().clock.advance(TimeDelta::minutes(61));
        let server = Arc::clone(it.server());
        let under_way = tokio::spawn(async move { jobs::secrets::once(&server).await });
        let version = async |name: &str| {
            let name = name.parse().unwrap();
            it.server().store.plugin_secret(it.world.plugin.id, &name).await.unwrap().unwrap()
        };
        for turn in 0.. {
            if version("quick").await.newest() == 2 {
                break;
            }
            assert!(turn < 500, "it waits for an issuer that is none of its");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Those that were due before it are no further: it has not waited until they were given up.
        for number in 0..7 {
            let slow = version(&format!("slow-{number}")).await;
            assert!(slow.newest() == 1 && slow.failing.is_none(), "{slow:?}");
        }
        it.issuer.go_on();
        under_way.await.unwrap().unwrap();
        assert_eq!(it.secret().await.newest(), 2);
        assert!(own.is_some_and(|own| own.requests() > 0), "the quick one was made there");
    }

    async fn versions_that_cannot_be_ended_keep_back_none_behind_them(engine) {
        let it = Rotated::new(engine).await;
        let (registry, ring) = (it.world.running.registry(), it.server().keyring.current());
        let next = async |secret: &PluginSecret, number: i64| {
            let value = SecretValue::new(format!("uk_{number}-by-hand-Zk2f"));
            plugin_secrets::rotate(&registry, &ring, (secret, number - 1), &value, None).await.unwrap()
        };
        // More than are looked at together, and all of them overdue for longer.
        let mut broken = put(&it.world, "broken", "uk_1-by-hand-Zk2f", SecretSource::People).await.unwrap();
        for number in 2..=STUCK + 1 {
            broken = next(&broken, number).await;
        }
        it.server().clock.advance(TimeDelta::seconds(10));
        next(&it.secret().await, 2).await;
        for sql in REFUSES[usize::from(engine == Engine::Postgres)] {
            it.world.database.execute(sql).await;
        }
        it.pass(TimeDelta::minutes(2)).await;
        let at = it.server().clock.now();
        assert_eq!(it.secret().await.versions[1].ended_at, Some(at));
        let overdue = async || it.server().store.secret_versions_to_end(at, 1000).await.unwrap().len();
        assert_eq!(overdue().await, usize::try_from(STUCK).unwrap());
        it.world.database.execute(match engine {
            Engine::Sqlite => "drop trigger refuse",
            Engine::Postgres => "drop trigger refuse on plugin_secret_versions",
        }).await;
        it.pass(TimeDelta::seconds(1)).await;
        assert_eq!(overdue().await, 0);
    }

    /// Nobody was asked, so nobody is told that an issuer fails.
    async fn what_finds_no_place_in_our_own_queue_is_no_failure_of_the_issuer(engine) {
        let it = Rotated::new(engine).await;
        it.pass(TimeDelta::minutes(61)).await;
        it.pass(TimeDelta::minutes(61)).await;
        it.server().clock.advance(TimeDelta::minutes(61));
        let (at, calls) = (it.server().clock.now(), it.issuer.calls());
        it.issuer.hold();
        let ask = Ask { label: "another's", plugin: "todo", name: "another" };
        let crowd = join_all((0..CROWD).map(|_| it.server().rotators.make("keys", ask, at)));
        // Those of the crowd stand in the queue before anything is due.
        tokio::select! {
            biased;
            _ = crowd => panic!("nobody held them"),
            done = jobs::secrets::once(it.server()) => done.unwrap(),
        }
        let secret = it.secret().await;
        assert_eq!((secret.newest(), &secret.failing, left(&it).await.number), (3, &None, 1));
        assert_eq!(secret.due.try_at, Some(it.server().clock.now() + TimeDelta::seconds(5)));
        assert!(it.issuer.calls() <= calls + 2, "it was not asked");
        it.issuer.go_on();
        it.pass(TimeDelta::seconds(5)).await;
        assert_eq!((it.secret().await.newest(), left(&it).await.number), (4, 0));
        for action in ["secret.rotation_failed", "secret.revocation_failed"] {
            assert_eq!(it.audited(action).await, 0, "{action}");
        }
    }

    async fn what_was_changed_in_one_row_keeps_no_other_key_from_being_renewed(engine) {
        let it = Rotated::new(engine).await;
        put(&it.world, "broken", "uk_first-of-a-broken-one", SecretSource::Rotator("keys".into())).await.unwrap();
        let mut tables = Tables::of(&it.world.database).await;
        tables.change(
            "update plugin_secret_versions set sealed = (select sealed from plugin_secret_versions v
               join plugin_secrets s on s.id = v.secret_id where s.name = 'upstream')
              where secret_id in (select id from plugin_secrets where name = 'broken')",
        ).await;
        tables.change("update plugin_secrets set routes = 'no route' where name = 'broken'").await;
        it.pass(TimeDelta::minutes(61)).await;
        // What does not open is another value than the new one, and is replaced like any other.
        let numbers = tables.lines(
            "select s.name || ' ' || max(v.number) from plugin_secrets s join plugin_secret_versions v on v.secret_id = s.id
              group by s.name order by s.name",
        ).await;
        assert_eq!(numbers, ["broken 2", "upstream 2"]);
    }
}
