//! Other people's authorization servers as real programs on this computer: panva's oidc-provider, and Glewlwyd as Debian
//! has it. Behind each stands a small API that takes its tokens. All of them end with the test.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::{
    chromium::setting,
    process::free_port,
    server::{CALLBACK, PASSWORD},
};

/// The client that was registered by hand at each of them.
pub const CLIENT_BY_HAND: (&str, &str) = ("by-hand", "a secret that is long enough for this one");

/// What the API lets people do.
pub const SCOPE: &str = "todo.read";

/// How long a program may take to begin, on a small machine that is busy.
const SECONDS_MAX: u32 = 60;

/// A program that ends with the test.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    /// Starts it, once it answers at `url`. What it says goes to a file: nobody reads it unless it does not begin.
    async fn start(command: &mut Command, log: &Path, url: &str) -> Self {
        let output = File::create(log).unwrap();
        let errors = output.try_clone().unwrap();
        let child = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn();
        let mut program = Self(child.unwrap_or_else(|error| panic!("{command:?}: {error}")));
        for _ in 0..SECONDS_MAX * 10 {
            if reqwest::get(url).await.is_ok() {
                return program;
            }
            assert!(program.0.try_wait().unwrap().is_none(), "it ended: {}", std::fs::read_to_string(log).unwrap());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("it did not begin within {SECONDS_MAX} s: {}", std::fs::read_to_string(log).unwrap());
    }
}

/// Where a server says its endpoints are.
struct Endpoints {
    issuer: String,
    authorize: &'static str,
    keys: &'static str,
}

/// An authorization server and the API behind it.
pub struct Abroad {
    /// The API's origin, where the manifest of a classic plugin stands too.
    pub origin: String,
    /// The API as an MCP server.
    pub resource: String,
    /// The authorization server's origin.
    pub server: String,
    programs: Vec<Program>,
    folder: TempDir,
}

impl Abroad {
    fn new() -> Self {
        let [origin, server] = [free_port(), free_port()].map(|port| format!("http://localhost:{port}"));
        let folder = tempfile::tempdir().unwrap();
        Self { resource: format!("{origin}/mcp"), origin, server, programs: Vec::new(), folder }
    }

    /// Where a program writes what it has to say.
    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A script for Node.js with what every script here is told.
    fn script(&self, script: &str) -> Command {
        let mut command = Command::new(setting("CONSENTRY_TEST_NODE_22"));
        command.arg(setting(script)).env("RESOURCE", &self.resource).env("SCOPE", SCOPE);
        command
    }

    async fn protect(&mut self, endpoints: &Endpoints) {
        let Endpoints { issuer, authorize, keys } = endpoints;
        let mut command = self.script("CONSENTRY_TEST_PROTECTED_API");
        command.env("ISSUER", issuer).env("JWKS_URI", format!("{issuer}/{keys}"));
        command.env("AUTHORIZE", format!("{issuer}/{authorize}")).env("TOKEN", format!("{issuer}/token"));
        self.programs.push(Program::start(&mut command, &self.log("api.log"), &self.origin).await);
    }

    /// oidc-provider, set up as one of the kinds its script knows.
    pub async fn oidc_provider(kind: &str) -> Self {
        let mut abroad = Self::new();
        let (id, secret) = CLIENT_BY_HAND;
        let mut command = abroad.script("CONSENTRY_TEST_OIDC_PROVIDER");
        command.env("ISSUER", &abroad.server).env("KIND", kind);
        command.env("CLIENT_ID", id).env("CLIENT_SECRET", secret).env("REDIRECT_URI", CALLBACK);
        let ready = format!("{}/jwks", abroad.server);
        abroad.programs.push(Program::start(&mut command, &abroad.log("server.log"), &ready).await);
        let issuer = abroad.server.clone();
        abroad.protect(&Endpoints { issuer, authorize: "auth", keys: "jwks" }).await;
        abroad
    }

    /// Glewlwyd with its OpenID plugin, whose issuer has a path, and Ada among its people.
    pub async fn glewlwyd() -> Self {
        let mut abroad = Self::new();
        let root = PathBuf::from(setting("CONSENTRY_TEST_GLEWLWYD"));
        let usr = root.join("usr");
        let database = abroad.folder.path().join("glewlwyd.db");
        let options = SqliteConnectOptions::new().filename(&database).create_if_missing(true);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        let schema = std::fs::read_to_string(usr.join("share/doc/glewlwyd/database/init.sqlite3.sql")).unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(schema)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let port = abroad.server.rsplit(':').next().unwrap();
        let settings = abroad.folder.path().join("glewlwyd.conf");
        std::fs::write(&settings, configuration(port, &usr, &database)).unwrap();
        let libraries = std::fs::read_dir(usr.join("lib")).unwrap().filter_map(|entry| {
            let path = entry.unwrap().path();
            path.to_str().is_some_and(|path| path.ends_with("-linux-gnu")).then_some(path)
        });
        let mut command = Command::new(usr.join("bin/glewlwyd"));
        command.arg(format!("--config-file={}", settings.display()));
        command.env("LD_LIBRARY_PATH", std::env::join_paths(libraries).unwrap());
        let ready = format!("{}/config", abroad.server);
        abroad.programs.push(Program::start(&mut command, &abroad.log("server.log"), &ready).await);
        set_up(&abroad).await;
        let issuer = format!("{}/api/oidc", abroad.server);
        abroad.protect(&Endpoints { issuer, authorize: "auth", keys: "jwks" }).await;
        abroad
    }
}

fn configuration(port: &str, usr: &Path, database: &Path) -> String {
    let (lib, share) = (usr.join("lib/glewlwyd"), usr.join("share/glewlwyd/webapp"));
    let [lib, share, database] = [&lib, &share, &database.to_owned()].map(|path| path.display().to_string());
    format!(
        r#"port={port}
bind_address="127.0.0.1"
external_url="http://localhost:{port}"
login_url="login.html"
api_prefix="api"
static_files_path="{share}/"
log_mode="console"
log_level="INFO"
cookie_domain="localhost"
cookie_secure=0
session_key="GLEWLWYD2_SESSION_ID"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="{lib}/user"
client_module_path="{lib}/client"
user_auth_scheme_module_path="{lib}/scheme"
plugin_module_path="{lib}/plugin"
hash_algorithm="SHA512"
database={{ type="sqlite3" path="{database}" }};
static_files_mime_types=( {{ extension=".html" mime_type="text/html" }} )
"#
    )
}

/// What an owner does in Glewlwyd's administration, by the same calls.
async fn set_up(abroad: &Abroad) {
    let admin = signed_in(abroad, "admin", "password").await;
    let add = async |place: &str, what: Value| {
        let sent = admin.post(format!("{}/api/{place}/", abroad.server)).json(&what).send().await.unwrap();
        assert!(sent.status().is_success(), "{place}: {}", sent.status());
    };
    let key = json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "one",
        "x": "0gfsZwynnSPuc0W7EOef-0KklOlkiVUOWXBWqpt1bRw",
        "y": "W2WmOP4_SZN07EKCmq_ygHuWrXuDgmR7bwYYBiNnzKo",
        "d": "O-4E9DvL3LBnER2KanxmiINTnF3mw0CYFjsO7nrbYZE",
    });
    let parameters = json!({
        "iss": format!("{}/api/oidc", abroad.server),
        "jwks-private": json!({ "keys": [key] }).to_string(), "jwks-show": true,
        "jwt-type": "ecdsa", "jwt-key-size": "256",
        "access-token-duration": 3600, "refresh-token-duration": 1_209_600, "code-duration": 600,
        "refresh-token-rolling": true, "allow-non-oidc": true,
        "auth-type-code-enabled": true, "auth-type-code-revoke-replayed": true, "auth-type-refresh-enabled": true,
        "auth-type-token-enabled": false, "auth-type-id-token-enabled": true, "auth-type-none-enabled": false,
        "auth-type-password-enabled": false, "auth-type-client-enabled": false, "auth-type-device-enabled": false,
        "pkce-allowed": true, "pkce-method-plain-allowed": false, "oauth-as-iss-id": true,
        "allowed-scope": ["openid", SCOPE],
        "resource-allowed": true, "resource-scope": { SCOPE: [abroad.resource] },
        "resource-scope-and-client-property": false,
    });
    add("mod/plugin", json!({ "module": "oidc", "name": "oidc", "display_name": "OpenID", "parameters": parameters }))
        .await;
    let description = json!({ "name": SCOPE, "display_name": "Read", "description": "Read", "scheme": {} });
    add("scope", description).await;
    let (id, secret) = CLIENT_BY_HAND;
    add(
        "client",
        json!({
            "client_id": id, "client_secret": secret, "name": "ChatGPT", "enabled": true, "confidential": true,
            "token_endpoint_auth_method": ["client_secret_post", "client_secret_basic"], "redirect_uri": [CALLBACK],
            "authorization_type": ["code", "refresh_token"], "scope": [],
        }),
    )
    .await;
    let ada =
        json!({ "username": "ada", "password": PASSWORD, "name": "Ada Lovelace", "enabled": true, "scope": [SCOPE] });
    add("user", ada).await;
}

/// A browser without a window, with somebody's session at Glewlwyd.
async fn signed_in(abroad: &Abroad, username: &str, password: &str) -> reqwest::Client {
    let nowhere = reqwest::redirect::Policy::none();
    let browser = reqwest::Client::builder().cookie_store(true).redirect(nowhere).build().unwrap();
    let who = json!({ "username": username, "password": password });
    let answer = browser.post(format!("{}/api/auth/", abroad.server)).json(&who).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{username} could not sign in");
    browser
}

/// What Ada's browser does at Glewlwyd's page, by the calls its scripts make: signs in, consents and goes on. Answers
/// where it ended.
pub async fn through_the_page(abroad: &Abroad, url: &str) -> String {
    let browser = signed_in(abroad, "ada", PASSWORD).await;
    let (id, _) = CLIENT_BY_HAND;
    let grant = browser.put(format!("{}/api/auth/grant/{id}", abroad.server)).json(&json!({ "scope": SCOPE }));
    assert_eq!(grant.send().await.unwrap().status(), 200);
    let answer = browser.get(format!("{url}&g_continue")).send().await.unwrap();
    answer.headers()["location"].to_str().unwrap().to_owned()
}
