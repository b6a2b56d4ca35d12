//! A stand-in for Azure Key Vault and for the place where its callers log in, written from their documentation ("Get
//! Secret", "Authentication, requests and responses", "client credentials flow"), since no emulator of them is to be had.
//! It stands under their real names behind a proxy. Every reading begins with a challenge (401), as the real one does; its
//! tokens are good for it alone.

use std::{
    collections::HashMap,
    fs,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::json;
use tempfile::TempDir;

use super::{
    minted,
    proxy::Proxy,
    strangers::{Strangers, answer::Answer, host::Host},
};

/// The vault.
pub const VAULT: &str = "team.vault.azure.net";
const LOGIN: &str = "login.microsoftonline.com";
const TENANT: &str = "7c0f2a52-2f3c-4a10-9d7d-0f6a52d0a001";
const CLIENT: &str = "5e1b7f30-76a5-4f0e-8f0b-6f6f6f0c0d02";

/// What this server logs in with.
pub const CLIENT_SECRET: &str = "what-an-application-logs-in-with";
/// What it is given for that.
pub const TOKEN: &str = "a-token-for-the-vault-and-for-nothing-else";

/// What a balancer answers for what is behind it.
const OUT_OF_ORDER: &str = "<!doctype html><title>503</title><p>Service Unavailable: \\u001b[2Jbalancer-7.internal";

/// The versions of each secret, the newest last.
type Kept = Arc<Mutex<HashMap<String, Vec<(String, String)>>>>;

/// A vault that ends with the test.
pub struct KeyVault {
    strangers: Strangers,
    login: Host,
    vault: Option<Host>,
    proxy: Proxy,
    kept: Kept,
    folder: TempDir,
    /// How many logins are still answered by whatever stands before the place that is out of order.
    stumbles: Arc<AtomicUsize>,
}

impl KeyVault {
    /// Starts one that keeps nothing.
    pub async fn start() -> Self {
        let strangers = Strangers::new();
        let (login, vault) = (strangers.host(LOGIN), strangers.host(VAULT));
        let kept = Kept::default();
        let stumbles = Arc::new(AtomicUsize::new(0));
        let left = Arc::clone(&stumbles);
        login.decide_by(move |head, body| {
            let stumbles = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
            if stumbles { Answer::document("text/html", OUT_OF_ORDER).but(503) } else { log_in(head, body) }
        });
        let shelf = Arc::clone(&kept);
        vault.decide_by(move |head, _| tell(head, &shelf.lock().unwrap()));
        let proxy = Proxy::start(&[(LOGIN, login.address()), (VAULT, vault.address())]).await;
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("authority.pem"), strangers.authority_pem()).unwrap();
        fs::write(folder.path().join("token"), CLIENT_SECRET).unwrap();
        Self { strangers, login, vault: Some(vault), proxy, kept, folder, stumbles }
    }

    /// Keeps a new version of a secret.
    pub fn put(&self, name: &str, version: &str, text: &str) {
        minted::note("kept secret", text);
        let mut kept = self.kept.lock().unwrap();
        kept.entry(name.to_owned()).or_default().push((version.to_owned(), text.to_owned()));
    }

    /// How a server is told to trust it and to find it, without saying who that server is.
    pub fn way(&self) -> Vec<(&'static str, String)> {
        let authority = self.folder.path().join("authority.pem").display().to_string();
        [self.proxy.variables(), vec![("SSL_CERT_FILE", authority)]].concat()
    }

    /// The same, for an application with this secret.
    pub fn variables(&self, secret: &str) -> Vec<(&'static str, String)> {
        let application = [("AZURE_TENANT_ID", TENANT), ("AZURE_CLIENT_ID", CLIENT), ("AZURE_CLIENT_SECRET", secret)];
        self.way().into_iter().chain(application.map(|(name, text)| (name, text.to_owned()))).collect()
    }

    /// The same, for a workload whose platform writes what it logs in with into a file.
    pub fn workload(&self) -> Vec<(&'static str, String)> {
        let file = self.folder.path().join("token").display().to_string();
        let workload = [("AZURE_TENANT_ID", TENANT.to_owned()), ("AZURE_CLIENT_ID", CLIENT.to_owned())];
        self.way().into_iter().chain(workload).chain([("AZURE_FEDERATED_TOKEN_FILE", file)]).collect()
    }

    /// For so many logins the place is out of order, and a balancer before it says so, to people.
    pub fn stumble(&self, logins: usize) {
        self.stumbles.store(logins, Ordering::SeqCst);
    }

    /// The same for a machine that has an identity: what it is asked for, and how a server on it is told. Plain requests are
    /// to go by the proxy too, which takes none.
    pub fn machine(&self) -> (Host, Vec<(&'static str, String)>) {
        let identity = self.strangers.plain_host();
        identity.decide_by(|head, _| {
            let is_meant = head.lines().any(|line| line.eq_ignore_ascii_case("x-identity-header: for-this-machine"));
            let told = json!({
                "access_token": TOKEN, "expires_on": "4102444800", "token_type": "Bearer",
                "resource": "https://vault.azure.net",
            });
            if is_meant { Answer::json(&told) } else { Answer::status(403) }
        });
        let own = [
            ("IDENTITY_ENDPOINT", format!("http://{}/msi/token", identity.address())),
            ("IDENTITY_HEADER", "for-this-machine".to_owned()),
            ("HTTP_PROXY", self.proxy.variables()[0].1.clone()),
        ];
        (identity, self.way().into_iter().chain(own).collect())
    }

    /// How often somebody logged in, or tried to.
    pub fn logins(&self) -> usize {
        self.login.requests()
    }

    /// Ends at once.
    pub async fn kill(&mut self) {
        self.vault.take().unwrap().close().await;
    }

    /// Another vault, of which a stranger says that it is this one: it asks for a token that is good for this one.
    pub async fn impostor(&self) -> (Host, Proxy) {
        let host = self.strangers.host("vault.azure.net.example");
        let challenge = challenge("https://vault.azure.net");
        host.decide_by(move |_, _| challenge.clone());
        let proxy = Proxy::start(&[(LOGIN, self.login.address()), ("vault.azure.net.example", host.address())]).await;
        (host, proxy)
    }
}

/// Who may have a token, and for what.
fn log_in(head: &str, body: &str) -> Answer {
    let path = format!("POST /{TENANT}/oauth2/v2.0/token ");
    let form: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let is = |name: &str, text: &str| form.get(name).is_some_and(|given| given == text);
    let is_asked_well = head.starts_with(&path)
        && is("grant_type", "client_credentials")
        && is("client_id", CLIENT)
        && is("scope", "https://vault.azure.net/.default");
    if !is_asked_well {
        return Answer::json(&json!({ "error": "invalid_request", "error_codes": [900_144] })).but(400);
    }
    let is_workload = is("client_assertion", CLIENT_SECRET)
        && is("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    if is("client_secret", CLIENT_SECRET) || is_workload {
        return Answer::json(&json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN }));
    }
    // The real one does not repeat the secret; whoever does must not get it into a log.
    let given = form.get("client_secret").map_or("", String::as_str);
    let told = format!("AADSTS7000215: Invalid client secret provided: {given}");
    Answer::json(&json!({ "error": "invalid_client", "error_codes": [7_000_215], "error_description": told })).but(401)
}

fn challenge(resource: &str) -> Answer {
    let said = format!("Bearer authorization=\"https://{LOGIN}/{TENANT}\", resource=\"{resource}\"");
    Answer::json(&failure("Unauthorized")).but(401).header("WWW-Authenticate", &said)
}

fn failure(code: &str) -> serde_json::Value {
    json!({ "error": { "code": code, "message": "Whatever the vault says, its log has it." } })
}

/// `GET /secrets/NAME/VERSION?api-version=…`, the version being empty for the newest.
fn tell(head: &str, kept: &HashMap<String, Vec<(String, String)>>) -> Answer {
    let authorization = head.lines().filter_map(|line| line.split_once(": "));
    let authorization =
        authorization.filter(|(name, _)| name.eq_ignore_ascii_case("authorization")).map(|(_, text)| text).next();
    if authorization != Some(&format!("Bearer {TOKEN}")) {
        return challenge("https://vault.azure.net");
    }
    let target = head.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let segments: Vec<_> = path.trim_matches('/').split('/').collect();
    let (["secrets", name], version) = (&segments[..2], segments.get(2)) else { return Answer::status(400) };
    if !query.contains("api-version=") {
        return Answer::json(&failure("BadParameter")).but(400);
    }
    if *name == "of-others" {
        return Answer::json(&failure("Forbidden")).but(403);
    }
    let mut versions = kept.get(*name).into_iter().flatten();
    let found = versions.rfind(|(known, _)| version.is_none_or(|version| version == known));
    let Some((version, text)) = found else { return Answer::json(&failure("SecretNotFound")).but(404) };
    let id = format!("https://{VAULT}/secrets/{name}/{version}");
    Answer::json(&json!({ "value": text, "id": id, "attributes": { "enabled": true } }))
}
