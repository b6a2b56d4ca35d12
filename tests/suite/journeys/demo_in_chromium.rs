//! The newcomer's first minute: `consentry demo` as it is shipped, and a real Chromium that does what its screen says.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use fantoccini::Locator;
use serde_json::Value;

use crate::harness::{chromium::Chromium, log, minted};

/// The running demo and what it printed.
struct Demo {
    process: Child,
    screen: Value,
}

impl Demo {
    fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_consentry"))
            .args(["demo", "--json", "--port", "0"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log::unread())
            .spawn()
            .expect("the demo starts");
        let output = process.stdout.take().expect("a pipe");
        // The screen is one JSON value; the demo goes on running after it.
        let screen = serde_json::Deserializer::from_reader(output).into_iter().next();
        let screen = screen.expect("the demo prints its screen").expect("the screen is JSON");
        minted::in_json(&screen);
        Self { process, screen }
    }

    fn says(&self, field: &str) -> &str {
        self.screen[field].as_str().unwrap_or_else(|| panic!("no {field} in {}", self.screen))
    }

    fn password_of(&self, email: &str) -> &str {
        let people = self.screen["people"].as_array().expect("people");
        let person = people.iter().find(|person| person["email"] == email).expect("a person");
        person["password"].as_str().expect("a password")
    }

    /// What Ctrl-C in a terminal does; then it must end by itself, orderly.
    fn stop(mut self) {
        let sent = Command::new("kill").args(["-INT", &self.process.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
        for _ in 0..300 {
            if let Some(status) = self.process.try_wait().expect("a status") {
                assert!(status.success(), "the demo ended with {status}");
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("the demo goes on for half a minute after Ctrl-C");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_installs_uses_refreshes_and_disconnects_the_sample_plugin() {
    let demo = tokio::task::spawn_blocking(Demo::start).await.unwrap();
    let chromium = Chromium::start().await;

    chromium.open(demo.says("chatgpt_url")).await;
    chromium.looks_well("demo_start").await;
    chromium.press("Install plugin").await;

    let sign_in = chromium.arrives(&format!("{}/sign-in", demo.says("public_url"))).await;
    assert!(sign_in.query().is_some_and(|query| query.contains("r=")), "the request travels along: {sign_in}");
    chromium.reads("ChatGPT").await;
    chromium.sign_in_with("ada@example.com", demo.password_of("ada@example.com")).await;

    chromium.arrives(&format!("{}/consent", demo.says("public_url"))).await;
    chromium.reads("Ada Lovelace").await;
    chromium.reads("A program on this computer").await;
    chromium.has_a_quiet_console().await;
    chromium.press("Allow").await;

    // The code was redeemed and the API was called at once, in Ada's name.
    chromium.arrives(demo.says("chatgpt_url")).await;
    chromium.reads("What ChatGPT holds").await;
    assert_eq!(api_status(&chromium).await, "200");
    assert_eq!(badge(&chromium).await, "Connected");
    add(&chromium, "Water the plants").await;
    chromium.looks_well("demo_connected").await;
    let (first_access, first_refresh) = held(&chromium).await;

    chromium.press("Refresh").await;
    chromium.reads("ChatGPT refreshes").await;
    let (access, refresh) = held(&chromium).await;
    assert_ne!(access, first_access, "another access token");
    assert_ne!(refresh, first_refresh, "another refresh token");
    chromium.press("Call the API again").await;
    chromium.reads("Water the plants").await;
    assert_eq!(api_status(&chromium).await, "200");

    chromium.press("Disconnect").await;
    chromium.reads("ChatGPT still has its old access token").await;
    assert_eq!(badge(&chromium).await, "Disconnected");
    chromium.press("Call the API again").await;
    chromium.reads("The API refused my token").await;
    assert_eq!(api_status(&chromium).await, "401");
    chromium.looks_well("demo_disconnected").await;
    chromium.has_a_quiet_console().await;

    drop(chromium);
    let folder = PathBuf::from(demo.says("folder"));
    assert!(folder.is_dir(), "while it runs, its data is where it says");
    tokio::task::spawn_blocking(|| demo.stop()).await.unwrap();
    assert!(!Path::new(&folder).exists(), "its data goes with it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_who_says_no_shares_nothing() {
    let demo = tokio::task::spawn_blocking(Demo::start).await.unwrap();
    let chromium = Chromium::start().await;
    chromium.open(demo.says("chatgpt_url")).await;
    chromium.press("Install plugin").await;
    chromium.sign_in_with("grace@example.com", demo.password_of("grace@example.com")).await;
    chromium.press("Don’t allow").await;
    chromium.arrives(demo.says("chatgpt_url")).await;
    chromium.reads("You said no").await;
    chromium.reads("ChatGPT has no access to your to-do list").await;
    chromium.has_a_quiet_console().await;
    drop(chromium);
    tokio::task::spawn_blocking(|| demo.stop()).await.unwrap();
}

/// What the API answered to the last question in the conversation.
async fn api_status(chromium: &Chromium) -> String {
    chromium.find(".used span").await.text().await.unwrap()
}

async fn badge(chromium: &Chromium) -> String {
    chromium.find(".plugin .badge").await.text().await.unwrap()
}

async fn add(chromium: &Chromium, item: &str) {
    chromium.find("input[name=text]").await.send_keys(item).await.unwrap();
    chromium.press("Add").await;
    chromium.reads(item).await;
}

/// The tokens ChatGPT holds, as far as the page shows them.
async fn held(chromium: &Chromium) -> (String, String) {
    let shown = chromium.client.find_all(Locator::Css(".facts dd > code:not(.chip)")).await.unwrap();
    let [access, refresh] = shown.as_slice() else { panic!("{} tokens are shown", shown.len()) };
    (access.text().await.unwrap(), refresh.text().await.unwrap())
}
