//! The doctor, as the real binary, against broken servers: it names what is broken. That it finds nothing wrong with our
//! own is shown by `simulate`, where everything it needs stands.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

use crate::harness::{
    faulty::{CLIENT_BY_HAND, FOLLOWING, Fault, Faulty, Standing},
    process::{Heard, free_port, write_private},
    server::CALLBACK,
    simulating::json_with_account,
};

/// The names of the checks that are wrong.
fn wrong(checks: &Value) -> BTreeSet<String> {
    let checks = checks.as_array().unwrap().iter().filter(|check| check["state"] == "wrong");
    checks.map(|check| check["name"].as_str().unwrap().to_owned()).collect()
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
        let states: Vec<&Value> = checks.iter().map(|check| &check["state"]).collect();
        assert!(!is_good && states == ["wrong"] && checks[0]["name"] == "reach.answers", "{checks:#?}");
        assert!(checks[0]["cure"].as_str().unwrap().contains(cure), "{checks:#?}");
    }
}

#[test]
fn a_caller_that_is_not_known_is_a_mistake_of_who_asks() {
    for command in ["simulate", "doctor"] {
        let arguments = [command, "http://127.0.0.1:9/mcp", "--as", "nobody"];
        let output = Command::new(env!("CARGO_BIN_EXE_consentry")).args(arguments).heard();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
}

/// Without an account it says what it left out, and still finds what can be found; people read it by area.
#[test]
fn without_an_account_it_says_what_it_left_out() {
    let read = |faulty: &Faulty| {
        let doctor = ["doctor", &faulty.resource, "--by", "registration"];
        let output = Command::new(env!("CARGO_BIN_EXE_consentry")).args(doctor).heard();
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    };
    let (text, code) = read(&Faulty::sound());
    assert!(text.contains("Not looked at: codes, tokens, refreshing and the API") && code == Some(0), "{text}");
    assert!(text.contains("reach\n  ✓ reach.answers") && text.ends_with("0 to think about, 0 wrong.\n"), "{text}");
    let (text, code) = read(&Faulty::with(Fault::IssMissingOnErrors));
    assert!(text.contains("✗ authorize.iss: iss is promised and does not come with an error.\n      Send"), "{text}");
    assert_eq!(code, Some(1));
}
