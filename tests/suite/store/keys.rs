//! Working keys: however many nodes start at once, one key per purpose wins.

use consentry::model::key::{KeyAlgorithm, KeyState, Kid, Purpose, WrappedKey};

use super::facts::{at, audit};
use crate::{
    harness::{aside::at_once, databases::Database},
    on_both_engines,
};

fn key(kid: u32, purpose: Purpose) -> WrappedKey {
    WrappedKey {
        kid: Kid(kid),
        purpose,
        algorithm: KeyAlgorithm::Aes256Gcm,
        state: KeyState::Active,
        master: "0123abcd".into(),
        wrapped: vec![0, 255, 7, 0],
        created_at: at(0),
        active_at: Some(at(1)),
        retired_at: None,
    }
}

on_both_engines! {
    async fn a_key_comes_back_as_it_was(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        assert!(store.working_keys().await.unwrap().is_empty());
        let beyond = u32::try_from(i32::MAX).unwrap() + 1;
        let keys = [key(beyond, Purpose::Mac), key(u32::MAX, Purpose::Sign), key(0, Purpose::SealCode)];
        store.add_first_keys(&keys, &audit(at(2))).await.unwrap();
        let mut kept = store.working_keys().await.unwrap();
        kept.sort_by_key(|key| key.kid);
        assert_eq!(kept.iter().map(|key| key.kid.0).collect::<Vec<_>>(), [0, beyond, u32::MAX]);
        assert_eq!(format!("{:?}", kept[1]), format!("{:?}", keys[0]));
        assert_eq!(database.audited("key.added").await, 1, "one event for all that were added together");
    }

    async fn a_purpose_that_has_its_key_gets_no_other(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        store.add_first_keys(&[key(1, Purpose::Mac)], &audit(at(2))).await.unwrap();
        store.add_first_keys(&[key(2, Purpose::Mac)], &audit(at(3))).await.unwrap();
        assert_eq!(database.audited("key.added").await, 1, "nothing added, nothing told");
        store.add_first_keys(&[key(3, Purpose::Mac), key(4, Purpose::SealData)], &audit(at(4))).await.unwrap();
        let kids: Vec<u32> = store.working_keys().await.unwrap().iter().map(|key| key.kid.0).collect();
        assert_eq!(kids, [1, 4]);
        assert_eq!(database.audited("key.added").await, 2);
        store.add_first_keys(&[], &audit(at(5))).await.unwrap();
        assert_eq!(database.audited("key.added").await, 2);
    }

    async fn ten_nodes_that_start_at_once_agree(engine) {
        let database = Database::migrated(engine).await;
        let mut nodes = Vec::new();
        for _ in 0..10 {
            let mut options = database.options();
            options.connections_max = 1;
            nodes.push(consentry::store::Store::open(&options).await.unwrap());
        }
        let seen = at_once(10, |node| {
            let store = nodes[node].clone();
            async move {
                let first = 10 * u32::try_from(node).unwrap();
                let keys: Vec<WrappedKey> = (first..).zip(Purpose::ALL).map(|(kid, p)| key(kid, *p)).collect();
                store.add_first_keys(&keys, &audit(at(2))).await.unwrap();
                store.working_keys().await.unwrap().iter().map(|key| key.kid.0).collect::<Vec<_>>()
            }
        })
        .await;
        assert_eq!(seen[0].len(), Purpose::ALL.len());
        assert!(seen.iter().all(|kids| *kids == seen[0]), "{seen:?}");
        let purposes = database.count("(select distinct purpose from working_keys where state = 'active') p").await;
        assert_eq!(purposes, i64::try_from(Purpose::ALL.len()).unwrap());
    }

    async fn keys_that_are_gone_are_not_read(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        store.add_first_keys(&[key(1, Purpose::Mac), key(2, Purpose::Sign)], &audit(at(2))).await.unwrap();
        database.execute("update working_keys set state = 'gone' where kid = 1").await;
        let kids: Vec<u32> = store.working_keys().await.unwrap().iter().map(|key| key.kid.0).collect();
        assert_eq!(kids, [2]);
    }
}
