//! What people do with their own accounts: what each step changes, what it ends, and what goes on.

use consentry::{
    model::{
        account::Role,
        digest::Digest,
        id::{LinkId, SessionId},
        link::LinkPurpose,
    },
    random,
    store::{
        factors::NewApp,
        identities::LinkIdentity,
        people::{EmailChange, Followed, PasswordChange},
        sessions::NewSession,
    },
};

use super::{
    facts::{World, at, audit, new_account, new_session, start},
    identities::new_identity,
    links::{done, made, new_link, new_mail, reset, sign_up, state},
};
use crate::{harness::aside::at_once, on_both_engines};

/// Signs in somewhere.
pub async fn session(world: &World, cookie: &str) -> NewSession {
    let session = new_session(world.account, cookie, 0);
    assert!(world.store.start_session(&session).await.unwrap());
    session
}

fn password_change(world: &World, verified: &str) -> PasswordChange {
    PasswordChange {
        account_id: world.account,
        verified: Some(verified.into()),
        password_hash: "$argon2id$new".into(),
        session: Digest::of("here"),
        mail: Some(new_mail(Some(world.account))),
    }
}

fn email_change(world: &World, secret: &str, from: &str, way_back: &str) -> EmailChange {
    let way_back = new_link(way_back, LinkPurpose::RestoreEmail, Some(world.account), from);
    let way_back = consentry::store::links::NewLink { id: LinkId(random::id(start())), ..way_back };
    EmailChange {
        link: Digest::of(secret),
        from: from.parse().unwrap(),
        way_back: Some(way_back),
        mail: Some(new_mail(Some(world.account))),
    }
}

on_both_engines! {
    async fn an_account_is_made_by_the_link_to_its_address(engine) {
        let world = World::new(engine).await;
        made(&world.store, &new_link("one", LinkPurpose::SignUp, None, "grace@example.com")).await;
        let grace = sign_up("one");
        let account = done(world.store.sign_up(&grace, &audit(at(5))).await.unwrap());
        assert_eq!((account.id, account.email.as_str(), account.name.as_str()), (grace.id, "grace@example.com", "Grace"));
        assert_eq!((account.role, account.enabled, account.generation), (Role::Person, true, 1));
        assert_eq!((account.email_verified_at, account.created_at), (Some(at(5)), at(5)));
        assert_eq!(account.language.as_deref(), Some("de"));
        let (found, hash) = world.store.account_by_email(&account.email).await.unwrap().unwrap();
        assert_eq!((found.id, hash), (grace.id, grace.password_hash));
        assert_eq!(world.database.audited("account.added").await, 2);
    }

    async fn an_invitation_says_what_the_account_may_do(engine) {
        let world = World::new(engine).await;
        let mut link = new_link("one", LinkPurpose::Invitation, None, "olive@example.com");
        link.role = Some(Role::Owner);
        made(&world.store, &link).await;
        let mut olive = sign_up("one");
        olive.password_hash = None;
        assert_eq!(done(world.store.sign_up(&olive, &audit(at(1))).await.unwrap()).role, Role::Owner);
        assert_eq!(world.store.account(olive.id).await.unwrap().unwrap().1, None);
    }

    async fn an_address_that_was_taken_meanwhile_is_told(engine) {
        let world = World::new(engine).await;
        made(&world.store, &new_link("one", LinkPurpose::SignUp, None, "grace@example.com")).await;
        world.store.add_account(&new_account("grace@example.com"), &audit(at(0))).await.unwrap();
        assert!(matches!(world.store.sign_up(&sign_up("one"), &audit(at(1))).await.unwrap(), Followed::EmailTaken));
        assert_eq!(state(&world.store, "one", 2).await, "standing");
        made(&world.store, &new_link("two", LinkPurpose::ChangeEmail, Some(world.account), "grace@example.com")).await;
        let change = email_change(&world, "two", "ada@example.com", "back");
        assert!(matches!(world.store.change_email(&change, &audit(at(1))).await.unwrap(), Followed::EmailTaken));
        assert_eq!(state(&world.store, "back", 2).await, "gone");
        assert_eq!(world.database.count("outgoing_mails").await, 0);
    }

    async fn an_address_is_verified_once(engine) {
        let world = World::new(engine).await;
        for (secret, time) in [("one", 5), ("two", 6)] {
            made(&world.store, &new_link(secret, LinkPurpose::VerifyEmail, Some(world.account), "ada@example.com")).await;
            let account = done(world.store.verify_email(Digest::of(secret), &audit(at(time))).await.unwrap());
            assert_eq!(account.email_verified_at, Some(at(5)));
        }
        assert_eq!(world.database.audited("account.email_verified").await, 1);
    }

    async fn a_reset_ends_everything_and_verifies_the_address(engine) {
        let world = World::new(engine).await;
        let family = world.family().await;
        let here = session(&world, "here").await;
        let links = [("one", LinkPurpose::ResetPassword), ("verify", LinkPurpose::VerifyEmail)];
        for (secret, purpose) in links {
            made(&world.store, &new_link(secret, purpose, Some(world.account), "ada@example.com")).await;
        }
        let account = done(world.store.reset_password(&reset("one"), &audit(at(1))).await.unwrap());
        assert_eq!((account.generation, account.email_verified_at), (2, Some(at(1))));
        assert!(world.store.session(here.digest, at(2)).await.unwrap().is_none());
        assert!(world.store.standing_family(family, at(2)).await.unwrap().is_none());
        assert_eq!(state(&world.store, "verify", 2).await, "gone");
        assert!(!world.store.start_session(&here).await.unwrap_or(false), "the generation of before starts nothing");
    }

    async fn a_change_of_password_ends_other_sessions_and_no_connection(engine) {
        let world = World::new(engine).await;
        let family = world.family().await;
        let (here, there) = (session(&world, "here").await, session(&world, "there").await);
        made(&world.store, &new_link("reset", LinkPurpose::ResetPassword, Some(world.account), "ada@example.com")).await;
        made(&world.store, &new_link("new", LinkPurpose::ChangeEmail, Some(world.account), "new@example.com")).await;
        assert!(!world.store.change_password(&password_change(&world, "$other"), &audit(at(1))).await.unwrap());
        assert!(world.store.change_password(&password_change(&world, "$argon2id$x"), &audit(at(2))).await.unwrap());
        assert!(world.store.session(here.digest, at(3)).await.unwrap().is_some());
        assert!(world.store.session(there.digest, at(3)).await.unwrap().is_none());
        assert!(world.store.standing_family(family, at(3)).await.unwrap().is_some());
        for secret in ["reset", "new"] {
            assert_eq!(state(&world.store, secret, 3).await, "gone", "{secret}");
        }
        let late = NewSession { id: SessionId(random::id(start())), digest: Digest::of("late"), ..there };
        assert!(!world.store.start_session(&late).await.unwrap(), "the password it began with is another");
        assert_eq!(world.store.account(world.account).await.unwrap().unwrap().1.unwrap(), "$argon2id$new");
        assert_eq!((world.database.count("outgoing_mails").await, world.database.count("sessions").await), (1, 1));
    }

    async fn no_session_begun_with_the_old_password_outlives_its_change(engine) {
        let world = World::new(engine).await;
        session(&world, "here").await;
        at_once(20, |number| {
            let store = world.store.clone();
            let change = password_change(&world, "$argon2id$x");
            let session = new_session(world.account, &format!("cookie {number}"), 0);
            async move {
                if number == 10 {
                    assert!(store.change_password(&change, &audit(at(1))).await.unwrap());
                } else {
                    store.start_session(&session).await.unwrap();
                }
            }
        })
        .await;
        for number in 0..20 {
            let digest = Digest::of(format!("cookie {number}"));
            assert!(world.store.session(digest, at(2)).await.unwrap().is_none(), "{number}");
        }
        assert!(world.store.session(Digest::of("here"), at(2)).await.unwrap().is_some());
    }

    async fn of_fifty_changes_of_a_password_one_counts(engine) {
        let world = World::new(engine).await;
        session(&world, "here").await;
        let answers = at_once(50, |number| {
            let store = world.store.clone();
            let mut change = password_change(&world, "$argon2id$x");
            change.password_hash = format!("$argon2id${number}");
            async move { store.change_password(&change, &audit(at(1))).await.unwrap() }
        })
        .await;
        assert_eq!(answers.iter().filter(|changed| **changed).count(), 1);
        assert!(world.store.session(Digest::of("here"), at(2)).await.unwrap().is_some());
    }

    async fn a_changed_address_has_a_way_back_that_survives_everything_else(engine) {
        let world = World::new(engine).await;
        let (family, here) = (world.family().await, session(&world, "here").await);
        made(&world.store, &new_link("reset", LinkPurpose::ResetPassword, Some(world.account), "ada@example.com")).await;
        made(&world.store, &new_link("new", LinkPurpose::ChangeEmail, Some(world.account), "thief@example.com")).await;
        let change = email_change(&world, "new", "ada@example.com", "back");
        let account = done(world.store.change_email(&change, &audit(at(1))).await.unwrap());
        assert_eq!((account.email.as_str(), account.email_verified_at), ("thief@example.com", Some(at(1))));
        assert!(world.store.session(here.digest, at(2)).await.unwrap().is_some());
        assert!(world.store.standing_family(family, at(2)).await.unwrap().is_some());
        assert_eq!(state(&world.store, "reset", 2).await, "gone");

        // A thief goes on: another password, another address, and back.
        assert!(world.store.change_password(&password_change(&world, "$argon2id$x"), &audit(at(3))).await.unwrap());
        made(&world.store, &new_link("newer", LinkPurpose::ChangeEmail, Some(world.account), "alias@example.com")).await;
        let mut change = email_change(&world, "newer", "thief@example.com", "the thief's way back");
        change.way_back.as_mut().unwrap().at = at(4);
        done(world.store.change_email(&change, &audit(at(4))).await.unwrap());
        let mut another = new_link("another", LinkPurpose::RestoreEmail, Some(world.account), "thief@example.com");
        another.at = at(4);
        made(&world.store, &another).await;
        done(world.store.reset_password(&reset("another"), &audit(at(4))).await.unwrap());

        let (store, ada) = (&world.store, world.account);
        let app = NewApp { account_id: ada, sealed: b"the thief's".to_vec(), step: 1 };
        assert!(store.add_authenticator_app(&app, &audit(at(4))).await.unwrap());
        let elsewhere = new_identity("https://a.example", "thief", "thief@example.com");
        let linked = store.link_identity(ada, &elsewhere, &audit(at(4))).await.unwrap();
        assert_eq!(linked, LinkIdentity::Linked);

        assert_eq!(state(&world.store, "back", 5).await, "standing");
        let account = done(world.store.reset_password(&reset("back"), &audit(at(5))).await.unwrap());
        assert_eq!((account.email.as_str(), account.generation), ("ada@example.com", 3));
        assert!(world.store.session(here.digest, at(6)).await.unwrap().is_none());
        assert!(world.store.standing_family(family, at(6)).await.unwrap().is_none());
        assert!(!store.has_factors(ada).await.unwrap(), "what was added since is not the owner's");
        assert!(store.identities(ada).await.unwrap().is_empty());
        assert_eq!(state(&world.store, "the thief's way back", 6).await, "gone", "the first owner has the last word");
        assert_eq!(world.database.audited("account.email_restored").await, 2);
    }

    async fn a_change_is_told_to_the_address_of_the_moment(engine) {
        let world = World::new(engine).await;
        made(&world.store, &new_link("new", LinkPurpose::ChangeEmail, Some(world.account), "new@example.com")).await;
        let stale = email_change(&world, "new", "before@example.com", "back");
        assert!(matches!(world.store.change_email(&stale, &audit(at(1))).await.unwrap(), Followed::LinkGone));
        assert_eq!(state(&world.store, "new", 2).await, "standing");
    }

    async fn names_and_languages_change(engine) {
        let world = World::new(engine).await;
        assert!(world.store.change_name(world.account, "Ada Lovelace", &audit(at(1))).await.unwrap());
        assert!(!world.store.change_name(world.account, "Ada Lovelace", &audit(at(1))).await.unwrap());
        assert!(world.store.choose_language(world.account, Some("ja")).await.unwrap());
        let (account, _) = world.store.account(world.account).await.unwrap().unwrap();
        assert_eq!((account.name.as_str(), account.language.as_deref()), ("Ada Lovelace", Some("ja")));
        assert_eq!(world.database.audited("account.renamed").await, 1);
    }
}
