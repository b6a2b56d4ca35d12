//! Resource indicators (RFC 8707) on the wire: at authorization, redemption, refresh, client credentials and
//! introspection; by every kind of client, on a server with two plugins. A refusal is `invalid_target`, and a line in
//! the log says what it is about.

use consentry::{
    clock::Clock,
    model::{
        client::Dialect,
        id::PluginId,
        plugin::{Plugin, SubjectSalt},
    },
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::wire::{CHALLENGE, VERIFIER, text};
use crate::{
    harness::{
        browser::{Arrived, Browser, authorize, parameter},
        databases::Engine,
        log,
        server::{CALLBACK, Options, Registered, World},
        strangers::{Strangers, answer::Answer},
    },
    on_both_engines,
};

const NOTES: &str = "https://notes.example/mcp";

/// What the owner is told of a code or a token that is used for something else than it was asked for, and the cure.
const OTHER: &str = "is not the one that was authorized; a client has to name the resource it asked for at first";

/// A clock that stands still: a code shall not expire while its mistakes are tried.
fn at_rest() -> Options {
    Options { clock: Clock::standing_at(Clock::system().now()), ..Options::default() }
}

/// Adds the second plugin.
async fn add_notes(world: &World) -> Plugin {
    let running = &world.running;
    let now = running.server.clock.now();
    let plugin = Plugin {
        id: PluginId(consentry::random::id(now)),
        slug: "notes".into(),
        host: "notes.example".parse().unwrap(),
        resource: NOTES.into(),
        subject_salt: SubjectSalt(consentry::random::bytes()),
        ..world.plugin.clone()
    };
    let import = consentry::store::plugins::PluginImport::of(plugin.clone(), vec![], now);
    running.server.store.import_plugin(&import, &running.operator()).await.unwrap();
    plugin
}

/// A client that asks for tokens, whatever it names.
struct Asking<'a> {
    world: &'a World,
    client: Registered,
}

impl Asking<'_> {
    fn named<'r>(resources: &[&'r str]) -> Vec<(&'static str, &'r str)> {
        resources.iter().map(|resource| ("resource", *resource)).collect()
    }

    /// Where an authorization request ends that Ada agrees to: a code, or an error on whichever way it is told.
    async fn authorized(&self, resources: &[&str]) -> Result<String, String> {
        let own = [
            ("response_type", "code"),
            ("client_id", self.client.client_id.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        let request = authorize(&[&own[..], &Self::named(resources)].concat());
        let browser = Browser::new(&self.world.running);
        let left = match browser.get(&request).await {
            Arrived::Page(page) if page.status == StatusCode::OK => browser.agree(&request, "ada@example.com").await,
            Arrived::Page(page) => page.offered().parse().unwrap(),
            Arrived::Left(left) => left,
        };
        parameter(&left, "code").ok_or_else(|| parameter(&left, "error").unwrap_or_else(|| panic!("{left}")))
    }

    async fn call(&self, fields: &[(&str, &str)], resources: &[&str]) -> (u16, Value) {
        let secret = self.client.client_secret.as_str();
        let mut own = vec![("client_id", self.client.client_id.as_str())];
        own.extend((!secret.is_empty()).then_some(("client_secret", secret)));
        let form = [&own[..], fields, &Self::named(resources)].concat();
        let (status, answer) = self.world.running.form("/token", &form).await;
        (status.as_u16(), answer)
    }

    async fn redeem(&self, code: &str, resources: &[&str]) -> (u16, Value) {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.call(&fields, resources).await
    }

    async fn refresh(&self, refresh_token: &str, resources: &[&str]) -> (u16, Value) {
        self.call(&[("grant_type", "refresh_token"), ("refresh_token", refresh_token)], resources).await
    }

    async fn for_itself(&self, resources: &[&str]) -> (u16, Value) {
        self.call(&[("grant_type", "client_credentials")], resources).await
    }

    /// What an API is told about a token when it names itself so.
    async fn introspect(&self, token: &str, resources: &[&str]) -> (u16, Value) {
        let form = [&[("token", token)][..], &Self::named(resources)].concat();
        let answer = self.world.running.post_basic("/introspect", &self.client, &form).await;
        (answer.status, answer.json())
    }

    /// The lines of the log that explain what it was refused.
    fn explained(&self) -> Vec<String> {
        let is_it = |line: &&str| line.contains("invalid_target:") && line.contains(&self.client.client_id);
        log::told().lines().filter(is_it).map(str::to_owned).collect()
    }

    /// Asserts that one more line explains a refusal.
    fn is_explained(&self, before: usize, words: &str) {
        let lines = self.explained();
        assert_eq!(lines.len(), before + 1, "{words}: {lines:#?}");
        assert!(lines[before].contains(words), "{words}: {lines:#?}");
    }
}

fn refused(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["error"].as_str().unwrap_or_default())
}

on_both_engines! {
    async fn any_spelling_of_a_registered_resource_is_that_resource(engine) {
        let world = World::with(engine, at_rest()).await;
        add_notes(&world).await;
        let own = world.plugin.resource.clone();
        let loud = own.replace("http://localhost", "HTTP://LocalHost");
        let (slash, dots) = (format!("{own}/"), own.replace("/api", "/x/../api"));
        let client = Asking { world: &world, client: world.client(Dialect::Custom).await };
        let service = Asking { world: &world, client: world.client(Dialect::Service).await };
        for named in [&[][..], &[own.as_str()], &[&own, &own], &[&loud], &[&slash], &[&dots, &dots], &["", &own]] {
            let code = client.authorized(named).await.unwrap();
            let (status, tokens) = client.redeem(&code, named).await;
            assert_eq!(status, 200, "{named:?}: {tokens}");
            let (status, refreshed) = client.refresh(text(&tokens, "refresh_token"), named).await;
            assert_eq!(status, 200, "{named:?}: {refreshed}");
            let (status, for_itself) = service.for_itself(named).await;
            assert_eq!(status, 200, "{named:?}: {for_itself}");
            for tokens in [&tokens, &refreshed, &for_itself] {
                let (_, told) = service.introspect(text(tokens, "access_token"), named).await;
                assert_eq!((&told["active"], &told["aud"]), (&json!(true), &json!(own)), "{named:?}: byte for byte");
            }
        }
    }

    /// Of what an API is told about its plugin's tokens, another API of the plugin is told nothing.
    async fn an_api_that_says_which_it_is_is_told_of_no_other(engine) {
        let world = World::with(engine, at_rest()).await;
        let mcp = "https://mcp.example/mcp";
        world.running.add_resource(&world.plugin, mcp).await;
        let client = Asking { world: &world, client: world.client(Dialect::Custom).await };
        let service = Asking { world: &world, client: world.client(Dialect::Service).await };
        let own = world.plugin.resource.as_str();
        for (audience, other) in [(own, mcp), (mcp, own)] {
            let (_, tokens) = client.redeem(&client.authorized(&[audience]).await.unwrap(), &[]).await;
            let (_, for_itself) = service.for_itself(&[audience]).await;
            for tokens in [tokens, for_itself] {
                let access = text(&tokens, "access_token");
                assert_eq!(service.introspect(access, &[audience]).await.1["aud"], audience);
                for wrong in [other, NOTES, "https://mcp.example/MCP"] {
                    assert_eq!(service.introspect(access, &[wrong]).await.1, json!({ "active": false }), "{wrong}");
                }
            }
        }
    }

    async fn a_resource_that_is_gone_leaves_no_token_active(engine) {
        let world = World::with(engine, at_rest()).await;
        let mcp = "https://mcp.example/mcp";
        world.running.add_resource(&world.plugin, mcp).await;
        let client = Asking { world: &world, client: world.client(Dialect::Custom).await };
        let service = Asking { world: &world, client: world.client(Dialect::Service).await };
        let (_, tokens) = client.redeem(&client.authorized(&[mcp]).await.unwrap(), &[]).await;
        let (_, for_itself) = service.for_itself(&[mcp]).await;
        let told = async || {
            let of_people = service.introspect(text(&tokens, "access_token"), &[]).await.1;
            (of_people["active"].clone(), service.introspect(text(&for_itself, "access_token"), &[]).await.1)
        };
        assert_eq!(told().await.1["active"], true);
        world.running.server.store.remove_resource(mcp, &world.running.operator()).await.unwrap();
        assert_eq!(told().await, (json!(false), json!({ "active": false })));
        // Nor is it for whoever registers the same identifier afterwards.
        let notes = add_notes(&world).await;
        world.running.add_resource(&notes, mcp).await;
        let stranger = world.running.add_client(&notes, Dialect::Service, &[]).await;
        for asking in [&service, &Asking { world: &world, client: stranger }] {
            for tokens in [&tokens, &for_itself] {
                let (_, told) = asking.introspect(text(tokens, "access_token"), &[mcp]).await;
                assert_eq!(told, json!({ "active": false }), "{}", asking.client.client_id);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_may_not_ask_for_is_refused_everywhere_and_explained() {
    log::listen();
    let world = World::with(Engine::Sqlite, at_rest()).await;
    add_notes(&world).await;
    let own = world.plugin.resource.as_str();
    let (fragment, long) = (format!("{own}#x"), format!("https://a.example/{}", "a".repeat(2048)));
    let client = Asking { world: &world, client: world.client(Dialect::Custom).await };
    let service = Asking { world: &world, client: world.client(Dialect::Service).await };
    let code = client.authorized(&[]).await.unwrap();
    let (_, tokens) = client.redeem(&client.authorized(&[]).await.unwrap(), &[]).await;
    let (refresh, access) = (text(&tokens, "refresh_token"), text(&tokens, "access_token"));
    let malformed = "is not an absolute https URL without fragment; only who wrote the client can mend that";
    let unknown = "is not registered at this server; `consentry resource list` shows what is registered";
    let foreign = "is not one this client may ask for; it belongs to another plugin than the client";
    let several =
        "is given more than once with different values; a token is for one of them; only who wrote the client";
    let too_long = "is longer than 2048 bytes; only who wrote the client can mend that";
    for (named, why, of_a_grant) in [
        (&["https://nowhere.example"][..], unknown, OTHER),
        (&[NOTES], foreign, OTHER),
        (&["api"], malformed, malformed),
        (&["urn:example:api"], malformed, malformed),
        (&[&fragment], malformed, malformed),
        (&[own, NOTES], several, several),
        (&[&long], too_long, too_long),
    ] {
        let before = client.explained().len();
        assert_eq!(client.authorized(named).await.unwrap_err(), "invalid_target", "{named:?}");
        client.is_explained(before, why);
        assert_eq!(refused(&client.redeem(&code, named).await), (400, "invalid_target"), "{named:?}");
        client.is_explained(before + 1, of_a_grant);
        assert_eq!(refused(&client.refresh(refresh, named).await), (400, "invalid_target"), "{named:?}");
        client.is_explained(before + 2, of_a_grant);
        let before = service.explained().len();
        assert_eq!(refused(&service.for_itself(named).await), (400, "invalid_target"), "{named:?}");
        service.is_explained(before, why);
        let told = service.introspect(access, named).await;
        if why == of_a_grant {
            assert_eq!(refused(&told), (400, "invalid_target"), "{named:?}");
            service.is_explained(before + 1, why);
        } else {
            assert_eq!(told, (200, json!({ "active": false })), "a token for something else: {named:?}");
        }
        if let [one] = named
            && one.len() < 2048
        {
            assert!(client.explained().iter().any(|line| line.contains(one)), "what was asked for: {one}");
        }
    }
    assert_eq!(client.redeem(&code, &[]).await.0, 200, "a mistake spoils no code");
    assert_eq!(client.refresh(refresh, &[]).await.0, 200, "and no refresh token");
}

/// A client that belongs to no plugin may ask for each, and has to say for which.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_no_plugin_says_which_it_means() {
    log::listen();
    let strangers = Strangers::new();
    let host = strangers.host("client.example");
    let world = World::with(Engine::Sqlite, Options { outbound: strangers.settings(), ..at_rest() }).await;
    let notes = add_notes(&world).await;
    let address = host.url("/client.json").to_string();
    let said = json!({ "client_id": address, "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" });
    host.answer("/client.json", Answer::json(&said));
    let (status, told) = world.running.json("/register", &said).await;
    assert_eq!(status, 201, "{told}");
    let own = world.plugin.resource.as_str();
    let apis = [
        (own, Asking { world: &world, client: world.client(Dialect::Service).await }),
        (NOTES, Asking { world: &world, client: world.running.add_client(&notes, Dialect::Service, &[]).await }),
    ];
    for client_id in [text(&told, "client_id"), &address] {
        let client = Registered { client_id: client_id.to_owned(), client_secret: String::new() };
        let asking = Asking { world: &world, client };
        assert_eq!(asking.authorized(&[]).await.unwrap_err(), "invalid_target");
        asking.is_explained(
            0,
            "the client belongs to none of them; the setting default_resource says what such clients get",
        );
        for ((resource, api), (other, other_api)) in [(&apis[0], &apis[1]), (&apis[1], &apis[0])] {
            let code = asking.authorized(&[resource]).await.unwrap();
            let before = asking.explained().len();
            assert_eq!(refused(&asking.redeem(&code, &[other]).await), (400, "invalid_target"), "{other}");
            asking.is_explained(before, OTHER);
            let (status, tokens) = asking.redeem(&code, &[]).await;
            assert_eq!(status, 200, "{tokens}");
            let refresh = text(&tokens, "refresh_token");
            assert_eq!(refused(&asking.refresh(refresh, &[other]).await), (400, "invalid_target"), "{other}");
            asking.is_explained(before + 1, OTHER);
            let (status, refreshed) = asking.refresh(refresh, &[resource]).await;
            assert_eq!(status, 200, "{refreshed}");
            let access = text(&refreshed, "access_token");
            assert_eq!(api.introspect(access, &[resource]).await.1["aud"], *resource);
            assert_eq!(api.introspect(access, &[other]).await.1, json!({ "active": false }));
            assert_eq!(other_api.introspect(access, &[]).await.1, json!({ "active": false }));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_says_what_is_meant_where_nothing_is_named() {
    log::listen();
    let loud = "HTTPS://Notes.example/mcp/";
    let gone = "https://gone.example/mcp";
    for (default, there) in [(loud, true), (gone, false)] {
        let options = Options { default_resource: Some(default.parse().unwrap()), ..at_rest() };
        let world = World::with(Engine::Sqlite, options).await;
        add_notes(&world).await;
        let (_, told) = world
            .running
            .json("/register", &json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" }))
            .await;
        let client = Registered { client_id: text(&told, "client_id").to_owned(), client_secret: String::new() };
        let asking = Asking { world: &world, client };
        let answer = asking.authorized(&[]).await;
        if there {
            let (status, tokens) = asking.redeem(&answer.unwrap(), &[]).await;
            assert_eq!((status, &tokens["scope"]), (200, &told["scope"]), "what it was told when it registered");
            let plugin = world.running.server.store.plugin_by_slug("notes").await.unwrap().unwrap();
            let service = world.running.add_client(&plugin, Dialect::Service, &[]).await;
            let api = Asking { world: &world, client: service };
            assert_eq!(api.introspect(text(&tokens, "access_token"), &[]).await.1["aud"], NOTES);
        } else {
            assert_eq!(answer.unwrap_err(), "invalid_target");
            asking.is_explained(0, "(default_resource) is not registered; `consentry resource add` registers it");
            assert_eq!(told["scope"], Value::Null, "nobody knows what it could ask for");
        }
        // Whoever names one, or belongs to a plugin, means that one.
        let own = world.plugin.resource.as_str();
        assert!(asking.authorized(&[own]).await.is_ok());
        let member = Asking { world: &world, client: world.client(Dialect::Custom).await };
        assert_eq!(member.redeem(&member.authorized(&[]).await.unwrap(), &[own]).await.0, 200);
        // And at its start, before any of the plugins was there, each server said so.
        let warned = format!(
            "default_resource is not registered; until `consentry resource add` registers it, clients \
                              that name no resource are refused resource=\"{default}\""
        );
        assert!(log::told().contains(&warned), "{default}");
    }
}

/// The log must not blame the resource for what something else is at fault for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_fault_is_not_explained_by_the_resource() {
    log::listen();
    let world = World::with(Engine::Sqlite, at_rest()).await;
    add_notes(&world).await;
    let (_, told) = world.running.json("/register", &json!({ "redirect_uris": [CALLBACK] })).await;
    let client_id = text(&told, "client_id");
    let client = Registered { client_id: client_id.to_owned(), client_secret: String::new() };
    for fault in ["response_type=token", "response_type=code&prompt=none%20login", "response_type=code&state=a&state=b"]
    {
        let request = format!("/authorize?{fault}&client_id={client_id}&redirect_uri={CALLBACK}");
        let page = Browser::new(&world.running).get(&request).await.page();
        assert!(!page.offered().contains("invalid_target"), "{}", page.offered());
    }
    assert_eq!(Asking { world: &world, client }.explained(), [""; 0]);
}
