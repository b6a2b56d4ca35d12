//! A plugin's own colour: it is on the page on which people agree to it, and on no other.

use consentry::model::{account::Role, client::Dialect};

use crate::{
    attacks::by_hand::ByHand,
    harness::{browser::plugin_request, server::World},
    on_both_engines,
};

const LISTING: &str = "/console/plugins/todo/listing";

on_both_engines! {
    async fn the_page_of_consent_has_its_plugins_colour(engine) {
        let world = World::new(engine).await;
        world.running.add_account_as("admin@example.com", "Adam Admin", Role::Admin).await;
        let client = world.client(Dialect::Plugin).await;
        let owner = ByHand::signed_in(&world.running, "admin@example.com").await;
        let save = async |colour: &str| {
            let form = owner.get(&world.running, LISTING).await;
            let (csrf, account, version) = (form.hidden("csrf"), form.hidden("account"), form.hidden("version"));
            let address = &format!("http://{}", world.plugin.host);
            let fields = [
                ("csrf", csrf.as_str()), ("account", &account), ("version", &version), ("name", "To-do"),
                ("description", "Keeps tasks."), ("api_address", address), ("contact_email", "owner@example.com"),
                ("legal_info_url", "https://example.com/legal"), ("accent_color", colour),
            ];
            owner.post(&world.running, LISTING, &fields).await
        };
        for wrong in ["red", "#fff", "#12345g", "#123456; }"] {
            let told = save(wrong).await;
            assert_eq!(told.status, 422, "{wrong}");
            assert!(told.body.contains("it is not a colour") && told.body.contains("value=\"#") == wrong.starts_with('#'));
        }
        let saved = save(" #AA5500 ").await;
        assert_eq!(saved.location(), Some("/console/plugins/todo?done=saved"), "{}", saved.body);
        assert!(owner.get(&world.running, LISTING).await.body.contains("value=\"#aa5500\""));
        let consent = ByHand::signed_in(&world.running, "ada@example.com").await;
        let page = consent.get(&world.running, &plugin_request(&client)).await;
        let page = match page.location() {
            Some(onwards) => consent.get(&world.running, onwards).await,
            None => page,
        };
        let link = page.body.split('"').find(|part| part.contains("/static/accent-")).expect("its stylesheet");
        assert!(link.contains("/static/accent-aa5500.css"), "{link}");
        let sheet = consent.get(&world.running, link).await;
        assert!(sheet.status == 200 && sheet.header("content-type").starts_with("text/css"), "{}", sheet.body);
        for other in ["/account", "/console"] {
            assert!(!owner.get(&world.running, other).await.body.contains("accent-"), "{other}");
        }
        let none = save("").await;
        assert_eq!(none.location(), Some("/console/plugins/todo?done=saved"), "{}", none.body);
        let kept = world.running.server.store.plugin_by_slug("todo").await.unwrap().unwrap();
        assert_eq!(kept.accent_color, None);
    }
}
