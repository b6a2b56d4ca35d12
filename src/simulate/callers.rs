//! What is told of callers beside their presets: by what bot filters know them, and the names a vendor gave to places.

use crate::{
    model::client::Dialect,
    protocol::presets::{self, Preset},
};

/// The user agents that callers were seen with. A filter in front of a server must let all of them through.
///
/// Read on 2026-11-23: the first two in Waishnav/devspace 44 and public captures, the third in captures of actions'
/// calls. The fourth as filters logged it that had kept a connector from its server: anthropics/claude-ai-mcp 680
/// (2026-08-18) and 1061 (2026-09-21).
pub const USER_AGENTS: [&str; 4] = [
    "Python/3.12 aiohttp/3.13.5",
    "openai-mcp/1.0.0 (ChatGPT)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot",
    "Claude-User",
];

/// What a caller sends that names no user agent: seen while documents are read and tokens are fetched
/// (anthropics/claude-code 47390, 2026-04-13; anthropics/claude-ai-mcp 923, 2026-08-25).
pub const NO_USER_AGENT: &str = "";

/// Where a vendor looks for the proof that a host is its owner's, and what the manifest's verification token for it is
/// called.
pub use crate::protocol::manifest::{CHALLENGE_PLACE as CHALLENGE_FILE, SERVICE as VERIFICATION_TOKEN};

/// The caller of that name: a preset's, or a dialect's, which stands for the preset that gave it its name.
pub fn named(name: &str) -> Option<&'static Preset> {
    presets::named(&match name {
        "plugin" | "action" | "connector" => format!("chatgpt-{name}"),
        other => other.to_owned(),
    })
}

/// The user agent of a caller, as far as it is known; else one that says what this is.
pub fn user_agent(preset: &Preset) -> &'static str {
    match (preset.vendor.as_str(), preset.dialect) {
        ("OpenAI", Dialect::Connector) => USER_AGENTS[1],
        ("OpenAI", _) => USER_AGENTS[2],
        ("Anthropic", _) => USER_AGENTS[3],
        _ => OWN,
    }
}

/// What this program calls itself where it plays nobody.
pub const OWN: &str = concat!("consentry/", env!("CARGO_PKG_VERSION"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dialect_stands_for_its_preset() {
        assert_eq!(named("plugin").map(|preset| preset.name.as_str()), Some("chatgpt-plugin"));
        assert_eq!(named("connector").map(user_agent), Some(USER_AGENTS[1]));
        assert_eq!(named("claude").map(user_agent), Some("Claude-User"));
        assert!(named("nobody").is_none());
    }
}
