//! A plugin's logo: fetched once, at import, from where its manifest says, written anew, and shown on the consent page
//! from our own host alone.

use serde_json::{Value, json};

use crate::{
    harness::{
        browser::{Browser, plugin_request},
        chromium::Chromium,
        databases::Database,
        process::{Consentry, Heard, free_port},
        server::{CALLBACK, Registered},
        strangers::{Strangers, answer::Answer, host::Host},
    },
    on_both_engines,
};

const SVG: &str = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>";

/// Imports the sample plugin with its logo at a stranger's host; answers what was warned of.
fn import(consentry: &Consentry<'_>, strangers: &Strangers, host: &Host) -> String {
    std::fs::write(consentry.folder.join("ca.pem"), strangers.authority_pem()).unwrap();
    let here = format!("localhost:{}", consentry.port);
    let mut manifest: Value =
        serde_json::from_str(&consentry::demo::MANIFEST.replace("localhost:8080", &here)).unwrap();
    manifest["logo_url"] = json!(host.local_url("/logo.png"));
    std::fs::write(consentry.folder.join("ai-plugin.json"), manifest.to_string()).unwrap();
    let imported = consentry
        .command()
        .args(["plugin", "import", "ai-plugin.json", "--host", &here, "--scope", "todo.read=See your list"])
        .envs([("CONSENTRY_OUTBOUND_ALLOW", "127.0.0.1, ::1"), ("CONSENTRY_OUTBOUND_CA_FILE", "ca.pem")])
        .heard();
    let told = String::from_utf8_lossy(&imported.stderr).into_owned();
    assert!(imported.status.success(), "{told}");
    told
}

fn size(png: &[u8]) -> (u32, u32) {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

on_both_engines! {
    async fn a_logo_is_fetched_once_written_anew_and_shown_from_our_own_host(engine) {
        let database = Database::empty(engine).await;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let consentry =
            Consentry { folder: folder.path(), database: &database, port, public_url: format!("http://localhost:{port}") };
        consentry.set_up();
        let strangers = Strangers::new();
        let host = strangers.host("cdn.example");

        // What is no picture is left out, and nothing else of the import with it.
        assert!(import(&consentry, &strangers, &host).contains("status 404"));
        host.answer("/logo.png", Answer::document("image/png", SVG));
        assert!(import(&consentry, &strangers, &host).contains("no PNG, JPEG or WebP"));
        let plugins = consentry.answer(&["plugin", "list", "--json"]);
        let slug = plugins[0]["slug"].as_str().unwrap();
        let client = consentry.answer(&[
            "client", "add", "--plugin", slug, "--preset", "plugin", "--name", "ChatGPT", "--callback", CALLBACK, "--json",
        ]);
        let text = |member: &str| client[member].as_str().unwrap().to_owned();
        let client = Registered { client_id: text("client_id"), client_secret: text("client_secret") };
        let serving = consentry.serve().await;
        let browser = Browser::at(&consentry.own());
        let own = consentry.own();
        let get = async |path: &str| reqwest::get(format!("{own}{path}")).await.unwrap();
        let place = format!("/logos/localhost:{port}");
        assert_eq!(get(&place).await.status(), 404);
        let sign_in = browser.get(&plugin_request(&client)).await.page();
        let consent = browser.sign_in(&sign_in, "ada@example.com").await.page();
        assert!(consent.html.contains("Allow") && !consent.html.contains("/logos/"), "there is none to be shown");

        host.answer("/logo.png", Answer::document("text/html", consentry::demo::LOGO));
        let told = import(&consentry, &strangers, &host);
        assert!(!told.contains("no logo"), "{told}");
        let fetched = host.connections();
        let shown = get(&place).await;
        assert_eq!(shown.headers()["content-type"], "image/png");
        assert!(shown.headers()["content-security-policy"].to_str().unwrap().contains("sandbox"));
        let shown = shown.bytes().await.unwrap();
        assert_eq!(size(consentry::demo::LOGO), (512, 512));
        assert_eq!(size(&shown), (256, 256));
        assert_eq!(get("/logo.png").await.bytes().await.unwrap(), shown);
        for elsewhere in ["/logos/other.example", "/logos/..%2f..%2fetc", "/logos/"] {
            assert_eq!(get(elsewhere).await.status(), 404, "{elsewhere}");
        }

        let chromium = Chromium::start().await;
        chromium.open(&format!("{own}{}", plugin_request(&client))).await;
        chromium.sign_in("ada@example.com").await;
        chromium.find("#decision").await;
        let width = chromium.evaluate("return document.querySelector('.tile img').naturalWidth").await;
        assert_eq!(width, 256);
        chromium.has_a_quiet_console().await;
        assert_eq!(host.connections(), fetched, "nobody's browser and no page makes the host hear of anything");
        drop(serving);
    }
}
