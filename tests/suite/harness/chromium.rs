//! A real Chromium, led by chromedriver: one browser with a fresh profile for each test, ended with it.
//!
//! The browser looks up no names but this machine's own, so a test neither needs a network nor reaches one.
//! Neighbours: `looks` measures what it shows, `landing` is where people are sent back to.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use fantoccini::{
    Client, ClientBuilder, Locator,
    elements::Element,
    error::CmdError,
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use super::{minted, server::PASSWORD};

/// How long a page may take to show what a test waits for; generous, because many tests share a small machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser is several processes: more than two at once make each other late.
static PLACES: Semaphore = Semaphore::const_new(2);

/// A variable that `scripts/test` sets; without it there is no browser, and that must be loud.
pub fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: run `scripts/test`, which installs what this needs and says where it is")
    })
}

/// Chromium, its driver, and a place among the browsers that may run at the same time.
pub struct Chromium {
    /// The session with the driver.
    pub client: Client,
    session: String,
    driver: Driver,
    _place: SemaphorePermit<'static>,
}

/// What differs between browsers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scripts {
    /// As browsers come.
    Enabled,
    /// Switched off in the browser's settings.
    Disabled,
}

impl Chromium {
    /// Starts a browser as it comes.
    pub async fn start() -> Self {
        Self::with(Scripts::Enabled).await
    }

    /// Starts a browser.
    pub async fn with(scripts: Scripts) -> Self {
        let place = PLACES.acquire().await.expect("the places are never closed");
        let driver = tokio::task::spawn_blocking(Driver::start).await.expect("chromedriver starts");
        let capabilities = capabilities(driver.profile.path(), scripts);
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", driver.port))
            .await
            .expect("Chromium starts");
        let session = client.session_id().await.expect("an answer").expect("a session");
        Self { client, session, driver, _place: place }
    }

    /// Opens an address and waits until it is loaded. One that cannot be reached is no failure of the browser's.
    pub async fn open(&self, url: &str) {
        match self.client.goto(url).await {
            Ok(()) => {}
            Err(CmdError::Standard(error)) if error.message.contains("net::ERR_") => {}
            Err(error) => panic!("{url}: {error}"),
        }
    }

    /// Where the browser is; for a page that could not be reached, the address that was tried.
    pub async fn url(&self) -> Url {
        self.client.current_url().await.expect("an address")
    }

    /// Waits for an element.
    pub async fn find(&self, css: &str) -> Element {
        self.wait_for(Locator::Css(css)).await
    }

    async fn wait_for(&self, locator: Locator<'_>) -> Element {
        match self.client.wait().at_most(PATIENCE).for_element(locator).await {
            Ok(element) => element,
            Err(error) => {
                panic!("{locator:?}: {error}; the page is {} and says: {}", self.url().await, self.text().await)
            }
        }
    }

    /// Presses the button or link with these words.
    pub async fn press(&self, words: &str) {
        let path = format!("//*[self::button or self::a][normalize-space()='{words}']");
        self.wait_for(Locator::XPath(&path)).await.click().await.unwrap_or_else(|error| panic!("{words}: {error}"));
    }

    /// What the page says to somebody who reads it.
    pub async fn text(&self) -> String {
        let body = self.client.find(Locator::Css("body")).await;
        match body {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// Waits until the page says something.
    pub async fn reads(&self, words: &str) {
        self.until(&format!("the page to say “{words}”"), async || self.text().await.contains(words)).await;
    }

    /// Waits until the browser is at an address that begins with these characters.
    pub async fn arrives(&self, beginning: &str) -> Url {
        self.until(&format!("the browser to be at {beginning}"), async || {
            self.url().await.as_str().starts_with(beginning)
        })
        .await;
        self.url().await
    }

    /// Does something in another tab, and comes back to this one.
    pub async fn in_another_tab(&self, act: impl AsyncFnOnce()) {
        let here = self.client.window().await.expect("a tab");
        let other = self.client.new_window(true).await.expect("another tab");
        self.client.switch_to_window(other.handle).await.expect("another tab");
        act().await;
        self.client.close_window().await.expect("it closes");
        self.client.switch_to_window(here).await.expect("the tab of before");
    }

    async fn until(&self, what: &str, is_true: impl AsyncFn() -> bool) {
        for _ in 0..PATIENCE.as_millis() / 100 {
            if is_true().await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let console: Vec<_> = self.console().await.into_iter().map(|entry| entry.message).collect();
        panic!("waited for {what}; the page is {} and says: {}\n{console:#?}", self.url().await, self.text().await);
    }

    /// Fills in the sign-in form as a person would, with the password of every account in the tests.
    pub async fn sign_in(&self, email: &str) {
        self.sign_in_with(email, PASSWORD).await;
    }

    /// Fills in the sign-in form as a person would.
    pub async fn sign_in_with(&self, email: &str, password: &str) {
        minted::in_form(&[("email", email), ("password", password)]);
        let field = self.find("input[name=email]").await;
        field.clear().await.expect("a field");
        field.send_keys(email).await.expect("a field");
        self.find("input[name=password]").await.send_keys(password).await.expect("a field");
        self.find("button.primary").await.click().await.expect("a button");
    }

    /// Presses keys, wherever the focus is.
    pub async fn keys(&self, keys: &str) {
        self.client.active_element().await.expect("a page").send_keys(keys).await.expect("keys");
    }

    /// Runs JavaScript in the page, as a developer's console would: the page's own policy does not apply to it.
    pub async fn evaluate(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.expect("the script runs")
    }

    /// Runs a command of Chromium's own developer tools.
    pub async fn tools(&self, command: &'static str, parameters: Value) -> Value {
        let command = Extension { path: "goog/cdp/execute", body: json!({ "cmd": command, "params": parameters }) };
        self.client.issue_cmd(command).await.expect("the developer tools answer")
    }

    /// Gives the browser an authenticator, whose owner is there and agrees (`WebAuthn` Level 3, §11.3).
    pub async fn has_an_authenticator(&self) {
        let body = json!({
            "protocol": "ctap2_1",
            "transport": "internal",
            "hasResidentKey": true,
            "hasUserVerification": true,
            "isUserVerified": true,
            "isUserConsenting": true,
        });
        let command = Extension { path: "webauthn/authenticator", body };
        self.client.issue_cmd(command).await.expect("an authenticator");
    }

    /// What the browser has written into the console since the last call.
    pub async fn console(&self) -> Vec<ConsoleEntry> {
        let log = self.client.issue_cmd(Extension { path: "se/log", body: json!({ "type": "browser" }) }).await;
        serde_json::from_value(log.expect("the console's log")).expect("entries")
    }

    /// The console holds no error. That a page was answered with a status of 400 or above is what some pages are for.
    pub async fn has_a_quiet_console(&self) {
        let loud = |entry: &ConsoleEntry| {
            entry.level == "SEVERE"
                && !(entry.source == "network"
                    // An error page has its status, and 502 is the one for somebody else's host that did not answer.
                    && ["status of 4", "status of 502"]
                        .iter()
                        .any(|status| entry.message.contains(&format!("the server responded with a {status}"))))
        };
        let entries: Vec<_> = self.console().await.into_iter().filter(loud).collect();
        assert!(entries.is_empty(), "{}: {entries:#?}", self.url().await);
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // By hand: the test may be failing, and a driver that is ended before its browser leaves the browser behind.
        let end = format!("DELETE /session/{} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", self.session);
        if let Ok(mut line) = TcpStream::connect(("127.0.0.1", self.driver.port)) {
            let _ = line.set_read_timeout(Some(Duration::from_secs(10)));
            let _ = line.write_all(end.as_bytes());
            let _ = line.read(&mut [0; 64]);
        }
    }
}

/// One line of the console.
#[derive(Debug, serde::Deserialize)]
pub struct ConsoleEntry {
    /// How bad it is: `SEVERE`, `WARNING`, `INFO`.
    pub level: String,
    /// Who says so: `network`, `security`, `javascript`.
    pub source: String,
    /// What.
    pub message: String,
}

/// A command of this driver beyond those the client has names for.
#[derive(Debug)]
struct Extension {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Extension {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (reqwest::Method, Option<String>) {
        (reqwest::Method::POST, Some(self.body.to_string()))
    }
}

/// A chromedriver on a port of its own choosing.
struct Driver {
    port: u16,
    process: Child,
    profile: tempfile::TempDir,
    // Held open: a program that writes into a closed pipe is ended by it.
    _output: BufReader<ChildStdout>,
}

impl Driver {
    fn start() -> Self {
        let mut said = String::new();
        // It chooses a port of IPv6 and wants the same one of IPv4, which may be somebody else's: it then ends.
        for _ in 0..10 {
            match Self::attempt() {
                Ok(driver) => return driver,
                Err(words) => said = words,
            }
        }
        panic!("chromedriver does not start: {said}");
    }

    /// Starts one, or answers what it said before it ended.
    fn attempt() -> Result<Self, String> {
        let mut process = Command::new(setting("CONSENTRY_TEST_CHROMEDRIVER"))
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver can be started");
        let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut said = String::new();
        loop {
            let start = said.len();
            if output.read_line(&mut said).expect("chromedriver speaks") == 0 {
                let _ = process.wait();
                return Err(said);
            }
            let Some((_, port)) = said[start..].trim_end().trim_end_matches('.').rsplit_once("successfully on port ")
            else {
                continue;
            };
            let port = port.parse().expect("a port");
            let profile = tempfile::tempdir().expect("a temporary folder");
            return Ok(Self { port, process, profile, _output: output });
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn capabilities(profile: &std::path::Path, scripts: Scripts) -> Capabilities {
    let arguments = [
        "--headless",
        // The browser may be run by root in a container, where its sandbox does not start.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--hide-scrollbars",
        "--lang=en",
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]",
    ];
    let mut arguments: Vec<String> = arguments.map(str::to_owned).into();
    arguments.push(format!("--user-data-dir={}", profile.display()));
    let preferences = match scripts {
        Scripts::Enabled => json!({}),
        Scripts::Disabled => json!({ "profile.default_content_setting_values.javascript": 2 }),
    };
    let capabilities = json!({
        "browserName": "chrome",
        "goog:loggingPrefs": { "browser": "ALL" },
        "goog:chromeOptions": {
            "binary": setting("CONSENTRY_TEST_CHROMIUM"),
            "args": arguments,
            "prefs": preferences,
        },
    });
    serde_json::from_value(capabilities).expect("capabilities")
}
