//! Owners of plugins against each other: what is another's is as if it were not there, on every page of the console. The
//! list of pages is the route table's own, so that a new one is attacked on the day it is made.

use consentry::model::{account::Role, client::Dialect};

use super::by_hand::ByHand;
use crate::{
    harness::{
        route_table::{CLIENT, Route, SLUG, pages},
        server::{PASSWORD, World},
    },
    on_both_engines,
};

/// The pages of a plugin that is named in the address.
fn pages_of_a_plugin() -> Vec<Route> {
    let beginning = format!("/console/plugins/{SLUG}");
    pages().into_iter().filter(|route| route.path.starts_with(&beginning)).collect()
}

on_both_engines! {
    /// Row 50: another owner's plugin is not there, whatever is asked of it; nor is anything changed.
    async fn another_owners_plugin_is_not_there(engine) {
        let world = World::new(engine).await;
        let owner = world.running.add_account_as("owner@example.com", "Olive Owner", Role::Owner).await;
        world.running.add_account_as("rival@example.com", "Rival Owner", Role::Owner).await;
        let store = &world.running.server.store;
        store.add_owner(world.plugin.id, owner, &world.running.operator()).await.unwrap();
        let (owner, rival) = (ByHand::signed_in(&world.running, "owner@example.com").await, ByHand::signed_in(&world.running, "rival@example.com").await);
        let form = rival.get(&world.running, "/console/new/action").await;
        let (csrf, account) = (form.hidden("csrf"), form.hidden("account"));
        let before = world.database.count("audit_events").await;
        let missing = rival.get(&world.running, "/console/plugins/none").await;
        assert_eq!(missing.status, 404);
        let routes = pages_of_a_plugin();
        assert!(routes.len() > 2 && routes.iter().any(|route| route.takes_a_form));
        for Route { path, takes_a_form } in &routes {
            let theirs = rival.get(&world.running, path).await;
            assert_eq!(theirs.status, 404, "{path}");
            assert!(!theirs.body.contains("todo"), "{path} tells of it: {}", theirs.body);
            if *takes_a_form {
                let fields = [
                    ("csrf", csrf.as_str()), ("account", &account), ("version", "1"), ("name", "Mine"), ("scope-0", "mine"),
                ];
                assert_eq!(rival.post(&world.running, path, &fields).await.status, 404, "{path}");
                let stranger = ByHand::new();
                let own = stranger.get(&world.running, "/sign-in").await.hidden("csrf");
                let led = stranger.post(&world.running, path, &[("csrf", &own)]).await;
                assert_eq!(led.location(), Some("/sign-in?next=console"), "{path}");
                let typed = [("csrf", own.as_str()), ("account", &account), ("name", "\"><script>")];
                let kept = stranger.post(&world.running, path, &typed).await;
                assert_eq!(kept.status, 403, "{path}");
                assert!(kept.body.contains("&#34;&#62;&#60;script&#62;") && !kept.body.contains("todo.example"), "{}", kept.body);
            }
        }
        assert_eq!(world.database.count("audit_events").await, before);
        let shown = owner.get(&world.running, "/console/plugins/todo").await;
        assert_eq!(shown.status, 200, "{}", shown.body);
        assert!(owner.get(&world.running, "/console").await.body.contains("/console/plugins/todo"));
        assert!(!rival.get(&world.running, "/console").await.body.contains("todo"));
    }

    /// Row 50: nor is another's client there under a plugin of one's own.
    async fn another_owners_client_is_not_there(engine) {
        let world = World::new(engine).await;
        let rival = world.running.add_account_as("rival@example.com", "Rival Owner", Role::Owner).await;
        let own = world.running.add_plugin_at("own", "own.example").await;
        world.running.server.store.add_owner(own.id, rival, &world.running.operator()).await.unwrap();
        let theirs = world.client(Dialect::Action).await;
        let mine = world.running.add_client(&own, Dialect::Action, &["https://chat.example/cb"]).await;
        let rival = ByHand::signed_in(&world.running, "rival@example.com").await;
        let form = rival.get(&world.running, "/console/new/action").await;
        let (csrf, account) = (form.hidden("csrf"), form.hidden("account"));
        let before = world.database.count("audit_events").await;
        let mut tried = 0;
        for Route { path, takes_a_form } in pages_of_a_plugin().into_iter().filter(|route| route.path.contains(CLIENT)) {
            let path = path.replace(SLUG, "own");
            let (at_theirs, at_mine) = (path.replace(CLIENT, &theirs.client_id), path.replace(CLIENT, &mine.client_id));
            assert_eq!(rival.get(&world.running, &at_mine).await.status, 200, "{at_mine}");
            assert_eq!(rival.get(&world.running, &at_theirs).await.status, 404, "{at_theirs}");
            if !takes_a_form {
                continue;
            }
            for change in ["rename", "scopes", "add-callback", "remove-callback", "approve", "renew", "disable", "enable"] {
                let fields = [
                    ("csrf", csrf.as_str()), ("account", &account), ("version", "1"), ("change", change),
                    ("name", "Mine"), ("scope", "todo.read"), ("keep_old", "0"), ("confirmed", "yes"),
                ];
                assert_eq!(rival.post(&world.running, &at_theirs, &fields).await.status, 404, "{at_theirs} {change}");
                tried += 1;
            }
        }
        assert!(tried > 7);
        assert_eq!(world.database.count("audit_events").await, before);
    }

    /// Row 50: nor may an owner take what is another's by registering it, or the host on which people sign in.
    async fn no_owner_takes_anothers_name_or_host(engine) {
        let world = World::new(engine).await;
        world.running.add_account_as("rival@example.com", "Rival Owner", Role::Owner).await;
        let rival = ByHand::signed_in(&world.running, "rival@example.com").await;
        let form = rival.get(&world.running, "/console/new/action").await;
        let (csrf, account) = (form.hidden("csrf"), form.hidden("account"));
        let host = world.running.server.settings.host.as_str().to_owned();
        let register = async |short_name: &str, address: &str| {
            let fields = [
                ("csrf", csrf.as_str()), ("account", &account), ("version", "0"), ("name", "Mine"), ("description", "It is mine."),
                ("api_address", address), ("contact_email", "rival@example.com"), ("short_name", short_name),
                ("legal_info_url", "https://example.com/legal"),
            ];
            rival.post(&world.running, "/console/new/action", &fields).await
        };
        for (short_name, address, says) in [
            ("todo", "https://mine.example", "another plugin has this short name"),
            ("mine", &format!("http://{host}"), "people sign in on this host"),
            ("mine", "https://mine.example/path", "only the scheme and the host"),
            ("mine", "http://mine.example", "must begin with https"),
            ("mine", "https://user@mine.example", "only the scheme and the host"),
        ] {
            let answer = register(short_name, address).await;
            assert_eq!(answer.status, 422, "{short_name} {address}");
            assert!(answer.body.contains(says), "{address}: {}", answer.body);
            assert!(answer.body.contains("value=\"It is mine.\""), "what was typed is kept");
        }
        let done = register("mine", "https://mine.example").await;
        assert_eq!(done.location(), Some("/console/plugins/mine/scopes?done=registered"), "{}", done.body);
        let again = register("other", "https://mine.example").await;
        assert!(again.body.contains("mine.example belongs to another plugin"), "{}", again.body);
        assert_eq!(world.database.count("plugins").await, 2);
    }

    /// A person who is no owner registers nothing, whatever form is sent.
    async fn who_is_no_owner_registers_nothing(engine) {
        let world = World::new(engine).await;
        let ada = ByHand::signed_in(&world.running, "ada@example.com").await;
        let csrf = ada.get(&world.running, "/").await.hidden("csrf");
        let account = ada.get(&world.running, "/account").await.hidden("account");
        assert_eq!(ada.get(&world.running, "/console").await.status, 200);
        assert_eq!(ada.get(&world.running, "/console/new/action").await.status, 404);
        let fields =
            [("csrf", csrf.as_str()), ("account", &account), ("name", "Mine"), ("api_address", "https://mine.example")];
        assert_eq!(ada.post(&world.running, "/console/new/action", &fields).await.status, 404);
        assert_eq!(world.database.count("plugins").await, 1);
    }

    /// Row 50: an owner moves a plugin of their own, and what they said of its scopes stays when it is described anew.
    async fn an_owner_moves_their_own_plugin(engine) {
        let world = World::new(engine).await;
        world.running.add_account_as("owner@example.com", "Olive Owner", Role::Owner).await;
        let owner = ByHand::signed_in(&world.running, "owner@example.com").await;
        let form = owner.get(&world.running, "/console/new/action").await;
        let (csrf, account) = (form.hidden("csrf"), form.hidden("account"));
        let description = r#"{ "openapi": "3.1.0", "components": { "securitySchemes": { "people": { "type": "oauth2",
            "flows": { "authorizationCode": { "authorizationUrl": "https://a.example/a", "tokenUrl": "https://a.example/t",
            "scopes": { "tasks.read": "See tasks", "tasks.write": "" } } } } } } }"#;
        let words = |address: &'static str, version: &'static str| {
            [
                ("csrf", csrf.as_str()), ("account", account.as_str()), ("version", version), ("name", "Tasks"),
                ("description", "Keeps tasks."), ("api_address", address), ("contact_email", "owner@example.com"),
                ("legal_info_url", "https://example.com/legal"), ("openapi", description),
            ]
        };
        let made = owner.post(&world.running, "/console/new/action", &words("https://one.example", "0")).await;
        assert_eq!(made.location(), Some("/console/plugins/tasks/scopes?done=registered"), "{}", made.body);
        let said = [
            ("csrf", csrf.as_str()), ("account", &account), ("version", "1"), ("scope-0", "tasks.read"),
            ("words-0", "See what you have to do"), ("scope-1", "tasks.write"), ("words-1", "Change it"),
            ("optional-1", "yes"), ("scope-3", "tasks.share"), ("words-3", "Share it"),
        ];
        let saved = owner.post(&world.running, "/console/plugins/tasks/scopes", &said).await;
        assert_eq!(saved.location(), Some("/console/plugins/tasks?done=saved"), "{}", saved.body);
        let listing = "/console/plugins/tasks/listing";
        let moved = owner.post(&world.running, listing, &words("https://two.example", "2")).await;
        assert_eq!(moved.location(), Some("/console/plugins/tasks?done=saved"), "{}", moved.body);
        let kept = world.running.server.store.plugin_by_slug("tasks").await.unwrap().unwrap();
        assert_eq!((kept.host.as_str(), kept.resource.as_str(), kept.version), ("two.example", "https://two.example", 3));
        assert_eq!(kept.manifest["api"]["url"], "https://two.example/openapi.json");
        let scopes: Vec<(&str, &str, bool)> =
            kept.scopes.iter().map(|scope| (scope.name.as_str(), scope.words.as_str(), scope.optional)).collect();
        let expected = [
            ("tasks.read", "See what you have to do", false), ("tasks.write", "Change it", true),
            ("tasks.share", "Share it", false),
        ];
        assert_eq!(scopes, expected);
        let late = owner.post(&world.running, listing, &words("https://three.example", "2")).await;
        assert_eq!(late.status, 422);
        assert!(late.body.contains("Somebody else has changed this plugin"), "{}", late.body);
    }

    /// Row 50: a form that was shown to one account does nothing for another that has been signed in to since.
    async fn a_form_does_nothing_for_another_account(engine) {
        let world = World::new(engine).await;
        world.running.add_account_as("admin@example.com", "Adam Admin", Role::Admin).await;
        world.running.add_account_as("owner@example.com", "Olive Owner", Role::Owner).await;
        let browser = ByHand::signed_in(&world.running, "owner@example.com").await;
        let form = browser.get(&world.running, "/console/new/action").await;
        let out = [("csrf", form.hidden("csrf")), ("r", String::new())];
        browser.post(&world.running, "/sign-out", &out.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
        let page = browser.get(&world.running, "/sign-in").await;
        browser.sign_in(&world.running, &page, "admin@example.com", PASSWORD).await;
        let csrf = browser.get(&world.running, "/console/new/action").await.hidden("csrf");
        let fields = [
            ("csrf", csrf.as_str()), ("account", &form.hidden("account")), ("version", "0"), ("name", "Mine"),
            ("description", "It is mine."), ("api_address", "https://mine.example"),
            ("contact_email", "owner@example.com"), ("legal_info_url", "https://example.com/legal"),
        ];
        let answer = browser.post(&world.running, "/console/new/action", &fields).await;
        assert_eq!(answer.location(), Some("/console?done=other-account"), "{}", answer.body);
        assert_eq!(world.database.count("plugins").await, 1);
    }
}
