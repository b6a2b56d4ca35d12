//! A stand-in for Google Secret Manager and for the metadata server of a machine of theirs, written from their
//! documentation ("Method: projects.secrets.versions.access", "Access tokens" of the metadata server), since no emulator
//! of them is to be had. The one speaks TLS, the other does not, as there.

use std::{
    collections::HashMap,
    fs,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use tempfile::TempDir;

use super::{
    minted,
    strangers::{Strangers, answer::Answer, host::Host},
};

/// The project that keeps the secrets.
pub const PROJECT: &str = "shop-1234";
/// What the machine's account is known by.
pub const TOKEN: &str = "a-token-of-the-machine-this-runs-on";

/// The versions of each secret, the newest last; a version that was disabled keeps nothing.
type Kept = Arc<Mutex<HashMap<String, Vec<Option<String>>>>>;

/// A service and a machine that end with the test.
pub struct SecretManager {
    strangers: Strangers,
    metadata: Host,
    service: Option<Host>,
    port: u16,
    kept: Kept,
    folder: TempDir,
}

impl SecretManager {
    /// Starts one that keeps nothing.
    pub fn start() -> Self {
        let strangers = Strangers::new();
        let (metadata, service) = (strangers.plain_host(), strangers.host("secretmanager.example"));
        let kept = Kept::default();
        metadata.decide_by(|head, _| give_token(head, TOKEN));
        let shelf = Arc::clone(&kept);
        service.decide_by(move |head, _| tell(head, &shelf.lock().unwrap()));
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("authority.pem"), strangers.authority_pem()).unwrap();
        let port = service.address().port();
        Self { strangers, metadata, service: Some(service), port, kept, folder }
    }

    /// Keeps a new version of a secret.
    pub fn put(&self, name: &str, text: &str) {
        minted::note("kept secret", text);
        self.kept.lock().unwrap().entry(name.to_owned()).or_default().push(Some(text.to_owned()));
    }

    /// Disables the newest version of a secret.
    pub fn disable(&self, name: &str) {
        *self.kept.lock().unwrap().get_mut(name).unwrap().last_mut().unwrap() = None;
    }

    /// How a server on that machine is told where everything is.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let folder = self.folder.path().display();
        vec![
            ("CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER", format!("https://localhost:{}/", self.port)),
            ("GCE_METADATA_HOST", self.metadata.address().to_string()),
            ("SSL_CERT_FILE", format!("{folder}/authority.pem")),
            ("NO_PROXY", "localhost".to_owned()),
            // Where `gcloud` would leave what a developer logs in with.
            ("HOME", folder.to_string()),
        ]
    }

    /// From now on the machine has another account, which the service does not know.
    pub fn change_account(&self) {
        self.metadata.decide_by(|head, _| give_token(head, "a-token-of-nobody"));
    }

    /// From now on the machine has no account.
    pub fn take_account(&self) {
        self.metadata.decide_by(|_, _| Answer::document("text/plain", format!("not found: {TOKEN}")).but(404));
    }

    /// From now on the service sends everybody on to somebody else, who would tell them a secret.
    pub fn lead_astray(&self, text: &str) -> Host {
        let elsewhere = self.strangers.host("elsewhere.example");
        let told = json!({ "name": "projects/1/secrets/x/versions/9", "payload": { "data": STANDARD.encode(text) } });
        elsewhere.decide_by(move |_, _| Answer::json(&told));
        let there = elsewhere.local_url("/v1/there").to_string();
        self.service.as_ref().unwrap().decide_by(move |_, _| Answer::redirect(&there).but(307));
        elsewhere
    }

    /// The service ends at once; the machine goes on.
    pub async fn kill(&mut self) {
        self.service.take().unwrap().close().await;
    }
}

/// `GET /computeMetadata/v1/instance/service-accounts/default/token`, for who says that it means this.
fn give_token(head: &str, token: &str) -> Answer {
    let path = head.split([' ', '?']).nth(1).unwrap_or_default();
    let is_meant = head.lines().any(|line| line.eq_ignore_ascii_case("metadata-flavor: google"));
    match path {
        "/computeMetadata/v1/instance/service-accounts/default/token" if is_meant => {
            let told = json!({ "access_token": token, "expires_in": 3599, "token_type": "Bearer" });
            Answer::json(&told).header("Metadata-Flavor", "Google")
        }
        _ => Answer::status(if is_meant { 404 } else { 403 }),
    }
}

fn failure(code: u16, status: &str) -> Answer {
    Answer::json(&json!({ "error": { "code": code, "message": "Its log has more.", "status": status } })).but(code)
}

/// `GET` of a version, `latest` or a number, with `:access` behind it.
fn tell(head: &str, kept: &HashMap<String, Vec<Option<String>>>) -> Answer {
    let known = format!("authorization: Bearer {TOKEN}");
    if !head.lines().any(|line| line.eq_ignore_ascii_case(&known)) {
        return failure(401, "UNAUTHENTICATED");
    }
    let path = head.split([' ', '?']).nth(1).unwrap_or_default().trim_end_matches(":access");
    let segments: Vec<_> = path.trim_start_matches("/v1/").split('/').collect();
    let ["projects", project, "secrets", name, "versions", version] = segments[..] else {
        return failure(404, "NOT_FOUND");
    };
    if project != PROJECT {
        return failure(403, "PERMISSION_DENIED");
    }
    let versions = kept.get(name).map_or(&[][..], Vec::as_slice);
    let number = version.parse().unwrap_or(versions.len());
    match number.checked_sub(1).and_then(|index| versions.get(index)) {
        None => failure(404, "NOT_FOUND"),
        Some(None) => failure(400, "FAILED_PRECONDITION"),
        Some(Some(text)) => {
            let name = format!("projects/123456789012/secrets/{name}/versions/{number}");
            Answer::json(&json!({ "name": name, "payload": { "data": STANDARD.encode(text) } }))
        }
    }
}
