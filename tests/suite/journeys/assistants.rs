//! Today's assistants, one by one, as they really come: known by the document they publish, registered by the very
//! body they send, or by hand where they can do neither; then the request they send people with, and a code.

use consentry::{model::client::Dialect, protocol::presets};
use serde_json::{Value, json};

use crate::{
    harness::{
        browser::{Browser, parameter},
        connector::{Connector, Proof},
        databases::Engine,
        server::{Options, World},
        strangers::{Strangers, answer::Answer, host::Host},
    },
    on_both_engines,
};

/// How one becomes known.
enum Known {
    /// By the document at its address, as it was read there.
    Document(&'static str),
    /// By the document at its address, of which no copy is pinned.
    Said(&'static str, Value),
    /// By registering itself.
    Registering(Value),
    /// By its owner.
    ByHand(&'static [&'static str]),
}

use Known::{ByHand, Document, Registering, Said};

/// What they send beside what everybody does.
type More = &'static [(&'static str, &'static str)];

/// Everybody names the resource; some of them no scope, and some one that is nobody's here.
const NOTHING: More = &[];
const SCOPES: More = &[("scope", "todo.read todo.write")];
const OFFLINE: More = &[("scope", "todo.read offline_access")];

fn registering(name: &str, redirect_uris: &[&str]) -> Known {
    Registering(json!({
        "client_name": name,
        "redirect_uris": redirect_uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }))
}

/// Who comes, how it becomes known, where it is sent back to, and what else it sends.
fn assistants() -> Vec<(&'static str, Known, &'static [&'static str], More)> {
    const STABLE: &str = "https://chatgpt.com/connector_platform_oauth_redirect";
    const OWN: &str = "https://chatgpt.com/connector/oauth/_syG1DzKsjXV";
    const CLAUDE: [&str; 2] = ["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"];
    const CODEX: &[&str] =
        &["http://127.0.0.1:1455/callback/kX3f-9_aQ2Lm", "http://127.0.0.1:50123/callback/kX3f-9_aQ2Lm"];
    const CURSOR: [&str; 3] = [
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
    ];
    const VS_CODE: [&str; 4] = [
        "https://vscode.dev/redirect",
        "https://insiders.vscode.dev/redirect",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
    ];
    const GROK: [&str; 2] =
        ["https://grok.com/connectors-oauth-exchange-code/", "https://console.x.ai/connectors-oauth-exchange-code/"];
    const GEMINI: &[&str] = &["https://oauth-redirect.googleusercontent.com/r/user-7f3a"];
    const PERPLEXITY: [&str; 2] = [
        "https://www.perplexity.ai/rest/connections/oauth_callback",
        "https://enterprise.perplexity.ai/rest/connections/oauth_callback",
    ];
    const MISTRAL: &[&str] = &["https://callback.mistral.ai/v1/integrations_auth/oauth2_callback"];
    const DEVIN: &[&str] = &["https://api.devin.ai/mcp/oauth/callback"];
    const INSPECTOR: [&str; 2] = ["http://localhost:6274/oauth/callback", "http://127.0.0.1:6276/oauth/callback"];
    const WARP: &[&str] = &["warp://mcp/oauth2callback"];
    let kiro = json!({
        "client_id": "https://kiro.dev/oauth/client-metadata.json",
        "client_name": "Kiro",
        "redirect_uris": ["http://127.0.0.1/oauth/callback"],
        "token_endpoint_auth_method": "none",
    });
    vec![
        ("ChatGPT", Document("https://chatgpt.com/oauth/client.json"), &[STABLE], SCOPES),
        ("ChatGPT", Document("https://chatgpt.com/oauth/_syG1DzKsjXV/client.json"), &[OWN], SCOPES),
        ("ChatGPT reconnecting", Document("https://chatgpt.com/oauth/client.json"), &[STABLE], NOTHING),
        ("ChatGPT", registering("ChatGPT", &[STABLE]), &[STABLE], SCOPES),
        ("ChatGPT", registering("ChatGPT", &[OWN]), &[OWN], NOTHING),
        ("Claude", Document("https://claude.ai/oauth/mcp-oauth-client-metadata"), &CLAUDE, OFFLINE),
        ("Claude", registering("Claude", &CLAUDE), &CLAUDE, OFFLINE),
        (
            "Claude Code",
            Document("https://claude.ai/oauth/claude-code-client-metadata"),
            &["http://localhost:54545/callback", "http://127.0.0.1:38211/callback"],
            NOTHING,
        ),
        ("Codex", Document("https://chatgpt.com/oauth/codex/kX3f-9_aQ2Lm/client.json"), CODEX, NOTHING),
        ("Codex", registering("Codex", &CODEX[..1]), CODEX, NOTHING),
        ("Cursor", registering("Cursor", &CURSOR), &CURSOR, SCOPES),
        ("VS Code", registering("Visual Studio Code", &VS_CODE), &VS_CODE, SCOPES),
        ("VS Code", registering("Visual Studio Code", &VS_CODE), &["http://127.0.0.1:52817/"], NOTHING),
        (
            "VS Code",
            Document("https://vscode.dev/oauth/client-metadata.json"),
            &["https://vscode.dev/redirect", "http://127.0.0.1:52817/"],
            SCOPES,
        ),
        ("MCP Inspector", registering("MCP Inspector", &INSPECTOR), &INSPECTOR, SCOPES),
        ("Grok", Document("https://grok.com/oauth/mcp-client.json"), &GROK, NOTHING),
        ("Grok", registering("Grok", &GROK), &GROK, NOTHING),
        ("Gemini", ByHand(GEMINI), GEMINI, SCOPES),
        ("Perplexity", registering("Perplexity", &PERPLEXITY), &PERPLEXITY, NOTHING),
        ("Mistral", registering("Mistral", MISTRAL), MISTRAL, NOTHING),
        ("Mistral", ByHand(MISTRAL), MISTRAL, SCOPES),
        ("Devin", registering("Devin", DEVIN), DEVIN, NOTHING),
        ("Devin", ByHand(DEVIN), DEVIN, SCOPES),
        ("Warp", registering("Warp", WARP), WARP, NOTHING),
        ("Zed", Document("https://zed.dev/oauth/client-metadata.json"), &["http://127.0.0.1:49877/callback"], NOTHING),
        (
            "Kiro",
            Said("https://kiro.dev/oauth/client-metadata.json", kiro),
            &["http://127.0.0.1:3128/oauth/callback"],
            NOTHING,
        ),
        (
            "opencode",
            Document("https://opencode.ai/oauth/opencode/client.json"),
            &["http://127.0.0.1:19876/callback", "http://localhost:19876/callback"],
            NOTHING,
        ),
    ]
}

/// Publishes a document where it stands.
fn publish(hosts: &[Host], address: &str, document: &Value) {
    let url: url::Url = address.parse().unwrap();
    let host = hosts.iter().find(|host| host.url("/").host_str() == url.host_str()).expect("its host");
    host.answer(url.path(), Answer::json(document));
}

async fn make_known(world: &World, hosts: &[Host], known: Known) -> String {
    match known {
        Document(address) => {
            publish(hosts, address, &serde_json::from_slice(&presets::pinned(address).unwrap()).unwrap());
            address.to_owned()
        }
        Said(address, document) => {
            publish(hosts, address, &document);
            address.to_owned()
        }
        Registering(body) => {
            let (status, told) = world.running.json("/register", &body).await;
            assert_eq!(status, 201, "{body}: {told}");
            assert_eq!(told["redirect_uris"], body["redirect_uris"], "none is left out");
            told["client_id"].as_str().unwrap().to_owned()
        }
        ByHand(callbacks) => world.running.add_client(&world.plugin, Dialect::Connector, callbacks).await.client_id,
    }
}

on_both_engines! {
    async fn each_gets_its_code_at_every_address_it_names(engine) {
        assistants_arrive(engine).await;
    }
}

async fn assistants_arrive(engine: Engine) {
    let strangers = Strangers::new();
    let names = ["chatgpt.com", "claude.ai", "vscode.dev", "grok.com", "zed.dev", "kiro.dev", "opencode.ai"];
    let hosts = names.map(|name| strangers.host(name));
    let world = World::with(engine, Options { outbound: strangers.settings(), ..Options::default() }).await;
    let resource = world.plugin.resource.as_str();
    let ada = Browser::new(&world.running);
    for (name, known, callbacks, more) in assistants() {
        let client_id = make_known(&world, &hosts, known).await;
        for redirect_uri in callbacks {
            let connector =
                Connector { client_id: &client_id, redirect_uri, ..Connector::new(&world.running, Proof::Nothing) };
            let request = connector.request(&[&[("resource", resource)], more].concat());
            let left = ada.agree(&request, "ada@example.com").await;
            assert!(left.as_str().starts_with(redirect_uri), "{name}: {left}");
            assert_eq!(parameter(&left, "state").as_deref(), Some("oauth_s_691b"), "{name}: {left}");
            assert_eq!(parameter(&left, "iss").as_deref(), Some(world.running.url.as_str()), "{name}: {left}");
            let code = parameter(&left, "code").unwrap_or_else(|| panic!("{name}: no code in {left}"));
            let (status, tokens) = connector.redeem(&code).await;
            assert_eq!(status, 200, "{name}: {tokens}");
        }
    }
}
