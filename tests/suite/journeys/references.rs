//! Secrets that are kept elsewhere: changed there, they take over here without a restart; what cannot be read leaves the
//! last good one. Files, a real vault (OpenBao), an emulator of AWS's and stand-ins of Azure's and Google's, the password
//! of a real Postgres and of a real mail server.

use std::{fs, path::Path, time::Duration};

use consentry::mail::Security;
use reqwest::{Client, StatusCode};
use serde_json::json;
use zeroize::Zeroizing;

use crate::harness::{
    databases::{Engine, without_postgres},
    key_vault::{self, KeyVault},
    moto::Moto,
    openbao::OpenBao,
    process::{Heard, Installation, Serving, write_private},
    secret_manager::{self, SecretManager},
    server::{Options, World},
    smtp::SmtpServer,
};

pub(super) const FIRST: &str = "Zmlyc3QgdG9rZW4gZm9yIHRlc3Rz";
pub(super) const SECOND: &str = "c2Vjb25kIHRva2VuIGZvciB0ZXN0";

/// A server that is asked to register clients, and wants a token for it.
pub(super) struct Place {
    pub(super) installed: Installation,
}

impl Place {
    pub(super) async fn new(engine: Engine) -> Self {
        let installed = Installation::new(engine).await;
        installed.program().set_up();
        Self { installed }
    }

    pub(super) async fn serve(&self, token: &str, more: &[(&'static str, String)]) -> Serving {
        let own = [
            ("CONSENTRY_REGISTRATION", "token"),
            ("CONSENTRY_REGISTRATION_TOKEN", token),
            ("CONSENTRY_SECRETS_RENEWAL", "1"),
        ];
        let more = more.iter().map(|(name, value)| (*name, value.as_str()));
        self.installed.program().serve_with(&own.into_iter().chain(more).collect::<Vec<_>>()).await
    }

    /// What a server says that does not start.
    pub(super) fn refusal(&self, token: &str, more: &[(&'static str, String)]) -> String {
        let mut command = self.installed.program().command();
        command.arg("serve").env("CONSENTRY_REGISTRATION", "token").env("CONSENTRY_REGISTRATION_TOKEN", token);
        let output = command.envs(more.iter().map(|(name, value)| (*name, value))).heard();
        assert!(!output.status.success(), "it started");
        String::from_utf8(output.stderr).unwrap()
    }

    pub(super) async fn registers(&self, token: &str) -> StatusCode {
        let body = json!({ "redirect_uris": ["https://client.example/back"], "token_endpoint_auth_method": "none" });
        let request = Client::new().post(format!("http://localhost:{}/register", self.installed.port)).json(&body);
        request.bearer_auth(token).send().await.unwrap().status()
    }

    /// Until the second token is the one that is asked for, and the first is not.
    pub(super) async fn second_takes_over(&self) {
        for turn in 0.. {
            if self.registers(SECOND).await == StatusCode::CREATED {
                break;
            }
            assert!(turn < 100, "the new token was never asked for");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(self.registers(FIRST).await, StatusCode::UNAUTHORIZED);
    }
}

pub(super) async fn logs(serving: &Serving, words: &str) {
    for turn in 0.. {
        if serving.log().contains(words) {
            return;
        }
        assert!(turn < 150, "the log never said {words:?}: {}", serving.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn replace(path: &Path, text: &str) {
    fs::remove_file(path).unwrap();
    write_private(path, text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_changed_takes_over_and_one_that_is_lost_leaves_the_last_good_secret() {
    let place = Place::new(Engine::Sqlite).await;
    let path = place.installed.folder.path().join("registration.token");
    write_private(&path, FIRST);
    let mut serving = place.serve(&format!("file:{}", path.display()), &[]).await;
    assert_eq!(place.registers(FIRST).await, StatusCode::CREATED);
    replace(&path, "changeme");
    logs(&serving, "a secret will not do; the last one is used").await;
    fs::remove_file(&path).unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(place.registers(FIRST).await, StatusCode::CREATED);
    write_private(&path, SECOND);
    place.second_takes_over().await;
    logs(&serving, "a secret can be read again").await;
    let log = serving.log();
    assert!(!log.contains(FIRST) && !log.contains(SECOND) && !log.contains("changeme"), "{log}");
    assert!(log.matches("the last one is used").count() == 1, "once an hour is enough: {log}");
    serving.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_the_vault_is_survived_with_a_warning() {
    let mut vault = OpenBao::start().await;
    let place = Place::new(Engine::Sqlite).await;
    vault.put("consentry/clients", json!({ "registration": FIRST, "other": "x" })).await;
    let mut serving = place.serve("vault://secret/consentry/clients#registration", &vault.variables()).await;
    assert_eq!(place.registers(FIRST).await, StatusCode::CREATED);
    // Longer than a token of the role lives, however often it is prolonged.
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert!(!serving.log().contains("the last one is used"), "{}", serving.log());
    vault.kill();
    logs(&serving, "a secret cannot be read; the last one is used").await;
    assert_eq!(place.registers(FIRST).await, StatusCode::CREATED);
    vault.begin_again().await;
    vault.put("consentry/clients", json!({ "registration": SECOND })).await;
    place.second_takes_over().await;
    let log = serving.log();
    assert!(!log.contains(FIRST) && !log.contains(SECOND) && !log.contains("secret-of-the-role"), "{log}");
    serving.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_what_the_vault_keeps_is_refused_and_says_why() {
    let vault = OpenBao::start().await;
    let place = Place::new(Engine::Sqlite).await;
    vault.put("consentry/clients", json!({ "registration": 7, "sample": "changeme" })).await;
    vault.put("others/clients", json!({ "registration": FIRST })).await;
    let variables = vault.variables();
    for (path, told) in [
        ("consentry/nothing#registration", "the vault has nothing at vault://secret/consentry/nothing#registration"),
        ("consentry/clients#none", "the vault has nothing at"),
        ("consentry/clients#registration", "the vault has nothing at"),
        ("consentry/clients#sample", "holds a placeholder"),
        ("others/clients#registration", "does not let this server read"),
    ] {
        let refusal = place.refusal(&format!("vault://secret/{path}"), &variables);
        assert!(refusal.contains(told) && refusal.contains("CONSENTRY_REGISTRATION_TOKEN"), "{path}: {refusal}");
        assert!(!refusal.contains(FIRST) && !refusal.contains("changeme"), "{refusal}");
    }
    let reference = "vault://secret/consentry/clients#sample";
    let mut stranger = variables.clone();
    stranger[1].1 = "nobody".to_owned();
    assert!(place.refusal(reference, &stranger).contains("does not let this server in"));
    assert!(place.refusal(reference, &[]).contains("VAULT_ADDR is not set"));
    let token = [variables[0].clone(), ("VAULT_TOKEN", "a-token-it-never-gave".to_owned())];
    assert!(place.refusal(reference, &token).contains("does not let this server read"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_aws_rotates_takes_over_and_its_outage_is_survived() {
    let mut moto = Moto::start(None).await;
    let place = Place::new(Engine::Sqlite).await;
    moto.create("consentry/clients", &json!({ "registration": FIRST }).to_string()).await;
    let mut serving = place.serve("aws-sm://consentry/clients#registration", &moto.variables()).await;
    assert_eq!(place.registers(FIRST).await, StatusCode::CREATED);
    moto.rotate("consentry/clients", &json!({ "registration": SECOND }).to_string()).await;
    place.second_takes_over().await;
    moto.kill();
    logs(&serving, "a secret cannot be read; the last one is used").await;
    assert_eq!(place.registers(SECOND).await, StatusCode::CREATED);
    let log = serving.log();
    assert!(!log.contains(FIRST) && !log.contains(SECOND) && !log.contains("opens-nothing"), "{log}");
    serving.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_what_aws_keeps_is_refused_and_says_why() {
    let moto = Moto::start(None).await;
    let place = Place::new(Engine::Sqlite).await;
    moto.create("consentry/text", FIRST).await;
    moto.create("consentry/object", &json!({ "sample": "changeme", "number": 7 }).to_string()).await;
    for (name, told) in [
        ("consentry/nothing", "the vault has nothing at aws-sm://consentry/nothing"),
        ("consentry/text#registration", "the vault has nothing at"),
        ("consentry/object#number", "the vault has nothing at"),
        ("consentry/object#sample", "holds a placeholder"),
    ] {
        let refusal = place.refusal(&format!("aws-sm://{name}"), &moto.variables());
        assert!(refusal.contains(told) && refusal.contains("CONSENTRY_REGISTRATION_TOKEN"), "{name}: {refusal}");
        assert!(!refusal.contains(FIRST) && !refusal.contains("changeme"), "{refusal}");
    }
    // One that believes nobody any more.
    let moto = Moto::start(Some(1)).await;
    moto.create("consentry/text", FIRST).await;
    let refusal = place.refusal("aws-sm://consentry/text", &moto.variables());
    assert!(refusal.contains("the vault does not let this server in"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_renewed_in_azure_takes_over_and_its_outage_is_survived() {
    let mut vault = KeyVault::start().await;
    let place = Place::new(Engine::Sqlite).await;
    vault.put("registration", "a1", FIRST);
    let reference = format!("azure-kv://{}/registration", key_vault::VAULT);
    let mut serving = place.serve(&reference, &vault.variables(key_vault::CLIENT_SECRET)).await;
    assert_eq!(place.registers(FIRST).await, StatusCode::CREATED);
    vault.put("registration", "a2", SECOND);
    place.second_takes_over().await;
    vault.kill().await;
    logs(&serving, "a secret cannot be read; the last one is used").await;
    assert_eq!(place.registers(SECOND).await, StatusCode::CREATED);
    let log = serving.log();
    let secrets = [FIRST, SECOND, key_vault::CLIENT_SECRET, key_vault::TOKEN];
    assert!(!secrets.iter().any(|secret| log.contains(secret)), "{log}");
    assert!(log.contains("is read by the secret in AZURE_CLIENT_SECRET"), "{log}");
    serving.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_what_azure_keeps_is_refused_and_says_why() {
    let vault = KeyVault::start().await;
    let place = Place::new(Engine::Sqlite).await;
    vault.put("sample", "a1", FIRST);
    vault.put("sample", "a2", "changeme");
    let read = |name: &str, variables: &[(&'static str, String)]| {
        let refusal = place.refusal(&format!("azure-kv://{}/{name}", key_vault::VAULT), variables);
        let secrets = [FIRST, "changeme", key_vault::CLIENT_SECRET, key_vault::TOKEN];
        assert!(!secrets.iter().any(|secret| refusal.contains(secret)), "{refusal}");
        assert!(refusal.contains("CONSENTRY_REGISTRATION_TOKEN"), "{refusal}");
        refusal
    };
    let variables = vault.variables(key_vault::CLIENT_SECRET);
    for (name, told) in [
        ("nothing", "the vault has nothing at azure-kv://team.vault.azure.net/nothing"),
        ("sample/a3", "the vault has nothing at"),
        ("of-others", "does not let this server read"),
        ("sample", "holds a placeholder"),
    ] {
        let refusal = read(name, &variables);
        assert!(refusal.contains(told), "{name}: {refusal}");
    }
    // A workload's own token is as good; it is the secret that will not do.
    assert!(read("sample/a2", &vault.workload()).contains("holds a placeholder"));
    let stranger = vault.variables("not-what-it-logs-in-with");
    let refusal = read("sample", &stranger);
    let told = "the vault does not let this server in: its login answered 401 (7000215)";
    assert!(refusal.contains(told) && refusal.contains("see what this server shows to it"), "{refusal}");
    assert!(!refusal.contains("not-what-it-logs-in-with"), "{refusal}");
    let partly: Vec<_> = variables.iter().filter(|(name, _)| *name != "AZURE_TENANT_ID").cloned().collect();
    assert!(read("sample", &partly).contains("AZURE_TENANT_ID is not set"));
    // Whoever only says that it is the vault is shown nothing.
    let logins = vault.logins();
    let (impostor, proxy) = vault.impostor().await;
    let led_astray = [variables, proxy.variables()].concat();
    let refusal = place.refusal("azure-kv://vault.azure.net.example/sample", &led_astray);
    assert!(refusal.contains("the vault does not let this server in"), "{refusal}");
    assert_eq!((impostor.requests(), vault.logins()), (1, logins));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_renewed_at_google_takes_over_and_its_outage_is_survived() {
    let mut google = SecretManager::start();
    let place = Place::new(Engine::Sqlite).await;
    google.put("registration", FIRST);
    let reference = format!("gcp-sm://{}/registration", secret_manager::PROJECT);
    let mut serving = place.serve(&reference, &google.variables()).await;
    assert_eq!(place.registers(FIRST).await, StatusCode::CREATED);
    google.put("registration", SECOND);
    place.second_takes_over().await;
    google.kill().await;
    logs(&serving, "a secret cannot be read; the last one is used").await;
    assert_eq!(place.registers(SECOND).await, StatusCode::CREATED);
    let log = serving.log();
    assert!(![FIRST, SECOND, secret_manager::TOKEN].iter().any(|secret| log.contains(secret)), "{log}");
    serving.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_without_what_google_keeps_is_refused_and_says_why() {
    let google = SecretManager::start();
    let place = Place::new(Engine::Sqlite).await;
    google.put("sample", FIRST);
    google.put("sample", "changeme");
    google.put("old", FIRST);
    google.disable("old");
    let read = |name: &str, variables: &[(&'static str, String)]| {
        let refusal = place.refusal(&format!("gcp-sm://{name}"), variables);
        assert!(![FIRST, "changeme", secret_manager::TOKEN].iter().any(|secret| refusal.contains(secret)), "{refusal}");
        assert!(refusal.contains("CONSENTRY_REGISTRATION_TOKEN"), "{refusal}");
        refusal
    };
    let variables = google.variables();
    for (name, told) in [
        ("shop-1234/nothing", "the vault has nothing at gcp-sm://shop-1234/nothing"),
        ("shop-1234/sample/3", "the vault has nothing at"),
        ("shop-1234/old", "the vault has nothing at"),
        ("of-others/sample", "does not let this server read"),
        ("shop-1234/sample", "holds a placeholder"),
        ("shop-1234/sample/2", "holds a placeholder"),
    ] {
        let refusal = read(name, &variables);
        assert!(refusal.contains(told), "{name}: {refusal}");
    }
    google.change_account();
    let refusal = read("shop-1234/sample", &variables);
    let told = "the vault does not let this server in: it answered 401";
    assert!(refusal.contains(told) && refusal.contains("see what this server shows to it"), "{refusal}");
    google.take_account();
    let refusal = read("shop-1234/sample", &variables);
    assert!(refusal.contains("the vault does not let this server in: its login answered 404"), "{refusal}");
    let broken = place.installed.folder.path().join("credentials.json");
    write_private(&broken, &json!({ "type": "service_account", "private_key": FIRST }).to_string());
    let credentials = ("GOOGLE_APPLICATION_CREDENTIALS", broken.display().to_string());
    let refusal = read("shop-1234/sample", &[&variables[..], &[credentials]].concat());
    assert!(refusal.contains("GOOGLE_APPLICATION_CREDENTIALS leads to no credentials that can be used"), "{refusal}");
    let mut unsafe_way = variables;
    unsafe_way[0].1 = "http://secretmanager.example".to_owned();
    assert!(read("shop-1234/sample", &unsafe_way).contains("is no https address"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_password_of_the_database_is_used_without_a_restart() {
    if without_postgres() {
        return;
    }
    let mut place = Place::new(Engine::Postgres).await;
    let role = format!("guest_{}", place.installed.port);
    let name = place.installed.database.url.rsplit('/').next().unwrap().to_owned();
    for statement in [
        format!("create role {role} login password 'one'"),
        format!("grant all on all tables in schema public to {role}"),
        format!("grant all on all sequences in schema public to {role}"),
    ] {
        place.installed.database.execute(&statement).await;
    }
    let admin = place.installed.database.url.clone();
    let mut url = url::Url::parse(&admin).unwrap();
    url.set_username(&role).unwrap();
    url.set_password(None).unwrap();
    let path = place.installed.folder.path().join("password");
    write_private(&path, "one");
    let token = place.installed.folder.path().join("token");
    write_private(&token, FIRST);
    place.installed.database.url = url.into();
    let password = ("CONSENTRY_DATABASE_PASSWORD", format!("file:{}", path.display()));
    let mut serving = place.serve(&format!("file:{}", token.display()), &[password]).await;
    place.installed.database.url = admin;
    assert_eq!(place.registers(FIRST).await, StatusCode::CREATED);
    place.installed.database.execute(&format!("alter role {role} password 'two'")).await;
    replace(&path, "two");
    logs(&serving, "a secret was changed, and is used from now on").await;
    let end = format!(
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}' and usename = '{role}'"
    );
    place.installed.database.execute(&end).await;
    for turn in 0.. {
        if place.registers(FIRST).await == StatusCode::CREATED {
            break;
        }
        assert!(turn < 50, "no connection was made with the new password: {}", serving.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    serving.stop();
    place.installed.database.execute(&format!("drop owned by {role}")).await;
    place.installed.database.execute(&format!("drop role {role}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_corrected_password_of_the_mail_server_is_used_without_a_restart() {
    let smtp = SmtpServer::start(Security::Tls, true).await;
    let right = smtp.way.password.get().to_string();
    smtp.way.password.replace(Zeroizing::new("another".to_owned()));
    let world = World::with(Engine::Sqlite, Options { mail: Some(smtp.way.clone()), ..Options::default() }).await;
    let server = &world.running.server;
    let (email, asker) = ("ada@example.com".parse().unwrap(), consentry::server::people::Asker::default());
    consentry::server::people::ask_for_reset(server, &email, &asker).await.unwrap();
    consentry::jobs::mail::once(server).await.unwrap();
    assert!(smtp.mails().is_empty());
    smtp.way.password.replace(Zeroizing::new(right));
    // The letter waits for its next turn.
    world.database.execute("update outgoing_mails set due_at = created_at").await;
    consentry::jobs::mail::once(server).await.unwrap();
    smtp.mail_to("ada@example.com").await;
}
