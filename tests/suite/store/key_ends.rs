//! Working keys that are wiped: one that a row is sealed with stays, and holds back no other; and of what was wiped no file
//! has anything.

use consentry::{
    model::{
        Timestamp,
        key::{Kid, Purpose, WrappedKey},
    },
    random,
    store::{
        keys::{KeyRotation, Lost, RewrappedKey, RotateKey, SealingKeysEnded, Why},
        reseals::{ResealKeeping, ResealTaking, ResealedRow, SealedColumn},
    },
};

use uuid::Uuid;

use super::{
    facts::{World, at, audit},
    reseals::{NEW, OLD, begun, end, keeping, key, replaced, sealed, with_app, with_sealed_rows},
    tables::{Tables, hexadecimal},
};
use crate::{harness::databases::Database, on_both_engines};

/// The key before the old one.
const OLDER: Kid = Kid(3);

fn ended(wiped: &[Kid], kept: &[Kid]) -> SealingKeysEnded {
    SealingKeysEnded { wiped: wiped.to_vec(), kept: kept.to_vec() }
}

async fn needed_until(world: &World, kid: Kid) -> Option<Timestamp> {
    world.store.working_keys().await.unwrap().into_iter().find(|key| key.kid == kid).unwrap().needed_until
}

on_both_engines! {
    async fn a_key_that_a_row_is_sealed_with_stays_and_others_go(engine) {
        let world = World::new(engine).await;
        let first = [key(OLDER.0, Purpose::SealData, -950), key(20, Purpose::Sign, -950)];
        world.store.add_first_keys(&first, &audit(at(-950))).await.unwrap();
        for (old, new, until) in [
            (OLDER, key(OLD.0, Purpose::SealData, -900), None),
            (OLD, key(NEW.0, Purpose::SealData, -500), None),
            (Kid(20), key(21, Purpose::Sign, -500), Some(at(50_000))),
        ] {
            let rotation = KeyRotation { old, new, needed_until: until, why: Why::Routine };
            assert_eq!(world.store.rotate_key(&rotation, &audit(at(-900))).await.unwrap(), RotateKey::Rotated);
        }
        assert!(world.store.finish_reseal(&end(&begun(&world).await), &audit(at(2000))).await.unwrap());
        assert_eq!((needed_until(&world, OLDER).await, needed_until(&world, OLD).await), (Some(at(60_000)), Some(at(60_000))));
        // Somebody sealed before it, was held up, and writes now.
        with_app(&world, 1).await;
        assert_eq!(world.store.end_sealing_keys(&[], &audit(at(59_999))).await.unwrap(), ended(&[], &[]));
        assert_eq!(world.store.end_keys(&audit(at(60_000))).await.unwrap(), [Kid(20)], "what seals is not looked at there");
        assert_eq!(world.store.end_sealing_keys(&[], &audit(at(60_000))).await.unwrap(), ended(&[OLDER], &[OLD]));
        assert_eq!(needed_until(&world, OLD).await, None, "it has no end");
        assert_eq!(world.database.audited("key.ended").await, 2);
        assert_eq!(world.store.end_sealing_keys(&[], &audit(at(90_000))).await.unwrap(), ended(&[], &[]));

        // Another walk finds the row.
        world.store.begin_reseal(NEW, at(91_000)).await.unwrap();
        let taking = ResealTaking { kid: NEW, at: at(91_000), until: at(92_000) };
        let again = world.store.take_reseal(&taking).await.unwrap().unwrap();
        let rows = world.store.sealed_with((SealedColumn::AuthenticatorApp, OLD), None, 9).await.unwrap();
        assert_eq!(world.store.keep_resealed(&keeping(&again, &rows)).await.unwrap(), Some(1));
        assert!(world.store.finish_reseal(&end(&again), &audit(at(91_500))).await.unwrap());
        assert_eq!(world.store.end_sealing_keys(&[], &audit(at(120_000))).await.unwrap(), ended(&[OLD], &[]));
        let gone = world.store.working_keys_ever().await.unwrap().into_iter().find(|key| key.kid == OLD).unwrap();
        assert!(gone.wrapped.is_empty() && gone.gone_at == Some(at(120_000)), "{gone:?}");
    }

    async fn a_row_of_any_column_keeps_its_key(engine) {
        let world = World::new(engine).await;
        replaced(&world).await;
        let rows = with_sealed_rows(&world).await;
        let reseal = begun(&world).await;
        let change = async |(column, id, last): (SealedColumn, Uuid, u8), from: Kid, to: Kid| {
            let rows = vec![ResealedRow { id, old: sealed(from, last), new: sealed(to, last) }];
            let keeping = ResealKeeping { column, rows, ..keeping(&reseal, &[]) };
            assert_eq!(world.store.keep_resealed(&keeping).await.unwrap(), Some(1), "{column:?}");
        };
        for row in rows {
            change(row, OLD, NEW).await;
        }
        for row in rows {
            change(row, NEW, OLD).await;
            let_its_end_come(&world).await;
            assert_eq!(world.store.end_sealing_keys(&[], &audit(at(2000))).await.unwrap(), ended(&[], &[OLD]), "{:?}", row.0);
            change(row, OLD, NEW).await;
        }
        let_its_end_come(&world).await;
        assert_eq!(world.store.end_sealing_keys(&[], &audit(at(2000))).await.unwrap(), ended(&[OLD], &[]));
    }

    async fn what_is_lost_keeps_no_key_and_hides_no_row(engine) {
        let world = World::new(engine).await;
        replaced(&world).await;
        with_app(&world, 1).await;
        let app = SealedColumn::AuthenticatorApp;
        let lost = Lost { kid: OLD, column: app, rows: 1 };
        let others = [Lost { kid: NEW, ..lost }, Lost { column: SealedColumn::Mail, ..lost }, Lost { rows: 0, ..lost }];
        for other in others {
            let_its_end_come(&world).await;
            let done = world.store.end_sealing_keys(&[other], &audit(at(2000))).await.unwrap();
            assert_eq!(done, ended(&[], &[OLD]), "{other:?}");
        }
        with_app(&world, 2).await;
        let_its_end_come(&world).await;
        assert_eq!(world.store.end_sealing_keys(&[lost], &audit(at(2000))).await.unwrap(), ended(&[], &[OLD]));
        let_its_end_come(&world).await;
        let both = Lost { rows: 2, ..lost };
        assert_eq!(world.store.end_sealing_keys(&[both], &audit(at(2000))).await.unwrap(), ended(&[OLD], &[]));
    }

    async fn of_a_key_that_was_wiped_or_wrapped_anew_no_file_has_the_bytes(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        let drawn = || [random::bytes::<32>(), random::bytes::<32>()].concat();
        let with = |kid, purpose, wrapped: &[u8]| WrappedKey { wrapped: wrapped.to_vec(), ..key(kid, purpose, -900) };
        let (wiped, sealing, before, after) = (drawn(), drawn(), drawn(), drawn());
        let first = [with(1, Purpose::Sign, &wiped), with(2, Purpose::SealData, &sealing), with(3, Purpose::Mac, &before)];
        store.add_first_keys(&first, &audit(at(-900))).await.unwrap();
        // So that it stands in the file, and not in its log alone.
        assert!(store.scrub().await.unwrap());
        for (old, purpose) in [(1, Purpose::Sign), (2, Purpose::SealData)] {
            let new = key(old + 10, purpose, -500);
            let rotation = KeyRotation { old: Kid(old), new, needed_until: Some(at(100)), why: Why::Routine };
            store.rotate_key(&rotation, &audit(at(-600))).await.unwrap();
        }
        let everything = Tables::everything(&database).await;
        for bytes in [&wiped, &sealing, &before] {
            assert!(everything.contains(&hexadecimal(bytes)));
        }
        assert_eq!(store.end_keys(&audit(at(200))).await.unwrap(), [Kid(1)]);
        assert_eq!(store.end_sealing_keys(&[], &audit(at(200))).await.unwrap(), ended(&[Kid(2)], &[]));
        let anew = RewrappedKey { kid: Kid(3), before: "0123abcd".into(), master: "89abcdef".into(), wrapped: after.clone() };
        assert_eq!(store.rewrap_keys(&[anew], &audit(at(200))).await.unwrap(), 1);
        assert!(store.scrub().await.unwrap());
        let everything = Tables::everything(&database).await;
        assert!(everything.contains(&hexadecimal(&after)), "the other keys are there");
        for bytes in [&wiped, &sealing, &before] {
            assert!(!everything.contains(&hexadecimal(bytes)));
        }
    }

    async fn who_reads_as_of_before_keeps_the_log(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        let mut reader = Tables::of(&database).await;
        reader.lines("begin").await;
        reader.lines("select 'x' from working_keys").await;
        store.add_first_keys(&[key(1, Purpose::Sign, -900)], &audit(at(-900))).await.unwrap();
        // Postgres has no log that its readers keep.
        assert_eq!(store.scrub().await.unwrap(), engine == Engine::Postgres);
        store.add_first_keys(&[key(2, Purpose::Mac, -900)], &audit(at(-900))).await.expect("nobody is kept waiting");
        reader.let_go().await;
        assert!(store.scrub().await.unwrap());
    }
}

/// The end of the old key has come, whatever became of it before.
async fn let_its_end_come(world: &World) {
    let mut tables = Tables::of(&world.database).await;
    tables
        .change("update working_keys set needed_until = retired_at where retired_at is not null and gone_at is null")
        .await;
}
