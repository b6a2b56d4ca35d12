//! How the two metadata documents are served: as what, for how long, for whom, and from where.

use super::check::Check;
use crate::simulate::{
    discovery::{ELSEWHERE, Place},
    wire::Answer,
};

/// Longer than this, a document is kept while keys and addresses change.
const SECONDS_KEPT_MAX: u64 = 86_400;

/// Judges the documents that were found.
pub(super) fn judged(places: &[&Place]) -> Vec<Check> {
    let answers: Vec<(&str, &Answer)> = places.iter().filter_map(|place| own(place)).collect();
    let mut checks = vec![redirects(places)];
    if !answers.is_empty() {
        checks.extend([content_type(&answers), cache(&answers), cors(&answers)]);
    }
    checks
}

/// The answer of the place itself: what stands behind a redirect is judged by the redirect alone.
fn own(place: &Place) -> Option<(&str, &Answer)> {
    let answer = place.heard.as_ref().ok().filter(|answer| answer.status == 200)?;
    Some((place.url.as_str(), answer))
}

/// What a place answered where no document stands.
pub(super) fn answered(place: &Place) -> String {
    let url = &place.url;
    match (&place.heard, &place.moved) {
        (_, Some(to)) => format!("{url} sends on to {to}"),
        (Ok(answer), None) if answer.status == 200 => {
            format!("{url} answers 200 as {}, without a JSON object", named(answer.content_type()))
        }
        (Ok(answer), None) => format!("{url} answers {}", answer.status),
        (Err(silence), None) => format!("{url}: {silence}"),
    }
}

/// A media type, as it is told.
pub(super) fn named(content_type: &str) -> &str {
    if content_type.is_empty() { "nothing that it names" } else { content_type }
}

fn redirects(places: &[&Place]) -> Check {
    let name = "discovery.redirects";
    match places.iter().find_map(|place| place.moved.as_ref().map(|to| (&place.url, to))) {
        Some((url, to)) => Check::wrong(
            name,
            format!("{url} sends on to {to}."),
            format!("Answer 200 with the document itself at {url} (RFC 8414 §3.2): many callers follow no redirect."),
        ),
        None => Check::ok(name, "The documents stand where they are looked for."),
    }
}

fn content_type(answers: &[(&str, &Answer)]) -> Check {
    let name = "discovery.content_type";
    match answers.iter().find(|(_, answer)| !answer.is_of("application/json")) {
        Some((url, answer)) => Check::wrong(
            name,
            format!("{url} is JSON, and is sent as {}.", named(answer.content_type())),
            "Send it with Content-Type: application/json (RFC 8414 §3.2): many callers refuse it as anything else.",
        ),
        None => Check::ok(name, "The documents say that they are JSON."),
    }
}

fn cache(answers: &[(&str, &Answer)]) -> Check {
    let name = "discovery.cache";
    let cure = "Send Cache-Control: max-age=300 or similar: a burst of callers asks once, and a change is soon seen.";
    for (url, answer) in answers {
        let Some(said) = answer.header("cache-control") else {
            return Check::warning(name, format!("{url} does not say how long it may be kept."), cure);
        };
        let kept = said.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.parse::<u64>().ok());
        if kept.is_some_and(|seconds| seconds > SECONDS_KEPT_MAX) {
            return Check::warning(
                name,
                format!("{url} may be kept for more than a day (Cache-Control: {said})."),
                cure,
            );
        }
    }
    Check::ok(name, "The documents say how long they may be kept.")
}

/// Whether pages elsewhere may not read an answer.
pub(super) fn is_shut(answer: &Answer) -> bool {
    !matches!(answer.header("access-control-allow-origin"), Some("*" | ELSEWHERE))
}

/// Who fetches from a computer of its own needs no permission; who runs in a person's browser does.
fn cors(answers: &[(&str, &Answer)]) -> Check {
    let name = "discovery.cors";
    match answers.iter().find(|(_, answer)| is_shut(answer)) {
        Some((url, _)) => Check::warning(
            name,
            format!("{url} may not be read by pages elsewhere: callers that run in a browser, as inspectors do, fail."),
            "Send Access-Control-Allow-Origin: * with both metadata documents; they are no secret.",
        ),
        None => Check::ok(name, "Callers that run in a browser may read the documents."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::{State, samples::answer};

    fn place(headers: &[(&str, &str)]) -> Place {
        let heard = Ok(answer(200, headers, "{}"));
        let url = "https://a.example/x".parse().unwrap();
        Place { form: "root", url, heard, document: Some(serde_json::json!({})), moved: None }
    }

    #[test]
    fn each_header_is_missed_by_its_own_check() {
        let whole = [
            ("content-type", "application/json; charset=utf-8"),
            ("cache-control", "public, max-age=300"),
            ("access-control-allow-origin", "*"),
        ];
        let found = |headers: &[(&str, &str)]| {
            let place = place(headers);
            let checks = judged(&[&place]);
            checks.iter().filter(|it| it.state != State::Ok).map(|it| (it.name, it.state)).collect::<Vec<_>>()
        };
        assert_eq!(found(&whole), []);
        assert_eq!(found(&whole[1..]), [("discovery.content_type", State::Wrong)]);
        assert_eq!(found(&[whole[0], whole[2]]), [("discovery.cache", State::Warning)]);
        assert_eq!(found(&whole[..2]), [("discovery.cors", State::Warning)]);
        let for_another = [whole[0], whole[1], ("access-control-allow-origin", "https://app.example")];
        assert_eq!(found(&for_another), [("discovery.cors", State::Warning)]);
        let for_a_year = [whole[0], ("cache-control", "max-age=31536000"), whole[2]];
        assert_eq!(found(&for_a_year), [("discovery.cache", State::Warning)]);
    }

    #[test]
    fn a_document_behind_a_redirect_is_judged_by_that_alone() {
        let mut place = place(&[]);
        place.moved = Some("/elsewhere".to_owned());
        place.heard.as_mut().unwrap().status = 302;
        let checks = judged(&[&place]);
        assert_eq!(checks.iter().map(|check| check.name).collect::<Vec<_>>(), ["discovery.redirects"]);
        assert_eq!(answered(&place), "https://a.example/x sends on to /elsewhere");
    }
}
