//! Who is connected to a plugin, who is invited to own it, and what its log says: by key, and nothing of another's.

use chrono::TimeDelta;
use consentry::{
    model::{
        audit::{Actor, Audit},
        id::{AccountId, ConsentId, PluginId},
        link::LinkPurpose,
    },
    random,
    store::{
        audit_log::{LogLine, LogQuery, Of},
        clients::NewClient,
        consents::{ConsentGrant, ConsentKey},
        families::{Redeem, Redemption},
        invitations::NewInvitation,
        owners::Page,
        people::Deletion,
        plugins::PluginImport,
        resources::{NewResource, RemoveResource},
        sweep::Sweep,
    },
};

use super::{
    facts::{World, at, audit, new_account, new_client, origin, plugin, scopes, start},
    links::{made, new_link, new_mail},
};
use crate::{harness::aside::at_once, on_both_engines, writes};

fn page<K>(before: Option<K>) -> Page<K> {
    Page { before, rows_max: 3 }
}

async fn people(world: &World, plugin: PluginId, before: Option<ConsentId>) -> Vec<ConsentId> {
    let resource = &world.plugin.resource;
    let people = world.store.people_of(plugin, resource, page(before)).await.unwrap();
    people.into_iter().map(|person| person.consent_id).collect()
}

async fn another_plugin(world: &World) -> PluginId {
    let other = plugin("other", "other.example");
    let id = other.id;
    world.store.import_plugin(&PluginImport::of(other, vec![], start()), &audit(start())).await.unwrap();
    id
}

/// The same person by one client more.
async fn connect(world: &World, milliseconds: i64) -> ConsentGrant {
    let client = NewClient { secret: None, ..new_client(&world.plugin) };
    world.store.add_client(&client, &audit(start())).await.unwrap();
    let grant = ConsentGrant {
        id: ConsentId(random::id(at(milliseconds))),
        key: ConsentKey { client_id: client.id, ..world.consent_key() },
        scopes: scopes("todo.read"),
        left_out: scopes(""),
        document: None,
    };
    world.store.grant_consent(&grant, &audit(at(milliseconds))).await.unwrap();
    grant
}

async fn log(world: &World, of: Of) -> Vec<LogLine> {
    world.store.audit_log(&LogQuery { of, page: Page { before: None, rows_max: 100 } }).await.unwrap()
}

/// An invitation to the world's plugin, good for a week.
pub fn invitation(world: &World, email: &str) -> NewInvitation {
    let email = email.parse().unwrap();
    let expires_at = start() + TimeDelta::days(7);
    NewInvitation { plugin_id: world.plugin.id, email, mail: new_mail(None), link: None, expires_at }
}

/// An account whose address was shown to be theirs.
pub async fn verified(world: &World, email: &str) -> AccountId {
    let account = new_account(email);
    world.store.add_account(&account, &audit(start())).await.unwrap();
    let statement = format!("update accounts set email_verified_at = created_at where email = '{email}'");
    world.database.execute(&statement).await;
    account.id
}

on_both_engines! {
    async fn people_come_page_by_page_and_only_to_whose_plugin_it_is(engine) {
        let world = World::new(engine).await;
        let other = another_plugin(&world).await;
        let mut expected = vec![world.consent.id];
        for number in 1..=4 {
            expected.insert(0, connect(&world, number).await.id);
        }
        let first = people(&world, world.plugin.id, None).await;
        assert_eq!(first, expected[..3]);
        assert_eq!(people(&world, world.plugin.id, Some(first[2])).await, expected[3..]);
        assert!(people(&world, other, None).await.is_empty(), "another's resource");
        assert_eq!(world.store.count_people_of(world.plugin.id, 100).await.unwrap(), 5);
        assert_eq!(world.store.count_people_of(world.plugin.id, 2).await.unwrap(), 2, "counted no further");
        assert_eq!(world.store.count_people_of(other, 100).await.unwrap(), 0);
        let identifiers = world.store.identifiers_of(world.plugin.id).await.unwrap();
        assert_eq!(identifiers, std::slice::from_ref(&world.plugin.resource));
    }

    async fn a_person_is_shown_with_what_they_use(engine) {
        let world = World::new(engine).await;
        let shown = || async { world.store.people_of(world.plugin.id, &world.plugin.resource, page(None)).await.unwrap() };
        assert_eq!(shown().await[0].last_used_at, None);
        let family = world.family().await;
        assert_eq!(shown().await[0].last_used_at, Some(start()));
        world.store.rotate(&world.rotation(family, 0, 500), &audit(at(500))).await.unwrap();
        let person = shown().await.remove(0);
        assert_eq!((person.account_id, person.last_used_at), (world.account, Some(at(500))));
        assert_eq!((person.client_id, person.scopes.to_string()), (world.client_id.clone(), "todo.read todo.write".into()));
    }

    async fn one_is_disconnected_by_whose_plugin_it_is(engine) {
        let world = World::new(engine).await;
        let (other, family) = (another_plugin(&world).await, world.family().await);
        assert!(!world.store.disconnect_person(other, world.consent.id, &audit(at(1))).await.unwrap());
        assert!(world.store.standing_family(family, at(2)).await.unwrap().is_some());
        assert!(world.store.disconnect_person(world.plugin.id, world.consent.id, &audit(at(3))).await.unwrap());
        assert!(!world.store.disconnect_person(world.plugin.id, world.consent.id, &audit(at(4))).await.unwrap());
        assert!(world.store.standing_family(family, at(5)).await.unwrap().is_none());
        assert!(people(&world, world.plugin.id, None).await.is_empty());
        assert_eq!(world.database.audited("consent.revoked").await, 1);
    }

    /// However many there are it is the same small step, and nothing of before stands again: no connection, no code.
    async fn everybody_is_disconnected_at_once_and_for_good(engine) {
        let world = World::new(engine).await;
        let family = world.family().await;
        let (code, second) = (world.redemption(), connect(&world, 1).await);
        let ((), written) = writes!(world, world.store.disconnect_everybody(world.plugin.id, &audit(at(2))).await.unwrap());
        assert!(written <= 2, "one small step; Postgres counts the statements in it: {written}");
        assert!(world.store.standing_family(family, at(3)).await.unwrap().is_none());
        assert!(matches!(world.store.redeem(&code, &audit(at(3))).await.unwrap(), Redeem::NotStanding));
        assert!(people(&world, world.plugin.id, None).await.is_empty());
        assert_eq!(world.store.count_people_of(world.plugin.id, 9).await.unwrap(), 0);
        assert!(world.store.connected_apps(world.account, at(3)).await.unwrap().is_empty());
        for key in [world.consent_key(), second.key] {
            let known = world.store.consent(&key).await.unwrap().unwrap();
            assert!(known.revoked_at.is_some() && known.scopes.is_empty() && known.generation == 2, "{known:?}");
        }
        // Whoever agrees again begins anew.
        let grant = ConsentGrant {
            id: ConsentId(random::id(at(4))),
            key: world.consent_key(),
            scopes: scopes("todo.read"),
            left_out: scopes(""),
            document: None,
        };
        let given = world.store.grant_consent(&grant, &audit(at(4))).await.unwrap();
        assert_eq!((given.id, given.scopes.to_string(), given.revoked_at), (world.consent.id, "todo.read".into(), None));
        assert!(world.store.standing_family(family, at(5)).await.unwrap().is_none());
        assert!(matches!(world.store.redeem(&code, &audit(at(5))).await.unwrap(), Redeem::NotStanding));
        let mut anew = world.redemption();
        anew.birth.consent = given.generation;
        assert!(matches!(world.store.redeem(&anew, &audit(at(5))).await.unwrap(), Redeem::Won(_)));
        assert!(world.store.standing_family(anew.id, at(6)).await.unwrap().is_some());
        assert_eq!(people(&world, world.plugin.id, None).await, [world.consent.id]);
    }

    /// The generation goes with its resource; what had ended by it must not find a smaller sum afterwards.
    async fn a_resource_that_is_registered_again_revives_nothing(engine) {
        let world = World::new(engine).await;
        let identifier = "https://todo.example/mcp";
        let new = || NewResource {
            id: consentry::model::id::ResourceId(random::id(start())),
            plugin_id: world.plugin.id,
            identifier: identifier.parse().unwrap(),
            at: start(),
        };
        world.store.add_resource(&new(), &audit(at(1))).await.unwrap();
        let key = ConsentKey { resource: identifier.into(), ..world.consent_key() };
        let grant = |milliseconds| ConsentGrant {
            id: ConsentId(random::id(at(milliseconds))),
            key: key.clone(),
            scopes: scopes("todo.read"),
            left_out: scopes(""),
            document: None,
        };
        let mut families = Vec::new();
        let connect = async |milliseconds| {
            let given = world.store.grant_consent(&grant(milliseconds), &audit(at(milliseconds))).await.unwrap();
            let redemption = Redemption { consent_id: given.id, resource: identifier.into(), ..world.redemption() };
            let redemption = Redemption { birth: consentry::model::family::Birth { consent: given.generation, ..redemption.birth }, ..redemption };
            assert!(matches!(world.store.redeem(&redemption, &audit(at(milliseconds))).await.unwrap(), Redeem::Won(_)));
            redemption.id
        };
        for round in 0..3 {
            families.push(connect(10 * round).await);
            world.store.disconnect_everybody(world.plugin.id, &audit(at(10 * round + 1))).await.unwrap();
        }
        families.push(connect(40).await);
        let removed = world.store.remove_resource(identifier, &audit(at(41))).await.unwrap();
        assert!(matches!(removed, RemoveResource::Removed(_)), "{removed:?}");
        world.store.add_resource(&new(), &audit(at(42))).await.unwrap();
        for milliseconds in 43..46 {
            let standing = connect(milliseconds).await;
            for family in &families {
                assert!(world.store.standing_family(*family, at(50)).await.unwrap().is_none(), "an old one is back");
            }
            assert!(world.store.standing_family(standing, at(50)).await.unwrap().is_some());
            families.push(standing);
            world.store.revoke_consent(&key, &audit(at(milliseconds))).await.unwrap();
        }
    }

    async fn what_happened_belongs_to_the_plugin_it_happened_to(engine) {
        let world = World::new(engine).await;
        let other = another_plugin(&world).await;
        let code = world.redemption();
        world.store.redeem(&code, &audit(at(1))).await.unwrap();
        world.store.redeem(&Redemption { redemption: random::bytes(), ..code }, &audit(at(2))).await.unwrap();
        let family = world.family().await;
        world.store.revoke_access(family, 1, &audit(at(3))).await.unwrap();
        let stolen = world.family().await;
        for (presented, milliseconds) in [(0, 0), (1, 130_000), (0, 260_000)] {
            let rotation = world.rotation(stolen, presented, milliseconds);
            world.store.rotate(&rotation, &audit(at(milliseconds))).await.unwrap();
        }
        let end = consentry::store::families::FamilyEnd { id: family, reason: consentry::model::family::EndReason::Revoked };
        world.store.end_family(&end, &audit(at(4))).await.unwrap();
        world.store.revoke_consent(&world.consent_key(), &audit(at(5))).await.unwrap();
        let lines = log(&world, Of::Plugin(world.plugin.id)).await;
        let actions: Vec<_> = lines.iter().map(|line| line.action.as_str()).collect();
        for (action, times) in
            [("plugin.imported", 1), ("client.added", 1), ("consent.granted", 1), ("family.born", 3), ("family.ended", 3), ("access.revoked", 1), ("consent.revoked", 1)]
        {
            assert_eq!(actions.iter().filter(|it| **it == action).count(), times, "{action} in {actions:?}");
        }
        assert_eq!(log(&world, Of::Action(world.plugin.id, "family.born".into())).await.len(), 3);
        let of_client = log(&world, Of::Client(world.plugin.id, world.client)).await;
        assert_eq!(of_client.len(), lines.len() - 1, "all but the import");
        assert!(of_client.iter().all(|line| line.client_id.as_deref() == Some(world.client_id.as_str())));
        assert_eq!(log(&world, Of::Plugin(other)).await.len(), 1, "its own import");
        assert!(log(&world, Of::Client(other, world.client)).await.is_empty());
        let query = LogQuery { of: Of::Plugin(world.plugin.id), page: page(Some(lines[1].id)) };
        let older = world.store.audit_log(&query).await.unwrap();
        assert_eq!(older.iter().map(|line| line.id).collect::<Vec<_>>(), lines[2..5].iter().map(|line| line.id).collect::<Vec<_>>());
    }

    async fn an_invitation_is_accepted_once_and_by_whose_address_it_is(engine) {
        let world = World::new(engine).await;
        let (grace, joan) = (verified(&world, "grace@example.com").await, verified(&world, "joan@example.com").await);
        let asked = invitation(&world, "grace@example.com");
        assert!(world.store.invite_owner(&asked, &audit(at(1))).await.unwrap());
        assert_eq!(world.store.invitations_to(&asked.email, at(2)).await.unwrap()[0].slug, "todo");
        assert_eq!(world.store.invitations_of(world.plugin.id, at(2)).await.unwrap()[0].email, asked.email);
        assert!(!world.store.accept_invitation(world.plugin.id, joan, &audit(at(2))).await.unwrap(), "not theirs");
        world.database.execute("update accounts set email_verified_at = null").await;
        assert!(!world.store.accept_invitation(world.plugin.id, grace, &audit(at(2))).await.unwrap(), "not shown to be theirs");
        world.database.execute("update accounts set email_verified_at = created_at").await;
        let late = audit(asked.expires_at);
        assert!(!world.store.accept_invitation(world.plugin.id, grace, &late).await.unwrap(), "too late");
        let accepted = at_once(10, |_| {
            let (store, plugin) = (world.store.clone(), world.plugin.id);
            async move { store.accept_invitation(plugin, grace, &audit(at(3))).await.unwrap() }
        })
        .await;
        assert_eq!(accepted.into_iter().filter(|done| *done).count(), 1);
        let owners = world.store.owners(world.plugin.id).await.unwrap();
        assert_eq!(owners.iter().map(|owner| owner.account_id).collect::<Vec<_>>(), [grace]);
        assert_eq!(world.database.audited("plugin.owner_invited").await, 1);
        assert_eq!(world.database.audited("plugin.owner_added").await, 1);
        assert!(world.store.invitations_of(world.plugin.id, at(4)).await.unwrap().is_empty());
    }

    async fn an_invitation_that_was_taken_back_is_none(engine) {
        let world = World::new(engine).await;
        let grace = verified(&world, "grace@example.com").await;
        let asked = invitation(&world, "grace@example.com");
        world.store.invite_owner(&asked, &audit(at(1))).await.unwrap();
        assert!(world.store.end_invitation(world.plugin.id, &asked.email, &audit(at(2))).await.unwrap());
        assert!(!world.store.end_invitation(world.plugin.id, &asked.email, &audit(at(2))).await.unwrap());
        assert!(!world.store.accept_invitation(world.plugin.id, grace, &audit(at(3))).await.unwrap());
        assert!(world.store.invitations_to(&asked.email, at(3)).await.unwrap().is_empty());
    }

    /// Whoever owns a plugin can have mail sent to anybody: three to an address, whatever becomes of the first, and few
    /// addresses.
    async fn nobody_has_others_mailed_without_end(engine) {
        let world = World::new(engine).await;
        for (number, taken) in [true, true, true, false, false].into_iter().enumerate() {
            let again = invitation(&world, "grace@example.com");
            let time = at(i64::try_from(number).unwrap());
            assert_eq!(world.store.invite_owner(&again, &audit(time)).await.unwrap(), taken, "{number}");
            world.store.end_invitation(world.plugin.id, &again.email, &audit(time)).await.unwrap();
        }
        for number in 0..25 {
            let other = invitation(&world, &format!("{number}@example.com"));
            assert_eq!(world.store.invite_owner(&other, &audit(at(9))).await.unwrap(), number < 19, "{number}");
        }
        assert_eq!(world.database.count("outgoing_mails").await, 3 + 19);
        let later = audit(start() + TimeDelta::days(8));
        let asked = NewInvitation { expires_at: start() + TimeDelta::days(15), ..invitation(&world, "grace@example.com") };
        assert!(world.store.invite_owner(&asked, &later).await.unwrap(), "when the others are over");
    }

    async fn an_invitation_leaves_with_its_time_and_with_its_account(engine) {
        let world = World::new(engine).await;
        for email in ["ada@example.com", "grace@example.com"] {
            assert!(world.store.invite_owner(&invitation(&world, email), &audit(at(1))).await.unwrap());
        }
        let deletion = Deletion { account_id: world.account, verified: None, mail: None };
        assert!(world.store.delete_account(&deletion, &audit(at(2))).await.unwrap());
        assert_eq!(world.database.count("owner_invitations").await, 1, "Ada's went with her account");
        for (time, left) in [(start() + TimeDelta::days(7) - TimeDelta::seconds(1), 1), (start() + TimeDelta::days(7), 0)] {
            let sweep = Sweep {
                families_expired_by: start(),
                sessions_expired_by: time,
                clients_unused_since: start(),
                offers_unseen_since: start(),
                assertions_expired_by: start(),
                rows_max: 100,
            };
            world.store.sweep(&sweep).await.unwrap();
            assert_eq!(world.database.count("owner_invitations").await, left);
        }
    }

    async fn an_owners_invitation_ends_no_administrators(engine) {
        let world = World::new(engine).await;
        let mut theirs = new_link("theirs", LinkPurpose::Invitation, None, "olive@example.com");
        theirs.role = Some(consentry::model::account::Role::Owner);
        made(&world.store, &theirs).await;
        let mut ours = new_link("ours", LinkPurpose::Invitation, None, "olive@example.com");
        ours.role = Some(consentry::model::account::Role::Person);
        let asked = NewInvitation { link: Some(ours), ..invitation(&world, "olive@example.com") };
        assert!(world.store.invite_owner(&asked, &audit(at(1))).await.unwrap());
        let state = world.store.link(theirs.digest, at(2)).await.unwrap();
        assert!(matches!(state, consentry::model::link::LinkState::Standing(_)), "{state:?}");
    }

    /// From where an owner disconnected somebody is nothing to that person.
    async fn a_person_does_not_learn_where_an_owner_sits(engine) {
        let world = World::new(engine).await;
        let owner = verified(&world, "grace@example.com").await;
        let event = Audit { actor: Actor::Account(owner), origin: origin("198.51.100.7"), ..audit(at(1)) };
        world.store.disconnect_person(world.plugin.id, world.consent.id, &event).await.unwrap();
        let happened = world.store.happened_to(world.account, 1).await.unwrap();
        assert_eq!((happened[0].action.as_str(), happened[0].address.as_deref()), ("consent.revoked", None));
        let export = world.store.export_account(world.account).await.unwrap().unwrap();
        assert!(!format!("{export:?}").contains("198.51.100.7"));
        let lines = log(&world, Of::Plugin(world.plugin.id)).await;
        assert_eq!(lines[0].address.as_deref(), Some("198.51.100.7"), "the log has it");
    }
}
