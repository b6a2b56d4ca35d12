//! Forged forms and framed pages, for every page of the route table, so that a new form is attacked on the day it is made.

use std::collections::BTreeSet;

use consentry::model::link::LinkPurpose;

use super::by_hand::{Answer, ByHand};
use crate::{
    harness::{
        route_table::{CLIENT, KIND, Route, SECRET, SLUG, pages},
        server::{PASSWORD, World},
    },
    on_both_engines,
};

/// Every address a template's form leads to.
fn targets() -> BTreeSet<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let files = |folder: &std::path::Path| {
        let files = std::fs::read_dir(folder).expect("templates").map(|file| file.expect("a file").path());
        files.filter(|file| file.is_file()).collect::<Vec<_>>()
    };
    let mut targets = BTreeSet::new();
    for file in [files(&folder), files(&folder.join("console"))].concat() {
        let html = std::fs::read_to_string(&file).expect("a template");
        for form in html.split("<form").skip(1).map(|form| form.split('>').next().unwrap_or_default()) {
            assert!(form.contains("method=\"post\""), "{}: a form that is not posted: {form}", file.display());
            let (_, action) = form.split_once("action=\"{{ layout.base }}").expect("an address of our own");
            targets.insert(action.split('"').next().expect("an end").to_owned());
        }
    }
    targets
}

#[test]
fn the_route_table_and_the_templates_know_the_same_forms() {
    let taken: BTreeSet<_> = pages().into_iter().filter(|route| route.takes_a_form).map(|route| route.path).collect();
    assert!(taken.len() > 9, "{taken:?}");
    let offered: BTreeSet<String> = targets()
        .into_iter()
        .flat_map(|target| match target.as_str() {
            // A plugin's words are typed on the same page before it is there and afterwards.
            "{{ self.path() }}" => vec![format!("/console/new/{KIND}"), format!("/console/plugins/{SLUG}/listing")],
            "/{{ purpose.as_str() }}" => LinkPurpose::ALL.map(|purpose| format!("/{}", purpose.as_str())).to_vec(),
            "{{ why.path() }}" => vec!["/second-step".to_owned(), "/prove".to_owned()],
            // What is asked about before it is done, and what is sent once more: forms of other pages.
            "/console/plugins/{{ slug }}{{ asked.action }}" => {
                let of_plugin = ["/owners".to_owned(), "/webhook".to_owned()];
                let of_client = ["", "/delete"].map(|end| format!("/clients/{CLIENT}{end}"));
                of_plugin.into_iter().chain(of_client).map(|end| format!("/console/plugins/{SLUG}{end}")).collect()
            }
            "{{ action }}" => Vec::new(),
            // The script of this form's page asks there first, with the form's own token.
            "/passkey" => vec![target, "/passkey-options".to_owned()],
            _ => {
                let names = [("{{ slug }}", SLUG), ("{{ client_id }}", CLIENT), ("{{ name }}", SECRET)];
                vec![names.iter().fold(target, |target, (name, value)| target.replace(name, value))]
            }
        })
        .collect();
    assert_eq!(offered, taken);
}

on_both_engines! {
    /// Row 17: no form is answered but from our own page in the same browser, whichever it is.
    async fn every_form_of_the_route_table_refuses_forgeries(engine) {
        let world = World::new(engine).await;
        let victim = ByHand::new();
        let page = victim.get(&world.running, "/sign-in").await;
        victim.sign_in(&world.running, &page, "ada@example.com", PASSWORD).await;
        let own = victim.get(&world.running, "/").await.hidden("csrf");
        let stranger = ByHand::new();
        let strangers = stranger.get(&world.running, "/sign-in").await.hidden("csrf");
        let before = world.database.count("audit_events").await;
        for Route { path, .. } in pages().into_iter().filter(|route| route.takes_a_form) {
            let post = async |csrf: &str, headers: &[(&str, &str)]| {
                let fields = [("csrf", csrf), ("r", ""), ("link", "x"), ("decision", "allow"), ("others", "")];
                victim.post_with(&world.running, &path, &fields, headers).await.status
            };
            for csrf in ["", "x", &strangers, &own[1..]] {
                assert_eq!(post(csrf, &[]).await, 403, "{path} with {csrf:?}");
            }
            for headers in [
                [("sec-fetch-site", "cross-site"), ("origin", world.running.url.as_str())],
                [("sec-fetch-site", "same-site"), ("origin", world.running.url.as_str())],
                [("sec-fetch-site", "none"), ("origin", "null")],
                [("accept", "text/html"), ("origin", "https://evil.example")],
            ] {
                assert_eq!(post(&own, &headers).await, 403, "{path} with {headers:?}");
            }
            let fields = [("csrf", strangers.as_str()), ("r", ""), ("link", "x")];
            let answer = stranger.post(&world.running, &path, &fields).await;
            assert_ne!(answer.status, 403, "{path} knows its own form: {}", answer.body);
        }
        assert_eq!(world.database.count("audit_events").await, before);
        assert!(victim.get(&world.running, "/").await.body.contains("ada@example.com"), "still signed in");
    }

    /// Row 17: nor can any of these pages be framed or run what is not ours, whatever it answers.
    async fn no_page_of_the_route_table_can_be_framed(engine) {
        let world = World::new(engine).await;
        let signed_in = ByHand::new();
        let page = signed_in.get(&world.running, "/sign-in").await;
        signed_in.sign_in(&world.running, &page, "ada@example.com", PASSWORD).await;
        for Route { path, takes_a_form } in pages() {
            for browser in [&signed_in, &ByHand::new()] {
                let mut answers = vec![browser.get(&world.running, &path).await];
                if takes_a_form {
                    answers.push(browser.post(&world.running, &path, &[]).await);
                }
                for answer in answers {
                    assert_eq!(answer.header("x-frame-options"), "DENY", "{path}: {}", answer.body);
                    let policy = answer.header("content-security-policy");
                    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
                        assert!(policy.contains(part), "{path}: {policy}");
                    }
                    assert!(!policy.contains("unsafe-") && !policy.contains("script-src *"), "{path}: {policy}");
                }
            }
        }
    }

    /// Row 5: no page leads out of this server by a parameter of its address or a field of its form.
    async fn no_page_of_the_route_table_is_an_open_redirect(engine) {
        let world = World::new(engine).await;
        let signed_in = ByHand::new();
        let page = signed_in.get(&world.running, "/sign-in").await;
        signed_in.sign_in(&world.running, &page, "ada@example.com", PASSWORD).await;
        let csrf = signed_in.get(&world.running, "/").await.hidden("csrf");
        let here: url::Url = world.running.url.parse().unwrap();
        let mut led = 0;
        for Route { path, takes_a_form } in pages() {
            for place in ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"] {
                let mut answers = Vec::new();
                for name in ["next", "return_to", "redirect_uri", "url", "r", "link", "state", "language"] {
                    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, place).finish();
                    for browser in [&signed_in, &ByHand::new()] {
                        answers.push(browser.get(&world.running, &format!("{path}?{query}")).await);
                    }
                }
                if takes_a_form && path != "/sign-out" {
                    let fields = [("csrf", csrf.as_str()), ("next", place), ("email", "ada@example.com"), ("password", PASSWORD)];
                    answers.push(signed_in.post(&world.running, &path, &fields).await);
                }
                for location in answers.iter().filter_map(Answer::location) {
                    assert_eq!(here.join(location).unwrap().origin(), here.origin(), "{path} leads to {location}");
                    led += 1;
                }
            }
        }
        assert!(led > 20, "some of them do redirect");
    }
}
