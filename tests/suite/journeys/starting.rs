//! Starts that would be unsafe: the real process is given each secret of its configuration in each way that is wrong,
//! refuses to start, names the place, and shows nothing of the secret.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use consentry::{config::keys, random};
use tempfile::TempDir;

use crate::harness::process::{Heard, write_private};

/// Every place of the configuration that refers to a secret: what it is called when it is told of, the file that holds
/// the secret, and what kind it is.
const REFERENCES: [(&str, &str, Kind); 7] = [
    ("master_keys", "master", Kind::Key),
    ("database_password", "database", Kind::Password),
    ("mail_password", "mail", Kind::Password),
    ("registration_token", "registration", Kind::Token),
    ("otlp_authorization", "collector", Kind::Password),
    ("client_secret in [providers.work]", "provider", Kind::Password),
    ("key in [own_login]", "own", Kind::Key),
];

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// 32 random bytes of our own.
    Key,
    /// Ours too; whoever guesses it is let in.
    Token,
    /// Somebody else's to judge, as long as it is one.
    Password,
}

const CONFIGURATION: &str = "
public_url = \"http://localhost:1\"
database_url = \"postgres://consentry@127.0.0.1:1/consentry\"
database_password = \"file:database\"
master_keys = [\"file:master\"]
mail_server = \"smtps://mail.example\"
mail_from = \"no-reply@example.com\"
mail_user = \"consentry\"
mail_password = \"file:mail\"
registration = \"token\"
registration_token = \"file:registration\"
otlp_endpoint = \"http://127.0.0.1:1\"
otlp_authorization = \"file:collector\"
[providers.work]
kind = \"openid\"
issuer = \"https://login.example\"
client_id = \"consentry\"
client_secret = \"file:provider\"
[own_login]
url = \"https://own.example/sign-in\"
key = \"file:own\"
";

/// A configuration in which everything is right, each secret its own.
fn good() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_private(&folder.path().join("consentry.toml"), CONFIGURATION);
    for (_, file, _) in REFERENCES {
        write_private(&folder.path().join(file), &STANDARD.encode(random::bytes::<32>()));
    }
    folder
}

fn start(folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_consentry")).current_dir(folder).arg("serve").heard()
}

/// Starts, which must fail with one mistake.
fn refused(folder: &Path, what: &str) -> String {
    let output = start(folder);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{what}: {told}");
    assert!(told.contains("the configuration has a mistake:"), "{what}: {told}");
    assert!(output.stdout.is_empty(), "{what}: {}", String::from_utf8_lossy(&output.stdout));
    told
}

/// Writes another secret, as one that only its owner can read.
fn rewrite(path: &Path, text: &str) {
    fs::remove_file(path).unwrap();
    write_private(path, text);
}

/// Says something else than the reference to this file.
fn refer(folder: &Path, file: &str, text: &str) {
    let configuration = CONFIGURATION.replace(&format!("\"file:{file}\""), &format!("\"{text}\""));
    assert_ne!(configuration, CONFIGURATION, "{file} is referred to");
    rewrite(&folder.join("consentry.toml"), &configuration);
}

/// Every way in which a secret can be wrong whatever it is for: its name, how it comes about, and what is told.
type Wrong = (&'static str, fn(&Path, &str), &'static str);

const WRONG_FOR_ALL: [Wrong; 9] = [
    ("a placeholder", |folder, file| rewrite(&folder.join(file), "REPLACE_ME"), "placeholder"),
    ("another placeholder", |folder, file| rewrite(&folder.join(file), "<your secret here>"), "placeholder"),
    ("readable by the world", |folder, file| expose(&folder.join(file), 0o644), "(mode 0644)"),
    ("readable by a group", |folder, file| expose(&folder.join(file), 0o640), "(mode 0640)"),
    ("a folder", |folder, file| replace_by_a_folder(&folder.join(file)), "is not a plain file"),
    ("missing", |folder, file| fs::remove_file(folder.join(file)).unwrap(), "cannot be read"),
    ("empty", |folder, file| rewrite(&folder.join(file), "\n"), "is empty"),
    ("a variable that is not set", |folder, file| refer(folder, file, "env:CONSENTRY_NOWHERE"), "NOWHERE is not set"),
    ("the secret itself", |folder, file| refer(folder, file, &secret(folder, file)), "no reference to a secret"),
];

fn expose(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

fn replace_by_a_folder(path: &Path) {
    fs::remove_file(path).unwrap();
    fs::create_dir(path).unwrap();
}

fn secret(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap()
}

#[test]
fn every_unsafe_start_is_refused_and_named() {
    let listed = |name: &str| REFERENCES.iter().any(|(place, _, _)| *place == name);
    let unlisted = keys::KEYS.iter().filter(|key| key.is_reference() && !listed(key.name));
    assert_eq!(unlisted.map(|key| key.name).collect::<Vec<_>>(), [""; 0], "references that this test does not try");

    for (place, file, _) in REFERENCES {
        for (what, spoil, why) in WRONG_FOR_ALL {
            let folder = good();
            let before = secret(folder.path(), file);
            spoil(folder.path(), file);
            let what = format!("{place}: {what}");
            let told = refused(folder.path(), &what);
            for part in [place, why] {
                assert!(told.contains(part), "{what}: {part:?} is not told: {told}");
            }
            assert!(!told.contains(before.trim_end_matches('=')), "{what}: the secret is told: {told}");
        }
    }
}

#[test]
fn a_secret_of_our_own_that_is_weak_is_refused_and_named() {
    let eleven = STANDARD.encode((0..32).map(|at| at % 11).collect::<Vec<u8>>());
    let repeated = STANDARD.encode([7; 32]);
    let long = STANDARD.encode([random::bytes::<32>(), random::bytes::<32>()].concat());
    for (place, file, kind) in REFERENCES {
        let weak: &[(&str, &str)] = match kind {
            Kind::Key => &[
                ("c2hvcnQ=", "it has 5 bytes instead of 32"),
                (&long, "it has 64 bytes instead of 32"),
                (&repeated, "it was not drawn at random"),
                (&eleven, "it was not drawn at random"),
                ("correct horse battery staple", "it is not base64"),
            ],
            Kind::Token => &[("c2hvcnQ", "could be guessed"), ("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "placeholder")],
            Kind::Password => &[("xxxxxxxxxxxxxxxx", "placeholder"), ("12345678", "placeholder")],
        };
        for (text, why) in weak {
            let folder = good();
            rewrite(&folder.path().join(file), text);
            let told = refused(folder.path(), place);
            for part in [place, why] {
                assert!(told.contains(part), "{place}: {part:?} is not told of {text}: {told}");
            }
            assert!(!told.contains(text.trim_end_matches('=')), "{place}: the secret is told: {told}");
        }
    }

    let folder = good();
    write_private(&folder.path().join("again"), &secret(folder.path(), "master"));
    refer(folder.path(), "master", "file:master\", \"file:again");
    assert!(refused(folder.path(), "twice").contains("file:again holds the same key as one before it"));
}

/// What the refusals above are held against: with nothing wrong, it is the database that is not there.
#[test]
fn a_configuration_without_a_mistake_is_not_refused() {
    let output = start(good().path());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!told.contains("the configuration has") && told.contains("the database is not available"), "{told}");
}
