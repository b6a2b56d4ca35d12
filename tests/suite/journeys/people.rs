//! People and their accounts, step by step as a page would take them, with the mail read from a real mail server.

use consentry::{
    jobs,
    mail::Security,
    model::{
        account::{Email, Role},
        audit::{Actor, Origin},
        digest::Digest,
        id::AccountId,
        link::{LinkPurpose, LinkState},
        proxies::TrustedProxies,
    },
    server::people::{
        self, Asked, Asker, Change, Person, Unproven, ask_for_reset, ask_to_change_email, ask_to_sign_up,
        change_password, confirm_email, delete, look, reset_password, sign_up,
    },
    store::{people::Followed, sessions::NewSession},
};

use crate::{
    harness::{
        databases::Engine,
        server::{Options, PASSWORD, World},
        smtp::{SmtpServer, link},
    },
    on_both_engines,
};

const NEW: &str = "another password of some length";

pub(super) struct Town {
    pub(super) world: World,
    smtp: SmtpServer,
}

impl Town {
    pub(super) async fn new(engine: Engine) -> Self {
        let smtp = SmtpServer::start(Security::Plain, false).await;
        let trusted_proxies = TrustedProxies(vec!["127.0.0.1/32".parse().unwrap()]);
        let options = Options { mail: Some(smtp.way.clone()), trusted_proxies, ..Options::default() };
        let world = World::with(engine, options).await;
        Self { world, smtp }
    }

    /// The newest mail to an address, once all was sent.
    pub(super) async fn mail_to(&self, address: &str) -> serde_json::Value {
        jobs::mail::once(&self.world.running.server).await.unwrap();
        self.smtp.mail_to(address).await
    }

    pub(super) async fn knows(&self, email: &str, password: &str) -> bool {
        let server = &self.world.running.server;
        let (_, hash) = server.store.account_by_email(&email.parse().unwrap()).await.unwrap().unwrap();
        server.passwords.verify(hash.as_deref(), password).await.unwrap()
    }
}

/// Who has signed in with the session `here`.
fn person(id: AccountId) -> Person {
    Person { id, session: Digest::of("here"), origin: Origin::default() }
}

fn address(text: &str) -> Email {
    text.parse().unwrap()
}

on_both_engines! {
    async fn a_person_signs_up_and_the_link_works_once(engine) {
        let town = Town::new(engine).await;
        let server = &town.world.running.server;
        let asker = Asker { language: Some("de".into()), request: Some("sealed".into()) };
        assert_eq!(ask_to_sign_up(server, &address("joan@example.com"), &asker).await.unwrap(), Asked::Taken);
        assert_eq!(town.world.database.count("accounts").await, 2, "there is no account before the mail was read");
        let (url, secret) = link(&town.mail_to("joan@example.com").await);
        assert_eq!(url, format!("{}/sign-up", town.world.running.url));
        let LinkState::Standing(found) = look(server, LinkPurpose::SignUp, &secret).await.unwrap() else { panic!() };
        assert_eq!((found.email.as_str(), found.request.as_deref()), ("joan@example.com", Some("sealed")));
        assert!(matches!(look(server, LinkPurpose::ResetPassword, &secret).await.unwrap(), LinkState::Gone));
        let Followed::Done(joan) = sign_up(server, &secret, ("Joan", NEW), Origin::default()).await.unwrap() else { panic!() };
        assert!(joan.email_verified_at.is_some() && joan.role == Role::Person);
        assert!(matches!(sign_up(server, &secret, ("Joan", NEW), Origin::default()).await.unwrap(), Followed::LinkGone));
        assert!(matches!(look(server, LinkPurpose::SignUp, &secret).await.unwrap(), LinkState::Used));
        assert!(town.knows("joan@example.com", NEW).await);
    }

    async fn whoever_has_an_account_is_told_by_mail_alone(engine) {
        let town = Town::new(engine).await;
        let server = &town.world.running.server;
        for email in ["ada@example.com", "new@example.com"] {
            assert_eq!(ask_to_sign_up(server, &address(email), &Asker::default()).await.unwrap(), Asked::Taken);
            assert_eq!(ask_for_reset(server, &address(email), &Asker::default()).await.unwrap(), Asked::Taken);
        }
        assert_eq!(town.world.database.count("links").await, 4);
        assert_eq!(town.world.database.count("outgoing_mails").await, 4, "what nobody gets costs the same");
        jobs::mail::once(server).await.unwrap();
        let subjects: Vec<_> = town.smtp.mails().iter().map(|mail| format!("{} {}", mail["to"][0], mail["headers"]["subject"])).collect();
        assert_eq!(subjects.len(), 3, "{subjects:?}");
        assert!(!subjects.iter().any(|subject| subject.contains("new@") && subject.contains("password")), "{subjects:?}");
        let mails = town.smtp.mails();
        let told = mails.iter().find(|mail| mail["headers"]["subject"].as_str().unwrap().starts_with("You have an account"));
        assert_eq!(link(told.unwrap()).0, format!("{}/reset-password", town.world.running.url));
    }

    async fn of_fifty_resets_one_works_and_the_owner_is_told(engine) {
        let town = Town::new(engine).await;
        let server = &town.world.running.server;
        ask_for_reset(server, &address("ada@example.com"), &Asker::default()).await.unwrap();
        let (_, secret) = link(&town.mail_to("ada@example.com").await);
        let answers = crate::harness::aside::at_once(50, |number| {
            let (server, secret) = (std::sync::Arc::clone(server), secret.clone());
            async move { reset_password(&server, &secret, &format!("{NEW} {number}"), Origin::default()).await.unwrap() }
        })
        .await;
        let won: Vec<_> = (0..50).filter(|number| matches!(answers[*number], Followed::Done(_))).collect();
        assert_eq!(won.len(), 1, "{won:?}");
        assert!(town.knows("ada@example.com", &format!("{NEW} {}", won[0])).await);
        let news = town.mail_to("ada@example.com").await;
        assert_eq!(news["headers"]["subject"], "You have a new password at Example Accounts");
        assert_eq!(town.smtp.mails().len(), 2);
    }

    async fn an_address_changes_by_its_mail_and_comes_back_by_the_other(engine) {
        let town = Town::new(engine).await;
        let server = &town.world.running.server;
        let store = &server.store;
        let ada = store.vouch_for_email(&address("ada@example.com"), &server.audit(Actor::Operator, Origin::default())).await.unwrap().unwrap();
        let (to, asker) = (address("thief@example.com"), Asker::default());
        let person = person(ada.id);
        let wrong = ask_to_change_email(server, &person, "not the password", &to, &asker).await.unwrap();
        assert_eq!(wrong, Change::Unproven(Unproven::Wrong));
        assert_eq!(ask_to_change_email(server, &person, PASSWORD, &to, &asker).await.unwrap(), Change::Done);
        let (url, secret) = link(&town.mail_to("thief@example.com").await);
        assert_eq!(url, format!("{}/change-email", town.world.running.url));
        let (grace, _) = store.account_by_email(&address("grace@example.com")).await.unwrap().unwrap();
        let by_another = confirm_email(server, &self::person(grace.id), &secret).await.unwrap();
        assert!(matches!(by_another, Followed::LinkGone), "whoever reads the mail is not whose account it is");
        assert!(matches!(confirm_email(server, &person, &secret).await.unwrap(), Followed::Done(_)));
        let (url, back) = link(&town.mail_to("ada@example.com").await);
        assert_eq!(url, format!("{}/restore-email", town.world.running.url));
        assert!(store.account_by_email(&address("ada@example.com")).await.unwrap().is_none());
        let Followed::Done(account) = reset_password(server, &back, NEW, Origin::default()).await.unwrap() else { panic!() };
        assert_eq!(account.email.as_str(), "ada@example.com");
        assert!(town.knows("ada@example.com", NEW).await);
        assert_eq!(town.mail_to("ada@example.com").await["headers"]["subject"], "Your account at Example Accounts is yours again");
    }

    async fn a_password_changes_and_an_account_goes_only_with_the_password(engine) {
        let town = Town::new(engine).await;
        let server = &town.world.running.server;
        let (ada, _) = server.store.account_by_email(&address("ada@example.com")).await.unwrap().unwrap();
        let now = server.clock.now();
        let session = NewSession {
            id: consentry::model::id::SessionId(consentry::random::id(now)),
            digest: Digest::of("here"),
            account_id: ada.id,
            account_generation: 1,
            session_generation: 1,
            at: now,
            expires_at: now + chrono::TimeDelta::hours(1),
            address: None,
            user_agent: None,
            factor_at: None,
            replaces: None,
        };
        assert!(server.store.start_session(&session).await.unwrap());
        let person = person(ada.id);
        let changing = |current| change_password(server, &person, (current, NEW));
        let wrong = Change::Unproven(Unproven::Wrong);
        assert_eq!(changing("not the password").await.unwrap(), wrong);
        assert_eq!(changing(PASSWORD).await.unwrap(), Change::Done);
        assert!(server.store.session(session.digest, now).await.unwrap().is_some());
        assert_eq!(town.mail_to("ada@example.com").await["headers"]["subject"], "Your password at Example Accounts was changed");
        assert_eq!(delete(server, &person, PASSWORD).await.unwrap(), wrong);
        assert_eq!(delete(server, &person, NEW).await.unwrap(), Change::Done);
        assert_eq!(town.mail_to("ada@example.com").await["headers"]["subject"], "Your account at Example Accounts is deleted");
        assert!(server.store.account(ada.id).await.unwrap().is_none());
        assert_eq!(town.world.database.count("sessions").await, 0);
    }

    /// Who has a session and not the password guesses as slowly as at the door, and keeps the owner out of nothing.
    async fn guessing_behind_a_session_is_counted(engine) {
        let town = Town::new(engine).await;
        let server = &town.world.running.server;
        let (ada, _) = server.store.account_by_email(&address("ada@example.com")).await.unwrap().unwrap();
        let thief = person(ada.id);
        let owner = Person { session: Digest::of("there"), ..thief.clone() };
        for turn in 0..10 {
            let guess = delete(server, &thief, "not the password").await.unwrap();
            assert_eq!(guess, Change::Unproven(Unproven::Wrong), "{turn}");
        }
        let Change::Unproven(Unproven::TooMany(too_many)) = delete(server, &thief, PASSWORD).await.unwrap() else {
            panic!("an eleventh guess is looked at")
        };
        assert!((1..=31).contains(&too_many.retry_after_seconds), "{too_many:?}");
        let (to, asker) = (address("other@example.com"), Asker::default());
        let held = ask_to_change_email(server, &thief, PASSWORD, &to, &asker).await.unwrap();
        assert!(matches!(held, Change::Unproven(Unproven::TooMany(_))), "{held:?}");
        assert_eq!(ask_to_change_email(server, &owner, PASSWORD, &to, &asker).await.unwrap(), Change::Done);
        for _ in 0..4 {
            assert_eq!(ask_to_change_email(server, &owner, PASSWORD, &to, &asker).await.unwrap(), Change::Done);
        }
        let many = ask_to_change_email(server, &owner, PASSWORD, &to, &asker).await.unwrap();
        assert_eq!(many, Change::TooManyMails, "who has signed in is told");
    }

    async fn an_invitation_is_handed_over_and_makes_an_owner(engine) {
        let town = Town::new(engine).await;
        let server = &town.world.running.server;
        let audit = server.audit(Actor::Operator, Origin::default());
        let olive = address("olive@example.com");
        let made = people::invitation(&server.store, &server.settings.issuer, (&olive, Role::Owner), &audit).await;
        let (url, _) = made.unwrap().unwrap();
        let secret = url.strip_prefix(&format!("{}/invitation?link=", town.world.running.url)).unwrap();
        let Followed::Done(account) = sign_up(server, secret, ("Olive", NEW), Origin::default()).await.unwrap() else { panic!() };
        assert_eq!((account.role, account.email), (Role::Owner, olive));
    }
}
