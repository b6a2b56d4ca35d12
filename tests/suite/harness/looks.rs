//! How a page looks: windows of several sizes, light and dark, and the questions that have an answer: does anything
//! stick out, does the console complain, does axe-core find a barrier. Neighbour: `chromium`.

use std::{fmt, path::Path, sync::OnceLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::chromium::{Chromium, setting};

/// A phone and a desktop.
pub const WIDTHS: [Look; 4] = [
    Look { width: 390, scheme: "light" },
    Look { width: 390, scheme: "dark" },
    Look { width: 1280, scheme: "light" },
    Look { width: 1280, scheme: "dark" },
];

/// A window and the colours its owner prefers.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// In CSS pixels.
    pub width: u32,
    /// `light` or `dark`.
    pub scheme: &'static str,
}

impl fmt::Display for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}", self.width, self.scheme)
    }
}

impl Chromium {
    /// Makes the window so.
    pub async fn look(&self, look: Look) {
        let phone = look.width < 600;
        let window = json!({
            "width": look.width,
            "height": if phone { 844 } else { 900 },
            "deviceScaleFactor": 1,
            "mobile": phone,
        });
        self.tools("Emulation.setDeviceMetricsOverride", window).await;
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": look.scheme }] });
        self.tools("Emulation.setEmulatedMedia", media).await;
    }

    /// The page as it stands is fit to be seen in all four looks; with `CONSENTRY_TEST_PAGES_DIR` set, pictures of it are
    /// written there.
    pub async fn looks_well(&self, name: &str) {
        self.has_a_quiet_console().await;
        for look in WIDTHS {
            self.look(look).await;
            if let Some(folder) = std::env::var_os("CONSENTRY_TEST_PAGES_DIR") {
                let picture = self.picture().await;
                std::fs::create_dir_all(&folder).expect("a folder for pictures");
                std::fs::write(Path::new(&folder).join(format!("{name}_{look}.png")), picture).expect("a picture");
            }
            self.stays_within(look, name).await;
            let barriers = self.barriers().await;
            assert!(barriers.is_empty(), "{name} at {look}: {barriers:#?}");
        }
        self.has_a_quiet_console().await;
    }

    /// Nothing makes the page wider than its window.
    async fn stays_within(&self, look: Look, name: &str) {
        let measured = self
            .evaluate(
                "const root = document.documentElement;
                 return [Math.max(root.scrollWidth, document.body.scrollWidth), window.innerWidth];",
            )
            .await;
        let width = |place: usize| measured[place].as_u64().expect("a width");
        assert_eq!((width(0), width(1)), (look.width.into(), look.width.into()), "{name} at {look} scrolls sideways");
    }

    /// What axe-core objects to, each with where it is.
    async fn barriers(&self) -> Vec<String> {
        static AXE: OnceLock<String> = OnceLock::new();
        let axe = AXE.get_or_init(|| {
            let path = setting("CONSENTRY_TEST_AXE");
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
        });
        // `preload` would fetch the stylesheets again, which the pages' policy refuses, as it should.
        let script = format!(
            "{axe}
             const done = arguments[arguments.length - 1];
             window.axe.run(document, {{ preload: false, resultTypes: ['violations'] }}).then(
                 (report) => done({{ passes: report.passes.length, violations: report.violations }}),
                 (failure) => done({{ failure: String(failure) }}));"
        );
        let report = self.client.execute_async(&script, Vec::new()).await.expect("axe-core runs");
        assert!(report["passes"].as_u64() > Some(0), "axe-core has looked at nothing: {report}");
        let violations = report["violations"].as_array().expect("a list");
        let sentence = |violation: &Value| {
            let nodes = violation["nodes"].as_array().into_iter().flatten();
            let places: Vec<_> = nodes.map(|node| format!("{} {}", node["target"], node["failureSummary"])).collect();
            format!("{}: {} at {}", violation["id"], violation["help"], places.join("; "))
        };
        violations.iter().map(sentence).collect()
    }

    /// The whole page, as far down as it goes.
    async fn picture(&self) -> Vec<u8> {
        let shot =
            self.tools("Page.captureScreenshot", json!({ "format": "png", "captureBeyondViewport": true })).await;
        STANDARD.decode(shot["data"].as_str().expect("a picture")).expect("base64")
    }
}
