//! Whether a filter in front lets through whoever calls itself as assistants do, and who calls itself nothing.

use reqwest::header::USER_AGENT;
use url::Url;

use super::{check::Check, tokens::MADE_UP};
use crate::simulate::{
    callers,
    discovery::{self, Discovery},
    wire::{Answer, Heard, Request, Wire},
};

/// Asks for what a caller would, as anybody does, and again under each name callers were seen with and under none. On a
/// line of its own: a filter that lets such requests wait would keep us from everything behind it.
pub(super) async fn look(wire: &Wire, found: &Discovery, patient: &super::Patient) -> Check {
    let wire = wire.aside();
    let mut refused: Vec<(&str, String)> = Vec::new();
    for (url, request) in probes(found, patient) {
        let Ok(usual) = wire.send(request.clone()).await else { continue };
        if usual.status == 429 {
            return too_often(&url);
        }
        for agent in callers::USER_AGENTS.into_iter().chain([callers::NO_USER_AGENT]) {
            if refused.iter().any(|(known, _)| *known == agent) {
                continue;
            }
            let heard = wire.send(request.clone().with(USER_AGENT, agent)).await;
            let got = match &heard {
                Ok(answer) if answer.status == 429 => return too_often(&url),
                heard if is_same(heard, &usual) => continue,
                Ok(answer) if answer.status == usual.status => format!("with something else, {}", answer.status),
                Ok(answer) => answer.status.to_string(),
                Err(silence) => silence.to_string(),
            };
            // It may have come to answer everybody so.
            if is_same(&wire.send(request.clone()).await, &usual) {
                refused.push((agent, format!("{url} answers {got}")));
                if heard.is_err() {
                    return filtered(&refused);
                }
            }
        }
    }
    filtered(&refused)
}

/// Some documents, the API, and the place for tokens.
fn probes(found: &Discovery, patient: &super::Patient) -> Vec<(Url, Request)> {
    let places = found.servers.iter().chain(&found.resources).chain([&found.manifest]);
    let documents = places.filter(|place| place.is_found()).take(3);
    let mut probes: Vec<(Url, Request)> =
        documents.map(|place| (place.url.clone(), Request::get(&place.url))).collect();
    probes.push((found.target.clone(), discovery::first_call(&found.target)));
    let endpoint = found.server().and_then(|server| server["token_endpoint"].as_str()?.parse::<Url>().ok());
    if let Some(endpoint) = endpoint.filter(|endpoint| patient.may_change(endpoint.as_str())) {
        let body = format!("grant_type=refresh_token&refresh_token={MADE_UP}");
        let request = Request::post(&endpoint, "application/x-www-form-urlencoded", body);
        probes.push((endpoint, request));
    }
    probes
}

/// The same status, and JSON again where it was JSON: a filter's page may come with any status.
fn is_same(heard: &Heard, usual: &Answer) -> bool {
    heard
        .as_ref()
        .is_ok_and(|answer| answer.status == usual.status && answer.object().is_some() == usual.object().is_some())
}

fn filtered(refused: &[(&str, String)]) -> Check {
    let name = "reach.bot_filter";
    let Some((_, seen)) = refused.first() else {
        return Check::ok(name, "The names assistants go by are answered like any other, and so is none.");
    };
    let quoted = |agent: &str| match agent {
        callers::NO_USER_AGENT => "none at all".to_owned(),
        agent => format!("\"{agent}\""),
    };
    let agents = refused.iter().map(|(agent, _)| quoted(agent)).collect::<Vec<_>>().join(", ");
    let cure = format!(
        "Let requests with these User-Agents pass the filter in front, to /.well-known/, the API, and the token and \
         registration endpoints: {agents}."
    );
    Check::wrong(name, format!("{seen} to an assistant's User-Agent, and something else to others."), cure)
}

fn too_often(url: &Url) -> Check {
    let says = format!("{url} answers 429 to a dozen requests in a row, so a filter could not be looked for.");
    let cure = "Allow bursts of some dozen requests: all people of an assistant come from few addresses.";
    Check::warning("reach.bot_filter", says, cure)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::samples::answer;

    #[test]
    fn a_page_in_place_of_a_document_is_a_filter_s() {
        let usual = answer(200, &[], "{}");
        assert!(is_same(&Ok(answer(200, &[], "{\"a\":1}")), &usual));
        assert!(!is_same(&Ok(answer(200, &[], "<p>Are you human?")), &usual));
        assert!(!is_same(&Ok(answer(302, &[], "")), &usual));
    }
}
