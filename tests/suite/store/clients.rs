//! Clients: looked up in one go, and never with more than two secrets.

use chrono::TimeDelta;
use consentry::{
    model::{
        Timestamp,
        client::{AuthenticationMethod, Client, ClientSecret, Dialect},
        digest::Digest,
        id::{ClientId, ClientSecretId},
    },
    random,
    store::{
        client_changes::{RotateSecret, SecretRotation},
        families::Rotate,
    },
};

use super::facts::{World, at, audit, new_client, start};
use crate::{harness::aside::at_once, on_both_engines};

fn secret(text: &str, at: Timestamp) -> ClientSecret {
    ClientSecret {
        id: ClientSecretId(random::id(at)),
        digest: Digest::of(text),
        created_at: at,
        expires_at: None,
        last_used_at: None,
    }
}

/// A rotation after which the older secret stays for a minute.
fn rotation(world: &World, text: &str, at: Timestamp) -> SecretRotation {
    let client_id = world.client_id.clone();
    SecretRotation { client_id, secret: secret(text, at), old_expires_at: at + TimeDelta::minutes(1) }
}

async fn rotated(world: &World, rotation: &SecretRotation) -> Client {
    let at = rotation.secret.created_at;
    match world.store.rotate_secret(rotation, &audit(at)).await.unwrap() {
        RotateSecret::Rotated(client) => *client,
        other => panic!("{other:?}"),
    }
}

/// Which of the texts are valid secrets at a moment, newest first as the store lists them.
async fn valid(world: &World, at: Timestamp, texts: &[&'static str]) -> Vec<&'static str> {
    let client = world.store.client(&world.client_id, at).await.unwrap().unwrap();
    let name = |secret: &ClientSecret| *texts.iter().find(|text| Digest::of(text) == secret.digest).unwrap();
    client.secrets.iter().map(name).collect()
}

on_both_engines! {
    async fn a_client_comes_with_its_resource_and_secrets(engine) {
        let world = World::new(engine).await;
        let client = world.store.client(&world.client_id, at(1)).await.unwrap().unwrap();
        assert_eq!(client.id, world.client);
        assert_eq!(client.client_id, world.client_id);
        assert_eq!((client.name.as_str(), client.generation, client.enabled), ("ChatGPT", 1, true));
        assert_eq!(client.dialect, Dialect::Plugin);
        assert_eq!(client.authentication_methods, AuthenticationMethod::ClientSecret.into());
        assert_eq!(client.redirect_uris.iter().map(consentry::model::redirect_uri::RedirectUri::as_str).collect::<Vec<_>>(), ["https://chat.example/cb"]);
        assert_eq!(client.scopes.unwrap().to_string(), "todo.read todo.write");
        assert_eq!(client.created_at, start());
        let home = client.home.unwrap();
        assert_eq!(home.plugin_id, world.plugin.id);
        assert_eq!(home.identifier.as_str(), world.plugin.resource);
        assert_eq!(home.scopes, world.plugin.scopes);
        assert_eq!(home.subject_salt.0, world.plugin.subject_salt.0);
        assert_eq!(client.secrets.len(), 1);
        assert_eq!(client.secrets[0].digest, Digest::of("first"));
        assert_eq!((client.secrets[0].created_at, client.secrets[0].expires_at), (start(), None));
        assert_eq!(world.database.audited("client.added").await, 1);
    }

    async fn all_clients_are_listed_oldest_first_each_once(engine) {
        let world = World::new(engine).await;
        rotated(&world, &rotation(&world, "second", at(1))).await;
        let mut public = new_client(&world.plugin);
        public.id = ClientId(random::id(at(5)));
        public.client_id = "public".into();
        public.authentication_methods = AuthenticationMethod::None.into();
        public.secret = None;
        world.store.add_client(&public, &audit(at(5))).await.unwrap();
        let clients = world.store.clients(at(6)).await.unwrap();
        let seen: Vec<(&str, usize)> = clients.iter().map(|c| (c.client_id.as_str(), c.secrets.len())).collect();
        assert_eq!(seen, [(world.client_id.as_str(), 2), ("public", 0)]);
    }

    async fn an_id_nobody_has_finds_nothing(engine) {
        let world = World::new(engine).await;
        let with_zero = format!("{}\0", world.client_id);
        for id in ["", "nobody", "\0", &with_zero, &world.client_id.to_uppercase(), "' or 1 = 1 --"] {
            assert!(world.store.client(id, at(1)).await.unwrap().is_none(), "{id:?}");
            assert!(world.store.disable_client(id, &audit(at(1))).await.unwrap().is_none(), "{id:?}");
            let mut unknown = rotation(&world, "x", at(1));
            unknown.client_id = id.into();
            let answer = world.store.rotate_secret(&unknown, &audit(at(1))).await.unwrap();
            assert!(matches!(answer, RotateSecret::Unknown), "{id:?}: {answer:?}");
        }
        assert_eq!(world.database.count("client_secrets").await, 1);
        assert_eq!(world.database.audited("client.secret_rotated").await, 0);
    }

    async fn after_three_rotations_two_secrets_are_valid(engine) {
        let world = World::new(engine).await;
        let texts = ["first", "second", "third", "fourth"];
        for (number, text) in (1..).zip(&texts[1..]) {
            let client = rotated(&world, &rotation(&world, text, at(number * 10))).await;
            assert_eq!(client.secrets.len(), 2, "{text}");
            assert_eq!(client.secrets[0].digest, Digest::of(text), "newest first");
        }
        assert_eq!(valid(&world, at(30), &texts).await, ["fourth", "third"]);
        assert_eq!(world.database.audited("client.secret_rotated").await, 3);
    }

    async fn the_older_secret_ends_to_the_millisecond(engine) {
        let world = World::new(engine).await;
        let texts = ["first", "second"];
        // The second one ends at a whole second, which SQLite's texts spell without a fraction.
        for (made, end) in [(1, 500), (600, 877)] {
            let mut rotation = rotation(&world, texts[1], at(made));
            rotation.old_expires_at = at(end);
            rotated(&world, &rotation).await;
            assert_eq!(valid(&world, at(end - 1), &texts).await.len(), 2, "before {end}");
            assert_eq!(valid(&world, at(end), &texts).await, ["second"], "at {end}");
            assert_eq!(valid(&world, at(end + 1), &texts).await, ["second"], "after {end}");
        }
    }

    async fn a_secret_that_ends_earlier_by_itself_still_does(engine) {
        let world = World::new(engine).await;
        let texts = ["first", "second", "third"];
        let mut second = rotation(&world, "second", at(10));
        second.secret.expires_at = Some(at(100));
        rotated(&world, &second).await;
        let mut third = rotation(&world, "third", at(20));
        third.old_expires_at = at(1000);
        rotated(&world, &third).await;
        assert_eq!(valid(&world, at(99), &texts).await, ["third", "second"]);
        assert_eq!(valid(&world, at(100), &texts).await, ["third"]);
    }

    async fn a_public_client_has_no_secret_to_rotate(engine) {
        let world = World::new(engine).await;
        let mut public = new_client(&world.plugin);
        public.client_id = "public".into();
        public.authentication_methods = AuthenticationMethod::None.into();
        public.secret = None;
        world.store.add_client(&public, &audit(at(5))).await.unwrap();
        let mut rotation = rotation(&world, "x", at(6));
        rotation.client_id = "public".into();
        let answer = world.store.rotate_secret(&rotation, &audit(at(6))).await.unwrap();
        assert!(matches!(answer, RotateSecret::HasNoSecret), "{answer:?}");
        assert!(world.store.client("public", at(6)).await.unwrap().unwrap().secrets.is_empty());
    }

    async fn disabling_ends_everything_once(engine) {
        let world = World::new(engine).await;
        let family = world.family().await;
        for _ in 0..2 {
            let client = world.store.disable_client(&world.client_id, &audit(at(1))).await.unwrap().unwrap();
            assert_eq!((client.id, client.enabled, client.generation), (world.client, false, 2));
        }
        let found = world.store.client(&world.client_id, at(2)).await.unwrap().unwrap();
        assert_eq!((found.enabled, found.generation), (false, 2));
        assert!(world.store.standing_family(family, at(2)).await.unwrap().is_none());
        let refreshed = world.store.rotate(&world.rotation(family, 0, 2), &audit(at(2))).await.unwrap();
        assert!(matches!(refreshed, Rotate::NotStanding), "{refreshed:?}");
        assert_eq!(world.database.audited("client.disabled").await, 1);
    }

    async fn twenty_rotations_at_once_leave_two_secrets(engine) {
        let world = World::new(engine).await;
        let answers = at_once(20, |number| {
            let store = world.store.clone();
            let rotation = rotation(&world, &format!("secret {number}"), at(10));
            async move { store.rotate_secret(&rotation, &audit(at(10))).await.unwrap() }
        })
        .await;
        for answer in &answers {
            let RotateSecret::Rotated(client) = answer else { panic!("{answer:?}") };
            assert!(client.secrets.len() <= 2, "{}", client.secrets.len());
        }
        let client = world.store.client(&world.client_id, at(10)).await.unwrap().unwrap();
        assert_eq!(client.secrets.len(), 2);
        assert_eq!(world.database.count("client_secrets").await, 21);
        assert_eq!(world.database.audited("client.secret_rotated").await, 20);
    }
}
