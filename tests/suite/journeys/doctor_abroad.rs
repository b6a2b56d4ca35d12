//! The doctor before other people's servers: what it says of oidc-provider and of Glewlwyd, each as it really runs. Every
//! finding that is expected here was once checked by hand; docs/doctor.md tells how.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{
    abroad::{Abroad, CLIENT_BY_HAND, through_the_page},
    process::{Heard, write_private},
    server::{CALLBACK, PASSWORD},
};

/// A folder with Ada's password and the secret of the client that was registered by hand.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write_private(&folder.path().join("ada.txt"), PASSWORD);
    write_private(&folder.path().join("secret"), CLIENT_BY_HAND.1);
    folder
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_consentry"));
    command.current_dir(folder).args(arguments);
    command
}

const BY_HAND: [&str; 6] =
    ["--client-id", CLIENT_BY_HAND.0, "--client-secret-from", "file:secret", "--redirect-uri", CALLBACK];

const ACCOUNT: [&str; 4] = ["--email", "ada@example.com", "--password-file", "ada.txt"];

/// What the doctor said: all checks by name, and the lines a person sees.
struct Said {
    checks: BTreeMap<String, Value>,
    lines: String,
}

fn doctor(caller: &[&str]) -> Said {
    let folder = folder();
    let arguments = [&["doctor"], caller, &ACCOUNT].concat();
    let json = command(folder.path(), &arguments).arg("--json").heard();
    let checks: Vec<Value> = serde_json::from_slice(&json.stdout)
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {}", String::from_utf8_lossy(&json.stderr)));
    let is_wrong = checks.iter().any(|check| check["state"] == "wrong");
    assert_eq!(json.status.success(), !is_wrong, "the exit code says what the checks say");
    let lines = String::from_utf8(command(folder.path(), &arguments).heard().stdout).unwrap();
    let checks = checks.into_iter().map(|check| (check["name"].as_str().unwrap().to_owned(), check)).collect();
    Said { checks, lines }
}

impl Said {
    /// Exactly these are wrong, exactly these are doubtful, and `right` are among those looked at and right.
    fn holds(&self, wrong: &[&str], doubtful: &[&str], right: &[&str]) {
        let of = |state: &str| -> Vec<&str> {
            let all = self.checks.iter().filter(|(_, check)| check["state"] == state);
            all.map(|(name, _)| name.as_str()).collect()
        };
        assert_eq!((of("wrong"), of("warning")), (wrong.to_vec(), doubtful.to_vec()), "{}", self.lines);
        for name in right {
            assert!(of("ok").contains(name), "{name} is not among what is right: {}", self.lines);
        }
    }

    /// What it says of one thing, with the cure.
    fn of(&self, name: &str) -> String {
        let check = &self.checks[name];
        format!("{} {}", check["says"].as_str().unwrap(), check["cure"].as_str().unwrap_or_default())
    }
}

/// What oidc-provider never does, in any of its kinds: its metadata has no Cache-Control.
const NO_CACHE: &str = "discovery.cache";

/// It can take client metadata documents by a feature that is experimental and off, here too.
const NO_DOCUMENTS: &str = "metadata.client_documents";

/// Pages may ask its token endpoint, and may not register: it has no answer to OPTIONS there.
const NO_PAGES: &str = "metadata.cors";

#[tokio::test]
async fn oidc_provider_as_it_comes_lets_no_assistant_in() {
    let abroad = Abroad::oidc_provider("defaults").await;

    // Nobody can register, and nobody has told it of the API.
    let said = doctor(&[&[abroad.resource.as_str(), "--as", "connector"], &BY_HAND[..]].concat());
    said.holds(&["authorize.code"], &[NO_CACHE, NO_DOCUMENTS], &["authorize.error", "authorize.iss", "token.errors"]);
    let register = "invalid_target: resource indicator is missing, or unknown Register ";
    assert!(said.of("authorize.code").contains(&format!("{register}{}", abroad.resource)), "{}", said.lines);
    assert!(said.of(NO_DOCUMENTS).contains("Clients are known by hand alone"), "{}", said.lines);

    // It passes over a scope it does not know; with no other it grants nothing, and says no more than access_denied.
    let said = doctor(&[&[abroad.origin.as_str(), "--as", "plugin"], &BY_HAND[..]].concat());
    said.holds(&["authorize.code"], &[], &["manifest.rules", "authorize.state", "token.errors"]);
    assert!(said.of("authorize.code").contains("scopes that were asked for (todo.read)"), "{}", said.lines);
}

#[tokio::test]
async fn oidc_provider_for_connectors_is_cured_step_by_step() {
    let whole =
        ["registration.works", "audience.token", "token.signature", "token.pkce", "token.code_once", "api.accepts"];

    // It gives refresh tokens to those alone who ask for offline_access, and connectors ask for the API's scopes.
    let abroad = Abroad::oidc_provider("connectors").await;
    let said = doctor(&[abroad.resource.as_str(), "--as", "connector"]);
    said.holds(&["token.refresh_token"], &[NO_CACHE, NO_DOCUMENTS, NO_PAGES], &whole);
    assert!(said.of(NO_DOCUMENTS).contains("Clients have to register"), "{}", said.lines);
    assert!(said.lines.contains("Not looked at: refreshing: there is no refresh token."), "{}", said.lines);

    // Cured, it gives them, and ends the connection of a public client that presents one twice: it knows no grace.
    let abroad = Abroad::oidc_provider("cured").await;
    let said = doctor(&[abroad.resource.as_str(), "--as", "connector"]);
    said.holds(&["refresh.lost_answer", "refresh.parallel"], &[NO_CACHE, NO_DOCUMENTS, NO_PAGES], &whole);
    assert!(said.of("refresh.lost_answer").contains("400 (invalid_grant"), "{}", said.lines);
    assert!(said.of("refresh.parallel").contains("the connection is over"), "{}", said.lines);
}

#[tokio::test]
async fn glewlwyd_is_looked_at_as_far_as_its_page_of_scripts_lets_us() {
    let abroad = Abroad::glewlwyd().await;
    // It refuses a refresh token without a word: 400 and an empty body.
    let wrong = ["token.errors"];
    let doubtful = [
        // iss comes with every answer, and no setting makes the metadata say so.
        "authorize.iss",
        // The issuer has a path, and only openid-configuration stands there, behind it.
        "discovery.every_form",
        // It lists the two methods that need a secret, also where it takes clients without one.
        "metadata.auth_methods",
        // Registration is off, as it comes.
        NO_DOCUMENTS,
        "metadata.iss",
    ];
    let connector = [&[abroad.resource.as_str(), "--as", "connector"], &BY_HAND[..]].concat();
    let said = doctor(&connector);
    // An error for an unknown response_type stands behind a #.
    said.holds(&wrong, &doubtful, &["discovery.issuer", "metadata.pkce", "keys.fetch", "authorize.error"]);
    assert!(said.of("token.errors").contains("400 with an empty body"), "{}", said.lines);
    let place = format!("{}/.well-known/oauth-authorization-server/api/oidc", abroad.server);
    assert!(said.of("discovery.every_form").contains(&format!("at {place} too")), "{}", said.lines);
    // A page made by scripts is no mistake, and is said to be the end.
    let plainly = format!("{}/login.html makes its page by scripts", abroad.server);
    assert!(said.lines.contains(&plainly), "{}", said.lines);

    let plugin = [&[abroad.origin.as_str(), "--as", "plugin"], &BY_HAND[..]].concat();
    let said = doctor(&plugin);
    said.holds(&wrong, &[], &["manifest.rules", "authorize.domain", "authorize.error"]);
    assert!(said.lines.contains(&plainly), "{}", said.lines);

    // With a browser it goes on: everything behind the page is as it should be.
    for caller in [&connector, &plugin] {
        let steps = with_a_browser(&abroad, caller).await;
        let steps = steps.as_array().unwrap();
        let names: Vec<&str> = steps.iter().map(|step| step["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["discovery", "client", "authorization", "tokens", "api", "refresh"], "{steps:#?}");
        assert!(steps.iter().all(|step| step["is_good"] == true), "{steps:#?}");
    }
    // The account does not help the simulator either, and it says why.
    let folder = folder();
    let lost = command(folder.path(), &[&["simulate"], &connector[..], &ACCOUNT].concat()).heard();
    let lost = String::from_utf8(lost.stdout).unwrap();
    assert!(lost.contains("makes its page by scripts, which are not run here: without --email"), "{lost}");
}

/// Plays the caller as a person with a browser does: opens what is printed, and pastes where it ended.
async fn with_a_browser(abroad: &Abroad, caller: &[&str]) -> Value {
    let folder = folder();
    let mut command = command(folder.path(), &[&["simulate", "--json"], caller].concat());
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    // Read on to its end, since it has more to say than the address.
    let mut asked = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let url = asked.find(|line| line.trim().starts_with("http")).unwrap();
    let ended = through_the_page(abroad, url.trim()).await;
    writeln!(child.stdin.take().unwrap(), "{ended}").unwrap();
    let output = child.wait_with_output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {:?}", asked.collect::<Vec<_>>()))
}
