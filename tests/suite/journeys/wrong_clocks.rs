//! A node whose clock was a day ahead once: what it fetched then is neither fresh for a day too long, nor does it keep
//! out what is fetched at the right time (DESIGN §4: a time in the future counts as now).

use chrono::TimeDelta;
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    harness::{
        connected::Connected,
        connector::{Proof, REDIRECT_URI, of_any_algorithm, publish, refresh_token, shapes},
        signer::Signer,
        strangers::answer::Answer,
    },
    on_both_engines,
};

const DOCUMENT: &str = "/oauth/client.json";
const KEYS: &str = "/oauth/jwks.json";

on_both_engines! {
    async fn no_document_lives_on(engine) {
        let it = Connected::new(engine).await;
        it.host.answer(DOCUMENT, Answer::json(&shapes()[0].1));
        it.later(TimeDelta::days(1));
        it.connector(Proof::Nothing).connect().await;
        it.later(TimeDelta::days(-1));
        let mut moved = shapes()[0].1.clone();
        moved["redirect_uris"] = json!([REDIRECT_URI, "https://chatgpt.com/other"]);
        it.host.answer(DOCUMENT, Answer::json(&moved));
        for asked in [2, 2] {
            it.connector(Proof::Nothing).code(&[]).await;
            assert_eq!((it.host.requests_for(DOCUMENT), it.row().await.redirect_uris.len()), (asked, 2));
        }
    }

    async fn no_new_key_is_hidden(engine) {
        let it = Connected::new(engine).await;
        publish(&it.host, &of_any_algorithm(1), &it.signer);
        it.later(TimeDelta::days(1));
        it.with_key().connect().await;
        it.later(TimeDelta::days(-1));
        let next = Signer::es256("key-2");
        publish(&it.host, &of_any_algorithm(1), &next);
        let token = it.connector(Proof::Key(&next)).connect().await;
        assert_eq!(it.row().await.keys.fetched_at, Some(it.clock.now()), "what was fetched in the future gives way");
        // Nor does a failure hold longer than the clock was wrong.
        let third = Signer::es256("key-3");
        it.later(TimeDelta::days(1));
        it.host.answer(KEYS, Answer::status(503));
        assert_eq!(it.connector(Proof::Key(&third)).refresh(&token).await.0, StatusCode::SERVICE_UNAVAILABLE);
        it.later(TimeDelta::days(-1) + TimeDelta::minutes(2));
        publish(&it.host, &of_any_algorithm(1), &third);
        let (status, answer) = it.connector(Proof::Key(&third)).refresh(&token).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_ne!(refresh_token(&answer), token);
    }
}
