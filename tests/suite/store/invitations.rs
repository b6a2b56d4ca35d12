//! What ends with an invitation to own a plugin, and how much mail there is of them.

use consentry::{
    model::{
        account::Role,
        audit::{Actor, Audit},
        id::AccountId,
        link::{LinkPurpose, LinkState},
    },
    store::{invitations::NewInvitation, links::NewLink, owners::RemoveOwner, people::Deletion, plugins::PluginImport},
};

use super::{
    facts::{World, at, audit, plugin, start},
    links::new_link,
    plugin_people::{invitation, verified},
};
use crate::on_both_engines;

on_both_engines! {
    /// What an invitation brings with it goes with it: the mailed link makes no account any more.
    async fn an_invitation_takes_its_link_along(engine) {
        let world = World::new(engine).await;
        let stands = async |link: &NewLink| {
            matches!(world.store.link(link.digest, at(5)).await.unwrap(), LinkState::Standing(_))
        };
        let invite = async |text: &str, email: &str, by: Option<AccountId>| {
            let mut link = new_link(text, LinkPurpose::Invitation, None, email);
            link.role = Some(Role::Person);
            let asked = NewInvitation { link: Some(link.clone()), ..invitation(&world, email) };
            let actor = by.map_or(Actor::Operator, Actor::Account);
            assert!(world.store.invite_owner(&asked, &Audit { actor, ..audit(at(1)) }).await.unwrap());
            assert!(stands(&link).await);
            link
        };
        let withdrawn = invite("one", "grace@example.com", None).await;
        let kept = invite("two", "joan@example.com", None).await;
        assert!(world.store.end_invitation(world.plugin.id, &withdrawn.email, &audit(at(2))).await.unwrap());
        assert!(!stands(&withdrawn).await && stands(&kept).await);

        let (olive, other) = (verified(&world, "olive@example.com").await, verified(&world, "oscar@example.com").await);
        for owner in [olive, other] {
            world.store.add_owner(world.plugin.id, owner, &audit(at(1))).await.unwrap();
        }
        let hers = invite("three", "kay@example.com", Some(olive)).await;
        let his = invite("four", "lee@example.com", Some(other)).await;
        let removed = world.store.remove_owner(world.plugin.id, olive, &audit(at(3))).await.unwrap();
        assert_eq!(removed, RemoveOwner::Removed);
        assert!(!stands(&hers).await && stands(&his).await);
        let left: Vec<String> = world.store.invitations_of(world.plugin.id, at(4)).await.unwrap()
            .into_iter().map(|it| it.email.to_string()).collect();
        assert_eq!(left, ["joan@example.com", "lee@example.com"]);
        let deletion = Deletion { account_id: other, verified: None, mail: None };
        assert!(world.store.delete_account(&deletion, &audit(at(4))).await.unwrap());
        assert!(!stands(&his).await);
        assert_eq!(world.store.invitations_of(world.plugin.id, at(5)).await.unwrap().len(), 1);
    }

    /// However many plugins somebody owns, an address gets few mails, and an inviter sends few.
    async fn mail_is_bounded_over_all_plugins(engine) {
        let world = World::new(engine).await;
        let olive = verified(&world, "olive@example.com").await;
        let by_olive = |milliseconds| Audit { actor: Actor::Account(olive), ..audit(at(milliseconds)) };
        let (mut to_grace, mut sent) = (0, 0);
        for number in 0..4 {
            let own = plugin(&format!("own-{number}"), &format!("own-{number}.example"));
            world.store.import_plugin(&PluginImport::of(own.clone(), vec![], start()), &audit(start())).await.unwrap();
            for _ in 0..3 {
                let asked = NewInvitation { plugin_id: own.id, ..invitation(&world, "grace@example.com") };
                to_grace += i32::from(world.store.invite_owner(&asked, &by_olive(1)).await.unwrap());
            }
            for person in 0..15 {
                let email = format!("p{number}-{person}@example.com");
                let asked = NewInvitation { plugin_id: own.id, ..invitation(&world, &email) };
                sent += i32::from(world.store.invite_owner(&asked, &by_olive(2)).await.unwrap());
            }
        }
        assert_eq!((to_grace, to_grace + sent), (6, 40));
    }
}
