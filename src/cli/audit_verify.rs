//! `consentry audit verify`: whether the log is as it was written.

use clap::Args;
use serde_json::{Value, json};

use super::{
    answer::{Answer, shown},
    desk::Desk,
    failure::Failure,
    flags::ConfigFlags,
};
use crate::{
    audit::verify::{self, Anchor, Finding, Report, Wrong},
    keys::ring::Ring,
    store::audit_links::AuditLink,
};

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// A link as the server's log named it (`audit.anchor`), or as an earlier answer did: it must be there still
    #[arg(long, value_name = "NUMBER:DIGEST")]
    expect: Option<Anchor>,
}

pub(super) async fn run(
    arguments: Verify,
    desk: &Desk,
    (as_json, flags): (bool, &ConfigFlags),
) -> Result<Answer, Failure> {
    let ring = ring(desk, flags).await?;
    let report = verify::verify(&desk.store, &ring, arguments.expect).await?;
    let answer = Answer { json: summary(&report), text: told(&report) };
    if report.found == 0 {
        return Ok(answer);
    }
    answer.print(as_json);
    Err(Failure::not_done(format!("the audit log is not as it was written; found: {}", report.found)))
}

/// What the chain was made with; so this needs the master keys. Nothing is written, whatever is found.
async fn ring(desk: &Desk, flags: &ConfigFlags) -> Result<Ring, Failure> {
    Ok(Ring::unwrap(&flags.master_keys()?, &desk.store.working_keys().await?, desk.clock.now()))
}

fn summary(report: &Report) -> Value {
    let head = |link: &AuditLink| {
        json!({
            "number": link.number,
            "digest": link.digest.to_hex(),
            "anchor": anchor(link).to_string(),
            "at": shown(link.made_at),
            "node": link.node,
        })
    };
    let finding = |finding: &Finding| {
        json!({
            "kind": finding.wrong.as_str(),
            "event": finding.event,
            "link": finding.link,
            "says": says(finding),
        })
    };
    json!({
        "links": report.links,
        "events": report.events,
        "waiting": report.waiting,
        "head": report.head.as_ref().map(head),
        "forgotten": report.forgotten,
        "unproven": report.unproven,
        "found": report.found,
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
    })
}

fn anchor(link: &AuditLink) -> Anchor {
    Anchor { number: link.number, digest: link.digest }
}

fn told(report: &Report) -> String {
    let Report { links, events, waiting, .. } = report;
    let mut lines = vec![format!("Walked {links} links with {events} events; {waiting} more wait for the next link.")];
    if let Some(number) = report.forgotten {
        lines.push(format!("Up to link {number} the log was forgotten by its age."));
    }
    if let Some(number) = report.unproven {
        lines.push(format!(
            "Up to link {number} keys are lost: what was altered since they were given up is found, and what was before may not be."
        ));
    }
    if let Some(head) = &report.head {
        lines.push(format!("The chain stands at {}", anchor(head)));
    }
    if report.found == 0 {
        lines.push(match report.unproven {
            None => "Every event of a link is as it was written.".to_owned(),
            Some(number) => format!(
                "Every event of a link after that one is as it was written; up to link {number}, as it was when those keys \
                 were given up."
            ),
        });
        lines.push("An end that was cut off shows only beside an anchor kept elsewhere: --expect".to_owned());
    }
    lines.extend(report.findings.iter().map(|finding| format!("{:<17} {}", finding.wrong.as_str(), says(finding))));
    let unnamed = report.found.saturating_sub(report.findings.len() as u64);
    if unnamed > 0 {
        lines.push(format!("and {unnamed} more"));
    }
    lines.join("\n")
}

/// What is wrong, in a sentence.
fn says(finding: &Finding) -> String {
    let event = finding.event.map(|id| id.to_string()).unwrap_or_default();
    let link = finding.link.unwrap_or_default();
    match finding.wrong {
        Wrong::Deleted => format!("event {event} of link {link} is not there"),
        Wrong::Changed => format!("event {event} of link {link} is another than was written"),
        Wrong::Misdated => format!("event {event} of link {link} was written at another time than it says"),
        Wrong::Inserted => format!("event {event} stands in no link, and those of its time were made without it"),
        Wrong::LinkMissing => format!("link {link} is not there"),
        Wrong::LinkChanged => format!("link {link} is not the one that was made, or its key is not here"),
        Wrong::ForgottenWrongly => {
            format!("that the log was forgotten, or keys given up, as far as link {link} was not said with the key")
        }
        Wrong::NotExpected => format!("link {link} is not there, or not as expected"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who has lost a key must not take an empty list of findings for the proof that it was.
    #[test]
    fn what_is_not_proved_is_said() {
        let whole = told(&Report { links: 12, ..Report::default() });
        assert!(whole.contains("Every event of a link is as it was written."), "{whole}");
        let lost = Report { links: 12, unproven: Some(7), ..Report::default() };
        assert_eq!(summary(&lost)["unproven"], 7);
        let lost = told(&lost);
        assert!(lost.contains("Up to link 7 keys are lost") && lost.contains("what was before may not be"), "{lost}");
        assert!(!lost.contains("Every event of a link is as it was written."), "{lost}");
        assert!(lost.contains("up to link 7, as it was when those keys were given up"), "{lost}");
    }
}
