//! Row 51: an owner names where this server sends what it knows of people; what stands there may lead inside, never end,
//! or change its meaning. And what signs it is a secret.

use std::time::Duration;

use consentry::{
    clock::Clock,
    model::account::Role,
    registry::{RegistryError, people, webhooks},
};
use tokio::time::Instant;

use super::by_hand::ByHand;
use crate::{
    harness::{
        hooked::{HOST, Hooked},
        log::Details,
        strangers::answer::Answer,
    },
    on_both_engines,
    store::tables::Tables,
};

async fn test(it: &Hooked) -> usize {
    webhooks::send_test(&it.registry(), it.world.plugin.id).await.unwrap();
    it.told().await.len()
}

on_both_engines! {
    async fn nothing_is_sent_to_where_only_this_server_can_reach(engine) {
        let clock = Clock::system();
        let it = Hooked::new(engine, clock.clone()).await;
        for inside in ["https://10.0.0.1/", "https://169.254.169.254/latest", "https://[::1]/", "https://0x0a.1/", "https://[::ffff:10.0.0.1]/"] {
            let refused = it.set(inside).await.unwrap_err();
            assert!(matches!(refused, RegistryError::Wrong(ref wrong) if wrong[0].field == "address"), "{inside}: {refused}");
        }
        // Nor where a name leads inside, or by a redirection.
        let inside = it.strangers.host("inside.example");
        it.strangers.lead(HOST, &["10.0.0.1:443".parse().unwrap()]);
        assert_eq!(test(&it).await, 0);
        assert!(it.says().await.contains("an address that is for private"), "{}", it.says().await);
        it.world.database.execute("delete from webhook_deliveries").await;
        it.world.database.execute("update plugin_webhooks set due_at = created_at").await;
        it.strangers.lead(HOST, &[it.host.address()]);
        for to in ["https://inside.example/", "https://10.0.0.1/", "/elsewhere"] {
            it.host.answer("/hook", Answer::redirect(to).but(307));
            test(&it).await;
            assert_eq!(it.says().await, "Answered with status 307; redirections are not followed");
            it.world.database.execute("delete from webhook_deliveries").await;
            it.world.database.execute("update plugin_webhooks set due_at = created_at").await;
        }
        assert_eq!((inside.connections(), it.host.requests_for("/elsewhere")), (0, 0));
        // What its name means is asked once for each message, and that is where it goes.
        it.host.answer("/hook", Answer::status(200));
        let before = it.host.requests();
        it.strangers.lead_in_turn(HOST, &[&[it.host.address()], &["10.0.0.1:443".parse().unwrap()]]);
        test(&it).await;
        assert_eq!(it.host.requests(), before + 1);
        test(&it).await;
        assert_eq!(it.host.requests(), before + 1);
        assert!(it.says().await.contains("an address that is for private"));
    }

    async fn an_answer_without_end_costs_nothing_and_silence_costs_the_patience(engine) {
        let it = Hooked::new(engine, Clock::system()).await;
        for answer in [Answer::endless(), Answer::drip("never ending")] {
            it.host.answer("/hook", answer);
            let began = Instant::now();
            test(&it).await;
            assert_eq!(it.says().await, "Taken, with status 200");
            assert!(began.elapsed() < Duration::from_secs(8));
        }
        it.host.until_left_alone().await;
        assert!(it.host.sent() < 20_000_000, "{}", it.host.sent());
        it.host.answer("/hook", Answer::hang());
        let began = Instant::now();
        test(&it).await;
        assert_eq!(it.says().await, "No answer within 10 seconds");
        assert!(began.elapsed() < Duration::from_secs(30));
        it.host.until_left_alone().await;
    }

    async fn the_secret_stands_nowhere_in_clear_and_the_address_only_where_it_is_used(engine) {
        let listener = Details::listen();
        let it = Hooked::new(engine, Clock::system()).await;
        it.set(it.host.url("/hook?key=Geheim91D3c7E05b2f46").as_str()).await.unwrap();
        it.host.answer("/hook", Answer::status(500));
        it.connect("grace@example.com").await;
        it.told().await;
        let (server, plugin) = (&it.world.running.server, &it.world.plugin);
        let ring = server.keyring.current();
        let new = webhooks::renew_secret(&it.registry(), &ring, (plugin.id, it.webhook().await.version)).await.unwrap();
        people::disconnect_everybody(&it.registry(), plugin).await.unwrap();
        let everything = Tables::everything(&it.world.database).await;
        let audited = Tables::of(&it.world.database).await.lines("select cast(detail as text) from audit_events").await;
        assert!(audited.iter().any(|line| line.contains(HOST)) && !audited.join(" ").contains("Geheim"), "{audited:?}");
        let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let log = listener.written();
        assert!(!log.contains("Geheim91D3c7E05b2f46"), "the address is told");
        for secret in [&it.secret, &new] {
            let text = secret.reveal();
            for told in [text.as_str(), &text["whsec_".len()..], &hexadecimal(secret.bytes())] {
                assert!(!everything.contains(told) && !log.contains(told), "a secret is told");
            }
        }
        assert!(!format!("{:?} {:?}", it.webhook().await, it.secret).contains("Geheim"));
        assert!(!format!("{:?}", it.secret).contains(&it.secret.reveal()[8..20]));
        // A secret of one plugin opens for no other.
        let other = it.world.running.add_plugin_at("other", "other.example").await;
        let moved = format!("update plugin_webhooks set plugin_id = {}", match engine {
            crate::harness::databases::Engine::Sqlite => format!("x'{}'", other.id.0.simple()),
            crate::harness::databases::Engine::Postgres => format!("'{}'", other.id.0),
        });
        it.world.database.execute("delete from webhook_deliveries").await;
        it.world.database.execute(&moved).await;
        webhooks::send_test(&it.registry(), other.id).await.unwrap();
        let before = it.host.requests();
        it.world.database.execute("update plugin_webhooks set due_at = created_at").await;
        it.told().await;
        assert_eq!(it.host.requests(), before, "nothing is sent under another's secret");
    }

    async fn another_plugins_messages_are_not_there(engine) {
        let it = Hooked::new(engine, Clock::system()).await;
        it.connect("grace@example.com").await;
        let message = it.told().await.pop().unwrap().headers["webhook-id"].as_str().unwrap().to_owned();
        let running = &it.world.running;
        let rival = running.add_account_as("rival@example.com", "Rival Owner", Role::Owner).await;
        let own = running.add_plugin_at("own", "own.example").await;
        running.server.store.add_owner(own.id, rival, &running.operator()).await.unwrap();
        let rival = ByHand::signed_in(running, "rival@example.com").await;
        let path = "/console/plugins/own/webhook";
        let form = rival.get(running, path).await;
        let (csrf, account) = (form.hidden("csrf"), form.hidden("account"));
        let own = [("csrf", csrf.as_str()), ("account", &account), ("version", "0"), ("confirmed", "yes")];
        for fields in [[("change", "again"), ("message", message.as_str())], [("change", "test"), ("message", "")],
            [("change", "remove"), ("message", "")], [("change", "renew"), ("message", "")]] {
            let answer = rival.post(running, path, &[&own[..], &fields].concat()).await;
            assert!(matches!(answer.status, 404 | 422), "{fields:?}: {}", answer.status);
            let theirs = rival.post(running, "/console/plugins/todo/webhook", &[&own[..], &fields].concat()).await;
            assert_eq!(theirs.status, 404, "{fields:?}");
        }
        assert!(!rival.get(running, path).await.body.contains(&message));
        assert_eq!(it.told().await.len(), 1);
    }

    async fn a_host_that_never_answers_holds_up_no_other(engine) {
        let it = Hooked::new(engine, Clock::system()).await;
        let running = &it.world.running;
        let slow = it.strangers.host("slow.example");
        slow.answer("/hook", Answer::hang());
        let server = &running.server;
        let ring = server.keyring.current();
        let means = webhooks::Means { ring: &ring, outbound: &server.teller };
        for number in 0..5 {
            let plugin = running.add_plugin_at(&format!("slow-{number}"), &format!("slow-{number}.example")).await;
            webhooks::set(&it.registry(), means, (plugin.id, 0), "https://slow.example/hook").await.unwrap();
            webhooks::send_test(&it.registry(), plugin.id).await.unwrap();
        }
        let job = tokio::spawn({
            let server = std::sync::Arc::clone(server);
            async move { consentry::jobs::webhooks::once(&server).await }
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
        webhooks::send_test(&it.registry(), it.world.plugin.id).await.unwrap();
        let began = Instant::now();
        while it.host.requests() == 0 {
            assert!(began.elapsed() < Duration::from_secs(7), "it waits for others");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(slow.open_most() >= 1);
        job.abort();
    }
}
