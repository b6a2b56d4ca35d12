//! The runbooks of docs/leaks.md: their commands are read from there and run to the letter, beside a real server.

use std::{collections::VecDeque, path::Path, process::Command};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use consentry::model::key::WrappedKey;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

use super::{
    browser::{parameter, plugin_request, read},
    databases::Engine,
    process::{Consentry, Heard, Serving, free_port, write_private},
    server::{CALLBACK, MASTER, Node, Registered, World},
};
use crate::attacks::by_hand::ByHand;

/// What stands under a heading of docs/leaks.md: the numbered steps, each with its commands.
fn runbook(title: &str) -> VecDeque<Vec<String>> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/leaks.md")).unwrap();
    let part = text.split("\n## ").find(|part| part.starts_with(&format!("{title}\n"))).expect("a runbook");
    let (mut steps, mut is_command) = (VecDeque::new(), false);
    for line in part.lines() {
        let number = line.split_once(". ").and_then(|(number, _)| number.parse::<usize>().ok());
        if let Some(number) = number.filter(|_| !is_command) {
            steps.push_back(Vec::new());
            assert_eq!(number, steps.len(), "{line}");
        } else if line.trim_start().starts_with("```") {
            is_command = line.trim() == "```sh";
        } else if is_command {
            steps.back_mut().expect("a step").push(line.trim().to_owned());
        }
    }
    assert!(steps.len() >= 4 && steps.iter().any(|step| !step.is_empty()), "{title}: {steps:?}");
    steps
}

/// An installation to which something happened, with a server that is restarted when the runbook changes its masters.
pub struct Incident {
    /// What it happened to.
    pub world: World,
    /// Where the commands run.
    pub folder: TempDir,
    port: u16,
    serving: Option<Serving>,
    masters: String,
    /// What stands for the words in capitals.
    pub words: Vec<(&'static str, String)>,
    /// What is still to be done.
    pub steps: VecDeque<Vec<String>>,
}

impl Incident {
    /// One that the runbook under this title is for.
    pub async fn new(engine: Engine, title: &str) -> Self {
        let (world, folder) = (World::new(engine).await, tempfile::tempdir().unwrap());
        write_private(&folder.path().join("master.key"), &STANDARD.encode(MASTER));
        let (port, masters) = (free_port(), "file:master.key".to_owned());
        let words = vec![("PLUGIN", world.plugin.slug.clone())];
        let mut it = Self { world, folder, port, serving: None, masters, words, steps: runbook(title) };
        it.restart().await;
        it
    }

    fn program(&self) -> Consentry<'_> {
        let public_url = format!("http://localhost:{}", self.port);
        Consentry { folder: self.folder.path(), database: &self.world.database, port: self.port, public_url }
    }

    async fn restart(&mut self) {
        if let Some(mut serving) = self.serving.take() {
            tokio::task::block_in_place(|| serving.stop());
        }
        let serving = self.program().serve_with(&[("CONSENTRY_MASTER_KEYS", &self.masters)]).await;
        self.serving = Some(serving);
    }

    /// The server.
    pub fn node(&self) -> &Serving {
        self.serving.as_ref().expect("it serves")
    }

    /// Runs the commands of the next step, as a shell does, and answers what they print.
    pub async fn step(&mut self) -> String {
        let mut told = String::new();
        for command in self.steps.pop_front().expect("another step") {
            if let Some(masters) = command.strip_prefix("export CONSENTRY_MASTER_KEYS=") {
                masters.clone_into(&mut self.masters);
                self.restart().await;
                continue;
            }
            told.push_str(&self.run(&command));
        }
        told
    }

    /// Runs a command as a shell does, and answers what it prints.
    pub fn run(&self, command: &str) -> String {
        let filled = self.words.iter().fold(command.to_owned(), |line, (word, value)| line.replace(word, value));
        let bin = Path::new(env!("CARGO_BIN_EXE_consentry")).parent().expect("a folder").display().to_string();
        let path = [bin, std::env::var("PATH").unwrap_or_default()].join(":");
        let program = self.program().command();
        let configured = program.get_envs().filter_map(|(name, value)| Some((name, value?)));
        let mut shell = Command::new("sh");
        shell.args(["-c", &filled]).current_dir(self.folder.path()).envs(configured);
        shell.env("PATH", path).env("CONSENTRY_MASTER_KEYS", &self.masters);
        let output = tokio::task::block_in_place(|| shell.heard());
        let (out, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{filled}: {out}{told}");
        out.into_owned()
    }

    /// The working keys as they lie in the database.
    pub async fn rows(&self) -> Vec<WrappedKey> {
        self.world.running.server.store.working_keys().await.unwrap()
    }

    async fn ask(&self, path: &str, client: &Registered, more: &[(&str, &str)]) -> (StatusCode, Value) {
        let own = [("client_id", client.client_id.as_str()), ("client_secret", client.client_secret.as_str())];
        let request = Client::new().post(format!("{}{path}", self.node().own())).form(&[&own, more].concat());
        read(request.send().await.expect("an answer")).await
    }

    /// Turns a refresh token.
    pub async fn refresh(&self, client: &Registered, token: &str) -> (StatusCode, Value) {
        self.ask("/token", client, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// Whether an API that asks is told that a token is good.
    pub async fn is_active(&self, service: &Registered, token: &str) -> bool {
        self.ask("/introspect", service, &[("token", token)]).await.1["active"] == true
    }

    /// Somebody agrees to a client in a browser in which they are signed in; the refresh and the access token.
    pub async fn connect(&self, browser: &ByHand, client: &Registered) -> [String; 2] {
        let mut answer = browser.get(self.node(), &plugin_request(client)).await;
        if !answer.redirect().starts_with(CALLBACK) {
            let consent = browser.get(self.node(), answer.redirect()).await;
            answer = browser.decide(self.node(), &consent, "allow").await;
        }
        let code = parameter(&answer.redirect().parse().expect("a URL"), "code").expect("a code");
        let fields = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
        let (status, tokens) = self.ask("/token", client, &fields).await;
        assert_eq!(status, 200, "{tokens}");
        ["refresh_token", "access_token"].map(|name| tokens[name].as_str().unwrap().to_owned())
    }

    /// The key set as an API fetches it.
    pub async fn published(&self) -> Vec<String> {
        let set = reqwest::get(format!("{}/.well-known/jwks.json", self.node().own())).await.unwrap();
        let set: Value = set.json().await.unwrap();
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    /// All steps of the runbook for a leaked master key, which end with the new one alone.
    pub async fn change_the_master(&mut self) {
        let rest = std::mem::replace(&mut self.steps, runbook("A leaked master key"));
        while !self.steps.is_empty() {
            self.step().await;
        }
        self.steps = rest;
    }
}
