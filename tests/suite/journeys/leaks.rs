//! The runbooks of docs/leaks.md, run to the letter against a real server: what was stolen is tried before and after.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use consentry::{
    keys::{
        master::{self, MasterKey},
        place::Place,
        ring::Ring,
    },
    model::{
        Generation,
        client::Dialect,
        id::{AccountId, PluginId},
        key::{Purpose, WrappedKey},
        public_key::SigningAlgorithm,
    },
    random,
    store::reseals::{SealedColumn, SealedRow},
    tokens::{
        self,
        between::{self, Return},
    },
};
use reqwest::{Client, Method};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    attacks::by_hand::{Answer, ByHand},
    harness::{
        browser::read,
        bulk::{self, Person},
        process::write_private,
        runbook::Incident,
        server::{CALLBACK, MASTER, Node, Registered},
    },
    on_both_engines,
};

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

/// What says that somebody has shown their password, as the server writes it.
#[derive(Serialize)]
struct HalfWay {
    account: AccountId,
    generation: Generation,
    session_generation: Generation,
}

/// A browser of a thief's who says that somebody has shown their password there, and goes on with a code of their app.
async fn pass_for(it: &Incident, ring: &Ring, person: &Person) -> (ByHand, Answer) {
    let (account, _) =
        it.world.running.server.store.account_by_email(&person.email.parse().unwrap()).await.unwrap().unwrap();
    let browser = ByHand::new();
    let csrf = browser.get(it.node(), "/sign-in").await.hidden("csrf");
    let mark = browser.cookie("consentry_browser").expect("a mark");
    let (generation, session_generation) = (account.generation, account.session_generation);
    let half_way = HalfWay { account: account.id, generation, session_generation };
    let now = consentry::clock::Clock::system().now();
    let bound = (mark.as_str(), now + TimeDelta::minutes(10));
    let sealed = between::write(ring, Return::SecondStep, bound, &half_way, (now, random::bytes())).unwrap();
    browser.plant("consentry_second_step", &sealed);
    let totp = totp_rs::Builder::new().with_secret(totp_rs::Secret::from(person.key.as_slice())).build().unwrap();
    let code = totp.generate(now.timestamp().try_into().unwrap()).to_string();
    let answer = browser.post(it.node(), "/second-step", &[("csrf", &csrf), ("code", &code)]).await;
    (browser, answer)
}

async fn is_signed_in(it: &Incident, browser: &ByHand) -> bool {
    let answer = browser.get(it.node(), "/connected-apps").await;
    assert!(answer.status == 200 || answer.redirect().starts_with("/sign-in"), "{answer:?}");
    answer.status == 200
}

/// What comes of a request about a client that registered itself, by whoever has what it was told.
async fn manage(it: &Incident, told: &Value, method: Method, body: Option<&Value>) -> u16 {
    let text = |member: &str| told[member].as_str().expect("a text").to_owned();
    let address = format!("{}/register/{}", it.node().own(), text("client_id"));
    let request = Client::new().request(method, address).bearer_auth(text("registration_access_token"));
    let request = body.into_iter().fold(request, reqwest::RequestBuilder::json);
    read(request.send().await.expect("an answer")).await.0.as_u16()
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

        // Another client registered itself, and the thief has all that it was told.
        let mut body = json!({ "client_name": "Example App", "redirect_uris": [CALLBACK] });
        let (status, told) = it.world.running.json("/register", &body).await;
        assert_eq!(status, 201, "{told}");
        let id = told["client_id"].as_str().unwrap().to_owned();
        it.words.retain(|(word, _)| *word != "CLIENT_ID");
        it.words.push(("CLIENT_ID", id.clone()));
        assert!(it.run("consentry client show CLIENT_ID").contains("by itself"));
        for command in ["consentry client disable CLIENT_ID", "consentry client enable CLIENT_ID"] {
            it.run(command);
        }
        body["client_id"] = id.into();
        body["redirect_uris"] = json!(["https://thief.example/cb"]);
        assert_eq!(manage(&it, &told, Method::PUT, Some(&body)).await, 200, "the token goes on");
        it.step().await;
        assert_eq!(manage(&it, &told, Method::GET, None).await, 401);
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
        let (browser, passed) = pass_for(&it, &thief, &person).await;
        assert!(passed.redirect() == "/" && is_signed_in(&it, &browser).await, "without the password: {passed:?}");

        assert_eq!(it.step().await, "", "the runbook for that");
        it.change_the_master().await;
        assert!(it.is_active(&service, &token).await, "the working keys are the same");
        it.step().await;
        tokio::time::sleep(std::time::Duration::from_secs(5)).await;
        for token in [&token, &honest, &forged(&thief, it.node().url(), &honest)] {
            assert!(!it.is_active(&service, token).await);
        }
        assert_eq!(it.refresh(&client, &refresh).await.1["error"], "invalid_grant");
        let (other, refused) = pass_for(&it, &thief, &person).await;
        assert!(refused.redirect().starts_with("/sign-in") && !is_signed_in(&it, &other).await, "{refused:?}");
        assert!(is_signed_in(&it, &browser).await, "what was begun goes on until the next step");

        let told = it.step().await;
        assert!(told.contains(&person.email) && !told.contains("ada@example.com"), "who has an app is listed: {told}");
        assert!(!is_signed_in(&it, &browser).await);
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
