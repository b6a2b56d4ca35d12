//! An owner's API hears of its people: signed so that other people's libraries verify it, later where it was down, and no
//! more where it says that it is gone.

use chrono::{DateTime, TimeDelta};
use consentry::{
    clock::Clock,
    jobs,
    mail::Security,
    model::account::Role,
    registry::{RegistryError, people, webhooks},
};
use serde_json::json;

use crate::{
    attacks::by_hand::ByHand,
    harness::{
        chromium::Chromium,
        foreign::run,
        hooked::{Hooked, Message},
        server::PASSWORD,
        smtp::SmtpServer,
        strangers::answer::Answer,
    },
    on_both_engines,
};

fn standing() -> Clock {
    Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap())
}

/// Both libraries take it, or both refuse it.
async fn verify(secret: &str, message: &Message, expected: &str) {
    let told = [
        ("SECRET", secret.to_owned()),
        ("HEADERS", message.headers.to_string()),
        ("BODY", message.body.clone()),
        ("EXPECTED", expected.to_owned()),
    ];
    for (program, script) in [
        ("CONSENTRY_TEST_NODE", "CONSENTRY_TEST_NODE_WEBHOOK"),
        ("CONSENTRY_TEST_PYTHON", "CONSENTRY_TEST_PYTHON_WEBHOOK"),
    ] {
        let report = run(program, script, &told).await;
        assert_eq!(report["event"].is_null(), expected == "refused", "{report}");
    }
}

/// The secret on a page.
fn shown(body: &str) -> String {
    let start = body.find("whsec_").unwrap_or_else(|| panic!("no secret in {body}"));
    body[start..].chars().take_while(|c| !matches!(c, '<' | '"')).collect()
}

on_both_engines! {
    async fn an_api_hears_who_connects_and_who_leaves(engine) {
        let it = Hooked::new(engine, Clock::system()).await;
        let (running, plugin) = (&it.world.running, &it.world.plugin);
        let (client, tokens) = it.connect("grace@example.com").await;
        let heard = it.told().await;
        assert_eq!(heard.len(), 1);
        let first = heard[0].clone();
        let service = it.world.client(consentry::model::client::Dialect::Service).await;
        let (_, introspected) = running.introspect(&service, tokens["access_token"].as_str().unwrap()).await;
        let mut scopes: Vec<&str> = introspected["scope"].as_str().unwrap().split(' ').collect();
        scopes.sort_unstable();
        let expected = json!({
            "plugin": "todo", "subject": introspected["sub"], "client_id": client.client_id,
            "resource": plugin.resource, "scopes": scopes,
        });
        assert_eq!((&first.event["type"], &first.event["data"]), (&json!("person.connected"), &expected));
        assert!(!first.body.contains("grace") && !first.body.contains("Grace"), "{}", first.body);
        verify(&it.secret.reveal(), &first, "taken").await;
        let changed = Message { body: first.body.replace("todo", "mail"), ..first.clone() };
        verify(&it.secret.reveal(), &changed, "refused").await;

        // The person leaves on their own page.
        let grace = ByHand::signed_in(running, "grace@example.com").await;
        let page = grace.get(running, "/connected-apps").await;
        let fields = [("csrf", page.hidden("csrf")), ("consent", page.hidden("consent"))];
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let left = grace.post(running, "/connected-apps", &fields).await;
        assert!(left.status < 400, "{} {}", left.status, left.body);
        let heard = it.told().await;
        assert_eq!(heard.len(), 2, "{heard:?}");
        let data = &heard[1].event["data"];
        assert_eq!((&heard[1].event["type"], &data["by"]), (&json!("person.disconnected"), &json!("person")));
        assert_eq!(data["subject"], introspected["sub"]);

        // Two secrets sign for a while; then the old one is worth nothing.
        let ring = running.server.keyring.current();
        let seen = (plugin.id, it.webhook().await.version);
        let new = webhooks::renew_secret(&it.registry(), &ring, seen).await.unwrap();
        let twice = webhooks::renew_secret(&it.registry(), &ring, seen).await.unwrap_err();
        assert!(matches!(twice, RegistryError::ChangedMeanwhile), "{twice}");
        it.connect("grace@example.com").await;
        let both = it.told().await.pop().unwrap();
        assert_eq!(both.headers["webhook-signature"].as_str().unwrap().split(' ').count(), 2);
        verify(&it.secret.reveal(), &both, "taken").await;
        verify(&new.reveal(), &both, "taken").await;
        webhooks::end_old_secret(&it.registry(), plugin.id, it.webhook().await.version).await.unwrap();
        people::disconnect_everybody(&it.registry(), plugin).await.unwrap();
        let everybody = it.told().await.pop().unwrap();
        assert_eq!(everybody.event["type"], "people.disconnected");
        assert_eq!(everybody.event["data"], json!({ "plugin": "todo", "connections": 1, "or_more": false, "by": "operator" }));
        verify(&it.secret.reveal(), &everybody, "refused").await;
        verify(&new.reveal(), &everybody, "taken").await;

        // And they leave for good.
        let page = grace.get(running, "/account/delete").await;
        let (csrf, account) = (page.hidden("csrf"), page.hidden("account"));
        let fields = [("csrf", csrf.as_str()), ("account", &account), ("password", PASSWORD)];
        let gone = grace.post(running, "/account/delete", &fields).await;
        assert!(gone.status < 400, "{} {}", gone.status, gone.body);
        let deleted = it.told().await.pop().unwrap();
        assert_eq!(deleted.event["type"], "account.deleted");
        assert_eq!(deleted.event["data"], json!({ "plugin": "todo", "subject": introspected["sub"] }));
        assert_eq!(it.told().await.len(), 5, "nothing is told twice");
    }

    async fn what_could_not_be_told_is_told_later(engine) {
        let clock = standing();
        let it = Hooked::new(engine, clock.clone()).await;
        it.host.answer("/hook", Answer::status(503));
        it.connect("grace@example.com").await;
        let first = it.told().await;
        assert_eq!((first.len(), it.told().await.len()), (1, 1), "not before it is due");
        assert_eq!(it.says().await, "Answered with status 503");
        assert!(it.webhook().await.failing_since.is_some());
        it.host.answer("/hook", Answer::status(200));
        clock.advance(TimeDelta::seconds(7));
        let second = it.told().await;
        assert_eq!(second.len(), 2);
        assert_eq!((&second[0].body, &second[0].headers["webhook-id"]), (&second[1].body, &second[1].headers["webhook-id"]));
        assert_ne!(second[0].headers["webhook-signature"], second[1].headers["webhook-signature"], "it is signed anew");
        assert!(it.webhook().await.failing_since.is_none());
        clock.advance(TimeDelta::days(2));
        assert_eq!(it.told().await.len(), 2, "what was taken is not told again");
    }

    async fn who_is_gone_is_told_nothing_until_somebody_starts_it_again(engine) {
        let clock = standing();
        let it = Hooked::new(engine, clock.clone()).await;
        it.host.answer("/hook", Answer::status(410));
        it.connect("grace@example.com").await;
        assert_eq!(it.told().await.len(), 1);
        let (_, because) = it.webhook().await.stopped.expect("it has stopped");
        assert!(because.contains("410"), "{because}");
        assert_eq!(it.world.database.audited("plugin.webhook_stopped").await, 1);
        it.connect("ada@example.com").await;
        clock.advance(TimeDelta::hours(1));
        assert_eq!((it.told().await.len(), it.world.database.count("webhook_deliveries").await), (1, 1));
        let test = webhooks::send_test(&it.registry(), it.world.plugin.id).await.unwrap_err();
        assert!(test.to_string().contains("stopped"), "{test}");
        it.host.answer("/hook", Answer::status(202));
        webhooks::start(&it.registry(), it.world.plugin.id, it.webhook().await.version).await.unwrap();
        let told = it.told().await;
        assert_eq!((told.len(), &told[1].body), (2, &told[0].body));
    }

    async fn owners_hear_that_it_has_stopped(engine) {
        let smtp = SmtpServer::start(Security::Plain, false).await;
        let it = Hooked::with_mail(engine, standing(), Some(smtp.way.clone())).await;
        let (server, operator) = (&it.world.running.server, || it.world.running.operator());
        for email in ["ada@example.com", "grace@example.com"] {
            let (account, _) = server.store.account_by_email(&email.parse().unwrap()).await.unwrap().unwrap();
            assert!(server.store.add_owner(it.world.plugin.id, account.id, &operator()).await.unwrap());
        }
        // Nobody knows whether Grace's address is hers.
        it.world.database.execute("update accounts set email_verified_at = null where email = 'grace@example.com'").await;
        server.store.vouch_for_email(&"ada@example.com".parse().unwrap(), &operator()).await.unwrap().unwrap();
        let mails = async || {
            jobs::mail::once(server).await.unwrap();
            smtp.mails().len()
        };
        it.host.answer("/hook", Answer::status(500));
        it.connect("grace@example.com").await;
        assert_eq!((it.told().await.len(), mails().await), (1, 0), "that it fails is no news yet");
        it.host.answer("/hook", Answer::status(410));
        server.clock.advance(TimeDelta::minutes(1));
        for _ in 0..2 {
            assert_eq!((it.told().await.len(), mails().await), (2, 1), "it is told once");
        }
        let mail = smtp.mail_to("ada@example.com").await;
        let (subject, text) = (mail["headers"]["subject"].as_str().unwrap(), mail["text"].as_str().unwrap());
        assert!(subject.contains("Your webhook at Example Accounts has stopped"), "{mail}");
        assert!(text.contains(it.world.plugin.host.as_str()) && !text.contains("/hook"), "{mail}");
    }

    async fn nothing_is_tried_for_ever(engine) {
        let clock = standing();
        let it = Hooked::new(engine, clock.clone()).await;
        it.host.answer("/hook", Answer::status(500));
        it.connect("grace@example.com").await;
        let mut hours = 0;
        while it.webhook().await.stopped.is_none() {
            it.told().await;
            clock.advance(TimeDelta::hours(1));
            hours += 1;
            assert!(hours < 80, "it ends");
        }
        let tries = it.host.requests();
        assert!(hours > 48 && (8..30).contains(&tries), "{tries} tries in {hours} hours");
        clock.advance(TimeDelta::days(30));
        assert_eq!(it.told().await.len(), tries);
        let left = consentry::jobs::sweep::once(&it.world.running.server).await.unwrap();
        assert!(left > 0 && it.world.database.count("webhook_deliveries").await == 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_sets_it_tests_it_and_reads_what_came_of_it() {
    let it = Hooked::new(crate::harness::databases::Engine::Sqlite, Clock::system()).await;
    let running = &it.world.running;
    let (server, plugin) = (&running.server, it.world.plugin.id);
    webhooks::remove(&it.registry(), plugin, it.webhook().await.version).await.unwrap();
    running.add_account_as("admin@example.com", "Adam Admin", Role::Admin).await;
    let admin = ByHand::signed_in(running, "admin@example.com").await;
    let path = "/console/plugins/todo/webhook";
    let post = async |fields: &[(&str, &str)]| {
        let page = admin.get(running, path).await;
        let (csrf, account, version) = (page.hidden("csrf"), page.hidden("account"), page.hidden("version"));
        let own = [("csrf", csrf.as_str()), ("account", &account), ("version", &version)];
        admin.post(running, path, &[&own[..], fields].concat()).await
    };
    for (address, says) in [
        ("http://api.todo.example/hook", "must begin with https"),
        ("https://10.0.0.1/hook", "an address for private"),
        ("https://me:pass@api.todo.example/", "leave out the name and password"),
        ("nowhere", "not an address"),
    ] {
        let wrong = post(&[("change", "set"), ("address", address)]).await;
        assert!(wrong.status == 422 && wrong.body.contains(says), "{address}: {}", wrong.body);
        assert!(wrong.body.contains(&format!("value=\"{address}\"")), "what was typed is kept");
    }
    let set = post(&[("change", "set"), ("address", "https://api.todo.example/hook")]).await;
    assert_eq!(set.status, 200, "{}", set.body);
    let secret = shown(&set.body);
    assert!(!admin.get(running, path).await.body.contains("whsec_"), "it is shown once");
    assert_eq!(post(&[("change", "test")]).await.status, 303);
    assert!(post(&[("change", "test")]).await.body.contains("on its way already"));
    let message = it.told().await.pop().unwrap();
    assert_eq!(message.event["type"], "webhook.test");
    verify(&secret, &message, "taken").await;
    let page = admin.get(running, path).await;
    let id = message.headers["webhook-id"].as_str().unwrap();
    assert!(page.body.contains("Taken, with status 204") && page.body.contains(id), "{}", page.body);
    assert_eq!(post(&[("change", "again"), ("message", id)]).await.status, 303);
    assert_eq!(it.told().await.len(), 2);
    assert!(post(&[("change", "again"), ("message", "msg_none")]).await.status == 422);
    let renewed = post(&[("change", "renew")]).await;
    assert_ne!(shown(&renewed.body), secret);
    let again = post(&[("change", "renew")]).await;
    assert!(![secret, shown(&renewed.body)].contains(&shown(&again.body)), "whoever did not see it has another made");
    for (action, times) in [("tested", 1), ("sent_again", 1), ("secret_renewed", 2)] {
        assert_eq!(it.world.database.audited(&format!("plugin.webhook_{action}")).await, times, "{action}");
    }
    assert_eq!(post(&[("change", "end-old")]).await.status, 303);
    let late = [("change", "set"), ("address", "https://api.todo.example/other"), ("version", "1")];
    let form = admin.get(running, path).await;
    let (csrf, account) = (form.hidden("csrf"), form.hidden("account"));
    let own = [("csrf", csrf.as_str()), ("account", &account)];
    let late = admin.post(running, path, &[&own[..], &late].concat()).await;
    assert!(late.status == 422 && late.body.contains("It was changed since"), "{}", late.body);

    let chromium = Chromium::start().await;
    let address = it.host.url("/hook").to_string();
    chromium.open(&format!("{}/console", running.url)).await;
    chromium.sign_in("admin@example.com").await;
    chromium.reads("API tokens").await;
    chromium.open(&format!("{}{path}", running.url)).await;
    chromium.find(".plugin-head").await;
    chromium.looks_well("console_webhook").await;
    assert_eq!(server.store.webhook(plugin).await.unwrap().unwrap().address.url().as_str(), address);
    let asked = post(&[("change", "remove")]).await;
    assert!(asked.status == 200 && asked.body.contains("Remove the webhook?"), "{}", asked.body);
    assert_eq!(post(&[("change", "remove"), ("confirmed", "yes")]).await.status, 303);
    assert_eq!(it.world.database.count("webhook_deliveries").await, 0, "what is removed is gone");
    chromium.open(&format!("{}{path}", running.url)).await;
    chromium.find(".plugin-head").await;
    chromium.looks_well("console_webhook_none").await;
}
