//! The simulator and the doctor, as the real binary: against our own server they find nothing wrong in any dialect, and
//! against each broken server the doctor names what is broken.

use std::{collections::BTreeSet, path::Path, process::Command};

use serde_json::Value;

use crate::{
    harness::{
        databases::Database,
        faulty::{CLIENT_BY_HAND, FOLLOWING, Fault, Faulty, Standing},
        process::{Consentry, free_port, write_private},
        server::{CALLBACK, PASSWORD},
        simulating::json_with_account,
    },
    on_both_engines,
};

/// The names of the checks that are wrong.
fn wrong(checks: &Value) -> BTreeSet<String> {
    let checks = checks.as_array().unwrap().iter().filter(|check| check["state"] == "wrong");
    checks.map(|check| check["name"].as_str().unwrap().to_owned()).collect()
}

on_both_engines! {
    async fn nothing_is_wrong_with_our_own_server(engine) {
        let database = Database::empty(engine).await;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let public_url = format!("http://localhost:{port}");
        let consentry = Consentry { folder: folder.path(), database: &database, port, public_url: public_url.clone() };
        consentry.set_up();
        // The API is not there, so what answers in its place knows no token: what the doctor says of that is no mistake.
        let here = |text: &str| {
            let here = format!("localhost:{port}");
            text.replace("localhost:8080", &here).replace("localhost:8081", &here)
        };
        std::fs::write(folder.path().join("ai-plugin.json"), here(consentry::demo::MANIFEST)).unwrap();
        std::fs::write(folder.path().join("openapi.json"), here(consentry::demo::OPENAPI)).unwrap();
        let host = format!("localhost:{port}");
        let plugin = consentry.answer(&[
            "plugin", "import", "ai-plugin.json", "--host", &host, "--openapi", "openapi.json", "--json",
        ]);
        let slug = plugin["slug"].as_str().unwrap();
        let _serving = consentry.serve().await;
        for (preset, callback) in [("plugin", CALLBACK), ("action", "https://chatgpt.com/aip/g-1f2e/oauth/callback")] {
            let add = ["client", "add", "--plugin", slug, "--preset", preset, "--name", "ChatGPT", "--json"];
            let client = consentry.answer(&add);
            let id = client["client_id"].as_str().unwrap();
            consentry.answer(&["client", "add-callback", id, callback, "--json"]);
            let secret = format!("{preset}.secret");
            write_private(&folder.path().join(&secret), client["client_secret"].as_str().unwrap());
            let reference = format!("file:{secret}");
            let by_hand = [
                public_url.as_str(), "--as", preset, "--client-id", id, "--client-secret-from", &reference,
                "--redirect-uri", callback,
            ];
            all_is_well(folder.path(), &by_hand, &["manifest.rules", "manifest.domains", "token.form"]);
        }
        let connector = [public_url.as_str(), "--as", "connector", "--by", "registration"];
        all_is_well(folder.path(), &connector, &["registration.works", "audience.token", "token.signature"]);
    }
}

/// Both commands go all the way; `seen` must be among what was looked at, so that nothing passes by being left out.
fn all_is_well(folder: &Path, caller: &[&str], seen: &[&str]) {
    let (steps, is_good) = json_with_account(folder, &[&["simulate"], caller].concat());
    let bad = steps.as_array().unwrap().iter().find(|step| step["is_good"] != true);
    assert!(is_good && bad.is_none(), "{caller:?}: {bad:?}");
    let last = steps.as_array().unwrap().last().unwrap();
    assert_eq!(last["name"], "refresh", "{caller:?}");
    let secrets = steps.to_string();
    assert!(!secrets.contains(PASSWORD) && !secrets.contains("eyJ0eXAi"), "a secret was kept");

    let (checks, is_good) = json_with_account(folder, &[&["doctor"], caller].concat());
    assert!(is_good && wrong(&checks).is_empty(), "{caller:?}: {checks:#}");
    let looked: BTreeSet<&str> = checks.as_array().unwrap().iter().filter_map(|check| check["name"].as_str()).collect();
    let always = ["authorize.state", "refresh.works", "refresh.lost_answer", "refresh.parallel", "token.cache"];
    for name in always.iter().chain(seen) {
        assert!(looked.contains(name), "{caller:?}: {name} was not looked at: {looked:?}");
    }
}

/// What the doctor says of a broken server that is not as it should be, for a connector and for a plugin.
fn found_at(faulty: &Faulty) -> [Vec<Value>; 2] {
    let folder = tempfile::tempdir().unwrap();
    let (id, secret) = CLIENT_BY_HAND;
    write_private(&folder.path().join("secret"), secret);
    let connector = [faulty.resource.as_str(), "--as", "connector", "--by", "registration"];
    let plugin = [
        faulty.url.as_str(),
        "--as",
        "plugin",
        "--client-id",
        id,
        "--client-secret-from",
        "file:secret",
        "--redirect-uri",
        CALLBACK,
    ];
    [&connector[..], &plugin[..]].map(|caller| {
        let (checks, is_good) = json_with_account(folder.path(), &[&["doctor"], caller].concat());
        assert_eq!(is_good, wrong(&checks).is_empty(), "the exit code says what the checks say");
        let mut names = BTreeSet::new();
        let checks = checks.as_array().unwrap();
        assert!(checks.iter().all(|check| names.insert(check["name"].as_str().unwrap())), "twice: {checks:#?}");
        checks.iter().filter(|check| check["state"] != "ok").cloned().collect()
    })
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    for faulty in [Faulty::sound(), Faulty::sound_under_a_path()] {
        assert_eq!(found_at(&faulty), [Vec::<Value>::new(), Vec::new()], "{}", faulty.issuer);
    }
}

/// The fault's own check as it must stand for the caller, and what follows from it: nothing else.
fn expected(fault: Fault, standing: Standing) -> BTreeSet<(&'static str, &'static str)> {
    let state = match standing {
        Standing::Wrong => "wrong",
        Standing::Warning => "warning",
        Standing::Unseen => return BTreeSet::new(),
    };
    let following = FOLLOWING.iter().filter(|(of, ..)| *of == fault).map(|(_, check, _)| *check);
    following.chain([fault.check()]).map(|check| (check, state)).collect()
}

/// Everything the doctor prints of the broken servers can be read with `--nocapture`.
#[test]
fn each_fault_is_named_alone_and_with_its_cure() {
    let mut complaints = Vec::new();
    for fault in Fault::ALL {
        for (found, standing) in found_at(&Faulty::with(*fault)).iter().zip(fault.standing()) {
            let text = |check: &Value, member: &str| check[member].as_str().unwrap_or_default().to_owned();
            for check in found {
                let [name, state, says, cure] = ["name", "state", "says", "cure"].map(|member| text(check, member));
                println!("{fault:?}: {state} {name}: {says}\n    {cure}");
                if name == fault.check() && !cure.contains(fault.cure()) {
                    complaints.push(format!("{fault:?}: the cure is not {:?}: {cure}", fault.cure()));
                }
            }
            let seen: BTreeSet<_> = found.iter().map(|check| (text(check, "name"), text(check, "state"))).collect();
            let expected = expected(*fault, standing).into_iter().map(|(name, state)| (name.into(), state.into()));
            let expected: BTreeSet<(String, String)> = expected.collect();
            if seen != expected {
                complaints.push(format!("{fault:?}: found {seen:?}, not {expected:?}"));
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// One complaint, whose cure is for the reason: nothing else can be said of a server that was not met.
#[test]
fn a_server_that_does_not_answer_is_one_complaint() {
    let folder = tempfile::tempdir().unwrap();
    let nobody = format!("http://127.0.0.1:{}/mcp", free_port());
    for (address, cure) in [(nobody.as_str(), "the firewall"), ("http://mcp.example.com/mcp", "Serve it over https")] {
        let (checks, is_good) = json_with_account(folder.path(), &["doctor", address]);
        let checks = checks.as_array().unwrap();
        assert!(!is_good && checks.len() == 1 && checks[0]["name"] == "reach.answers", "{checks:#?}");
        assert!(checks[0]["cure"].as_str().unwrap().contains(cure), "{checks:#?}");
    }
}

/// Without an account it says what it left out, and still finds what can be found; people read it by area.
#[test]
fn without_an_account_it_says_what_it_left_out() {
    let read = |faulty: &Faulty| {
        let doctor = ["doctor", &faulty.resource, "--by", "registration"];
        let output = Command::new(env!("CARGO_BIN_EXE_consentry")).args(doctor).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    };
    let (text, code) = read(&Faulty::sound());
    assert!(text.contains("Not looked at: codes, tokens, refreshing and the API") && code == Some(0), "{text}");
    assert!(text.contains("reach\n  ✓ reach.answers") && text.ends_with("0 to think about, 0 wrong.\n"), "{text}");
    let (text, code) = read(&Faulty::with(Fault::IssMissingOnErrors));
    assert!(text.contains("✗ authorize.iss: iss is promised and does not come with an error.\n      Send"), "{text}");
    assert_eq!(code, Some(1));
}
