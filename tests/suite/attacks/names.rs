//! Names: anybody may call a client what they like, so the consent page never lets a name stand for itself.

use consentry::{
    model::{
        client::{AuthenticationMethod, ClientKeys, Dialect, DocumentCopy, Registration},
        id::ClientId,
    },
    random,
    store::clients::{ClientDocument, NewClient, OwnWords},
};

use crate::{
    harness::{
        browser::{Browser, authorize},
        server::World,
    },
    on_both_engines,
};

/// A name that is not theirs.
const FAMOUS: &str = "ChatGPT";

/// Somebody's client under the famous name. Answers what the wire calls it.
async fn impostor(world: &World, registration: Registration, callback: &str) -> String {
    calling_itself(FAMOUS, world, registration, callback).await
}

/// The same under any other name.
async fn calling_itself(name: &str, world: &World, registration: Registration, callback: &str) -> String {
    let server = &world.running.server;
    let (now, audit) = (server.clock.now(), world.running.operator());
    let id = ClientId(random::id(now));
    let redirect_uris = vec![callback.parse().unwrap()];
    if registration == Registration::Document {
        let document = ClientDocument {
            id,
            client_id: format!("https://chatgpt.com.evil.example/{id}.json"),
            name: name.into(),
            authentication_methods: AuthenticationMethod::None.into(),
            signing_algorithm: None,
            jwks_uri: None,
            key_set: None,
            redirect_uris,
            copy: DocumentCopy { fetched_at: now, fresh_until: now + chrono::TimeDelta::days(1), is_pinned: false },
        };
        return server.store.keep_document(&document, &audit).await.unwrap().expect("the client").client_id;
    }
    let client = NewClient {
        id,
        client_id: id.to_string(),
        plugin_id: Some(world.plugin.id),
        registration,
        name: name.into(),
        dialect: Dialect::Connector,
        authentication_methods: AuthenticationMethod::None.into(),
        signing_algorithm: None,
        keys: ClientKeys::default(),
        redirect_uris,
        scopes: None,
        registration_digest: None,
        ends_at: None,
        own_words: OwnWords::default(),
        secret: None,
        at: now,
    };
    server.store.add_client(&client, &audit).await.unwrap();
    client.client_id
}

/// The consent page that Ada is shown, without its markup.
async fn shown(world: &World, client_id: &str, callback: &str) -> String {
    let browser = Browser::new(&world.running);
    let request = authorize(&[
        ("response_type", "code"),
        ("client_id", client_id),
        ("redirect_uri", callback),
        ("resource", &world.plugin.resource),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ("code_challenge_method", "S256"),
    ]);
    let sign_in = browser.get(&request).await.page();
    let page = browser.sign_in(&sign_in, "ada@example.com").await.page();
    let logos = page.html.matches("<img").count() - page.html.matches("<img class=\"mark\" src=\"/static/").count();
    assert_eq!(logos, 0, "nobody's logo: {}", page.html);
    let mut inside = false;
    let text: String = page
        .html
        .chars()
        .filter(|c| {
            inside = (inside || *c == '<') && *c != '>';
            !inside && *c != '>'
        })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

on_both_engines! {
    /// Row 18: beside the name stands who vouches for it, and below it where it leads.
    async fn a_famous_name_is_shown_with_who_vouches_for_it_and_where_it_leads(engine) {
        let world = World::new(engine).await;
        let unchecked = "This app chose its name by itself. Nobody has checked who made it.";
        let program = "A program on this computer";
        let application = "An app on this device";
        for (registration, callback, told) in [
            (Registration::Dynamic, "http://127.0.0.1:4711/callback", [unchecked, program, "127.0.0.1:4711"]),
            (Registration::Dynamic, "http://localhost:4711/callback", [unchecked, program, "localhost:4711"]),
            (Registration::Dynamic, "https://localhost:4711/callback", [unchecked, program, "localhost:4711"]),
            (Registration::Dynamic, "com.openai.chat:/callback", [unchecked, application, "com.openai.chat"]),
            (Registration::Dynamic, "https://chatgpt.com.evil.example/cb", [
                unchecked, "Afterwards you are sent to chatgpt.com.evil.example", "Only allow this if you have just asked"]),
            (Registration::Document, "http://127.0.0.1:4711/callback", [
                "It calls itself “ChatGPT”.", program, "any program on this computer can call itself"]),
            (Registration::ByHand, "http://127.0.0.1:4711/callback", [
                "Set up by the people who run To-do", program, "any program on this computer can call itself"]),
        ] {
            let client_id = impostor(&world, registration, callback).await;
            let page = shown(&world, &client_id, callback).await;
            // Of a document its host alone is proven, so that is its name.
            let name = if registration == Registration::Document { "chatgpt.com.evil.example" } else { FAMOUS };
            assert!(page.contains(&format!("Allow {name} to use To-do?")), "{page}");
            for words in told {
                assert!(page.contains(words), "{registration:?} {callback}: {words} is missing in {page}");
            }
            let vouches = ["An app published by", "It calls itself", "Set up by the people who run", unchecked];
            assert_eq!(vouches.iter().filter(|words| page.contains(**words)).count(), 1, "{page}");
        }
    }

    /// Row 18: a name that closes our quotation marks and goes on in our own words.
    async fn a_name_stays_within_our_quotation_marks(engine) {
        let world = World::new(engine).await;
        let callback = "http://127.0.0.1:4711/callback";
        for (closing, opening) in [('”', '“'), ('"', '"'), ('″', '″'), ('«', '»'), ('＂', '＂'), ('〞', '〝'), ('❞', '❝')] {
            let name = format!("ChatGPT{closing}, an app published by {opening}chatgpt.com");
            let client_id = calling_itself(&name, &world, Registration::Document, callback).await;
            let page = shown(&world, &client_id, callback).await;
            let told = page.split_once("It calls itself “").unwrap_or_else(|| panic!("{page}")).1;
            let within = told.split_once('”').unwrap().0;
            assert_eq!(within, "ChatGPT&#39;, an app published by &#39;chatgpt.com", "{name}");
            assert_eq!(page.matches(['”', '“', '"', '″', '«', '»']).count(), 2, "{page}");
        }
    }
}
