//! The table of keys: what there is to configure. The example file and every "did you mean" come from here.
//!
//! A key stands here only when something reads it; an unknown one is a mistake, not a wish for the future.

/// One thing to configure: `name` in `consentry.toml`, `CONSENTRY_NAME` in the environment.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// In lower snake case.
    pub name: &'static str,
    /// What holds when nobody says otherwise.
    pub default: Option<&'static str>,
    /// What the example file shows, as TOML.
    pub example: &'static str,
    /// What it is, in a sentence or two.
    pub sentence: &'static str,
}

impl Key {
    /// Its name as an environment variable.
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.to_uppercase())
    }

    /// Whether its value refers to a secret, as its example does.
    pub fn is_reference(&self) -> bool {
        self.example.contains("\"file:")
    }
}

/// What all variables of this program begin with.
pub const VARIABLE_PREFIX: &str = "CONSENTRY_";

/// Names the configuration file; a variable only, since a file cannot say where it is.
pub const FILE_VARIABLE: &str = "CONSENTRY_CONFIG";

/// Left alone: the tests' own switches.
pub const TEST_PREFIX: &str = "CONSENTRY_TEST_";

const fn key(name: &'static str, default: Option<&'static str>, example: &'static str, sentence: &'static str) -> Key {
    Key { name, default, example, sentence }
}

/// Every key, in the order of the example file.
pub const KEYS: [Key; 46] = [
    key(
        "public_url",
        None,
        "\"https://consent.example.com\"",
        "The address at which people and programs reach the server: https, or http on loopback, perhaps with a path \
         (https://example.com/auth), without a trailing slash. It is also the issuer, so every token carries it. \
         `serve` needs it.",
    ),
    key(
        "listen",
        Some("127.0.0.1:8080"),
        "\"127.0.0.1:8080\"",
        "The address and port to listen on; TLS is the proxy's in front of it.",
    ),
    key(
        "trusted_proxies",
        None,
        "[\"127.0.0.1\"]",
        "The address ranges your own proxies call this server from. Of a call from there, the last address in \
         X-Forwarded-For that is none of them is the caller's: registrations are counted by it, and the audit log has \
         it. From anybody else that header is not believed. In the environment they are separated by commas.",
    ),
    key(
        "ops_listen",
        None,
        "\"127.0.0.1:9464\"",
        "The address and port at which those who run the server read /metrics (Prometheus), /health/live and \
         /health/ready. Nobody is asked for a password there, so it is for loopback or a network of your own. Left \
         out, there are no metrics.",
    ),
    key("server_name", Some("Consentry"), "\"Consentry\"", "What the pages call this server."),
    key(
        "accent_color",
        None,
        "\"#0d6e5f\"",
        "The colour of buttons and links on the pages, as #rrggbb. It is made darker or lighter where it could not be \
         read otherwise.",
    ),
    key(
        "logo_file",
        None,
        "\"/etc/consentry/logo.png\"",
        "The picture beside server_name on the pages: PNG, JPEG or WebP, square if it can be, at most 1 MiB.",
    ),
    key(
        "database_url",
        Some("sqlite://consentry.db"),
        "\"sqlite://consentry.db\"",
        "Where everything is remembered: sqlite://PATH (relative to the folder the server is started in) for one \
         machine, postgres://USER@HOST/DATABASE for several.",
    ),
    key(
        "database_password",
        None,
        "\"file:/run/secrets/database_password\"",
        "The Postgres password, as a reference: file:PATH, vault://MOUNT/PATH#FIELD or env:NAME.",
    ),
    key(
        "master_keys",
        None,
        "[\"file:/run/secrets/consentry_master_key\"]",
        "References to the keys that wrap the working keys; the first wraps, all unwrap. Each file holds 32 random \
         bytes in base64 (head -c 32 /dev/urandom | base64) and is readable by its owner only. `serve` needs one. In \
         the environment they are separated by commas.",
    ),
    key(
        "secrets_renewal",
        Some("300"),
        "300",
        "How often the secrets that are referred to are read again while the server runs, in seconds (1 to 86400): \
         one that was changed where it is kept takes over without a restart, and what cannot be read leaves the last \
         good one. Not so master_keys.",
    ),
    key("access_token_lifetime", Some("900"), "900", "How long an access token is good for, in seconds (60 to 86400)."),
    key(
        "refresh_grace",
        Some("120"),
        "120",
        "How long a refresh token that was just used is answered with its successor again, in seconds (0 to 3600). \
         Assistants refresh in bursts; 0 is strict and will log people out.",
    ),
    key(
        "refresh_idle",
        Some("7776000"),
        "7776000",
        "How long a connection lives without being used, in seconds (90 days), rounded up by a ninetieth at most.",
    ),
    key(
        "refresh_absolute",
        Some("31536000"),
        "31536000",
        "How long a connection lives at most, in seconds (365 days).",
    ),
    key("session_lifetime", Some("2592000"), "2592000", "How long a browser stays signed in, in seconds (30 days)."),
    key(
        "jwks_max_age",
        Some("300"),
        "300",
        "How long whoever verifies access tokens may keep the keys of /.well-known/jwks.json, in seconds (1 to 86400). A \
         new signing key is published so much earlier than it is used. When you make this smaller, wait for as long as it \
         was before the next change of keys.",
    ),
    key(
        "signing_key_age",
        Some("7776000"),
        "7776000",
        "How old a signing key becomes before the server replaces it by itself, in seconds (90 days; at least 3600); 0 \
         leaves that to `consentry key rotate`.",
    ),
    key("working_key_age", Some("31536000"), "31536000", "The same for all other working keys (365 days)."),
    key(
        "audit_age",
        Some("63072000"),
        "63072000",
        "How long the audit log is kept, in seconds (2 years; at least 90 days). What is older leaves a few hundred \
         events at a time, and `audit verify` knows that it did. 0 keeps it for ever.",
    ),
    key(
        "sign_up",
        Some("invitation"),
        "\"invitation\"",
        "Who may make an account: open, for anybody, by a link that is mailed to their address; invitation, for whoever \
         was invited (`account invite`); off, for nobody but those the operator adds.",
    ),
    key(
        "mail_server",
        None,
        "\"smtps://mail.example.com\"",
        "Where mail is handed over: smtps://HOST (port 465), or smtp://HOST:587, which is given nothing unless it offers \
         STARTTLS; only on this machine smtp:// is spoken without TLS. Left out, no mail is sent, and nobody can reset \
         their password by themselves.",
    ),
    key(
        "mail_user",
        None,
        "\"consentry@example.com\"",
        "The name to log in to the mail server with, if it asks for one.",
    ),
    key(
        "mail_password",
        None,
        "\"file:/run/secrets/mail_password\"",
        "The password for that, as a reference: file:PATH, vault://MOUNT/PATH#FIELD or env:NAME.",
    ),
    key(
        "mail_from",
        None,
        "\"no-reply@example.com\"",
        "The address mail comes from; server_name stands beside it. mail_server needs it.",
    ),
    key(
        "password_length_min",
        Some("15"),
        "15",
        "The shortest new password, in characters (8 to 64). NIST SP 800-63B-4 asks for 15 where a password is the \
         only factor, and for 8 beside a second one.",
    ),
    key(
        "password_memory",
        Some("19456"),
        "19456",
        "The memory that hashing a password takes, in KiB (19456, which is OWASP's least, to 262144). Whoever signs in \
         with a weaker hash gets a new one.",
    ),
    key("password_passes", Some("2"), "2", "How often hashing a password goes over that memory (2 to 16)."),
    key(
        "standing_max_age",
        Some("1"),
        "1",
        "How old the knowledge may be that a connection still stands, in seconds (0 to 60); 0 always asks the \
         database.",
    ),
    key(
        "registration",
        Some("open"),
        "\"open\"",
        "Who may register a client at /register (RFC 7591): open, for anybody; token, for whoever holds \
         registration_token; off, for nobody.",
    ),
    key(
        "registration_token",
        None,
        "\"file:/run/secrets/registration_token\"",
        "The token that programs show to register a client, as a reference: file:PATH, vault://MOUNT/PATH#FIELD or \
         env:NAME. Needed when registration is token, and not taken otherwise.",
    ),
    key(
        "registration_redirects",
        Some("https, loopback, private"),
        "\"https, loopback, private\"",
        "Where a client that registers itself may send people: https; loopback, which is http on the person's own \
         device; private, which is schemes such as com.example.app:. Others in its list are not registered.",
    ),
    key(
        "registration_rate",
        Some("120"),
        "120",
        "How many registrations a minute are taken (1 to 1000000); one address gets a quarter of them. Unless \
         trusted_proxies says which proxies there are, callers from loopback and private addresses count as such, and \
         have no share of their own: then one stranger behind a proxy can use up the rate of all.",
    ),
    key(
        "registration_unused_age",
        Some("604800"),
        "604800",
        "How long a client that registered itself stays when nobody consents to it, in seconds (7 days; at least \
         3600).",
    ),
    key(
        "default_resource",
        None,
        "\"https://mcp.example.com/mcp\"",
        "What a client that belongs to no plugin (one with a metadata document, or that registered itself) gets when \
         it names no resource. Without it, the first resource of the only plugin, its origin; where there are several \
         plugins, such a client is refused.",
    ),
    key(
        "connections_max",
        Some("10"),
        "10",
        "How many database connections (Postgres) or readers (SQLite) are kept open (1 to 1000).",
    ),
    key(
        "clients_by_hand",
        Some("on"),
        "\"on\"",
        "Whether clients may be registered by hand (`client add`): on or off. Off leaves those that are, and services, \
         which send nobody anywhere.",
    ),
    key(
        "client_documents",
        Some("on"),
        "\"on\"",
        "Whether a client may be known by its metadata document, whose address is its client id: on or off. Assistants \
         prefer it to everything else.",
    ),
    key(
        "client_document_hosts",
        None,
        "[\"chat.example\", \".tools.example\"]",
        "The only hosts such documents may come from; a leading dot stands for every host below. Any host when left \
         out. In the environment they are separated by commas.",
    ),
    key(
        "client_document_hosts_denied",
        None,
        "[\"unwanted.example\"]",
        "Hosts such documents may not come from, whatever the list before says.",
    ),
    key(
        "outbound_allow",
        None,
        "[\"10.20.0.0/16\"]",
        "Address ranges that clients' metadata documents and key sets may be fetched from although they are private or \
         otherwise special (RFC 6890), for clients inside an intranet. Whoever names a URL can make the server fetch \
         from there, so name no more than the hosts that are meant. In the environment they are separated by commas.",
    ),
    key(
        "outbound_ca_file",
        None,
        "\"/etc/ssl/intranet.pem\"",
        "A file with certificates of further authorities, in PEM, that such hosts, and the mail server, may have theirs \
         from.",
    ),
    key(
        "log",
        Some("info"),
        "\"info\"",
        "What is logged: error, warn, info, debug or trace, also per part: \"info,sqlx=warn\".",
    ),
    key("log_format", Some("text"), "\"text\"", "How it is logged: text or json."),
    key(
        "otlp_endpoint",
        None,
        "\"http://127.0.0.1:4318\"",
        "Where traces are sent by OTLP over HTTP, without /v1/traces; nowhere when left out. It takes the feature otlp \
         (docs/traces.md).",
    ),
    key(
        "otlp_authorization",
        None,
        "\"file:/run/secrets/otlp_authorization\"",
        "What the header Authorization shows there, such as \"Bearer TOKEN\", as a reference: file:PATH, \
         vault://MOUNT/PATH#FIELD or env:NAME.",
    ),
];

/// The key of that name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The key whose name is most like a misspelled one.
pub fn nearest(name: &str) -> &'static Key {
    let name = name.to_lowercase();
    let likeness = |key: &Key| strsim::normalized_damerau_levenshtein(key.name, &name);
    KEYS.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or(&KEYS[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_key_has_a_neighbour() {
        for (wrong, right) in [
            ("publik_url", "public_url"),
            ("PUBLIC_URI", "public_url"),
            ("master_key", "master_keys"),
            ("refresh_grace_seconds", "refresh_grace"),
            ("database", "database_url"),
        ] {
            assert_eq!(nearest(wrong).name, right);
        }
    }
}
