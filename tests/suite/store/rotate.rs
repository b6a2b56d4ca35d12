//! Presenting a refresh token: the table of `Rotate`, line by line, and its edges to the millisecond.

use chrono::TimeDelta;
use consentry::{
    model::{
        Timestamp,
        client::AuthenticationMethod,
        digest::Digest,
        id::{ClientId, FamilyId},
    },
    random,
    store::families::{Redemption, Rotate, Rotation},
};

use super::{
    answers::{
        Answer::{Jumped, NotStanding, Repeated, Replayed, Rotated},
        present,
    },
    facts::{World, at, audit, start},
    tables::Tables,
};
use crate::on_both_engines;

/// The world's grace window in milliseconds.
const GRACE: i64 = 120_000;
const HOUR: i64 = 3_600_000;

/// A family that was rotated once, at the beginning: counter 1, predecessor 0.
async fn rotated_once(world: &World) -> FamilyId {
    let id = world.family().await;
    assert_eq!(world.present(id, 0, 0).await, Rotated(1));
    id
}

/// A family with ends of its own.
async fn family_until(world: &World, idle_until: Timestamp, expires_at: Timestamp) -> FamilyId {
    let redemption = Redemption { idle_until, expires_at, ..world.redemption() };
    world.store.redeem(&redemption, &audit(start())).await.unwrap();
    redemption.id
}

/// The idle end that is answered.
async fn idle_until(world: &World, rotation: &Rotation) -> Timestamp {
    match world.store.rotate(rotation, &audit(rotation.at)).await.unwrap() {
        Rotate::Rotated { family, .. } | Rotate::Repeated { family, .. } => family.idle_until,
        other => panic!("{other:?}"),
    }
}

on_both_engines! {
    async fn the_first_rotation_always_rotates(engine) {
        let world = World::new(engine).await;
        for milliseconds in [0, 1, GRACE - 1, GRACE, HOUR - 1] {
            let id = world.family().await;
            assert_eq!(world.present(id, 0, milliseconds).await, Rotated(1), "after {milliseconds} ms");
        }
    }

    async fn the_counter_repeats_while_the_window_is_open(engine) {
        let world = World::new(engine).await;
        let id = rotated_once(&world).await;
        let mut tables = Tables::of(&world.database).await;
        let before = tables.families().await;
        assert_eq!(world.present(id, 1, GRACE - 1).await, Repeated(1));
        assert_eq!(tables.families().await, before, "nothing is written");
    }

    async fn the_counter_rotates_when_the_window_is_over(engine) {
        let world = World::new(engine).await;
        let id = rotated_once(&world).await;
        assert_eq!(world.present(id, 1, GRACE).await, Rotated(2));
        assert_eq!(Tables::of(&world.database).await.counters().await, ["2 1"]);
    }

    async fn the_predecessor_repeats_while_the_window_is_open(engine) {
        let world = World::new(engine).await;
        let id = rotated_once(&world).await;
        let mut tables = Tables::of(&world.database).await;
        let before = tables.families().await;
        let again = world.store.rotate(&world.rotation(id, 0, GRACE - 1), &audit(at(1))).await.unwrap();
        let Rotate::Repeated { counter: 1, rotated_at, .. } = again else { panic!("{again:?}") };
        assert_eq!(rotated_at, start(), "names the key the first answer was made with");
        assert_eq!(tables.families().await, before, "nothing is written");
    }

    async fn the_predecessor_forks_when_the_window_is_over(engine) {
        let world = World::new(engine).await;
        let id = rotated_once(&world).await;
        assert_eq!(world.present(id, 0, GRACE).await, Rotated(2));
        let mut tables = Tables::of(&world.database).await;
        assert_eq!(tables.counters().await, ["2 0"], "the predecessor stays");
        assert_eq!(world.present(id, 0, GRACE + 1).await, Repeated(2));
        assert_eq!(world.present(id, 1, GRACE + 2).await, Replayed, "the skipped successor is condemned");
        assert_eq!(tables.end_reasons().await, ["refresh_replayed"]);
        assert_eq!(world.present(id, 2, GRACE + 3).await, NotStanding);
    }

    async fn a_counter_ahead_jumps(engine) {
        let world = World::new(engine).await;
        for milliseconds in [GRACE - 1, GRACE] {
            let id = rotated_once(&world).await;
            assert_eq!(world.present(id, 7, milliseconds).await, Jumped(8));
            assert_eq!(world.present(id, 7, milliseconds + 1).await, Repeated(8));
            assert_eq!(world.present(id, 8, milliseconds + 1).await, Repeated(8));
            assert_eq!(world.present(id, 8, milliseconds + GRACE).await, Rotated(9));
            assert_eq!(world.present(id, 1, milliseconds + GRACE).await, Replayed, "from before the jump");
        }
        let id = world.family().await;
        assert_eq!(world.present(id, 3, 1).await, Jumped(4), "also before the first rotation");
        let mut lines = Tables::of(&world.database).await.counters().await;
        lines.sort();
        assert_eq!(lines, ["4 3", "9 8", "9 8"]);
    }

    async fn anything_else_below_is_theft(engine) {
        let world = World::new(engine).await;
        let mut tables = Tables::of(&world.database).await;
        for (theft, milliseconds) in [(1, 2 * GRACE - 1), (1, 2 * GRACE), (0, 2 * GRACE - 1), (0, 5 * GRACE)] {
            let id = rotated_once(&world).await;
            assert_eq!(world.present(id, 1, GRACE).await, Rotated(2));
            assert_eq!(world.present(id, 7, GRACE).await, Jumped(8));
            assert_eq!(world.present(id, theft, milliseconds).await, Replayed);
            assert_eq!(world.present(id, 8, milliseconds).await, NotStanding, "the rightful holder's too");
            assert!(world.store.standing_family(id, at(milliseconds)).await.unwrap().is_none());
            assert_eq!(world.present(id, theft, milliseconds).await, NotStanding, "it ends once");
        }
        assert_eq!(tables.counters().await, vec!["8 7"; 4], "an end moves nothing");
        assert_eq!(tables.end_reasons().await, vec!["refresh_replayed"; 4]);
        let mut events = tables.family_events().await;
        events.retain(|event| event.starts_with("family.ended"));
        assert_eq!(events, vec!["family.ended refresh_replayed"; 4], "each is told, with whose it was");
    }

    async fn without_a_window_nothing_repeats(engine) {
        let world = World::new(engine).await;
        let id = world.family().await;
        let strict = |presented, milliseconds| Rotation {
            grace: TimeDelta::zero(),
            ..world.rotation(id, presented, milliseconds)
        };
        assert_eq!(present(&world.store, &strict(0, 0)).await, Rotated(1));
        assert_eq!(present(&world.store, &strict(1, 0)).await, Rotated(2), "even in the same millisecond");
        assert_eq!(present(&world.store, &strict(2, 1)).await, Rotated(3));
        assert_eq!(present(&world.store, &strict(5, 1)).await, Jumped(6));
        assert_eq!(present(&world.store, &strict(5, 1)).await, Replayed, "no predecessor is accepted");
        assert_eq!(Tables::of(&world.database).await.end_reasons().await, ["refresh_replayed"]);
    }

    async fn the_window_opens_at_each_rotation(engine) {
        let world = World::new(engine).await;
        let id = rotated_once(&world).await;
        assert_eq!(world.present(id, 1, GRACE - 1).await, Repeated(1), "a repeat does not reopen it");
        assert_eq!(world.present(id, 1, GRACE).await, Rotated(2));
        assert_eq!(world.present(id, 1, 2 * GRACE - 1).await, Repeated(2));
        assert_eq!(world.present(id, 2, 2 * GRACE - 1).await, Repeated(2));
        assert_eq!(world.present(id, 2, 2 * GRACE).await, Rotated(3));
    }

    async fn the_idle_end_moves_and_stays_below_the_absolute_one(engine) {
        let world = World::new(engine).await;
        let id = world.family().await;
        let first = world.rotation(id, 0, HOUR / 2);
        assert_eq!(idle_until(&world, &first).await, at(HOUR / 2 + HOUR));
        let again = world.rotation(id, 0, HOUR / 2 + 1);
        assert_eq!(idle_until(&world, &again).await, at(HOUR / 2 + HOUR), "a repeat does not move it");
        let mut counter = 1;
        for half_hours in 2..20 {
            let rotation = world.rotation(id, counter, half_hours * HOUR / 2);
            let expected = (rotation.at + TimeDelta::hours(1)).min(at(10 * HOUR));
            assert_eq!(idle_until(&world, &rotation).await, expected);
            let stored = world.store.standing_family(id, rotation.at).await.unwrap().unwrap();
            assert_eq!(stored.idle_until, expected);
            counter += 1;
        }
        assert_eq!(world.present(id, counter, 10 * HOUR - 1).await, Rotated(counter + 1));
        assert_eq!(world.present(id, counter + 1, 10 * HOUR).await, NotStanding);
    }

    async fn ends_are_kept_to_the_millisecond(engine) {
        let world = World::new(engine).await;
        // Whole seconds as well: a time's spelling must not move it.
        for end in [at(5_000), at(4_877)] {
            let later = end + TimeDelta::hours(1);
            for (idle, absolute) in [(end, later), (later, end), (end, end)] {
                let id = family_until(&world, idle, absolute).await;
                let late = Rotation { at: end, ..world.rotation(id, 0, 0) };
                assert_eq!(present(&world.store, &late).await, NotStanding);
                let in_time = Rotation { at: end - TimeDelta::milliseconds(1), ..world.rotation(id, 0, 0) };
                assert_eq!(present(&world.store, &in_time).await, Rotated(1), "what came late changed nothing");
            }
        }
    }

    async fn a_strangers_token_changes_nothing(engine) {
        let world = World::new(engine).await;
        let id = rotated_once(&world).await;
        let own = world.rotation(id, 1, GRACE);
        let strangers = [
            Rotation { id: FamilyId(random::id(start())), ..own.clone() },
            Rotation { client_id: ClientId(random::id(start())), ..own.clone() },
            Rotation { authentication_method: AuthenticationMethod::None, ..own.clone() },
            Rotation { secret_digest: Digest::of([8; 16]), ..own.clone() },
        ];
        let mut tables = Tables::of(&world.database).await;
        let before = (tables.families().await, tables.rows().await);
        for stranger in strangers {
            // The counter that rotates, the one that would be theft, the one that would jump.
            for presented in [1, -1, 9] {
                let presented = Rotation { presented, ..stranger.clone() };
                assert_eq!(present(&world.store, &presented).await, NotStanding, "{presented:?}");
            }
        }
        assert_eq!((tables.families().await, tables.rows().await), before);
        assert_eq!(present(&world.store, &own).await, Rotated(2));
    }

    async fn a_burst_gets_one_successor(engine) {
        let world = World::new(engine).await;
        for (counter, milliseconds) in [(0, 0), (1, GRACE)] {
            let id = if counter == 0 { world.family().await } else { rotated_once(&world).await };
            let callers: Vec<_> = (0..50)
                .map(|_| {
                    let (store, rotation) = (world.store.clone(), world.rotation(id, counter, milliseconds));
                    tokio::spawn(async move { present(&store, &rotation).await })
                })
                .collect();
            let mut rotated = 0;
            for caller in callers {
                match caller.await.unwrap() {
                    Rotated(successor) if successor == counter + 1 => rotated += 1,
                    Repeated(successor) if successor == counter + 1 => {}
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(rotated, 1, "the row moves once");
            assert_eq!(world.present(id, counter + 1, milliseconds + GRACE).await, Rotated(counter + 2));
        }
    }

    async fn ten_thousand_rotations_leave_no_rows(engine) {
        let world = World::new(engine).await;
        let id = family_until(&world, at(HOUR), start() + TimeDelta::days(365)).await;
        let mut tables = Tables::of(&world.database).await;
        let before = tables.rows().await;
        for counter in 0..10_000 {
            assert_eq!(world.present(id, counter, counter * GRACE).await, Rotated(counter + 1));
        }
        assert_eq!(tables.rows().await, before);
        assert_eq!(tables.counters().await, ["10000 9999"]);
    }
}
