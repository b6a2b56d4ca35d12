//! Whoever watches the store is told of each operation by its name: how long it took, and whether it failed.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use consentry::store::{OpenOptions, Store, watch::Watch};

use crate::{harness::databases::Database, on_both_engines};

/// What was told, by all that are watched here at once: each looks for what it has asked.
static TOLD: Mutex<Vec<(&'static str, Duration, bool)>> = Mutex::new(Vec::new());

/// How far the clock goes from one look to the next.
fn elapsed() -> Duration {
    Duration::from_millis(7)
}

fn ended(operation: &'static str, took: Duration, has_failed: bool) {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner).push((operation, took, has_failed));
}

fn told(operation: &str) -> Vec<(Duration, bool)> {
    let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    told.iter().filter(|(name, ..)| *name == operation).map(|(_, took, has_failed)| (*took, *has_failed)).collect()
}

on_both_engines! {
    async fn each_operation_is_told_of(engine) {
        let database = Database::migrated(engine).await;
        let watch = Some(Watch { elapsed, ended });
        let store = Store::open(&OpenOptions { watch, ..database.options() }).await.unwrap();
        store.working_keys().await.unwrap();
        assert!(told("working_keys").contains(&(Duration::ZERO, false)));
        store.close().await;
        store.last_family_ends().await.unwrap_err();
        assert!(told("last_family_ends").iter().all(|(_, has_failed)| *has_failed));
        assert!(!told("last_family_ends").is_empty());
        assert!(told("close").is_empty(), "to end is no operation");
    }
}
