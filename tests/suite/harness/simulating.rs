//! `consentry simulate` and `consentry doctor` as the real binary: with Ada's account, or before somebody with a browser.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;

use super::{
    process::{Heard, write_private},
    server::PASSWORD,
};

/// How long it may take to end, on a small machine that is busy.
const SECONDS_MAX: u32 = 120;

/// Runs a command with Ada's account in a folder of the test's, as a person would see it.
pub fn with_account(folder: &Path, arguments: &[&str]) -> Output {
    let password = folder.join("ada.txt");
    if !password.exists() {
        write_private(&password, PASSWORD);
    }
    Command::new(env!("CARGO_BIN_EXE_consentry"))
        .current_dir(folder)
        .args(arguments)
        .args(["--email", "ada@example.com", "--password-file", "ada.txt"])
        .heard()
}

/// The same with `--json`: what it says, and whether it succeeded.
pub fn json_with_account(folder: &Path, arguments: &[&str]) -> (Value, bool) {
    let output = with_account(folder, &[arguments, &["--json"]].concat());
    (read(&output.stdout, &String::from_utf8_lossy(&output.stderr)), output.status.success())
}

fn read(out: &[u8], told: &str) -> Value {
    serde_json::from_slice(out).unwrap_or_else(|_| panic!("{}{told}", String::from_utf8_lossy(out)))
}

/// The sentence of a step.
pub fn outcome<'a>(steps: &'a Value, name: &str) -> &'a str {
    let step = steps.as_array().unwrap().iter().find(|step| step["name"] == name);
    step.unwrap_or_else(|| panic!("no {name} in {steps:#}"))["outcome"].as_str().unwrap()
}

/// `simulate` while it waits for somebody with a browser.
pub struct Waiting {
    child: Child,
    told: BufReader<ChildStderr>,
    out: PathBuf,
    /// Where it says to go.
    pub address: String,
}

impl Waiting {
    /// Starts it without an account, and reads where to go.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        let out = folder.join("out.json");
        let mut child = Command::new(env!("CARGO_BIN_EXE_consentry"))
            .current_dir(folder)
            .arg("simulate")
            .args(arguments)
            .arg("--json")
            .stdin(Stdio::piped())
            .stdout(File::create(&out).unwrap())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut told = BufReader::new(child.stderr.take().unwrap());
        let (mut line, mut all) = (String::new(), String::new());
        while !line.starts_with("  http") {
            line.clear();
            assert!(told.read_line(&mut line).unwrap() > 0, "{arguments:?} names no address: {all}{}", text(&out));
            all.push_str(&line);
        }
        Self { child, told, out, address: line.trim().to_owned() }
    }

    /// Types a line in.
    pub fn paste(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Waits for the end: the steps, whether it succeeded, and what it said beside them.
    pub async fn end(mut self) -> (Value, bool, String) {
        for _ in 0..SECONDS_MAX * 10 {
            if let Some(status) = self.child.try_wait().unwrap() {
                let mut told = String::new();
                self.told.read_to_string(&mut told).unwrap();
                return (read(text(&self.out).as_bytes(), &told), status.success(), told);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("it did not end within {SECONDS_MAX} s: {}", text(&self.out));
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}
