//! Requests in the wrong browser: forged forms, captured links, planted sessions, silent answers, framed pages.

use consentry::{
    model::{client::Dialect, consent::Consent},
    store::consents::ConsentKey,
};

use super::by_hand::{Answer, ByHand};
use crate::{
    harness::{
        browser::{authorize, parameter, plugin_request},
        server::{CALLBACK, PASSWORD, Registered, World},
    },
    on_both_engines,
};

const SESSION: &str = "consentry_session";

/// What a person has agreed to for a client.
async fn consent(world: &World, client: &Registered, email: &str) -> Option<Consent> {
    let server = &world.running.server;
    let (account, _) = server.store.account_by_email(&email.parse().unwrap()).await.unwrap().unwrap();
    let client = server.store.client(&client.client_id, server.clock.now()).await.unwrap().unwrap();
    let key = ConsentKey { account_id: account.id, client_id: client.id, resource: world.plugin.resource.clone() };
    server.store.consent(&key).await.unwrap()
}

/// Opens the authorization request in a browser and goes as far as the next page.
async fn open(world: &World, browser: &ByHand, request: &str) -> Answer {
    let redirect = browser.get(&world.running, request).await.redirect().to_owned();
    browser.get(&world.running, &redirect).await
}

/// Opens it and signs in: the consent page.
async fn to_consent(world: &World, browser: &ByHand, request: &str, email: &str) -> Answer {
    let page = open(world, browser, request).await;
    let signed_in = browser.sign_in(&world.running, &page, email, PASSWORD).await;
    browser.get(&world.running, signed_in.redirect()).await
}

on_both_engines! {
    /// Rows 16 and 48: a link started by an attacker is no use in the victim's browser, signed in or not.
    async fn a_request_started_elsewhere_is_not_answered_here(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let attacker = ByHand::new();
        let captured = to_consent(&world, &attacker, &plugin_request(&client), "grace@example.com").await.hidden("r");
        let started = attacker.get(&world.running, &plugin_request(&client)).await.redirect().to_owned();

        let victim = ByHand::signed_in(&world.running, "ada@example.com").await;
        let csrf = victim.get(&world.running, "/").await.hidden("csrf");
        for link in [started.as_str(), &format!("/consent?r={captured}"), &format!("/sign-in?r={captured}")] {
            let page = victim.get(&world.running, link).await;
            assert_eq!((page.status, page.location()), (400, None), "{}", page.body);
        }
        let fields = [("r", captured.as_str()), ("csrf", &csrf), ("decision", "allow")];
        assert_eq!(victim.post(&world.running, "/consent", &fields).await.status, 400);
        assert!(consent(&world, &client, "ada@example.com").await.is_none());

        // And a victim who is not signed in is not made to sign in for it.
        let newcomer = ByHand::new();
        let csrf = newcomer.get(&world.running, "/sign-in").await.hidden("csrf");
        let fields = [("r", captured.as_str()), ("csrf", &csrf), ("email", "ada@example.com"), ("password", PASSWORD)];
        assert_eq!(newcomer.post(&world.running, "/sign-in", &fields).await.status, 400);
        assert_eq!(newcomer.cookie(SESSION), None);
    }

    /// Row 48: a consent form shown to one account is never answered by another.
    async fn a_form_shown_to_another_account_is_shown_anew(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let browser = ByHand::new();
        let shown_to_ada = to_consent(&world, &browser, &plugin_request(&client), "ada@example.com").await;
        let csrf = browser.get(&world.running, "/").await.hidden("csrf");
        browser.post(&world.running, "/sign-out", &[("csrf", &csrf)]).await;
        let page = browser.get(&world.running, "/sign-in").await;
        browser.sign_in(&world.running, &page, "grace@example.com", PASSWORD).await;
        let answered = browser.decide(&world.running, &shown_to_ada, "allow").await;
        assert!(answered.redirect().starts_with("/consent?r="), "{answered:?}");
        for email in ["ada@example.com", "grace@example.com"] {
            assert!(consent(&world, &client, email).await.is_none(), "{email}");
        }
    }

    /// Row 17: a form is answered only from our own page in the same browser.
    async fn a_forged_form_changes_nothing(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let victim = ByHand::new();
        let page = to_consent(&world, &victim, &plugin_request(&client), "ada@example.com").await;
        let (r, own) = (page.hidden("r"), page.hidden("csrf"));
        let attackers = ByHand::new().get(&world.running, "/sign-in").await.hidden("csrf");
        let session = victim.cookie(SESSION);
        for csrf in ["", "x", attackers.as_str(), &own[1..], &r] {
            let forms = [("/consent", ("decision", "allow")), ("/sign-out", ("r", "")), ("/sign-in", ("email", "e"))];
            for (path, more) in forms {
                let fields = [("r", r.as_str()), ("csrf", csrf), more];
                let fields = if path == "/sign-out" { &fields[1..] } else { &fields[..] };
                let answer = victim.post(&world.running, path, fields).await;
                assert!(matches!(answer.status, 400 | 403), "{path} {csrf}: {}", answer.status);
            }
        }
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("sec-fetch-site", "cross-site"), ("origin", world.running.url.as_str())],
        ] {
            let fields = [("r", r.as_str()), ("csrf", &own), ("decision", "allow")];
            let answer = victim.post_with(&world.running, "/consent", &fields, headers).await;
            assert_eq!(answer.status, 403, "{headers:?}");
            let answer = victim.post_with(&world.running, "/sign-out", &[("csrf", &own)], headers).await;
            assert_eq!(answer.status, 403, "{headers:?}");
        }
        assert!(consent(&world, &client, "ada@example.com").await.is_none());
        assert_eq!(victim.cookie(SESSION), session, "still signed in");
        assert!(victim.get(&world.running, "/").await.body.contains("ada@example.com"));
        // Nothing is agreed to by looking at the page, and the genuine form is answered.
        let answer = victim.decide(&world.running, &page, "allow").await;
        assert!(answer.redirect().contains("code="), "{answer:?}");
    }

    /// Row 17: no page can be framed, none is kept by caches, and none tells its address to another site.
    async fn no_page_can_be_framed(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let browser = ByHand::new();
        let sign_in = open(&world, &browser, &plugin_request(&client)).await;
        let refused = browser.sign_in(&world.running, &sign_in, "ada@example.com", "a wrong password").await;
        let consent = to_consent(&world, &browser, &plugin_request(&client), "ada@example.com").await;
        let home = browser.get(&world.running, "/").await;
        let forged = browser.post(&world.running, "/consent", &[("csrf", "x")]).await;
        let unknown = authorize(&[("client_id", "x"), ("redirect_uri", "y")]);
        let not_registered = browser.get(&world.running, &unknown).await;
        let signed_out = browser.get(&world.running, "/signed-out").await;
        let nothing = browser.get(&world.running, "/nothing").await;
        let machine = browser.post(&world.running, "/token", &[]).await;
        let redirect = browser.get(&world.running, &plugin_request(&client)).await;
        let expected = [200, 422, 200, 200, 403, 400, 200, 404, 401, 303];
        let answers =
            [sign_in, refused, consent, home, forged, not_registered, signed_out, nothing, machine, redirect];
        for (answer, status) in answers.iter().zip(expected) {
            assert_eq!(answer.status, status, "{}", answer.body);
            assert_eq!(answer.header("x-frame-options"), "DENY", "{}", answer.body);
            let policy = answer.header("content-security-policy");
            assert!(policy.contains("frame-ancestors 'none'") && policy.contains("default-src 'none'"), "{policy}");
            // The one script there is, for passkeys, is a file of ours, and only where they are used.
            assert!(!policy.contains("unsafe-inline") && policy.matches("script-src").count() <= 1, "{policy}");
            let is_sign_in = answer.body.contains("data-passkey=");
            assert_eq!(policy.contains("script-src 'self'; connect-src 'self'; style-src"), is_sign_in, "{policy}");
            assert_eq!(policy.contains("script-src"), is_sign_in, "{policy}");
            assert_eq!(answer.header("cache-control"), "no-store", "{}", answer.body);
            assert_eq!(answer.header("referrer-policy"), "same-origin");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
        }
    }

    /// Row 48: signing in changes the session's id, and the old one is dead; one that was planted is never adopted.
    async fn a_session_cannot_be_fixed(engine) {
        let world = World::new(engine).await;
        let browser = ByHand::signed_in(&world.running, "ada@example.com").await;
        let first = browser.cookie(SESSION).unwrap();
        let csrf = browser.get(&world.running, "/").await.hidden("csrf");
        let fields = [("csrf", csrf.as_str()), ("email", "grace@example.com"), ("password", PASSWORD)];
        assert_eq!(browser.post(&world.running, "/sign-in", &fields).await.status, 303);
        let second = browser.cookie(SESSION).unwrap();
        assert_ne!(first, second);
        let is_signed_in = |value: String| {
            let thief = ByHand::new();
            let world = &world;
            async move {
                thief.plant(SESSION, &value);
                thief.get(&world.running, "/").await.body.contains("@example.com")
            }
        };
        assert!(!is_signed_in(first).await, "the session before is dead");
        assert!(is_signed_in(second.clone()).await);
        browser.post(&world.running, "/sign-out", &[("csrf", &csrf)]).await;
        assert!(!is_signed_in(second).await, "signing out ends it on the server");

        let planted = consentry::tokens::secret::SecretText::new(consentry::tokens::secret::SESSION, [7; 32]);
        let victim = ByHand::new();
        victim.plant(SESSION, planted.reveal());
        let page = victim.get(&world.running, "/sign-in").await;
        victim.sign_in(&world.running, &page, "ada@example.com", PASSWORD).await;
        assert_ne!(victim.cookie(SESSION).as_deref(), Some(planted.reveal()));
        assert!(!is_signed_in(planted.reveal().to_owned()).await);
    }

    /// Row 17: scripts cannot read the cookies, and other sites' forms do not carry them.
    async fn cookies_are_kept_from_scripts_and_other_sites(engine) {
        let world = World::new(engine).await;
        let browser = ByHand::new();
        let page = browser.get(&world.running, "/sign-in").await;
        let signed_in = browser.sign_in(&world.running, &page, "ada@example.com", PASSWORD).await;
        for cookie in [page.header("set-cookie"), signed_in.header("set-cookie")] {
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
            assert!(cookie.contains("Path=/") && !cookie.contains("Domain"), "{cookie}");
        }
    }

    /// Row 43: any local program can open a loopback port or a scheme, so an earlier consent proves nothing there.
    async fn loopback_is_never_answered_silently(engine) {
        let world = World::new(engine).await;
        for (registered, asked) in [
            ("http://127.0.0.1/callback", "http://127.0.0.1:4711/callback"),
            ("http://localhost/callback", "http://localhost:4711/callback"),
            ("https://localhost:4711/callback", "https://localhost:4711/callback"),
            ("https://127.0.0.1/callback", "https://127.0.0.1/callback"),
            ("com.example.app:/callback", "com.example.app:/callback"),
        ] {
            let client = world.running.add_client(&world.plugin, Dialect::Connector, &[registered]).await;
            let ask = |prompt: &'static str| {
                authorize(&[
                    ("response_type", "code"),
                    ("client_id", &client.client_id),
                    ("redirect_uri", asked),
                    ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
                    ("code_challenge_method", "S256"),
                    ("prompt", prompt),
                ])
            };
            let browser = ByHand::new();
            let page = to_consent(&world, &browser, &ask(""), "ada@example.com").await;
            assert!(browser.decide(&world.running, &page, "allow").await.redirect().contains("code="));
            let again = browser.get(&world.running, &ask("")).await;
            assert!(again.redirect().starts_with("/consent?r="), "{asked}: {again:?}");
            let silent = browser.get(&world.running, &ask("none")).await;
            assert!(silent.redirect().contains("error=interaction_required"), "{asked}: {silent:?}");
            assert!(!silent.redirect().contains("code="), "{asked}: {silent:?}");
        }
    }

    /// Row 17: a person who is signed in has not agreed to anything by that, nor to one client by agreeing to another.
    async fn nobody_agrees_without_being_asked(engine) {
        let world = World::new(engine).await;
        let (known, unknown) = (world.client(Dialect::Plugin).await, world.client(Dialect::Plugin).await);
        let browser = ByHand::new();
        let narrow = format!("{}&prompt=", plugin_request(&known).replace("scope=", "scope=todo.read"));
        let page = to_consent(&world, &browser, &narrow, "ada@example.com").await;
        assert!(browser.decide(&world.running, &page, "allow").await.redirect().contains("code="));
        for request in [plugin_request(&unknown), plugin_request(&known)] {
            let asked = browser.get(&world.running, &request).await;
            assert!(asked.redirect().starts_with("/consent?r="), "{asked:?}");
            let silent = browser.get(&world.running, &format!("{request}&prompt=none")).await;
            assert!(silent.redirect().contains("error=consent_required"), "{silent:?}");
        }
        assert!(consent(&world, &unknown, "ada@example.com").await.is_none());
        let scopes = consent(&world, &known, "ada@example.com").await.unwrap().scopes;
        assert_eq!(scopes.to_string(), "todo.read");
    }

    /// Row 34: whose consent and whose token it is follows from the session and the code, never from a field.
    async fn a_form_cannot_name_another_person(engine) {
        let world = World::new(engine).await;
        let (client, service) = (world.client(Dialect::Plugin).await, world.client(Dialect::Service).await);
        let store = &world.running.server.store;
        let (grace, _) = store.account_by_email(&"grace@example.com".parse().unwrap()).await.unwrap().unwrap();
        let grace = grace.id.to_string();
        let fields = ["account_id", "account", "user_id", "user", "sub", "subject", "email"];
        let named = fields.map(|name| (name, grace.as_str()));
        let browser = ByHand::new();
        let page = to_consent(&world, &browser, &plugin_request(&client), "ada@example.com").await;
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        let fields = [&[("r", r.as_str()), ("csrf", &csrf), ("decision", "allow")], &named[..]].concat();
        let left = browser.post(&world.running, "/consent", &fields).await.redirect().parse().unwrap();
        assert!(consent(&world, &client, "ada@example.com").await.is_some());
        assert!(consent(&world, &client, "grace@example.com").await.is_none());
        let code = parameter(&left, "code").unwrap();
        let own = [
            ("grant_type", "authorization_code"),
            ("client_id", client.client_id.as_str()),
            ("client_secret", client.client_secret.as_str()),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
        ];
        let (status, tokens) = world.running.form("/token", &[&own[..], &named].concat()).await;
        assert_eq!(status, 200, "{tokens}");
        let (_, plain) = world.running.redeem(&client, &world.running.code(&client).await).await;
        let mut subjects = Vec::new();
        for tokens in [tokens, plain] {
            let (_, told) = world.running.introspect(&service, tokens["access_token"].as_str().unwrap()).await;
            subjects.push(told["sub"].as_str().unwrap().to_owned());
        }
        assert_eq!(subjects[0], subjects[1], "both are Ada");
    }
}
