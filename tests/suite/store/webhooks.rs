//! What owners' APIs are to be told: written with what it tells of and nothing besides, told by one node at a time, and
//! never for ever.

use chrono::TimeDelta;
use consentry::{
    model::{
        client::Registration,
        id::{ConsentId, ResourceId},
        webhook::{TRIED_FOR, WebhookEvent},
    },
    random,
    store::{
        clients::NewClient,
        consents::{ConsentGrant, ConsentKey},
        people::Deletion,
        resources::{NewResource, RemoveResource},
        sweep::Sweep,
        webhooks::{
            ChangeWebhook, Delivery, NewWebhook, TakenWebhook, TryKeeping, WebhookChange, WebhookEdit, WebhookTaking,
        },
    },
};

use super::{
    facts::{World, at, audit, new_client, plugin, scopes, start},
    tables::Tables,
};
use crate::{harness::aside::at_once, on_both_engines};

async fn hooked(engine: crate::harness::databases::Engine) -> World {
    let world = World::new(engine).await;
    assert!(world.store.add_webhook(&new_webhook(&world), &audit(start())).await.unwrap());
    world
}

fn new_webhook(world: &World) -> NewWebhook {
    let address = "https://api.todo.example/hook".parse().unwrap();
    NewWebhook { plugin_id: world.plugin.id, address, secret: vec![1; 60] }
}

fn grant(key: ConsentKey, allowed: &str) -> ConsentGrant {
    let id = ConsentId(random::id(start()));
    ConsentGrant { id, key, scopes: scopes(allowed), left_out: scopes(""), document: None }
}

/// The same person by one client more.
async fn connect(world: &World, milliseconds: i64) -> ConsentGrant {
    let client = NewClient { secret: None, ..new_client(&world.plugin) };
    world.store.add_client(&client, &audit(start())).await.unwrap();
    let grant = grant(ConsentKey { client_id: client.id, ..world.consent_key() }, "todo.read");
    world.store.grant_consent(&grant, &audit(at(milliseconds))).await.unwrap();
    grant
}

async fn events(world: &World) -> Vec<Delivery> {
    let mut all = world.store.deliveries(world.plugin.id, 1000).await.unwrap();
    all.reverse();
    all
}

async fn last(world: &World, count: usize) -> Delivery {
    let mut all = events(world).await;
    assert_eq!(all.len(), count, "{all:?}");
    all.pop().unwrap()
}

async fn take(world: &World, milliseconds: i64) -> Vec<TakenWebhook> {
    let taking = WebhookTaking { at: at(milliseconds), until: at(milliseconds + 1000), webhooks_max: 10 };
    world.store.take_webhooks(&taking).await.unwrap()
}

fn taken(webhook: &TakenWebhook, delivery: &Delivery, milliseconds: i64) -> TryKeeping {
    TryKeeping {
        plugin_id: webhook.plugin_id,
        turn: webhook.turn,
        delivery: delivery.id.clone(),
        at: at(milliseconds),
        says: "Taken".into(),
        counts: true,
        delivered: true,
        due_at: None,
        rest_until: None,
        stop: None,
        mails: Vec::new(),
    }
}

async fn change(world: &World, seen: i64, edit: WebhookEdit) -> ChangeWebhook {
    let change = WebhookChange { plugin_id: world.plugin.id, seen, edit };
    world.store.change_webhook(&change, &audit(at(9))).await.unwrap()
}

on_both_engines! {
    async fn without_a_webhook_nothing_is_written(engine) {
        let world = World::new(engine).await;
        connect(&world, 1).await;
        world.store.revoke_consent(&world.consent_key(), &audit(at(2))).await.unwrap();
        world.store.disconnect_everybody(world.plugin.id, &audit(at(3))).await.unwrap();
        let deletion = Deletion { account_id: world.account, verified: None, mail: None };
        assert!(world.store.delete_account(&deletion, &audit(at(4))).await.unwrap());
        assert_eq!(world.database.count("webhook_deliveries").await, 0);
        assert!(!world.store.add_webhook_test(world.plugin.id, &audit(at(5))).await.unwrap());
    }

    async fn each_connection_is_told_when_it_begins_and_when_it_ends(engine) {
        let world = hooked(engine).await;
        let subject = world.plugin.subject_salt.subject_of(world.account);
        let own = connect(&world, 1).await;
        let first = last(&world, 1).await;
        assert_eq!((first.event, first.due_at, first.expires_at), (WebhookEvent::PersonConnected, Some(at(1)), at(1) + TRIED_FOR));
        assert_eq!((first.data["subject"].as_str(), first.data["plugin"].as_str()), (Some(subject.as_str()), Some("todo")));
        assert_eq!(first.data["scopes"], serde_json::json!(["todo.read"]));
        // What is widened, or given once more, was connected before.
        world.store.grant_consent(&grant(own.key.clone(), "todo.write"), &audit(at(2))).await.unwrap();
        world.store.grant_consent(&grant(own.key.clone(), "todo.read"), &audit(at(3))).await.unwrap();
        last(&world, 1).await;
        assert!(world.store.revoke_consent(&own.key, &audit(at(4))).await.unwrap());
        assert!(!world.store.revoke_consent(&own.key, &audit(at(5))).await.unwrap());
        let ended = last(&world, 2).await;
        assert_eq!((ended.event, ended.data["by"].as_str()), (WebhookEvent::PersonDisconnected, Some("person")));
        world.store.grant_consent(&grant(own.key.clone(), "todo.read"), &audit(at(6))).await.unwrap();
        assert_eq!(last(&world, 3).await.event, WebhookEvent::PersonConnected);
        assert!(world.store.disconnect_person(world.plugin.id, own.id, &audit(at(7))).await.unwrap());
        assert!(!world.store.disconnect_person(world.plugin.id, own.id, &audit(at(8))).await.unwrap());
        let ended = last(&world, 4).await;
        assert_eq!((ended.event, ended.data["by"].as_str()), (WebhookEvent::PersonDisconnected, Some("operator")));
        assert_eq!(ended.data["client_id"], first.data["client_id"]);
        // The same step once more tells the same thing.
        let mut ids: Vec<_> = events(&world).await.into_iter().map(|event| event.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 4);
    }

    async fn many_who_leave_at_once_are_one_event(engine) {
        let world = hooked(engine).await;
        for number in 1..=3 {
            connect(&world, number).await;
        }
        let own = connect(&world, 4).await;
        let client = events(&world).await.pop().unwrap().data["client_id"].as_str().unwrap().to_owned();
        assert!(world.store.delete_client(&client, &audit(at(5))).await.unwrap().is_some());
        let deleted = last(&world, 5).await;
        assert_eq!((deleted.event, deleted.data["connections"].as_i64()), (WebhookEvent::PeopleDisconnected, Some(1)));
        assert_eq!(deleted.data["client_id"].as_str(), Some(client.as_str()));
        assert!(!world.store.disconnect_person(world.plugin.id, own.id, &audit(at(5))).await.unwrap(), "it has ended");
        world.store.disconnect_everybody(world.plugin.id, &audit(at(6))).await.unwrap();
        let everybody = last(&world, 6).await;
        // The world's own and three: those of the client were told of.
        assert_eq!(everybody.data["connections"].as_i64(), Some(4));
        world.store.disconnect_everybody(world.plugin.id, &audit(at(7))).await.unwrap();
        last(&world, 6).await;
        // Who comes back afterwards is told of again.
        world.store.grant_consent(&grant(world.consent_key(), "todo.read"), &audit(at(8))).await.unwrap();
        assert_eq!(last(&world, 7).await.event, WebhookEvent::PersonConnected);
    }

    async fn a_client_of_no_plugin_and_a_resource_take_their_people_along(engine) {
        let world = hooked(engine).await;
        let client = NewClient {
            plugin_id: None,
            registration: Registration::Dynamic,
            secret: None,
            ..new_client(&world.plugin)
        };
        world.store.add_client(&client, &audit(start())).await.unwrap();
        let key = ConsentKey { client_id: client.id, ..world.consent_key() };
        world.store.grant_consent(&grant(key, "todo.read"), &audit(at(1))).await.unwrap();
        assert!(world.store.delete_client(&client.client_id, &audit(at(2))).await.unwrap().is_some());
        let deleted = last(&world, 2).await;
        assert_eq!((deleted.event, deleted.data["connections"].as_i64()), (WebhookEvent::PeopleDisconnected, Some(1)));
        assert_eq!(deleted.data["client_id"].as_str(), Some(client.client_id.as_str()));
        let mcp = "https://todo.example/mcp";
        let resource = NewResource {
            id: ResourceId(random::id(start())),
            plugin_id: world.plugin.id,
            identifier: mcp.parse().unwrap(),
            at: start(),
        };
        world.store.add_resource(&resource, &audit(at(3))).await.unwrap();
        let key = ConsentKey { resource: mcp.into(), ..world.consent_key() };
        world.store.grant_consent(&grant(key, "todo.read"), &audit(at(4))).await.unwrap();
        let removed = world.store.remove_resource(&resource.identifier.canonical(), &audit(at(5))).await.unwrap();
        assert!(matches!(removed, RemoveResource::Removed(_)), "{removed:?}");
        let removed = last(&world, 4).await;
        assert_eq!((removed.event, removed.data["connections"].as_i64()), (WebhookEvent::PeopleDisconnected, Some(1)));
        assert_eq!(removed.data["resource"].as_str(), Some(mcp));
        assert_eq!(world.store.count_people_of(world.plugin.id, 9).await.unwrap(), 1, "the world's own stands");
    }

    async fn who_connects_while_everybody_is_disconnected_is_told_of_once(engine) {
        let world = hooked(engine).await;
        let mut grants = Vec::new();
        for _ in 0..4 {
            let client = NewClient { secret: None, ..new_client(&world.plugin) };
            world.store.add_client(&client, &audit(start())).await.unwrap();
            grants.push(grant(ConsentKey { client_id: client.id, ..world.consent_key() }, "todo.read"));
        }
        let (store, id) = (world.store.clone(), world.plugin.id);
        at_once(8, move |number| {
            let (store, grant) = (store.clone(), grants[number / 2].clone());
            async move {
                if number % 2 == 0 {
                    store.grant_consent(&grant, &audit(at(1))).await.unwrap();
                } else {
                    store.disconnect_everybody(id, &audit(at(2))).await.unwrap();
                }
            }
        })
        .await;
        let all = events(&world).await;
        let began = all.iter().filter(|event| event.event == WebhookEvent::PersonConnected).count();
        let ended: i64 = all.iter().filter_map(|event| event.data["connections"].as_i64()).sum();
        let standing = world.store.count_people_of(id, 100).await.unwrap();
        // The world's own began before there was a webhook.
        assert_eq!((began, ended + i64::try_from(standing).unwrap()), (4, 5), "{all:?}");
    }

    async fn who_deletes_their_account_is_told_of_to_all_they_ever_allowed(engine) {
        let world = hooked(engine).await;
        world.store.revoke_consent(&world.consent_key(), &audit(at(1))).await.unwrap();
        let other = plugin("other", "other.example");
        let import = consentry::store::plugins::PluginImport::of(other.clone(), vec![], start());
        world.store.import_plugin(&import, &audit(start())).await.unwrap();
        let hook = NewWebhook { plugin_id: other.id, ..new_webhook(&world) };
        assert!(world.store.add_webhook(&hook, &audit(start())).await.unwrap());
        let wrong = Deletion { account_id: world.account, verified: Some("$another".into()), mail: None };
        assert!(!world.store.delete_account(&wrong, &audit(at(2))).await.unwrap());
        last(&world, 1).await;
        let deletion = Deletion { verified: None, ..wrong };
        assert!(world.store.delete_account(&deletion, &audit(at(3))).await.unwrap());
        let gone = last(&world, 2).await;
        let subject = world.plugin.subject_salt.subject_of(world.account);
        assert_eq!((gone.event, gone.data), (WebhookEvent::AccountDeleted, serde_json::json!({ "plugin": "todo", "subject": subject })));
        assert!(world.store.deliveries(other.id, 10).await.unwrap().is_empty(), "they never allowed it anything");
    }

    async fn one_node_at_a_time_tells(engine) {
        let world = hooked(engine).await;
        connect(&world, 1).await;
        connect(&world, 2).await;
        assert!(!world.store.has_due_webhooks(start()).await.unwrap());
        assert!(world.store.has_due_webhooks(at(5)).await.unwrap());
        let store = world.store.clone();
        let all = at_once(8, move |_| {
            let store = store.clone();
            async move {
                let taking = WebhookTaking { at: at(5), until: at(1005), webhooks_max: 10 };
                store.take_webhooks(&taking).await.unwrap()
            }
        })
        .await;
        let mut all = all.into_iter().flatten();
        let (first, more) = (all.next().expect("somebody takes it"), all.next());
        assert!(more.is_none() && take(&world, 900).await.is_empty(), "not before its time");
        let delivery = world.store.due_delivery(world.plugin.id, at(5)).await.unwrap().unwrap();
        assert_eq!(delivery.created_at, at(1), "the oldest first");
        // It is killed; another takes it, and the first comes back too late.
        let second = take(&world, 1005).await.pop().expect("it is taken again");
        assert!(!world.store.keep_try(&taken(&first, &delivery, 1006), &audit(at(1006))).await.unwrap());
        assert!(world.store.keep_try(&taken(&second, &delivery, 1007), &audit(at(1007))).await.unwrap());
        let next = world.store.due_delivery(world.plugin.id, at(1008)).await.unwrap().unwrap();
        assert_eq!(next.created_at, at(2));
        let failed = TryKeeping { delivered: false, due_at: Some(at(9000)), rest_until: Some(at(5000)), ..taken(&second, &next, 1009) };
        assert!(world.store.keep_try(&failed, &audit(at(1009))).await.unwrap());
        assert!(take(&world, 4999).await.is_empty() && take(&world, 5000).await.is_empty(), "nothing is due yet");
        let third = take(&world, 9000).await.pop().unwrap();
        assert_eq!((third.failures, third.failing_since), (1, Some(at(1009))));
        let next = world.store.due_delivery(world.plugin.id, at(9000)).await.unwrap().unwrap();
        assert_eq!(world.store.deliveries_waiting().await.unwrap(), 1, "of two, one was taken");
        let stop = TryKeeping { due_at: None, stop: Some("It is gone"), ..failed };
        let stop = TryKeeping { turn: third.turn, delivery: next.id.clone(), ..stop };
        assert!(world.store.keep_try(&stop, &audit(at(9001))).await.unwrap());
        assert!(world.store.webhook(world.plugin.id).await.unwrap().unwrap().stopped.is_some());
        assert_eq!(world.store.deliveries_waiting().await.unwrap(), 0, "nobody waits for what is not told");
        connect(&world, 9002).await;
        assert_eq!(events(&world).await.len(), 2, "nothing is written for one that has stopped");
        assert_eq!(world.database.audited("plugin.webhook_stopped").await, 1);
        // But whom it is to forget; that waits for a start.
        let deletion = Deletion { account_id: world.account, verified: None, mail: None };
        assert!(world.store.delete_account(&deletion, &audit(at(9003))).await.unwrap());
        let gone = last(&world, 3).await;
        assert_eq!((gone.event, gone.due_at), (WebhookEvent::AccountDeleted, None));
        assert_eq!(change(&world, 1, WebhookEdit::Start).await, ChangeWebhook::Done);
        assert_eq!(last(&world, 3).await.due_at, Some(at(9)));
    }

    async fn who_is_being_connected_keeps_no_webhook_from_being_taken(engine) {
        let world = hooked(engine).await;
        connect(&world, 1).await;
        let mut aside = Tables::of(&world.database).await;
        // What the step of a consent holds; on SQLite it would hold the file, and be waited for.
        if let Tables::Postgres(connection) = &mut aside {
            for statement in ["begin", "select plugin_id from plugin_webhooks for key share"] {
                sqlx::query(statement).execute(&mut *connection).await.unwrap();
            }
        }
        assert_eq!(take(&world, 5).await.len(), 1);
    }

    async fn of_two_who_change_it_the_second_is_told(engine) {
        let world = hooked(engine).await;
        assert!(!world.store.add_webhook(&new_webhook(&world), &audit(at(1))).await.unwrap());
        let moved = || WebhookEdit::Move("https://other.example/".parse().unwrap());
        assert_eq!(change(&world, 1, moved()).await, ChangeWebhook::Done);
        assert_eq!(change(&world, 1, moved()).await, ChangeWebhook::ChangedMeanwhile);
        let renew = |new, old: Option<u8>| WebhookEdit::Renew { new: vec![new; 60], old: old.map(|old| vec![old; 60]) };
        let secrets = |webhook: &TakenWebhook| (webhook.secret[0], webhook.old_secret.as_ref().map(|old| old[0]));
        let id = world.plugin.id;
        assert_eq!(world.store.webhook_secret(id).await.unwrap(), Some(vec![1; 60]));
        assert_eq!(change(&world, 2, renew(2, Some(11))).await, ChangeWebhook::Done);
        assert_eq!(world.store.webhook_secret(id).await.unwrap(), Some(vec![2; 60]));
        connect(&world, 10).await;
        assert_eq!(secrets(&take(&world, 20).await[0]), (2, Some(11)));
        // The one that nobody may have seen makes room, and the one that is known goes on.
        assert_eq!(change(&world, 3, renew(3, Some(12))).await, ChangeWebhook::Done);
        assert_eq!(secrets(&take(&world, 1020).await[0]), (3, Some(11)));
        assert_eq!(change(&world, 4, WebhookEdit::EndOldSecret).await, ChangeWebhook::Done);
        assert_eq!(secrets(&take(&world, 20).await[0]), (3, None), "whoever tells with the old one tells again");
        assert_eq!(change(&world, 5, renew(4, None)).await, ChangeWebhook::Done);
        assert_eq!(secrets(&take(&world, 1020).await[0]), (4, None), "what nobody can open signs nothing");
        assert_eq!(change(&world, 6, WebhookEdit::Remove).await, ChangeWebhook::Done);
        assert_eq!(change(&world, 7, WebhookEdit::Remove).await, ChangeWebhook::Gone);
        assert_eq!(world.store.webhook_secret(id).await.unwrap(), None);
        assert_eq!(world.database.count("webhook_deliveries").await, 0);
    }

    async fn no_more_than_so_many_wait_and_the_rest_is_counted(engine) {
        let world = hooked(engine).await;
        let many = "insert into webhook_deliveries (plugin_id, id, event, data, created_at, due_at, expires_at, forget_at)
             with recursive n (i) as (select 1 union all select i + 1 from n where i < 9999)
             select plugin_id, 'msg_' || i, 'person.connected', '{}', created_at, created_at, created_at, created_at
               from plugin_webhooks, n";
        world.database.execute(many).await;
        connect(&world, 1).await;
        connect(&world, 2).await;
        assert_eq!(world.database.count("webhook_deliveries").await, 10_000);
        assert!(!world.store.add_webhook_test(world.plugin.id, &audit(at(3))).await.unwrap());
        assert_eq!(world.store.webhook(world.plugin.id).await.unwrap().unwrap().missed, 1);
        let deletion = Deletion { account_id: world.account, verified: None, mail: None };
        assert!(world.store.delete_account(&deletion, &audit(at(4))).await.unwrap());
        let gone = world.store.deliveries(world.plugin.id, 1).await.unwrap().remove(0);
        assert_eq!((gone.event, gone.due_at), (WebhookEvent::AccountDeleted, Some(at(4))), "nobody is kept for that");
        let sweep = Sweep {
            families_expired_by: start(),
            sessions_expired_by: at(1) + TimeDelta::hours(1),
            clients_unused_since: start(),
            offers_unseen_since: start(),
            assertions_expired_by: start(),
            rows_max: 20_000,
        };
        assert_eq!(world.store.sweep(&sweep).await.unwrap(), 9_999);
    }
}
