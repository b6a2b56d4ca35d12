//! Commands, parsed as from a shell and run against an embedded store.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::{
    clock::Clock,
    config::{Clients, PublicUrl},
    store::{OpenOptions, Store},
    tokens::secret,
};

mod access;
mod client_ids;
mod importing;
mod numbers;
mod people;
mod presets;
mod resources;
mod signing_clients;

const CALLBACK: &str = "https://a.example/callback";

/// A migrated store and a folder for the files of a test.
struct Shell {
    desk: Desk,
    folder: TempDir,
}

impl Shell {
    async fn unmigrated() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = OpenOptions {
            url: format!("sqlite://{}", folder.path().join("consentry.db").display()),
            password: None,
            connections_max: 2,
            patience: std::time::Duration::from_secs(5),
            watch: None,
        };
        let store = Store::open(&options).await.unwrap();
        let public_url = PublicUrl::parse("https://consent.example.com/auth").unwrap();
        let clock = Clock::standing_at(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let clients = Clients { by_hand: true, documents: true, document_hosts: vec![], document_hosts_denied: vec![] };
        let server_name = "Example Accounts".to_owned();
        let passwords = crate::passwords::Settings::default();
        let sign_ups = crate::model::account::SignUps::Invited;
        let outbound = crate::outbound::Settings::default();
        let keys = crate::model::key_timetable::KeyTimetable::default();
        let public_url = Some(public_url);
        let desk = Desk {
            store,
            clock,
            public_url,
            server_name,
            clients,
            sign_ups,
            passwords,
            outbound,
            keys,
            rotators: Vec::new(),
        };
        Self { desk, folder }
    }

    async fn new() -> Self {
        let shell = Self::unmigrated().await;
        shell.desk.store.migrate().await.unwrap();
        shell
    }

    async fn with_plugin() -> Self {
        let shell = Self::new().await;
        shell.import(&manifest(), &["--scope", "todo.read=See your list", "--scope", "todo.write=Change it"]).await;
        shell
    }

    fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, contents).unwrap();
        path
    }

    /// Does what `consentry …` would do.
    async fn try_run(&self, arguments: &[&str]) -> Result<Answer, Failure> {
        let words = std::iter::once("consentry").chain(arguments.iter().copied());
        match Arguments::try_parse_from(words).unwrap().command {
            Command::Migrate => migrate::run(&self.desk).await,
            Command::Account(command) => account::run(command, &self.desk).await,
            Command::Plugin(command) => plugin::run(command, &self.desk, (false, &ConfigFlags::default())).await,
            Command::Group(command) => plugin_access::group(command, &self.desk).await,
            Command::Resource(command) => resource::run(command, &self.desk, &ConfigFlags::default()).await,
            Command::Client(command) => client::run(command, &self.desk).await,
            Command::OwnerToken(command) => owner_token::run(command, &self.desk).await,
            Command::Flow(command) => flow::run(command, &self.desk).await,
            Command::Key(command) => key::run(command, &self.desk, &ConfigFlags::default()).await,
            Command::Secret(command) => super::secret::run(command, &self.desk, &ConfigFlags::default()).await,
            Command::Preset(command) => preset::run(&command),
            Command::ConfigExample => Ok(config_example::run()),
            Command::Audit(_) | Command::Serve | Command::Demo(_) | Command::Simulate(_) | Command::Doctor(_) => {
                unreachable!("no test serves here")
            }
        }
    }

    async fn run(&self, arguments: &[&str]) -> Answer {
        self.try_run(arguments).await.unwrap()
    }

    /// What `consentry …` would say after `error:`.
    async fn refused(&self, arguments: &[&str]) -> String {
        match self.try_run(arguments).await {
            Err(Failure::NotDone(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    async fn import(&self, manifest: &Value, more: &[&str]) -> Answer {
        let file = self.file("ai-plugin.json", manifest.to_string());
        let file = file.to_str().unwrap();
        self.run(&[&["plugin", "import", file, "--host", "api.example.com"], more].concat()).await
    }

    async fn add_client(&self, preset: &str, more: &[&str]) -> Answer {
        let words = ["client", "add", "--plugin", "todo", "--name", "A client", "--preset", preset];
        self.run(&[&words, more].concat()).await
    }
}

fn manifest() -> Value {
    json!({
        "schema_version": "v1",
        "name_for_human": "To-Do",
        "name_for_model": "todo",
        "description_for_human": "Keep your list.",
        "description_for_model": "Reads and changes the list.",
        "api": { "type": "openapi", "url": "https://api.example.com/openapi.yaml" },
        "logo_url": "https://api.example.com/logo.png",
        "contact_email": "help@example.com",
        "legal_info_url": "https://example.com/legal"
    })
}

#[test]
fn the_command_line_is_well_formed() {
    use clap::CommandFactory;
    Arguments::command().debug_assert();
}

#[tokio::test]
async fn migrating_twice_changes_nothing_the_second_time() {
    let shell = Shell::unmigrated().await;
    assert!(shell.run(&["migrate"]).await.json["applied"].as_u64().unwrap() > 0);
    assert_eq!(shell.run(&["migrate"]).await.json["applied"], 0);
}

#[tokio::test]
async fn an_account_is_added_once() {
    let shell = Shell::new().await;
    let password = shell.file("password", "a password of some length\r\n");
    let words = ["account", "add", "--email", "Ada@Example.com", "--name", "Ada", "--role", "owner", "--password-file"];
    let words = [&words[..], &[password.to_str().unwrap()]].concat();
    let answer = shell.run(&words).await;
    assert_eq!((&answer.json["email"], &answer.json["role"]), (&json!("ada@example.com"), &json!("owner")));
    assert!(answer.text.contains("https://consent.example.com/auth/sign-in."), "{}", answer.text);
    let (account, hash) =
        shell.desk.store.account_by_email(&"ada@example.com".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(answer.json["account_id"], json!(account.id));
    let verify = |password: &'static str| {
        let hash = hash.clone();
        async move { crate::passwords::Passwords::new().verify(hash.as_deref(), password).await.unwrap() }
    };
    assert!(verify("a password of some length").await, "the line break is no part of it");
    assert!(!verify("a password of some length\r\n").await);
    assert!(shell.refused(&words).await.contains("already"));
}

#[tokio::test]
async fn what_is_no_account_is_refused() {
    let shell = Shell::new().await;
    let short = shell.file("short", "too short");
    let long = shell.file("long", "x y ".repeat(400));
    let good = shell.file("good", "a password of some length");
    for (email, name, password) in [
        ("ada", "Ada", &good),
        ("ada@example.com", "\u{202e}adA", &good),
        ("ada@example.com", " ", &good),
        ("ada@example.com", "Ada", &short),
        ("ada@example.com", "Ada", &long),
        ("ada@example.com", "Ada", &PathBuf::from("no such file")),
    ] {
        let password = password.to_str().unwrap();
        shell.refused(&["account", "add", "--email", email, "--name", name, "--password-file", password]).await;
    }
    let parsed = Arguments::try_parse_from([
        "consentry",
        "account",
        "add",
        "--email",
        "a@b",
        "--name",
        "A",
        "--role",
        "king",
        "--password-file",
        "x",
    ]);
    assert_eq!(parsed.unwrap_err().exit_code(), 2);
}

#[tokio::test]
async fn a_plugin_is_imported_listed_and_shown() {
    let shell = Shell::new().await;
    let openapi = shell.file(
        "openapi.yaml",
        "openapi: 3.1.0\ncomponents: {securitySchemes: {o: {type: oauth2, flows: {authorizationCode: {scopes: {todo.read: See your list}}}}}}",
    );
    let logo = shell.file("logo.png", crate::demo::LOGO);
    let mut words = manifest();
    words["auth"] = json!({ "scope": "todo.read todo.extra" });
    let more =
        ["--openapi", openapi.to_str().unwrap(), "--logo", logo.to_str().unwrap(), "--upstream", "http://10.0.0.1"];
    let answer = shell.import(&words, &more).await;
    assert_eq!(answer.json["slug"], "todo");
    assert_eq!(answer.json["host"], "api.example.com");
    assert_eq!(answer.json["state"], "draft");
    assert_eq!(answer.json["resource"], "https://api.example.com");
    assert_eq!(
        answer.json["scopes"],
        json!([
            { "name": "todo.read", "words": "See your list" },
            { "name": "todo.extra", "words": "Use \"todo.extra\"" }
        ])
    );
    let again = shell.import(&words, &[]).await;
    assert_eq!(again.json["plugin_id"], answer.json["plugin_id"], "importing again changes the same plugin");
    assert!(again.text.starts_with("Changed"));
    let list = shell.run(&["plugin", "list"]).await;
    assert_eq!(list.json[0]["plugin_id"], answer.json["plugin_id"]);
    assert!(list.text.contains("api.example.com"));
    let show = shell.run(&["plugin", "show", "todo"]).await;
    assert_eq!(show.json["manifest"]["auth"]["client_url"], "https://api.example.com/authorize");
    assert_eq!(show.json["manifest"]["auth"]["authorization_url"], "https://api.example.com/token");
    let host = "api.example.com".parse().unwrap();
    for kind in [crate::model::plugin::DocumentKind::OpenApi, crate::model::plugin::DocumentKind::Logo] {
        assert!(shell.desk.store.document(&host, kind).await.unwrap().is_some(), "{kind:?}");
    }
    assert!(shell.refused(&["plugin", "show", "nope"]).await.contains("plugin list"));
}

#[tokio::test]
async fn all_mistakes_of_an_import_are_told_and_nothing_is_kept() {
    let shell = Shell::new().await;
    let file = shell.file("ai-plugin.json", "{}");
    let openapi = shell.file("openapi.json", "{}");
    let logo = shell.file("logo.png", "<svg onload=alert(1)>");
    let told = shell
        .refused(&[
            "plugin",
            "import",
            file.to_str().unwrap(),
            "--host",
            "api.example.com",
            "--openapi",
            openapi.to_str().unwrap(),
            "--logo",
            logo.to_str().unwrap(),
            "--upstream",
            "ftp://x",
            "--scope",
            "a b=c",
        ])
        .await;
    for part in ["name_for_model", "openapi.json", "logo.png", "--upstream", "--scope"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    assert_eq!(shell.run(&["plugin", "list"]).await.json, json!([]));
    shell.refused(&["plugin", "import", "no such file", "--host", "api.example.com"]).await;
    shell.refused(&["plugin", "import", file.to_str().unwrap(), "--host", "https://api.example.com/"]).await;
}

#[tokio::test]
async fn a_host_belongs_to_one_plugin() {
    let shell = Shell::with_plugin().await;
    let mut other = manifest();
    other["name_for_model"] = json!("other");
    let file = shell.file("other.json", other.to_string());
    let told = shell.refused(&["plugin", "import", file.to_str().unwrap(), "--host", "api.example.com"]).await;
    assert!(told.contains("\"todo\""), "{told}");
}

#[tokio::test]
async fn a_client_gets_its_secret_once() {
    let shell = Shell::with_plugin().await;
    let answer = shell.add_client("action", &["--callback", CALLBACK]).await;
    assert_eq!(answer.json["redirect_uris"], json!([CALLBACK]));
    assert_eq!(answer.json["scopes"], json!(["todo.read", "todo.write"]));
    let secret = answer.json["client_secret"].as_str().unwrap().to_owned();
    let id = answer.json["client_id"].as_str().unwrap().to_owned();
    for part in [&id, &secret, "https://api.example.com/authorize", "https://api.example.com/token"] {
        assert!(answer.text.contains(part), "{part}");
    }
    let kept = shell.desk.store.client(&id, shell.desk.clock.now()).await.unwrap().unwrap();
    let digest = secret::SecretText::parse(secret::CLIENT_SECRET, &secret).unwrap().digest();
    assert_eq!(kept.secrets[0].digest, digest);
    let list = shell.run(&["client", "list"]).await;
    assert_eq!(list.json[0]["client_id"], json!(id));
    assert!(!list.json.to_string().contains(&secret) && !list.text.contains(&secret));
}

#[tokio::test]
async fn each_preset_authenticates_in_its_own_way() {
    let shell = Shell::with_plugin().await;
    let connector = shell.add_client("connector", &["--callback", "http://127.0.0.1/callback"]).await;
    assert_eq!(connector.json["client_secret"], Value::Null);
    let service = shell.add_client("service", &["--scope", "todo.read"]).await;
    assert!(service.json["client_secret"].is_string());
    assert_eq!(service.json["redirect_uris"], json!([]));
    assert_eq!(service.json["scopes"], json!(["todo.read"]));
    assert_eq!(service.json["authorization_url"], Value::Null);
    // Those who need not share a domain with the API are told what the metadata says too.
    assert_eq!(service.json["token_url"], "https://consent.example.com/auth/token");
    assert_eq!(connector.json["authorization_url"], "https://consent.example.com/auth/authorize");
    assert!(connector.text.contains("https://consent.example.com/auth/token"), "{}", connector.text);
    let plugin = shell.add_client("plugin", &[]).await;
    assert_eq!(plugin.json["authorization_url"], "https://api.example.com/authorize");
}

#[tokio::test]
async fn what_is_no_client_is_refused() {
    let shell = Shell::with_plugin().await;
    let add = ["client", "add", "--plugin", "todo", "--name", "A client", "--preset"];
    for (more, part) in [
        (&["custom"][..], "--callback"),
        (&["custom", "--callback", "http://a.example/cb", "--callback", "https://a.example/*"], "wildcard"),
        (&["custom", "--callback", "https://a.example/cb", "--scope", "admin"], "todo.read todo.write"),
        (&["service", "--callback", "https://a.example/cb"], "leave it out"),
    ] {
        let told = shell.refused(&[&add, more].concat()).await;
        assert!(told.contains(part), "{part} in {told}");
    }
    let told = shell.refused(&["client", "add", "--plugin", "nope", "--name", "A", "--preset", "service"]).await;
    assert!(told.contains("plugin list"));
    assert_eq!(shell.run(&["client", "list"]).await.json, json!([]));
}

#[tokio::test]
async fn a_rotated_secret_lives_beside_the_old_one_for_as_long_as_was_said() {
    let shell = Shell::with_plugin().await;
    let answer = shell.add_client("action", &["--callback", CALLBACK]).await;
    let id = answer.json["client_id"].as_str().unwrap();
    let rotated = shell.run(&["client", "rotate-secret", id, "--keep-old", "60"]).await;
    assert_ne!(rotated.json["client_secret"], answer.json["client_secret"]);
    let valid = async |seconds: i64| {
        let now = shell.desk.clock.now() + chrono::TimeDelta::seconds(seconds);
        shell.desk.store.client(id, now).await.unwrap().unwrap().secrets.len()
    };
    assert_eq!((valid(59).await, valid(60).await), (2, 1));
    shell.run(&["client", "rotate-secret", id, "--keep-old", "0"]).await;
    assert_eq!(valid(0).await, 1);
    assert!(shell.refused(&["client", "rotate-secret", "nope"]).await.contains("client list"));
    let public = shell.add_client("connector", &["--callback", "http://127.0.0.1/callback"]).await;
    let told = shell.refused(&["client", "rotate-secret", public.json["client_id"].as_str().unwrap()]).await;
    assert!(told.contains("without a secret"));
}

#[tokio::test]
async fn a_disabled_client_stays_listed_as_such() {
    let shell = Shell::with_plugin().await;
    let answer = shell.add_client("service", &[]).await;
    let id = answer.json["client_id"].as_str().unwrap();
    assert_eq!(shell.run(&["client", "disable", id]).await.json["enabled"], false);
    assert_eq!(shell.run(&["client", "list"]).await.json[0]["enabled"], false);
    assert!(shell.refused(&["client", "disable", "nope"]).await.contains("client list"));
}

#[test]
fn a_schema_that_is_not_this_programs_is_told_apart() {
    use crate::store::SchemaState;
    assert_eq!(Failure::of_schema(SchemaState::Current), None);
    assert!(
        matches!(Failure::of_schema(SchemaState::Behind(2)), Some(Failure::NotDone(told)) if told.contains("migrate"))
    );
    assert!(matches!(Failure::of_schema(SchemaState::FromTheFuture), Some(Failure::Misconfigured(_))));
}
