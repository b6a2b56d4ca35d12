//! The verification handshake against real hosts: from a token to `verified`, each thing that can be wrong with the public
//! address named in a sentence, and what the server does by itself when it breaks.

use std::sync::Arc;

use consentry::{
    jobs,
    mail::Security,
    model::{
        plugin::PluginState,
        verification::{Look, Outcome},
    },
    protocol::manifest,
    registry::RegistryError,
};
use serde_json::{Value, json};

use crate::{
    harness::{
        published::{HOST, Published, TOKEN},
        server::{Options, Running},
        smtp::SmtpServer,
        strangers::answer::Answer,
    },
    on_both_engines,
};

const ANOTHER: &str = "77a0b1c2d3e4f5061728394a5b6c7d8e";

on_both_engines! {
    async fn a_plugin_goes_from_draft_to_verified_and_falls_back(engine) {
        let it = Published::new(engine).await;
        it.answer().await;
        assert_eq!((it.look().await.outcome, it.state().await), (Outcome::NoToken, PluginState::Draft));
        let shaped = "look like a token";
        for (token, told) in [("abc123456", "placeholder"), ("REPLACE_ME", "placeholder"), ("", "placeholder"), ("two words here", shaped)] {
            let refused = it.set_token(token).await.unwrap_err();
            assert!(matches!(refused, RegistryError::Wrong(ref wrong) if wrong[0].field == "token"), "{refused}");
            let refused = refused.to_string();
            assert!(refused.contains(told) && (token.is_empty() || !refused.contains(token)), "{refused}");
        }
        assert_eq!(it.state().await, PluginState::Draft);
        // It is pasted with what is around it.
        assert_eq!(it.set_token(&format!(" {TOKEN}\n")).await.unwrap().state, PluginState::Published);
        assert_eq!(it.served().await["auth"]["verification_tokens"], json!({ "openai": TOKEN }));
        let look = it.look().await;
        assert_eq!((look.outcome, it.state().await), (Outcome::Differs, PluginState::Published));
        assert_eq!((look.findings.len(), look.findings[0].field.as_str()), (1, "auth.verification_tokens.openai"));
        it.answer().await;
        let look = it.look().await;
        assert_eq!((look.outcome, it.state().await), (Outcome::Matches, PluginState::Verified), "{look:?}");
        assert!(look.says.contains(HOST) && look.findings.is_empty());
        // Another token is one nobody has looked at.
        assert_eq!(it.set_token(ANOTHER).await.unwrap().state, PluginState::Published);
        assert_eq!((it.look().await.outcome, it.state().await), (Outcome::Differs, PluginState::Published));
        it.answer().await;
        assert_eq!(it.look().await.outcome, Outcome::Matches);
        // So are other words, and none of that is lost with a file that knows no token.
        it.world.import(|plugin| plugin.host = HOST.parse().unwrap()).await;
        assert_eq!(it.state().await, PluginState::Published);
        assert_eq!(it.served().await["auth"]["verification_tokens"], json!({ "openai": ANOTHER }));
    }

    async fn each_thing_that_can_be_wrong_is_named_in_a_sentence(engine) {
        let it = Published::with_token(engine).await;
        let served = it.served().await;
        let with = |pointer: &str, value: Value| {
            let mut changed = served.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            Answer::json(&changed)
        };
        let elsewhere = it.strangers.host("elsewhere.example");
        let token = "/auth/verification_tokens/openai";
        for (answer, outcome, told) in [
            (with(token, json!(ANOTHER)), Outcome::Differs, "another token"),
            (with(token, json!("abc123456")), Outcome::Differs, "a placeholder"),
            (with("/auth/verification_tokens", json!({})), Outcome::Differs, "missing"),
            (with("/name_for_human", json!("Old name")), Outcome::Differs, "name_for_human"),
            (Answer::redirect("https://app.todo.example/"), Outcome::LeadsAway, "to https://app.todo.example. A manifest is read"),
            (Answer::redirect("https://a.todo.example/"), Outcome::LeadsAway, "only on api.todo.example itself or on a host below"),
            (Answer::redirect("https://todo.example/m.json").but(308), Outcome::LeadsAway, "https://todo.example"),
            (Answer::redirect("//elsewhere.example/m.json").but(301), Outcome::LeadsAway, "https://elsewhere.example"),
            (Answer::redirect("http://api.todo.example/m.json").but(307), Outcome::LeadsAway, "not https"),
            (Answer::redirect(manifest::PLACE), Outcome::LeadsAway, "more than 3 times"),
            (Answer::status(302), Outcome::LeadsAway, "does not say where to"),
            (Answer::status(404), Outcome::NoManifest, "status 404: there is no manifest"),
            (Answer::status(403), Outcome::NoManifest, "turns programs away"),
            (Answer::status(204), Outcome::NoManifest, "status 204"),
            (Answer::status(503), Outcome::OutOfReach, "status 503"),
            (Answer::document("text/html", "<p>Hello</p>"), Outcome::NoManifest, "not JSON"),
            (Answer::json(&json!([served])), Outcome::NoManifest, "not an object"),
            (Answer::huge(200_000), Outcome::NoManifest, "larger than a manifest may be"),
            (Answer::broken(served.to_string()), Outcome::OutOfReach, "could not be spoken with"),
        ] {
            it.host.answer(manifest::PLACE, answer);
            let look = it.look().await;
            assert_eq!(look.outcome, outcome, "{told}: {}", look.says);
            assert!(look.says.contains(told) && look.says.ends_with('.'), "{told}: {}", look.says);
            assert!(!format!("{look:?}").contains(&ANOTHER[..8]), "{look:?}");
        }
        assert_eq!(elsewhere.connections(), 0, "nobody was led there");
        // A child is followed, and what stands there is what counts.
        let child = it.strangers.host("v1.api.todo.example");
        it.host.answer(manifest::PLACE, Answer::redirect("https://v1.api.todo.example/m.json"));
        child.answer("/m.json", Answer::json(&served));
        assert_eq!(it.look().await.outcome, Outcome::Matches);
        child.answer("/m.json", with(token, json!(ANOTHER)));
        assert!(it.look().await.says.contains("https://v1.api.todo.example/m.json"));

        it.strangers.lead(HOST, &[elsewhere.address()]);
        assert_look(&it.look().await, Outcome::OutOfReach, "TLS failed, or its certificate is not trusted");
        it.strangers.lead(HOST, &["10.20.30.40:443".parse().unwrap()]);
        assert_look(&it.look().await, Outcome::PrivateAddress, "api.todo.example has an address that is for private");
        it.strangers.lead(HOST, &["169.254.169.254:443".parse().unwrap(), it.host.address()]);
        assert_look(&it.look().await, Outcome::PrivateAddress, "nobody reaches over the internet");
        it.strangers.lead(HOST, &[]);
        assert_look(&it.look().await, Outcome::OutOfReach, "The name api.todo.example could not be resolved");
        let gone = it.strangers.host("gone.example");
        it.strangers.lead(HOST, &[gone.address()]);
        gone.close().await;
        assert_look(&it.look().await, Outcome::OutOfReach, "nobody listens there");
    }

    async fn owners_hear_when_it_breaks_and_when_it_is_mended(engine) {
        let smtp = SmtpServer::start(Security::Plain, false).await;
        let it = Published::with_mail(engine, Some(smtp.way.clone())).await;
        let server = &it.world.running.server;
        for email in ["ada@example.com", "grace@example.com"] {
            let (account, _) = server.store.account_by_email(&email.parse().unwrap()).await.unwrap().unwrap();
            assert!(server.store.add_owner(it.world.plugin.id, account.id, &it.world.running.operator()).await.unwrap());
        }
        // Nobody knows whether Grace's address is hers.
        let ada = "ada@example.com".parse().unwrap();
        server.store.vouch_for_email(&ada, &it.world.running.operator()).await.unwrap().unwrap();
        it.world.database.execute("update accounts set email_verified_at = null where email = 'grace@example.com'").await;
        it.world.database.execute("update accounts set language = 'de' where email = 'ada@example.com'").await;
        let mails = async || {
            jobs::mail::once(server).await.unwrap();
            smtp.mails().len()
        };
        it.set_token(TOKEN).await.unwrap();
        it.answer().await;
        assert_eq!((it.later().await, mails().await), (PluginState::Verified, 0), "that it is verified is no news");
        // Our own network is down, perhaps.
        it.strangers.lead(HOST, &[]);
        for _ in 0..3 {
            assert_eq!((it.later().await, mails().await), (PluginState::Verified, 0));
        }
        it.strangers.lead(HOST, &[it.host.address()]);
        assert_eq!((it.later().await, mails().await), (PluginState::Verified, 0));
        it.host.answer(manifest::PLACE, Answer::status(403));
        assert_eq!((it.later().await, mails().await), (PluginState::Published, 1));
        let mail = smtp.mail_to("ada@example.com").await;
        let (subject, text) = (mail["headers"]["subject"].as_str().unwrap(), mail["text"].as_str().unwrap());
        assert!(subject.contains("Example Accounts ist nicht mehr bestätigt") && text.contains(HOST), "{mail}");
        assert_eq!((it.later().await, mails().await), (PluginState::Published, 1), "it is told once");
        it.answer().await;
        assert_eq!((it.later().await, mails().await), (PluginState::Verified, 2));
        assert_eq!((it.later().await, mails().await), (PluginState::Verified, 2));
        // Silence that goes on is no accident.
        it.strangers.lead(HOST, &[]);
        let mut looks = 0;
        while it.later().await == PluginState::Verified {
            looks += 1;
            assert!(looks < 20, "it ends");
        }
        assert!(looks >= 3 && mails().await == 3, "{looks}");
        let audited = ["plugin.verified", "plugin.unverified"];
        for action in audited {
            assert_eq!(it.world.database.audited(action).await, 2, "{action}");
        }
    }

    async fn of_several_nodes_one_looks(engine) {
        let it = Published::with_token(engine).await;
        let options = Options { clock: it.clock.clone(), outbound: it.strangers.settings(), ..Options::default() };
        let another = Running::start(&it.world.database, options).await;
        let nodes = [&it.world.running, &it.world.running, &another, &another].map(|node| Arc::clone(&node.server));
        let looking = nodes.iter().map(jobs::verification::once);
        for looked in futures_util::future::join_all(looking).await {
            looked.unwrap();
        }
        assert_eq!((it.host.requests_for(manifest::PLACE), it.state().await), (1, PluginState::Verified));
        jobs::verification::once(&it.world.running.server).await.unwrap();
        assert_eq!(it.host.requests(), 1, "not before it is due");
        assert_eq!((it.later().await, it.host.requests()), (PluginState::Verified, 2));
    }

    async fn many_who_press_the_button_at_once_are_all_answered(engine) {
        let it = Published::with_token(engine).await;
        for look in futures_util::future::join_all((0..20).map(|_| it.look())).await {
            assert_eq!(look.outcome, Outcome::Matches);
        }
        assert_eq!(it.world.database.audited("plugin.verified").await, 1);
    }
}

fn assert_look(look: &Look, outcome: Outcome, told: &str) {
    assert_eq!(look.outcome, outcome, "{told}: {}", look.says);
    assert!(look.says.contains(told) && look.says.ends_with('.'), "{told}: {}", look.says);
}
