//! What people change about clients: nobody overwrites what they have not seen, and what is deleted ends at once and
//! leaves bit by bit.

use chrono::TimeDelta;
use consentry::{
    model::{
        Timestamp,
        client::{Client, ClientSecret},
        digest::Digest,
        id::{AccountId, ClientSecretId, ConsentId, FamilyId},
        redirect_uri::RedirectUri,
    },
    random,
    store::{
        client_changes::{ChangeClient, ClientChange, ClientEdit, EndSecret, RotateSecret, SecretRotation, SecretUse},
        consents::{ConsentGrant, ConsentKey},
        families::{Redeem, Redemption, Rotate},
        sweep::Sweep,
    },
};

use super::facts::{World, at, audit, new_account, new_client, scopes, start};
use crate::{harness::aside::at_once, on_both_engines, writes};

const FIRST: &str = "https://chat.example/cb";
const OTHER: &str = "https://chat.example/other";

fn uris(texts: &[&str]) -> Vec<RedirectUri> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn edit(world: &World, seen: Option<i64>, edit: ClientEdit) -> ClientChange {
    ClientChange { client_id: world.client_id.clone(), seen, edit }
}

async fn changed(world: &World, what: ClientEdit) -> Client {
    match world.store.change_client(&edit(world, None, what), &audit(at(1))).await.unwrap() {
        ChangeClient::Done(client) => *client,
        other => panic!("{other:?}"),
    }
}

async fn found(world: &World) -> Client {
    world.store.client(&world.client_id, at(2)).await.unwrap().unwrap()
}

/// Sweeps nothing but what is deleted.
fn sweep(rows_max: u32) -> Sweep {
    let never = start() - TimeDelta::days(1);
    Sweep {
        families_expired_by: never,
        sessions_expired_by: never,
        clients_unused_since: never,
        offers_unseen_since: never,
        assertions_expired_by: never,
        rows_max,
    }
}

/// Somebody else who consents, with a number of families.
async fn another_person(world: &World, number: usize, families: usize) -> AccountId {
    let account = new_account(&format!("person{number}@example.com"));
    world.store.add_account(&account, &audit(start())).await.unwrap();
    let key = ConsentKey { account_id: account.id, ..world.consent_key() };
    let id = ConsentId(random::id(start()));
    let grant = ConsentGrant { id, key, scopes: scopes("todo.read todo.write"), left_out: scopes(""), document: None };
    let consent = world.store.grant_consent(&grant, &audit(start())).await.unwrap();
    for _ in 0..families {
        let id = FamilyId(random::id(start()));
        let redemption = Redemption { id, account_id: account.id, consent_id: consent.id, ..world.redemption() };
        assert!(matches!(world.store.redeem(&redemption, &audit(start())).await.unwrap(), Redeem::Won(_)));
    }
    account.id
}

async fn rotated(world: &World, text: &str, at: Timestamp) -> Client {
    let id = ClientSecretId(random::id(at));
    let secret = ClientSecret { id, digest: Digest::of(text), created_at: at, expires_at: None, last_used_at: None };
    let rotation = SecretRotation {
        client_id: world.client_id.clone(),
        secret,
        old_expires_at: at + TimeDelta::hours(1),
        seen: None,
    };
    match world.store.rotate_secret(&rotation, &audit(at)).await.unwrap() {
        RotateSecret::Rotated(client) => *client,
        other => panic!("{other:?}"),
    }
}

on_both_engines! {
    async fn a_change_that_changes_nothing_is_none(engine) {
        let world = World::new(engine).await;
        for (what, action) in [
            (ClientEdit::Rename("GPT".into()), "client.renamed"),
            (ClientEdit::Scopes(scopes("todo.read")), "client.scopes_changed"),
            (ClientEdit::AddRedirectUris(uris(&[FIRST, OTHER])), "client.redirect_uris_added"),
            (ClientEdit::RemoveRedirectUris(uris(&[OTHER])), "client.redirect_uris_removed"),
        ] {
            let before = found(&world).await.version;
            for _ in 0..2 {
                assert_eq!(changed(&world, what.clone()).await.version, before + 1, "{what:?}");
            }
            assert_eq!(found(&world).await.version, before + 1, "{what:?}");
            assert_eq!(world.database.audited(action).await, 1);
        }
        let client = found(&world).await;
        assert_eq!((client.name.as_str(), client.redirect_uris, client.version), ("GPT", uris(&[FIRST]), 5));
        assert_eq!(client.scopes, Some(scopes("todo.read")));
        for unknown in ["nobody", "\0"] {
            let change = ClientChange { client_id: unknown.into(), ..edit(&world, None, ClientEdit::Enable) };
            let answer = world.store.change_client(&change, &audit(at(1))).await.unwrap();
            assert!(matches!(answer, ChangeClient::Unknown), "{unknown:?}: {answer:?}");
        }
    }

    async fn of_those_who_saw_the_same_one_changes_it(engine) {
        let world = World::new(engine).await;
        let answers = at_once(20, |number| {
            let store = world.store.clone();
            let change = edit(&world, Some(1), ClientEdit::Rename(format!("Name {number}")));
            async move { store.change_client(&change, &audit(at(1))).await.unwrap() }
        })
        .await;
        let done = answers.iter().filter(|answer| matches!(answer, ChangeClient::Done(_))).count();
        let late = answers.iter().filter(|answer| matches!(answer, ChangeClient::ChangedMeanwhile)).count();
        assert_eq!((done, late), (1, 19));
        assert_eq!(world.database.audited("client.renamed").await, 1);
    }

    /// What stands carries no more than its client may ask for; nothing is written about it, so it is all there again when
    /// its client may.
    async fn what_a_client_may_not_ask_for_any_more_is_in_nothing_of_its(engine) {
        let world = World::new(engine).await;
        let (family, spare) = (world.family().await, world.family().await);
        let code = Redemption { scopes: scopes("todo.write"), ..world.redemption() };
        assert!(matches!(world.store.redeem(&code, &audit(start())).await.unwrap(), Redeem::Won(_)));
        let standing = async |id| world.store.standing_family(id, at(2)).await.unwrap().map(|it| it.scopes.to_string());
        let redeemed = async || match world.store.redeem(&world.redemption(), &audit(at(2))).await.unwrap() {
            Redeem::Won(family) => Some(family.scopes.to_string()),
            _ => None,
        };
        let rotated = async |counter| {
            match world.store.rotate(&world.rotation(family, counter, 2), &audit(at(2))).await.unwrap() {
                Rotate::Rotated { family, .. } | Rotate::Repeated { family, .. } => Some(family.scopes.to_string()),
                _ => None,
            }
        };
        changed(&world, ClientEdit::Scopes(scopes("todo.read other"))).await;
        let read = Some("todo.read".to_owned());
        assert_eq!((standing(family).await, redeemed().await, rotated(0).await), (read.clone(), read.clone(), read));
        assert_eq!(standing(code.id).await, None, "nothing of it is left");
        assert!(world.store.is_shut_out(code.id, at(2)).await.unwrap());
        changed(&world, ClientEdit::Scopes(scopes("other"))).await;
        assert_eq!((standing(family).await, redeemed().await, rotated(1).await), (None, None, None));
        // A code that comes again ends what it gave, also now.
        let again = Redemption { id: spare, ..world.redemption() };
        assert!(matches!(world.store.redeem(&again, &audit(at(2))).await.unwrap(), Redeem::Replayed));
        changed(&world, ClientEdit::Scopes(scopes("todo.read todo.write"))).await;
        let both = Some("todo.read todo.write".to_owned());
        assert_eq!((standing(family).await, redeemed().await, rotated(1).await), (both.clone(), both.clone(), both));
        assert_eq!((standing(code.id).await, standing(spare).await), (Some("todo.write".to_owned()), None));
    }

    async fn what_was_given_before_stays_ended_when_a_client_is_enabled_again(engine) {
        let world = World::new(engine).await;
        let (family, code) = (world.family().await, world.redemption());
        world.store.disable_client(&world.client_id, &audit(at(1))).await.unwrap();
        let client = changed(&world, ClientEdit::Enable).await;
        assert_eq!((client.enabled, client.generation, client.version), (true, 2, 3));
        assert!(world.store.standing_family(family, at(2)).await.unwrap().is_none());
        assert!(matches!(world.store.redeem(&code, &audit(at(2))).await.unwrap(), Redeem::NotStanding));
        assert_eq!(world.database.audited("client.enabled").await, 1);
    }

    async fn a_secret_is_ended_if_one_is_left(engine) {
        let world = World::new(engine).await;
        let end = async |id| world.store.end_secret(&world.client_id, id, &audit(at(20))).await.unwrap();
        let first = found(&world).await.secrets[0].id;
        assert!(matches!(end(first).await, EndSecret::IsTheLast));
        let new = rotated(&world, "second", at(10)).await.secrets[0].id;
        assert!(matches!(end(new).await, EndSecret::IsTheLast), "the other one ends in an hour");
        let EndSecret::Ended(client) = end(first).await else { panic!("it stays") };
        assert_eq!(client.secrets.iter().map(|secret| secret.id).collect::<Vec<_>>(), [new]);
        let left = world.store.client(&world.client_id, at(20)).await.unwrap().unwrap().secrets;
        assert_eq!(left.iter().map(|secret| secret.id).collect::<Vec<_>>(), [new]);
        assert!(matches!(end(first).await, EndSecret::NoSuchSecret), "twice");
        let other = new_client(&world.plugin);
        world.store.add_client(&other, &audit(at(1))).await.unwrap();
        assert!(matches!(end(other.secret.unwrap().id).await, EndSecret::NoSuchSecret), "another client's");
        assert_eq!(world.database.audited("client.secret_ended").await, 1);
        let unknown = world.store.end_secret("nobody", new, &audit(at(20))).await.unwrap();
        assert!(matches!(unknown, EndSecret::Unknown));
    }

    async fn a_secrets_last_use_is_written_down_once_a_minute(engine) {
        let world = World::new(engine).await;
        let id = found(&world).await.secrets[0].id;
        for (seconds, expected) in [(0, 0), (59, 0), (60, 60), (30, 60), (120, 120)] {
            let at = at(seconds * 1000);
            let used = SecretUse { id, at, unless_after: at - TimeDelta::minutes(1) };
            world.store.note_secret_uses(&[used]).await.unwrap();
            assert_eq!(found(&world).await.secrets[0].last_used_at, Some(self::at(expected * 1000)), "{seconds}");
        }
    }

    async fn a_deleted_client_is_nobody_at_once(engine) {
        let world = World::new(engine).await;
        let (family, code) = (world.family().await, world.redemption());
        assert_eq!(world.store.count_families(world.client, at(1), 10).await.unwrap(), Some(1));
        let event = audit(at(1));
        let (deleted, written) = writes!(world, world.store.delete_client(&world.client_id, &event).await.unwrap());
        assert_eq!(deleted.unwrap().id, world.client);
        assert!(written <= 3, "one step, however many connections end: {written}");
        assert!(world.store.delete_client(&world.client_id, &audit(at(2))).await.unwrap().is_none());
        assert!(world.store.client(&world.client_id, at(2)).await.unwrap().is_none());
        assert!(world.store.clients(at(2)).await.unwrap().is_empty());
        assert!(world.store.disable_client(&world.client_id, &audit(at(2))).await.unwrap().is_none());
        assert!(world.store.standing_family(family, at(2)).await.unwrap().is_none());
        assert!(matches!(world.store.redeem(&code, &audit(at(2))).await.unwrap(), Redeem::NotStanding));
        let refreshed = world.store.rotate(&world.rotation(family, 0, 2), &audit(at(2))).await.unwrap();
        assert!(matches!(refreshed, Rotate::NotStanding), "{refreshed:?}");
        assert_eq!(world.store.count_families(world.client, at(2), 10).await.unwrap(), Some(0));
        assert!(world.store.connected_apps(world.account, at(2)).await.unwrap().is_empty());
        assert_eq!(world.database.audited("client.deleted").await, 1);
    }

    async fn what_is_left_of_a_deleted_client_leaves_in_small_steps(engine) {
        let world = World::new(engine).await;
        let other = new_client(&world.plugin);
        world.store.add_client(&other, &audit(start())).await.unwrap();
        let grant = ConsentGrant {
            id: ConsentId(random::id(start())),
            key: ConsentKey { client_id: other.id, ..world.consent_key() },
            scopes: scopes("todo.read"),
            left_out: scopes(""),
            document: None,
        };
        let kept = world.store.grant_consent(&grant, &audit(start())).await.unwrap();
        let mine = Redemption { client_id: other.id, consent_id: kept.id, ..world.redemption() };
        assert!(matches!(world.store.redeem(&mine, &audit(start())).await.unwrap(), Redeem::Won(_)));
        for number in 0..4 {
            another_person(&world, number, 3).await;
        }
        world.family().await;
        rotated(&world, "second", at(1)).await;
        assert_eq!(world.store.count_families(world.client, at(2), 4).await.unwrap(), None, "five people agreed");
        assert_eq!(world.store.count_families(world.client, at(2), 5).await.unwrap(), None, "but 13 connections");
        assert_eq!(world.store.count_families(world.client, at(2), 50).await.unwrap(), Some(13));
        world.store.delete_client(&world.client_id, &audit(at(2))).await.unwrap();
        let mut steps = Vec::new();
        loop {
            match world.store.sweep(&sweep(4)).await.unwrap() {
                0 => break,
                left => steps.push(left),
            }
        }
        assert!(steps.len() >= 5 && steps.iter().all(|left| *left <= 4), "{steps:?}");
        assert_eq!(steps.iter().sum::<u64>(), 13 + 5 + 2 + 1, "families, consents, secrets, the client");
        assert_eq!(world.database.count("clients").await, 1);
        assert_eq!((world.database.count("families").await, world.database.count("consents").await), (1, 1));
        assert!(world.store.standing_family(mine.id, at(3)).await.unwrap().is_some(), "another client's stays");
    }

    async fn what_is_consented_to_while_a_client_is_deleted_leaves_with_it(engine) {
        let world = World::new(engine).await;
        world.store.delete_client(&world.client_id, &audit(at(1))).await.unwrap();
        while world.database.count("consents").await > 0 {
            assert_ne!(world.store.sweep(&sweep(1)).await.unwrap(), 0);
        }
        // A page that was open for long, at a node that saw the client before.
        another_person(&world, 1, 0).await;
        while world.store.sweep(&sweep(1)).await.unwrap() > 0 {}
        assert_eq!((world.database.count("clients").await, world.database.count("consents").await), (0, 0));
    }

    async fn several_sweepers_remove_a_deleted_client_together(engine) {
        let world = World::new(engine).await;
        for number in 0..10 {
            another_person(&world, number, 2).await;
        }
        world.store.delete_client(&world.client_id, &audit(at(1))).await.unwrap();
        let left = at_once(5, |_| {
            let store = world.store.clone();
            async move {
                let mut total = 0;
                for _ in 0..100 {
                    total += store.sweep(&sweep(3)).await.unwrap();
                }
                total
            }
        })
        .await;
        assert_eq!(left.iter().sum::<u64>(), 20 + 11 + 1 + 1);
        assert_eq!(world.database.count("clients").await, 0);
    }
}
