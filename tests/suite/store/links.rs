//! One-time links: each works once, until its last millisecond, and a newer one ends it.

use consentry::{
    model::{
        account::{Account, Role},
        digest::Digest,
        id::{AccountId, LinkId, MailId},
        link::{LinkPurpose, LinkState},
    },
    random,
    store::{
        Store,
        links::{MakeLink, NewLink},
        mails::NewMail,
        people::{Followed, PasswordReset, SignUp},
    },
};

use super::facts::{World, at, audit, new_account, start};
use crate::{harness::aside::at_once, on_both_engines};

/// A link that lives for 877 milliseconds, by its secret.
pub fn new_link(secret: &str, purpose: LinkPurpose, account_id: Option<AccountId>, email: &str) -> NewLink {
    NewLink {
        id: LinkId(random::id(start())),
        digest: Digest::of(secret),
        purpose,
        account_id,
        email: email.parse().unwrap(),
        role: None,
        language: Some("de".into()),
        request: None,
        at: start(),
        expires_at: at(877),
        unexpired_max: 3,
    }
}

/// A mail about an account.
pub fn new_mail(account_id: Option<AccountId>) -> NewMail {
    NewMail {
        id: MailId(random::id(start())),
        account_id,
        sealed: b"sealed".to_vec(),
        at: start(),
        due_at: start(),
        expires_at: at(877),
    }
}

/// Makes a link that must be made.
pub async fn made(store: &Store, link: &NewLink) {
    assert_eq!(store.make_link(link, None, None).await.unwrap(), MakeLink::Made);
}

/// An account by the link to its address.
pub fn sign_up(secret: &str) -> SignUp {
    SignUp {
        link: Digest::of(secret),
        id: AccountId(random::id(start())),
        name: "Grace".into(),
        password_hash: Some("$argon2id$g".into()),
    }
}

/// A new password by a link.
pub fn reset(secret: &str) -> PasswordReset {
    PasswordReset { link: Digest::of(secret), password_hash: "$argon2id$new".into(), mail: None }
}

/// The account of a step that was taken.
pub fn done(followed: Followed) -> Account {
    match followed {
        Followed::Done(account) => *account,
        other => panic!("{other:?}"),
    }
}

/// What can be said of a link at some time.
pub async fn state(store: &Store, secret: &str, milliseconds: i64) -> &'static str {
    match store.link(Digest::of(secret), at(milliseconds)).await.unwrap() {
        LinkState::Standing(_) => "standing",
        LinkState::Used => "used",
        LinkState::Gone => "gone",
    }
}

on_both_engines! {
    async fn a_link_is_found_as_it_was_made(engine) {
        let world = World::new(engine).await;
        let mut new = new_link("one", LinkPurpose::Invitation, None, "Grace@Example.com");
        new.role = Some(Role::Owner);
        new.request = Some("r".repeat(4000));
        assert_eq!(world.store.make_link(&new, Some(&new_mail(None)), Some(&audit(at(0)))).await.unwrap(), MakeLink::Made);
        let LinkState::Standing(link) = world.store.link(new.digest, at(1)).await.unwrap() else { panic!() };
        assert_eq!((link.id, link.purpose, link.account_id), (new.id, LinkPurpose::Invitation, None));
        assert_eq!((link.email.as_str(), link.role, link.language), ("grace@example.com", new.role, new.language));
        assert_eq!((link.request, link.expires_at), (new.request, at(877)));
        assert_eq!(world.database.count("outgoing_mails").await, 1);
        assert_eq!(world.database.audited("account.invited").await, 1);
        assert_eq!(state(&world.store, "other", 1).await, "gone");
    }

    async fn a_link_stands_until_its_last_millisecond(engine) {
        let world = World::new(engine).await;
        made(&world.store, &new_link("one", LinkPurpose::ResetPassword, Some(world.account), "ada@example.com")).await;
        assert_eq!(state(&world.store, "one", 876).await, "standing");
        assert_eq!(state(&world.store, "one", 877).await, "gone");
        let late = world.store.reset_password(&reset("one"), &audit(at(877))).await.unwrap();
        assert!(matches!(late, Followed::LinkGone), "{late:?}");
        done(world.store.reset_password(&reset("one"), &audit(at(876))).await.unwrap());
    }

    async fn of_fifty_clicks_one_resets_the_password(engine) {
        let world = World::new(engine).await;
        made(&world.store, &new_link("one", LinkPurpose::ResetPassword, Some(world.account), "ada@example.com")).await;
        let answers = at_once(50, |number| {
            let store = world.store.clone();
            let mut reset = reset("one");
            reset.password_hash = format!("$argon2id${number}");
            reset.mail = Some(new_mail(Some(world.account)));
            async move { (number, store.reset_password(&reset, &audit(at(1))).await.unwrap()) }
        })
        .await;
        let won: Vec<_> = answers.iter().filter(|(_, answer)| matches!(answer, Followed::Done(_))).collect();
        assert_eq!(won.len(), 1, "{won:?}");
        let (account, hash) = world.store.account(world.account).await.unwrap().unwrap();
        assert_eq!(hash.unwrap(), format!("$argon2id${}", won[0].0));
        assert_eq!((account.generation, account.session_generation), (2, 2));
        assert_eq!(world.database.count("outgoing_mails").await, 1);
        assert_eq!(world.database.audited("account.password_reset").await, 1);
        assert_eq!(state(&world.store, "one", 2).await, "used");
    }

    async fn of_fifty_clicks_one_makes_the_account(engine) {
        let world = World::new(engine).await;
        made(&world.store, &new_link("one", LinkPurpose::SignUp, None, "grace@example.com")).await;
        let answers = at_once(50, |_| {
            let store = world.store.clone();
            async move { store.sign_up(&sign_up("one"), &audit(at(1))).await.unwrap() }
        })
        .await;
        assert_eq!(answers.iter().filter(|answer| matches!(answer, Followed::Done(_))).count(), 1);
        assert_eq!(world.database.count("accounts").await, 2);
    }

    async fn a_newer_link_ends_the_older_ones_for_the_same(engine) {
        let world = World::new(engine).await;
        let (account, email) = (Some(world.account), "ada@example.com");
        made(&world.store, &new_link("reset", LinkPurpose::ResetPassword, account, email)).await;
        made(&world.store, &new_link("verify", LinkPurpose::VerifyEmail, account, email)).await;
        made(&world.store, &new_link("sign-up", LinkPurpose::SignUp, None, "grace@example.com")).await;
        made(&world.store, &new_link("reset again", LinkPurpose::ResetPassword, account, email)).await;
        made(&world.store, &new_link("of somebody else", LinkPurpose::SignUp, None, "joan@example.com")).await;
        assert_eq!(state(&world.store, "reset", 1).await, "gone");
        assert!(matches!(
            world.store.reset_password(&reset("reset"), &audit(at(1))).await.unwrap(),
            Followed::LinkGone
        ));
        for secret in ["verify", "sign-up", "reset again"] {
            assert_eq!(state(&world.store, secret, 1).await, "standing", "{secret}");
        }
        made(&world.store, &new_link("sign-up again", LinkPurpose::SignUp, None, "grace@example.com")).await;
        assert_eq!(state(&world.store, "sign-up", 1).await, "gone");
        assert_eq!(state(&world.store, "sign-up again", 1).await, "standing");
    }

    async fn a_mailbox_is_not_filled(engine) {
        let world = World::new(engine).await;
        for number in 0..5 {
            let link = new_link(&format!("{number}"), LinkPurpose::SignUp, None, "grace@example.com");
            let expected = if number < 3 { MakeLink::Made } else { MakeLink::TooMany };
            assert_eq!(world.store.make_link(&link, Some(&new_mail(None)), None).await.unwrap(), expected);
        }
        assert_eq!(world.database.count("outgoing_mails").await, 3);
        assert_eq!(state(&world.store, "2", 1).await, "standing", "the newest works");
        let mut later = new_link("later", LinkPurpose::SignUp, None, "grace@example.com");
        (later.at, later.expires_at) = (at(877), at(2000));
        made(&world.store, &later).await;
    }

    /// Where there is no account there is no row of one that those who come at once would wait for.
    async fn of_fifty_asked_for_at_once_a_mailbox_gets_few(engine) {
        let world = World::new(engine).await;
        let answers = at_once(50, |number| {
            let store = world.store.clone();
            let link = new_link(&format!("{number}"), LinkPurpose::SignUp, None, "grace@example.com");
            async move { store.make_link(&link, Some(&new_mail(None)), None).await.unwrap() }
        })
        .await;
        let made = answers.iter().filter(|answer| **answer == MakeLink::Made).count();
        assert!((1..=3).contains(&made), "{answers:?}");
        let made = i64::try_from(made).unwrap();
        assert_eq!((world.database.count("links").await, world.database.count("outgoing_mails").await), (made, made));
        assert_eq!(world.database.count("links where ended_at is null").await, 1, "the newest stands");
    }

    /// Strangers who wish for somebody's address leave its owner room, and nobody writes to others without end.
    async fn changes_of_address_are_counted_by_who_asks(engine) {
        let world = World::new(engine).await;
        let other = new_account("joan@example.com");
        world.store.add_account(&other, &audit(at(0))).await.unwrap();
        let wish = |number: usize, account, email: &str| {
            new_link(&format!("{account:?} {number}"), LinkPurpose::ChangeEmail, Some(account), email)
        };
        for number in 0..5 {
            let to = format!("wish{number}@example.com");
            let expected = if number < 3 { MakeLink::Made } else { MakeLink::TooMany };
            let answer = world.store.make_link(&wish(number, other.id, &to), None, None).await.unwrap();
            assert_eq!(answer, expected, "{number}");
        }
        made(&world.store, &wish(0, world.account, "wish0@example.com")).await;
        made(&world.store, &wish(1, world.account, "wish0@example.com")).await;
    }

    /// Nor can many accounts together fill somebody's mailbox.
    async fn only_so_many_changes_lead_to_one_address(engine) {
        let world = World::new(engine).await;
        for number in 0..21 {
            let account = new_account(&format!("asker{number}@example.com"));
            world.store.add_account(&account, &audit(at(0))).await.unwrap();
            let link = new_link(&format!("{number}"), LinkPurpose::ChangeEmail, Some(account.id), "victim@example.com");
            let expected = if number < 20 { MakeLink::Made } else { MakeLink::TooMany };
            assert_eq!(world.store.make_link(&link, None, None).await.unwrap(), expected, "{number}");
        }
    }

    async fn what_has_expired_is_not_ended_once_more(engine) {
        let world = World::new(engine).await;
        let (account, email) = (Some(world.account), "ada@example.com");
        made(&world.store, &new_link("verify", LinkPurpose::VerifyEmail, account, email)).await;
        made(&world.store, &new_link("reset", LinkPurpose::ResetPassword, account, email)).await;
        let mut later = new_link("later", LinkPurpose::ResetPassword, account, email);
        (later.at, later.expires_at) = (at(900), at(2000));
        made(&world.store, &later).await;
        assert!(world.store.set_password(world.account, "$argon2id$new", &audit(at(901))).await.unwrap());
        assert_eq!(world.database.count("links where ended_at is null").await, 2, "only the last one is");
        // Where there is no account, what has expired gives way.
        made(&world.store, &new_link("sign-up", LinkPurpose::SignUp, None, "grace@example.com")).await;
        let mut again = new_link("sign-up again", LinkPurpose::SignUp, None, "grace@example.com");
        (again.at, again.expires_at) = (at(900), at(2000));
        made(&world.store, &again).await;
    }

    async fn what_an_account_has_no_right_to_is_not_made(engine) {
        let world = World::new(engine).await;
        let elsewhere = new_link("one", LinkPurpose::ResetPassword, Some(world.account), "other@example.com");
        assert_eq!(world.store.make_link(&elsewhere, None, None).await.unwrap(), MakeLink::NotStanding);
        let nobody = AccountId(random::id(start()));
        let of_nobody = new_link("two", LinkPurpose::ResetPassword, Some(nobody), "ada@example.com");
        assert_eq!(world.store.make_link(&of_nobody, None, None).await.unwrap(), MakeLink::NotStanding);
        world.store.disable_account(world.account, &audit(at(0))).await.unwrap();
        let disabled = new_link("three", LinkPurpose::ResetPassword, Some(world.account), "ada@example.com");
        assert_eq!(world.store.make_link(&disabled, None, None).await.unwrap(), MakeLink::NotStanding);
        assert_eq!(world.database.count("links").await, 0);
    }

    async fn a_link_for_nobody_can_be_made_and_never_used(engine) {
        let world = World::new(engine).await;
        made(&world.store, &new_link("one", LinkPurpose::ResetPassword, None, "nobody@example.com")).await;
        assert_eq!(state(&world.store, "one", 1).await, "gone");
        let used = world.store.reset_password(&reset("one"), &audit(at(1))).await.unwrap();
        assert!(matches!(used, Followed::LinkGone), "{used:?}");
    }

    async fn a_link_is_good_for_its_own_purpose_only(engine) {
        let world = World::new(engine).await;
        made(&world.store, &new_link("verify", LinkPurpose::VerifyEmail, Some(world.account), "ada@example.com")).await;
        made(&world.store, &new_link("sign-up", LinkPurpose::SignUp, None, "grace@example.com")).await;
        for (secret, purpose) in [("verify", "reset"), ("sign-up", "reset"), ("sign-up", "verify"), ("verify", "sign up")] {
            let answer = match purpose {
                "reset" => world.store.reset_password(&reset(secret), &audit(at(1))).await,
                "verify" => world.store.verify_email(Digest::of(secret), &audit(at(1))).await,
                _ => world.store.sign_up(&sign_up(secret), &audit(at(1))).await,
            };
            assert!(matches!(answer.unwrap(), Followed::LinkGone), "{secret} to {purpose}");
        }
        assert_eq!(state(&world.store, "verify", 1).await, "standing");
        assert_eq!(state(&world.store, "sign-up", 1).await, "standing");
    }

    async fn a_used_link_stays_used_after_a_restart(engine) {
        let mut world = World::new(engine).await;
        made(&world.store, &new_link("one", LinkPurpose::ResetPassword, Some(world.account), "ada@example.com")).await;
        world.store.close().await;
        world.store = world.database.open().await;
        done(world.store.reset_password(&reset("one"), &audit(at(1))).await.unwrap());
        world.store.close().await;
        world.store = world.database.open().await;
        assert!(matches!(world.store.reset_password(&reset("one"), &audit(at(2))).await.unwrap(), Followed::LinkGone));
    }
}
