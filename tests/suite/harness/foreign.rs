//! Programs in other languages (`tests/foreign/`), each with its settings in the environment: clients that run to their
//! end, and the MCP server that they call.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use super::chromium::setting;

/// How long a script may take, on a small machine that is busy.
const SECONDS_MAX: u32 = 120;

/// Runs a script to its end: it must say that every step held, and its report is the answer. The program and the
/// script are named by the variables that hold them.
pub async fn run(program: &str, script: &str, told: &[(&'static str, String)]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let (output, complaints) = (folder.path().join("output"), folder.path().join("complaints"));
    let mut running = Command::new(setting(program))
        .arg(setting(script))
        .envs(told.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(File::create(&output).unwrap())
        .stderr(File::create(&complaints).unwrap())
        .spawn()
        .unwrap_or_else(|error| panic!("{script}: {error}"));
    let mut status = None;
    for _ in 0..SECONDS_MAX * 10 {
        status = running.try_wait().unwrap();
        if status.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    if status.is_none() {
        running.kill().unwrap();
        running.wait().unwrap();
    }
    let read = |path| std::fs::read_to_string(path).unwrap();
    let (output, complaints) = (read(output), read(complaints));
    let ended = status.map_or_else(|| format!("did not end within {SECONDS_MAX} s"), |status| status.to_string());
    assert!(status.is_some_and(|status| status.success()), "{script} {ended}\n{output}\n{complaints}");
    let report: Value = serde_json::from_str(&output).unwrap_or_else(|error| panic!("{error}: {output}"));
    assert_eq!(report["ok"], true, "{report}");
    report
}

/// The small real MCP server, protected by a server under test; it ends with the test.
pub struct McpServer(Child);

impl McpServer {
    /// Starts it, once it listens where `RESOURCE` says.
    pub async fn start(told: &[(&'static str, String)]) -> Self {
        let mut child = Command::new(setting("CONSENTRY_TEST_NODE_22"))
            .arg(setting("CONSENTRY_TEST_MCP_SERVER"))
            .envs(told.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = child.stdout.take().unwrap();
        let server = Self(child);
        // It says one line when it listens, and nothing more.
        let said = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(output).read_line(&mut line).map(|_| line)
        });
        let said = said.await.unwrap().unwrap();
        assert!(said.contains("\"ok\":true"), "the MCP server did not start: {said}");
        server
    }
}

impl Drop for McpServer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
