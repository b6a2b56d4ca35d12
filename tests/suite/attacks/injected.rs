//! Row 59: an API key that gets to where it is not meant to be, by what a caller writes or by whoever can write the
//! database.

use consentry::{
    model::{audit::Origin, id::PluginId},
    registry::plugin_secrets::{self, SettingsForm},
    server::injection::{Injected, NotInjected, Route},
    vault::SecretValue,
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::{
    harness::server::{Running, World},
    on_both_engines,
};

const KEY: &str = "q7-upstream-Zk2f9x";

async fn put(running: &Running, plugin: PluginId, name: &str, header: &str, routes: &[&str]) -> SecretValue {
    let value = SecretValue::new(format!("{KEY}-{name}"));
    let routes = routes.iter().map(|route| (*route).to_owned()).collect();
    let form = SettingsForm { header: header.to_owned(), routes, ..SettingsForm::default() };
    let ring = running.server.keyring.current();
    plugin_secrets::put(&running.registry(), &ring, (plugin, name), &value, &form).await.unwrap();
    running.server.injections.forget(plugin).await;
    value
}

/// What a request that a caller made is sent on with.
async fn sent(
    running: &Running,
    plugin: PluginId,
    (method, path): (&str, &str),
    headers: &[(&'static str, &str)],
) -> Result<(Vec<Injected>, HeaderMap), NotInjected> {
    let mut sent = HeaderMap::new();
    for (name, value) in headers {
        sent.append(*name, value.parse().unwrap());
    }
    let injected = running.server.inject(plugin, Route { method, path }, &mut sent, &Origin::default()).await?;
    Ok((injected, sent))
}

on_both_engines! {
    async fn a_route_that_is_not_named_gets_nothing(engine) {
        let world = World::new(engine).await;
        let (running, plugin) = (&world.running, world.plugin.id);
        put(running, plugin, "nowhere", "x-nowhere", &[]).await;
        put(running, plugin, "items", "authorization", &["GET /items/{id}"]).await;
        for (method, path) in [
            ("POST", "/items/5"), ("GET", "/items"), ("GET", "/items/5/"), ("GET", "/items/5/parts"), ("get", "/items/5"),
            ("GET", "/ITEMS/5"), ("GET", "/"), ("DELETE", "/items/5"),
        ] {
            let (injected, sent) = sent(running, plugin, (method, path), &[]).await.unwrap();
            assert!(injected.is_empty() && sent.is_empty(), "{method} {path}: {sent:?}");
        }
        let (injected, sent) = sent(running, plugin, ("GET", "/items/5"), &[]).await.unwrap();
        assert_eq!((injected.len(), injected[0].name.as_str(), injected[0].version), (1, "items", 1));
        assert_eq!((sent.len(), &sent["authorization"]), (1, &format!("Bearer {KEY}-items").parse().unwrap()));
        assert!(!format!("{sent:?}").contains(KEY), "who logs the headers does not log the key: {sent:?}");
    }

    async fn a_secret_of_another_plugin_is_not_injected(engine) {
        let world = World::new(engine).await;
        let running = &world.running;
        let other = running.add_plugin_at("other", "other.example").await;
        put(running, other.id, "upstream", "authorization", &["* /*"]).await;
        let (injected, sent) = sent(running, world.plugin.id, ("GET", "/items"), &[]).await.unwrap();
        assert!(injected.is_empty() && sent.is_empty());
    }

    async fn a_path_that_can_be_read_in_two_ways_is_not_sent_on(engine) {
        let world = World::new(engine).await;
        let (running, plugin) = (&world.running, world.plugin.id);
        put(running, plugin, "public", "authorization", &["GET /public/*"]).await;
        for path in [
            "/public/../admin", "/public/%2e%2e/admin", "/public/..%2fadmin", "/public//admin", "/public/..;/admin",
            "/public/%252e%252e/admin", "/public/a%5c..%5cadmin", "//public/a", "/public/./a", "",
        ] {
            let refused = sent(running, plugin, ("GET", path), &[]).await;
            assert!(matches!(refused, Err(NotInjected::Path)), "{path}: {refused:?}");
        }
        let told = running.server.refusals.take_all();
        assert_eq!(told.len(), 1, "one line, however many there were");
        let detail = &told[0].telling.detail;
        assert_eq!((&detail["name"], &detail["reason"], &detail["times"]), (&Value::Null, &"path".into(), &10.into()));

        // Where no key is for any route, no path is anybody's business here.
        let other = running.add_plugin_at("other", "other.example").await;
        put(running, other.id, "nowhere", "authorization", &[]).await;
        assert!(sent(running, other.id, ("GET", "/search/50%25//"), &[]).await.unwrap().0.is_empty());
    }

    async fn what_a_caller_writes_in_the_header_does_not_get_through(engine) {
        let world = World::new(engine).await;
        let (running, plugin) = (&world.running, world.plugin.id);
        put(running, plugin, "upstream", "x-api-key", &["* /*"]).await;
        let theirs = [
            ("x-api-key", "mine"), ("x-api-key", "and mine"), ("x_api_key", "mine in another spelling"),
            ("x-http-method-override", "DELETE"), ("x-original-url", "/admin"), ("connection", "x-api-key"),
            ("accept", "text/html"),
        ];
        let (_, sent) = sent(running, plugin, ("GET", "/items"), &theirs).await.unwrap();
        let mut names: Vec<&str> = sent.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "x-api-key"]);
        let keys: Vec<_> = sent.get_all("x-api-key").iter().collect();
        assert_eq!(keys, [&HeaderValue::try_from(format!("{KEY}-upstream")).unwrap()]);
    }

    async fn two_keys_for_one_header_of_a_route_are_none(engine) {
        let world = World::new(engine).await;
        let (running, plugin) = (&world.running, world.plugin.id);
        put(running, plugin, "first", "x-api-key", &["* /v1/*"]).await;
        put(running, plugin, "other", "x-other-key", &["* /v1/*"]).await;
        // Nobody can say so in the first place.
        let form = SettingsForm {
            header: "X-API-Key".into(),
            routes: vec!["GET /v1/{part}".into()],
            ..SettingsForm::default()
        };
        let ring = running.server.keyring.current();
        let value = SecretValue::new(KEY.into());
        let refused = plugin_secrets::put(&running.registry(), &ring, (plugin, "second"), &value, &form).await;
        let told = refused.unwrap_err().to_string();
        assert!(told.contains("routes: GET /v1/{part} gets another API key in the header x-api-key: first"), "{told}");
        assert!(!told.contains(KEY));
        let (injected, _) = sent(running, plugin, ("GET", "/v1/a"), &[]).await.unwrap();
        assert_eq!(injected.len(), 2, "two headers, two keys");

        world.database.execute("update plugin_secrets set header = 'x-api-key'").await;
        running.server.injections.forget(plugin).await;
        let refused = sent(running, plugin, ("GET", "/v1/a"), &[]).await.unwrap_err();
        assert!(matches!(&refused, NotInjected::Ambiguous(..)), "{refused:?}");
    }

    async fn a_version_that_was_moved_with_its_whole_row_opens_nothing(engine) {
        let world = World::new(engine).await;
        let running = &world.running;
        let (mine, other) = (world.plugin.id, running.add_plugin_at("other", "other.example").await.id);
        put(running, mine, "mine", "authorization", &["* /*"]).await;
        put(running, other, "theirs", "authorization", &["* /*"]).await;
        let refused = async |what: &str| {
            running.server.injections.forget(mine).await;
            let refused = sent(running, mine, ("GET", "/items"), &[]).await;
            assert!(matches!(refused, Err(NotInjected::Unreadable(_))), "{what}: {refused:?}");
        };
        // The other plugin's version under this plugin's secret.
        world.database.execute("delete from plugin_secret_versions where secret_id in (select id from plugin_secrets where name = 'mine')").await;
        world.database.execute("update plugin_secret_versions set secret_id = (select id from plugin_secrets where name = 'mine')").await;
        refused("a version under another secret").await;
        // The other plugin's secret, whole.
        world.database.execute("update plugin_secret_versions set secret_id = (select id from plugin_secrets where name = 'theirs')").await;
        world.database.execute("delete from plugin_secrets where name = 'mine'").await;
        world.database.execute("update plugin_secrets set plugin_id = (select id from plugins where slug <> 'other')").await;
        refused("a secret under another plugin").await;
        // Its own version as a later one.
        world.database.execute("update plugin_secrets set plugin_id = (select id from plugins where slug = 'other')").await;
        running.server.injections.forget(other).await;
        assert!(sent(running, other, ("GET", "/items"), &[]).await.is_ok(), "at home it opens");
        world.database.execute("update plugin_secret_versions set number = 2").await;
        running.server.injections.forget(other).await;
        let refused = sent(running, other, ("GET", "/items"), &[]).await;
        assert!(matches!(refused, Err(NotInjected::Unreadable(_))), "{refused:?}");
    }

    async fn a_header_that_steers_cannot_be_named(engine) {
        let world = World::new(engine).await;
        let (running, plugin) = (&world.running, world.plugin.id);
        let ring = running.server.keyring.current();
        for header in ["Host", "Cookie", "Content-Length", "Transfer-Encoding", "X-Consentry-Subject", "X-Forwarded-For", "a\r\nb"] {
            let form = SettingsForm { header: header.into(), routes: vec!["* /*".into()], ..SettingsForm::default() };
            let value = SecretValue::new(KEY.into());
            let refused = plugin_secrets::put(&running.registry(), &ring, (plugin, "upstream"), &value, &form).await;
            assert!(refused.unwrap_err().to_string().starts_with("header: "), "{header}");
        }
        for value in ["with space and\r\nX-Admin: 1", "sixteen bytes \u{e9}"] {
            let form = SettingsForm::default();
            let value = SecretValue::new(value.into());
            let refused = plugin_secrets::put(&running.registry(), &ring, (plugin, "upstream"), &value, &form).await;
            assert!(refused.unwrap_err().to_string().starts_with("value: "));
        }
        assert!(running.server.store.plugin_secrets(plugin).await.unwrap().is_empty());
    }
}
