//! Whom a plugin lets in: the rules name people as they are at that moment, and what stands narrows or stops with them.

use consentry::{
    model::{
        access::{Access, Grants, Group, Rule, Who},
        id::{AccountId, GroupId},
    },
    random,
    store::{
        access::{AccessChange, SetAccess, ShutOut},
        families::{Redeem, Redemption, Rotate},
    },
};

use super::facts::{World, at, audit, new_account, plugin, scopes, start};
use crate::{harness::aside::at_once, on_both_engines, writes};

fn domain(domain: &str) -> Who {
    Who::Domain(domain.parse().unwrap())
}

fn person(email: &str) -> Who {
    Who::Person(email.parse().unwrap())
}

fn rule(who: Who, grants: &str) -> Rule {
    let grants = if grants == "everything" { Grants::Everything } else { Grants::These(scopes(grants)) };
    Rule { who, grants }
}

/// Lets these in, whatever was before.
async fn let_in(world: &World, rules: Vec<Rule>) {
    set(world, Access::Only(rules)).await;
}

async fn set(world: &World, access: Access) {
    let (version, _) = world.store.access(world.plugin.id).await.unwrap().unwrap();
    let change = AccessChange { plugin_id: world.plugin.id, version, access };
    let done = world.store.set_access(&change, &audit(at(1))).await.unwrap();
    assert_eq!(done, SetAccess::Done(version + 1));
}

async fn group(world: &World, name: &str) -> Group {
    let group = Group { id: GroupId(random::id(start())), name: name.parse().unwrap() };
    assert!(world.store.create_group(&group, &audit(at(0))).await.unwrap());
    group
}

async fn confirm(world: &World) {
    world.database.execute("update accounts set email_verified_at = created_at").await;
}

/// What the world's person may grant, in words.
async fn grants(world: &World) -> String {
    match world.store.grants_of(world.plugin.id, world.account).await.unwrap() {
        None => "nothing".to_owned(),
        Some(Grants::Everything) => "everything".to_owned(),
        Some(Grants::These(scopes)) => scopes.to_string(),
    }
}

on_both_engines! {
    /// One table for every way in which a rule could name somebody; an address counts once it is confirmed.
    async fn rules_name_whom_they_say_and_nobody_else(engine) {
        let world = World::new(engine).await;
        let (staff, others) = (group(&world, "staff").await, group(&world, "others").await);
        world.store.add_member(staff.id, world.account, &audit(at(0))).await.unwrap();
        assert_eq!(grants(&world).await, "everything", "a plugin is open until somebody says otherwise");
        for (rules, unconfirmed, confirmed) in [
            (vec![], "nothing", "nothing"),
            (vec![rule(Who::Everyone, "todo.read")], "todo.read", "todo.read"),
            (vec![rule(domain("example.com"), "everything")], "nothing", "everything"),
            (vec![rule(domain("ample.com"), "everything")], "nothing", "nothing"),
            (vec![rule(domain("mail.example.com"), "everything")], "nothing", "nothing"),
            (vec![rule(domain("a-much-longer-domain.than-her-address.example.com"), "everything")], "nothing", "nothing"),
            (vec![rule(person("ada@example.com"), "todo.read")], "nothing", "todo.read"),
            (vec![rule(person("da@example.com"), "everything")], "nothing", "nothing"),
            (vec![rule(Who::Group(staff.clone()), "todo.write")], "todo.write", "todo.write"),
            (vec![rule(Who::Group(others.clone()), "everything")], "nothing", "nothing"),
            (
                vec![rule(domain("example.com"), "todo.read"), rule(Who::Group(staff.clone()), "todo.write")],
                "todo.write",
                "todo.read todo.write",
            ),
            (
                vec![rule(Who::Everyone, "todo.read"), rule(person("ada@example.com"), "everything")],
                "todo.read",
                "everything",
            ),
        ] {
            let_in(&world, rules.clone()).await;
            let (_, access) = world.store.access(world.plugin.id).await.unwrap().unwrap();
            assert_eq!(access.rules().len(), rules.len());
            assert!(rules.iter().all(|rule| access.rules().contains(rule)), "{access:?}");
            world.database.execute("update accounts set email_verified_at = null").await;
            assert_eq!(grants(&world).await, unconfirmed, "{rules:?}");
            confirm(&world).await;
            assert_eq!(grants(&world).await, confirmed, "{rules:?}");
        }
    }

    /// What a connection gets is asked anew at the code, at each refresh and when an API asks.
    async fn what_stands_narrows_and_stops_with_the_rules(engine) {
        let world = World::new(engine).await;
        confirm(&world).await;
        let (family, code) = (world.family().await, world.redemption());
        let granted = async |milliseconds| {
            world.store.standing_family(family, at(milliseconds)).await.unwrap().map(|family| family.scopes.to_string())
        };
        let_in(&world, vec![rule(domain("example.com"), "todo.read")]).await;
        assert_eq!(granted(2).await.as_deref(), Some("todo.read"));
        match world.store.rotate(&world.rotation(family, 0, 3), &audit(at(3))).await.unwrap() {
            Rotate::Rotated { family, .. } => assert_eq!(family.scopes, scopes("todo.read")),
            other => panic!("{other:?}"),
        }
        match world.store.redeem(&code, &audit(at(4))).await.unwrap() {
            Redeem::Won(family) => assert_eq!(family.scopes, scopes("todo.read")),
            other => panic!("{other:?}"),
        }
        let_in(&world, vec![rule(person("grace@example.com"), "everything")]).await;
        assert_eq!(granted(5).await, None);
        let refreshed = world.store.rotate(&world.rotation(family, 1, 6), &audit(at(6))).await.unwrap();
        assert!(matches!(refreshed, Rotate::NotStanding), "{refreshed:?}");
        let redeemed = world.store.redeem(&world.redemption(), &audit(at(6))).await.unwrap();
        assert!(matches!(redeemed, Redeem::NotStanding), "{redeemed:?}");
        assert!(world.store.is_shut_out(family, at(7)).await.unwrap());
        assert!(world.store.living_family(family, at(7)).await.unwrap().is_some(), "it can be let go of");
        // What was shut out by mistake goes on where it was.
        set(&world, Access::Open).await;
        assert_eq!(granted(8).await.as_deref(), Some("todo.read todo.write"));
        assert!(!world.store.is_shut_out(family, at(8)).await.unwrap());
        let refreshed = world.store.rotate(&world.rotation(family, 1, 9), &audit(at(9))).await.unwrap();
        assert!(matches!(refreshed, Rotate::Repeated { .. } | Rotate::Rotated { .. }), "{refreshed:?}");
    }

    /// Nothing goes on with no scope at all, which would be the plugin as a whole; and nothing is lost by that.
    async fn what_is_narrowed_to_nothing_does_not_stand(engine) {
        let world = World::new(engine).await;
        confirm(&world).await;
        let family = world.family().await;
        let_in(&world, vec![rule(domain("example.com"), "todo.share")]).await;
        assert!(world.store.standing_family(family, at(2)).await.unwrap().is_none());
        let refreshed = world.store.rotate(&world.rotation(family, 0, 3), &audit(at(3))).await.unwrap();
        assert!(matches!(refreshed, Rotate::NotStanding), "{refreshed:?}");
        let redeemed = world.store.redeem(&world.redemption(), &audit(at(3))).await.unwrap();
        assert!(matches!(redeemed, Redeem::NotStanding), "{redeemed:?}");
        assert_eq!(world.database.count("families").await, 1);
        assert!(world.store.is_shut_out(family, at(4)).await.unwrap());
        assert!(world.store.living_family(family, at(4)).await.unwrap().is_some(), "it can be let go of");
        let apps = world.store.connected_apps(world.account, at(4)).await.unwrap();
        assert_eq!(apps.iter().map(|app| app.connections.len()).sum::<usize>(), 1, "also by the person");
        set(&world, Access::Open).await;
        match world.store.rotate(&world.rotation(family, 0, 5), &audit(at(5))).await.unwrap() {
            Rotate::Rotated { counter, .. } => assert_eq!(counter, 1, "the refusal has turned nothing"),
            other => panic!("{other:?}"),
        }
    }

    /// Also while its person is shut out, a code that comes again ends what it gave: they may be let in again.
    async fn a_code_that_comes_again_ends_what_it_gave_whoever_is_let_in(engine) {
        let world = World::new(engine).await;
        for (number, rules) in [vec![], vec![rule(Who::Everyone, "todo.share")]].into_iter().enumerate() {
            set(&world, Access::Open).await;
            let code = world.redemption();
            let redeemed = world.store.redeem(&code, &audit(at(2))).await.unwrap();
            assert!(matches!(redeemed, Redeem::Won(_)), "{redeemed:?}");
            let_in(&world, rules).await;
            let again = Redemption { redemption: random::bytes(), ..code.clone() };
            let redeemed = world.store.redeem(&again, &audit(at(3))).await.unwrap();
            assert!(matches!(redeemed, Redeem::Replayed), "{redeemed:?}");
            assert_eq!(world.database.audited("family.ended").await, i64::try_from(number).unwrap() + 1);
            set(&world, Access::Open).await;
            assert!(world.store.standing_family(code.id, at(4)).await.unwrap().is_none());
        }
    }

    /// A rule, a group or an address that changes counts at once, and takes no more than its own write.
    async fn whoever_loses_what_named_them_is_out_at_once(engine) {
        let world = World::new(engine).await;
        confirm(&world).await;
        let family = world.family().await;
        let stands = async || world.store.standing_family(family, at(5)).await.unwrap().is_some();
        let staff = group(&world, "staff").await;
        let_in(&world, vec![rule(Who::Group(staff.clone()), "everything")]).await;
        assert!(!stands().await);
        assert!(world.store.add_member(staff.id, world.account, &audit(at(2))).await.unwrap());
        assert!(!world.store.add_member(staff.id, world.account, &audit(at(2))).await.unwrap());
        assert!(stands().await);
        let (removed, written) = writes!(world, world.store.remove_member(staff.id, world.account, &audit(at(3))).await.unwrap());
        assert!(removed && written <= 2, "one small step; Postgres counts the statements in it: {written}");
        assert!(!stands().await);
        world.store.add_member(staff.id, world.account, &audit(at(4))).await.unwrap();
        assert!(stands().await);
        let told = world.database.audited("plugin.access_changed").await;
        assert!(world.store.delete_group(staff.id, &audit(at(4))).await.unwrap());
        assert_eq!(world.database.audited("plugin.access_changed").await, told + 1, "its plugin's own log tells it");
        assert!(!world.store.delete_group(staff.id, &audit(at(4))).await.unwrap());
        assert!(!stands().await);
        // Another group with the same name is another one.
        let again = group(&world, "staff").await;
        world.store.add_member(again.id, world.account, &audit(at(4))).await.unwrap();
        assert!(!stands().await);
        assert!(world.store.access(world.plugin.id).await.unwrap().unwrap().1.rules().is_empty());

        let_in(&world, vec![rule(domain("example.com"), "everything")]).await;
        assert!(stands().await);
        world.database.execute("update accounts set email = 'ada@example.org'").await;
        assert!(!stands().await);
    }

    async fn of_two_who_change_it_the_second_is_told(engine) {
        let world = World::new(engine).await;
        let done = at_once(10, |number| {
            let (store, plugin_id) = (world.store.clone(), world.plugin.id);
            let access = Access::Only(vec![rule(domain(&format!("d{number}.example")), "everything")]);
            let change = AccessChange { plugin_id, version: 1, access };
            async move { store.set_access(&change, &audit(at(1))).await.unwrap() }
        })
        .await;
        assert_eq!(done.iter().filter(|it| **it == SetAccess::Done(2)).count(), 1, "{done:?}");
        assert_eq!(done.iter().filter(|it| **it == SetAccess::ChangedMeanwhile).count(), 9, "{done:?}");
        assert_eq!((world.database.count("access_rules").await, world.database.audited("plugin.access_changed").await), (1, 1));
        let staff = group(&world, "staff").await;
        world.store.delete_group(staff.id, &audit(at(2))).await.unwrap();
        let access = Access::Only(vec![rule(Who::Group(staff), "everything")]);
        let change = AccessChange { plugin_id: world.plugin.id, version: 2, access };
        assert_eq!(world.store.set_access(&change, &audit(at(3))).await.unwrap(), SetAccess::ChangedMeanwhile);
        assert_eq!(world.database.count("access_rules").await, 1, "what was there stays");
    }

    /// Told beforehand, and nothing of it is kept.
    async fn whom_a_change_shuts_out_is_known_before(engine) {
        let world = World::new(engine).await;
        confirm(&world).await;
        let cost = async |access: Access| world.store.shut_out_by(world.plugin.id, &access).await.unwrap();
        let only = |who| Access::Only(vec![rule(who, "everything")]);
        assert_eq!(cost(only(domain("example.com"))).await, ShutOut { people: 0, is_all: true });
        assert_eq!(cost(only(domain("example.org"))).await, ShutOut { people: 1, is_all: true });
        assert_eq!(cost(Access::Only(vec![])).await, ShutOut { people: 1, is_all: true });
        assert_eq!(cost(Access::Open).await, ShutOut { people: 0, is_all: true });
        assert_eq!(world.store.access(world.plugin.id).await.unwrap().unwrap(), (1, Access::Open));
        let_in(&world, vec![]).await;
        assert_eq!(cost(Access::Only(vec![])).await, ShutOut { people: 0, is_all: true }, "who is out already");
    }

    /// What another plugin lets in, it lets in for itself.
    async fn a_rule_is_its_own_plugins(engine) {
        let world = World::new(engine).await;
        confirm(&world).await;
        let other = plugin("other", "other.example");
        let import = consentry::store::plugins::PluginImport::of(other.clone(), vec![], start());
        world.store.import_plugin(&import, &audit(start())).await.unwrap();
        let access = Access::Only(vec![rule(domain("example.com"), "everything")]);
        let change = AccessChange { plugin_id: other.id, version: 1, access };
        world.store.set_access(&change, &audit(at(1))).await.unwrap();
        let_in(&world, vec![]).await;
        assert_eq!(grants(&world).await, "nothing");
        assert_eq!(world.store.grants_of(other.id, world.account).await.unwrap(), Some(Grants::Everything));
        let nobody = AccountId(random::id(start()));
        assert_eq!(world.store.grants_of(other.id, nobody).await.unwrap(), None);
        let grace = new_account("grace@example.org");
        world.store.add_account(&grace, &audit(at(1))).await.unwrap();
        assert_eq!(world.store.grants_of(other.id, grace.id).await.unwrap(), None);
    }
}
