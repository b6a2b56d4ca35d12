//! Row 19: whoever owns a plugin names the host that this server reads back, and that host names where it goes on.

use consentry::{model::verification::Outcome, protocol::manifest};

use crate::{
    harness::{
        published::{HOST, Published},
        strangers::answer::Answer,
    },
    on_both_engines,
};

on_both_engines! {
    async fn a_public_address_leads_the_server_nowhere_inside(engine) {
        let it = Published::with_token(engine).await;
        for inside in ["https://169.254.169.254/latest", "https://[::1]/", "https://localhost/", "https://0x7f.1/", "file:///etc/passwd"] {
            it.host.answer(manifest::PLACE, Answer::redirect(inside));
            let look = it.look().await;
            assert_eq!(look.outcome, Outcome::LeadsAway, "{inside}: {}", look.says);
        }
        // A name below its own may mean anything.
        it.strangers.lead("in.api.todo.example", &["10.0.0.1:443".parse().unwrap()]);
        it.host.answer(manifest::PLACE, Answer::redirect("https://in.api.todo.example/"));
        assert_eq!(it.look().await.outcome, Outcome::PrivateAddress);
        // And so may its own, the second time.
        it.strangers.lead_in_turn(HOST, &[&[it.host.address()], &["10.0.0.1:443".parse().unwrap()]]);
        it.host.answer(manifest::PLACE, Answer::redirect("/elsewhere"));
        let look = it.look().await;
        assert_eq!(look.outcome, Outcome::PrivateAddress, "{}", look.says);
        assert_eq!(it.host.requests_for("/elsewhere"), 0);
    }
}
