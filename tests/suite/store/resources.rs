//! Resources: one default for each plugin, further ones beside it, and nothing that stands on one that is gone.

use consentry::{
    model::{
        id::{ConsentId, PluginId, ResourceId},
        plugin::Plugin,
    },
    random,
    store::{
        consents::{ConsentGrant, ConsentKey},
        families::{Redeem, Redemption},
        plugins::{ImportPlugin, PluginImport},
        resources::{AddResource, NewResource, RemoveResource},
    },
};

use super::{
    answers::{Answer, present},
    facts::{World, at, audit, plugin, scopes, start},
};
use crate::{
    harness::{aside::at_once, databases::Database},
    on_both_engines,
};

const MCP: &str = "https://todo.example/mcp";

fn new(plugin: PluginId, identifier: &str, milliseconds: i64) -> NewResource {
    let at = at(milliseconds);
    NewResource { id: ResourceId(random::id(at)), plugin_id: plugin, identifier: identifier.parse().unwrap(), at }
}

async fn add(world: &World, plugin: PluginId, identifier: &str) -> AddResource {
    world.store.add_resource(&new(plugin, identifier, 5), &audit(at(5))).await.unwrap()
}

async fn remove(world: &World, canonical: &str) -> RemoveResource {
    world.store.remove_resource(canonical, &audit(at(6))).await.unwrap()
}

async fn import(world: &World, plugin: &Plugin) -> ImportPlugin {
    let import = PluginImport::of(plugin.clone(), vec![], at(7));
    world.store.import_plugin(&import, &audit(at(7))).await.unwrap()
}

/// Every resource: whose, its identifier, and whether it is the default.
async fn seen(world: &World) -> Vec<(String, String, bool)> {
    let all = world.store.resources().await.unwrap();
    all.into_iter().map(|one| (one.plugin_slug, one.identifier.to_string(), one.is_default)).collect()
}

fn row(slug: &str, identifier: &str, is_default: bool) -> (String, String, bool) {
    (slug.to_owned(), identifier.to_owned(), is_default)
}

/// A code for another resource, under a consent of its own.
async fn redemption_for(world: &World, resource: &str) -> Redemption {
    let key = ConsentKey { resource: resource.into(), ..world.consent_key() };
    let grant = ConsentGrant {
        id: ConsentId(random::id(start())),
        key,
        scopes: scopes("todo.read todo.write"),
        left_out: consentry::model::scope::Scopes::default(),
        document: None,
    };
    let consent = world.store.grant_consent(&grant, &audit(start())).await.unwrap();
    Redemption { consent_id: consent.id, resource: resource.into(), ..world.redemption() }
}

on_both_engines! {
    async fn a_resource_comes_with_what_its_plugin_adds(engine) {
        let world = World::new(engine).await;
        let added = add(&world, world.plugin.id, "HTTPS://Todo.example/mcp/").await;
        let AddResource::Added(added) = added else { panic!("{added:?}") };
        let found = world.store.resource(MCP).await.unwrap().unwrap();
        let by_id = world.store.resource_by_id(added.id).await.unwrap().unwrap();
        for resource in [added, found, by_id] {
            assert_eq!(resource.identifier.as_str(), "HTTPS://Todo.example/mcp/", "byte for byte");
            assert_eq!((resource.plugin_id, resource.plugin_slug.as_str()), (world.plugin.id, "todo"));
            assert_eq!((resource.plugin_name.as_str(), resource.is_default), ("To-do", false));
            assert_eq!(resource.subject_salt.0, world.plugin.subject_salt.0);
            assert_eq!(resource.scopes, world.plugin.scopes);
        }
        assert_eq!(world.database.audited("resource.added").await, 1);
        assert_eq!(
            seen(&world).await,
            [row("todo", "https://todo.example", true), row("todo", "HTTPS://Todo.example/mcp/", false)]
        );
    }

    async fn one_resource_is_registered_once_whatever_its_spelling(engine) {
        let world = World::new(engine).await;
        import(&world, &plugin("other", "other.example")).await;
        let AddResource::Added(first) = add(&world, world.plugin.id, MCP).await else { panic!() };
        for spelling in [MCP, "https://todo.example/mcp/", "HTTPS://Todo.EXAMPLE:443/mcp"] {
            let again = add(&world, world.plugin.id, spelling).await;
            let AddResource::Known(known) = again else { panic!("{again:?}") };
            assert_eq!((known.id, known.identifier.as_str()), (first.id, MCP));
            let other = world.store.plugin_by_slug("other").await.unwrap().unwrap();
            let taken = add(&world, other.id, spelling).await;
            assert!(matches!(&taken, AddResource::Taken { slug } if slug == "todo"), "{taken:?}");
        }
        let known = add(&world, world.plugin.id, "https://todo.example/").await;
        assert!(matches!(&known, AddResource::Known(known) if known.is_default), "its default: {known:?}");
        assert_eq!(world.database.count("resources").await, 3);
        assert_eq!(world.database.audited("resource.added").await, 1);
    }

    async fn what_nobody_registered_is_not_found(engine) {
        let world = World::new(engine).await;
        for canonical in ["", "\0", "https://todo.example/", "https://todo.example/x", "https://todo.example\0", "%"] {
            assert!(world.store.resource(canonical).await.unwrap().is_none(), "{canonical:?}");
            assert!(matches!(remove(&world, canonical).await, RemoveResource::Unknown), "{canonical:?}");
        }
        assert!(world.store.resource_by_id(ResourceId(random::id(start()))).await.unwrap().is_none());
        assert_eq!(world.database.count("resources").await, 1);
    }

    async fn what_stood_on_a_removed_resource_no_longer_stands(engine) {
        let world = World::new(engine).await;
        add(&world, world.plugin.id, MCP).await;
        let kept = world.family().await;
        let redemption = redemption_for(&world, MCP).await;
        let outcome = world.store.redeem(&redemption, &audit(start())).await.unwrap();
        assert!(matches!(outcome, Redeem::Won(_)), "{outcome:?}");
        let family = world.store.standing_family(redemption.id, at(5)).await.unwrap().unwrap();
        assert_eq!((family.resource.as_str(), family.plugin_id), (MCP, world.plugin.id));

        let removed = remove(&world, MCP).await;
        assert!(matches!(&removed, RemoveResource::Removed(gone) if gone.identifier.as_str() == MCP), "{removed:?}");
        assert!(world.store.standing_family(redemption.id, at(7)).await.unwrap().is_none());
        assert_eq!(world.present(redemption.id, 0, 7).await, Answer::NotStanding);
        assert!(world.store.standing_family(kept, at(7)).await.unwrap().is_some(), "the other resource's");
        assert!(matches!(remove(&world, MCP).await, RemoveResource::Unknown));
        assert_eq!(world.database.count("families").await, 2);
        assert_eq!(world.database.audited("resource.removed").await, 1);

        // Whoever registers it next, the same plugin or another, inherits nobody's agreement.
        import(&world, &plugin("other", "other.example")).await;
        let other = world.store.plugin_by_slug("other").await.unwrap().unwrap();
        for plugin_id in [other.id, world.plugin.id] {
            assert!(matches!(add(&world, plugin_id, MCP).await, AddResource::Added(_)));
            assert!(world.store.standing_family(redemption.id, at(8)).await.unwrap().is_none());
            let key = ConsentKey { resource: MCP.into(), ..world.consent_key() };
            assert!(world.store.consent(&key).await.unwrap().unwrap().revoked_at.is_some());
            remove(&world, MCP).await;
        }
    }

    /// A person may agree on a page that was shown before the removal.
    async fn what_is_agreed_to_while_a_resource_is_gone_is_nothing_to_its_next_owner(engine) {
        let world = World::new(engine).await;
        import(&world, &plugin("other", "other.example")).await;
        let other = world.store.plugin_by_slug("other").await.unwrap().unwrap();
        let key = ConsentKey { resource: MCP.into(), ..world.consent_key() };
        add(&world, world.plugin.id, MCP).await;
        remove(&world, MCP).await;
        let mut before = 0;
        for _ in 0..3 {
            redemption_for(&world, MCP).await;
            let agreed = world.store.consent(&key).await.unwrap().unwrap();
            assert!(agreed.revoked_at.is_none() && agreed.generation > before, "{agreed:?} after {before}");
            assert!(matches!(add(&world, other.id, MCP).await, AddResource::Added(_)));
            let consent = world.store.consent(&key).await.unwrap().unwrap();
            assert!(consent.revoked_at.is_some() && consent.scopes.is_empty());
            assert!(consent.generation > agreed.generation, "{consent:?} after {agreed:?}");
            before = consent.generation;
            remove(&world, MCP).await;
        }
        // The same where the next owner makes it its default.
        import(&world, &plugin("next", "mcp.example")).await;
        add(&world, other.id, "https://next.example").await;
        remove(&world, "https://next.example").await;
        redemption_for(&world, "https://next.example").await;
        import(&world, &plugin("next", "next.example")).await;
        let key = ConsentKey { resource: "https://next.example".into(), ..key };
        assert!(world.store.consent(&key).await.unwrap().unwrap().revoked_at.is_some());
        // What is there already is not registered again.
        let kept = world.family().await;
        assert!(matches!(add(&world, world.plugin.id, "https://todo.example").await, AddResource::Known(_)));
        import(&world, &plugin("todo", "todo.example")).await;
        assert!(world.store.standing_family(kept, at(8)).await.unwrap().is_some());
    }

    async fn a_default_is_never_removed(engine) {
        let world = World::new(engine).await;
        let kept = remove(&world, "https://todo.example").await;
        assert!(matches!(&kept, RemoveResource::IsDefault(one) if one.plugin_slug == "todo"), "{kept:?}");
        assert_eq!(world.database.count("resources").await, 1);
        assert_eq!(world.database.audited("resource.removed").await, 0);
    }

    async fn only_one_plugin_makes_an_only_default(engine) {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        assert!(store.only_default_resource().await.unwrap().is_none());
        let world = World::new(engine).await;
        add(&world, world.plugin.id, MCP).await;
        let only = world.store.only_default_resource().await.unwrap().unwrap();
        assert_eq!((only.identifier.as_str(), only.is_default), ("https://todo.example", true));
        import(&world, &plugin("other", "other.example")).await;
        assert!(world.store.only_default_resource().await.unwrap().is_none());
    }

    async fn the_first_below_an_origin_is_found(engine) {
        let world = World::new(engine).await;
        for (number, identifier) in [
            "https://api.example/second",
            "https://api.example.org/x",
            "https://api.example:8443/x",
            "https://API.example/first",
            "https://percent.example?x=1",
        ]
        .into_iter()
        .enumerate()
        {
            // The later it is registered the earlier it was made.
            let milliseconds = 100 - i64::try_from(number).unwrap();
            world.store.add_resource(&new(world.plugin.id, identifier, milliseconds), &audit(at(5))).await.unwrap();
        }
        for (origin, first) in [
            ("https://api.example", Some("https://API.example/first")),
            ("https://api.example:8443", Some("https://api.example:8443/x")),
            ("https://api", None),
            ("https://todo.example", None),
            ("https://percent.example", None),
            ("https://api.exampl_", None),
            ("%", None),
            ("", None),
            ("\0", None),
        ] {
            let found = world.store.resource_below(origin).await.unwrap();
            assert_eq!(found.as_ref().map(|found| found.identifier.as_str()), first, "{origin:?}");
        }
    }

    async fn a_plugin_that_moves_keeps_its_old_resource(engine) {
        let world = World::new(engine).await;
        let family = world.family().await;
        let moved = Plugin { id: PluginId(random::id(at(7))), ..plugin("todo", "new.example") };
        let ImportPlugin::Updated(now) = import(&world, &moved).await else { panic!() };
        assert_eq!(now.resource, "https://new.example");
        assert_eq!(
            seen(&world).await,
            [row("todo", "https://todo.example", false), row("todo", "https://new.example", true)]
        );
        let client = world.store.client(&world.client_id, at(8)).await.unwrap().unwrap();
        assert_eq!(client.home.unwrap().identifier.as_str(), "https://new.example");
        assert_eq!(world.present(family, 0, 8).await, Answer::Rotated(1), "what stands for the old one still does");
        let mut named = world.rotation(family, 1, 9);
        named.resource = Some("https://todo.example".into());
        assert_eq!(present(&world.store, &named).await, Answer::Repeated(1));

        let back = Plugin { id: PluginId(random::id(at(7))), ..plugin("todo", "todo.example") };
        let ImportPlugin::Updated(now) = import(&world, &back).await else { panic!() };
        assert_eq!(now.resource, "https://todo.example");
        assert_eq!(
            seen(&world).await,
            [row("todo", "https://todo.example", true), row("todo", "https://new.example", false)]
        );
        assert!(world.store.standing_family(family, at(9)).await.unwrap().is_some());
    }

    async fn a_resource_that_becomes_the_default_keeps_its_spelling(engine) {
        let world = World::new(engine).await;
        add(&world, world.plugin.id, "https://New.example/").await;
        let redemption = redemption_for(&world, "https://New.example/").await;
        world.store.redeem(&redemption, &audit(start())).await.unwrap();
        let moved = Plugin { id: PluginId(random::id(at(7))), ..plugin("todo", "new.example") };
        let ImportPlugin::Updated(now) = import(&world, &moved).await else { panic!() };
        assert_eq!(now.resource, "https://New.example/", "tokens and documents said so");
        assert!(world.store.standing_family(redemption.id, at(8)).await.unwrap().is_some());
        assert_eq!(world.database.count("resources").await, 2);
    }

    async fn nobody_moves_onto_anothers_resource(engine) {
        let world = World::new(engine).await;
        add(&world, world.plugin.id, "https://other.example").await;
        let refused = import(&world, &plugin("other", "other.example")).await;
        assert!(matches!(&refused, ImportPlugin::ResourceTaken { slug } if slug == "todo"), "{refused:?}");
        assert!(world.store.plugin_by_slug("other").await.unwrap().is_none());
        import(&world, &plugin("other", "mine.example")).await;
        let moved = Plugin { id: PluginId(random::id(at(7))), ..plugin("other", "other.example") };
        let refused = import(&world, &moved).await;
        assert!(matches!(&refused, ImportPlugin::ResourceTaken { slug } if slug == "todo"), "{refused:?}");
        let other = world.store.plugin_by_slug("other").await.unwrap().unwrap();
        assert_eq!((other.host.as_str(), other.resource.as_str()), ("mine.example", "https://mine.example"));
    }

    async fn of_twenty_who_want_a_resource_one_plugin_gets_it(engine) {
        let world = World::new(engine).await;
        import(&world, &plugin("other", "other.example")).await;
        let other = world.store.plugin_by_slug("other").await.unwrap().unwrap();
        let plugins = [world.plugin.id, other.id];
        let answers = at_once(20, |number| {
            let (store, plugin) = (world.store.clone(), plugins[number % 2]);
            async move { store.add_resource(&new(plugin, "https://shared.example", 5), &audit(at(5))).await.unwrap() }
        })
        .await;
        let count = |of: fn(&AddResource) -> bool| answers.iter().filter(|answer| of(answer)).count();
        assert_eq!(count(|answer| matches!(answer, AddResource::Added(_))), 1);
        assert_eq!(count(|answer| matches!(answer, AddResource::Known(_))), 9);
        assert_eq!(count(|answer| matches!(answer, AddResource::Taken { .. })), 10);
        assert_eq!(world.database.count("resources").await, 3);
        assert_eq!(world.database.audited("resource.added").await, 1);
    }

    async fn importing_and_registering_at_once_leave_every_plugin_its_default(engine) {
        let world = World::new(engine).await;
        let answers = at_once(12, |number| {
            let (store, todo) = (world.store.clone(), world.plugin.id);
            async move {
                if number % 2 == 0 {
                    let plugin = Plugin { id: PluginId(random::id(at(7))), ..plugin("race", "race.example") };
                    let import = PluginImport::of(plugin, vec![], at(7));
                    matches!(
                        store.import_plugin(&import, &audit(at(7))).await.unwrap(),
                        ImportPlugin::Created(_) | ImportPlugin::Updated(_)
                    )
                } else {
                    let added = store.add_resource(&new(todo, "https://race.example", 5), &audit(at(5))).await.unwrap();
                    matches!(added, AddResource::Added(_) | AddResource::Known(_))
                }
            }
        })
        .await;
        let (imported, registered): (Vec<_>, Vec<_>) = answers.chunks(2).map(|pair| (pair[0], pair[1])).unzip();
        assert!(imported.iter().all(|one| *one == imported[0]) && registered.iter().all(|one| *one != imported[0]));
        let plugins = world.store.plugins().await.unwrap();
        assert!(plugins.iter().all(|plugin| !plugin.resource.is_empty()), "{plugins:?}");
    }
}
