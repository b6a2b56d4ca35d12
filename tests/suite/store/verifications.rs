//! What plugins prove, and looks at it: nothing is decided by a look at what stood there before, each look is taken by one
//! node, and importing again never leaves a plugin verified that nobody has looked at.

use std::collections::HashSet;

use consentry::{
    model::{
        id::PluginId,
        plugin::{Plugin, PluginState},
        verification::{Finding, Look, Outcome, Verification},
    },
    store::{
        Store,
        plugins::{ImportPlugin, PluginImport},
        verifications::{KeepLook, LookKeeping, LookTaking, SetChallenge, SetToken, TokenSetting},
    },
};
use serde_json::json;

use super::{
    facts::{World, at, audit, plugin},
    links::new_mail,
};
use crate::{harness::aside::at_once, on_both_engines};

const TOKEN: &str = "d1f4c6e0a2b94f7e8d35b1c09a7e6f21";

async fn set_token(store: &Store, id: PluginId, token: &str, milliseconds: i64) -> Option<Plugin> {
    match set_seen(store, (id, None), token, milliseconds).await {
        SetToken::Published(plugin) => Some(*plugin),
        SetToken::Gone => None,
        SetToken::ChangedMeanwhile => panic!("nothing was seen"),
    }
}

async fn set_seen(store: &Store, (id, seen): (PluginId, Option<i64>), token: &str, milliseconds: i64) -> SetToken {
    let (service, token, at) = ("openai".to_owned(), token.to_owned(), at(milliseconds));
    let setting = TokenSetting { plugin_id: id, service, token, seen, at };
    store.set_verification_token(&setting, &audit(at)).await.unwrap()
}

/// A look at the plugin as it was read.
fn keeping((plugin, known): &(Plugin, Verification), outcome: Outcome, state: PluginState) -> LookKeeping {
    let findings =
        vec![Finding { field: "logo_url".into(), says: "a <b>".into(), served: Some("é".into()), found: None }];
    let look = Look { at: at(50), outcome, says: "It is so.".into(), findings };
    let verification = Verification {
        look: Some(look),
        failures: 3,
        failing_since: Some(at(40)),
        verified_at: Some(at(30)),
        broken_at: Some(at(35)),
        due_at: Some(at(100)),
        ..known.clone()
    };
    LookKeeping { plugin_id: plugin.id, version: plugin.version, state, verification, mails: vec![] }
}

async fn read(world: &World) -> (Plugin, Verification) {
    world.store.verification(world.plugin.id).await.unwrap().unwrap()
}

async fn keep(world: &World, keeping: &LookKeeping) -> KeepLook {
    world.store.keep_look(keeping, &audit(at(50))).await.unwrap()
}

/// A world whose plugin publishes a token and was found to match.
async fn verified(engine: crate::harness::databases::Engine) -> World {
    let world = World::new(engine).await;
    set_token(&world.store, world.plugin.id, TOKEN, 10).await.unwrap();
    let kept = keep(&world, &keeping(&read(&world).await, Outcome::Matches, PluginState::Verified)).await;
    assert!(matches!(kept, KeepLook::Kept(ref plugin) if plugin.state == PluginState::Verified), "{kept:?}");
    world
}

async fn import(world: &World, change: impl FnOnce(&mut Plugin)) -> Plugin {
    let mut again = world.store.plugin(world.plugin.id).await.unwrap().unwrap();
    change(&mut again);
    match world.store.import_plugin(&PluginImport::of(again, vec![], at(60)), &audit(at(60))).await.unwrap() {
        ImportPlugin::Updated(plugin) => plugin,
        other => panic!("{other:?}"),
    }
}

async fn take(store: &Store, milliseconds: i64, looks_max: u32) -> Vec<PluginId> {
    let taking = LookTaking { at: at(milliseconds), until: at(milliseconds + 100), looks_max };
    store.take_looks(&taking).await.unwrap()
}

on_both_engines! {
    async fn a_token_is_published_and_a_look_is_due(engine) {
        let world = World::new(engine).await;
        let fresh = Verification { revision: 1, ..Verification::default() };
        assert_eq!(read(&world).await.1, fresh, "a draft is not looked at");
        assert!(take(&world.store, 1_000_000, 10).await.is_empty());
        let published = set_token(&world.store, world.plugin.id, TOKEN, 10).await.unwrap();
        assert_eq!(published.state, PluginState::Published);
        assert_eq!(published.manifest["auth"]["verification_tokens"], json!({ "openai": TOKEN }));
        assert_eq!(published.manifest["name_for_human"], world.plugin.manifest["name_for_human"]);
        let (read_again, known) = read(&world).await;
        assert_eq!((read_again.version, read_again.state), (published.version, PluginState::Published));
        assert_eq!((published.version, known.due_at), (world.plugin.version + 1, Some(at(10))));
        // The same once more is nothing.
        let again = set_token(&world.store, world.plugin.id, TOKEN, 20).await.unwrap();
        assert_eq!((again.version, read(&world).await.1), (published.version, known));
        assert_eq!(world.database.audited("plugin.verification_token_set").await, 1);
        assert!(set_token(&world.store, PluginId(uuid::Uuid::nil()), TOKEN, 0).await.is_none());
    }

    async fn of_two_tokens_for_what_both_saw_the_second_is_told(engine) {
        let world = World::new(engine).await;
        let seen = (world.plugin.id, Some(1));
        let set = async |token: &str| set_seen(&world.store, seen, token, 5).await;
        let SetToken::Published(first) = set(TOKEN).await else { panic!("the first is published") };
        assert_eq!(first.version, 2);
        assert!(matches!(set(TOKEN).await, SetToken::Published(_)), "it is there already");
        let other = "77a0b1c2d3e4f5061728394a5b6c7d8e";
        assert!(matches!(set(other).await, SetToken::ChangedMeanwhile));
        assert_eq!(read(&world).await.0.manifest, first.manifest);
        assert_eq!(world.database.audited("plugin.verification_token_set").await, 1);
    }

    async fn a_look_is_kept_whole_with_its_event_and_its_mails(engine) {
        let world = verified(engine).await;
        let before = read(&world).await;
        let mut broken = keeping(&before, Outcome::Differs, PluginState::Published);
        broken.mails = vec![new_mail(Some(world.account)), new_mail(None)];
        let kept = keep(&world, &broken).await;
        assert!(matches!(kept, KeepLook::Kept(ref plugin) if plugin.state == PluginState::Published), "{kept:?}");
        assert_eq!(world.database.count("outgoing_mails").await, 2);
        let (plugin, known) = read(&world).await;
        assert_eq!((plugin.state, plugin.version), (PluginState::Published, before.0.version), "a look is no change");
        assert_eq!(known, Verification { revision: before.1.revision + 1, ..broken.verification });
        // What stays as it was is no event.
        keep(&world, &keeping(&read(&world).await, Outcome::Differs, PluginState::Published)).await;
        let [verified, unverified] = ["plugin.verified", "plugin.unverified"];
        assert_eq!((world.database.audited(verified).await, world.database.audited(unverified).await), (1, 1));
        let nobody = PluginId(uuid::Uuid::nil());
        let nobody = LookKeeping { plugin_id: nobody, ..keeping(&before, Outcome::Matches, PluginState::Verified) };
        assert!(matches!(keep(&world, &nobody).await, KeepLook::Gone));
    }

    async fn a_look_at_what_stood_there_before_decides_nothing(engine) {
        let world = verified(engine).await;
        let before = read(&world).await;
        set_token(&world.store, world.plugin.id, "another-token-0a1b2c3d", 55).await.unwrap();
        let stale = keeping(&before, Outcome::Matches, PluginState::Verified);
        assert!(matches!(keep(&world, &stale).await, KeepLook::ChangedMeanwhile));
        let (plugin, known) = read(&world).await;
        assert_eq!((plugin.state, &known.look, known.due_at), (PluginState::Published, &None, Some(at(55))));
        assert_eq!((known.failures, known.failing_since), (0, None));
        assert_eq!((known.verified_at, known.broken_at), (Some(at(30)), Some(at(35))), "what was is still known");
        // Somebody has changed words that nobody reads back: what was read is older all the same.
        let before = read(&world).await;
        import(&world, |plugin| plugin.upstream = None).await;
        let stale = keeping(&before, Outcome::Matches, PluginState::Verified);
        assert!(matches!(keep(&world, &stale).await, KeepLook::ChangedMeanwhile));
    }

    async fn of_many_looks_at_once_one_is_kept(engine) {
        let world = verified(engine).await;
        let before = read(&world).await;
        let kept = at_once(50, |number| {
            let state = if number % 2 == 0 { PluginState::Published } else { PluginState::Verified };
            let store = world.store.clone();
            let keeping = keeping(&before, Outcome::Differs, state);
            async move { matches!(store.keep_look(&keeping, &audit(at(50))).await.unwrap(), KeepLook::Kept(_)) }
        })
        .await;
        assert_eq!(kept.into_iter().filter(|kept| *kept).count(), 1);
    }

    async fn importing_again_leaves_the_state_true(engine) {
        let world = verified(engine).await;
        let seen = read(&world).await.1;
        let same = import(&world, |plugin| plugin.upstream = None).await;
        assert_eq!((same.state, read(&world).await.1), (PluginState::Verified, seen.clone()));
        // A file that says nothing of tokens takes none away.
        let untold = import(&world, |plugin| plugin.manifest["auth"] = json!({ "verification_tokens": {} })).await;
        assert_eq!(untold.manifest["auth"]["verification_tokens"], json!({ "openai": TOKEN }));
        assert_eq!(untold.state, PluginState::Verified, "nothing that is published has changed");
        let words = import(&world, |plugin| plugin.manifest["name_for_human"] = json!("Else")).await;
        assert_eq!((words.state, read(&world).await.1.due_at), (PluginState::Published, Some(at(60))));
        assert_eq!(read(&world).await.1.look, None);

        let world = verified(engine).await;
        let moved = import(&world, |plugin| plugin.host = "new.todo.example".parse().unwrap()).await;
        assert_eq!(moved.state, PluginState::Published);
        let world = verified(engine).await;
        let tokens = json!({ "openai": "0f1e2d3c4b5a6978" });
        let other = import(&world, |plugin| plugin.manifest["auth"]["verification_tokens"] = tokens).await;
        assert_eq!(other.state, PluginState::Published);
        // The same file as at first, from somebody who claims to have looked.
        let world = World::new(engine).await;
        let claimed = import(&world, |plugin| plugin.state = PluginState::Verified).await;
        assert_eq!(claimed.state, PluginState::Draft);
    }

    async fn each_look_that_is_due_is_taken_by_one_node(engine) {
        let world = World::new(engine).await;
        let mut ids = vec![world.plugin.id];
        for number in 0..20 {
            let plugin = plugin(&format!("p{number}"), &format!("p{number}.example"));
            world.store.import_plugin(&PluginImport::of(plugin.clone(), vec![], at(0)), &audit(at(0))).await.unwrap();
            ids.push(plugin.id);
        }
        for id in &ids {
            set_token(&world.store, *id, TOKEN, 10).await.unwrap();
        }
        assert!(take(&world.store, 9, 100).await.is_empty());
        let taken = at_once(50, |_| {
            let store = world.store.clone();
            async move { take(&store, 10, 2).await }
        })
        .await
        .concat();
        let distinct: HashSet<PluginId> = taken.iter().copied().collect();
        assert_eq!(distinct.len(), taken.len(), "none is taken twice");
        let left = take(&world.store, 10, 100).await;
        assert_eq!(taken.len() + left.len(), ids.len(), "none is lost");
        assert!(take(&world.store, 109, 100).await.is_empty());
        assert_eq!(take(&world.store, 110, 100).await.len(), ids.len(), "whoever took them said nothing");
    }

    async fn the_proof_of_a_domain_is_its_hosts(engine) {
        let world = World::new(engine).await;
        let proof = async |host: &str| world.store.challenge(&host.parse().unwrap()).await.unwrap();
        assert_eq!(proof("todo.example").await, None);
        for token in ["first-proof", "second-proof"] {
            let set = world.store.set_challenge(world.plugin.id, (token, None), &audit(at(5))).await.unwrap();
            assert_eq!(set, SetChallenge::Set);
            assert_eq!(proof("todo.example").await.as_deref(), Some(token));
        }
        let late = world.store.set_challenge(world.plugin.id, ("third-proof", Some("first-proof")), &audit(at(6))).await;
        assert_eq!(late.unwrap(), SetChallenge::ChangedMeanwhile);
        assert_eq!(proof("todo.example").await.as_deref(), Some("second-proof"));
        assert_eq!(proof("other.example").await, None);
        let gone = world.store.set_challenge(PluginId(uuid::Uuid::nil()), ("x", None), &audit(at(5))).await.unwrap();
        assert_eq!(gone, SetChallenge::Gone);
        assert_eq!(world.database.audited("plugin.challenge_set").await, 2);
        // Looks and tokens leave it alone.
        set_token(&world.store, world.plugin.id, TOKEN, 10).await.unwrap();
        keep(&world, &keeping(&read(&world).await, Outcome::Matches, PluginState::Verified)).await;
        assert_eq!(proof("todo.example").await.as_deref(), Some("second-proof"));
    }
}
