//! `consentry doctor URL`: says what is right about a server, what is wrong, and how to cure it. No database is opened.

use super::{
    answer::Answer,
    failure::{self, Failure},
    simulate::{Caller, wire},
};
use crate::{
    doctor::{self, Check, Patient, Report, State},
    simulate::callers,
};

pub(super) fn run(caller: &Caller, as_json: bool) -> Result<Answer, Failure> {
    let wire = wire(callers::OWN, caller.url())?;
    let (preset, typed, account) = (caller.preset()?, caller.typed()?, caller.account()?);
    let patient = Patient { target: caller.url().clone(), preset, typed, account, changes_only: None };
    let report = failure::runtime()?.block_on(doctor::examine(&wire, &patient));
    let (left_out, looked) = apart(&report);
    if as_json {
        // Programs are told of checks; of what was not looked at there is none.
        for check in &left_out {
            eprintln!("not looked at: {}: {}", check.name, check.says);
        }
    }
    let json = serde_json::to_value(&looked).map_err(|error| Failure::not_done(error.to_string()))?;
    let answer = Answer { json, text: told(&report) };
    match looked.iter().filter(|check| check.state == State::Wrong).count() {
        0 => Ok(answer),
        wrong => {
            answer.print(as_json);
            Err(Failure::not_done(format!("{wrong} of {} checks are wrong", looked.len())))
        }
    }
}

/// What could not be looked at, and what was.
fn apart(report: &Report) -> (Vec<&Check>, Vec<&Check>) {
    report.checks.iter().partition(|check| check.state == State::LeftOut)
}

fn told(report: &Report) -> String {
    let mut areas: Vec<&str> = Vec::new();
    let (left_out, looked) = apart(report);
    for check in &looked {
        if !areas.contains(&check.area()) {
            areas.push(check.area());
        }
    }
    let mut lines = Vec::new();
    for area in areas {
        lines.push(area.to_owned());
        let mut checks: Vec<&Check> = looked.iter().copied().filter(|check| check.area() == area).collect();
        checks.sort_by_key(|check| check.state);
        for check in checks {
            let mark = match check.state {
                State::Wrong => "✗",
                State::Warning => "!",
                State::Ok => "✓",
                State::LeftOut => continue,
            };
            lines.push(format!("  {mark} {}: {}", check.name, check.says));
            lines.extend(check.cure.iter().map(|cure| format!("      {cure}")));
        }
    }
    lines.extend(left_out.iter().map(|check| format!("Not looked at: {}.", check.says)));
    let count = |state| report.checks.iter().filter(|check| check.state == state).count();
    let (ok, warnings, wrong) = (count(State::Ok), count(State::Warning), count(State::Wrong));
    lines.push(format!("\n{ok} right, {warnings} to think about, {wrong} wrong."));
    lines.join("\n")
}
