//! OpenBao, a vault: the real server, which keeps everything in memory, on a port of its own. It speaks the HTTP API of
//! HashiCorp Vault as well; that one is not run here, since no package of it may be passed on.

use std::{
    fs::{self, File},
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    chromium::setting,
    minted,
    process::{free_port, write_private},
};

const ROOT: &str = "the-vault-is-told-everything-by-this";
const ROLE: &str = "role-of-the-server";
const SECRET: &str = "secret-of-the-role";

/// A vault that ends with the test.
pub struct OpenBao {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl OpenBao {
    /// Starts one: its engine is at `secret`, and the role of [`OpenBao::variables`] may read below `secret/consentry`.
    /// Its tokens are good for three seconds and can be prolonged to six.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_private(&folder.path().join("secret-id"), SECRET);
        let port = free_port();
        let mut vault = Self { child: Self::run(port, &folder), port, folder };
        vault.furnish().await;
        vault
    }

    fn run(port: u16, folder: &TempDir) -> Child {
        let log = File::create(folder.path().join("bao.log")).unwrap();
        Command::new(setting("CONSENTRY_TEST_OPENBAO"))
            .args(["server", "-dev", "-dev-no-store-token"])
            .arg(format!("-dev-root-token-id={ROOT}"))
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"))
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    async fn furnish(&mut self) {
        for turn in 0.. {
            let health = reqwest::get(format!("{}/v1/sys/health", self.address())).await;
            if health.is_ok_and(|answer| answer.status() == 200) {
                break;
            }
            let log = || fs::read_to_string(self.folder.path().join("bao.log")).unwrap();
            assert!(turn < 300, "the vault did not become ready: {}", log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let policy = "path \"secret/data/consentry/*\" { capabilities = [\"read\"] }";
        let role = json!({ "token_policies": "consentry", "token_ttl": "3s", "token_max_ttl": "6s" });
        for (path, body) in [
            ("sys/auth/approle", json!({ "type": "approle" })),
            ("sys/policies/acl/consentry", json!({ "policy": policy })),
            ("auth/approle/role/consentry", role),
            ("auth/approle/role/consentry/role-id", json!({ "role_id": ROLE })),
            ("auth/approle/role/consentry/custom-secret-id", json!({ "secret_id": SECRET })),
        ] {
            self.ask(path, body).await;
        }
    }

    async fn ask(&self, path: &str, body: Value) {
        let url = format!("{}/v1/{path}", self.address());
        let request = Client::new().request(Method::POST, url).header("X-Vault-Token", ROOT).json(&body);
        let answer = request.send().await.unwrap();
        let status = answer.status();
        assert!(status.is_success(), "{path}: {status} {}", answer.text().await.unwrap());
    }

    /// Keeps an entry below `secret`.
    pub async fn put(&self, path: &str, entry: Value) {
        let secrets = entry.as_object().into_iter().flat_map(|entry| entry.values()).filter_map(Value::as_str);
        secrets.for_each(|secret| minted::note("kept secret", secret));
        self.ask(&format!("secret/data/{path}"), json!({ "data": entry })).await;
    }

    /// Its address.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How a server is told where it is, and who that server is to it.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("VAULT_ADDR", self.address()),
            ("VAULT_ROLE_ID", ROLE.to_owned()),
            ("VAULT_SECRET_ID_FILE", self.folder.path().join("secret-id").display().to_string()),
        ]
    }

    /// Ends at once, and forgets everything.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Another one at the same address; what it is to keep it has to be told again.
    pub async fn begin_again(&mut self) {
        self.child = Self::run(self.port, &self.folder);
        self.furnish().await;
    }
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
