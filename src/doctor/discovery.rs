//! Whether the server is found: the challenge, both documents, in every form, under the name it is called by.

use serde_json::Value;
use url::Position;

use super::{
    Report,
    check::Check,
    documents::{self, answered},
};
use crate::{
    model::client::Dialect,
    simulate::discovery::{Discovery, Place, lists},
};

/// What OpenID asks a server to say of itself before anybody can rely on it.
const OPENID: [&str; 3] = ["userinfo_endpoint", "jwks_uri", "id_token_signing_alg_values_supported"];

/// Scopes by which callers take a server to speak OpenID.
const OPENID_SCOPES: [&str; 3] = ["openid", "email", "profile"];

pub(super) fn look(found: &Discovery, dialect: Dialect, report: &mut Report) {
    if dialect == Dialect::Connector {
        report.checks.extend(challenge(found));
        report.checks.push(resource(found));
    }
    let is_anywhere = found.servers.iter().any(Place::is_found);
    // Others are told their endpoints by a manifest, or by who types them in.
    if is_anywhere || dialect == Dialect::Connector {
        report.checks.push(server(found));
    }
    if is_anywhere {
        report.checks.push(every_form(found));
    }
    if let Some(server) = found.server() {
        report.checks.extend([issuer(found, server), openid(found)]);
    }
    let servers = found.servers.iter().filter(|place| place.is_tried());
    let used = found.resources.iter().find(|place| place.is_found());
    let places: Vec<&Place> = servers.filter(|place| place.is_found()).chain(used).collect();
    if !places.is_empty() {
        report.checks.extend(documents::judged(&places));
    }
}

fn challenge(found: &Discovery) -> Option<Check> {
    let name = "discovery.challenge";
    let Ok(answer) = &found.first_call else { return None };
    let metadata = found.resources.iter().find(|place| place.is_found());
    let address = metadata.or(found.resources.first()).map_or("…", |place| &place.url[..Position::AfterPath]);
    let cure = format!("Answer 401 with WWW-Authenticate: Bearer resource_metadata=\"{address}\" (RFC 9728 §5.1).");
    if let Some(to) = answer.redirect() {
        let says = format!("A call of {} without a token is sent on to {to}; callers do not follow.", found.target);
        return Some(Check::warning(
            name,
            says,
            "Answer at the very address people paste, or have them paste the other.",
        ));
    }
    let status = answer.status;
    match status {
        401 => {}
        // Whoever answers so is judged by `reach.answers`.
        500.. => return None,
        _ => {
            let says = format!("A call without a token is answered {status}, not 401, so nobody is asked to sign in.");
            return Some(Check::warning(name, says, cure));
        }
    }
    if answer.header("www-authenticate").is_none() {
        return Some(Check::wrong(name, "401 comes without WWW-Authenticate (RFC 9110 §11.6.1).", cure));
    }
    let Some(named) = found.challenged("resource_metadata") else {
        let says = "The Bearer challenge of 401 does not name the API's metadata.";
        // Newer callers look at the well-known places too.
        return Some(if metadata.is_some() {
            Check::warning(name, says, cure)
        } else {
            Check::wrong(name, says, cure)
        });
    };
    let place = found.resources.iter().find(|place| place.form == "challenge");
    Some(match place {
        Some(place) if place.is_found() => Check::ok(name, "A call without a token is told where to go."),
        // Where there is none at all, the document is what is missing, and that is told by its own check.
        Some(place) if metadata.is_none() => Check::ok(name, format!("A call without a token names {}.", place.url)),
        Some(place) => Check::wrong(name, format!("The challenge leads nowhere: {}.", answered(place)), cure),
        None => Check::wrong(name, format!("The challenge names {named:?}, which is no address."), cure),
    })
}

fn resource(found: &Discovery) -> Check {
    let name = "discovery.resource_metadata";
    let Some((place, document)) = found.resources.iter().find_map(|it| Some((it, it.document.as_ref()?))) else {
        let tried: Vec<String> = found.resources.iter().map(answered).collect();
        let at = found.resources.first().map(|place| place.url.as_str()).unwrap_or_default();
        return Check::wrong(
            name,
            format!("The API has no metadata: {}.", tried.join("; ")),
            format!("Serve protected resource metadata (RFC 9728 §3.1) at {at}."),
        );
    };
    // What stands behind may be known to its users alone, and is not for a document that everybody reads.
    let named = &found.target[..Position::AfterPath];
    let called = document["resource"].as_str().unwrap_or_default();
    if !found.issuer_is_named {
        return Check::wrong(
            name,
            format!("{} names no authorization server.", place.url),
            "Name the issuer in authorization_servers (RFC 9728 §2).",
        );
    }
    let bare = |text: &str| text.trim_end_matches('/').to_owned();
    // Callers accept the address itself, or what is above it on the same host.
    let is_own = bare(called) == bare(named)
        || called == found.target.as_str()
        || bare(named).starts_with(&format!("{}/", bare(called)));
    if is_own {
        return Check::ok(name, format!("{} tells of {called}.", place.url));
    }
    let says = format!("{} tells of {called:?}, and what people paste is {named}.", place.url);
    Check::wrong(name, says, format!("Write \"resource\": \"{named}\" there, byte for byte (RFC 9728 §3.3)."))
}

fn server(found: &Discovery) -> Check {
    let name = "discovery.server_metadata";
    if let Some(place) = found.servers.iter().find(|place| place.is_found()) {
        return Check::ok(name, format!("The server's metadata stands at {}.", place.url));
    }
    let Some(first) = found.servers.first() else {
        let cure = "Write the issuer into authorization_servers in full, with https://.";
        return Check::wrong(
            name,
            format!("The API names {:?} as its server, which is no address.", found.issuer),
            cure,
        );
    };
    let tried: Vec<String> = found.servers.iter().map(answered).collect();
    let cure = format!("Serve authorization server metadata (RFC 8414 §3) at {}.", first.url);
    Check::wrong(name, format!("There is no metadata of {}: {}.", found.issuer, tried.join("; ")), cure)
}

fn every_form(found: &Discovery) -> Check {
    let name = "discovery.every_form";
    let Some(first) = found.servers.first() else { return Check::ok(name, "There is no issuer to look for.") };
    if first.is_found() {
        return Check::ok(name, "The metadata stands where callers look first.");
    }
    let cure =
        format!("Serve the same document at {} too: the path of the issuer goes behind (RFC 8414 §3.1).", first.url);
    match found.servers.iter().find(|place| place.is_tried() && place.is_found()) {
        Some(place) => {
            let says = format!("{}; callers that look on find {}.", answered(first), place.url);
            Check::warning(name, says, cure)
        }
        None => Check::wrong(name, format!("{}, nor is it at another place that callers try.", answered(first)), cure),
    }
}

fn issuer(found: &Discovery, server: &Value) -> Check {
    let name = "discovery.issuer";
    let called = found.issuer.as_str();
    // Each form may be written by another program, and any may be the one that is read.
    let tried = found.servers.iter().filter(|place| place.is_tried());
    let all = tried.filter_map(|place| place.document.as_ref()).chain([server]);
    let mut names = all.map(|document| document["issuer"].as_str().unwrap_or_default());
    let Some(own) = names.find(|own| *own != called) else {
        return Check::ok(name, format!("The server calls itself {called}, as it is called."));
    };
    let by = if found.issuer_is_named { "the API's metadata calls it" } else { "by the address that was typed it is" };
    let says = format!("The server calls itself {own:?}; {by} {called:?}. Callers compare every byte (RFC 8414 §3.3).");
    let cure = match (own.strip_suffix('/'), called.strip_suffix('/')) {
        (Some(bare), _) if bare == called => {
            format!("Write the issuer without a slash at the end, {called}: in the metadata, in iss and in tokens.")
        }
        (_, Some(bare)) if bare == own => {
            format!("Write {own} into authorization_servers of the API's metadata, without a slash at the end.")
        }
        _ if own.is_empty() => format!("Write \"issuer\": \"{called}\" into the metadata (RFC 8414 §2)."),
        _ => {
            let other = format!(" Or, if it really is {own}, name that in authorization_servers.");
            let other = if own.starts_with("https://") { other.as_str() } else { "" };
            format!("Set the server's public address to {called}, so that issuer, iss and tokens have it.{other}")
        }
    };
    Check::wrong(name, says, cure)
}

fn openid(found: &Discovery) -> Check {
    let name = "discovery.openid";
    let document = found.servers.iter().find(|place| place.form.starts_with("openid") && place.is_found());
    let scopes = found.server().filter(|it| OPENID_SCOPES.iter().any(|scope| lists(it, "scopes_supported", scope)));
    let Some(said) = document.and_then(|place| place.document.as_ref()).or(scopes) else {
        return Check::ok(name, "OpenID is not advertised, so nobody asks for it.");
    };
    let missing: Vec<&str> = OPENID.into_iter().filter(|member| said[*member].is_null()).collect();
    if missing.is_empty() {
        return Check::ok(name, "OpenID is advertised with its endpoints.");
    }
    let by = document.map_or_else(|| "scopes_supported".to_owned(), |place| place.url.to_string());
    Check::wrong(
        name,
        format!("{by} advertises OpenID, and the metadata has no {}.", missing.join(", no ")),
        "Give ID tokens and user info, or take away openid-configuration and the scopes openid, email and profile: \
         callers ask for what is advertised, and fail without it.",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::doctor::{State, samples::answer};

    fn place(form: &'static str, document: Option<Value>) -> Place {
        let status = if document.is_some() { 200 } else { 404 };
        let url = format!("https://a.example/{}", form.replace(' ', "-")).parse().unwrap();
        Place { form, url, heard: Ok(answer(status, &[], "")), document, moved: None }
    }

    fn found(issuer: &str, servers: Vec<Place>) -> Discovery {
        Discovery {
            target: "https://a.example/mcp".parse().unwrap(),
            first_call: Ok(answer(401, &[], "")),
            resources: vec![place("path", Some(json!({})))],
            issuer: issuer.to_owned(),
            issuer_is_named: true,
            servers,
            manifest: place("root", None),
        }
    }

    #[test]
    fn a_challenge_is_judged_by_where_it_leads() {
        let state = |status, challenge: Option<&str>| {
            let mut found = found("https://a.example", Vec::new());
            let headers: Vec<_> = challenge.map(|challenge| ("www-authenticate", challenge)).into_iter().collect();
            found.first_call = Ok(answer(status, &headers, ""));
            if found.challenged("resource_metadata").is_some() {
                found.resources.insert(0, place("challenge", None));
            }
            super::challenge(&found).map(|check| check.state)
        };
        assert_eq!(state(401, None), Some(State::Wrong));
        assert_eq!(state(401, Some("Bearer realm=\"x\"")), Some(State::Warning), "the metadata is found without it");
        assert_eq!(state(401, Some("Bearer resource_metadata=\"https://a.example/gone\"")), Some(State::Wrong));
        assert_eq!(state(200, None), Some(State::Warning));
        assert_eq!(state(502, None), None, "told by another check");
    }

    #[test]
    fn openid_alone_is_found_by_callers_that_look_on() {
        let named = || Some(json!({ "issuer": "https://a.example/x" }));
        let state = |with: &[&'static str]| {
            let forms = ["inserted", "openid inserted", "openid appended", "appended", "above"];
            let servers = forms.map(|form| place(form, with.contains(&form).then(named).flatten()));
            every_form(&found("https://a.example/x", servers.into())).state
        };
        assert_eq!(state(&["inserted"]), State::Ok);
        assert_eq!(state(&["openid appended"]), State::Warning);
        assert_eq!(state(&["appended", "above"]), State::Wrong);
    }

    #[test]
    fn a_resource_is_its_address_without_what_is_for_its_users_alone() {
        let check = |called: &str| {
            let mut found = found("https://a.example", Vec::new());
            found.target = "https://a.example/mcp?key=k1".parse().unwrap();
            found.resources = vec![place("path", Some(json!({ "resource": called })))];
            resource(&found)
        };
        for own in
            ["https://a.example/mcp", "https://a.example/mcp/", "https://a.example", "https://a.example/mcp?key=k1"]
        {
            assert_eq!(check(own).state, State::Ok, "{own}");
        }
        assert!(check("https://b.example").cure.unwrap().contains("\"https://a.example/mcp\""));
    }

    #[test]
    fn a_name_is_cured_where_it_is_wrong() {
        let cure = |own: &str, called: &str| {
            let found = found(called, vec![place("root", Some(json!({ "issuer": own })))]);
            issuer(&found, found.server().unwrap()).cure.unwrap_or_default()
        };
        assert_eq!(cure("https://a.example", "https://a.example"), "");
        assert!(cure("https://a.example/", "https://a.example").starts_with("Write the issuer without a slash"));
        assert!(cure("https://a.example", "https://a.example/").contains("into authorization_servers"));
        assert!(cure("http://inside", "https://a.example").contains("public address to https://a.example"));
        assert!(cure("", "https://a.example").contains("\"issuer\": \"https://a.example\""));
        let mut two = vec![place("root", Some(json!({ "issuer": "https://a.example" })))];
        two.push(place("openid root", Some(json!({ "issuer": "https://b.example" }))));
        let two = found("https://a.example", two);
        assert_eq!(issuer(&two, two.server().unwrap()).state, State::Wrong, "the second form is read too");
    }
}
