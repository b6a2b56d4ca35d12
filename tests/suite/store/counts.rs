//! Counts: added up by any number of nodes, a bounded number of rows, and what was lost shows when one looks.

use chrono::{DateTime, TimeDelta};
use consentry::{
    model::{
        Timestamp,
        counts::{Count, Counted, Grain, Period, Refusal},
        family::EndReason,
        id::{ConsentId, FamilyId, PluginId},
    },
    random,
    store::{
        Store,
        consents::{ConsentGrant, ConsentKey},
        counts::{Connected, Found, Happened, Look},
        families::{FamilyEnd, Redemption},
        plugins::PluginImport,
    },
};
use futures_util::future::join_all;

use super::{
    facts::{World, at, audit, new_account, plugin, scopes, start},
    tables::Tables,
};
use crate::on_both_engines;

fn hour(number: i64) -> Timestamp {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::hours(number)
}

fn happened(plugin_id: PluginId, what: Counted, number: i64, count: i64) -> Happened {
    Happened { plugin_id, what, hour: Grain::Hour.start(hour(number)), count }
}

/// All counts of one grain.
async fn counts(store: &Store, plugin_id: PluginId, grain: Grain) -> Vec<Count> {
    store.counts(plugin_id, grain, DateTime::UNIX_EPOCH).await.unwrap()
}

fn sum(counts: &[Count], what: Counted) -> i64 {
    counts.iter().filter(|count| count.what == what).map(|count| count.count).sum()
}

/// Looks so many seconds after the beginning, for connections no younger than that.
fn looking(seconds: i64) -> Look {
    let now = at(seconds * 1000);
    Look { now, until: now, new_since: start() - TimeDelta::hours(1) }
}

async fn look(store: &Store, seconds: i64) -> Found {
    store.look_at_connections(&looking(seconds)).await.unwrap().remove(0)
}

/// Looks and keeps what was found.
async fn look_and_keep(store: &Store, seconds: i64) -> Found {
    let found = look(store, seconds).await;
    store.keep_connections(&[found]).await.unwrap();
    found
}

/// What was gained and lost so far, and who is connected.
async fn told(world: &World) -> (i64, i64, i64, i64) {
    let counts = counts(&world.store, world.plugin.id, Grain::Month).await;
    let now = world.store.connected(world.plugin.id).await.unwrap().unwrap();
    (sum(&counts, Counted::Gained), sum(&counts, Counted::Lost), now.people, now.connections)
}

on_both_engines! {
    async fn what_happened_is_counted_in_its_hour_its_day_and_its_month(engine) {
        let world = World::new(engine).await;
        let id = world.plugin.id;
        for what in Counted::all() {
            world.store.add_counts(&[happened(id, what, 0, 2), happened(id, what, 1, 3)]).await.unwrap();
        }
        world.store.add_counts(&[happened(id, Counted::Lost, 1, 4)]).await.unwrap();
        for grain in Grain::ALL {
            let kept = counts(&world.store, id, grain).await;
            let starts = if grain == Grain::Hour { 2 } else { 1 };
            assert_eq!(kept.len(), starts * Counted::all().count(), "{grain:?}");
            for what in Counted::all() {
                assert_eq!(sum(&kept, what), if what == Counted::Lost { 9 } else { 5 }, "{grain:?} {what:?}");
            }
            assert!(kept.iter().all(|count| grain.start(count.starts_at) == count.starts_at), "{kept:?}");
        }
        let later = world.store.counts(id, Grain::Hour, Grain::Hour.start(hour(1))).await.unwrap();
        assert_eq!(later.len(), Counted::all().count());
        assert!(counts(&world.store, PluginId(random::id(start())), Grain::Day).await.is_empty());
    }

    async fn nodes_that_count_at_once_add_up(engine) {
        let world = World::new(engine).await;
        let nodes = [world.database.open().await, world.database.open().await];
        let other = plugin("other", "other.example");
        world.store
            .import_plugin(&PluginImport::of(other.clone(), vec![], start()), &audit(start()))
            .await
            .unwrap();
        let add = |number: i64| {
            // Each in another order, and over the end of a day.
            let mut all: Vec<Happened> = Counted::all()
                .enumerate()
                .map(|(place, what)| {
                    let id = if place % 2 == 0 { world.plugin.id } else { other.id };
                    happened(id, what, number % 30, 1)
                })
                .collect();
            let turned = usize::try_from(number).unwrap() % all.len();
            all.rotate_left(turned);
            let store = &nodes[usize::try_from(number).unwrap() % 2];
            async move { store.add_counts(&all).await }
        };
        for done in join_all((0..50).map(add)).await {
            done.unwrap();
        }
        for grain in Grain::ALL {
            let mut kept = counts(&world.store, world.plugin.id, grain).await;
            kept.extend(counts(&world.store, other.id, grain).await);
            assert!(Counted::all().all(|what| sum(&kept, what) == 50), "{kept:?}");
        }
    }

    async fn rows_do_not_grow_with_use_and_leave_by_age(engine) {
        let world = World::new(engine).await;
        let id = world.plugin.id;
        // 100 days, with one count an hour of every kind, and more of them.
        for day in 0..100_i64 {
            let of = |number: i64| happened(id, Counted::TokenRequest, day * 24 + number, 9);
            let all: Vec<Happened> = (0..24).map(of).collect();
            world.store.add_counts(&all).await.unwrap();
            world.store.add_counts(&all).await.unwrap();
        }
        let now = hour(100 * 24 - 1);
        let rows = async |grain| counts(&world.store, id, grain).await.len();
        assert_eq!((rows(Grain::Hour).await, rows(Grain::Day).await), (2400, 101));
        for grain in Grain::ALL {
            assert!(world.store.forget_counts(grain, now - grain.kept(), 7).await.unwrap() <= 7, "a batch at a time");
            while world.store.forget_counts(grain, now - grain.kept(), 1000).await.unwrap() > 0 {}
        }
        let left = [rows(Grain::Hour).await, rows(Grain::Day).await, rows(Grain::Month).await];
        assert_eq!(left, [48, 40, 4]);
        for period in Period::ALL {
            let shown = world.store.counts(id, period.grain(), period.starts(now)[0]).await.unwrap();
            assert_eq!(shown.len(), match period { Period::Day => 24, Period::Month => 30, Period::Year => 4 });
        }
    }

    async fn what_happened_to_a_plugin_that_is_gone_is_passed_over(engine) {
        let world = World::new(engine).await;
        let gone = plugin("gone", "gone.example");
        world.store
            .import_plugin(&PluginImport::of(gone.clone(), vec![], start()), &audit(start()))
            .await
            .unwrap();
        world.store.add_counts(&[happened(gone.id, Counted::Gained, 0, 1)]).await.unwrap();
        let connected = Connected { counted_at: at(0), people: 1, connections: 1 };
        let found = Found { plugin_id: gone.id, before: None, now: connected, gained: 1 };
        world.store.keep_connections(&[found]).await.unwrap();
        assert_eq!(world.store.connected(gone.id).await.unwrap(), Some(connected));
        let mut tables = Tables::of(&world.database).await;
        tables.change("delete from resources where plugin_id in (select id from plugins where slug = 'gone')").await;
        tables.change("delete from plugin_verifications").await;
        tables.change("delete from plugins where slug = 'gone'").await;
        assert_eq!(world.store.connected(gone.id).await.unwrap(), None, "its numbers go with it");
        let both = [happened(gone.id, Counted::Gained, 0, 1), happened(world.plugin.id, Counted::Gained, 0, 1)];
        world.store.add_counts(&both).await.unwrap();
        world.store.keep_connections(&[found]).await.unwrap();
        assert!(counts(&world.store, gone.id, Grain::Hour).await.is_empty());
        assert_eq!(sum(&counts(&world.store, world.plugin.id, Grain::Hour).await, Counted::Gained), 1);
    }

    async fn words_of_a_newer_program_are_passed_over(engine) {
        let world = World::new(engine).await;
        let what = Counted::Refused(Refusal::Other);
        world.store.add_counts(&[happened(world.plugin.id, what, 0, 1)]).await.unwrap();
        assert_eq!(counts(&world.store, world.plugin.id, Grain::Day).await.len(), 1);
        Tables::of(&world.database).await.change("update plugin_counts set what = 'gate_calls'").await;
        assert!(counts(&world.store, world.plugin.id, Grain::Day).await.is_empty());
    }

    async fn connections_are_people_and_whatever_ends_them_is_a_loss(engine) {
        let world = World::new(engine).await;
        assert_eq!(look(&world.store, 0).await.now.connections, 0);
        let family = async |seconds: i64| {
            let redemption = Redemption { at: at(seconds * 1000), ..world.redemption() };
            world.store.redeem(&redemption, &audit(at(0))).await.unwrap();
            redemption.id
        };
        let [first, second] = [family(0).await, family(1).await];
        let found = look_and_keep(&world.store, 60).await;
        assert_eq!((found.before, found.gained, found.lost()), (None, 2, 0));
        assert_eq!(told(&world).await, (2, 0, 1, 2), "one person twice");

        // One ends, one begins.
        let end = |id: FamilyId| FamilyEnd { id, reason: EndReason::Revoked };
        assert!(world.store.end_family(&end(first), &audit(at(61_000))).await.unwrap());
        family(61).await;
        let found = look_and_keep(&world.store, 120).await;
        assert_eq!((found.gained, found.lost()), (1, 1));
        assert_eq!(told(&world).await, (3, 1, 1, 2));

        // Younger than the look; and what is neither gained nor lost is not counted again.
        family(500).await;
        let found = look_and_keep(&world.store, 121).await;
        assert_eq!((found.gained, found.lost(), found.now.connections), (0, 0, 2));
        let found = look_and_keep(&world.store, 600).await;
        assert_eq!((found.gained, found.lost(), found.now.connections), (1, 0, 3));

        // No family is touched when the consent's generation is raised, or time is over.
        assert!(world.store.end_family(&end(second), &audit(at(601_000))).await.unwrap());
        Tables::of(&world.database).await.change("update consents set generation = generation + 1").await;
        let found = look_and_keep(&world.store, 601).await;
        assert_eq!((found.gained, found.lost(), found.now.people), (0, 3, 0));
        Tables::of(&world.database).await.change("update consents set generation = generation - 1").await;
        let found = look_and_keep(&world.store, 602).await;
        assert_eq!((found.now.connections, found.lost()), (2, 0), "never less than nothing");
        let found = look_and_keep(&world.store, 3600).await;
        assert_eq!((found.now.connections, found.lost()), (0, 2), "all of them were idle for an hour");
        assert_eq!(told(&world).await, (4, 6, 0, 0));
        let people = counts(&world.store, world.plugin.id, Grain::Month).await;
        assert_eq!(sum(&people, Counted::People), 0, "as it is, and no sum");
    }

    async fn two_people_are_two_and_rows_that_were_swept_are_lost(engine) {
        let world = World::new(engine).await;
        let grace = new_account("grace@example.com");
        world.store.add_account(&grace, &audit(start())).await.unwrap();
        world.family().await;
        let key = ConsentKey { account_id: grace.id, ..world.consent_key() };
        let id = ConsentId(random::id(start()));
        let grant = ConsentGrant { id, key, scopes: scopes("todo.read"), left_out: scopes(""), document: None };
        let consent = world.store.grant_consent(&grant, &audit(start())).await.unwrap();
        let hers = Redemption { account_id: grace.id, consent_id: consent.id, ..world.redemption() };
        world.store.redeem(&hers, &audit(start())).await.unwrap();
        look_and_keep(&world.store, 10).await;
        assert_eq!(told(&world).await, (2, 0, 2, 2));
        Tables::of(&world.database).await.change("delete from families").await;
        look_and_keep(&world.store, 20).await;
        assert_eq!(told(&world).await, (2, 2, 0, 0));
    }

    async fn of_several_nodes_that_look_at_once_one_is_kept(engine) {
        let world = World::new(engine).await;
        let nodes = [world.database.open().await, world.database.open().await];
        for (round, expected) in [(1, (1, 0, 1, 1)), (2, (2, 0, 1, 2))] {
            let redemption = Redemption { at: at(round * 100_000), ..world.redemption() };
            world.store.redeem(&redemption, &audit(start())).await.unwrap();
            let mut all = Vec::new();
            for number in 0..6 {
                let store = &nodes[number % 2];
                let found = look(store, round * 100 + i64::try_from(number).unwrap()).await;
                all.push(async move { store.keep_connections(&[found]).await });
            }
            for done in join_all(all).await {
                done.unwrap();
            }
            assert_eq!(told(&world).await, expected);
        }
    }

    async fn connections_from_before_anybody_looked_are_not_new(engine) {
        let world = World::new(engine).await;
        world.family().await;
        let look = Look { new_since: start() + TimeDelta::seconds(1), ..looking(60) };
        let found = world.store.look_at_connections(&look).await.unwrap().remove(0);
        assert_eq!((found.gained, found.lost(), found.now.connections), (0, 0, 1));
    }
}
