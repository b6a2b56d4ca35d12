//! Callbacks offered to owners: a stranger can have one noted that looks like the client's own, and nothing else by it.

use consentry::{
    jobs,
    model::{client::Dialect, redirect_uri::RedirectUri},
    store::callback_offers::CallbackOffer,
};

use crate::{
    harness::{
        browser::{Arrived, Browser, authorize},
        server::{Registered, World},
    },
    on_both_engines,
};

const CALLBACK: &str = "https://chat.openai.com/aip/g-a1b2/oauth/callback";

fn request(client: &Registered, redirect_uri: &str) -> String {
    authorize(&[("response_type", "code"), ("client_id", &client.client_id), ("redirect_uri", redirect_uri)])
}

/// Asserts that whoever asks for this is shown an error, and stays.
async fn is_refused(browser: &Browser, client: &Registered, redirect_uri: &str) {
    match browser.get(&request(client, redirect_uri)).await {
        Arrived::Page(page) => {
            assert_eq!((page.url.path(), page.status.as_u16()), ("/authorize", 400), "{redirect_uri}");
        }
        Arrived::Left(url) => panic!("{redirect_uri} left for {url}"),
    }
}

/// What is offered to a client's owner once everything was written down.
async fn offered(world: &World, client: &Registered) -> Vec<CallbackOffer> {
    let server = &world.running.server;
    jobs::notes::keep(server).await.unwrap();
    let client = server.store.client(&client.client_id, server.clock.now()).await.unwrap().unwrap();
    server.store.callback_offers(client.id, server.clock.now() - chrono::TimeDelta::days(7)).await.unwrap()
}

on_both_engines! {
    /// Row 1: a callback that only resembles one of the caller's is offered to nobody.
    async fn a_near_miss_is_never_offered(engine) {
        let world = World::new(engine).await;
        let client = world.running.add_client(&world.plugin, Dialect::Action, &[CALLBACK]).await;
        let browser = Browser::new(&world.running);
        for near in [
            "https://chat.openai.com.evil.example/aip/g-c3/oauth/callback",
            "https://evil.example/aip/g-c3/oauth/callback",
            "https://chat.openai.com@evil.example/aip/g-c3/oauth/callback",
            "https://me@chat.openai.com/aip/g-c3/oauth/callback",
            "https://@chat.openai.com/aip/g-c3/oauth/callback",
            "https://chat.openai.com\\@evil.example/aip/g-c3/oauth/callback",
            "https://chat.openai.com:8443/aip/g-c3/oauth/callback",
            "https://chat.openai.com./aip/g-c3/oauth/callback",
            "https://CHAT.openai.com/aip/g-c3/oauth/callback",
            "http://chat.openai.com/aip/g-c3/oauth/callback",
            "https:chat.openai.com/aip/g-c3/oauth/callback",
            "https://chat.openai.com/aip/g-../../../redirect/oauth/callback",
            "https://chat.openai.com/aip/g-c3/../g-d4/oauth/callback",
            "https://chat.openai.com/aip/g-c3%2f../oauth/callback",
            "https://chat.openai.com/aip/g-/oauth/callback",
            "https://chat.openai.com/aip/g-c3/oauth/callback/",
            "https://chat.openai.com/aip/g-c3/oauth/callback?to=https://evil.example",
            "https://chat.openai.com/aip/g-c3/oauth/callback#x",
            "https://chat.openai.com/aip/plugin-c3/oauth/callback",
            "https://chat.openai.com/share/c3",
            "https://claude.ai/api/mcp/auth_callback",
            "http://127.0.0.1/callback",
            "com.example.app:/oauth/callback",
            &format!("https://chat.openai.com/aip/g-{}/oauth/callback", "a".repeat(65)),
        ] {
            is_refused(&browser, &client, near).await;
            assert_eq!(offered(&world, &client).await, [], "{near}");
        }
        assert_eq!(world.database.count("callback_offers").await, 0);
        is_refused(&browser, &client, "https://chatgpt.com/aip/g-c3/oauth/callback").await;
        assert_eq!(offered(&world, &client).await.len(), 1, "what is right is offered");
    }

    /// Row 41: whoever names callbacks without end fills no table and no log, and hides none that is asked for later.
    async fn a_stranger_cannot_fill_what_is_offered(engine) {
        let world = World::new(engine).await;
        let client = world.running.add_client(&world.plugin, Dialect::Action, &[CALLBACK]).await;
        let browser = Browser::new(&world.running);
        let before = world.database.count("audit_events").await;
        let own: RedirectUri = "https://chat.openai.com/aip/g-own/oauth/callback".parse().unwrap();
        for turn in 0..3 {
            for number in 0..30 {
                is_refused(&browser, &client, &format!("https://chatgpt.com/aip/g-{turn}-{number}/oauth/callback")).await;
            }
            assert_eq!(offered(&world, &client).await.len(), 10);
        }
        assert_eq!(world.database.count("callback_offers").await, 10);
        assert_eq!(world.database.count("audit_events").await, before);
        assert_eq!(world.database.count("outgoing_mails").await, 0);
        is_refused(&browser, &client, own.as_str()).await;
        assert_eq!(offered(&world, &client).await[0].redirect_uri, own);
        is_refused(&browser, &client, own.as_str()).await;
    }
}
