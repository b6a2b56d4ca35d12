//! A client whose owner took a scope from it: it keeps nothing of that by whatever it still holds, and one that is given
//! more has it from nobody who was not asked.

use consentry::model::{account::Role, client::Dialect};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    attacks::by_hand::ByHand,
    harness::{
        browser::{Browser, authorize, parameter, plugin_request},
        program::Program,
        server::{CALLBACK, Registered, World},
    },
    on_both_engines,
};

/// A plugin with its owner's program, a client that people connect, and the service that asks about tokens.
struct Scene {
    world: World,
    owner: Program,
    client: Registered,
    service: Registered,
}

impl Scene {
    async fn new(engine: crate::harness::databases::Engine) -> Self {
        let world = World::new(engine).await;
        let (owner, account) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
        world.running.server.store.add_owner(world.plugin.id, account, &world.running.operator()).await.unwrap();
        let (client, service) = (world.client(Dialect::Action).await, world.client(Dialect::Service).await);
        Self { world, owner, client, service }
    }

    /// What the client may ask for from now on.
    async fn may_ask_for(&self, scopes: &[&str]) {
        let path = format!("/plugins/todo/clients/{}/scopes", self.client.client_id);
        let told = self.owner.must("PUT", &path, &json!({ "scopes": scopes })).await;
        assert_eq!(told["scopes"], json!(scopes));
    }

    async fn connects(&self) -> Value {
        let (status, tokens) =
            self.world.running.redeem(&self.client, &self.world.running.code(&self.client).await).await;
        assert_eq!(status, StatusCode::OK, "{tokens}");
        tokens
    }

    /// The scope of an answer of the token endpoint, and what the API and the client are told of its token.
    async fn carries(&self, (status, answer): &(StatusCode, Value)) -> [String; 3] {
        assert_eq!(*status, StatusCode::OK, "{answer}");
        let [api, own] = self.told_of(answer).await;
        [answer["scope"].as_str().unwrap_or_default().to_owned(), api, own]
    }

    /// What the API and the client are told of an access token, `-` where it is nothing.
    async fn told_of(&self, answer: &Value) -> [String; 2] {
        let token = answer["access_token"].as_str().unwrap();
        let mut told = Vec::new();
        for caller in [&self.service, &self.client] {
            let (_, about) = self.world.running.introspect(caller, token).await;
            told.push(if about["active"] == true { about["scope"].as_str().unwrap() } else { "-" }.to_owned());
        }
        told.try_into().unwrap()
    }

    async fn refreshes(&self, tokens: &Value) -> (StatusCode, Value) {
        self.world.running.refresh(&self.client, tokens["refresh_token"].as_str().unwrap()).await
    }

    /// Refreshes for these scopes.
    async fn refreshes_for(&self, tokens: &Value, scope: &str) -> (StatusCode, Value) {
        let fields = [
            ("grant_type", "refresh_token"),
            ("client_id", &self.client.client_id),
            ("client_secret", &self.client.client_secret),
            ("refresh_token", tokens["refresh_token"].as_str().unwrap()),
            ("scope", scope),
        ];
        self.world.running.form("/token", &fields).await
    }

    fn asks_for(&self, scope: &str, prompt: &str) -> String {
        authorize(&[
            ("response_type", "code"),
            ("client_id", &self.client.client_id),
            ("redirect_uri", CALLBACK),
            ("scope", scope),
            ("prompt", prompt),
        ])
    }
}

fn is_refused((status, answer): &(StatusCode, Value), error: &str) {
    assert_eq!((*status, answer["error"].as_str()), (StatusCode::BAD_REQUEST, Some(error)), "{answer}");
}

on_both_engines! {
    /// Row 54: what was taken is in no answer of the token endpoint, and nobody is told of a token that it has it.
    async fn a_scope_that_was_taken_is_in_no_token_and_no_answer(engine) {
        let scene = Scene::new(engine).await;
        let running = &scene.world.running;
        let tokens = scene.connects().await;
        let (_, narrowed) = scene.refreshes_for(&tokens, "todo.write").await;
        assert_eq!(scene.told_of(&narrowed).await, ["todo.write"; 2]);
        let (code, browser) = (running.code(&scene.client).await, Browser::new(running));
        browser.agree(&plugin_request(&scene.client), "ada@example.com").await;

        scene.may_ask_for(&["todo.read"]).await;
        assert_eq!(scene.told_of(&tokens).await, ["todo.read"; 2], "of the token that is out");
        assert_eq!(scene.told_of(&narrowed).await, ["-"; 2], "with no scope it would be for the API as a whole");
        let refreshed = scene.refreshes(&tokens).await;
        assert_eq!(scene.carries(&refreshed).await, ["todo.read"; 3]);
        is_refused(&scene.refreshes_for(&refreshed.1, "todo.write").await, "invalid_scope");
        assert_eq!(scene.carries(&running.redeem(&scene.client, &code).await).await, ["todo.read"; 3]);
        // Agreed to before, and asked for once more without a page.
        let left = browser.get(&scene.asks_for("todo.read todo.write", "none")).await.left();
        let again = running.redeem(&scene.client, &parameter(&left, "code").unwrap()).await;
        assert_eq!(scene.carries(&again).await, ["todo.read"; 3]);
    }

    /// Row 54: a connection that was for nothing else goes on as none; least of all as one for the API as a whole.
    async fn a_connection_that_is_left_nothing_gets_nothing(engine) {
        let scene = Scene::new(engine).await;
        let running = &scene.world.running;
        scene.may_ask_for(&["todo.write"]).await;
        let (tokens, code) = (scene.connects().await, running.code(&scene.client).await);
        scene.may_ask_for(&["todo.read"]).await;
        assert_eq!(scene.told_of(&tokens).await, ["-"; 2]);
        is_refused(&scene.refreshes(&tokens).await, "invalid_grant");
        is_refused(&running.redeem(&scene.client, &code).await, "invalid_grant");
    }

    /// Row 54: a client that asked for a plugin as a whole, from before that had scopes, keeps nothing once it may ask for
    /// some alone: the whole is more.
    async fn what_was_for_the_whole_is_nothing_once_only_some_may_be_asked_for(engine) {
        let world = World::new(engine).await;
        let (owner, _) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
        let listing = json!({
            "name": "Bare", "short_name": "bare", "api_address": "https://bare.example", "description": "Keeps notes.",
            "contact_email": "help@bare.example", "legal_info_url": "https://bare.example/legal",
        });
        owner.must("POST", "/plugins", &json!({ "kind": "action", "listing": listing })).await;
        let bare = world.running.server.store.plugin_by_slug("bare").await.unwrap().unwrap();
        let client = world.running.add_client(&bare, Dialect::Action, &[CALLBACK]).await;
        let service = world.running.add_client(&bare, Dialect::Service, &[]).await;
        let scene = Scene { world, owner, client, service };
        let running = &scene.world.running;
        let (tokens, code) = (scene.connects().await, running.code(&scene.client).await);
        assert_eq!(scene.told_of(&tokens).await, [""; 2], "the whole");
        let scopes = json!({ "version": bare.version, "scopes": [
            { "name": "notes.read", "description": "Read notes" }, { "name": "notes.write", "description": "Write notes" } ] });
        scene.owner.must("PUT", "/plugins/bare/scopes", &scopes).await;
        let refreshed = scene.refreshes(&tokens).await;
        assert_eq!(scene.carries(&refreshed).await, [""; 3], "nobody has taken anything");
        // A person is asked first.
        running.add_account_as("admin@example.com", "Adam Admin", Role::Admin).await;
        let admin = ByHand::signed_in(running, "admin@example.com").await;
        let page = format!("/console/plugins/bare/clients/{}", scene.client.client_id);
        let form = admin.get(running, &page).await;
        let (csrf, account, version) = (form.hidden("csrf"), form.hidden("account"), form.hidden("version"));
        let ticked = [("csrf", csrf.as_str()), ("account", &account), ("version", &version), ("change", "scopes"), ("scope", "notes.read")];
        let asked = admin.post(running, &page, &ticked).await;
        assert!(asked.status == 200 && asked.body.contains("One connection through it ends."), "{}", asked.body);
        assert_eq!(scene.told_of(&refreshed.1).await, [""; 2], "not before it is confirmed");
        let path = format!("/plugins/bare/clients/{}/scopes", scene.client.client_id);
        scene.owner.must("PUT", &path, &json!({ "scopes": ["notes.read"] })).await;
        assert_eq!(scene.told_of(&refreshed.1).await, ["-"; 2]);
        is_refused(&scene.refreshes(&refreshed.1).await, "invalid_grant");
        is_refused(&running.redeem(&scene.client, &code).await, "invalid_grant");
    }

    /// Row 54: a scope that is given is there for whom somebody agreed to it, before or since, and for nobody else.
    async fn a_scope_that_is_given_is_asked_of_who_did_not_agree_to_it(engine) {
        let scene = Scene::new(engine).await;
        let running = &scene.world.running;
        scene.may_ask_for(&["todo.read"]).await;
        let browser = Browser::new(running);
        let left = browser.agree(&plugin_request(&scene.client), "ada@example.com").await;
        let (_, tokens) = running.redeem(&scene.client, &parameter(&left, "code").unwrap()).await;
        scene.may_ask_for(&["todo.read", "todo.write"]).await;
        let refreshed = scene.refreshes(&tokens).await;
        assert_eq!(scene.carries(&refreshed).await, ["todo.read"; 3]);
        is_refused(&scene.refreshes_for(&refreshed.1, "todo.write").await, "invalid_scope");
        let silent = browser.get(&scene.asks_for("todo.read todo.write", "none")).await.left();
        assert_eq!(parameter(&silent, "error").as_deref(), Some("consent_required"));
        let page = browser.get(&plugin_request(&scene.client)).await.page();
        let left = browser.decide(&page, "allow").await.left();
        let agreed = running.redeem(&scene.client, &parameter(&left, "code").unwrap()).await;
        assert_eq!(scene.carries(&agreed).await, ["todo.read todo.write"; 3]);
        let before = scene.refreshes(&refreshed.1).await;
        assert_eq!(scene.carries(&before).await, ["todo.read"; 3], "the connection of before was not for it");

        // Taken and given back, it is there again for who agreed to it: their yes was neither taken back nor asked anew.
        scene.may_ask_for(&["todo.read"]).await;
        let less = scene.refreshes(&agreed.1).await;
        assert_eq!(scene.carries(&less).await, ["todo.read"; 3]);
        scene.may_ask_for(&["todo.read", "todo.write"]).await;
        assert_eq!(scene.carries(&scene.refreshes(&less.1).await).await, ["todo.read todo.write"; 3]);
    }
}
