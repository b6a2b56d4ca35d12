//! Closing, crashing and opening again between two steps, and which schema a store will work on.

use consentry::store::{OpenOptions, SchemaState, Store, StoreError, families::Redeem};

use super::{
    answers::{
        Answer::{Repeated, Rotated},
        present,
    },
    facts::{World, at, audit},
    tables::Tables,
};
use crate::{
    harness::databases::{Database, Engine},
    on_both_engines,
};

const GRACE: i64 = 120_000;

/// The same world on another store.
async fn reopened(mut world: World) -> World {
    world.store.close().await;
    world.store = world.database.open().await;
    world
}

/// A copy of a SQLite file and its log, as a power cut would leave them: nobody closed anything.
async fn after_a_power_cut(world: &World) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["consentry.db", "consentry.db-wal"] {
        std::fs::copy(world.database.folder().join(name), folder.path().join(name)).unwrap();
    }
    let url = format!("sqlite://{}", folder.path().join("consentry.db").display());
    let store = Store::open(&OpenOptions { url, ..world.database.options() }).await.unwrap();
    (folder, store)
}

on_both_engines! {
    async fn a_line_goes_on_after_each_restart(engine) {
        let world = World::new(engine).await;
        let redemption = world.redemption();
        world.store.redeem(&redemption, &audit(at(0))).await.unwrap();

        let world = reopened(world).await;
        let retried = world.store.redeem(&redemption, &audit(at(0))).await.unwrap();
        assert!(matches!(retried, Redeem::Won(_)), "{retried:?}");
        assert_eq!(world.present(redemption.id, 0, 1).await, Rotated(1));

        let world = reopened(world).await;
        assert_eq!(world.present(redemption.id, 0, 2).await, Repeated(1), "the lost answer is given again");
        assert_eq!(world.present(redemption.id, 1, 1 + GRACE).await, Rotated(2));

        let world = reopened(world).await;
        let replay = consentry::store::families::Redemption { redemption: [0; 16], at: at(9), ..redemption.clone() };
        let replayed = world.store.redeem(&replay, &audit(at(9))).await.unwrap();
        assert!(matches!(replayed, Redeem::Replayed), "{replayed:?}");

        let world = reopened(world).await;
        assert!(world.store.standing_family(redemption.id, at(10)).await.unwrap().is_none());
    }

    async fn a_closed_store_is_unavailable(engine) {
        let world = World::new(engine).await;
        let id = world.family().await;
        world.store.close().await;
        let closed = world.store.rotate(&world.rotation(id, 0, 1), &audit(at(1))).await;
        assert!(matches!(closed, Err(StoreError::Unavailable(_))), "{closed:?}");
    }

    async fn migrating_twice_is_harmless(engine) {
        let world = World::new(engine).await;
        let id = world.family().await;
        let mut tables = Tables::of(&world.database).await;
        let before = tables.rows().await;
        world.store.migrate().await.unwrap();
        world.store.migrate().await.unwrap();
        assert_eq!(world.store.schema_state().await.unwrap(), SchemaState::Current);
        assert_eq!(tables.rows().await, before);
        assert_eq!(world.present(id, 0, 1).await, Rotated(1));
    }

    async fn two_programs_migrate_an_empty_database(engine) {
        let database = Database::empty(engine).await;
        let (one, other) = (database.open().await, database.open().await);
        let state = one.schema_state().await.unwrap();
        assert!(matches!(state, SchemaState::Behind(missing) if missing > 0), "{state:?}");
        let (first, second) = tokio::join!(one.migrate(), other.migrate());
        first.unwrap();
        second.unwrap();
        assert_eq!(other.schema_state().await.unwrap(), SchemaState::Current);
    }

    async fn a_database_from_the_future_is_left_alone(engine) {
        let database = Database::migrated(engine).await;
        let mut tables = Tables::of(&database).await;
        tables
            .change(
                "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                 values (99990101000000, 'later', true, '', 0)",
            )
            .await;
        let store = database.open().await;
        assert_eq!(store.schema_state().await.unwrap(), SchemaState::FromTheFuture);
        let before = tables.rows().await;
        let refused = store.migrate().await;
        assert!(matches!(refused, Err(StoreError::Misconfigured(_))), "{refused:?}");
        assert_eq!(store.schema_state().await.unwrap(), SchemaState::FromTheFuture);
        assert_eq!(tables.rows().await, before);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_needs_no_closing() {
    let mut world = World::new(Engine::Sqlite).await;
    let id = world.family().await;
    let other = world.database.open().await;
    drop(std::mem::replace(&mut world.store, other));
    assert_eq!(world.present(id, 0, 1).await, Rotated(1));
    let other = world.database.open().await;
    drop(std::mem::replace(&mut world.store, other));
    assert_eq!(world.present(id, 0, 2).await, Repeated(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_survives_a_power_cut() {
    let world = World::new(Engine::Sqlite).await;
    let redemption = world.redemption();
    world.store.redeem(&redemption, &audit(at(0))).await.unwrap();
    let (_folder, store) = after_a_power_cut(&world).await;
    assert_eq!(present(&store, &world.rotation(redemption.id, 0, 1)).await, Rotated(1));

    assert_eq!(world.present(redemption.id, 0, 1).await, Rotated(1));
    let (_folder, store) = after_a_power_cut(&world).await;
    assert_eq!(present(&store, &world.rotation(redemption.id, 0, 2)).await, Repeated(1));
    assert_eq!(present(&store, &world.rotation(redemption.id, 1, 1 + GRACE)).await, Rotated(2));
}
