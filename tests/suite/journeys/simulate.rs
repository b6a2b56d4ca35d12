//! `consentry simulate` as the real binary, against our own server with a real API and a real MCP server behind it: every
//! preset in every way it becomes known, with a test account; and before somebody with a browser, who comes back to this
//! computer by itself or pastes where the browser ended.

use std::{net::TcpListener, time::Duration};

use consentry::{
    clock::Clock,
    demo::{
        self, Secret,
        servers::serve_todo_api,
        todo_api::{TodoApi, TodoApiConfig},
    },
    model::{client::Dialect, plugin::Plugin},
    protocol::presets::{self, Address, KnownBy, Preset},
};

use crate::{
    harness::{
        browser::Browser,
        chromium::Chromium,
        databases::{Database, Engine},
        foreign::McpServer,
        process::{Consentry, free_port, write_private},
        server::{Options, PASSWORD, Running},
        simulating::{Waiting, json_with_account, outcome},
        strangers::{Strangers, answer::Answer},
    },
    on_both_engines,
};

/// Our own server and what it protects, with every vendor's host played.
struct Own {
    running: Running,
    plugin: Plugin,
    /// The MCP server.
    mcp: String,
    folder: tempfile::TempDir,
    _kept: (Database, Strangers, McpServer),
}

impl Own {
    async fn new(engine: Engine) -> Self {
        let (strangers, database) = (vendors(), Database::migrated(engine).await);
        let options = Options { outbound: strangers.settings(), ..Options::default() };
        let running = Running::start(&database, options).await;
        running.add_account("ada@example.com", "Ada Lovelace").await;
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let api = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let mcp_origin = format!("http://localhost:{}", free_port());
        let mcp = format!("{mcp_origin}/mcp");
        let plugin = import(&running, &database, folder.path(), &[&api, &mcp]).await;
        let service = running.add_client(&plugin, Dialect::Service, &[]).await;
        let todo = TodoApi::new(TodoApiConfig {
            issuer: running.url.clone(),
            audience: plugin.resource.clone(),
            resource_metadata: format!("{}/.well-known/oauth-protected-resource", running.url),
            introspection: (service.client_id.clone(), Secret::new(service.client_secret.clone())),
            now: || Clock::system().now(),
        });
        tokio::spawn(serve_todo_api(todo.unwrap(), listener).unwrap());
        let told = [
            ("ISSUER", running.url.clone()),
            ("RESOURCE", mcp.clone()),
            ("RESOURCE_METADATA", format!("{mcp_origin}/.well-known/oauth-protected-resource/mcp")),
            ("INTROSPECTION_CLIENT_ID", service.client_id),
            ("INTROSPECTION_CLIENT_SECRET", service.client_secret),
        ];
        let server = McpServer::start(&told).await;
        Self { running, plugin, mcp, folder, _kept: (database, strangers, server) }
    }

    /// The words for a caller that becomes known in this way.
    async fn caller(&self, preset: &Preset, by: KnownBy) -> Vec<String> {
        let at = if preset.dialect == Dialect::Connector { &self.mcp } else { &self.running.url };
        let way = match by {
            KnownBy::Document => "document",
            KnownBy::Registration => "registration",
            KnownBy::Hand => "hand",
        };
        let mut words = [at, "--as", &preset.name, "--by", way].map(str::to_owned).to_vec();
        if by == KnownBy::Hand {
            let callback = preset.callbacks[0].replace("{id}", "c0ffee12");
            let client = self.running.add_client(&self.plugin, preset.dialect, &[&callback]).await;
            words.extend(["--client-id", &client.client_id, "--redirect-uri", &callback].map(str::to_owned));
            if !client.client_secret.is_empty() {
                let file = format!("{}.secret", preset.name);
                write_private(&self.folder.path().join(&file), &client.client_secret);
                words.extend(["--client-secret-from".to_owned(), format!("file:{file}")]);
            }
        }
        words
    }

    /// Lets a command go all the way.
    fn run(&self, command: &str, words: &[String]) -> (serde_json::Value, bool) {
        let words: Vec<&str> = [command].into_iter().chain(words.iter().map(String::as_str)).collect();
        json_with_account(self.folder.path(), &words)
    }

    /// Starts `simulate` for somebody with a browser, at the MCP server.
    fn waiting(&self, words: &[&str]) -> Waiting {
        Waiting::start(self.folder.path(), &[&[self.mcp.as_str()], words].concat())
    }
}

/// Every vendor's host, with the document the preset has of it.
fn vendors() -> Strangers {
    let strangers = Strangers::new();
    let mut hosts = std::collections::HashMap::new();
    for document in presets::documents() {
        let Address::ClientId(address) = &document.address else { continue };
        let address: url::Url = address.parse().unwrap();
        let name = address.host_str().unwrap().to_owned();
        let host = hosts.entry(name.clone()).or_insert_with(|| strangers.host(&name));
        let document = presets::pinned(address.as_str()).unwrap();
        host.answer(address.path(), Answer::document("application/json", document));
    }
    strangers
}

/// The sample plugin with its API, and an MCP server as a further resource.
async fn import(running: &Running, database: &Database, folder: &std::path::Path, at: &[&String; 2]) -> Plugin {
    let public_url = running.url.clone();
    let host = public_url.trim_start_matches("http://").to_owned();
    let [api, mcp] = at;
    for (file, text) in [("ai-plugin.json", demo::MANIFEST), ("openapi.json", demo::OPENAPI)] {
        let text = text.replace("localhost:8080", &host).replace("http://localhost:8081", api);
        std::fs::write(folder.join(file), text).unwrap();
    }
    let consentry = Consentry { folder, database, port: 0, public_url };
    let import = ["plugin", "import", "ai-plugin.json", "--host", &host, "--openapi", "openapi.json", "--json"];
    let slug = consentry.answer(&import)["slug"].as_str().unwrap().to_owned();
    consentry.answer(&["resource", "add", mcp, "--plugin", &slug, "--json"]);
    running.server.store.plugin_by_slug(&slug).await.unwrap().unwrap()
}

/// It went all the way: the API took the token, which the one behind it checks, and a refresh gave new ones.
fn all_is_well(steps: &serde_json::Value, is_good: bool, who: &str) {
    let bad = steps.as_array().unwrap().iter().find(|step| step["is_good"] != true);
    assert!(is_good && bad.is_none(), "{who}: {bad:#?}");
    assert_eq!(outcome(steps, "api"), "the API took the token, and answered 200", "{who}");
    assert!(outcome(steps, "refresh").ends_with("with a refresh token"), "{who}: {steps:#}");
    let told = steps.to_string();
    assert!(!told.contains(PASSWORD) && !told.contains("eyJ0eXAi"), "{who}: a secret is shown");
}

on_both_engines! {
    async fn every_preset_goes_all_the_way_in_every_way_it_knows(engine) {
        let own = Own::new(engine).await;
        let mut left = Vec::new();
        for preset in presets::all() {
            for by in &preset.known_by {
                let who = format!("{} by {by:?}", preset.name);
                let (steps, is_good) = own.run("simulate", &own.caller(preset, *by).await);
                if preset.documents.is_empty() && *by == KnownBy::Document {
                    assert!(!is_good && outcome(&steps, "client").contains("publishes no document at a"), "{steps:#}");
                    left.push(who);
                } else {
                    all_is_well(&steps, is_good, &who);
                }
            }
        }
        assert_eq!(left, ["kiro by Document"], "the rest is played");
        // Where nothing is said of how, it says what is missing.
        let (steps, is_good) = own.run("simulate", &[own.mcp.clone(), "--as".to_owned(), "kiro".to_owned()]);
        assert!(!is_good && outcome(&steps, "client").contains("Kiro cannot become known by itself"), "{steps:#}");
    }

    async fn the_doctor_finds_nothing_wrong_with_documents_and_a_real_api(engine) {
        let own = Own::new(engine).await;
        let connector = ["discovery.issuer", "metadata.pkce", "authorize.iss", "token.pkce", "audience.token"];
        let plugin = ["manifest.rules", "manifest.domains", "manifest.description", "authorize.domain", "token.redirect_uri"];
        let table = [
            ("chatgpt-connector", KnownBy::Document, connector),
            ("chatgpt-connector", KnownBy::Registration, connector),
            ("claude", KnownBy::Document, connector),
            ("claude-code", KnownBy::Registration, connector),
            ("chatgpt-plugin", KnownBy::Hand, plugin),
            ("chatgpt-action", KnownBy::Hand, plugin),
        ];
        let always = [
            "authorize.state", "token.form", "token.cache", "token.signature", "token.code_once", "refresh.works",
            "refresh.lost_answer", "refresh.parallel", "api.accepts", "api.refuses",
        ];
        for (name, by, seen) in table {
            let (checks, is_good) = own.run("doctor", &own.caller(presets::named(name).unwrap(), by).await);
            let checks = checks.as_array().unwrap();
            let doubtful: Vec<_> = checks.iter().filter(|check| check["state"] != "ok").collect();
            assert!(is_good && doubtful.is_empty(), "{name}: {doubtful:#?}");
            // Nothing passes by being left out.
            for expected in always.iter().chain(&seen) {
                assert!(checks.iter().any(|check| check["name"] == *expected), "{name}: {expected} was not looked at");
            }
        }
    }

    async fn a_browser_comes_back_to_this_computer(engine) {
        let own = Own::new(engine).await;
        let table = [
            ("claude-code", "document"),
            ("claude-code", "registration"),
            ("codex", "document"),
            ("vs-code", "document"),
            ("vs-code", "registration"),
            ("zed", "document"),
            ("opencode", "document"),
        ];
        for (name, way) in table {
            let waiting = own.waiting(&["--as", name, "--by", way]);
            let left = Browser::at(&own.running.url).agree(&waiting.address, "ada@example.com").await;
            let known = |callback: &String| callback.starts_with("http:");
            let preset = presets::named(name).unwrap();
            let callback: url::Url = preset.callbacks.iter().find(|it| known(it)).unwrap().parse().unwrap();
            assert_eq!((left.host(), left.path()), (callback.host(), callback.path()), "{name}: {left}");
            // Somebody else on this computer, who does not know the state.
            let mut stray = left.clone();
            stray.query_pairs_mut().clear().append_pair("code", "stolen").append_pair("state", "guessed");
            assert_eq!(reqwest::get(stray).await.unwrap().status(), 400, "{name}");
            let page = reqwest::get(left).await.unwrap();
            assert_eq!(page.status(), 200, "{name}");
            assert!(page.text().await.unwrap().contains("You can close this page"), "{name}");
            let (steps, is_good, _) = waiting.end().await;
            all_is_well(&steps, is_good, name);
        }
    }

    async fn what_is_pasted_goes_on(engine) {
        let own = Own::new(engine).await;
        for (name, way) in [("claude", "document"), ("mistral", "registration")] {
            let mut waiting = own.waiting(&["--as", name, "--by", way]);
            let left = Browser::at(&own.running.url).agree(&waiting.address, "ada@example.com").await;
            // People take longer than servers keep a connection open.
            tokio::time::sleep(Duration::from_secs(7)).await;
            waiting.paste(left.as_str());
            let (steps, is_good, told) = waiting.end().await;
            assert!(told.contains("Paste its address here"), "{told}");
            all_is_well(&steps, is_good, name);
            let code = crate::harness::browser::parameter(&left, "code").unwrap();
            assert!(!steps.to_string().contains(&code) && !told.contains(&code), "{name}: the code is shown");
        }
        // An answer to somebody else's request is thrown away, and so is nothing at all.
        for (line, words) in [("https://claude.ai/api/mcp/auth_callback?code=x&state=y", "state came back changed"), ("", "no address")] {
            let mut waiting = own.waiting(&["--as", "claude", "--by", "document"]);
            waiting.paste(line);
            let (steps, is_good, _) = waiting.end().await;
            assert!(!is_good && outcome(&steps, "authorization").contains(words), "{steps:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_at_chromium_is_brought_back() {
    let own = Own::new(Engine::Sqlite).await;
    let chromium = Chromium::start().await;
    let waiting = own.waiting(&["--as", "claude-code", "--by", "document"]);
    chromium.open(&waiting.address).await;
    chromium.sign_in("ada@example.com").await;
    chromium.arrives(&format!("{}/consent", own.running.url)).await;
    chromium.reads("Claude Code").await;
    chromium.press("Allow").await;
    chromium.arrives("http://localhost:").await;
    chromium.reads("You can close this page").await;
    let (steps, is_good, _) = waiting.end().await;
    all_is_well(&steps, is_good, "claude-code");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_at_chromium_pastes_where_it_ended() {
    let own = Own::new(Engine::Sqlite).await;
    let chromium = Chromium::start().await;
    let mut waiting = own.waiting(&["--as", "claude", "--by", "document"]);
    chromium.open(&waiting.address).await;
    chromium.sign_in("ada@example.com").await;
    chromium.arrives(&format!("{}/consent", own.running.url)).await;
    chromium.press("Allow").await;
    // Nobody answers there, and the address stands in the browser all the same.
    let ended = chromium.arrives("https://claude.ai/api/mcp/auth_callback?").await;
    waiting.paste(ended.as_str());
    let (steps, is_good, _) = waiting.end().await;
    all_is_well(&steps, is_good, "claude");
}
