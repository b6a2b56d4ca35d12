//! What owners do with client ids while programs use them: renewed secrets, and a callback that has changed.

use chrono::TimeDelta;
use consentry::{
    jobs,
    model::{
        audit::{Actor, Origin},
        client::Dialect,
        redirect_uri::RedirectUri,
    },
    registry::{
        Registry, RegistryError,
        clients::{Which, callbacks, changes, scopes, secrets},
    },
    server::Server,
};

use crate::{
    harness::{
        aside::at_once,
        browser::{Arrived, Browser, authorize, parameter},
        server::{Registered, World},
    },
    on_both_engines, writes,
};

const OLD: &str = "https://chat.openai.com/aip/g-old/oauth/callback";
const NEW: &str = "https://chatgpt.com/aip/g-new/oauth/callback";

fn registry(server: &Server) -> Registry<'_> {
    Registry {
        store: &server.store,
        clock: &server.clock,
        issuer: None,
        public: None,
        clients_by_hand: true,
        rotators: &[],
        is_trusted: false,
        actor: Actor::Operator,
        origin: Origin::default(),
    }
}

/// Asks for a token as a program does that acts for itself.
async fn token_for(http: reqwest::Client, url: String, client: Registered) -> u16 {
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", &client.client_id),
        ("client_secret", &client.client_secret),
    ];
    let answer = http.post(format!("{url}/token")).form(&fields).send().await.unwrap();
    answer.status().as_u16()
}

on_both_engines! {
    async fn nobody_is_refused_while_a_secret_is_renewed(engine) {
        let world = World::new(engine).await;
        let old = world.client(Dialect::Service).await;
        let (known, url) = (std::sync::Arc::new(tokio::sync::RwLock::new(old.clone())), world.running.url.clone());
        // One client for all: making one takes long enough for its connection to be given up as too slow.
        let http = reqwest::Client::new();
        // Half of the callers move to the new secret as soon as there is one; the others have yet to hear of it.
        let asking = at_once(200, |number| {
            let (known, old, url, http) = (known.clone(), old.clone(), url.clone(), http.clone());
            async move {
                let mut answers = Vec::new();
                for _ in 0..3 {
                    let client = if number % 2 == 0 { known.read().await.clone() } else { old.clone() };
                    answers.push(token_for(http.clone(), url.clone(), client).await);
                }
                answers
            }
        });
        let renewing = async {
            let server = &world.running.server;
            let day = TimeDelta::days(1);
            let rotated = secrets::rotate(&registry(server), &old.client_id, day, None).await.unwrap();
            known.write().await.client_secret = rotated.secret.reveal().to_owned();
        };
        let (answers, ()) = tokio::join!(asking, renewing);
        assert!(answers.iter().flatten().all(|status| *status == 200), "{answers:?}");
        let new = known.read().await.clone();
        assert_ne!(new.client_secret, old.client_secret);

        // Once everybody has moved, the old one is ended.
        let server = &world.running.server;
        let row = server.store.client(&old.client_id, server.clock.now()).await.unwrap().unwrap();
        assert_eq!(row.secrets.len(), 2);
        secrets::end(&registry(server), &old.client_id, row.secrets[1].id).await.unwrap();
        let old = token_for(http.clone(), url.clone(), old.clone()).await;
        assert_eq!((old, token_for(http, url, new).await), (401, 200));
    }

    async fn when_a_secret_was_last_used_costs_its_request_nothing(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Service).await;
        let server = &world.running.server;
        let last_used = async || {
            let row = server.store.client(&client.client_id, server.clock.now()).await.unwrap().unwrap();
            row.secrets[0].last_used_at
        };
        let wrong = Registered { client_secret: "cst_cs_wrong".into(), ..client.clone() };
        assert_eq!(token_for(reqwest::Client::new(), world.running.url.clone(), wrong).await, 401);
        jobs::notes::keep(server).await.unwrap();
        assert_eq!(last_used().await, None);
        let (status, written) = writes!(world, token_for(reqwest::Client::new(), world.running.url.clone(), client.clone()).await);
        assert_eq!((status, written), (200, 0));
        jobs::notes::keep(server).await.unwrap();
        let used = last_used().await.unwrap();
        assert!(server.clock.now() - used < TimeDelta::minutes(1));
        // Within a minute it is not written down again, and nothing is to be.
        assert_eq!(token_for(reqwest::Client::new(), world.running.url.clone(), client.clone()).await, 200);
        assert!(server.notes.take().0.is_empty());
        assert_eq!(last_used().await, Some(used));
    }

    async fn a_callback_that_has_changed_is_refused_offered_and_approved(engine) {
        let world = World::new(engine).await;
        let client = world.running.add_client(&world.plugin, Dialect::Action, &[OLD]).await;
        let server = &world.running.server;
        let asked = authorize(&[
            ("response_type", "code"),
            ("client_id", &client.client_id),
            ("redirect_uri", NEW),
            ("scope", "todo.read"),
            ("state", "s"),
        ]);
        let browser = Browser::new(&world.running);
        assert!(matches!(browser.get(&asked).await, Arrived::Page(_)));
        jobs::notes::keep(server).await.unwrap();
        let row = async || server.store.client(&client.client_id, server.clock.now()).await.unwrap().unwrap();
        let registry = registry(server);
        let seen = row().await;
        let offers = callbacks::offers(&registry, &seen).await.unwrap();
        assert_eq!(offers.iter().map(|offer| offer.redirect_uri.as_str()).collect::<Vec<_>>(), [NEW]);

        let which = Which { client_id: &client.client_id, seen: Some(seen.version) };
        let own = "https://chatgpt.com/aip/g-other/oauth/callback";
        let refused = callbacks::approve(&registry, which, own).await;
        assert!(matches!(refused, Err(RegistryError::Wrong(_))), "it is not offered: {refused:?}");
        changes::rename(&registry, which, "My GPT").await.unwrap();
        let late = callbacks::approve(&registry, which, NEW).await;
        assert!(matches!(late, Err(RegistryError::ChangedMeanwhile)), "{late:?}");
        let which = Which { seen: None, ..which };
        let approved = callbacks::approve(&registry, which, NEW).await.unwrap();
        let uris: Vec<&str> = approved.redirect_uris.iter().map(RedirectUri::as_str).collect();
        assert_eq!(uris, [OLD, NEW, "https://chat.openai.com/aip/g-new/oauth/callback"], "with its twin");
        assert!(callbacks::offers(&registry, &approved).await.unwrap().is_empty());
        let left = browser.agree(&asked, "ada@example.com").await;
        assert!(left.as_str().starts_with(NEW) && parameter(&left, "code").is_some(), "{left}");

        let left = callbacks::remove(&registry, which, NEW).await.unwrap();
        assert_eq!(left.redirect_uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>(), [OLD], "and so has its twin");
    }

    async fn what_a_client_may_ask_for_is_said_anew(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Service).await;
        let server = &world.running.server;
        let registry = registry(server);
        let which = Which { client_id: &client.client_id, seen: Some(1) };
        let say = async |which, texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            scopes::replace(&registry, which, &texts).await
        };
        for (texts, says) in [
            (vec![], "leave it at least one"),
            (vec![" ", ""], "leave it at least one"),
            (vec!["todo.read", "todo.share"], "has no scope todo.share; it has: todo.read todo.write"),
            (vec!["todo\"read"], "a scope has a character"),
        ] {
            let refused = say(which, &texts).await;
            let Err(RegistryError::Wrong(wrong)) = &refused else { panic!("{texts:?}: {refused:?}") };
            let [only] = wrong.as_slice() else { panic!("{wrong:?}") };
            assert!(only.field == "scope" && only.problem.contains(says), "{texts:?}: {only:?}");
        }
        let token = async || {
            let fields = [
                ("grant_type", "client_credentials"),
                ("client_id", client.client_id.as_str()),
                ("client_secret", &client.client_secret),
            ];
            world.running.form("/token", &fields).await.1
        };
        let before = token().await;
        assert_eq!(before["scope"], "todo.read todo.write");
        let changed = say(which, &["todo.read"]).await.unwrap();
        assert_eq!((changed.scopes, changed.version), (Some("todo.read".parse().unwrap()), 2));
        assert!(matches!(say(which, &["todo.write"]).await, Err(RegistryError::ChangedMeanwhile)));
        let (_, told) = world.running.introspect(&client, before["access_token"].as_str().unwrap()).await;
        assert_eq!((&told["scope"], &token().await["scope"]), (&"todo.read".into(), &"todo.read".into()));
        assert_eq!(world.database.audited("client.scopes_changed").await, 1);
        let gone = say(Which { client_id: "nobody", seen: None }, &["todo.read"]).await;
        assert!(matches!(gone, Err(RegistryError::Gone)), "{gone:?}");
        for registration in ["document", "dynamic"] {
            world.database.execute(&format!("update clients set registration = '{registration}'")).await;
            let refused = say(Which { seen: None, ..which }, &["todo.write"]).await;
            let Err(RegistryError::Wrong(wrong)) = &refused else { panic!("{registration}: {refused:?}") };
            assert_eq!(wrong[0].field, "other");
        }
    }
}
