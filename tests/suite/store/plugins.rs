//! Plugins: importing again changes what the owner wrote, and never who the plugin is.

use consentry::{
    model::{
        id::PluginId,
        plugin::{Document, DocumentKind, Plugin, PluginState},
        scope::{CATALOGUE_MAX, Catalogue, Scope},
    },
    random,
    store::{
        Store,
        plugins::{ImportPlugin, PluginImport},
    },
};

use super::facts::{World, at, audit, plugin, start};
use crate::{
    harness::{aside::at_once, databases::Database},
    on_both_engines,
};

fn import(plugin: &Plugin) -> PluginImport {
    PluginImport::of(plugin.clone(), vec![], at(5))
}

fn document(kind: DocumentKind, body: &[u8]) -> Document {
    Document { kind, content_type: "text/plain".into(), body: body.to_vec() }
}

fn catalogue(names: impl IntoIterator<Item = String>) -> Catalogue {
    let mut catalogue = Catalogue::default();
    for name in names {
        catalogue.put(Scope::new(name.clone(), format!("Now may {name}"))).unwrap();
    }
    catalogue
}

/// Opens every connection beforehand, so that the race is not won by whoever connects first.
async fn warm(store: &Store) {
    at_once(40, |_| {
        let store = store.clone();
        async move { store.plugins().await.unwrap() }
    })
    .await;
}

on_both_engines! {
    async fn a_new_plugin_is_kept_as_it_is_and_found(engine) {
        let world = World::new(engine).await;
        let mut other = plugin("mail", "mail.example:8443");
        other.state = PluginState::Published;
        other.upstream = None;
        let imported = world.store.import_plugin(&import(&other), &audit(at(5))).await.unwrap();
        assert!(matches!(imported, ImportPlugin::Created(_)), "{imported:?}");
        let by_slug = world.store.plugin_by_slug("mail").await.unwrap().unwrap();
        let by_host = world.store.plugin_by_host(&other.host).await.unwrap().unwrap();
        for found in [by_slug, by_host] {
            assert_eq!(found.id, other.id);
            assert_eq!(found.host, other.host);
            assert_eq!(found.state, PluginState::Published);
            assert_eq!(found.upstream, None);
            assert_eq!(found.resource, other.resource);
            assert_eq!(found.subject_salt.0, other.subject_salt.0);
            assert_eq!(found.scopes, other.scopes);
            assert_eq!(found.manifest, other.manifest);
        }
        for slug in ["none", "", "\0", "todo\0"] {
            assert!(world.store.plugin_by_slug(slug).await.unwrap().is_none(), "{slug:?}");
        }
        assert!(world.store.plugin_by_host(&"mail.example".parse().unwrap()).await.unwrap().is_none());
        let mut slugs: Vec<String> = world.store.plugins().await.unwrap().into_iter().map(|p| p.slug).collect();
        slugs.sort();
        assert_eq!(slugs, ["mail", "todo"]);
        assert_eq!(world.database.audited("plugin.imported").await, 2);
    }

    async fn plugins_are_listed_oldest_first(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        for (milliseconds, slug) in [(2, "a"), (1, "b"), (0, "c")] {
            let mut plugin = plugin(slug, &format!("{slug}.example"));
            plugin.id = PluginId(random::id(at(milliseconds)));
            store.import_plugin(&import(&plugin), &audit(start())).await.unwrap();
        }
        let slugs: Vec<String> = store.plugins().await.unwrap().into_iter().map(|p| p.slug).collect();
        assert_eq!(slugs, ["c", "b", "a"]);
    }

    async fn importing_again_keeps_who_the_plugin_is(engine) {
        let world = World::new(engine).await;
        let mut again = plugin("todo", "new.todo.example");
        again.state = PluginState::Verified;
        again.upstream = Some("http://127.0.0.1:10".into());
        again.manifest = serde_json::json!({ "name_for_human": "Other", "nested": [1, null, { "a": true }] });
        let imported = world.store.import_plugin(&import(&again), &audit(at(5))).await.unwrap();
        let ImportPlugin::Updated(answered) = imported else { panic!("{imported:?}") };
        let read = world.store.plugin_by_slug("todo").await.unwrap().unwrap();
        for now in [answered, read] {
            assert_eq!(now.id, world.plugin.id);
            assert_eq!(now.subject_salt.0, world.plugin.subject_salt.0);
            assert_eq!(now.state, PluginState::Draft);
            assert_eq!(now.version, 2);
            assert_eq!(now.host, again.host);
            assert_eq!(now.resource, again.resource);
            assert_eq!(now.upstream, again.upstream);
            assert_eq!(now.manifest, again.manifest);
        }
        assert!(world.store.plugin_by_host(&world.plugin.host).await.unwrap().is_none());
    }

    async fn a_catalogue_keeps_its_positions_and_grows_at_the_end(engine) {
        let world = World::new(engine).await;
        let mut again = world.plugin.clone();
        again.scopes = catalogue(["todo.share", "todo.write"].map(String::from));
        let imported = world.store.import_plugin(&import(&again), &audit(at(5))).await.unwrap();
        let ImportPlugin::Updated(now) = imported else { panic!("{imported:?}") };
        let entries: Vec<(&str, &str)> = now.scopes.iter().map(|s| (s.name.as_str(), s.words.as_str())).collect();
        assert_eq!(
            entries,
            [
                ("todo.read", "May todo.read"),
                ("todo.write", "Now may todo.write"),
                ("todo.share", "Now may todo.share"),
            ]
        );
        assert_eq!(world.store.plugin_by_slug("todo").await.unwrap().unwrap().scopes, now.scopes);
    }

    async fn a_catalogue_can_be_full(engine) {
        let world = World::new(engine).await;
        let mut again = world.plugin.clone();
        again.manifest = serde_json::json!({ "name_for_human": "Never kept" });
        again.scopes = catalogue((0..CATALOGUE_MAX - 1).map(|n| format!("s{n}")));
        let mut full = import(&again);
        full.documents = vec![document(DocumentKind::Logo, b"never kept")];
        let refused = world.store.import_plugin(&full, &audit(at(5))).await.unwrap();
        assert!(matches!(refused, ImportPlugin::CatalogueFull), "{refused:?}");
        let now = world.store.plugin_by_slug("todo").await.unwrap().unwrap();
        assert_eq!((now.scopes, now.manifest), (world.plugin.scopes.clone(), world.plugin.manifest.clone()));
        assert!(world.store.document(&world.plugin.host, DocumentKind::Logo).await.unwrap().is_none());
        again.scopes = catalogue((0..CATALOGUE_MAX - 2).map(|n| format!("s{n}")));
        let fits = world.store.import_plugin(&import(&again), &audit(at(6))).await.unwrap();
        let ImportPlugin::Updated(now) = fits else { panic!("{fits:?}") };
        assert_eq!(now.scopes.iter().count(), CATALOGUE_MAX);
    }

    async fn a_host_serves_one_plugin(engine) {
        let world = World::new(engine).await;
        let created = world.store.import_plugin(&import(&plugin("other", "Todo.EXAMPLE")), &audit(at(5))).await.unwrap();
        assert!(matches!(&created, ImportPlugin::HostTaken { slug } if slug == "todo"), "{created:?}");
        assert!(world.store.plugin_by_slug("other").await.unwrap().is_none());
        world.store.import_plugin(&import(&plugin("other", "other.example")), &audit(at(6))).await.unwrap();
        let moved = world.store.import_plugin(&import(&plugin("other", "todo.example")), &audit(at(7))).await.unwrap();
        assert!(matches!(&moved, ImportPlugin::HostTaken { slug } if slug == "todo"), "{moved:?}");
        let other = world.store.plugin_by_slug("other").await.unwrap().unwrap();
        assert_eq!(other.host.as_str(), "other.example");
        assert_eq!(world.database.audited("plugin.imported").await, 2);
    }

    async fn documents_are_replaced_or_stay(engine) {
        let world = World::new(engine).await;
        let host = &world.plugin.host;
        let logo = [0, 159, 146, 150, 0];
        let mut with_both = import(&world.plugin);
        with_both.documents = vec![document(DocumentKind::OpenApi, b"first"), document(DocumentKind::Logo, &logo)];
        world.store.import_plugin(&with_both, &audit(at(5))).await.unwrap();
        let mut with_one = import(&world.plugin);
        with_one.documents = vec![Document {
            kind: DocumentKind::OpenApi,
            content_type: "text/yaml".into(),
            body: b"second".to_vec(),
        }];
        world.store.import_plugin(&with_one, &audit(at(6))).await.unwrap();
        assert_eq!(world.store.document(host, DocumentKind::OpenApi).await.unwrap(), with_one.documents.pop());
        assert_eq!(world.store.document(host, DocumentKind::Logo).await.unwrap(), with_both.documents.pop());
        let elsewhere = "elsewhere.example".parse().unwrap();
        assert!(world.store.document(&elsewhere, DocumentKind::Logo).await.unwrap().is_none());
    }

    async fn of_ten_who_import_a_new_plugin_one_makes_it(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        warm(&store).await;
        let answers = at_once(10, |number| {
            let store = store.clone();
            async move {
                let mut plugin = plugin("race", "race.example");
                plugin.scopes = catalogue([format!("s{number}")]);
                store.import_plugin(&import(&plugin), &audit(at(0))).await.unwrap()
            }
        })
        .await;
        assert_eq!(answers.iter().filter(|answer| matches!(answer, ImportPlugin::Created(_))).count(), 1);
        assert_eq!(answers.iter().filter(|answer| matches!(answer, ImportPlugin::Updated(_))).count(), 9);
        let kept = store.plugin_by_slug("race").await.unwrap().unwrap();
        assert_eq!(kept.scopes.iter().count(), 10, "no import lost another's scope");
    }

    async fn of_ten_who_want_a_host_one_gets_it(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        warm(&store).await;
        let answers = at_once(10, |number| {
            let store = store.clone();
            async move {
                let plugin = plugin(&format!("race-{number}"), "race.example");
                store.import_plugin(&import(&plugin), &audit(at(0))).await.unwrap()
            }
        })
        .await;
        assert_eq!(answers.iter().filter(|answer| matches!(answer, ImportPlugin::Created(_))).count(), 1);
        assert_eq!(answers.iter().filter(|answer| matches!(answer, ImportPlugin::HostTaken { .. })).count(), 9);
    }
}
