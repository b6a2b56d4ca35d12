//! Sealing anew: whatever was sealed with a key that another one has taken over from opens with the new one alone, while
//! everybody goes on, and whoever is killed in the middle.
//!
//! `CONSENTRY_TEST_RESEAL_ROWS` says how many rows there are (5,000 where it is not set).

use std::{
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use consentry::{
    clock::Clock,
    jobs,
    keys::{
        master::MasterKey,
        place::Place,
        ring::{self, Ring},
        seal,
    },
    model::{
        id::{AccountId, MailId, PluginId, SecretId, SecretVersionId},
        key::{Kid, Purpose, WrappedKey},
        key_timetable::KeyTimetable,
        public_key::SigningAlgorithm,
    },
    random,
    registry::{
        RegistryError, keys,
        resealing::{self, Need, Turn},
    },
    server::Server,
    store::{
        Store,
        keys::{KeyRotation, RotateKey, Why},
        reseals::{Reseal, SealedColumn, SealedRow},
    },
};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    harness::{
        bulk,
        databases::Database,
        hooked::Hooked,
        kept::{Kept, Slot},
        load::Load,
        log,
        process::{Consentry, Heard, free_port, write_private},
        server::MASTER,
    },
    on_both_engines,
    store::tables::{Tables, hexadecimal},
};

/// How many people sign in meanwhile.
const KNOWN: usize = 40;

fn master() -> MasterKey {
    MasterKey::new(MASTER)
}

/// The keys that seal what rows keep, in the order in which they began.
async fn seal_data_keys(store: &Store) -> Vec<WrappedKey> {
    let mut keys = store.working_keys().await.unwrap();
    keys.retain(|key| key.purpose == Purpose::SealData);
    keys.sort_by_key(|key| key.active_at);
    keys
}

/// A new key takes over, as the command line has it.
async fn rotate(server: &Server) {
    let (master, timetable) = (master(), KeyTimetable::default());
    let means = keys::Means { master: &master, timetable: &timetable };
    keys::rotate(&server.registry(), means, (Purpose::SealData, None)).await.unwrap();
}

/// A new key, as if it had taken over five minutes ago.
async fn replaced_a_while_ago(server: &Server) -> (Kid, Kid) {
    let (old, then) = (seal_data_keys(&server.store).await.remove(0).kid, server.clock.now() - TimeDelta::minutes(5));
    let new = ring::new_key(&master(), (Purpose::SealData, Purpose::SealData.algorithm()), then, then).unwrap();
    let kid = new.kid;
    let rotation = KeyRotation { old, new, needed_until: None, why: Why::Routine };
    let audit = server.registry().audit(server.clock.now());
    assert_eq!(server.store.rotate_key(&rotation, &audit).await.unwrap(), RotateKey::Rotated);
    server.keyring.follow(&server.store, server.clock.now()).await.unwrap();
    (old, kid)
}

/// A process that does not outlive its test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a command until so many rows are sealed anew, and kills it there; how it stands then.
async fn kill_when(mut command: Command, store: &Store, kid: Kid, rows: u64) -> Reseal {
    let mut process = Ended(command.stdout(Stdio::null()).stderr(log::unread()).spawn().unwrap());
    let (began, patience) = (Instant::now(), Duration::from_secs(120 + rows / 100));
    while store.reseal(kid).await.unwrap().is_none_or(|reseal| reseal.resealed < rows) {
        assert!(process.0.try_wait().unwrap().is_none(), "it ended by itself");
        assert!(began.elapsed() < patience, "it takes too long");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // SIGKILL, which nobody can prepare for.
    process.0.kill().unwrap();
    process.0.wait().unwrap();
    store.reseal(kid).await.unwrap().unwrap()
}

/// Whether a value opens in its place, and is what it was.
fn opens(ring: &Ring, column: SealedColumn, value: &SealedRow) -> bool {
    let place = match column {
        SealedColumn::AuthenticatorApp => Place::AuthenticatorApp(AccountId(value.id)),
        SealedColumn::Mail => Place::Mail(MailId(value.id)),
        SealedColumn::WebhookSecret => Place::WebhookSecret(PluginId(value.id)),
        SealedColumn::OldWebhookSecret => Place::OldWebhookSecret(PluginId(value.id)),
        SealedColumn::PluginSecret => Place::PluginSecret(SecretVersionId(value.id)),
        SealedColumn::SecretReference => Place::SecretReference(SecretId(value.id)),
    };
    place.open(ring, &value.sealed).is_some_and(|plain| match place {
        Place::AuthenticatorApp(account) => plain == bulk::key_of(account),
        _ => true,
    })
}

/// Wipes what is needed no more, as the server does each minute.
async fn end_keys(server: &Server) -> Vec<Kid> {
    keys::end(&server.registry(), &server.keyring.current()).await.unwrap()
}

async fn pass(server: &Server, by: TimeDelta) {
    server.clock.advance(by);
    server.keyring.follow(&server.store, server.clock.now()).await.unwrap();
}

on_both_engines! {
    async fn everything_opens_with_the_new_key_alone_and_the_old_one_goes(engine) {
        let mut kept = Kept::new(engine).await;
        let server = Arc::clone(&kept.it.world.running.server);
        let registry = server.registry();
        assert_eq!(resealing::need(&registry).await.unwrap(), Need::None);
        // Something of version 0.1, and something that nobody can open.
        let former = |plugin: PluginId| [b"plugin_webhooks secret ".as_slice(), plugin.0.as_bytes()].concat();
        let (todo, old) = (kept.it.world.plugin.id, seal_data_keys(&server.store).await.remove(0).kid);
        let ring = server.keyring.current();
        let sealing = ring.sealing(Purpose::SealData).unwrap();
        let secret = sealing.seal_for(&former(todo), &[9; 32], server.clock.now(), random::bytes()).unwrap();
        kept.tables.put(Slot::OldSecret(todo).write(), todo.0, &secret).await;
        let lost = kept.slots.iter().find(|(slot, _)| matches!(slot, Slot::Mail(_))).unwrap().clone();
        kept.tables.put(lost.0.write(), lost.0.row(), &secret).await;

        rotate(&server).await;
        pass(&server, TimeDelta::zero()).await;
        let new = seal_data_keys(&server.store).await.remove(1).kid;
        let Need::From(from) = resealing::need(&registry).await.unwrap() else { panic!("a new key is there") };
        assert_eq!(from, server.clock.now() + TimeDelta::seconds(70), "nobody seals with the old one then");
        pass(&server, TimeDelta::seconds(10)).await;
        assert_eq!(resealing::need(&registry).await.unwrap(), Need::From(from));
        jobs::reseal::once(&server).await.unwrap();
        assert!(server.store.reseal(new).await.unwrap().is_none(), "not yet");
        pass(&server, TimeDelta::seconds(60)).await;
        assert_eq!(resealing::need(&registry).await.unwrap(), Need::Now);
        jobs::reseal::once(&server).await.unwrap();

        let done = server.store.reseal(new).await.unwrap().unwrap();
        assert_eq!(done.finished_at, Some(server.clock.now()));
        assert_eq!((done.resealed, done.progress.unreadable, done.remaining), (9, 1, 1));
        let detail = kept.tables.lines("select cast(detail as text) from audit_events where action = 'key.resealed'").await;
        let detail: Value = serde_json::from_str(&detail[0]).unwrap();
        assert_eq!(detail, json!({ "kid": new.to_string(), "resealed": 9, "unreadable": 1 }));
        assert_eq!(resealing::need(&registry).await.unwrap(), Need::None);
        // Whoever was held up finds it for an hour.
        let ends = server.clock.now() - TimeDelta::seconds(60) + TimeDelta::hours(1);
        assert_eq!(seal_data_keys(&server.store).await[0].needed_until, Some(ends));

        // What was read out of a row before opens until then.
        assert!(server.keyring.current().sealing_of(Purpose::SealData, old).is_some());
        assert!(end_keys(&server).await.is_empty());
        let wrapped = hexadecimal(&seal_data_keys(&server.store).await[0].wrapped);
        assert!(Tables::everything(&kept.it.world.database).await.contains(&wrapped));
        pass(&server, ends - server.clock.now()).await;
        assert_eq!(end_keys(&server).await, [old], "what opens under no key keeps none");
        assert!(!Tables::everything(&kept.it.world.database).await.contains(&wrapped), "no file has it");
        pass(&server, TimeDelta::zero()).await;
        assert!(server.keyring.current().sealing_of(Purpose::SealData, old).is_none());
        for (slot, before) in kept.slots.clone() {
            let bytes = kept.tables.bytes(slot.read(), slot.row()).await;
            let is_lost = slot == lost.0;
            assert_eq!(seal::kid_of(&bytes), Some(if is_lost { old } else { new }), "{slot:?}");
            assert_eq!(kept.opens(slot).await, !is_lost, "{slot:?}");
            assert!(!kept.would_open(slot, &before).await, "a copy of before opens no more: {slot:?}");
            kept.tables.put(slot.write(), slot.row(), &bytes).await;
        }
        // What was sealed for both columns of a webhook is sealed for one now.
        let old_secret = kept.tables.bytes(Slot::OldSecret(todo).read(), todo.0).await;
        assert!(!kept.would_open(Slot::Secret(todo), &old_secret).await);
    }

    async fn what_somebody_wrote_who_was_held_up_is_sealed_anew_too(engine) {
        let mut kept = Kept::new(engine).await;
        let (server, lost) = (Arc::clone(&kept.it.world.running.server), kept.slots[1].clone());
        let (old, (slot, before)) = (seal_data_keys(&server.store).await.remove(0).kid, kept.slots[0].clone());
        // What nobody can open keeps no key, and what can be opened is not hidden behind it.
        kept.tables.put(lost.0.write(), lost.0.row(), &before).await;
        rotate(&server).await;
        pass(&server, TimeDelta::seconds(70)).await;
        jobs::reseal::once(&server).await.unwrap();
        kept.tables.put(slot.write(), slot.row(), &before).await;
        pass(&server, TimeDelta::hours(1)).await;
        assert!(end_keys(&server).await.is_empty(), "a row needs it");
        pass(&server, TimeDelta::zero()).await;
        jobs::reseal::once(&server).await.unwrap();
        // The hour has gone by; what was read out of a row a moment ago is still opened.
        pass(&server, TimeDelta::minutes(10) - TimeDelta::milliseconds(1)).await;
        assert!(end_keys(&server).await.is_empty());
        pass(&server, TimeDelta::milliseconds(1)).await;
        assert_eq!(end_keys(&server).await, [old]);
        pass(&server, TimeDelta::zero()).await;
        assert!(kept.opens(slot).await && !kept.opens(lost.0).await);
    }

    async fn a_look_that_fails_holds_back_the_keys_of_rows_alone(engine) {
        let mut kept = Kept::new(engine).await;
        let server = Arc::clone(&kept.it.world.running.server);
        let old = seal_data_keys(&server.store).await.remove(0).kid;
        let (master, timetable) = (master(), KeyTimetable::default());
        let means = keys::Means { master: &master, timetable: &timetable };
        let signing = server.keyring.current().signing(SigningAlgorithm::Es256).unwrap().kid();
        keys::compromised(&server.registry(), means, Purpose::Sign).await.unwrap();
        rotate(&server).await;
        pass(&server, TimeDelta::seconds(70)).await;
        jobs::reseal::once(&server).await.unwrap();
        pass(&server, TimeDelta::hours(1)).await;
        kept.tables.lines("alter table authenticator_apps rename to put_aside").await;
        assert_eq!(end_keys(&server).await, [signing]);
        assert_eq!(seal_data_keys(&server.store).await.len(), 2, "nothing is known of it");
        kept.tables.lines("alter table put_aside rename to authenticator_apps").await;
        assert_eq!(end_keys(&server).await, [old]);
    }

    async fn what_another_node_can_open_is_not_taken_for_lost(engine) {
        let kept = Kept::new(engine).await;
        let server = kept.server();
        rotate(server).await;
        pass(server, TimeDelta::seconds(70)).await;
        let mut rows = server.store.working_keys().await.unwrap();
        let old = seal_data_keys(&server.store).await.remove(0).kid;
        for row in &mut rows {
            if row.kid == old {
                "ffffffff".clone_into(&mut row.master);
            }
        }
        let ring = Ring::unwrap(&[master()], &rows, server.clock.now());
        let refused = resealing::begin(&server.registry(), &ring).await.unwrap_err();
        assert!(matches!(refused, RegistryError::Key(_)), "{refused}");
        let kid = ring.sealing(Purpose::SealData).unwrap().kid();
        assert!(server.store.reseal(kid).await.unwrap().is_none(), "nothing has begun");
        resealing::begin(&server.registry(), &server.keyring.current()).await.unwrap();
        let refused = resealing::turn(&server.registry(), &ring, Duration::from_secs(1)).await.unwrap_err();
        assert!(matches!(refused, RegistryError::Key(_)) && refused.to_string().contains(&old.to_string()), "{refused}");
        let whole = resealing::turn(&server.registry(), &server.keyring.current(), Duration::from_secs(1)).await.unwrap();
        assert!(matches!(whole, Turn::Done(done) if (done.resealed, done.progress.unreadable) == (10, 0)), "{whole:?}");
    }

    async fn what_somebody_holds_is_sealed_anew_once_they_let_go(engine) {
        let kept = Kept::new(engine).await;
        let server = Arc::clone(&kept.it.world.running.server);
        rotate(&server).await;
        pass(&server, TimeDelta::seconds(70)).await;
        let mut aside = Tables::of(&kept.it.world.database).await;
        // On SQLite whoever writes holds the whole file, and is waited for.
        let Tables::Postgres(connection) = &mut aside else { return };
        sqlx::query("begin").execute(&mut *connection).await.unwrap();
        sqlx::query("select 1 from authenticator_apps for no key update").execute(&mut *connection).await.unwrap();
        let kid = resealing::begin(&server.registry(), &server.keyring.current()).await.unwrap();
        let turn = tokio::spawn({
            let server = Arc::clone(&server);
            async move { resealing::turn(&server.registry(), &server.keyring.current(), Duration::MAX).await.unwrap() }
        });
        let standing = async || server.store.reseal(kid).await.unwrap().unwrap();
        let began = Instant::now();
        while standing().await.resealed < 6 {
            assert!(began.elapsed() < Duration::from_secs(30), "{:?}", standing().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let held = standing().await;
        assert!(!turn.is_finished() && held.finished_at.is_none(), "two rows are left: {held:?}");
        assert_eq!((held.resealed, held.remaining), (8, 2));
        sqlx::query("rollback").execute(&mut *connection).await.unwrap();
        let done = turn.await.unwrap();
        assert!(matches!(done, Turn::Done(done) if (done.resealed, done.remaining) == (10, 0)), "{done:?}");
    }

    async fn on_the_command_line_it_waits_for_a_key_that_is_new(engine) {
        let database = Database::empty(engine).await;
        let folder = tempfile::tempdir().unwrap();
        let public_url = "http://localhost:1".to_owned();
        let consentry = Consentry { folder: folder.path(), database: &database, port: 1, public_url };
        consentry.set_up();
        let first = consentry.answer(&["key", "reseal", "--json"]);
        assert_eq!((&first["resealed"], &first["left"], &first["unreadable_rows"]), (&json!(0), &json!(0), &json!([])));
        assert!(first["finished_at"].is_string(), "{first}");
        consentry.answer(&["key", "rotate", "--purpose", "seal-data"]);
        let refused = consentry.command().args(["key", "reseal"]).heard();
        let told = String::from_utf8_lossy(&refused.stderr);
        assert!(refused.status.code() == Some(1) && told.contains("--follow"), "{told}");
    }

    #[expect(clippy::print_stdout, reason = "with very many rows it is a measurement")]
    async fn a_reseal_killed_twice_ends_complete_and_no_request_fails(engine) {
        let rows = std::env::var("CONSENTRY_TEST_RESEAL_ROWS").map_or(5_000, |rows| rows.parse().expect("a number"));
        let it = Arc::new(Hooked::new(engine, Clock::system()).await);
        let server = Arc::clone(&it.world.running.server);
        let store = &server.store;
        let people = bulk::people_with_apps(&it.world, rows, KNOWN).await;
        let (old, new) = replaced_a_while_ago(&server).await;
        let load = Load::begin(&it, people);

        let folder = tempfile::tempdir().unwrap();
        write_private(&folder.path().join("master.key"), &STANDARD.encode(MASTER));
        let consentry = Consentry {
            folder: folder.path(),
            database: &it.world.database,
            port: free_port(),
            public_url: it.world.running.url.clone(),
        };
        let command = || {
            let mut command = consentry.command();
            command.args(["key", "reseal", "--follow", "--json"]);
            command
        };
        let began = Instant::now();
        for part in [rows / 4, rows / 2] {
            let killed = kill_when(command(), store, new, part).await;
            assert!(killed.finished_at.is_none() && killed.resealed < rows, "{killed:?}");
            println!("{engine:?}: killed after {:?}, {} of {rows} sealed anew", began.elapsed(), killed.resealed);
        }
        let mut third = command();
        let output = tokio::task::spawn_blocking(move || third.heard()).await.unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
        println!("{engine:?}: done after {:?}: {told}", began.elapsed());
        let answer: Value = serde_json::from_str(&told).unwrap();
        assert_eq!((&answer["kid"], &answer["left"], &answer["unreadable"]), (&json!(new.to_string()), &json!(0), &json!(0)));
        assert!(answer["finished_at"].is_string(), "{told}");
        // The webhook's secret as well, and nothing twice.
        assert_eq!(answer["resealed"], rows + 1);

        for (what, done) in load.end().await {
            println!("{engine:?}: {} {what} meanwhile", done.times);
            assert_eq!(done.failures, Vec::<String>::new(), "{what}");
            assert!(done.times >= 5, "{what}: {}", done.times);
        }

        // Every value, with the new key alone.
        let keys: Vec<WrappedKey> = store.working_keys().await.unwrap().into_iter().filter(|key| key.kid == new).collect();
        let alone = Ring::unwrap(&[master()], &keys, server.clock.now());
        let mut opened = 0;
        for column in SealedColumn::ALL {
            let mut after = None;
            loop {
                let values = store.sealed_after(*column, after, 1000).await.unwrap();
                let Some(last) = values.last() else { break };
                after = Some(last.id);
                let closed = values.iter().find(|value| !opens(&alone, *column, value));
                assert!(closed.is_none(), "{column:?} {closed:?}");
                opened += values.len() as u64;
            }
        }
        println!("{engine:?}: {opened} values open with the new key alone");
        assert_eq!(opened, rows + 1);
        let keys = seal_data_keys(store).await;
        assert!(keys.iter().find(|key| key.kid == old).unwrap().needed_until.is_some(), "the old one can go");
    }
}
