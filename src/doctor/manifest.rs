//! Whether the classic manifest is one that is taken: found, within its limits, on its own domain, with a real token.

use url::Url;

use super::{Report, check::Check};
use crate::{
    model::{client::Dialect, placeholder, plugin::Host},
    protocol::manifest::{self, Mistake},
    simulate::{
        callers,
        discovery::Discovery,
        wire::{Request, Wire},
    },
};

/// What the rules call a place on another domain.
const DOMAINS: [&str; 4] = ["api.url", "legal_info_url", "contact_email", "logo_url"];

pub(super) async fn look(wire: &Wire, found: &Discovery, dialect: Dialect, report: &mut Report) {
    let Some(document) = &found.manifest.document else {
        if dialect == Dialect::Plugin {
            let says = format!("There is no manifest at {}.", found.manifest.url);
            report.checks.push(Check::wrong("manifest.found", says, "Serve it there, as application/json."));
        }
        return;
    };
    report.checks.push(Check::ok("manifest.found", format!("It stands at {}.", found.manifest.url)));
    let host = host_of(&found.target);
    let mistakes = match host.map(|host| manifest::read(document.to_string().as_bytes(), &host)) {
        Some(Err(mistakes)) => mistakes,
        _ => Vec::new(),
    };
    // Where the server's own endpoints stand is computed there, and no owner's mistake.
    let of_domain =
        |mistake: &&Mistake| DOMAINS.contains(&mistake.member.as_str()) && mistake.problem.contains(" must b");
    let told = |mistakes: Vec<&Mistake>| mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let domains: Vec<&Mistake> = mistakes.iter().filter(of_domain).collect();
    let of_auth = |mistake: &&Mistake| mistake.member.starts_with("auth");
    let rules: Vec<&Mistake> = mistakes.iter().filter(|mistake| !of_domain(mistake) && !of_auth(mistake)).collect();
    let right = |wrong: &Vec<&Mistake>, ok: &str| if wrong.is_empty() { ok.to_owned() } else { told(wrong.clone()) };
    let (ok_rules, ok_domains) =
        (right(&rules, "Its texts are within their limits."), right(&domains, "It stays on its domain."));
    report.checks.push(Check::of("manifest.rules", rules.is_empty(), ok_rules, "Correct the member that is named."));
    let cure = "Move what is named to the manifest's own domain.";
    report.checks.push(Check::of("manifest.domains", domains.is_empty(), ok_domains, cure));
    let token = document["auth"]["verification_tokens"][callers::VERIFICATION_TOKEN].as_str();
    report.checks.push(verification_token(token));
    report.checks.push(challenge_file(wire, found).await);
}

fn verification_token(token: Option<&str>) -> Check {
    let name = "manifest.verification_token";
    match token {
        None => Check::ok(name, "It has no verification token; it needs one only where the vendor asks for it."),
        Some(token) => {
            let is_real = !placeholder::looks_like_one(token);
            let says = if is_real { "It has a verification token." } else { "Its verification token is a sample's." };
            Check::of(name, is_real, says, "Put the token in that the vendor shows after it has read the manifest.")
        }
    }
}

async fn challenge_file(wire: &Wire, found: &Discovery) -> Check {
    let name = "challenge.file";
    let Ok(url) = found.target.join(callers::CHALLENGE_FILE) else { return Check::ok(name, "There is none.") };
    let cure = "Serve the token alone, as text/plain, at the root of the host.";
    match wire.send(Request::get(&url)).await {
        Ok(answer) if answer.status == 200 && answer.content_type() == "text/plain" => {
            Check::ok(name, "The proof of the domain is there, as plain text.")
        }
        Ok(answer) if answer.status == 404 => {
            Check::ok(name, "There is no proof of the domain; it is needed only to hand the app in.")
        }
        Ok(answer) => {
            Check::warning(name, format!("{url} answers {} with {}.", answer.status, answer.content_type()), cure)
        }
        Err(silence) => Check::warning(name, silence.to_string(), cure),
    }
}

/// The host with its port, as manifests are kept by.
fn host_of(url: &Url) -> Option<Host> {
    let name = url.host_str()?;
    let text = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
    text.parse().ok()
}
