//! People whom a plugin does not let in, at its door: by an address that looks like one it lets in, by what they were
//! allowed before, and by being quicker than a change.

use consentry::{
    model::{
        access::{Access, Grants, Group, Rule, Who},
        client::Dialect,
        id::GroupId,
    },
    random,
    store::access::{AccessChange, SetAccess},
};
use reqwest::StatusCode;
use serde_json::Value;

use super::by_hand::ByHand;
use crate::{
    harness::{
        browser::{Arrived, Browser, Page, authorize, parameter, plugin_request},
        server::{CALLBACK, Registered, World},
    },
    on_both_engines,
};

fn domain(domain: &str) -> Rule {
    Rule { who: Who::Domain(domain.parse().unwrap()), grants: Grants::Everything }
}

fn person(email: &str, grants: Grants) -> Rule {
    Rule { who: Who::Person(email.parse().unwrap()), grants }
}

async fn let_in(world: &World, rules: Vec<Rule>) {
    let store = &world.running.server.store;
    let (version, _) = store.access(world.plugin.id).await.unwrap().unwrap();
    let change = AccessChange { plugin_id: world.plugin.id, version, access: Access::Only(rules) };
    let done = store.set_access(&change, &world.running.operator()).await.unwrap();
    assert!(matches!(done, SetAccess::Done(_)), "{done:?}");
}

async fn confirm(world: &World, email: &str) {
    let email = email.parse().unwrap();
    let vouched = world.running.server.store.vouch_for_email(&email, &world.running.operator()).await.unwrap();
    assert!(vouched.is_some());
}

/// Where somebody comes to who asks to connect, and signs in.
async fn arrives(world: &World, client: &Registered, email: &str) -> Arrived {
    let browser = Browser::new(&world.running);
    let page = browser.get(&plugin_request(client)).await.page();
    browser.sign_in(&page, email).await
}

fn is_turned_away(page: &Page) -> bool {
    page.status == StatusCode::FORBIDDEN && page.html.contains("is not open to you")
}

fn granted(answer: &(StatusCode, Value)) -> &str {
    assert_eq!(answer.0, 200, "{}", answer.1);
    answer.1["scope"].as_str().unwrap_or_default()
}

on_both_engines! {
    /// Row 52: only a confirmed address at the very host gets in, and nothing that only looks like it.
    async fn no_address_that_looks_alike_gets_in(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let_in(&world, vec![domain("bank.example")]).await;
        for (number, address, is_let_in) in [
            (0, "eve@mail.bank.example", false),
            (1, "eve@evilbank.example", false),
            (2, "eve@bank.example.evil.example", false),
            (3, "eve@b\u{430}nk.example", false),
            (4, "eve@bank.example.", false),
            (5, "eve@ban\u{137}.example", false),
            (6, "eve+bank.example@evil.example", false),
            (7, "Grace@BANK.Example", true),
            // Letters that fold to others are those others before any mail is sent, so whoever confirms has that mailbox.
            (8, "joan@BAN\u{212a}.example", true),
        ] {
            world.running.add_account(address, &format!("Person {number}")).await;
            let before = arrives(&world, &client, address).await.page();
            assert!(is_turned_away(&before), "{address} is not confirmed: {}", before.html);
            confirm(&world, address).await;
            let after = arrives(&world, &client, address).await.page();
            assert_eq!(!is_turned_away(&after), is_let_in, "{address}: {}", after.html);
        }
    }

    /// Row 52: from the page that says so, there is no way on but back, and no yes gives anything.
    async fn whoever_is_turned_away_gets_nothing_by_saying_yes(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let_in(&world, vec![]).await;
        let browser = ByHand::new();
        let page = browser.get(&world.running, browser.get(&world.running, &plugin_request(&client)).await.redirect()).await;
        let led = browser.sign_in(&world.running, &page, "ada@example.com", crate::harness::server::PASSWORD).await;
        let page = browser.get(&world.running, led.redirect()).await;
        assert_eq!(page.status, 403, "{}", page.body);
        let yes = browser.decide(&world.running, &page, "allow").await;
        assert_eq!((yes.status, yes.location()), (403, None), "{}", yes.body);
        let no = browser.decide(&world.running, &page, "deny").await;
        let back: url::Url = no.redirect().parse().unwrap();
        assert_eq!(parameter(&back, "error").as_deref(), Some("access_denied"));
        assert_eq!(world.database.count("consents").await, 0);
        let silent = authorize(&[
            ("response_type", "code"), ("client_id", &client.client_id), ("redirect_uri", CALLBACK), ("scope", ""),
            ("prompt", "none"),
        ]);
        // Where no page is shown, nothing tells who is let in from who is not: else rules that name people would tell any
        // site whose browser this is.
        let shut_out = browser.get(&world.running, &silent).await.redirect().to_owned();
        let_in(&world, vec![Rule { who: Who::Everyone, grants: Grants::Everything }]).await;
        let not_agreed = browser.get(&world.running, &silent).await.redirect().to_owned();
        assert_eq!(shut_out, not_agreed);
        let back: url::Url = shut_out.parse().unwrap();
        assert_eq!(parameter(&back, "error").as_deref(), Some("consent_required"));
    }

    /// Row 52: what somebody agreed to before they were shut out answers for nothing; nor do a code and a connection.
    async fn nothing_of_before_a_change_outlives_it(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        confirm(&world, "ada@example.com").await;
        let_in(&world, vec![person("ada@example.com", Grants::Everything)]).await;
        let browser = Browser::new(&world.running);
        let left = browser.agree(&plugin_request(&client), "ada@example.com").await;
        let (_, tokens) = world.running.redeem(&client, &parameter(&left, "code").unwrap()).await;
        let (refresh, access) = (tokens["refresh_token"].as_str().unwrap(), tokens["access_token"].as_str().unwrap());
        let code = world.running.code(&client).await;
        let remembered = browser.get(&plugin_request(&client)).await.left();
        assert!(parameter(&remembered, "code").is_some(), "agreed before");

        let_in(&world, vec![person("grace@example.com", Grants::Everything)]).await;
        assert!(is_turned_away(&browser.get(&plugin_request(&client)).await.page()));
        for code in [&code, &parameter(&remembered, "code").unwrap()] {
            let (status, answer) = world.running.redeem(&client, code).await;
            assert_eq!((status, answer["error"].as_str()), (StatusCode::BAD_REQUEST, Some("invalid_grant")));
        }
        let (status, answer) = world.running.refresh(&client, refresh).await;
        assert_eq!((status, answer["error"].as_str()), (StatusCode::BAD_REQUEST, Some("invalid_grant")), "{answer}");
        assert!(!answer.to_string().contains("rules"), "the client is told no more than ever: {answer}");
        let shown = [("client_id", client.client_id.as_str()), ("client_secret", &client.client_secret), ("token", access)];
        let (_, told) = world.running.form("/introspect", &shown).await;
        assert_eq!(told["active"], false, "{told}");
        // Letting go of it still counts, and it is not back when they are.
        let revoked = world.running.form("/revoke", &[
            ("client_id", &client.client_id), ("client_secret", &client.client_secret), ("token", refresh),
        ]).await;
        assert_eq!(revoked.0, StatusCode::OK);
        let_in(&world, vec![person("ada@example.com", Grants::Everything)]).await;
        assert_eq!(world.running.refresh(&client, refresh).await.0, StatusCode::BAD_REQUEST);
    }

    /// Row 52: a request for more than is theirs to grant gets what is, at the page, at the code and at the refresh.
    async fn nobody_grants_what_is_not_theirs(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        confirm(&world, "ada@example.com").await;
        let read = || Grants::These("todo.read".parse().unwrap());
        let_in(&world, vec![person("ada@example.com", read())]).await;
        let browser = ByHand::new();
        let asked = authorize(&[
            ("response_type", "code"), ("client_id", &client.client_id), ("redirect_uri", CALLBACK),
            ("scope", "todo.read todo.write"),
        ]);
        let page = browser.get(&world.running, browser.get(&world.running, &asked).await.redirect()).await;
        let led = browser.sign_in(&world.running, &page, "ada@example.com", crate::harness::server::PASSWORD).await;
        let page = browser.get(&world.running, led.redirect()).await;
        assert!(page.body.contains("does not let you allow"), "{}", page.body);
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        let fields = [
            ("r", r.as_str()), ("csrf", &csrf), ("decision", "allow"), ("scope", "todo.write"), ("scope", "todo.read"),
        ];
        let left: url::Url = browser.post(&world.running, "/consent", &fields).await.redirect().parse().unwrap();
        let tokens = world.running.redeem(&client, &parameter(&left, "code").unwrap()).await;
        assert_eq!(granted(&tokens), "todo.read");
        // Asking for the other one alone comes to nothing.
        let other = asked.replace("todo.read+", "");
        let turned = browser.get(&world.running, browser.get(&world.running, &other).await.redirect()).await;
        assert_eq!(turned.status, 403, "{}", turned.body);

        let_in(&world, vec![person("ada@example.com", Grants::Everything)]).await;
        let whole = Browser::new(&world.running).agree(&asked, "ada@example.com").await;
        let tokens = world.running.redeem(&client, &parameter(&whole, "code").unwrap()).await;
        assert_eq!(granted(&tokens), "todo.read todo.write");
        let_in(&world, vec![person("ada@example.com", read())]).await;
        let refreshed = world.running.refresh(&client, tokens.1["refresh_token"].as_str().unwrap()).await;
        assert_eq!(granted(&refreshed), "todo.read");
    }

    /// Row 52: a group that was deleted lets nobody in, nor does another one under its name.
    async fn a_group_that_is_gone_lets_nobody_in(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let store = &world.running.server.store;
        let (ada, _) = store.account_by_email(&"ada@example.com".parse().unwrap()).await.unwrap().unwrap();
        let staff = async || {
            let group = Group { id: GroupId(random::id(world.running.server.clock.now())), name: "staff".parse().unwrap() };
            assert!(store.create_group(&group, &world.running.operator()).await.unwrap());
            assert!(store.add_member(group.id, ada.id, &world.running.operator()).await.unwrap());
            group
        };
        let group = staff().await;
        let_in(&world, vec![Rule { who: Who::Group(group.clone()), grants: Grants::Everything }]).await;
        let (_, tokens) = world.running.redeem(&client, &world.running.code(&client).await).await;
        let refresh = tokens["refresh_token"].as_str().unwrap();
        assert!(store.delete_group(group.id, &world.running.operator()).await.unwrap());
        staff().await;
        assert_eq!(world.running.refresh(&client, refresh).await.0, StatusCode::BAD_REQUEST);
        assert!(is_turned_away(&arrives(&world, &client, "ada@example.com").await.page()));
    }
}
