//! Whole configurations: which source wins, and what is told when they are wrong.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use tempfile::TempDir;

use super::*;
use crate::model::{
    digest::Digest,
    mechanisms::{RedirectKinds, Registrants},
};

const KEY: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQAbyd3fABAgM=";

/// A folder with a configuration file, so that no test reads another's.
struct Place(TempDir);

impl Place {
    fn with(file: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("c.toml"), file).unwrap();
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn secret(&self, name: &str, text: &str) -> String {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        format!("file:{}", path.display())
    }

    fn sources(&self, variables: &[(&str, &str)], flags: &[(&str, &str)]) -> Sources {
        let environment =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Environment>();
        let flags = flags
            .iter()
            .map(|(key, value)| Flag {
                flag: format!("--{}", key.replace('_', "-")),
                key: (*key).to_owned(),
                value: (*value).to_owned(),
            })
            .collect();
        Sources { file: Some(self.path().join("c.toml")), environment, flags }
    }

    fn database(&self) -> String {
        format!("sqlite://{}/c.db", self.path().display())
    }
}

fn places(error: &ConfigError) -> Vec<&str> {
    error.0.iter().map(|mistake| mistake.place.split(' ').next().unwrap()).collect()
}

#[test]
fn the_file_yields_to_the_environment_and_the_environment_to_flags() {
    let place = Place::with("log = \"warn\"\nlisten = \"127.0.0.1:1\"\nserver_name = \"File\"\nrefresh_grace = 7");
    let (key, database) = (place.secret("key", KEY), place.database());
    let variables = [
        ("CONSENTRY_PUBLIC_URL", "https://a.example/auth"),
        ("CONSENTRY_LISTEN", "127.0.0.1:2"),
        ("CONSENTRY_SERVER_NAME", "Environment"),
        ("CONSENTRY_LOG_FORMAT", ""),
        ("CONSENTRY_MASTER_KEYS", &key),
        ("CONSENTRY_DATABASE_URL", &database),
        ("CONSENTRY_TEST_ANYTHING", "1"),
        ("PATH", "/bin"),
    ];
    let checked = ServeConfig::check(&place.sources(&variables, &[("server_name", "Flag")])).unwrap();
    assert!(checked.warnings.is_empty(), "{:?}", checked.warnings);
    let config = checked.config;
    assert_eq!(config.log, Log { filter: "warn".into(), format: LogFormat::Text });
    assert_eq!(config.listen.port(), 2);
    assert_eq!(config.server_name, "Flag");
    assert_eq!(config.lifetimes.refresh_grace.num_seconds(), 7);
    assert_eq!(config.lifetimes.access_token.num_seconds(), 900);
    assert_eq!(config.lifetimes.refresh_idle.num_days(), 90);
    assert_eq!(config.lifetimes.refresh_absolute.num_days(), 365);
    assert_eq!(config.lifetimes.session.num_days(), 30);
    assert_eq!(config.lifetimes.standing_max_age.num_seconds(), 1);
    assert_eq!(config.public_url.as_str(), "https://a.example/auth");
    assert_eq!(config.master_keys.len(), 1);
}

#[test]
fn what_refers_to_a_secret_is_no_flag_and_may_name_any_variable() {
    let place = Place::with("");
    let references: Vec<_> = keys::KEYS.iter().filter(|key| key.is_reference()).collect();
    assert!(references.iter().any(|key| key.name == "mail_password") && references.len() > 3, "{references:?}");
    for key in references {
        let error = ServeConfig::check(&place.sources(&[], &[(key.name, "env:ANY")])).unwrap_err();
        assert!(error.to_string().contains("secrets are not configured on the command line"), "{error}");
        let variables = [(&*key.variable(), "env:CONSENTRY_OF_MINE"), ("CONSENTRY_OF_MINE", "whatever it is")];
        let error = ServeConfig::check(&place.sources(&variables, &[])).unwrap_err();
        assert!(!error.to_string().contains("there is no such key"), "{}: {error}", key.name);
    }
}

#[test]
fn every_mistake_is_told_at_once_with_its_place_and_its_cure() {
    let place = Place::with(
        "publik_url = \"x\"\nlisten = \"localhost\"\nrefresh_idle = 9000000\nrefresh_absolute = 8000000\n[server]\na = 1",
    );
    let short = place.secret("short", "c2hvcnQ=");
    let variables = [
        ("CONSENTRY_PUBLIC_URL", "http://a.example/"),
        ("CONSENTRY_REGISTRATON", "open"),
        ("CONSENTRY_MASTER_KEYS", &format!("{short},{KEY}")),
        ("CONSENTRY_DATABASE_URL", "sqlite:///no/such/folder/c.db"),
        ("CONSENTRY_STANDING_MAX_AGE", "-1"),
        ("CONSENTRY_LOG", "info,=="),
    ];
    let error = ServeConfig::check(&place.sources(&variables, &[("log_format", "xml"), ("nope", "1")])).unwrap_err();
    let mut told = places(&error);
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "--log-format",
            "--nope",
            "CONSENTRY_DATABASE_URL",
            "CONSENTRY_LOG",
            "CONSENTRY_MASTER_KEYS",
            "CONSENTRY_MASTER_KEYS",
            "CONSENTRY_PUBLIC_URL",
            "CONSENTRY_REGISTRATON",
            "CONSENTRY_STANDING_MAX_AGE",
            "listen",
            "publik_url",
            "refresh_idle",
            "server",
        ],
        "{error}"
    );
    let text = error.to_string();
    assert!(text.contains("publik_url in ") && text.contains("did you mean public_url?"), "{text}");
    assert!(text.contains("/dev/urandom | base64"), "{text}");
    assert!(!text.contains(KEY), "a secret written in the wrong place is not repeated");
    assert_eq!(text.lines().count(), 1 + error.0.len(), "one line each");
}

#[test]
fn the_server_needs_its_url_and_a_key_and_commands_do_not() {
    let place = Place::with("");
    let database = place.database();
    let sources = place.sources(&[("CONSENTRY_DATABASE_URL", &database)], &[]);
    let error = ServeConfig::check(&sources).unwrap_err();
    assert_eq!(places(&error), ["CONSENTRY_PUBLIC_URL", "CONSENTRY_MASTER_KEYS"]);
    let config = Config::check(&sources).unwrap().config;
    assert_eq!(config.public_url, None);
    assert_eq!(config.database.url, database);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "checking leaves nothing behind");
}

#[test]
fn keys_from_the_environment_are_taken_with_a_warning() {
    let place = Place::with("public_url = \"http://localhost:1\"\nmaster_keys = [\"env:CONSENTRY_KEY_A\"]");
    let database = place.database();
    let variables = [("CONSENTRY_KEY_A", KEY), ("CONSENTRY_DATABASE_URL", &database)];
    let checked = ServeConfig::check(&place.sources(&variables, &[])).unwrap();
    assert_eq!(checked.warnings.len(), 1);
    assert!(checked.warnings[0].contains("env:CONSENTRY_KEY_A"), "{}", checked.warnings[0]);
    // The same variable is a misspelled key as soon as nothing refers to it.
    let place = Place::with("");
    let error = Config::check(&place.sources(&[("CONSENTRY_KEY_A", KEY)], &[])).unwrap_err();
    assert_eq!(places(&error), ["CONSENTRY_KEY_A"]);
    assert!(!error.to_string().contains(KEY));
}

#[test]
fn the_same_master_key_twice_is_a_mistake() {
    let place = Place::with("public_url = \"http://localhost:1\"");
    let (one, two) = (place.secret("one", KEY), place.secret("two", KEY));
    let database = place.database();
    let both = format!("{one}, {two}");
    let variables = [("CONSENTRY_MASTER_KEYS", both.as_str()), ("CONSENTRY_DATABASE_URL", &database)];
    let error = ServeConfig::check(&place.sources(&variables, &[])).unwrap_err();
    assert_eq!(places(&error), ["CONSENTRY_MASTER_KEYS"]);
}

/// Two programs that start in one folder, as containers do that are all process 1.
#[test]
fn whether_a_folder_can_be_written_is_tried_by_many_at_once() {
    let place = Place::with("");
    let database = place.database();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    Config::check(&place.sources(&[], &[("database_url", &database)])).unwrap();
                }
            });
        }
    });
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "only the configuration file is there");
}

#[test]
fn passwords_have_no_place_on_a_command_line() {
    let place = Place::with("");
    let url = "postgres://me:pw1@localhost/x";
    let error = Config::check(&place.sources(&[], &[("database_url", url)])).unwrap_err();
    assert_eq!(places(&error), ["--database-url"]);
    assert!(!error.to_string().contains("pw1"));
    let checked = Config::check(&place.sources(&[("CONSENTRY_DATABASE_URL", url)], &[])).unwrap();
    assert_eq!(checked.warnings.len(), 1);
    assert!(!checked.warnings[0].contains("pw1") && !format!("{:?}", checked.config).contains("pw1"));
    let error = Config::check(&place.sources(&[], &[("master_keys", "file:x")])).unwrap_err();
    assert_eq!(places(&error), ["--master-keys"]);
}

#[test]
fn the_password_of_the_database_is_read_through_its_reference() {
    let place = Place::with("database_url = \"postgres://me@localhost/x\"");
    let good = place.secret("good", "Tr0ub4dor&3\n");
    let config = Config::check(&place.sources(&[("CONSENTRY_DATABASE_PASSWORD", &good)], &[])).unwrap().config;
    assert_eq!(config.database.password.unwrap().get().as_str(), "Tr0ub4dor&3");
    for wrong in [place.secret("bad", "changeme"), "hunter2".to_owned(), "file:/no/such/file".to_owned()] {
        let error = Config::check(&place.sources(&[("CONSENTRY_DATABASE_PASSWORD", &wrong)], &[])).unwrap_err();
        assert_eq!(places(&error), ["CONSENTRY_DATABASE_PASSWORD"]);
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[test]
fn registration_is_open_unless_it_asks_for_a_token_or_is_off() {
    let place = Place::with("public_url = \"http://localhost:1\"");
    let (key, database) = (place.secret("key", KEY), place.database());
    let token = place.secret("token", "Zm9yIHdob2V2ZXIgcmVnaXN0ZXJz\n");
    let check = |variables: &[(&str, &str)]| {
        let own = [("CONSENTRY_MASTER_KEYS", key.as_str()), ("CONSENTRY_DATABASE_URL", &database)];
        ServeConfig::check(&place.sources(&[&own[..], variables].concat(), &[]))
    };
    let registration = |variables: &[(&str, &str)]| check(variables).unwrap().config.registration;
    let default = registration(&[]);
    assert!(matches!(default.registrants, Registrants::Anybody));
    assert_eq!((default.per_minute.get(), default.unused_age.num_days()), (120, 7));
    assert_eq!(default.redirects, RedirectKinds::ALL);
    let off = registration(&[("CONSENTRY_REGISTRATION", "off"), ("CONSENTRY_REGISTRATION_REDIRECTS", "https")]);
    assert!(matches!(off.registrants, Registrants::Nobody));
    assert_eq!(off.redirects, RedirectKinds { loopback: false, private_use: false });
    let asks = registration(&[("CONSENTRY_REGISTRATION", "token"), ("CONSENTRY_REGISTRATION_TOKEN", &token)]);
    assert!(
        matches!(asks.registrants, Registrants::Bearer(digest) if *digest.get() == Digest::of("Zm9yIHdob2V2ZXIgcmVnaXN0ZXJz"))
    );
    for (policy, reference) in [
        ("token", ""),
        ("open", token.as_str()),
        ("off", &token),
        ("token", "hunter2"),
        ("token", &place.secret("short", "too short")),
        ("token", &place.secret("sample", "changeme")),
        ("token", &place.secret("spaced", "words with spaces are not a token")),
        ("token", "file:/no/such/file"),
    ] {
        let variables = [("CONSENTRY_REGISTRATION", policy), ("CONSENTRY_REGISTRATION_TOKEN", reference)];
        let error = check(&variables).unwrap_err();
        assert_eq!(places(&error), ["CONSENTRY_REGISTRATION_TOKEN"], "{policy} {reference}");
        assert!(!error.to_string().contains("hunter2"));
    }
    for (name, value) in [
        ("CONSENTRY_REGISTRATION", "closed"),
        ("CONSENTRY_REGISTRATION_REDIRECTS", "https, javascript"),
        ("CONSENTRY_REGISTRATION_RATE", "0"),
        ("CONSENTRY_REGISTRATION_UNUSED_AGE", "60"),
    ] {
        assert_eq!(places(&check(&[(name, value)]).unwrap_err()), [name]);
    }
}

#[test]
fn an_empty_list_of_hosts_is_not_taken_for_all_of_them() {
    let hosts = |file: &str| {
        let place = Place::with(file);
        let database = place.database();
        let sources = place.sources(&[("CONSENTRY_DATABASE_URL", &database)], &[]);
        Config::check(&sources).map(|checked| checked.config.clients).map_err(|error| error.to_string())
    };
    for empty in ["client_document_hosts = []", "client_document_hosts = \"\"", "client_document_hosts = \" , \""] {
        let told = hosts(empty).unwrap_err();
        assert!(told.contains("it names no host") && told.contains("client_documents = \"off\""), "{told}");
    }
    assert!(hosts("").unwrap().document_hosts.is_empty());
    let both = hosts("client_document_hosts = [\"A.example.\"]\nclient_document_hosts_denied = []").unwrap();
    assert_eq!((both.document_hosts, both.document_hosts_denied), (vec!["a.example".to_owned()], vec![]));
}

#[test]
fn a_file_that_cannot_be_used_is_told() {
    let place = Place::with("log = \"info\"\nlog = ");
    let error = Config::check(&place.sources(&[], &[])).unwrap_err();
    assert!(error.to_string().contains("line 2"), "{error}");
    let sources = Sources { file: Some(place.path().join("none.toml")), ..Sources::default() };
    assert_eq!(Config::check(&sources).unwrap_err().0.len(), 1);
    let named = place.path().join("none.toml").display().to_string();
    let environment = Environment::from([("CONSENTRY_CONFIG".to_owned(), named)]);
    let sources = Sources { environment, ..Sources::default() };
    assert_eq!(Config::check(&sources).unwrap_err().0.len(), 1);
}

/// A server's sources, with these lines in its file.
fn serving(place: &Place, variables: &[(&str, &str)]) -> Sources {
    let (key, database) = (place.secret("key", KEY), place.database());
    let own = [
        ("CONSENTRY_PUBLIC_URL", "https://a.example"),
        ("CONSENTRY_MASTER_KEYS", key.as_str()),
        ("CONSENTRY_DATABASE_URL", database.as_str()),
    ];
    place.sources(&[&own, variables].concat(), &[])
}

#[test]
fn what_is_meant_by_nothing_and_who_is_believed_is_nobodys_unless_it_is_said() {
    let place = Place::with("");
    let config = ServeConfig::check(&serving(&place, &[("CONSENTRY_TRUSTED_PROXIES", "")])).unwrap().config;
    assert!(config.default_resource.is_none() && config.trusted_proxies.are_unknown());
    let place =
        Place::with("default_resource = \"HTTPS://A.example/mcp/\"\ntrusted_proxies = [\"127.0.0.1\", \"::1\"]");
    let config = ServeConfig::check(&serving(&place, &[])).unwrap().config;
    assert_eq!(config.default_resource.unwrap().canonical(), "https://a.example/mcp");
    assert!(config.trusted_proxies.have("127.0.0.1".parse().unwrap()));
    assert!(!config.trusted_proxies.have("127.0.0.2".parse().unwrap()));
}

#[test]
fn a_wrong_resource_or_proxy_is_told_by_every_command() {
    let place =
        Place::with("default_resource = \"http://a.example/mcp\"\ntrusted_proxies = \"10.1.2.3/8, proxy.example\"");
    let sources = serving(&place, &[]);
    let error = ServeConfig::check(&sources).unwrap_err();
    assert_eq!(Config::check(&sources).unwrap_err(), error, "a command shall not pass what the server refuses");
    assert_eq!(places(&error), ["default_resource", "trusted_proxies", "trusted_proxies"]);
    let text = error.to_string();
    for words in ["neither https nor http on loopback", "write 10.0.0.0/8", "proxy.example is no range of addresses"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let place = Place::with("trusted_proxies = \"0.0.0.0/0\"");
    let warnings = ServeConfig::check(&serving(&place, &[])).unwrap().warnings;
    assert!(warnings.iter().any(|warning| warning.contains("lets every caller say")), "{warnings:?}");
}

#[test]
fn a_look_of_ones_own_is_read_and_its_mistakes_are_told_together() {
    let place = Place::with("");
    let logo = place.path().join("logo.png");
    std::fs::write(&logo, include_bytes!("../demo/logo.png")).unwrap();
    let logo = logo.to_str().unwrap();
    let look = serving(&place, &[("CONSENTRY_ACCENT_COLOR", "#FF8800"), ("CONSENTRY_LOGO_FILE", logo)]);
    let brand = ServeConfig::check(&look).unwrap().config.brand;
    assert_eq!(brand.accent().unwrap().to_string(), "#ff8800");
    assert!(brand.logo().is_some());
    let svg = place.path().join("logo.svg");
    std::fs::write(&svg, "<svg/>").unwrap();
    for logo in [svg.to_str().unwrap(), "no/such/file.png"] {
        let place = Place::with(&format!("accent_color = \"orange\"\nlogo_file = \"{logo}\""));
        let told = ServeConfig::check(&serving(&place, &[])).unwrap_err();
        assert_eq!(places(&told), ["accent_color", "logo_file"], "{told}");
    }
}
