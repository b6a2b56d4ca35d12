//! Strangers, other owners and old addresses at the end of an owner's try-out.

use consentry::{jobs, model::account::Role};

use super::by_hand::ByHand;
use crate::{
    harness::server::{PASSWORD, World},
    journeys::try_out::world,
    on_both_engines,
};

const TRY: &str = "/console/plugins/todo/try";

/// Begins a try-out and agrees: the address to which the browser is sent back.
async fn agreed(world: &World, browser: &ByHand) -> String {
    let form = browser.get(&world.running, "/console/plugins/todo/working").await;
    let (csrf, account) = (form.hidden("csrf"), form.hidden("account"));
    let sent = browser.post(&world.running, TRY, &[("csrf", &csrf), ("account", &account), ("kind", "plugin")]).await;
    let asked = browser.get(&world.running, sent.redirect()).await;
    // Proxies take 4 KB for the head of an answer.
    let head: usize = asked.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    assert!(head < 4000, "{head}: {:?}", asked.headers);
    let consent = browser.get(&world.running, asked.redirect()).await;
    browser.decide(&world.running, &consent, "allow").await.redirect().to_owned()
}

on_both_engines! {
    /// Row 16: what a try-out comes back with is good once, in the browser and the account that left, for its plugin.
    async fn a_return_is_good_once_in_the_browser_that_left(engine) {
        let world = world(engine).await;
        let running = &world.running;
        running.add_account_as("rival@example.com", "Rival Owner", Role::Owner).await;
        running.add_account_as("admin@example.com", "Adam Admin", Role::Admin).await;
        let owner = ByHand::signed_in(running, "owner@example.com").await;
        let back = agreed(&world, &owner).await;
        assert!(back.starts_with(&format!("{}{TRY}/return?", running.url)), "{back}");
        let over = Some("/console/plugins/todo/working?done=try-out-over");

        let stranger = ByHand::new();
        assert_eq!(stranger.get(running, &back).await.status, 303, "has to sign in");
        let rival = ByHand::signed_in(running, "rival@example.com").await;
        assert_eq!(rival.get(running, &back).await.status, 404);
        let admin = ByHand::signed_in(running, "admin@example.com").await;
        assert_eq!(admin.get(running, &back).await.location(), over);
        let elsewhere = ByHand::signed_in(running, "owner@example.com").await;
        assert_eq!(elsewhere.get(running, &back).await.location(), over, "the same account in another browser");
        for other in [back.replace("&state=", "&state=A"), back.replace("state=", "other="), format!("{TRY}/return?code=x&state=x")] {
            assert_eq!(owner.get(running, &other).await.location(), over, "{other}");
        }
        // Another account in the same browser.
        let page = owner.get(running, "/console").await;
        let out = [("csrf", page.hidden("csrf")), ("r", String::new())];
        owner.post(running, "/sign-out", &out.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
        let page = owner.get(running, "/sign-in").await;
        owner.sign_in(running, &page, "admin@example.com", PASSWORD).await;
        assert_eq!(owner.get(running, &back).await.location(), over, "another account in the same browser");
        let page = owner.get(running, "/console").await;
        let out = [("csrf", page.hidden("csrf")), ("r", String::new())];
        owner.post(running, "/sign-out", &out.each_ref().map(|(name, value)| (*name, value.as_str()))).await;
        let page = owner.get(running, "/sign-in").await;
        owner.sign_in(running, &page, "owner@example.com", PASSWORD).await;

        // For another plugin of theirs.
        let other = running.add_plugin_at("other", "other.example").await;
        let (account, _) =
            running.server.store.account_by_email(&"owner@example.com".parse().unwrap()).await.unwrap().unwrap();
        running.server.store.add_owner(other.id, account.id, &running.operator()).await.unwrap();
        let at_other = owner.get(running, &back.replace("/todo/", "/other/")).await;
        assert_eq!(at_other.location(), Some("/console/plugins/other/working?done=try-out-over"));

        // Nothing of that has used it up; ten at once are one.
        let all = futures_util::future::join_all((0..10).map(|_| owner.get(running, &back))).await;
        let good = all.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(good, 1, "{:?}", all.iter().map(|answer| answer.status).collect::<Vec<_>>());
        assert!(all.iter().any(|answer| answer.body.contains("Tokens for the code")));
        assert_eq!(owner.get(running, &back).await.location(), over);
        // Nor later: it is the same try-out for as long as it is good.
        for minutes in [1, 30] {
            running.server.clock.advance(chrono::TimeDelta::minutes(minutes));
            assert_eq!(owner.get(running, &back).await.location(), over, "{minutes} minutes later");
        }
        assert!(running.server.store.clients(running.server.clock.now()).await.unwrap().is_empty());
    }

    /// Row 16: one that nobody came back from is gone in an hour, with its client.
    async fn what_nobody_came_back_from_ends_by_itself(engine) {
        let world = world(engine).await;
        let running = &world.running;
        let owner = ByHand::signed_in(running, "owner@example.com").await;
        let back = agreed(&world, &owner).await;
        let clock = &running.server.clock;
        clock.advance(chrono::TimeDelta::minutes(59));
        while jobs::sweep::once(&running.server).await.unwrap() > 0 {}
        assert_eq!(running.server.store.clients(clock.now()).await.unwrap().len(), 1);
        let made = running.server.store.clients(clock.now()).await.unwrap().remove(0);
        clock.advance(chrono::TimeDelta::minutes(1));
        assert!(running.server.store.client(&made.client_id, clock.now()).await.unwrap().is_none(), "over is over");
        assert_eq!(world.database.audited("client.deleted").await, 0);
        while jobs::sweep::once(&running.server).await.unwrap() > 0 {}
        assert!(running.server.store.clients(clock.now()).await.unwrap().is_empty());
        assert_eq!(world.database.count("clients").await, 0);
        assert_eq!(world.database.audited("client.deleted").await, 1);
        let over = owner.get(running, &back).await;
        assert_eq!(over.location(), Some("/console/plugins/todo/working?done=try-out-over"));
    }
}
