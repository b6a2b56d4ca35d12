//! Callbacks that are offered to owners: counted, few, for some days, and none for whoever is gone.

use consentry::{
    model::{Timestamp, id::ClientId, redirect_uri::RedirectUri},
    random,
    store::{
        callback_offers::CallbackSeen,
        client_changes::{ChangeClient, ClientChange, ClientEdit},
        sweep::Sweep,
    },
};

use super::facts::{World, at, audit, new_client, start};
use crate::on_both_engines;

fn uri(number: i64) -> RedirectUri {
    format!("https://chat.example/{number}").parse().unwrap()
}

fn seen(client: ClientId, number: i64, at: Timestamp) -> CallbackSeen {
    CallbackSeen { client_id: client, redirect_uri: uri(number), first_at: at, last_at: at, times: 1 }
}

async fn offered(world: &World, since: Timestamp) -> Vec<RedirectUri> {
    let offers = world.store.callback_offers(world.client, since).await.unwrap();
    offers.into_iter().map(|offer| offer.redirect_uri).collect()
}

on_both_engines! {
    async fn what_is_asked_for_again_is_counted_and_the_latest_few_stay(engine) {
        let world = World::new(engine).await;
        let other = new_client(&world.plugin);
        world.store.add_client(&other, &audit(start())).await.unwrap();
        world.store.note_callbacks(&[seen(other.id, 0, at(0))], 3).await.unwrap();
        for number in [1, 2, 3, 4, 2] {
            let now = at(number * 10 + if offered(&world, start()).await.len() == 3 { 100 } else { 0 });
            world.store.note_callbacks(&[seen(world.client, number, now)], 3).await.unwrap();
        }
        assert_eq!(offered(&world, start()).await, [uri(4), uri(2), uri(3)]);
        let offers = world.store.callback_offers(world.client, start()).await.unwrap();
        assert_eq!((offers[1].first_seen_at, offers[1].last_seen_at, offers[1].seen), (at(20), at(120), 2));
        assert_eq!(offered(&world, at(30)).await, [uri(4), uri(2)], "not too old");
        assert_eq!(world.database.count("callback_offers").await, 4, "another client's is its own");
        assert_eq!(world.database.count("audit_events where action like '%callback%'").await, 0);
    }

    async fn a_client_that_is_gone_or_disabled_is_offered_nothing(engine) {
        let world = World::new(engine).await;
        let nobody = ClientId(random::id(start()));
        world.store.note_callbacks(&[seen(nobody, 1, at(1)), seen(world.client, 1, at(1))], 3).await.unwrap();
        assert_eq!(world.database.count("callback_offers").await, 1);
        world.store.disable_client(&world.client_id, &audit(at(2))).await.unwrap();
        world.store.note_callbacks(&[seen(world.client, 2, at(3))], 3).await.unwrap();
        assert_eq!(offered(&world, start()).await, [uri(1)]);
    }

    async fn what_is_registered_or_dismissed_is_offered_no_more(engine) {
        let world = World::new(engine).await;
        let client = world.store.client(&world.client_id, at(1)).await.unwrap().unwrap();
        for number in 1..=3 {
            world.store.note_callbacks(&[seen(world.client, number, at(number))], 10).await.unwrap();
        }
        let edit = ClientEdit::AddRedirectUris(vec![uri(1)]);
        let change = ClientChange { client_id: world.client_id.clone(), seen: None, edit };
        assert!(matches!(world.store.change_client(&change, &audit(at(4))).await.unwrap(), ChangeClient::Done(_)));
        for is_there in [true, false] {
            let dismissed = world.store.dismiss_callbacks(&client, &[uri(2)], &audit(at(5))).await.unwrap();
            assert_eq!(dismissed, is_there);
        }
        assert_eq!(offered(&world, start()).await, [uri(3)]);
        assert_eq!(world.database.audited("client.callback_dismissed").await, 1);
    }

    async fn what_nobody_asks_for_any_more_is_swept(engine) {
        let world = World::new(engine).await;
        for number in 1..=5 {
            world.store.note_callbacks(&[seen(world.client, number, at(number))], 10).await.unwrap();
        }
        let sweep = Sweep {
            families_expired_by: start(),
            sessions_expired_by: start(),
            clients_unused_since: start(),
            offers_unseen_since: at(3),
            assertions_expired_by: start(),
            rows_max: 2,
        };
        let mut batches = Vec::new();
        for _ in 0..3 {
            batches.push(world.store.sweep(&sweep).await.unwrap());
        }
        assert_eq!(batches, [2, 1, 0]);
        assert_eq!(offered(&world, start()).await, [uri(5), uri(4)]);
    }
}
