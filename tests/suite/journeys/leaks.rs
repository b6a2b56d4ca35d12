//! The runbooks of docs/leaks.md, run to the letter against a real server: its commands are read from there, and what was
//! stolen is tried before and after.

use std::{collections::VecDeque, path::Path, process::Command};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use consentry::{
    keys::{
        master::{self, MasterKey},
        place::Place,
        ring::Ring,
    },
    model::{
        client::Dialect,
        id::{AccountId, PluginId},
        key::{Purpose, WrappedKey},
        public_key::SigningAlgorithm,
    },
    store::reseals::{SealedColumn, SealedRow},
    tokens,
};
use reqwest::{Client, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    attacks::by_hand::ByHand,
    harness::{
        browser::{parameter, plugin_request, read},
        bulk,
        databases::Engine,
        process::{Consentry, Heard, Serving, free_port, write_private},
        server::{CALLBACK, MASTER, Node, Registered, World},
    },
    on_both_engines,
};

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
struct Incident {
    world: World,
    folder: TempDir,
    port: u16,
    serving: Option<Serving>,
    masters: String,
    /// What stands for the words in capitals.
    words: Vec<(&'static str, String)>,
    steps: VecDeque<Vec<String>>,
}

impl Incident {
    async fn new(engine: Engine, title: &str) -> Self {
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

    fn node(&self) -> &Serving {
        self.serving.as_ref().expect("it serves")
    }

    /// Runs the commands of the next step, as a shell does, and answers what they print.
    async fn step(&mut self) -> String {
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

    fn run(&self, command: &str) -> String {
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

    async fn rows(&self) -> Vec<WrappedKey> {
        self.world.running.server.store.working_keys().await.unwrap()
    }

    async fn ask(&self, path: &str, client: &Registered, more: &[(&str, &str)]) -> (StatusCode, Value) {
        let own = [("client_id", client.client_id.as_str()), ("client_secret", client.client_secret.as_str())];
        let request = Client::new().post(format!("{}{path}", self.node().own())).form(&[&own, more].concat());
        read(request.send().await.expect("an answer")).await
    }

    async fn refresh(&self, client: &Registered, token: &str) -> (StatusCode, Value) {
        self.ask("/token", client, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    async fn is_active(&self, service: &Registered, token: &str) -> bool {
        self.ask("/introspect", service, &[("token", token)]).await.1["active"] == true
    }

    /// Somebody agrees to a client in a browser in which they are signed in; the refresh and the access token.
    async fn connect(&self, browser: &ByHand, client: &Registered) -> [String; 2] {
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
    async fn published(&self) -> Vec<String> {
        let set = reqwest::get(format!("{}/.well-known/jwks.json", self.node().own())).await.unwrap();
        let set: Value = set.json().await.unwrap();
        set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }

    /// All steps of the runbook for a leaked master key, which end with the new one alone.
    async fn change_the_master(&mut self) {
        let rest = std::mem::replace(&mut self.steps, runbook("A leaked master key"));
        while !self.steps.is_empty() {
            self.step().await;
        }
        self.steps = rest;
    }
}

/// What a thief has: rows as they were copied.
struct Loot {
    keys: Vec<WrappedKey>,
    sealed: Vec<(SealedColumn, SealedRow)>,
}

impl Loot {
    async fn of(it: &Incident) -> Self {
        let mut sealed = Vec::new();
        for column in SealedColumn::ALL {
            let rows = it.world.running.server.store.sealed_after(*column, None, 100).await.unwrap();
            sealed.extend(rows.into_iter().map(|row| (*column, row)));
        }
        Self { keys: it.rows().await, sealed }
    }

    /// The keys that open with a master key.
    fn ring(&self, master: &MasterKey) -> Ring {
        let opens = |key: &&WrappedKey| master::unwrap(std::slice::from_ref(master), key).is_ok();
        let keys: Vec<WrappedKey> = self.keys.iter().filter(opens).cloned().collect();
        let now = consentry::clock::Clock::system().now();
        // A thief keeps to no timetable.
        let kept = keys.into_iter().map(|key| WrappedKey { needed_until: None, gone_at: None, ..key });
        Ring::unwrap(std::slice::from_ref(master), &kept.collect::<Vec<_>>(), now)
    }

    /// What is kept sealed in it, opened with keys that may be another copy's.
    fn opened(&self, ring: &Ring) -> Vec<Vec<u8>> {
        let place = |column, id| match column {
            SealedColumn::AuthenticatorApp => Some(Place::AuthenticatorApp(AccountId(id))),
            SealedColumn::WebhookSecret => Some(Place::WebhookSecret(PluginId(id))),
            _ => None,
        };
        self.sealed.iter().filter_map(|(column, row)| place(*column, row.id)?.open(ring, &row.sealed)).collect()
    }
}

fn stolen() -> MasterKey {
    MasterKey::new(MASTER)
}

/// The same claims as in an honest token, signed by whoever has the keys.
fn forged(ring: &Ring, issuer: &str, honest: &str) -> String {
    let now = consentry::clock::Clock::system().now();
    let claims = tokens::access::read(ring, issuer, honest, now).expect("a token of before");
    tokens::access::write(ring, SigningAlgorithm::Es256, &claims).expect("a signature")
}

fn kid_of(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

on_both_engines! {
    async fn a_leaked_client_secret(engine) {
        let mut it = Incident::new(engine, "A leaked client secret").await;
        let client = it.world.client(Dialect::Plugin).await;
        it.words.push(("CLIENT_ID", client.client_id.clone()));
        let ada = ByHand::signed_in(it.node(), "ada@example.com").await;
        let grace = ByHand::signed_in(it.node(), "grace@example.com").await;
        let ([honest, _], [taken, access]) = (it.connect(&ada, &client).await, it.connect(&grace, &client).await);
        let service = it.world.client(Dialect::Service).await;
        // The thief has the secret, and of one connection the token too.
        assert_eq!(it.refresh(&client, &taken).await.0, 200);

        let looked = it.step().await;
        assert!(looked.contains(&client.client_id), "{looked}");
        let told = it.step().await;
        let secret = told.lines().find_map(|line| line.strip_prefix("  ")).unwrap_or_else(|| panic!("{told}"));
        let renewed = Registered { client_secret: secret.to_owned(), ..client.clone() };
        let (status, refused) = it.refresh(&client, &taken).await;
        assert_eq!((status.as_u16(), &refused["error"]), (401, &Value::from("invalid_client")));
        assert_eq!(it.step().await, "", "that is done at the client");
        let (status, tokens) = it.refresh(&renewed, &honest).await;
        assert_eq!(status, 200, "connections go on: {tokens}");
        let honest = tokens["refresh_token"].as_str().unwrap();
        assert!(it.is_active(&service, &access).await, "what the thief was given goes on until the next step");

        it.step().await;
        assert!(!it.is_active(&service, &access).await);
        for token in [honest, &taken] {
            assert_eq!(it.refresh(&renewed, token).await.1["error"], "invalid_grant");
        }
        // People agree once more, and are still signed in.
        let [_, access] = it.connect(&ada, &renewed).await;
        assert!(it.is_active(&service, &access).await);
        assert!(it.steps.is_empty());
    }

    async fn a_leaked_signing_key(engine) {
        let mut it = Incident::new(engine, "A leaked signing key").await;
        let (client, service) = (it.world.client(Dialect::Plugin).await, it.world.client(Dialect::Service).await);
        let ada = ByHand::signed_in(it.node(), "ada@example.com").await;
        let [refresh, honest] = it.connect(&ada, &client).await;
        let thief = Loot::of(&it).await.ring(&stolen());
        let token = forged(&thief, it.node().url(), &honest);
        assert!(token != honest && it.is_active(&service, &token).await, "whoever has the key is believed");

        let foretold = it.step().await;
        assert!(foretold.contains("Every access token ends") && it.is_active(&service, &token).await, "{foretold}");
        it.step().await;
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        for token in [&token, &honest, &forged(&thief, it.node().url(), &honest)] {
            assert!(!it.is_active(&service, token).await);
        }
        assert_eq!(it.step().await, "", "that is done at the APIs");
        assert!(!it.published().await.contains(&kid_of(&token)), "who fetches the set anew believes nothing of it");
        let listed = it.step().await;
        assert!(listed.contains("key.compromised") && listed.contains(&kid_of(&token)), "{listed}");
        // Nobody signs in again.
        let (status, tokens) = it.refresh(&client, &refresh).await;
        assert_eq!(status, 200, "{tokens}");
        let next = tokens["access_token"].as_str().unwrap();
        assert!(it.is_active(&service, next).await && it.published().await.contains(&kid_of(next)));
        assert!(it.steps.is_empty());
    }

    async fn a_leaked_master_key(engine) {
        let mut it = Incident::new(engine, "A leaked master key").await;
        let (client, service) = (it.world.client(Dialect::Plugin).await, it.world.client(Dialect::Service).await);
        let ada = ByHand::signed_in(it.node(), "ada@example.com").await;
        let [refresh, access] = it.connect(&ada, &client).await;
        let before = Loot::of(&it).await;
        assert!(before.ring(&stolen()).lacking().is_empty(), "it opens everything");

        it.step().await;
        it.step().await;
        assert_eq!(Loot::of(&it).await.ring(&stolen()).lacking(), [], "listed second the new one wraps nothing");
        it.step().await;
        let after = Loot::of(&it).await;
        assert_eq!(after.ring(&stolen()).lacking(), Purpose::ALL, "the old one opens nothing of the database now");
        let old = stolen();
        let listed = it.step().await;
        assert!(!listed.contains(old.id()), "{listed}");
        let listed = it.step().await;
        assert!(!listed.contains("is wrapped by"), "every key opens: {listed}");
        assert!(before.ring(&stolen()).lacking().is_empty(), "a copy of before opens for ever");
        assert_eq!(it.step().await, "", "that is done with backups");

        // Nobody notices anything.
        assert!(it.is_active(&service, &access).await);
        assert_eq!(it.refresh(&client, &refresh).await.0, 200);
        it.connect(&ada, &client).await;
        assert!(it.steps.is_empty());
    }

    async fn a_leaked_database_copy(engine) {
        let mut it = Incident::new(engine, "A leaked copy of the database").await;
        let (client, service) = (it.world.client(Dialect::Plugin).await, it.world.client(Dialect::Service).await);
        let person = bulk::people_with_apps(&it.world, 1, 1).await.remove(0);
        it.words.push(("EMAIL", person.email.clone()));
        it.run("consentry plugin webhook set PLUGIN --address https://api.todo.example/hook");
        let ada = ByHand::signed_in(it.node(), "ada@example.com").await;
        let [refresh, honest] = it.connect(&ada, &client).await;

        // The thief keeps a copy, and has a master key as well.
        let copy = Loot::of(&it).await;
        let nothing = copy.ring(&MasterKey::new([7; 32]));
        assert!(nothing.lacking() == Purpose::ALL && copy.opened(&nothing).is_empty(), "a copy alone opens nothing");
        let thief = copy.ring(&stolen());
        let read = copy.opened(&thief);
        assert!(thief.lacking().is_empty() && read.len() == 2 && read.contains(&person.key.to_vec()));
        let token = forged(&thief, it.node().url(), &honest);
        assert!(it.is_active(&service, &token).await);

        assert_eq!(it.step().await, "", "the runbook for that");
        it.change_the_master().await;
        assert!(it.is_active(&service, &token).await, "the working keys are the same");
        it.step().await;
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        for token in [&token, &honest, &forged(&thief, it.node().url(), &honest)] {
            assert!(!it.is_active(&service, token).await);
        }
        assert_eq!(it.refresh(&client, &refresh).await.1["error"], "invalid_grant");

        it.step().await;
        let now = Loot::of(&it).await;
        assert_eq!(now.ring(&stolen()).lacking(), Purpose::ALL);
        assert!(now.opened(&thief).is_empty(), "nothing of now opens with a key of then");
        let own = MasterKey::new(new_key(&it));
        let kept = now.opened(&now.ring(&own));
        assert!(kept.len() == 1 && !read.contains(&kept[0]), "and what is kept is not what was read");
        let ending = it.rows().await.into_iter().filter(|key| copy.keys.iter().any(|old| old.kid == key.kid));
        for key in ending.filter(|key| key.purpose != Purpose::Audit) {
            assert!(key.needed_until.is_some(), "it goes: {key:?}");
        }
        assert_eq!(copy.opened(&copy.ring(&stolen())), read, "what was read stays read");

        write_private(&it.folder.path().join("password.txt"), "a new one that nobody guesses");
        it.step().await;
        let told = it.step().await;
        assert!(told.contains("Every event of a link is as it was written"), "{told}");
        assert_eq!(it.step().await, "", "that is told to people");
        // Everybody connects once more, and is still signed in.
        let [_, access] = it.connect(&ada, &client).await;
        assert!(it.is_active(&service, &access).await && kid_of(&access) != kid_of(&token));
        assert!(it.steps.is_empty());
    }
}

/// The key that a runbook made.
fn new_key(it: &Incident) -> [u8; 32] {
    let text = std::fs::read_to_string(it.folder.path().join("new.key")).unwrap();
    STANDARD.decode(text.trim()).unwrap().try_into().unwrap()
}
