//! The server as a process of its own: where it is, how it is started, and its end.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::OpenOptionsExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::Outcome;

/// Where a server is to be, and what it needs to be there.
pub struct Place {
    /// Its database.
    pub database_url: String,
    /// Where it is reached, and by that its issuer.
    pub public_url: String,
    /// The key that wraps its others.
    pub master: [u8; 32],
    listen: String,
    master_keys: String,
}

impl Place {
    /// A free loopback port, with the master key in a file of the folder.
    pub fn new(database_url: &str, folder: &Path, master: [u8; 32]) -> Outcome<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        Ok(Self {
            database_url: database_url.to_owned(),
            public_url: format!("http://localhost:{port}"),
            master,
            listen: format!("127.0.0.1:{port}"),
            master_keys: write_key(folder, master)?,
        })
    }

    /// The command line with its configuration in the environment.
    pub fn consentry(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_consentry"));
        command
            // The program knows its own settings only, and refuses any other of its prefix.
            .env_remove("CONSENTRY_BENCH_POSTGRES_URL")
            .env("CONSENTRY_PUBLIC_URL", &self.public_url)
            .env("CONSENTRY_DATABASE_URL", &self.database_url)
            .env("CONSENTRY_MASTER_KEYS", &self.master_keys);
        command
    }

    /// Starts the server, and waits until it is ready.
    pub async fn serve(&self, log: &str, stderr: Stdio) -> Outcome<Process> {
        let mut command = self.consentry();
        command.arg("serve").env("CONSENTRY_LISTEN", &self.listen);
        command.env("CONSENTRY_LOG", log).env("CONSENTRY_LOG_FORMAT", "json");
        let process = Process(command.stdout(Stdio::null()).stderr(stderr).spawn()?);
        for _ in 0..100 {
            let ready = reqwest::get(format!("{}/health/ready", self.public_url)).await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(process);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("the server did not become ready within five seconds".into())
    }
}

/// The server as a process, ended with the measurement.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn write_key(folder: &Path, master: [u8; 32]) -> Outcome<String> {
    let path = folder.join("master.key");
    let _ = fs::remove_file(&path);
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    std::io::Write::write_all(&mut &file, STANDARD.encode(master).as_bytes())?;
    Ok(format!("file:{}", path.display()))
}
