//! The OAuth clients of the official MCP SDKs for TypeScript and Python (`tests/foreign/`), against a small real MCP
//! server that the running server protects: a refused call, discovery, a client, PKCE, tokens, the tool call, refresh,
//! and 20 workers that refresh one token at once. And the MCP conformance tool's scenarios for authorization servers.

use consentry::model::{client::Dialect, plugin::Plugin};
use serde_json::{Value, json};

use crate::{
    harness::{
        databases::{Database, Engine},
        foreign::{McpServer, run},
        process::free_port,
        server::{Options, PASSWORD, Registered, Running},
        strangers::{Strangers, answer::Answer},
    },
    on_both_engines,
};

/// A program and its script; the variables that name them.
type Sdk = (&'static str, &'static str);

const TYPESCRIPT: Sdk = ("CONSENTRY_TEST_NODE_22", "CONSENTRY_TEST_NODE_MCP");
const PYTHON: Sdk = ("CONSENTRY_TEST_PYTHON", "CONSENTRY_TEST_PYTHON_MCP");

/// Every client, with what it is told beside the rest. The older TypeScript package is what most of the field runs.
const CLIENTS: [(Sdk, &str); 3] = [(TYPESCRIPT, "2"), (TYPESCRIPT, "1"), (PYTHON, "")];

/// Where the server stands: at the root of its host, and under a path.
const BASES: [&str; 2] = ["", "/auth"];

/// The key of a client that proves itself with one.
fn private_key() -> Value {
    json!({
        "kty": "EC",
        "crv": "P-256",
        "alg": "ES256",
        "x": "0gfsZwynnSPuc0W7EOef-0KklOlkiVUOWXBWqpt1bRw",
        "y": "W2WmOP4_SZN07EKCmq_ygHuWrXuDgmR7bwYYBiNnzKo",
        "d": "O-4E9DvL3LBnER2KanxmiINTnF3mw0CYFjsO7nrbYZE",
    })
}

/// An MCP server and what protects it.
struct Protected {
    running: Running,
    /// Kept, so that they live as long as the test.
    _kept: (Database, McpServer),
    plugin: Plugin,
    resource: String,
    redirect_uri: String,
}

impl Protected {
    async fn under(base: &'static str, engine: Engine) -> Self {
        Self::with(Options::under(base), engine).await
    }

    async fn with(options: Options, engine: Engine) -> Self {
        let database = Database::migrated(engine).await;
        let running = Running::start(&database, options).await;
        running.add_account("ada@example.com", "Ada Lovelace").await;
        let origin = format!("http://localhost:{}", free_port());
        let resource = format!("{origin}/mcp");
        let plugin = running.add_plugin_for("todo", resource.clone()).await;
        let service = running.add_client(&plugin, Dialect::Service, &[]).await;
        let told = [
            ("ISSUER", running.url.clone()),
            ("RESOURCE", resource.clone()),
            ("RESOURCE_METADATA", format!("{origin}/.well-known/oauth-protected-resource/mcp")),
            ("INTROSPECTION_CLIENT_ID", service.client_id),
            ("INTROSPECTION_CLIENT_SECRET", service.client_secret),
        ];
        let server = McpServer::start(&told).await;
        let redirect_uri = format!("http://127.0.0.1:{}/callback", free_port());
        Self { running, _kept: (database, server), plugin, resource, redirect_uri }
    }

    /// A public client that its owner registered.
    async fn by_hand(&self) -> Registered {
        self.running.add_client(&self.plugin, Dialect::Connector, &[&self.redirect_uri]).await
    }

    /// A client's own document, to be served at its address; it authenticates as it says there.
    fn document(&self, address: &str, authentication: &Value) -> Answer {
        let mut document = json!({
            "client_id": address,
            "client_name": "A foreign MCP client",
            "redirect_uris": [self.redirect_uri],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
        });
        document.as_object_mut().unwrap().extend(authentication.as_object().unwrap().clone());
        Answer::json(&document)
    }

    /// What every program is told.
    fn told(&self, more: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let mut told = vec![
            ("ISSUER", self.running.url.clone()),
            ("EMAIL", "ada@example.com".to_owned()),
            ("PASSWORD", PASSWORD.to_owned()),
            ("REDIRECT_URI", self.redirect_uri.clone()),
        ];
        told.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        told
    }

    /// Lets an SDK link, call the tool and refresh, alone and at once.
    async fn walk(&self, (program, script): Sdk, more: &[(&'static str, &str)]) -> Value {
        let told = self.told(&[&[("RESOURCE", self.resource.as_str())], more].concat());
        let report = run(program, script, &told).await;
        assert_eq!((&report["signIns"], &report["rotated"]), (&json!(1), &json!(true)), "{report}");
        // However many ask at once, they were all given the one successor.
        assert_eq!((&report["parallel"], &report["successors"]), (&json!(20), &json!(1)), "{report}");
        assert_eq!(report["toolAnswer"], "added: buy milk", "{report}");
        report
    }

    /// Lets the conformance tool try a client that may authenticate with nothing.
    async fn conform(&self, client_id: &str) {
        // Without a resource it is the default one.
        for resource in [self.resource.as_str(), ""] {
            let told = self.told(&[("CLIENT_ID", client_id), ("RESOURCE", resource)]);
            let report = run("CONSENTRY_TEST_NODE_22", "CONSENTRY_TEST_CONFORMANCE", &told).await;
            assert_eq!(report["signIns"], 1, "{report}");
            let checks =
                ["authorization-code-grant", "authorization-server-metadata", "authorization-server-metadata-cimd"];
            assert_eq!(report["passed"], json!(checks), "{report}");
        }
    }
}

on_both_engines! {
    async fn every_sdk_links_with_a_client_registered_by_hand(engine) {
        for base in BASES {
            let protected = Protected::under(base, engine).await;
            for (sdk, version) in CLIENTS {
                let client = protected.by_hand().await;
                let told = [("MODE", "by_hand"), ("SDK", version), ("CLIENT_ID", &client.client_id)];
                let report = protected.walk(sdk, &told).await;
                assert_eq!(report["clientId"], client.client_id, "{report}");
            }
        }
    }

    async fn every_sdk_links_with_a_registration(engine) {
        let protected = Protected::under("", engine).await;
        for (sdk, version) in CLIENTS {
            protected.walk(sdk, &[("MODE", "registration"), ("SDK", version)]).await;
        }
        // The method they name themselves, where they name one.
        for method in ["none", "client_secret_post", "client_secret_basic"] {
            for sdk in [TYPESCRIPT, PYTHON] {
                protected.walk(sdk, &[("MODE", "registration"), ("TOKEN_AUTH_METHOD", method)]).await;
            }
        }
    }

    async fn every_sdk_links_with_a_document(engine) {
        let strangers = Strangers::new();
        let host = strangers.host("mcp-client.example");
        for base in BASES {
            let options = Options { outbound: strangers.settings(), ..Options::under(base) };
            let protected = Protected::with(options, engine).await;
            let address = host.url("/client.json").to_string();
            host.answer("/client.json", protected.document(&address, &json!({ "token_endpoint_auth_method": "none" })));
            for (sdk, version) in CLIENTS {
                let told = [("MODE", "document"), ("SDK", version), ("CLIENT_ID", &address)];
                let report = protected.walk(sdk, &told).await;
                assert_eq!(report["clientId"], address, "{report}");
            }
            protected.conform(&address).await;

            // A key of its own; the SDK signs without saying which key it was.
            let address = host.url("/keyed.json").to_string();
            let mut public = private_key();
            public.as_object_mut().unwrap().remove("d");
            let authentication = json!({
                "token_endpoint_auth_method": "private_key_jwt",
                "token_endpoint_auth_signing_alg": "ES256",
                "jwks": { "keys": [public] },
            });
            host.answer("/keyed.json", protected.document(&address, &authentication));
            let key = private_key().to_string();
            let told = [("MODE", "document"), ("CLIENT_ID", &address), ("PRIVATE_KEY_JWK", &key)];
            protected.walk(TYPESCRIPT, &told).await;
        }
    }

    async fn the_conformance_tool_is_content(engine) {
        for base in BASES {
            let protected = Protected::under(base, engine).await;
            protected.conform(&protected.by_hand().await.client_id).await;
        }
    }
}
