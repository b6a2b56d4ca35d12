//! Who owns a plugin, and what they see; and of two who change it at once the second is told.

use consentry::{
    model::{
        id::PluginId,
        plugin::{Plugin, Viewer},
    },
    random,
    store::{
        owners::{Page, RemoveOwner},
        plugins::{ImportPlugin, Known, PluginImport},
    },
};

use super::facts::{World, at, audit, new_account, plugin};
use crate::{harness::aside::at_once, on_both_engines};

fn slugs(plugins: &[Plugin]) -> Vec<&str> {
    plugins.iter().map(|plugin| plugin.slug.as_str()).collect()
}

fn page(before: Option<PluginId>, rows_max: u32) -> Page<PluginId> {
    Page { before, rows_max }
}

on_both_engines! {
    async fn owners_see_their_own_newest_first_and_administrators_everything(engine) {
        let world = World::new(engine).await;
        let other = new_account("grace@example.com");
        world.store.add_account(&other, &audit(at(0))).await.unwrap();
        for (milliseconds, slug, owner) in [(1, "a", world.account), (2, "b", other.id), (3, "c", world.account)] {
            let mut plugin = plugin(slug, &format!("{slug}.example"));
            plugin.id = PluginId(random::id(at(milliseconds)));
            let known = Known::New(Some(owner));
            let import = PluginImport { plugin, documents: vec![], known, moves_keys: false, at: at(milliseconds) };
            let made = world.store.import_plugin(&import, &audit(at(milliseconds))).await.unwrap();
            assert!(matches!(made, ImportPlugin::Created(_)), "{made:?}");
        }
        let ada = Viewer::Owner(world.account);
        let seen = world.store.plugins_seen_by(ada, page(None, 10)).await.unwrap();
        assert_eq!(slugs(&seen), ["c", "a"]);
        let first = world.store.plugins_seen_by(ada, page(None, 1)).await.unwrap();
        assert_eq!(slugs(&first), ["c"]);
        let second = world.store.plugins_seen_by(ada, page(Some(first[0].id), 5)).await.unwrap();
        assert_eq!(slugs(&second), ["a"]);
        let all = world.store.plugins_seen_by(Viewer::Administrator, page(None, 10)).await.unwrap();
        assert_eq!(all.len(), 4, "and the one that nobody owns");
        assert_eq!(slugs(&all)[..3], ["c", "b", "a"]);

        for (viewer, slug, is_seen) in [
            (ada, "a", true),
            (ada, "b", false),
            (ada, "todo", false),
            (ada, "a\0", false),
            (Viewer::Administrator, "b", true),
            (Viewer::Administrator, "none", false),
        ] {
            assert_eq!(world.store.plugin_seen_by(viewer, slug).await.unwrap().is_some(), is_seen, "{viewer:?} {slug}");
        }
    }

    async fn an_owner_comes_and_goes_and_the_last_one_stays(engine) {
        let world = World::new(engine).await;
        let other = new_account("grace@example.com");
        world.store.add_account(&other, &audit(at(0))).await.unwrap();
        let id = world.plugin.id;
        assert!(world.store.owners(id).await.unwrap().is_empty());
        assert!(world.store.add_owner(id, world.account, &audit(at(1))).await.unwrap());
        assert!(!world.store.add_owner(id, world.account, &audit(at(2))).await.unwrap(), "is one already");
        assert_eq!(world.store.remove_owner(id, other.id, &audit(at(2))).await.unwrap(), RemoveOwner::WasNone);
        assert_eq!(world.store.remove_owner(id, world.account, &audit(at(2))).await.unwrap(), RemoveOwner::IsTheLast);
        assert!(world.store.add_owner(id, other.id, &audit(at(3))).await.unwrap());
        let owners = world.store.owners(id).await.unwrap();
        let emails: Vec<&str> = owners.iter().map(|owner| owner.email.as_str()).collect();
        assert_eq!(emails, ["ada@example.com", "grace@example.com"]);
        // Both leave at once: one of them stays.
        let left = at_once(2, |number| {
            let (store, account) = (world.store.clone(), if number == 0 { world.account } else { other.id });
            async move { store.remove_owner(id, account, &audit(at(4))).await.unwrap() }
        })
        .await;
        assert_eq!(left.iter().filter(|it| **it == RemoveOwner::Removed).count(), 1, "{left:?}");
        assert_eq!(left.iter().filter(|it| **it == RemoveOwner::IsTheLast).count(), 1, "{left:?}");
        assert_eq!(world.store.owners(id).await.unwrap().len(), 1);
        assert_eq!(world.database.audited("plugin.owner_added").await, 2);
        assert_eq!(world.database.audited("plugin.owner_removed").await, 1);
    }

    async fn of_two_who_change_it_at_once_the_second_is_told(engine) {
        let world = World::new(engine).await;
        let changes = at_once(10, |number| {
            let (store, mut plugin) = (world.store.clone(), world.plugin.clone());
            plugin.manifest["name_for_human"] = format!("Name {number}").into();
            let import = PluginImport { plugin, documents: vec![], known: Known::Version(1), moves_keys: false, at: at(5) };
            async move { store.import_plugin(&import, &audit(at(5))).await.unwrap() }
        })
        .await;
        let updated: Vec<&Plugin> = changes
            .iter()
            .filter_map(|change| match change {
                ImportPlugin::Updated(plugin) => Some(plugin),
                ImportPlugin::ChangedMeanwhile => None,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(updated.len(), 1);
        let kept = world.store.plugin(world.plugin.id).await.unwrap().unwrap();
        assert_eq!((kept.version, kept.name()), (2, updated[0].name()));
        assert_eq!(world.database.audited("plugin.imported").await, 2);

        let import = |slug: &str, known| {
            let plugin = Plugin { id: PluginId(random::id(at(6))), ..plugin(slug, "other.example") };
            PluginImport { plugin, documents: vec![], known, moves_keys: false, at: at(6) }
        };
        let taken = world.store.import_plugin(&import("todo", Known::New(None)), &audit(at(6))).await.unwrap();
        assert!(matches!(taken, ImportPlugin::SlugTaken), "{taken:?}");
        let gone = world.store.import_plugin(&import("gone", Known::Version(1)), &audit(at(6))).await.unwrap();
        assert!(matches!(gone, ImportPlugin::ChangedMeanwhile), "{gone:?}");
        assert_eq!(world.database.count("plugins").await, 1);
    }
}
