//! Sealing anew: no column is forgotten, one node at a time is at it, a batch is kept with how far it is or not at all,
//! and whoever changes a row meanwhile wins.

use std::{collections::BTreeSet, time::Duration};

use consentry::{
    model::{
        id::AccountId,
        key::{Kid, Purpose, WrappedKey},
    },
    random,
    store::{
        factors::NewApp,
        keys::{KeyRotation, RotateKey, Why},
        reseals::{Progress, Reseal, ResealEnd, ResealKeeping, ResealTaking, ResealedRow, SealedColumn, SealedRow},
        webhooks::NewWebhook,
    },
};
use sqlx::{Connection, SqliteConnection};
use uuid::Uuid;

use super::{
    facts::{World, at, audit, new_account, start},
    tables::Tables,
};
use crate::{
    harness::{
        aside::at_once,
        databases::{Database, Engine},
    },
    on_both_engines,
};

pub const OLD: Kid = Kid(7);
pub const NEW: Kid = Kid(0x8000_0009);

/// Columns of bytes that are not sealed with a `seal-data` key, and why.
const NOT_SEALED: &[(&str, &[&str])] = &[
    (
        "a digest",
        &[
            "assertion_ids.digest",
            "client_secrets.digest",
            "clients.registration_digest",
            "families.secret_digest",
            "links.browser",
            "links.digest",
            "owner_tokens.digest",
            "recovery_codes.digest",
            "remembered_devices.digest",
            "sessions.digest",
            "sign_in_failures.subject",
            "audit_links.digest",
            "audit_links.previous",
            "audit_links.mac",
            "audit_forgotten.digest",
            "audit_forgotten.unproven_digest",
            "audit_forgotten.mac",
        ],
    ),
    ("the name of something", &["families.redemption", "passkeys.credential_id", "audit_links.members"]),
    ("a document for everybody", &["plugin_documents.body"]),
    ("a random number that is a name's salt", &["plugins.subject_salt", "retired_resources.subject_salt"]),
    ("wrapped by a master key", &["working_keys.wrapped"]),
    ("a row's key", &["reseals.after_row", "accounts.reviews", "audit_links.reached"]),
];

/// What has the shape of a sealed value.
pub fn sealed(kid: Kid, last: u8) -> Vec<u8> {
    [&[1][..], &kid.0.to_be_bytes(), &[0; 40], &[last]].concat()
}

/// Somebody with an authenticator app.
pub async fn with_app(world: &World, number: u8) -> AccountId {
    let account = new_account(&format!("somebody-{number}@example.com"));
    world.store.add_account(&account, &audit(start())).await.unwrap();
    let app = NewApp { account_id: account.id, sealed: sealed(OLD, number), step: 1 };
    assert!(world.store.add_authenticator_app(&app, &audit(start())).await.unwrap());
    account.id
}

/// A row of each column that a few statements make, sealed with the key of before; the last bytes of the values too.
pub async fn with_sealed_rows(world: &World) -> [(SealedColumn, Uuid, u8); 4] {
    let account = with_app(world, 1).await;
    let webhook = NewWebhook {
        plugin_id: world.plugin.id,
        address: "https://api.todo.example/hook".parse().unwrap(),
        secret: sealed(OLD, 2),
    };
    assert!(world.store.add_webhook(&webhook, &audit(start())).await.unwrap());
    let (mail, mut tables) = (random::id(start()), Tables::of(&world.database).await);
    let renewed = "update plugin_webhooks set old_secret = $2 where plugin_id = $1";
    tables.put(renewed, world.plugin.id.0, &sealed(OLD, 3)).await;
    let sent = "insert into outgoing_mails (id, sealed, due_at, created_at, expires_at)
        select $1, $2, created_at, created_at, created_at from accounts limit 1";
    tables.put(sent, mail, &sealed(OLD, 4)).await;
    [
        (SealedColumn::AuthenticatorApp, account.0, 1),
        (SealedColumn::Mail, mail, 4),
        (SealedColumn::WebhookSecret, world.plugin.id.0, 2),
        (SealedColumn::OldWebhookSecret, world.plugin.id.0, 3),
    ]
}

/// So many people, in the order of their rows.
async fn with_apps(world: &World, count: u8) -> Vec<SealedRow> {
    for number in 0..count {
        with_app(world, number).await;
    }
    world.store.sealed_after(SealedColumn::AuthenticatorApp, None, 1000).await.unwrap()
}

async fn take(world: &World, milliseconds: i64) -> Option<Reseal> {
    let taking = ResealTaking { kid: NEW, at: at(milliseconds), until: at(milliseconds + 1000) };
    world.store.take_reseal(&taking).await.unwrap()
}

pub async fn begun(world: &World) -> Reseal {
    world.store.begin_reseal(NEW, at(0)).await.unwrap();
    take(world, 0).await.expect("nobody else is at it")
}

pub fn keeping(reseal: &Reseal, rows: &[SealedRow]) -> ResealKeeping {
    let anew = |row: &SealedRow| ResealedRow { id: row.id, old: row.sealed.clone(), new: sealed(NEW, row.sealed[45]) };
    let after = rows.last().map(|row| row.id);
    ResealKeeping {
        kid: NEW,
        turn: reseal.turn,
        column: SealedColumn::AuthenticatorApp,
        rows: rows.iter().map(anew).collect(),
        progress: Progress { after, seen: rows.len() as u64, stirred: rows.len() as u64, ..Progress::BEGINNING },
        remaining: 10,
        until: at(5000),
    }
}

/// With which keys the apps are sealed, in the order of their rows.
async fn kids(world: &World) -> Vec<u32> {
    let rows = world.store.sealed_after(SealedColumn::AuthenticatorApp, None, 1000).await.unwrap();
    rows.iter().map(|row| u32::from_be_bytes(row.sealed[1..5].try_into().unwrap())).collect()
}

#[tokio::test]
async fn every_column_of_bytes_is_sealed_anew_or_has_a_reason_not_to_be() {
    const BYTES: &str = "
        select t.name || '.' || c.name
          from sqlite_schema t
          join pragma_table_info(t.name) c
         where t.type = 'table' and t.name not like '\\_%' escape '\\' and c.type = 'BLOB'
           and c.name <> 'id' and (c.name not like '%\\_id' escape '\\' or c.name = 'credential_id')";
    let database = Database::migrated(Engine::Sqlite).await;
    let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
    let columns: Vec<String> = sqlx::query_scalar(BYTES).fetch_all(&mut connection).await.unwrap();
    assert!(columns.len() > 15, "{columns:?}");
    let known: BTreeSet<&str> = SealedColumn::ALL.iter().map(|column| column.name()).collect();
    let excused: BTreeSet<&str> = NOT_SEALED.iter().flat_map(|(_, columns)| columns.iter().copied()).collect();
    let forgotten: Vec<&String> = columns
        .iter()
        .filter(|column| !known.contains(column.as_str()) && !excused.contains(column.as_str()))
        .collect();
    assert!(forgotten.is_empty(), "neither walked through nor excused: {forgotten:?}");
    for column in known {
        assert!(columns.iter().any(|there| there == column) && !excused.contains(column), "{column}");
    }
}

#[test]
fn a_walk_comes_through_all_columns() {
    let mut walked = vec![Progress::BEGINNING.place];
    while let Some(next) = walked.last().and_then(|column| column.next()) {
        walked.push(next);
    }
    assert_eq!(walked, SealedColumn::ALL);
}

on_both_engines! {
    async fn every_column_is_read_counted_and_changed(engine) {
        let world = World::new(engine).await;
        let (rows, mut tables) = (with_sealed_rows(&world).await, Tables::of(&world.database).await);
        let reseal = begun(&world).await;
        for (done, (column, id, last)) in rows.into_iter().enumerate() {
            assert_eq!(world.store.sealed_otherwise(NEW).await.unwrap(), 4 - done as u64);
            assert_eq!(world.store.rows_sealed_otherwise(column, NEW, 9).await.unwrap(), [id], "{column:?}");
            let row = SealedRow { id, sealed: sealed(OLD, last) };
            assert_eq!(world.store.sealed_after(column, None, 9).await.unwrap(), std::slice::from_ref(&row), "{column:?}");
            assert!(world.store.sealed_after(column, Some(id), 9).await.unwrap().is_empty());
            assert_eq!(world.store.sealed_with((column, OLD), None, 9).await.unwrap(), std::slice::from_ref(&row));
            assert!(world.store.sealed_with((column, OLD), Some(id), 9).await.unwrap().is_empty());
            assert!(world.store.sealed_with((column, NEW), None, 9).await.unwrap().is_empty());
            let keeping = ResealKeeping { column, ..keeping(&reseal, &[row]) };
            assert_eq!(world.store.keep_resealed(&keeping).await.unwrap(), Some(1), "{column:?}");
            assert_eq!(world.store.sealed_after(column, None, 9).await.unwrap()[0].sealed, sealed(NEW, last));
        }
        assert_eq!(world.store.sealed_otherwise(NEW).await.unwrap(), 0);
        let untouched = "select count(*) || ' ' || max(version) from plugin_webhooks";
        assert_eq!(tables.lines(untouched).await, ["1 1"], "nobody who looks at a webhook is told that it changed");
    }

    async fn a_walk_goes_through_a_column_row_by_row(engine) {
        let world = World::new(engine).await;
        let all = with_apps(&world, 7).await;
        assert!(all.windows(2).all(|pair| pair[0].id < pair[1].id));
        let (mut walked, mut after) = (Vec::new(), None);
        loop {
            let rows = world.store.sealed_after(SealedColumn::AuthenticatorApp, after, 3).await.unwrap();
            let Some(last) = rows.last() else { break };
            after = Some(last.id);
            walked.extend(rows);
        }
        assert_eq!(walked, all);
    }

    async fn one_node_at_a_time_is_at_it(engine) {
        let world = World::new(engine).await;
        assert!(take(&world, 0).await.is_none(), "it has not begun");
        world.store.begin_reseal(NEW, at(0)).await.unwrap();
        let store = world.store.clone();
        let taken = at_once(50, move |_| {
            let store = store.clone();
            async move { store.take_reseal(&ResealTaking { kid: NEW, at: at(1), until: at(1000) }).await.unwrap() }
        })
        .await;
        let first: Vec<Reseal> = taken.into_iter().flatten().collect();
        assert_eq!((first.len(), first[0].turn, first[0].held_until), (1, 1, at(1000)));
        assert!(take(&world, 999).await.is_none(), "not before its time");
        assert_eq!(take(&world, 1000).await.expect("it was killed").turn, 2);
    }

    async fn a_batch_is_kept_with_how_far_it_is_or_not_at_all(engine) {
        let world = World::new(engine).await;
        let all = with_apps(&world, 4).await;
        let first = begun(&world).await;
        assert_eq!(world.store.keep_resealed(&keeping(&first, &all[..2])).await.unwrap(), Some(2));
        assert_eq!(kids(&world).await, [NEW.0, NEW.0, OLD.0, OLD.0]);
        let standing = world.store.reseal(NEW).await.unwrap().unwrap();
        assert_eq!((standing.resealed, standing.remaining, standing.held_until), (2, 8, at(5000)));
        assert_eq!(standing.progress, Progress { after: Some(all[1].id), seen: 2, stirred: 2, ..Progress::BEGINNING });
        // It is killed, another goes on from there, and the first comes back too late.
        let second = take(&world, 5000).await.unwrap();
        assert_eq!(second.progress, standing.progress);
        assert_eq!(world.store.keep_resealed(&keeping(&first, &all[2..])).await.unwrap(), None);
        assert_eq!(kids(&world).await, [NEW.0, NEW.0, OLD.0, OLD.0], "nothing of it");
        assert!(!world.store.finish_reseal(&end(&first), &audit(at(5001))).await.unwrap());
        assert_eq!(world.store.keep_resealed(&keeping(&second, &all[2..])).await.unwrap(), Some(2));
        assert_eq!(kids(&world).await, [NEW.0; 4]);
    }

    async fn whoever_changes_a_row_meanwhile_wins_and_nobody_is_waited_for(engine) {
        let world = World::new(engine).await;
        let all = with_apps(&world, 4).await;
        let reseal = begun(&world).await;
        // One has another app meanwhile, one is gone.
        let mut tables = Tables::of(&world.database).await;
        let other = "update authenticator_apps set sealed = $2 where account_id = $1";
        tables.put(other, all[0].id, &sealed(OLD, 99)).await;
        tables.put("delete from authenticator_apps where account_id = $1 and sealed = $2", all[1].id, &all[1].sealed).await;
        // One is held by somebody; on SQLite that would be the whole file.
        let mut aside = Tables::of(&world.database).await;
        if let Tables::Postgres(connection) = &mut aside {
            sqlx::query("begin").execute(&mut *connection).await.unwrap();
            let hold = sqlx::query("select 1 from authenticator_apps where account_id = $1 for no key update");
            hold.bind(all[2].id).execute(&mut *connection).await.unwrap();
        }
        let held = usize::from(engine == Engine::Postgres);
        let batch = keeping(&reseal, &all);
        let kept = tokio::time::timeout(Duration::from_secs(5), world.store.keep_resealed(&batch));
        assert_eq!(kept.await.expect("nobody is waited for").unwrap(), Some(2 - held as u64));
        let left = world.store.sealed_after(SealedColumn::AuthenticatorApp, None, 9).await.unwrap();
        assert_eq!(left[0].sealed, sealed(OLD, 99), "the other app");
        assert_eq!(left.iter().filter(|row| row.sealed[1..5] == OLD.0.to_be_bytes()).count(), 1 + held);
    }

    async fn what_is_under_way_goes_on_and_what_was_done_begins_again(engine) {
        let world = World::new(engine).await;
        let all = with_apps(&world, 2).await;
        let first = begun(&world).await;
        world.store.keep_resealed(&keeping(&first, &all)).await.unwrap();
        world.store.begin_reseal(NEW, at(6000)).await.unwrap();
        let second = take(&world, 6000).await.unwrap();
        assert_eq!((second.started_at, second.resealed, second.turn), (at(0), 2, 2), "it goes on");
        let progress = Progress { seen: 2, unreadable: 1, ..Progress::BEGINNING };
        assert!(world.store.finish_reseal(&ResealEnd { progress, ..end(&second) }, &audit(at(7000))).await.unwrap());
        let done = world.store.reseal(NEW).await.unwrap().unwrap();
        assert_eq!((done.finished_at, done.remaining, done.resealed), (Some(at(7000)), 1, 2));
        assert!(take(&world, 9000).await.is_none(), "it is done");
        assert!(!world.store.finish_reseal(&end(&second), &audit(at(9000))).await.unwrap());
        assert_eq!(world.store.keep_resealed(&keeping(&second, &all)).await.unwrap(), None);
        world.store.begin_reseal(NEW, at(9001)).await.unwrap();
        let third = take(&world, 9001).await.unwrap();
        assert_eq!((third.started_at, third.resealed, third.progress), (at(9001), 0, Progress::BEGINNING));
        // Another key has taken over: this is over, and whoever is at it learns that.
        world.store.begin_reseal(Kid(11), at(9002)).await.unwrap();
        assert_eq!(world.store.keep_resealed(&keeping(&third, &[])).await.unwrap(), None);
        assert!(world.store.reseal(NEW).await.unwrap().is_none());
        assert_eq!(world.database.audited("key.resealed").await, 1);
    }

    async fn keys_that_were_replaced_before_it_began_have_an_end_after_it(engine) {
        let world = World::new(engine).await;
        let first = [key(1, Purpose::SealData, -900), key(5, Purpose::Mac, -900)];
        world.store.add_first_keys(&first, &audit(at(-900))).await.unwrap();
        for (old, new) in [
            (1, key(2, Purpose::SealData, -500)),
            (2, key(NEW.0, Purpose::SealData, 0)),
            (NEW.0, key(4, Purpose::SealData, 10_000)),
            (5, key(6, Purpose::Mac, -500)),
        ] {
            let rotation = KeyRotation { old: Kid(old), new, needed_until: None, why: Why::Routine };
            assert_eq!(world.store.rotate_key(&rotation, &audit(at(-900))).await.unwrap(), RotateKey::Rotated);
        }
        let reseal = begun(&world).await;
        assert!(world.store.finish_reseal(&end(&reseal), &audit(at(2000))).await.unwrap());
        let mut ends: Vec<_> =
            world.store.working_keys().await.unwrap().iter().map(|key| (key.kid.0, key.needed_until)).collect();
        ends.sort_unstable();
        assert_eq!(ends, [(1, Some(at(60_000))), (2, Some(at(60_000))), (4, None), (5, None), (6, None), (NEW.0, None)]);
        // Said once: a later walk keeps none alive for longer.
        world.store.begin_reseal(NEW, at(3000)).await.unwrap();
        let again = take(&world, 3000).await.unwrap();
        let later = ResealEnd { keys_needed_until: at(90_000), ..end(&again) };
        assert!(world.store.finish_reseal(&later, &audit(at(4000))).await.unwrap());
        assert!(world.store.working_keys().await.unwrap().iter().all(|key| key.needed_until != Some(at(90_000))));
    }

    async fn a_walk_ends_another_to_a_key_that_seals_no_more_only(engine) {
        let world = World::new(engine).await;
        replaced(&world).await;
        let walk = begun(&world).await;
        // A node that has not read the keys for long.
        world.store.begin_reseal(OLD, at(1)).await.unwrap();
        assert_eq!(world.store.keep_resealed(&keeping(&walk, &[])).await.unwrap(), Some(0), "it goes on");
        world.store.begin_reseal(NEW, at(2)).await.unwrap();
        assert!(world.store.reseal(OLD).await.unwrap().is_none());
    }
}

/// A key that seals no more, and the one that does.
pub async fn replaced(world: &World) {
    world.store.add_first_keys(&[key(OLD.0, Purpose::SealData, -900)], &audit(at(-900))).await.unwrap();
    let new = key(NEW.0, Purpose::SealData, -500);
    let rotation = KeyRotation { old: OLD, new, needed_until: None, why: Why::Routine };
    assert_eq!(world.store.rotate_key(&rotation, &audit(at(-600))).await.unwrap(), RotateKey::Rotated);
}

pub fn key(kid: u32, purpose: Purpose, active: i64) -> WrappedKey {
    WrappedKey {
        kid: Kid(kid),
        purpose,
        algorithm: purpose.algorithm(),
        master: "0123abcd".into(),
        wrapped: vec![1],
        created_at: at(-1000),
        active_at: at(active),
        retired_at: None,
        needed_until: None,
        gone_at: None,
    }
}

pub fn end(reseal: &Reseal) -> ResealEnd {
    ResealEnd { kid: NEW, turn: reseal.turn, progress: Progress::BEGINNING, keys_needed_until: at(60_000) }
}
