//! moto, which plays AWS Secrets Manager: an emulator, not AWS. It asks who calls once it was told as much as it is told
//! here, where a test wants that.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::Client;
use serde_json::{Value, json};

use super::{chromium::setting, minted, process::free_port};

/// The ids of the versions there are.
const FIRST: &str = "the-first-version-of-it-is-this-one";
const SECOND: &str = "and-the-second-one-is-this-version";

/// An emulator that ends with the test.
pub struct Moto {
    child: Child,
    port: u16,
}

impl Moto {
    /// Starts one that believes everybody, or everybody's first so many calls.
    pub async fn start(believed: Option<usize>) -> Self {
        let port = free_port();
        let mut command = Command::new(setting("CONSENTRY_TEST_MOTO"));
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        if let Some(number) = believed {
            command.env("INITIAL_NO_AUTH_ACTION_COUNT", number.to_string());
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let moto = Self { child, port };
        for turn in 0.. {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                break;
            }
            assert!(turn < 300, "moto did not become ready");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        moto
    }

    /// How a server is told where it is, and who that server is to it.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "a-key-that-opens-nothing-at-all".to_owned()),
        ]
    }

    async fn ask(&self, operation: &str, body: &Value) {
        let scope = ["AKIDEXAMPLE", "20260101", "eu-central-1", "secretsmanager", "aws4_request"].join("/");
        let request = Client::new()
            .post(format!("http://127.0.0.1:{}/", self.port))
            .header("X-Amz-Target", format!("secretsmanager.{operation}"))
            .header("Content-Type", "application/x-amz-json-1.1")
            .header("Authorization", format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=x"))
            .body(body.to_string());
        let answer = request.send().await.unwrap();
        let status = answer.status();
        assert!(status.is_success(), "{operation}: {status} {}", answer.text().await.unwrap());
    }

    /// Keeps a new secret.
    pub async fn create(&self, name: &str, text: &str) {
        minted::note("kept secret", text);
        let first = json!({ "Name": name, "SecretString": text, "ClientRequestToken": FIRST });
        self.ask("CreateSecret", &first).await;
    }

    /// What the service's rotation does with a secret: a new version that waits, and then is the current one.
    pub async fn rotate(&self, name: &str, text: &str) {
        minted::note("kept secret", text);
        let pending = json!({
            "SecretId": name,
            "SecretString": text,
            "ClientRequestToken": SECOND,
            "VersionStages": ["AWSPENDING"],
        });
        self.ask("PutSecretValue", &pending).await;
        let current = json!({
            "SecretId": name,
            "VersionStage": "AWSCURRENT",
            "MoveToVersionId": SECOND,
            "RemoveFromVersionId": FIRST,
        });
        self.ask("UpdateSecretVersionStage", &current).await;
    }

    /// Ends at once, and forgets everything.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
