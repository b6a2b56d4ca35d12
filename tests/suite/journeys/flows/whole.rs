//! All the way: one id from the first step to the first call, and a timeline on the command line.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use consentry::{
    model::{
        client::Dialect,
        flow::{FlowId, Step},
    },
    store::flows::BeforeQuery,
};
use serde_json::{Value, json};

use super::{Recorded, steps};
use crate::{
    harness::{
        browser::{Browser, parameter, plugin_request},
        connector::{Connector, Proof},
        databases::Database,
        process::{Consentry, Heard, free_port},
        server::CALLBACK,
    },
    on_both_engines,
};

on_both_engines! {
    async fn a_connection_is_one_flow_until_its_first_call(engine) {
        let mut recorded = Recorded::new(engine).await;
        let client = recorded.world.client(Dialect::Plugin).await;
        let service = recorded.world.client(Dialect::Service).await;
        let running = &recorded.world.running;
        let code = running.code(&client).await;
        let (_, tokens) = running.redeem(&client, &code).await;
        let access = tokens["access_token"].as_str().unwrap();
        for _ in 0..3 {
            assert_eq!(running.introspect(&service, access).await.1["active"], true);
        }
        let events = recorded.newest().await;
        let expected = [Step::Authorization, Step::SignIn, Step::Consent, Step::Code, Step::Token, Step::Introspection];
        assert_eq!(steps(&events), expected.map(|step| (step, true)));
        assert!(events.iter().all(|event| event.client_id.as_deref() == Some(client.client_id.as_str())), "{events:#?}");
        let resource = recorded.world.plugin.resource.clone();
        assert!(events[4..].iter().all(|event| event.resource.as_ref() == Some(&resource)), "{events:#?}");
        let family = access.split('.').nth(1).and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok()).unwrap();
        let family: Value = serde_json::from_slice(&family).unwrap();
        let family: uuid::Uuid = family["family"].as_str().unwrap().parse().unwrap();
        assert_eq!(events[0].flow_id, Some(FlowId::of(family)), "a token shows its flow");
        // Use leaves no traces: neither further calls, a minute later, nor refreshes that go well.
        let running = &recorded.world.running;
        running.introspect(&service, access).await;
        running.refresh(&client, tokens["refresh_token"].as_str().unwrap()).await;
        assert_eq!(recorded.events().await.len(), expected.len());
    }

    async fn a_client_that_registers_itself_begins_its_flow_by_that(engine) {
        let mut recorded = Recorded::new(engine).await;
        let registration = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" });
        let (_, client) = recorded.world.running.json("/register", &registration).await;
        let client_id = client["client_id"].as_str().unwrap();
        connect(&recorded, client_id).await;
        let expected = [
            Step::Registration, Step::Authorization, Step::SignIn, Step::Consent, Step::Code, Step::Token,
        ];
        assert_eq!(steps(&recorded.newest().await), expected.map(|step| (step, true)));
        // Some clients register once for many people: the next attempt is one of its own, and knows where it came from.
        connect(&recorded, client_id).await;
        let events = recorded.newest().await;
        assert_eq!(steps(&events), expected[1..].iter().map(|step| (*step, true)).collect::<Vec<_>>());
        let flow = events[0].flow_id.unwrap();
        let query = BeforeQuery {
            client_id: Some(client_id.to_owned()), resource: None, from: events[0].at, until: events[0].at,
        };
        let before = recorded.world.running.server.store.before_a_flow(flow, &query).await.unwrap();
        assert_eq!(steps(&before), [(Step::Registration, true)]);
    }

    /// The real binary, as an owner uses it: the list names the attempt that failed, and the timeline why.
    async fn the_command_line_tells_what_happened(engine) {
        let database = Database::empty(engine).await;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let public_url = format!("http://localhost:{port}");
        let consentry = Consentry { folder: folder.path(), database: &database, port, public_url: public_url.clone() };
        consentry.set_up();
        let host = format!("localhost:{port}");
        std::fs::write(folder.path().join("ai-plugin.json"), consentry::demo::MANIFEST).unwrap();
        std::fs::write(folder.path().join("openapi.json"), consentry::demo::OPENAPI).unwrap();
        let plugin = consentry.answer(&[
            "plugin", "import", "ai-plugin.json", "--host", &host, "--openapi", "openapi.json", "--json",
        ]);
        let add = [
            "client", "add", "--plugin", plugin["slug"].as_str().unwrap(), "--preset", "plugin", "--name", "ChatGPT",
            "--callback", CALLBACK, "--json",
        ];
        let client = consentry.answer(&add);
        let registered = crate::harness::server::Registered {
            client_id: client["client_id"].as_str().unwrap().to_owned(),
            client_secret: "wrong".to_owned(),
        };
        let _serving = consentry.serve().await;
        assert_eq!(consentry.answer(&["flow", "list", "--json"]), json!([]));
        let http = reqwest::Client::new();
        http.get(format!("{public_url}/.well-known/ai-plugin.json")).send().await.unwrap();
        let left = Browser::at(&public_url).agree(&plugin_request(&registered), "ada@example.com").await;
        let fields = [
            ("grant_type", "authorization_code"), ("client_id", registered.client_id.as_str()),
            ("client_secret", "wrong"), ("code", &parameter(&left, "code").unwrap()), ("redirect_uri", CALLBACK),
        ];
        http.post(format!("{public_url}/token")).form(&fields).send().await.unwrap();
        let mut list = json!([]);
        for _ in 0..100 {
            list = consentry.answer(&["flow", "list", "--refused", "--json"]);
            if list != json!([]) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
        let [flow] = list.as_array().unwrap().as_slice() else { panic!("{list:#}") };
        let told = |name: &str| flow[name].as_str().unwrap();
        assert_eq!((told("state"), told("step")), ("refused", "token"));
        assert_eq!(told("client_id"), registered.client_id);
        assert!(told("says").starts_with("The secret is not the client's"), "{flow:#}");
        let id = told("flow_id");
        let shown = consentry.answer(&["flow", "show", id, "--json"]);
        let words = |events: &Value| -> Vec<String> {
            events.as_array().unwrap().iter().map(|event| event["step"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(words(&shown["before"]), ["discovery"]);
        assert_eq!(words(&shown["events"]), ["authorization", "sign_in", "consent", "code", "token"]);
        let output = consentry.command().args(["flow", "show", id]).heard();
        let timeline = String::from_utf8(output.stdout).unwrap();
        for line in ["✓ discovery", "✓ consent        The person agreed.", "✗ token          The secret is not the client's"] {
            assert!(timeline.contains(line), "{line:?} is not in {timeline}");
        }
        let none = consentry.answer(&["flow", "list", "--client", "nobody", "--json"]);
        assert_eq!(none, json!([]));
    }
}

async fn connect(recorded: &Recorded, client_id: &str) {
    let running = &recorded.world.running;
    Connector { client_id, redirect_uri: CALLBACK, ..Connector::new(running, Proof::Nothing) }.connect().await;
}
