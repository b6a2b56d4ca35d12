//! Working keys: however many nodes start at once or change a key at once, one wins.

use chrono::TimeDelta;
use consentry::{
    model::{
        Timestamp,
        key::{KeyState, Kid, Purpose, WrappedKey},
    },
    store::{
        Store,
        keys::{KeyRotation, RewrappedKey, RotateKey, Why},
    },
};

use super::facts::{World, at, audit};
use crate::{
    harness::{aside::at_once, databases::Database},
    on_both_engines,
};

fn key(kid: u32, purpose: Purpose) -> WrappedKey {
    WrappedKey {
        kid: Kid(kid),
        purpose,
        algorithm: purpose.algorithm(),
        master: "0123abcd".into(),
        wrapped: vec![0, 255, 7, 0],
        created_at: at(0),
        active_at: at(1),
        retired_at: None,
        needed_until: None,
        gone_at: None,
    }
}

/// A key of the same kind takes over.
fn rotation(old: u32, new: u32, (active_at, needed_until): (Timestamp, Option<Timestamp>)) -> KeyRotation {
    let new = WrappedKey { active_at, ..key(new, Purpose::Mac) };
    KeyRotation { old: Kid(old), new, needed_until, why: Why::Routine }
}

async fn kids(store: &Store) -> Vec<u32> {
    let mut kids: Vec<u32> = store.working_keys().await.unwrap().iter().map(|key| key.kid.0).collect();
    kids.sort_unstable();
    kids
}

async fn one(store: &Store, kid: u32) -> WrappedKey {
    store.working_keys_ever().await.unwrap().into_iter().find(|key| key.kid.0 == kid).unwrap()
}

on_both_engines! {
    async fn a_key_comes_back_as_it_was(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        assert!(store.working_keys().await.unwrap().is_empty());
        let beyond = u32::try_from(i32::MAX).unwrap() + 1;
        let keys = [key(beyond, Purpose::Mac), key(u32::MAX, Purpose::Sign), key(0, Purpose::SealCode)];
        store.add_first_keys(&keys, &audit(at(2))).await.unwrap();
        assert_eq!(kids(&store).await, [0, beyond, u32::MAX]);
        assert_eq!(format!("{:?}", one(&store, beyond).await), format!("{:?}", keys[0]));
        assert_eq!(database.audited("key.added").await, 1, "one event for all that were added together");
    }

    async fn a_purpose_that_has_its_key_gets_no_other(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        store.add_first_keys(&[key(1, Purpose::Mac)], &audit(at(2))).await.unwrap();
        store.add_first_keys(&[key(2, Purpose::Mac)], &audit(at(3))).await.unwrap();
        assert_eq!(database.audited("key.added").await, 1, "nothing added, nothing told");
        store.add_first_keys(&[key(3, Purpose::Mac), key(4, Purpose::SealData)], &audit(at(4))).await.unwrap();
        assert_eq!(kids(&store).await, [1, 4]);
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
            nodes.push(Store::open(&options).await.unwrap());
        }
        let seen = at_once(10, |node| {
            let store = nodes[node].clone();
            async move {
                let first = 10 * u32::try_from(node).unwrap();
                let keys: Vec<WrappedKey> = (first..).zip(Purpose::ALL).map(|(kid, p)| key(kid, *p)).collect();
                store.add_first_keys(&keys, &audit(at(2))).await.unwrap();
                kids(&store).await
            }
        })
        .await;
        assert_eq!(seen[0].len(), Purpose::ALL.len());
        assert!(seen.iter().all(|kids| *kids == seen[0]), "{seen:?}");
        let purposes = database.count("(select distinct purpose from working_keys where retired_at is null) p").await;
        assert_eq!(purposes, i64::try_from(Purpose::ALL.len()).unwrap());
    }

    async fn a_key_takes_over_from_another_at_one_instant(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        store.add_first_keys(&[key(1, Purpose::Mac), key(9, Purpose::Sign)], &audit(at(1))).await.unwrap();
        let rotation = rotation(1, 2, (at(50), Some(at(99))));
        assert_eq!(store.rotate_key(&rotation, &audit(at(10))).await.unwrap(), RotateKey::Rotated);
        let (old, new) = (one(&store, 1).await, one(&store, 2).await);
        assert_eq!((old.retired_at, old.needed_until), (Some(at(50)), Some(at(99))));
        assert_eq!((new.active_at, new.retired_at, new.needed_until), (at(50), None, None));
        assert_eq!((old.state(at(49)), new.state(at(49))), (KeyState::Active, KeyState::Next));
        assert_eq!((old.state(at(50)), new.state(at(50))), (KeyState::Retired, KeyState::Active));
        assert!(one(&store, 9).await.is_newest(), "that of another purpose is left alone");
        assert_eq!(database.audited("key.rotated").await, 1);
        // The old one has its successor, and a key that is not there has none.
        for old in [1, 77] {
            let again = KeyRotation { old: Kid(old), new: key(3, Purpose::Mac), ..rotation.clone() };
            assert_eq!(store.rotate_key(&again, &audit(at(11))).await.unwrap(), RotateKey::MadeMeanwhile);
        }
        // A name that is taken, which chance may bring about: nothing is retired.
        let taken = KeyRotation { old: Kid(2), new: key(9, Purpose::Mac), ..rotation };
        assert_eq!(store.rotate_key(&taken, &audit(at(12))).await.unwrap(), RotateKey::MadeMeanwhile);
        assert!(one(&store, 2).await.is_newest());
        assert_eq!(database.audited("key.rotated").await, 1);
    }

    async fn of_fifty_who_replace_a_key_at_once_one_does(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        store.add_first_keys(&[key(1, Purpose::Mac)], &audit(at(1))).await.unwrap();
        let outcomes = at_once(50, |number| {
            let store = store.clone();
            async move {
                let new = 100 + u32::try_from(number).unwrap();
                store.rotate_key(&rotation(1, new, (at(50), None)), &audit(at(10))).await.unwrap()
            }
        })
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == RotateKey::Rotated).count(), 1);
        assert_eq!(kids(&store).await.len(), 2);
        assert_eq!(database.audited("key.rotated").await, 1);
    }

    async fn keys_that_somebody_else_may_know_end_together(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        store.add_first_keys(&[key(1, Purpose::Mac), key(9, Purpose::Sign)], &audit(at(1))).await.unwrap();
        // One is retired and kept for long, one is in use, and one has not begun.
        store.rotate_key(&rotation(1, 2, (at(10), Some(at(90_000)))), &audit(at(5))).await.unwrap();
        store.rotate_key(&rotation(2, 3, (at(5000), Some(at(95_000)))), &audit(at(20))).await.unwrap();
        let haste = KeyRotation { why: Why::Compromised, ..rotation(3, 4, (at(3000), Some(at(3000)))) };
        assert_eq!(store.rotate_key(&haste, &audit(at(30))).await.unwrap(), RotateKey::Rotated);
        let mut times = Vec::new();
        for kid in [1, 2, 3, 4] {
            let key = one(&store, kid).await;
            times.push((key.retired_at, key.needed_until));
        }
        let end = Some(at(3000));
        assert_eq!(times, [(Some(at(10)), end), (end, end), (end, end), (None, None)]);
        assert!(one(&store, 9).await.is_newest());
        assert_eq!((database.audited("key.compromised").await, database.audited("key.rotated").await), (1, 2));
    }

    async fn a_key_that_was_to_begin_far_ahead_is_replaced_with_the_one_before(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        store.add_first_keys(&[key(1, Purpose::Mac), key(9, Purpose::Sign)], &audit(at(1))).await.unwrap();
        let far = 500_000_000;
        store.rotate_key(&rotation(1, 2, (at(far), Some(at(2 * far)))), &audit(at(5))).await.unwrap();
        let routine = rotation(2, 3, (at(10_000), Some(at(99_000))));
        assert_eq!(store.rotate_key(&routine, &audit(at(20))).await.unwrap(), RotateKey::Rotated);
        for kid in [1, 2] {
            let key = one(&store, kid).await;
            assert_eq!((key.retired_at, key.needed_until), (Some(at(10_000)), Some(at(99_000))), "{kid}");
        }
        assert!(one(&store, 3).await.is_newest() && one(&store, 9).await.is_newest());
        // What was replaced before in time stays as it is.
        store.rotate_key(&rotation(3, 4, (at(20_000), Some(at(70_000)))), &audit(at(15_000))).await.unwrap();
        assert_eq!(one(&store, 1).await.needed_until, Some(at(99_000)));
    }

    async fn what_is_needed_no_more_is_wiped_and_stays_so(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        store.add_first_keys(&[key(1, Purpose::Mac), key(9, Purpose::Sign)], &audit(at(1))).await.unwrap();
        store.rotate_key(&rotation(1, 2, (at(50), Some(at(100)))), &audit(at(10))).await.unwrap();
        assert!(store.end_keys(&audit(at(99))).await.unwrap().is_empty());
        assert_eq!(database.audited("key.ended").await, 0);
        assert_eq!(store.end_keys(&audit(at(100))).await.unwrap(), [Kid(1)]);
        assert!(store.end_keys(&audit(at(101))).await.unwrap().is_empty());
        assert_eq!(database.audited("key.ended").await, 1);
        assert_eq!(kids(&store).await, [2, 9]);
        let gone = one(&store, 1).await;
        assert_eq!((gone.state(at(0)), gone.gone_at, gone.wrapped.is_empty()), (KeyState::Gone, Some(at(100)), true));
        // Whoever had read it before cannot bring it back.
        let rewrapped = RewrappedKey { kid: Kid(1), before: gone.master, master: "new".into(), wrapped: vec![1] };
        assert_eq!(store.rewrap_keys(&[rewrapped], &audit(at(102))).await.unwrap(), 0);
        assert!(!store.keep_until(Kid(1), at(500)).await.unwrap());
        let anew = KeyRotation { old: Kid(1), ..rotation(1, 5, (at(200), None)) };
        assert_eq!(store.rotate_key(&anew, &audit(at(103))).await.unwrap(), RotateKey::MadeMeanwhile);
        assert!(one(&store, 1).await.wrapped.is_empty());
    }

    async fn how_long_a_key_is_kept_is_said_later_and_only_ever_shortened(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        store.add_first_keys(&[key(1, Purpose::Mac)], &audit(at(1))).await.unwrap();
        assert!(!store.keep_until(Kid(1), at(60)).await.unwrap(), "it is in use");
        store.rotate_key(&rotation(1, 2, (at(50), None)), &audit(at(10))).await.unwrap();
        assert!(store.end_keys(&audit(at(90_000))).await.unwrap().is_empty(), "nobody knows until when it is needed");
        assert!(store.keep_until(Kid(1), at(500)).await.unwrap());
        assert!(store.keep_until(Kid(1), at(700)).await.unwrap());
        assert_eq!(one(&store, 1).await.needed_until, Some(at(500)));
        store.keep_until(Kid(1), at(20)).await.unwrap();
        assert!(store.end_keys(&audit(at(49))).await.unwrap().is_empty(), "it is still in use until then");
        assert_eq!(store.end_keys(&audit(at(50))).await.unwrap(), [Kid(1)]);
        assert!(!store.keep_until(Kid(77), at(500)).await.unwrap());
    }

    async fn rows_are_wrapped_anew_each_by_whoever_is_first(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        store.add_first_keys(&[key(1, Purpose::Mac), key(9, Purpose::Sign)], &audit(at(1))).await.unwrap();
        let anew = |kid, master: &str, byte| RewrappedKey {
            kid: Kid(kid),
            before: "0123abcd".into(),
            master: master.into(),
            wrapped: vec![byte],
        };
        let counts = at_once(20, |number| {
            let store = store.clone();
            let byte = u8::try_from(number).unwrap();
            let keys = [anew(1, &format!("master{number}"), byte), anew(9, &format!("master{number}"), byte)];
            async move { store.rewrap_keys(&keys, &audit(at(5))).await.unwrap() }
        })
        .await;
        assert_eq!(counts.iter().sum::<u64>(), 2, "{counts:?}");
        for kid in [1, 9] {
            let key = one(&store, kid).await;
            assert_eq!(key.master, format!("master{}", key.wrapped[0]), "name and bytes of the same");
        }
        let events = database.audited("key.rewrapped").await;
        assert_eq!(events, i64::try_from(counts.iter().filter(|count| **count > 0).count()).unwrap());
        assert_eq!(store.rewrap_keys(&[], &audit(at(6))).await.unwrap(), 0);
    }

    async fn the_last_connection_says_how_long_its_key_is_kept(engine) {
        let it = World::new(engine).await;
        assert_eq!(it.store.last_family_ends().await.unwrap(), None);
        assert_eq!(it.store.families_alive(at(0)).await.unwrap(), 0);
        it.family().await;
        let end = at(0) + TimeDelta::hours(10);
        assert_eq!(it.store.last_family_ends().await.unwrap(), Some(end));
        assert_eq!(it.store.families_alive(at(0)).await.unwrap(), 1);
        assert_eq!(it.store.families_alive(end).await.unwrap(), 0);
    }
}
