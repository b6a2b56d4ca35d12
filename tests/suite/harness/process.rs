//! The real binary as a process: its commands, and `consentry serve` until the test ends.

use std::{
    fs::File,
    io::Write,
    net::TcpListener,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use consentry::vault::SecretRef;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    databases::{Database, Engine},
    log, minted,
    server::{Node, PASSWORD},
};

/// The binary with its configuration in the environment.
pub struct Consentry<'a> {
    /// Where it runs, and its master key lies.
    pub folder: &'a Path,
    /// What it remembers in.
    pub database: &'a Database,
    /// Where it listens.
    pub port: u16,
    /// What people call it; several may be one.
    pub public_url: String,
}

/// Where the binary runs by itself: a folder, an empty database and a port of its own, gone when the test has ended.
pub struct Installation {
    /// Where it runs.
    pub folder: TempDir,
    /// What it remembers in.
    pub database: Database,
    /// Where it listens.
    pub port: u16,
}

impl Installation {
    /// Makes one; nothing is in it yet.
    pub async fn new(engine: Engine) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: Database::empty(engine).await, port: free_port() }
    }

    /// The binary in it.
    pub fn program(&self) -> Consentry<'_> {
        let public_url = format!("http://localhost:{}", self.port);
        Consentry { folder: self.folder.path(), database: &self.database, port: self.port, public_url }
    }
}

/// A server that ends with the test.
pub struct Serving {
    child: Child,
    url: String,
    own: String,
    log: PathBuf,
}

impl Serving {
    /// Asks it to stop, and waits until it has.
    pub fn stop(&mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap();
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Node for Serving {
    fn url(&self) -> &str {
        &self.url
    }

    fn own(&self) -> &str {
        &self.own
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command that is run to its end.
pub trait Heard {
    /// Runs it. What it logs is part of the suite's log, and what it answers may hold secrets.
    fn heard(&mut self) -> Output;
}

impl Heard for Command {
    fn heard(&mut self) -> Output {
        note_environment(self);
        let output = self.output().unwrap();
        log::keep(&output.stderr);
        match serde_json::from_slice(&output.stdout) {
            Ok(json) => minted::in_json(&json),
            Err(_) => minted::in_text(&String::from_utf8_lossy(&output.stdout)),
        }
        output
    }
}

/// Notes the secrets a process is given by its environment, rather than references to them.
fn note_environment(command: &Command) {
    let ends = ["TOKEN", "SECRET", "PASSWORD", "KEY"];
    for (name, value) in command.get_envs() {
        if let Some(value) = value.and_then(|value| value.to_str())
            && ends.iter().any(|end| name.to_string_lossy().ends_with(end))
            && value.parse::<SecretRef>().is_err()
        {
            minted::note("environment", value);
        }
    }
}

impl Consentry<'_> {
    /// Its own address.
    pub fn own(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Gives it a key of its own, its tables, and Ada; answers what it says of her.
    pub fn set_up(&self) -> Value {
        write_private(&self.folder.join("master.key"), &STANDARD.encode(consentry::random::bytes::<32>()));
        write_private(&self.folder.join("ada.txt"), PASSWORD);
        self.answer(&["migrate"]);
        let ada = ["account", "add", "--email", "ada@example.com", "--name", "Ada Lovelace", "--role", "person"];
        self.answer(&[&ada[..], &["--password-file", "ada.txt", "--json"]].concat())
    }

    /// Registers a plugin of that short name.
    pub fn import_plugin(&self, slug: &str) {
        let manifest = json!({
            "schema_version": "v1",
            "name_for_human": slug,
            "name_for_model": slug,
            "description_for_human": "Keep your list.",
            "description_for_model": "Reads and changes the list.",
            "auth": { "type": "none" },
            "api": { "type": "openapi", "url": format!("https://{slug}.example/openapi.json") },
            "logo_url": format!("https://{slug}.example/logo.png"),
            "contact_email": format!("support@{slug}.example"),
            "legal_info_url": format!("https://{slug}.example/legal"),
        });
        let (file, host) = (format!("{slug}.json"), format!("{slug}.example"));
        std::fs::write(self.folder.join(&file), manifest.to_string()).unwrap();
        self.answer(&["plugin", "import", &file, "--host", &host, "--scope", "todo.read=See your list"]);
    }

    /// A command with its configuration in the environment.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_consentry"));
        command
            .current_dir(self.folder)
            .env("CONSENTRY_DATABASE_URL", &self.database.url)
            .env("CONSENTRY_PUBLIC_URL", &self.public_url)
            .env("CONSENTRY_LISTEN", format!("127.0.0.1:{}", self.port))
            .env("CONSENTRY_MASTER_KEYS", format!("file:{}", self.folder.join("master.key").display()));
        command
    }

    /// Runs a command that must succeed, and reads its JSON.
    pub fn answer(&self, arguments: &[&str]) -> Value {
        let output = self.command().args(arguments).heard();
        let (out, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {out}{told}");
        serde_json::from_str(&out).unwrap_or(Value::Null)
    }

    /// Serves, once it is ready.
    pub async fn serve(&self) -> Serving {
        self.serve_with(&[]).await
    }

    /// Serves with more in the environment, once it is ready.
    pub async fn serve_with(&self, more: &[(&str, &str)]) -> Serving {
        let mut command = self.command();
        command.arg("serve").envs(more.iter().copied());
        note_environment(&command);
        let log = log::of_a_process(self.folder);
        let child = command.stdout(Stdio::null()).stderr(File::create(&log).unwrap()).spawn().unwrap();
        let serving = Serving { child, url: self.public_url.clone(), own: self.own(), log };
        for _ in 0..100 {
            if reqwest::get(format!("{}/health/ready", self.own())).await.is_ok_and(|answer| answer.status() == 200) {
                return serving;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("the server did not become ready");
    }
}

/// Writes a file nobody else may read, as secrets must be. What has several lines, or gives something a value, is a
/// configuration or a certificate, and no secret.
pub fn write_private(path: &Path, text: &str) {
    if !text.trim().contains('\n') && !text.contains(" = ") {
        minted::note("file", text);
    }
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// A port nobody listens on just now.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
