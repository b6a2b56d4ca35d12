//! Schemathesis against the owners' API: no call fails the server, and every answer is one that the description has.

use consentry::{
    model::{
        client::Dialect,
        id::ConsentId,
        rotator::{Rotator, Way},
    },
    random,
    registry::plugin_secrets::{self, SettingsForm},
    vault::SecretValue,
};
use uuid::Uuid;

use crate::{
    harness::{
        foreign::run,
        program::Program,
        server::{Options, World},
        strangers::Strangers,
    },
    on_both_engines,
};

on_both_engines! {
    async fn every_answer_is_as_it_is_described(engine) {
        // Names that are made up lead nowhere, and at once.
        let strangers = Strangers::new();
        let way = Way::Command(vec!["/bin/false".to_owned()]);
        let rotators = vec![Rotator { name: "keys".to_owned(), for_owners: true, way }];
        let options = Options { outbound: strangers.settings(), rotators, ..Options::default() };
        let world = World::with(engine, options).await;
        let running = &world.running;
        let (program, account) = Program::of_a_new_owner(running, "owner@example.com").await;
        let store = &running.server.store;
        store.add_owner(world.plugin.id, account, &running.operator()).await.unwrap();
        let other = running.add_account("other@example.com", "Other Owner").await;
        store.add_owner(world.plugin.id, other, &running.operator()).await.unwrap();
        let (client, to_delete) = (world.client(Dialect::Action).await, world.client(Dialect::Action).await);
        let secret = store.client(&client.client_id, running.server.clock.now()).await.unwrap().unwrap().secrets[0].id;
        let registry = running.registry();
        let (ring, value) = (running.server.keyring.current(), SecretValue::new("First-9fK2xQ7b".to_owned()));
        for name in ["upstream-key", "spare-key"] {
            let (name, form) = ((world.plugin.id, name), SettingsForm::default());
            let kept = plugin_secrets::put(&registry, &ring, name, &value, &form).await.unwrap();
            plugin_secrets::rotate(&registry, &ring, (&kept, 1), &value, None).await.unwrap();
        }
        let nobodys = ConsentId(random::id(running.server.clock.now()));
        let told = [
            ("DESCRIPTION", format!("{}/openapi.json", program.url)),
            ("TOKEN", program.token.clone()),
            ("SLUG", world.plugin.slug.clone()),
            ("CLIENT_ID", client.client_id),
            ("SECRET_ID", secret.to_string()),
            ("ACCOUNT_ID", other.to_string()),
            ("CONSENT_ID", nobodys.to_string()),
            ("ATTEMPT_ID", Uuid::max().to_string()),
            ("API_KEY", "upstream-key".to_owned()),
            ("CLIENT_TO_DELETE", to_delete.client_id),
            ("API_KEY_TO_REMOVE", "spare-key".to_owned()),
        ];
        let report = run("CONSENTRY_TEST_SCHEMATHESIS", "CONSENTRY_TEST_DESCRIBED", &told).await;
        assert_eq!(report["client"], "schemathesis");
    }
}
