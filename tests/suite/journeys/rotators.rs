//! API keys that the server has made anew by itself: by the administration API of a stand-in for whoever issues them
//! (`harness::strangers::issuer`), and by a service of the operator's own. Whatever goes wrong between making a key and
//! keeping it, none is left behind.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use chrono::TimeDelta;
use consentry::{
    clock::Clock,
    jobs,
    model::{
        account::Role,
        audit::{Actor, Origin},
        live::Live,
        plugin_secret::{SecretSource, label},
        rotator::{Administration, Recipe, Rotator, Way},
    },
    outbound::Limits,
    registry::{
        RegistryError,
        plugin_secrets::{self, SettingsForm},
    },
    server::{Server, injection::Route},
    store::plugin_secrets::PluginSecret,
    tokens::webhook::WebhookSecret,
    vault::SecretValue,
};
use reqwest::{Method, Request, StatusCode};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    harness::{
        databases::Engine,
        server::{Options, World},
        strangers::{
            Strangers,
            answer::Answer,
            issuer::{ADMIN_KEY, Issuer, PROJECT, SERVICE_ACCOUNT, Use},
        },
    },
    on_both_engines,
    store::tables::Tables,
};

/// The recipe as it is in the program.
const RECIPES: &str = include_str!("../../../src/config/recipes.json");

/// A server whose plugin has an API key that an issuer's API makes anew.
pub(super) struct Rotated {
    pub(super) world: World,
    pub(super) issuer: Issuer,
    /// Who makes the keys of another rotator of the configuration.
    pub(super) other: Issuer,
    pub(super) admin_key: Live<Zeroizing<String>>,
    first: String,
    _strangers: Strangers,
}

impl Rotated {
    pub(super) async fn new(engine: Engine) -> Self {
        Self::beside(engine, |_| Vec::new()).await
    }

    /// The same, with other rotators beside it.
    pub(super) async fn beside(engine: Engine, others: impl FnOnce(&Strangers) -> Vec<Rotator>) -> Self {
        let strangers = Strangers::new();
        let (issuer, other) = (strangers.issuer("admin.issuer.example"), strangers.issuer("admin.other.example"));
        let admin_key = Live::new(Zeroizing::new(ADMIN_KEY.to_owned()));
        let recipes: BTreeMap<String, Recipe> = serde_json::from_str(RECIPES).unwrap();
        let parameters = [("project", PROJECT), ("service_account", SERVICE_ACCOUNT)];
        let rotator = |name: &str, issuer: &Issuer| {
            let administration = Administration {
                recipe: recipes["openai-key"].clone(),
                url: issuer.url("/v1"),
                parameters: parameters.map(|(name, text)| (name.to_owned(), text.to_owned())).into(),
                admin_key: admin_key.clone(),
            };
            Rotator { name: name.to_owned(), for_owners: false, way: Way::Recipe(Box::new(administration)) }
        };
        let mut rotators = others(&strangers);
        rotators.extend([rotator("keys", &issuer), rotator("others", &other)]);
        let clock = Clock::standing_at(Clock::system().now());
        let options = Options { outbound: strangers.settings(), rotators, clock, ..Options::default() };
        let world = World::with(engine, options).await;
        let first = issuer.issue("made by hand");
        let it = Self { world, issuer, other, admin_key, first, _strangers: strangers };
        put(&it.world, "upstream", &it.first, SecretSource::Rotator("keys".into())).await.unwrap();
        it
    }

    pub(super) fn server(&self) -> &Arc<Server> {
        &self.world.running.server
    }

    pub(super) async fn secret(&self) -> PluginSecret {
        let name = "upstream".parse().unwrap();
        self.server().store.plugin_secret(self.world.plugin.id, &name).await.unwrap().unwrap()
    }

    /// The label of a version.
    pub(super) async fn label(&self, number: i64) -> String {
        label(self.secret().await.id, number)
    }

    pub(super) async fn pass(&self, by: TimeDelta) {
        self.server().clock.advance(by);
        jobs::secrets::once(self.server()).await.unwrap();
    }

    /// What a request shows now that goes where the key is asked for, and is taken there.
    async fn used(&self) -> String {
        let (server, plugin) = (self.server(), self.world.plugin.id);
        server.injections.forget(plugin).await;
        let mut request = Request::new(Method::GET, self.issuer.url("/used"));
        let route = Route { method: "GET", path: "/used" };
        server.inject(plugin, route, request.headers_mut(), &Origin::default()).await.unwrap();
        let limits = Limits { bytes_max: 1024, patience: Duration::from_secs(5) };
        assert_eq!(server.teller.exchange(request, limits).await.unwrap().status, StatusCode::OK);
        self.issuer.uses().pop().unwrap().value
    }

    pub(super) async fn audited(&self, action: &str) -> i64 {
        self.world.database.audited(action).await
    }
}

/// Puts a key away that becomes an hour old, and is good for a minute beside the next.
pub(super) async fn put(
    world: &World,
    name: &str,
    value: &str,
    source: SecretSource,
) -> Result<PluginSecret, RegistryError> {
    let usual = SettingsForm::default();
    let form = SettingsForm {
        // Two in one header would be in each other's way.
        header: if name == "upstream" { usual.header } else { format!("x-{name}") },
        routes: vec!["* /*".into()],
        grace: "60s".into(),
        rotate_every: "1h".into(),
        source,
        ..SettingsForm::default()
    };
    let ring = world.running.server.keyring.current();
    let value = SecretValue::new(value.to_owned());
    plugin_secrets::put(&world.running.registry(), &ring, (world.plugin.id, name), &value, &form).await
}

on_both_engines! {
    async fn a_key_is_made_anew_by_the_api_of_its_issuer_and_the_old_one_ended_there(engine) {
        let it = Rotated::new(engine).await;
        it.pass(TimeDelta::minutes(59)).await;
        assert_eq!((it.issuer.calls(), it.used().await), (0, it.first.clone()));
        it.pass(TimeDelta::minutes(2)).await;
        let labels = [it.label(2).await, it.label(3).await];
        assert_eq!(it.issuer.good(), ["made by hand", &labels[0]]);
        let second = it.issuer.keys()[1].value.clone();
        assert_eq!(it.used().await, second);
        // Nobody knows what the first is called there, so whoever made it ends it.
        it.pass(TimeDelta::minutes(2)).await;
        assert_eq!(it.issuer.good(), ["made by hand", &labels[0]]);
        assert!(it.secret().await.versions[1].ended_at.is_some());

        it.pass(TimeDelta::hours(1)).await;
        assert_eq!(it.issuer.good(), ["made by hand", &labels[0], &labels[1]], "both are good for a minute");
        it.pass(TimeDelta::seconds(55)).await;
        assert_eq!(it.issuer.good().len(), 3);
        it.pass(TimeDelta::seconds(6)).await;
        assert_eq!(it.issuer.good(), ["made by hand", &labels[1]]);
        let secret = it.secret().await;
        assert_eq!((secret.versions[0].number, secret.versions[1].is_to_be_revoked), (3, false));
        let calls = it.issuer.calls();
        it.pass(TimeDelta::minutes(10)).await;
        assert_eq!(it.issuer.calls(), calls, "nothing is due");
        let told = ["secret.rotated", "secret.version_ended", "secret.version_revoked", "secret.rotation_failed"];
        let mut counts = Vec::new();
        for action in told {
            counts.push(it.audited(action).await);
        }
        assert_eq!(counts, [2, 2, 1, 0]);
        assert_eq!(it.used().await, it.issuer.keys()[2].value);
        let (keys, uses) = (it.issuer.keys(), it.issuer.uses());
        let ended = |used: &Use| keys.iter().find(|key| key.value == used.value).unwrap().ended_at;
        assert!(uses.iter().all(|used| used.was_good && ended(used).is_none_or(|ended| ended > used.at)), "{uses:?}");
        let everything = Tables::everything(&it.world.database).await;
        assert!(keys.iter().all(|key| !everything.contains(&key.value)), "no key is kept as it is");
    }

    async fn what_a_crash_left_at_the_issuer_is_ended_before_another_is_made(engine) {
        let it = Rotated::new(engine).await;
        let label = it.label(2).await;
        for number in 0..4 {
            it.issuer.issue(&format!("somebody's {number}"));
        }
        let lost = [it.issuer.issue(&label), it.issuer.issue(&label)];
        it.issuer.issue(&format!("{label}0"));
        it.pass(TimeDelta::minutes(61)).await;
        let good: Vec<_> = it.issuer.keys().into_iter().filter(|key| key.ended_at.is_none()).collect();
        let ours: Vec<_> = good.iter().filter(|key| key.label == label).collect();
        assert!(ours.len() == 1 && !lost.contains(&ours[0].value), "{ours:?}");
        assert_eq!(good.len(), 7, "everybody else's are good");
        assert_eq!(it.used().await, ours[0].value);
    }

    async fn a_key_that_came_too_late_is_ended_at_once(engine) {
        let it = Rotated::new(engine).await;
        it.issuer.hold();
        it.server().clock.advance(TimeDelta::minutes(61));
        let server = Arc::clone(it.server());
        let late = tokio::spawn(async move { jobs::secrets::once(&server).await });
        for turn in 0.. {
            if it.issuer.keys().len() == 2 {
                break;
            }
            assert!(turn < 500, "no key was made");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let (by_hand, ring) = (it.issuer.issue("made by hand too"), it.server().keyring.current());
        let (secret, registry) = (it.secret().await, it.world.running.registry());
        let value = SecretValue::new(by_hand.clone());
        plugin_secrets::rotate(&registry, &ring, (&secret, 1), &value, None).await.unwrap();
        it.issuer.go_on();
        late.await.unwrap().unwrap();
        assert_eq!(it.used().await, by_hand);
        assert_eq!(it.issuer.good(), ["made by hand", "made by hand too"]);
    }

    async fn an_issuer_that_refuses_is_told_of_and_asked_again(engine) {
        let it = Rotated::new(engine).await;
        it.admin_key.replace(Zeroizing::new("sk-admin-withdrawn-9x".to_owned()));
        it.pass(TimeDelta::minutes(61)).await;
        let (_, says) = it.secret().await.failing.unwrap();
        assert_eq!(says, "the rotator keys made none: it answered with status 401");
        assert_eq!((it.used().await, it.issuer.calls()), (it.first.clone(), 1));
        it.pass(TimeDelta::seconds(40)).await;
        assert_eq!(it.issuer.calls(), 1, "it waits a minute or so");
        for hours in [1, 2, 3] {
            it.pass(TimeDelta::hours(hours)).await;
        }
        assert_eq!((it.issuer.calls(), it.audited("secret.rotation_failed").await), (4, 1));
        it.pass(TimeDelta::hours(24)).await;
        assert_eq!(it.audited("secret.rotation_failed").await, 2, "once a day");
        it.admin_key.replace(Zeroizing::new(ADMIN_KEY.to_owned()));
        it.pass(TimeDelta::hours(2)).await;
        let secret = it.secret().await;
        assert_eq!((secret.failing, secret.versions[0].number), (None, 2));
        let everything = Tables::everything(&it.world.database).await;
        assert!(!everything.contains("Incorrect API key") && !everything.contains("withdrawn-9x"));
    }

    async fn a_service_of_the_operators_own_is_asked_by_signed_orders(engine) {
        let strangers = Strangers::new();
        let host = strangers.host("keys.example");
        host.answer("/orders", Answer::json(&json!({ "value": "uk_9fQ2-made-by-the-service", "id": "k/7" })));
        let key = [7_u8; 32];
        let way = Way::Webhook { url: host.url("/orders"), key: Live::new(Zeroizing::new(key.to_vec())) };
        let rotators = vec![Rotator { name: "own".into(), for_owners: true, way }];
        let world = World::with(engine, Options { outbound: strangers.settings(), rotators, ..Options::default() }).await;
        let secret = put(&world, "upstream", "uk_1-first-of-them", SecretSource::Rotator("own".into())).await.unwrap();
        let server = &world.running.server;
        let registry = world.running.registry();
        plugin_secrets::rotate_by_itself(&registry, &secret).await.unwrap();
        jobs::secrets::once(server).await.unwrap();
        let secret = plugin_secrets::find(&registry, world.plugin.id, "upstream").await.unwrap();
        assert_eq!((secret.versions[0].number, &secret.failing), (2, &None));
        // The same key once more would end with the one before.
        plugin_secrets::rotate_by_itself(&registry, &secret).await.unwrap();
        jobs::secrets::once(server).await.unwrap();
        let secret = plugin_secrets::find(&registry, world.plugin.id, "upstream").await.unwrap();
        assert_eq!(secret.failing.as_ref().unwrap().1, "it gave the key that is in use already");
        plugin_secrets::remove(&registry, &secret).await.unwrap();
        jobs::secrets::once(server).await.unwrap();
        assert_eq!(world.database.count("plugin_secrets").await, 0);
        let mut orders = Vec::new();
        for (head, body) in host.messages() {
            let header = |name: &str| {
                let mut lines = head.lines().filter_map(|line| line.split_once(": "));
                lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).unwrap().1.to_owned()
            };
            let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
            let signed = WebhookSecret::new(key).sign(&id, timestamp.parse().unwrap(), &body);
            assert_eq!(header("webhook-signature"), signed);
            orders.push(serde_json::from_str::<Value>(&body).unwrap());
        }
        let (second, third) = (label(secret.id, 2), label(secret.id, 3));
        let make = |label: &str| json!({ "order": "make", "label": label, "plugin": "todo", "name": "upstream" });
        assert_eq!(orders, [
            json!({ "order": "abandon", "labels": [label(secret.id, 1), second] }),
            make(&second),
            json!({ "order": "abandon", "labels": [third] }),
            make(&third),
            json!({ "order": "abandon", "labels": [third] }),
            json!({ "order": "end", "id": "k/7" }),
        ]);
    }

    async fn what_a_crash_left_is_ended_with_the_key_that_is_removed(engine) {
        let it = Rotated::new(engine).await;
        it.issuer.issue(&it.label(2).await);
        it.admin_key.replace(Zeroizing::new("sk-admin-withdrawn-9x".to_owned()));
        plugin_secrets::remove(&it.world.running.registry(), &it.secret().await).await.unwrap();
        it.pass(TimeDelta::seconds(1)).await;
        assert_eq!((it.issuer.good().len(), it.world.database.count("plugin_secrets").await), (2, 1));
        it.admin_key.replace(Zeroizing::new(ADMIN_KEY.to_owned()));
        it.pass(TimeDelta::minutes(2)).await;
        assert_eq!(it.issuer.good(), ["made by hand"]);
        assert_eq!(it.world.database.count("plugin_secrets").await, 0);
        assert_eq!(it.audited("secret.rotation_failed").await, 0, "it is the log of a key that is gone");
    }

    async fn owners_choose_what_is_meant_for_them_and_have_nothing_read(engine) {
        let rotator = |name: &str, for_owners| {
            let way = Way::Command(vec!["/bin/false".to_owned()]);
            Rotator { name: name.to_owned(), for_owners, way }
        };
        let rotators = vec![rotator("theirs", true), rotator("ours", false)];
        let world = World::with(engine, Options { rotators, ..Options::default() }).await;
        let (server, plugin) = (&world.running.server, world.plugin.id);
        let owner = world.running.add_account_as("olive@example.com", "Olive Owner", Role::Owner).await;
        let operator = world.running.registry();
        let owners = consentry::registry::Registry {
            actor: Actor::Account(owner), is_trusted: false, ..world.running.registry()
        };
        let admins = consentry::registry::Registry { is_trusted: true, ..owners.clone() };
        let (rotator, reference) = (|name: &str| SecretSource::Rotator(name.into()), || SecretSource::Reference("file:/x".into()));
        let ring = server.keyring.current();
        let value = SecretValue::new("q7-upstream-Zk2f".to_owned());
        for (number, (registry, source, field)) in [
            (&owners, rotator("theirs"), None),
            (&owners, rotator("ours"), Some("rotator")),
            (&owners, rotator("nobody"), Some("rotator")),
            (&owners, reference(), Some("follows")),
            (&admins, rotator("ours"), None),
            (&admins, reference(), Some("follows")),
            (&operator, rotator("nobody"), Some("rotator")),
            (&operator, reference(), None),
        ].into_iter().enumerate() {
            let form = SettingsForm { rotate_every: "90d".into(), source: source.clone(), ..SettingsForm::default() };
            let name = format!("key-{number}");
            let put = plugin_secrets::put(registry, &ring, (plugin, &name), &value, &form).await;
            match (put, field) {
                (Ok(_), None) => {}
                (Err(RegistryError::Wrong(wrong)), Some(field)) => assert_eq!(wrong[0].field, field, "{source:?}"),
                (other, _) => panic!("{source:?}: {other:?}"),
            }
        }
        // What the operator has chosen stays when owners change something else.
        let secret = plugin_secrets::find(&owners, plugin, "key-7").await.unwrap();
        let form = SettingsForm { grace: "2h".into(), ..SettingsForm::from(&secret.settings) };
        plugin_secrets::change(&owners, (&secret, secret.revision), &form).await.unwrap();
    }
}
