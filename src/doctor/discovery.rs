//! Whether the server is found: the challenge, both documents, in every form, under the name it is called by.

use super::{Report, check::Check};
use crate::{
    model::client::Dialect,
    simulate::discovery::{Discovery, Place, lists},
};

pub(super) fn look(found: &Discovery, dialect: Dialect, report: &mut Report) {
    if dialect == Dialect::Connector {
        report.checks.push(challenge(found));
        report.checks.push(resource(found));
    }
    let is_needed = dialect == Dialect::Connector || !found.manifest.is_found();
    if found.server().is_some() || is_needed {
        report.checks.push(server(found));
    }
    if found.server().is_some() {
        report.checks.extend([every_form(found), issuer(found), openid(found)]);
    }
    let places: Vec<&Place> = found.servers.iter().chain(&found.resources).filter(|place| place.is_found()).collect();
    if !places.is_empty() {
        report.checks.extend([content_type(&places), cache(&places), cors(&places), redirects(&places)]);
    }
}

fn challenge(found: &Discovery) -> Check {
    let name = "discovery.challenge";
    let cure = "Answer 401 with WWW-Authenticate: Bearer resource_metadata=\"…\", naming the API's metadata.";
    match &found.first_call {
        Ok(answer) if answer.status == 401 => {
            let is_there = found.challenged("resource_metadata").is_some();
            let says = if is_there {
                "A call without a token is told where to go."
            } else {
                "401 comes without a challenge that names the metadata."
            };
            Check::of(name, is_there, says, cure)
        }
        Ok(answer) => {
            Check::warning(name, format!("A call without a token is answered {}, not 401.", answer.status), cure)
        }
        Err(silence) => Check::wrong(name, silence.to_string(), cure),
    }
}

fn resource(found: &Discovery) -> Check {
    let name = "discovery.resource_metadata";
    let Some(document) = found.resource() else {
        let cure = "Serve protected resource metadata (RFC 9728), with the well-known path between host and path.";
        return Check::wrong(name, "The API has no metadata at any of its places.", cure);
    };
    let (called, named) = (document["resource"].as_str().unwrap_or_default(), found.target.as_str());
    let bare = |text: &str| text.trim_end_matches('/').to_owned();
    // Callers accept the address itself, or what is above it on the same host.
    let is_own = bare(called) == bare(named) || bare(named).starts_with(&format!("{}/", bare(called)));
    let says = format!("The metadata is of {called}; what was typed is {named}.");
    if !found.issuer_is_named {
        return Check::wrong(name, "The metadata names no authorization server.", "Name it in authorization_servers.");
    }
    Check::of(name, is_own, says, "Write into resource the very address people paste.")
}

fn server(found: &Discovery) -> Check {
    let says = |place: &Place| format!("The server's metadata stands at {}.", place.url);
    let cure = "Serve authorization server metadata (RFC 8414) where the issuer's name leads.";
    let place = found.servers.iter().find(|place| place.is_found());
    let nowhere = || format!("There is no metadata of {} at any of its places.", found.issuer);
    Check::of("discovery.server_metadata", place.is_some(), place.map_or_else(nowhere, says), cure)
}

fn every_form(found: &Discovery) -> Check {
    let first = found.servers.first();
    let at = first.map(|place| place.url.to_string()).unwrap_or_default();
    let is_there = first.is_some_and(Place::is_found);
    let says =
        if is_there { "It stands where callers look first." } else { "It does not stand where callers look first." };
    Check::of("discovery.every_form", is_there, says, format!("Serve the same document at {at} too."))
}

fn issuer(found: &Discovery) -> Check {
    let own = found.server().and_then(|server| server["issuer"].as_str()).unwrap_or_default();
    let says = format!("The server calls itself {own:?}; it was called {:?}.", found.issuer);
    let cure = "Write one issuer everywhere: in the resource's metadata, the server's, in iss and in tokens. Callers compare every byte.";
    Check::of("discovery.issuer", own == found.issuer, says, cure)
}

fn openid(found: &Discovery) -> Check {
    let is_said = found.servers.iter().any(|place| place.form.starts_with("openid") && place.is_found())
        || found.server().is_some_and(|server| lists(server, "scopes_supported", "openid"));
    let is_whole = found
        .servers
        .iter()
        .filter_map(|place| place.document.as_ref())
        .all(|document| document["userinfo_endpoint"].is_string() && document["jwks_uri"].is_string());
    let says = match (is_said, is_whole) {
        (false, _) => "OpenID is not advertised, so nobody asks for it.",
        (true, true) => "OpenID is advertised with its endpoints.",
        (true, false) => "OpenID is advertised, and has no user info.",
    };
    let cure = "Give ID tokens and user info, or take away openid-configuration and the scopes openid, email, profile.";
    Check::of("discovery.openid", !is_said || is_whole, says, cure)
}

/// The first place of which something does not hold.
fn all(
    name: &'static str,
    places: &[&Place],
    holds: impl Fn(&Place) -> Result<(), String>,
    right: &str,
    cure: &str,
) -> Check {
    let wrong = places.iter().find_map(|place| holds(place).err().map(|why| format!("{}: {why}.", place.url)));
    Check::of(name, wrong.is_none(), wrong.unwrap_or_else(|| right.to_owned()), cure)
}

fn content_type(places: &[&Place]) -> Check {
    let holds = |place: &Place| match &place.heard {
        Ok(answer) if answer.status == 200 && answer.content_type() != "application/json" => {
            Err(format!("its type is {:?}", answer.content_type()))
        }
        _ => Ok(()),
    };
    all(
        "discovery.content_type",
        places,
        holds,
        "The documents say that they are JSON.",
        "Send Content-Type: application/json.",
    )
}

fn cache(places: &[&Place]) -> Check {
    let is_said = |place: &&Place| place.heard.as_ref().is_ok_and(|answer| answer.header("cache-control").is_some());
    let cure = "Send Cache-Control with a max-age of minutes, so that a change is seen and a burst is not.";
    if places.iter().all(is_said) {
        return Check::ok("discovery.cache", "The documents say how long they may be kept.");
    }
    Check::warning("discovery.cache", "A document does not say how long it may be kept.", cure)
}

fn cors(places: &[&Place]) -> Check {
    let holds = |place: &Place| match &place.heard {
        Ok(answer) if answer.status == 200 && answer.header("access-control-allow-origin").is_none() => {
            Err("pages elsewhere may not read it".to_owned())
        }
        _ => Ok(()),
    };
    let cure = "Send Access-Control-Allow-Origin: * with both metadata documents: some callers run in a browser.";
    all("discovery.cors", places, holds, "Callers in a browser may read the documents.", cure)
}

fn redirects(places: &[&Place]) -> Check {
    let holds = |place: &Place| match &place.moved {
        Some(to) => Err(format!("it sends on to {to}")),
        None => Ok(()),
    };
    let cure = "Answer with the document itself: many callers follow no redirect.";
    all("discovery.redirects", places, holds, "The documents stand where they are looked for.", cure)
}
