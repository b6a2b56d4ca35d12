//! What was read back at the public address, held against what this server serves: the token, every other member, and
//! the rules that a reader goes by.
//!
//! A token that is not ours is never shown, not even in part: somebody else's host may serve it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{auth::check_token, parse, read, served};
use crate::model::{
    digest::Digest,
    legible::deceives,
    plugin::Plugin,
    verification::{Finding, Outcome},
};

/// The most findings that are listed; one more says how many there are beside them.
const FINDINGS_MAX: usize = 30;

/// The longest value and the longest name of a member that are shown, in characters.
const VALUE_MAX: usize = 200;
const NAME_MAX: usize = 100;

/// The member in which tokens stand, by service.
const TOKENS: &str = "verification_tokens";

/// What was read back, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What it comes to.
    pub outcome: Outcome,
    /// In a sentence or two.
    pub says: String,
    /// Member by member, tokens first.
    pub findings: Vec<Finding>,
}

/// Judges what stands at `place`. `scheme` is the one people reach the plugin's host with.
pub fn judge(plugin: &Plugin, scheme: &str, place: &str, body: &[u8]) -> Judgement {
    let mut found = match parse(body) {
        Ok(found) => found,
        Err(problem) => {
            let says = format!("What stands at {place} is no manifest: {}.", clipped(&problem, VALUE_MAX));
            return Judgement { outcome: Outcome::NoManifest, says, findings: Vec::new() };
        }
    };
    let mut ours = served(plugin, scheme).as_object().cloned().unwrap_or_default();
    let (own, theirs) = (take_tokens(&mut ours), take_tokens(&mut found));
    let tokens = compare_tokens(&own, &theirs);
    let mut members = compare_members(&ours, &found);
    add_mistakes(plugin, body, &mut members);
    let has_token = !own.is_empty();
    let (outcome, says) = match (tokens.first(), members.as_slice()) {
        (None, []) if has_token => (
            Outcome::Matches,
            format!("What stands at {place} is what this server serves, with its verification token."),
        ),
        (None, []) => (
            Outcome::NoToken,
            format!(
                "What stands at {place} is what this server serves. It has no verification token yet: paste the one \
                 that the assistant shows you."
            ),
        ),
        (Some(token), _) => {
            (Outcome::Differs, format!("The verification token at {place} is not the one here: {}.", token.says))
        }
        (None, members) => (Outcome::Differs, differing(place, members)),
    };
    Judgement { outcome, says, findings: bounded(tokens, members) }
}

/// Takes the tokens out, so that nothing below reads or shows them.
fn take_tokens(manifest: &mut Map<String, Value>) -> Map<String, Value> {
    let taken = manifest.get_mut("auth").and_then(Value::as_object_mut).and_then(|auth| auth.remove(TOKENS));
    match taken {
        Some(Value::Object(tokens)) => tokens,
        _ => Map::new(),
    }
}

fn compare_tokens(own: &Map<String, Value>, theirs: &Map<String, Value>) -> Vec<Finding> {
    let finding = |service: &str, says: &str, served: Option<&str>, found: Option<&str>| Finding {
        field: format!("auth.{TOKENS}.{}", clipped(service, NAME_MAX)),
        says: says.to_owned(),
        served: served.map(str::to_owned),
        found: found.map(str::to_owned),
    };
    let mut findings = Vec::new();
    for (service, own) in own {
        let told = match (own.as_str(), theirs.get(service).map(Value::as_str)) {
            (_, None) => Some(("it is missing there", "nothing")),
            (_, Some(None)) => Some(("it is no text there", "something that is no text")),
            (Some(own), Some(Some(found))) if is_same(own, found) => None,
            (_, Some(Some(found))) if check_token(found).is_err() => {
                Some(("a placeholder, or something else that is no token, stands there", "no token"))
            }
            (_, Some(Some(_))) => Some(("another token stands there", "another token")),
        };
        let told = told.map(|(says, found)| finding(service, says, Some("the token that was given here"), Some(found)));
        findings.extend(told);
    }
    let unknown = theirs.keys().filter(|service| !own.contains_key(*service));
    findings
        .extend(unknown.map(|service| finding(service, "this server serves none of that name", None, Some("a token"))));
    findings
}

/// In constant time: what is found may be a guess.
fn is_same(own: &str, found: &str) -> bool {
    Digest::of(own) == Digest::of(found)
}

fn compare_members(ours: &Map<String, Value>, found: &Map<String, Value>) -> Vec<Finding> {
    let (ours, found) = (leaves(ours), leaves(found));
    let mut names: Vec<&String> = ours.keys().chain(found.keys().filter(|name| !ours.contains_key(*name))).collect();
    names.sort();
    let differs = |name: &&String| ours.get(*name) != found.get(*name);
    let finding = |name: &String| {
        let (served, found) = (ours.get(name), found.get(name));
        let says = match (served, found) {
            (_, None) => "it is missing there",
            (None, _) => "it stands only there",
            _ => "it differs from what this server serves",
        };
        let (served, found) = side_by_side(served.copied(), found.copied());
        Finding { field: clipped(name, NAME_MAX), says: says.to_owned(), served, found }
    };
    names.into_iter().filter(differs).map(finding).collect()
}

/// Every value that is no object of members, by its path. A member that is null says what a missing one does.
fn leaves(manifest: &Map<String, Value>) -> BTreeMap<String, &Value> {
    let mut leaves = BTreeMap::new();
    let mut open: Vec<(String, &Map<String, Value>)> = vec![(String::new(), manifest)];
    while let Some((above, object)) = open.pop() {
        for (member, value) in object {
            // A name with a dot in it must not pass for two.
            let name =
                if member.contains(['.', '"']) { Value::from(member.as_str()).to_string() } else { member.clone() };
            let path = if above.is_empty() { name } else { format!("{above}.{name}") };
            match value {
                Value::Object(object) if !object.is_empty() => open.push((path, object)),
                Value::Null => {}
                value => {
                    leaves.insert(path, value);
                }
            }
        }
    }
    leaves
}

/// What a reader would refuse, beside the member where that differs too. Tokens are looked at already.
fn add_mistakes(plugin: &Plugin, body: &[u8], members: &mut Vec<Finding>) {
    let mistakes = read(body, &plugin.host).err().unwrap_or_default();
    for mistake in mistakes.into_iter().filter(|mistake| !mistake.member.contains(TOKENS)) {
        let (field, problem) = (clipped(&mistake.member, NAME_MAX), clipped(&mistake.problem, VALUE_MAX));
        match members.iter_mut().find(|finding| finding.field == field) {
            Some(known) if known.says != problem => known.says = format!("{}; {problem}", known.says),
            Some(_) => {}
            None => members.push(Finding { field, says: problem, served: None, found: None }),
        }
    }
}

fn differing(place: &str, members: &[Finding]) -> String {
    const NAMED: usize = 3;
    let named: Vec<&str> = members.iter().take(NAMED).map(|finding| finding.field.as_str()).collect();
    let more = members.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let named = named.join(", ");
    if members.iter().all(|finding| finding.served.is_none() && finding.found.is_none()) {
        return format!("What stands at {place} is what this server serves, but would be refused for {named}{more}.");
    }
    format!("What stands at {place} is not what this server serves: look at {named}{more}.")
}

fn bounded(tokens: Vec<Finding>, members: Vec<Finding>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = tokens.into_iter().chain(members).collect();
    let beyond = findings.len().saturating_sub(FINDINGS_MAX);
    if beyond > 0 {
        findings.truncate(FINDINGS_MAX);
        let says = format!("{beyond} more are not as they should be");
        findings.push(Finding { field: "…".to_owned(), says, served: None, found: None });
    }
    findings
}

/// Two values as people compare them: from a little before where they part, since both may be long.
fn side_by_side(served: Option<&Value>, found: Option<&Value>) -> (Option<String>, Option<String>) {
    const BEFORE: usize = 20;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let (mut own, mut theirs) = (served.map(text), found.map(text));
    if own == theirs {
        // `true` is not `"true"`.
        (own, theirs) = (served.map(Value::to_string), found.map(Value::to_string));
    }
    let parts_at = match (&own, &theirs) {
        (Some(own), Some(theirs)) => own.chars().zip(theirs.chars()).take_while(|(own, their)| own == their).count(),
        _ => 0,
    };
    let skipped = if parts_at + BEFORE < VALUE_MAX { 0 } else { parts_at - BEFORE };
    let shown = |text: String| {
        let rest: String = text.chars().skip(skipped).collect();
        let rest = clipped(&rest, VALUE_MAX);
        if skipped == 0 { rest } else { format!("…{rest}") }
    };
    (own.map(shown), theirs.map(shown))
}

/// Short, and with nothing in it that changes how the text around it reads.
fn clipped(text: &str, length_max: usize) -> String {
    let mut clipped: String = text.chars().take(length_max).map(|c| if deceives(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(length_max).is_some() {
        clipped.push('…');
    }
    clipped
}
