//! A person with an authenticator app, as the pages know them: setting one up, and the codes it shows.

use chrono::TimeDelta;
use consentry::clock::Clock;

use super::{
    browser::{Arrived, Browser, Page},
    databases::Engine,
    minted,
    server::{Options, PASSWORD, World},
};

/// A world whose time stands still, and an account with an app.
pub struct Guarded {
    /// The server.
    pub world: World,
    /// Its clock.
    pub clock: Clock,
    /// The browser in which the app was set up; signed in.
    pub browser: Browser,
    /// What the app and the server share, as it was shown.
    pub key: String,
    /// Recovery codes.
    pub recovery_codes: Vec<String>,
}

/// Whose account it is.
pub const ADA: &str = "ada@example.com";

/// Sends a form of a page with further fields.
pub async fn press(browser: &Browser, page: &Page, path: &str, fields: &[(&str, &str)]) -> Arrived {
    browser.post(path, &[&[("csrf", page.hidden("csrf").as_str())][..], fields].concat()).await
}

/// Signs in with a password, on the way to a page of one's own.
pub async fn sign_in(browser: &Browser, email: &str, next: &str) -> Page {
    let page = browser.get(&format!("/{next}")).await.page();
    let fields = [("next", next), ("email", email), ("password", PASSWORD)];
    press(browser, &page, "/sign-in", &fields).await.page()
}

/// What stands on a page as something to be copied.
pub fn copied(page: &Page) -> Vec<String> {
    let pieces = page.html.split("<bdi class=\"code\">").skip(1);
    let copied: Vec<String> = pieces.filter_map(|rest| rest.split("</bdi>").next()).map(str::to_owned).collect();
    // An app's key is shown in groups.
    for text in &copied {
        minted::note("copied", &text.replace(' ', ""));
    }
    copied
}

impl Guarded {
    /// Signs Ada in and sets an app up for her.
    pub async fn new(engine: Engine) -> Self {
        let clock = Clock::standing_at(Clock::system().now());
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let browser = Browser::new(&world.running);
        let page = sign_in(&browser, ADA, "security").await;
        assert_eq!(page.url.path(), "/security", "{}", page.html);
        let offer = press(&browser, &page, "/security", &[("do", "set-up-app")]).await.page();
        assert!(offer.html.contains("<svg class=\"qr\""), "{}", offer.html);
        let key = copied(&offer)[0].replace(' ', "");
        let mut guarded = Self { world, clock, browser, key, recovery_codes: Vec::new() };
        let (state, code) = (offer.hidden("state"), guarded.code());
        let wrong = [("do", "confirm-app"), ("state", &state), ("code", "000000")];
        let again = press(&guarded.browser, &offer, "/security", &wrong).await.page();
        assert!(again.status == 422 && again.html.contains(&key_in_groups(&guarded.key)), "{}", again.html);
        let right = [("do", "confirm-app"), ("state", state.as_str()), ("code", &code)];
        let page = press(&guarded.browser, &offer, "/security", &right).await.page();
        guarded.recovery_codes = copied(&page);
        assert_eq!(guarded.recovery_codes.len(), 10, "{}", page.html);
        guarded
    }

    /// The code the app shows now.
    pub fn code(&self) -> String {
        self.code_of(&self.key)
    }

    /// The code an app with this key shows now.
    pub fn code_of(&self, key: &str) -> String {
        let secret = totp_rs::Secret::try_from_base32(key).expect("a key");
        let totp = totp_rs::Builder::new().with_secret(secret).build().expect("an app");
        totp.generate(self.clock.now().timestamp().try_into().expect("a time")).to_string()
    }

    /// Waits for the app's next code.
    pub fn next_code(&self) -> String {
        self.clock.advance(TimeDelta::seconds(30));
        self.code()
    }

    /// A browser that has shown the password, and the page that asks for more.
    pub async fn half_way(&self) -> (Browser, Page) {
        let browser = Browser::new(&self.world.running);
        let page = sign_in(&browser, ADA, "connected-apps").await;
        assert_eq!(page.url.path(), "/second-step", "{}", page.html);
        (browser, page)
    }
}

fn key_in_groups(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}
