//! Mail, through a real mail server that is well, dead, unwilling or silent.

use std::time::Duration;

use chrono::TimeDelta;
use consentry::{
    clock::Clock,
    jobs,
    mail::Security,
    model::account::Email,
    server::people::{Asked, Asker, ask_for_reset, ask_to_sign_up},
};

use crate::{
    harness::{
        server::{Options, World},
        smtp::{SmtpServer, link},
    },
    on_both_engines,
};

/// A world whose mail goes there, and whose clock stands.
async fn world(engine: crate::harness::databases::Engine, smtp: &SmtpServer) -> World {
    let clock = Clock::standing_at(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    World::with(engine, Options { mail: Some(smtp.way.clone()), clock, ..Options::default() }).await
}

async fn request(world: &World, email: &str) {
    let email: Email = email.parse().unwrap();
    let asked = ask_for_reset(&world.running.server, &email, &Asker::default()).await.unwrap();
    assert_eq!(asked, Asked::Taken);
}

async fn send(world: &World) {
    jobs::mail::once(&world.running.server).await.unwrap();
}

async fn waiting(world: &World) -> i64 {
    world.database.count("outgoing_mails where due_at < expires_at").await
}

on_both_engines! {
    async fn a_mail_comes_whole_over_tls_to_a_server_that_wants_to_know_who_sends(engine) {
        let smtp = SmtpServer::start(Security::Tls, true).await;
        let world = world(engine, &smtp).await;
        request(&world, "ada@example.com").await;
        assert!(smtp.mails().is_empty(), "it is the job that sends");
        let stored = crate::store::tables::Tables::everything(&world.database).await;
        assert!(!stored.contains("cst_ln_"), "a link stands in the database in clear");
        send(&world).await;
        let mail = smtp.mail_to("ada@example.com").await;
        assert_eq!((&mail["from"], &mail["tls"]), (&"no-reply@example.com".into(), &true.into()));
        assert_eq!(mail["defects"], serde_json::json!([]));
        let headers = &mail["headers"];
        assert_eq!(headers["auto-submitted"], "auto-generated");
        assert_eq!(headers["from"], "Example Accounts <no-reply@example.com>");
        assert_eq!((&headers["to"], &headers["subject"]), (&"ada@example.com".into(), &"A new password for Example Accounts".into()));
        assert!(headers["message-id"].as_str().unwrap().ends_with("@localhost>"), "{headers}");
        assert!(headers["content-type"].as_str().unwrap().starts_with("multipart/alternative"), "{headers}");
        let (url, _) = link(&mail);
        assert_eq!(url, format!("{}/reset-password", world.running.url));
        assert_eq!(waiting(&world).await, 0);
        send(&world).await;
        assert_eq!(smtp.mails().len(), 1, "once");
    }

    async fn nothing_is_said_to_a_server_that_offers_no_tls(engine) {
        let starttls = SmtpServer::start(Security::StartTls, false).await;
        let world = world(engine, &starttls).await;
        request(&world, "ada@example.com").await;
        send(&world).await;
        assert_eq!(starttls.mail_to("ada@example.com").await["tls"], true);

        let mut plain = SmtpServer::start(Security::Plain, false).await;
        plain.way.security = Security::StartTls;
        let other = self::world(engine, &plain).await;
        request(&other, "ada@example.com").await;
        send(&other).await;
        assert!(plain.mails().is_empty());
        assert_eq!(waiting(&other).await, 1);

        let mut stranger = SmtpServer::start(Security::Tls, false).await;
        stranger.way.authorities = starttls.way.authorities.clone();
        let third = self::world(engine, &stranger).await;
        request(&third, "ada@example.com").await;
        send(&third).await;
        assert!(stranger.mails().is_empty(), "its certificate is of nobody we trust");
    }

    /// What is for nobody costs what other mail does, so it takes room as well; for a minute, so that it leaves some.
    async fn mail_for_nobody_is_counted_and_soon_gone(engine) {
        let smtp = SmtpServer::start(Security::Plain, false).await;
        let world = world(engine, &smtp).await;
        request(&world, "nobody@example.com").await;
        send(&world).await;
        assert_eq!((world.running.server.mails.kept(), waiting(&world).await), (1, 0));
        world.running.server.clock.advance(TimeDelta::minutes(1));
        send(&world).await;
        assert_eq!((world.running.server.mails.kept(), smtp.mails().len()), (0, 0));
    }

    async fn a_dead_server_loses_nothing(engine) {
        let mut smtp = SmtpServer::dead(Security::Plain).await;
        let world = world(engine, &smtp).await;
        request(&world, "ada@example.com").await;
        for _ in 0..3 {
            send(&world).await;
            world.running.server.clock.advance(TimeDelta::minutes(1));
        }
        assert_eq!((waiting(&world).await, world.running.server.mails.kept()), (1, 1));
        smtp.begin().await;
        send(&world).await;
        assert_eq!(smtp.mail_to("ada@example.com").await["to"][0], "ada@example.com");
        assert_eq!(waiting(&world).await, 0);
    }

    async fn what_nobody_took_in_time_is_given_up(engine) {
        let smtp = SmtpServer::dead(Security::Plain).await;
        let world = world(engine, &smtp).await;
        request(&world, "ada@example.com").await;
        for minutes in [30, 28, 1] {
            send(&world).await;
            assert_eq!(waiting(&world).await, 1);
            world.running.server.clock.advance(TimeDelta::minutes(minutes));
        }
        send(&world).await;
        assert_eq!(waiting(&world).await, 0, "a minute before its link expires");
    }

    async fn a_server_that_is_busy_is_asked_again_and_a_refusal_is_final(engine) {
        let smtp = SmtpServer::start(Security::Plain, false).await;
        let world = world(engine, &smtp).await;
        smtp.behave("451");
        request(&world, "ada@example.com").await;
        for _ in 0..2 {
            send(&world).await;
            assert_eq!((waiting(&world).await, smtp.mails().len()), (1, 0));
            world.running.server.clock.advance(TimeDelta::seconds(30));
        }
        smtp.behave("550 5.7.1");
        request(&world, "grace@example.com").await;
        send(&world).await;
        assert_eq!((waiting(&world).await, smtp.mails().len()), (2, 0), "that is not about the address");
        world.running.server.clock.advance(TimeDelta::seconds(30));
        smtp.behave("550");
        send(&world).await;
        assert_eq!((waiting(&world).await, smtp.mails().len()), (0, 0), "both are refused for good");
        smtp.behave("");
        request(&world, "grace@example.com").await;
        send(&world).await;
        assert_eq!((waiting(&world).await, smtp.mails().len()), (0, 1));
    }

    async fn a_wrong_password_for_the_mail_server_loses_nothing(engine) {
        let mut smtp = SmtpServer::start(Security::Tls, true).await;
        smtp.way.login = false;
        let world = world(engine, &smtp).await;
        request(&world, "ada@example.com").await;
        send(&world).await;
        assert_eq!((waiting(&world).await, smtp.mails().len()), (1, 0));
    }

    async fn a_silent_server_holds_up_nobody(engine) {
        let smtp = SmtpServer::start(Security::Plain, false).await;
        let world = world(engine, &smtp).await;
        smtp.behave("hang");
        request(&world, "ada@example.com").await;
        let server = std::sync::Arc::clone(&world.running.server);
        let sending = tokio::spawn(async move { jobs::mail::once(&server).await.unwrap() });
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(!sending.is_finished());
        let asked = tokio::time::timeout(Duration::from_secs(10), request(&world, "grace@example.com")).await;
        assert!(asked.is_ok());
        assert!(world.running.server.store.ping().await.is_ok());
        sending.abort();
        assert!(sending.await.unwrap_err().is_cancelled(), "it was still waiting");
        assert_eq!(waiting(&world).await, 2, "neither is lost");
        smtp.behave("");
        world.running.server.clock.advance(TimeDelta::minutes(5));
        send(&world).await;
        assert_eq!(smtp.mails().len(), 2);
    }

    async fn without_a_mail_server_nothing_is_promised(engine) {
        let world = World::new(engine).await;
        let (server, email) = (&world.running.server, "ada@example.com".parse().unwrap());
        assert_eq!(ask_for_reset(server, &email, &Asker::default()).await.unwrap(), Asked::NotOffered);
        assert_eq!(ask_to_sign_up(server, &email, &Asker::default()).await.unwrap(), Asked::NotOffered);
        assert_eq!(world.database.count("links").await, 0);
    }
}
