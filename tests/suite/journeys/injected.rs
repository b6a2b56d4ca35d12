//! API keys that are made anew while requests use them: none fails, and none shows a key after its time. Whoever issues
//! them is a stand-in (`harness::strangers::issuer`) that takes exactly the keys it has issued and not ended.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use consentry::{
    jobs,
    model::{
        audit::Origin,
        id::PluginId,
        live::Live,
        plugin_secret::SecretSource,
        rotator::{Administration, Recipe, Rotator, Way},
    },
    registry::plugin_secrets::{self, SettingsForm},
    server::{Server, injection::Route},
    store::plugin_secrets::PluginSecret,
    vault::SecretValue,
};
use reqwest::{Certificate, Client, StatusCode, header::HeaderMap};
use tokio::{task::JoinSet, time::Instant};
use zeroize::Zeroizing;

use crate::{
    harness::{
        server::{Options, Running, World},
        strangers::{
            Strangers,
            issuer::{ADMIN_KEY, Issuer, PROJECT, SERVICE_ACCOUNT},
        },
    },
    on_both_engines,
};

const RECIPES: &str = include_str!("../../../src/config/recipes.json");

/// How many requests are made at least, and the one before which the key is made anew.
const USES: usize = 1000;
const ROTATED_AT: usize = 500;

/// How many are on their way at once.
const CALLERS: usize = 32;

/// How long a caller rests, so that what is used lives through the whole of a key's overlap and its end.
const REST: Duration = Duration::from_millis(150);

fn rotator(issuer: &Issuer) -> Rotator {
    let recipes: BTreeMap<String, Recipe> = serde_json::from_str(RECIPES).unwrap();
    let parameters = [("project", PROJECT), ("service_account", SERVICE_ACCOUNT)];
    let administration = Administration {
        recipe: recipes["openai-key"].clone(),
        url: issuer.url("/v1"),
        parameters: parameters.map(|(name, text)| (name.to_owned(), text.to_owned())).into(),
        admin_key: Live::new(Zeroizing::new(ADMIN_KEY.to_owned())),
    };
    Rotator { name: "keys".into(), for_owners: false, way: Way::Recipe(Box::new(administration)) }
}

/// Runs what the server does by itself, until the test ends.
fn at_work(server: &Arc<Server>, jobs: &mut JoinSet<()>) {
    jobs.spawn(jobs::secrets::run(Arc::clone(server)));
}

/// Sends a request where the key is asked for.
async fn use_it(server: &Server, plugin: PluginId, client: &Client, url: &str) -> StatusCode {
    let (mut headers, route) = (HeaderMap::new(), Route { method: "GET", path: "/used" });
    let injected = server.inject(plugin, route, &mut headers, &Origin::default()).await.unwrap();
    assert_eq!(injected.len(), 1);
    client.get(url).headers(headers).send().await.unwrap().status()
}

async fn secret(world: &World) -> PluginSecret {
    plugin_secrets::find(&world.running.registry(), world.plugin.id, "upstream").await.unwrap()
}

/// Asks for a new version, and waits for it.
async fn made_anew(world: &World) -> PluginSecret {
    let before = secret(world).await;
    plugin_secrets::rotate_by_itself(&world.running.registry(), &before).await.unwrap();
    for _ in 0..600 {
        let now = secret(world).await;
        if now.versions[0].number > before.versions[0].number {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no new version was made: {:?}", secret(world).await.failing);
}

on_both_engines! {
    async fn none_of_a_thousand_uses_fails_while_the_key_is_made_anew(engine) {
        let strangers = Strangers::new();
        let issuer = strangers.issuer("admin.issuer.example");
        let options = || Options { outbound: strangers.settings(), rotators: vec![rotator(&issuer)], ..Options::default() };
        let world = World::with(engine, options()).await;
        let mut nodes = vec![Arc::clone(&world.running.server)];
        // Several nodes share a Postgres; who learns of the new version when is theirs.
        let second = match engine {
            Engine::Postgres => {
                let public_url = Some(world.running.url.clone());
                Some(Running::start(&world.database, Options { public_url, ..options() }).await)
            }
            Engine::Sqlite => None,
        };
        nodes.extend(second.iter().map(|node| Arc::clone(&node.server)));
        let mut jobs = JoinSet::new();
        for node in &nodes {
            at_work(node, &mut jobs);
        }

        let form = SettingsForm {
            routes: vec!["GET /used".into()],
            grace: "5s".into(),
            rotate_every: "90d".into(),
            source: SecretSource::Rotator("keys".into()),
            ..SettingsForm::default()
        };
        let (plugin, ring) = (world.plugin.id, world.running.server.keyring.current());
        let by_hand = SecretValue::new(issuer.issue("made by hand"));
        plugin_secrets::put(&world.running.registry(), &ring, (plugin, "upstream"), &by_hand, &form).await.unwrap();
        // From now on it is one that the issuer can be asked to end.
        let old = made_anew(&world).await;
        assert_eq!(issuer.keys().len(), 2);
        tokio::time::sleep(Duration::from_secs(2)).await;

        let authority = Certificate::from_der(&strangers.authority_der()).unwrap();
        let client = Client::builder()
            .tls_certs_only([authority])
            .resolve("admin.issuer.example", issuer.address())
            .build()
            .unwrap();
        let url = format!("https://admin.issuer.example:{}/used", issuer.address().port());
        let (begun, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(usize::MAX)));
        let mut callers = JoinSet::new();
        for number in 0..CALLERS {
            let (begun, ended, client, url) = (Arc::clone(&begun), Arc::clone(&ended), client.clone(), url.clone());
            let node = Arc::clone(&nodes[number % nodes.len()]);
            callers.spawn(async move {
                let mut failed = Vec::new();
                while begun.fetch_add(1, Ordering::SeqCst) < ended.load(Ordering::SeqCst) {
                    let status = use_it(&node, plugin, &client, &url).await;
                    failed.extend((status != StatusCode::OK).then_some(status));
                    tokio::time::sleep(REST).await;
                }
                failed
            });
        }
        while begun.load(Ordering::SeqCst) < ROTATED_AT {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let new = made_anew(&world).await;
        assert_eq!(new.versions[0].number, old.versions[0].number + 1);
        // Until the old one has ended where it was issued, and has been gone for a while.
        let old_one = || issuer.keys()[1].clone();
        let patience = Instant::now() + Duration::from_mins(1);
        while old_one().ended_at.is_none() {
            assert!(Instant::now() < patience, "the old key is not ended");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let enough = (begun.load(Ordering::SeqCst) + 200).max(USES);
        ended.store(enough, Ordering::SeqCst);
        let failed: Vec<StatusCode> = callers.join_all().await.into_iter().flatten().collect();
        assert!(failed.is_empty(), "{} of {enough} failed", failed.len());

        let (uses, old, new) = (issuer.uses(), old_one(), issuer.keys()[2].clone());
        assert!(uses.len() >= USES && uses.iter().all(|used| used.was_good), "{}", uses.len());
        let with = |value: &str| uses.iter().filter(|used| used.value == value).count();
        assert!(with(&old.value) >= ROTATED_AT - CALLERS && with(&new.value) >= 200, "{} and {}", with(&old.value), with(&new.value));
        assert_eq!(with(&old.value) + with(&new.value), uses.len(), "no other key was used");
        let last = uses.iter().filter(|used| used.value == old.value).map(|used| used.at).max().unwrap();
        assert!(last < old.ended_at.unwrap(), "the old key was used after its time");
        assert_eq!(issuer.good(), [plugin_label(&issuer, 0), plugin_label(&issuer, 2)], "of both, the new one is good");
    }
}

fn plugin_label(issuer: &Issuer, place: usize) -> String {
    issuer.keys()[place].label.clone()
}
