//! The owners' API, as a program of an owner's uses it.

use consentry::{
    clock::Clock,
    jobs,
    model::{
        audit::{Actor, Origin},
        client::Dialect,
        id::AccountId,
    },
    outbound::Outbound,
    protocol::manifest,
    registry::{
        Registry,
        clients::{self, NewClientForm, Which, callbacks},
        plugins::{self, PluginForm},
        scopes::{self, ScopeForm},
        verification,
    },
};
use serde_json::{Value, json};

use crate::{
    harness::{
        databases::Engine,
        program::Program,
        published::TOKEN,
        route_table::calls,
        server::{CALLBACK, Options, World},
        strangers::{Strangers, answer::Answer, host::Host},
    },
    on_both_engines,
};

const HOST: &str = "api.tasks.example";

/// An API's description with a permission that has its sentence.
const DESCRIPTION: &str = r#"{ "openapi": "3.1.0", "components": { "securitySchemes": { "people": { "type": "oauth2",
  "flows": { "authorizationCode": { "authorizationUrl": "https://a.example/authorize", "tokenUrl": "https://a.example/token",
  "scopes": { "tasks.read": "See your tasks" } } } } } } }"#;

/// A server to which a plugin is to come, and the host where that will stand.
struct Empty {
    world: World,
    strangers: Strangers,
    host: Host,
}

impl Empty {
    async fn new(engine: Engine) -> Self {
        let strangers = Strangers::new();
        let host = strangers.host(HOST);
        let world = World::with(engine, Options { outbound: strangers.settings(), ..Options::default() }).await;
        Self { world, strangers, host }
    }

    /// Lets the host answer what this server serves for it.
    async fn answer(&self) {
        let get = reqwest::Client::new().get(format!("{}{}", self.world.running.own, manifest::PLACE));
        let served: Value = get.header("host", HOST).send().await.unwrap().json().await.unwrap();
        self.host.answer(manifest::PLACE, Answer::json(&served));
    }

    /// What there is in the end, without what is made by chance.
    async fn state(&self, owner: AccountId) -> Value {
        let store = &self.world.running.server.store;
        let plugin = store.plugin_by_slug("example-tasks").await.unwrap().unwrap();
        let page = consentry::store::owners::Page { before: None, rows_max: 9 };
        let clients = store.clients_of(plugin.id, self.world.running.server.clock.now(), page).await.unwrap();
        let clients = clients.iter().map(|client| {
            let uris: Vec<String> = client.redirect_uris.iter().map(ToString::to_string).collect();
            let scopes = client.scopes.as_ref().map(ToString::to_string);
            json!([
                client.name,
                client.dialect.as_str(),
                client.registration,
                uris,
                scopes,
                client.version,
                client.enabled,
                client.secrets.len()
            ])
        });
        let look = store.verification(plugin.id).await.unwrap().unwrap().1.look.unwrap();
        let owners: Vec<bool> =
            store.owners(plugin.id).await.unwrap().iter().map(|it| it.account_id == owner).collect();
        json!({
            "plugin": [plugin.slug, plugin.host.as_str(), plugin.state.as_str(), plugin.resource, plugin.version],
            "manifest": plugin.manifest,
            "scopes": format!("{:?}", plugin.scopes),
            "clients": clients.collect::<Value>(),
            "look": look.outcome.as_str(),
            "owners": owners,
        })
    }
}

fn listing() -> Value {
    json!({
        "name": "Example Tasks",
        "api_address": format!("https://{HOST}"),
        "description": "Keeps your tasks.",
        "contact_email": "help@tasks.example",
        "legal_info_url": "https://tasks.example/legal",
        "openapi": DESCRIPTION,
    })
}

/// From nothing to a verified plugin, through the API alone.
async fn by_the_api(it: &Empty) -> AccountId {
    let (program, account) = Program::of_a_new_owner(&it.world.running, "owner@example.com").await;
    let plugin = program.must("POST", "/plugins", &json!({ "kind": "plugin", "listing": listing() })).await;
    assert_eq!((plugin["slug"].as_str(), plugin["state"].as_str()), (Some("example-tasks"), Some("draft")));
    let at = |path: &str| format!("/plugins/example-tasks{path}");
    let scopes = json!([
        { "name": "tasks.read", "description": "See your tasks and when they are due" },
        { "name": "tasks.write", "description": "Add and remove tasks", "optional": true },
    ]);
    let change = json!({ "version": plugin["version"], "scopes": scopes });
    let plugin = program.must("PUT", &at("/scopes"), &change).await;
    assert_eq!(
        plugin["scopes"],
        json!([
            { "name": "tasks.read", "description": "See your tasks and when they are due", "optional": false },
            { "name": "tasks.write", "description": "Add and remove tasks", "optional": true },
        ])
    );
    assert_eq!(program.call_with("PUT", &at("/scopes"), &change).await.status, 409, "that version is gone");
    let registered = program
        .must(
            "POST",
            &at("/clients"),
            &json!({ "preset": "plugin", "name": "An assistant", "redirect_uris": [CALLBACK] }),
        )
        .await;
    assert!(registered["client_secret"].as_str().unwrap().starts_with("cst_cs_"));
    let client = at(&format!("/clients/{}", registered["client"]["client_id"].as_str().unwrap()));
    let another = json!({ "redirect_uris": ["https://other.example/cb"], "version": registered["client"]["version"] });
    let added = program.must("POST", &format!("{client}/redirect-uris"), &another).await;
    assert!(added["redirect_uris"].as_array().unwrap().contains(&json!("https://other.example/cb")));
    assert_eq!(program.call_with("POST", &format!("{client}/redirect-uris"), &another).await.status, 409);
    let standing = program.must("PUT", &at("/verification/token"), &json!({ "token": TOKEN })).await;
    assert_eq!(standing["state"], "published");
    it.answer().await;
    let verified = program.call("POST", &at("/verification")).await.json;
    assert_eq!(
        (&verified["state"], &verified["look"]["outcome"]),
        (&json!("verified"), &json!("matches")),
        "{verified}"
    );
    assert_eq!(program.call("GET", &at("")).await.json["state"], "verified");
    account
}

/// The same by the functions that the console and the command line call.
async fn by_hand(it: &Empty) -> AccountId {
    let running = &it.world.running;
    let account =
        running.add_account_as("owner@example.com", "Olive Owner", consentry::model::account::Role::Owner).await;
    let server = &running.server;
    let registry = Registry {
        store: &server.store,
        clock: &server.clock,
        issuer: Some(&server.settings.issuer),
        public: Some((&server.settings.host, server.settings.scheme())),
        clients_by_hand: true,
        rotators: &[],
        is_trusted: false,
        actor: Actor::Account(account),
        origin: Origin::default(),
    };
    let text = |member: &str| listing()[member].as_str().unwrap().to_owned();
    let form = PluginForm {
        name: text("name"),
        api_address: text("api_address"),
        description: text("description"),
        contact_email: text("contact_email"),
        legal_info_url: text("legal_info_url"),
        openapi: Some(DESCRIPTION.into()),
        ..PluginForm::default()
    };
    let plugin = plugins::register(&registry, Dialect::Plugin, &form, Some(account)).await.unwrap();
    let scope = |name: &str, words: &str, optional| ScopeForm { name: name.into(), words: words.into(), optional };
    let forms = [
        scope("tasks.read", "See your tasks and when they are due", false),
        scope("tasks.write", "Add and remove tasks", true),
    ];
    let plugin = scopes::describe(&registry, &plugin, &forms).await.unwrap();
    let form = NewClientForm {
        preset: "plugin".into(),
        name: "An assistant".into(),
        callbacks: vec![CALLBACK.into()],
        ..NewClientForm::default()
    };
    let client = clients::register(&registry, &plugin, &form).await.unwrap().client;
    let which = Which { client_id: &client.client_id, seen: Some(1) };
    callbacks::add(&registry, which, &["https://other.example/cb".into()]).await.unwrap();
    verification::set_verification_token(&registry, (plugin.id, None), manifest::SERVICE, TOKEN).await.unwrap();
    it.answer().await;
    let outbound = Outbound::new(it.strangers.settings()).unwrap();
    verification::verify(&registry, &outbound, plugin.id).await.unwrap();
    account
}

on_both_engines! {
    async fn from_nothing_to_a_verified_plugin_as_by_hand(engine) {
        let (api, hand) = (Empty::new(engine).await, Empty::new(engine).await);
        let (by_api, by_hand) = (by_the_api(&api).await, by_hand(&hand).await);
        assert_eq!(api.state(by_api).await, hand.state(by_hand).await);
        let events = "audit_events where actor = 'account' and action not like 'account.%'";
        assert_eq!(api.world.database.count(events).await, hand.world.database.count(events).await);
        jobs::notes::keep(&api.world.running.server).await.unwrap();
        assert_eq!(api.world.database.count("owner_tokens where last_used_at is not null").await, 1, "one note of all calls");
    }

    async fn what_was_sent_is_refused_by_its_name(engine) {
        let world = World::new(engine).await;
        let (program, _) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
        let with = |change: fn(&mut Value)| {
            let mut body = json!({ "kind": "action", "listing": listing() });
            change(&mut body);
            body
        };
        for (body, field) in [
            (with(|it| it["listing"]["nam"] = json!("x")), "listing.nam"),
            (with(|it| { it["owner"] = json!("x"); }), "owner"),
            (with(|it| { it["listing"]["name"].take(); }), "listing.name"),
            (with(|it| { it["kind"] = json!("other"); }), "kind"),
            (with(|it| { it["listing"]["api_address"] = json!("ftp://x.example"); }), "listing.api_address"),
            (with(|it| { it["listing"]["openapi"] = json!("nothing"); }), "listing.openapi"),
            (with(|it| { it["listing"]["logo_url"] = json!("nowhere"); }), "listing.logo_url"),
        ] {
            let told = program.call_with("POST", "/plugins", &body).await;
            assert_eq!((told.status, told.header("content-type")), (422, "application/problem+json"), "{body}");
            assert_eq!(told.fields(), [field], "{}", told.json);
            assert_eq!(told.json["status"], 422);
        }
        let missing = program.call_with("POST", "/plugins", &json!({ "kind": "action" })).await;
        assert!(missing.json["errors"][0]["problem"].as_str().unwrap().contains("missing field `listing`"), "{missing:?}");
        let raw = async |media_type: &str, body: Vec<u8>| {
            program.send("POST", "/plugins", |it| it.header("content-type", media_type).body(body)).await.status
        };
        assert_eq!(raw("application/json", b"{".to_vec()).await, 400);
        assert_eq!(raw("application/json", b"{} {}".to_vec()).await, 422, "a member is missing");
        assert_eq!(raw("text/plain", b"{}".to_vec()).await, 415);
        assert_eq!(raw("application/json", vec![b' '; 256 * 1024 + 1]).await, 413);
        assert_eq!(program.call("GET", "/plugins?limit=0").await.fields(), ["limit"]);
        assert_eq!(program.call("GET", "/plugins?cursor=x").await.status, 400);
        assert_eq!(program.call("GET", "/plugins?limit=1&limit=2").await.status, 400);
        let method = program.call("DELETE", "/plugins").await;
        assert_eq!((method.status, method.header("allow")), (405, "GET, POST"));
        assert_eq!(world.database.count("plugins").await, 1);
    }

    /// What a client may ask for is replaced as a whole, by whoever has read it as it is.
    async fn what_a_client_may_ask_for_is_replaced(engine) {
        let world = World::new(engine).await;
        let (program, account) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
        world.running.server.store.add_owner(world.plugin.id, account, &world.running.operator()).await.unwrap();
        let client = world.client(Dialect::Action).await;
        let path = format!("/plugins/todo/clients/{}/scopes", client.client_id);
        for scopes in [json!([]), json!(["todo.share"]), json!("todo.read")] {
            let told = program.call_with("PUT", &path, &json!({ "scopes": scopes })).await;
            assert_eq!((told.status, told.fields()), (422, vec!["scopes"]), "{scopes}: {}", told.json);
        }
        let body = json!({ "scopes": ["todo.read"], "version": 1 });
        let changed = program.must("PUT", &path, &body).await;
        assert_eq!((&changed["scopes"], &changed["version"]), (&json!(["todo.read"]), &json!(2)));
        assert_eq!(program.call_with("PUT", &path, &body).await.status, 409);
    }

    /// What is read of a connector is what a change takes, and says what its tokens are for.
    async fn a_connector_is_read_back_as_it_can_be_written(engine) {
        let world = World::new(engine).await;
        let (program, _) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
        let mut said = listing();
        said["api_address"] = json!("https://mcp.tasks.example/mcp");
        let made = program.must("POST", "/plugins", &json!({ "kind": "connector", "listing": said })).await;
        let at = format!("/plugins/{}", made["slug"].as_str().unwrap());
        let read = program.call("GET", &at).await.json;
        let resources = read["resources"].as_array().unwrap();
        assert!(resources.contains(&json!("https://mcp.tasks.example/mcp")), "{read}");
        assert!(resources.contains(&read["resource"]), "{read}");
        assert_eq!(made["resources"], read["resources"]);
        let same = json!({ "version": read["version"], "listing": read["listing"] });
        let changed = program.must("PUT", &format!("{at}/listing"), &same).await;
        assert_eq!((&changed["listing"], &changed["resources"]), (&read["listing"], &read["resources"]));
        let listed = program.call("GET", "/plugins").await.json;
        assert!(listed["plugins"][0].get("resources").is_none(), "{listed}");
    }

    /// Whoever has another one fetch for them does so at a pace, and not with a version that is gone.
    async fn what_is_fetched_has_a_pace(engine) {
        let strangers = Strangers::new();
        let _host = strangers.host(HOST);
        let clock = Clock::standing_at(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let options = Options { clock, outbound: strangers.settings(), ..Options::default() };
        let world = World::with(engine, options).await;
        let (program, _) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
        let mut said = listing();
        said["openapi"].take();
        said["openapi_url"] = json!(format!("https://{HOST}/nothing"));
        let body = json!({ "kind": "plugin", "listing": said });
        for _ in 0..30 {
            let told = program.call_with("POST", "/plugins", &body).await;
            assert_eq!((told.status, told.fields()), (422, vec!["listing.openapi_url"]));
        }
        let told = program.call_with("POST", "/plugins", &body).await;
        assert_eq!(told.status, 429, "{told:?}");
        assert_eq!(told.header("retry-after"), "7");
        let made = program.must("POST", "/plugins", &json!({ "kind": "plugin", "listing": listing() })).await;
        let at = format!("/plugins/{}/listing", made["slug"].as_str().unwrap());
        let told = program.call_with("PUT", &at, &json!({ "version": 9, "listing": said })).await;
        assert_eq!(told.status, 409, "{told:?}");
    }

    /// A request that is sent twice makes one secret; what is answered of a new client is what is there.
    async fn a_secret_is_renewed_once(engine) {
        let world = World::new(engine).await;
        let (program, account) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
        world.running.server.store.add_owner(world.plugin.id, account, &world.running.operator()).await.unwrap();
        let at = format!("/plugins/{}/clients", world.plugin.slug);
        let new = json!({ "preset": "action", "name": "An assistant", "redirect_uris": [CALLBACK] });
        let registered = program.must("POST", &at, &new).await;
        let client = format!("{at}/{}", registered["client"]["client_id"].as_str().unwrap());
        assert_eq!(program.call("GET", &client).await.json, registered["client"]);
        let seen = &registered["client"]["secrets"][0]["secret_id"];
        let renewal = json!({ "keep_old_seconds": 60, "secret_id": seen });
        let secrets = format!("{client}/secrets");
        let renewed = program.must("POST", &secrets, &renewal).await;
        assert_eq!(renewed["client"]["secrets"].as_array().unwrap().len(), 2);
        assert_eq!(program.call_with("POST", &secrets, &renewal).await.status, 409);
        let unsaid = program.call_with("POST", &secrets, &json!({ "keep_old_seconds": 60 })).await;
        assert_eq!(unsaid.status, 422, "{unsaid:?}");
    }

    async fn lists_are_bounded_before_they_are_read(engine) {
        let world = World::new(engine).await;
        let (program, account) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
        world.running.server.store.add_owner(world.plugin.id, account, &world.running.operator()).await.unwrap();
        let at = format!("/plugins/{}", world.plugin.slug);
        // Names that are not legal: each would be told, were they looked at.
        let scopes: Vec<Value> = (0..129).map(|_| json!({ "name": "\"", "description": "Do it" })).collect();
        let body = json!({ "version": world.plugin.version, "scopes": scopes });
        assert_eq!(program.call_with("PUT", &format!("{at}/scopes"), &body).await.fields(), ["scopes"]);
        let uris = vec!["nowhere"; 21];
        let body = json!({ "preset": "action", "name": "An assistant", "redirect_uris": uris });
        let told = program.call_with("POST", &format!("{at}/clients"), &body).await;
        assert_eq!(told.fields(), ["redirect_uris"], "{told:?}");
    }

    async fn the_description_may_be_kept_for_a_while(engine) {
        let world = World::new(engine).await;
        for _ in 0..2 {
            let told = reqwest::get(format!("{}/api/v1/openapi.json", world.running.url)).await.unwrap();
            assert_eq!(told.headers()["cache-control"], "public, max-age=300");
            assert_eq!(told.headers()["content-type"], "application/json");
            let expected = format!("{}/api/v1", world.running.url);
            assert_eq!(told.json::<Value>().await.unwrap()["servers"][0]["url"], json!(expected));
        }
    }

    async fn lists_come_in_pages(engine) {
        let world = World::new(engine).await;
        let (program, account) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
        for name in ["one", "two", "three"] {
            let plugin = world.running.add_plugin_at(name, &format!("{name}.example")).await;
            world.running.server.store.add_owner(plugin.id, account, &world.running.operator()).await.unwrap();
        }
        let first = program.call("GET", "/plugins?limit=2").await.json;
        let names = |page: &Value| -> Vec<String> {
            page["plugins"].as_array().unwrap().iter().map(|it| it["slug"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&first), ["three", "two"]);
        let next = format!("/plugins?limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
        let second = program.call("GET", &next).await.json;
        assert_eq!((names(&second), &second["next_cursor"]), (vec!["one".to_owned()], &Value::Null));
    }
}

#[test]
fn the_description_has_every_call_and_no_other() {
    let description = consentry::http::api::document::describe("https://a.example").unwrap();
    let mut described = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        described.extend(item.as_object().unwrap().keys().map(|method| (path.clone(), method.to_uppercase())));
    }
    let mut routed: Vec<(String, String)> = calls()
        .into_iter()
        .filter(|call| call.path != "/openapi.json")
        .map(|call| (call.template, call.method.to_owned()))
        .collect();
    described.sort();
    routed.sort();
    assert_eq!(described, routed);
    assert_eq!(description["openapi"], "3.1.0");
    assert_eq!(description["servers"][0]["url"], "https://a.example/api/v1");
}
