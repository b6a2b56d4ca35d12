//! Owners at work in the console: inviting each other, looking at who is connected, ending that, reading the log. And
//! what they must not: another's plugin, and who the people are.

use consentry::{
    mail::Security,
    model::{
        account::{Role, SignUps},
        audit::Origin,
        client::Dialect,
        id::{AccountId, PluginId},
        plugin::Plugin,
    },
    random,
    server::{Server, people},
    store::{people::Followed, plugins::PluginImport},
};

use super::people::Town;
use crate::{
    attacks::by_hand::{Answer, ByHand},
    harness::{
        browser::{Browser, parameter, plugin_request},
        chromium::Chromium,
        databases::Engine,
        server::{Options, World},
        smtp::{SmtpServer, link},
    },
    on_both_engines,
};

async fn account(world: &World, email: &str) -> AccountId {
    let server: &Server = &world.running.server;
    server.store.account_by_email(&email.parse().unwrap()).await.unwrap().unwrap().0.id
}

/// Makes somebody the plugin's owner.
async fn own(world: &World, email: &str) {
    let (id, operator) = (account(world, email).await, world.running.operator());
    assert!(world.running.server.store.add_owner(world.plugin.id, id, &operator).await.unwrap());
}

/// A plugin that is nobody's yet.
async fn second_plugin(world: &World) -> Plugin {
    let server: &Server = &world.running.server;
    let plugin = Plugin {
        id: PluginId(random::id(server.clock.now())),
        slug: "other".to_owned(),
        host: "other.example".parse().unwrap(),
        resource: "https://other.example".to_owned(),
        ..world.plugin.clone()
    };
    let import = PluginImport::of(plugin.clone(), vec![], server.clock.now());
    server.store.import_plugin(&import, &world.running.operator()).await.unwrap();
    plugin
}

async fn post(world: &World, browser: &ByHand, path: &str, fields: &[(&str, &str)]) -> Answer {
    let form = browser.get(&world.running, "/account").await;
    let (csrf, account) = (form.hidden("csrf"), form.hidden("account"));
    let own = [("csrf", csrf.as_str()), ("account", &account)];
    browser.post(&world.running, path, &[&own[..], fields].concat()).await
}

/// Connects Grace by a client of the plugin, and answers what refreshes it.
async fn connect(world: &World) -> (crate::harness::server::Registered, String) {
    let client = world.client(Dialect::Plugin).await;
    let left = Browser::new(&world.running).agree(&plugin_request(&client), "grace@example.com").await;
    let (status, tokens) = world.running.redeem(&client, &parameter(&left, "code").unwrap()).await;
    assert_eq!(status, 200, "{tokens}");
    (client, tokens["refresh_token"].as_str().unwrap().to_owned())
}

on_both_engines! {
    async fn an_owner_invites_who_accepts_and_leaves(engine) {
        let town = Town::new(engine).await;
        let world = &town.world;
        own(world, "ada@example.com").await;
        world.database.execute("update accounts set email_verified_at = created_at").await;
        let (ada, grace) = (ByHand::signed_in(&world.running, "ada@example.com").await, ByHand::signed_in(&world.running, "grace@example.com").await);
        let owners = "/console/plugins/todo/owners";
        assert_eq!(grace.get(&world.running, owners).await.status, 404, "not yet hers");
        let wrong = post(world, &ada, owners, &[("change", "invite"), ("email", "nobody")]).await;
        assert!(wrong.status == 422 && wrong.body.contains("not an e-mail address") && wrong.body.contains("value=\"nobody\""), "{}", wrong.body);
        // Whether somebody has an account makes no difference to who asks.
        let mut told = Vec::new();
        for email in ["grace@example.com", "joan@example.com"] {
            let answer = post(world, &ada, owners, &[("change", "invite"), ("email", email)]).await;
            told.push((answer.status, answer.redirect().to_owned()));
        }
        assert_eq!(told[0], told[1]);
        let mail = town.mail_to("grace@example.com").await;
        assert!(mail["text"].as_str().unwrap().contains("/console/invitations"), "{mail}");
        assert!(!mail["text"].as_str().unwrap().contains("To-do"), "nothing an owner typed is mailed: {mail}");
        let new = town.mail_to("joan@example.com").await;
        assert_eq!(new["text"], mail["text"], "where anybody may sign up there is one letter for all");

        let waiting = grace.get(&world.running, "/console/invitations").await;
        assert!(waiting.body.contains("todo.example") || waiting.body.contains("Accept"), "{}", waiting.body);
        let plugin = waiting.hidden("plugin");
        let stranger = post(world, &ada, "/console/invitations", &[("plugin", &plugin), ("decision", "accept")]).await;
        assert_eq!(stranger.status, 404, "it is Grace who is invited");
        let accepted = post(world, &grace, "/console/invitations", &[("plugin", &plugin), ("decision", "accept")]).await;
        assert_eq!(accepted.status, 303, "{}", accepted.body);
        let page = grace.get(&world.running, owners).await;
        assert!(page.status == 200 && page.body.contains("joan@example.com"), "{}", page.body);

        let ada_id = account(world, "ada@example.com").await.to_string();
        let asked = post(world, &ada, owners, &[("change", "remove"), ("owner", &ada_id)]).await;
        assert!(asked.status == 200 && asked.body.contains("another owner has to invite you"), "{}", asked.body);
        assert_eq!(ada.get(&world.running, owners).await.status, 200, "not before it is confirmed");
        let remove = [("change", "remove"), ("owner", &ada_id), ("confirmed", "yes")];
        let left = post(world, &ada, owners, &remove).await;
        assert_eq!(left.status, 303, "{}", left.body);
        assert_eq!(ada.get(&world.running, owners).await.status, 404);
        let grace_id = account(world, "grace@example.com").await.to_string();
        let last = post(world, &grace, owners, &[("change", "remove"), ("owner", &grace_id), ("confirmed", "yes")]).await;
        assert!(last.status == 422 && last.body.contains("last owner"), "{}", last.body);
        let add = post(world, &grace, owners, &[("change", "add"), ("email", "ada@example.com")]).await;
        assert_eq!(add.status, 404, "adding without asking is for administrators");
    }

    /// Where accounts are made by invitation alone, being asked to own a plugin is one.
    async fn who_needs_an_account_gets_a_link_to_make_one(engine) {
        let smtp = SmtpServer::start(Security::Plain, false).await;
        let options = Options { mail: Some(smtp.way.clone()), sign_ups: SignUps::Invited, ..Options::default() };
        let world = World::with(engine, options).await;
        let (server, operator) = (&world.running.server, world.running.operator());
        let joan = "joan@example.com".parse().unwrap();
        let asked = people::invite_owner(server, world.plugin.id, &joan, "en", &operator).await.unwrap();
        assert_eq!(asked, people::Invited::Asked);
        consentry::jobs::mail::once(server).await.unwrap();
        let (url, secret) = link(&smtp.mail_to("joan@example.com").await);
        assert!(url.ends_with("/invitation"), "{url}");
        let done = people::sign_up(server, &secret, ("Joan", "seven unlikely herons"), Origin::default()).await.unwrap();
        let Followed::Done(account) = done else { panic!("{done:?}") };
        assert!(account.role == Role::Person && account.email_verified_at.is_some());
        let waiting = server.store.invitations_to(&joan, server.clock.now()).await.unwrap();
        assert_eq!(waiting.len(), 1, "she is asked, and owns nothing yet");
        assert!(server.store.owners(world.plugin.id).await.unwrap().is_empty());
    }

    async fn without_mail_the_page_says_who_can_help(engine) {
        let world = World::new(engine).await;
        own(&world, "ada@example.com").await;
        let ada = ByHand::signed_in(&world.running, "ada@example.com").await;
        let page = ada.get(&world.running, "/console/plugins/todo/owners").await;
        assert!(page.body.contains("plugin add-owner todo") && !page.body.contains(">Invite<"), "{}", page.body);
        let asked = post(&world, &ada, "/console/plugins/todo/owners", &[("change", "invite"), ("email", "a@b.example")]).await;
        assert_eq!(asked.status, 404);
    }

    async fn an_owner_sees_who_is_connected_as_the_api_does_and_ends_it(engine) {
        let world = World::new(engine).await;
        own(&world, "ada@example.com").await;
        let (client, refresh) = connect(&world).await;
        let ada = ByHand::signed_in(&world.running, "ada@example.com").await;
        let grace_id = account(&world, "grace@example.com").await;
        let subject = consentry::registry::people::subject_of(&world.plugin, grace_id);
        for path in ["people", "log", "log.csv"] {
            let page = ada.get(&world.running, &format!("/console/plugins/todo/{path}")).await;
            assert!(page.status == 200 && page.body.contains(&subject), "{path}: {}", page.body);
            assert!(!page.body.contains("grace@example.com") && !page.body.contains("Grace Hopper"), "{}", page.body);
            for line in page.body.lines().filter(|line| line.contains("\"consent.") || line.contains("\"family.")) {
                assert!(!line.contains("127.0.0.1") && !line.contains("::1"), "{line}");
            }
        }
        world.database.execute("update accounts set role = 'admin' where email = 'ada@example.com'").await;
        let page = ada.get(&world.running, "/console/plugins/todo/people").await;
        assert!(page.body.contains("grace@example.com"), "an administrator sees it: {}", page.body);
        let ended = post(&world, &ada, "/console/plugins/todo/people", &[("consent", &page_value(&page))]).await;
        assert_eq!(ended.status, 303, "{}", ended.body);
        assert_eq!(world.running.refresh(&client, &refresh).await.0, 400);
    }

    async fn everybody_is_disconnected_by_who_types_the_name(engine) {
        let world = World::new(engine).await;
        own(&world, "ada@example.com").await;
        let (client, refresh) = connect(&world).await;
        let ada = ByHand::signed_in(&world.running, "ada@example.com").await;
        let path = "/console/plugins/todo/people/everybody";
        let page = ada.get(&world.running, path).await;
        assert!(page.body.contains("one connection"), "{}", page.body);
        let wrong = post(&world, &ada, path, &[("confirm", "tod")]).await;
        assert!(wrong.status == 422 && wrong.body.contains("nobody was disconnected"), "{}", wrong.body);
        let (status, tokens) = world.running.refresh(&client, &refresh).await;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(post(&world, &ada, path, &[("confirm", "todo")]).await.status, 303);
        let refresh = tokens["refresh_token"].as_str().unwrap();
        assert_eq!(world.running.refresh(&client, refresh).await.0, 400);
        let list = ada.get(&world.running, "/console/plugins/todo/people").await;
        assert!(list.body.contains("Nobody is connected"), "{}", list.body);
        assert_eq!(world.database.audited("plugin.people_disconnected").await, 1);
    }

    async fn the_log_is_searched_and_taken_along(engine) {
        let world = World::new(engine).await;
        own(&world, "ada@example.com").await;
        let client = world.client(Dialect::Plugin).await;
        world.database.execute("update clients set name = '=HYPERLINK(\"x\")'").await;
        let ada = ByHand::signed_in(&world.running, "ada@example.com").await;
        let led = post(&world, &ada, "/console/plugins/todo/log", &[("search", " client.added ")]).await;
        assert!(led.redirect().ends_with("/console/plugins/todo/log?search=client.added"), "{led:?}");
        let page = ada.get(&world.running, led.redirect()).await;
        assert!(page.body.contains(">client.added<") && !page.body.contains(">plugin.imported<"), "{}", page.body);
        let page = ada.get(&world.running, &format!("/console/plugins/todo/log?search={}", client.client_id)).await;
        assert!(page.body.contains(">client.added<") && !page.body.contains(">plugin.imported<"), "{}", page.body);
        let file = ada.get(&world.running, "/console/plugins/todo/log.csv").await;
        assert!(file.header("content-type").starts_with("text/csv") && file.header("content-disposition").contains("todo-log.csv"));
        assert!(file.body.contains("\"'=HYPERLINK(\"\"x\"\")\"") && file.body.contains("plugin.imported"), "{}", file.body);
    }

    async fn what_is_anothers_is_not_there(engine) {
        let world = World::new(engine).await;
        own(&world, "ada@example.com").await;
        connect(&world).await;
        let ada = ByHand::signed_in(&world.running, "ada@example.com").await;
        let consent = page_value(&ada.get(&world.running, "/console/plugins/todo/people").await);
        let other = second_plugin(&world).await;
        let grace_id = account(&world, "grace@example.com").await;
        world.running.server.store.add_owner(other.id, grace_id, &world.running.operator()).await.unwrap();
        let grace = ByHand::signed_in(&world.running, "grace@example.com").await;
        let events = world.database.count("audit_events").await;
        for path in ["owners", "people", "people/everybody", "log", "log.csv"] {
            let path = format!("/console/plugins/todo/{path}");
            assert_eq!(grace.get(&world.running, &path).await.status, 404, "{path}");
            if !path.ends_with("csv") {
                let fields = [("change", "add"), ("email", "a@b.example"), ("consent", &consent), ("confirm", "todo")];
                assert_eq!(post(&world, &grace, &path, &fields).await.status, 404, "{path}");
            }
        }
        let of_hers = post(&world, &grace, "/console/plugins/other/people", &[("consent", &consent)]).await;
        assert_eq!(of_hers.status, 404, "another's consent under her own plugin");
        let resource = format!("/console/plugins/other/people?resource={}", world.plugin.resource);
        assert_eq!(grace.get(&world.running, &resource).await.status, 404);
        assert_eq!(world.database.count("audit_events").await, events);
    }
}

/// The value of the first button that names a consent.
fn page_value(page: &Answer) -> String {
    let (_, rest) = page.body.split_once("name=\"consent\" value=\"").expect("somebody to disconnect");
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_of_people_look_well() {
    let town = Town::new(Engine::Sqlite).await;
    let world = &town.world;
    own(world, "ada@example.com").await;
    own(world, "grace@example.com").await;
    world.database.execute("update accounts set email_verified_at = created_at").await;
    connect(world).await;
    let by_hand = ByHand::signed_in(&world.running, "ada@example.com").await;
    post(world, &by_hand, "/console/plugins/todo/owners", &[("change", "invite"), ("email", "joan@example.com")]).await;
    let other = second_plugin(world).await;
    let (server, audit) = (&world.running.server, world.running.operator());
    let email = "ada@example.com".parse().unwrap();
    consentry::server::people::invite_owner(server, other.id, &email, "en", &audit).await.unwrap();
    let chromium = Chromium::start().await;
    chromium.open(&format!("{}/console/invitations", world.running.url)).await;
    chromium.sign_in("ada@example.com").await;
    chromium.reads("Accept").await;
    chromium.looks_well("console_invitations").await;
    for (path, name) in [("owners", "owners"), ("people", "people"), ("people/everybody", "everybody"), ("log", "log")]
    {
        chromium.open(&format!("{}/console/plugins/todo/{path}", world.running.url)).await;
        chromium.find(".plugin-head").await;
        chromium.looks_well(&format!("console_{name}")).await;
    }
}
