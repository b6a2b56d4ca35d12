//! What happened to a plugin, as its owners read it: a sentence for each word of the log that can stand there. The lines
//! themselves are `registry::log`'s.

use askama::Template;

use super::{super::super::assets, Frame, Layout, Pager, Section, times};
use crate::{model::Timestamp, registry::log};

/// What happened, `GET /console/plugins/{slug}/log`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/log.html")]
pub struct LogPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// What was looked for.
    pub search: String,
    /// The same as it stands in an address.
    pub query: String,
    /// Newest first.
    pub lines: Vec<LogLine>,
    /// What leads to the other pages.
    pub pager: Pager,
}

/// A line of it.
#[derive(Debug, Clone)]
pub struct LogLine {
    /// What happened, in a sentence.
    pub says: &'static str,
    /// When, as people read it.
    pub when: String,
    /// What else is told.
    pub line: log::Line,
}

impl From<log::Line> for LogLine {
    fn from(line: log::Line) -> Self {
        let when = line.at.parse::<Timestamp>().map_or_else(|_| line.at.clone(), times::second);
        Self { says: says(&line.action).unwrap_or("Something else happened"), when, line }
    }
}

/// The sentence for a word; none for what is no plugin's.
fn says(action: &str) -> Option<&'static str> {
    Some(match action {
        "plugin.imported" => "The plugin was registered or described anew",
        "plugin.routes_set" => "What the gate lets through was changed",
        "plugin.owner_invited" => "Somebody was invited to own it",
        "plugin.invitation_ended" => "An invitation was declined or taken back",
        "plugin.owner_added" => "An owner was added",
        "plugin.owner_removed" => "An owner left or was removed",
        "plugin.people_disconnected" => "Everybody was disconnected",
        "plugin.access_changed" => "Who may connect was changed",
        "plugin.reviewer_made" => "The account for reviewers was made or renewed",
        "plugin.reviewer_prolonged" => "The account for reviewers was prolonged",
        "plugin.reviewer_ended" => "The account for reviewers ended",
        "plugin.verification_token_set" => "A verification token was published",
        "plugin.verified" => "It was verified",
        "plugin.unverified" => "It is verified no more",
        "plugin.challenge_set" => "A proof of the domain was set",
        "plugin.webhook_set" => "The webhook was set",
        "plugin.webhook_started" => "The webhook was started again",
        "plugin.webhook_stopped" => "The webhook stopped",
        "plugin.webhook_given_up" => "An event was given up: the webhook did not take it",
        "plugin.webhook_tested" => "A test was sent to the webhook",
        "plugin.webhook_sent_again" => "An event was sent to the webhook again",
        "plugin.webhook_secret_renewed" => "The webhook got a new secret",
        "plugin.webhook_secret_ended" => "The webhook's old secret ended",
        "plugin.webhook_removed" => "The webhook was removed",
        "secret.added" => "An API key was put away",
        "secret.changed" => "How an API key is used or renewed was changed",
        "secret.rotated" => "A new version of an API key took over",
        "secret.rotation_failed" => "No new version of an API key could be made",
        "secret.version_ended" => "A version of an API key ended",
        "secret.version_revoked" => "A version of an API key was ended where it had been issued",
        "secret.revocation_failed" => "A version of an API key could not be ended where it had been issued",
        "secret.used" => "A version of an API key was used for the first time",
        "secret.refused" => "An API key was not given to a request",
        "secret.overdue" => "An API key is overdue for a new version",
        "secret.removed" => "An API key was removed",
        "resource.added" => "An address of the API was added",
        "resource.signing_changed" => "Access tokens are signed with another algorithm",
        "resource.removed" => "An address of the API was removed",
        "client.added" => "A client ID was created",
        "client.redirect_uris_added" => "A callback was added",
        "client.redirect_uris_removed" => "A callback was removed",
        "client.callback_dismissed" => "A callback that was asked for was dismissed",
        "client.secret_rotated" => "A client ID got a new secret",
        "client.secret_ended" => "A client ID's secret ended",
        "client.renamed" => "A client ID was renamed",
        "client.scopes_changed" => "What a client ID may ask for was changed",
        "client.changed" => "A client changed what it says of itself",
        "client.keys_supplied" => "A client ID's keys were supplied",
        "client.disabled" => "A client ID was disabled",
        "client.enabled" => "A client ID was enabled again",
        "client.deleted" => "A client ID was deleted",
        "client.authentication_refused" => "Somebody did not prove to be the client they said to be",
        "client.assertion_replayed" => "What a client proved itself with came a second time: was it copied?",
        "refresh.downgrade_refused" => "A connection was refused to a client that proved itself by less than before",
        "consent.granted" => "Somebody allowed a client to use the API",
        "consent.revoked" => "Somebody's consent was taken back",
        "family.born" => "A connection was made",
        "family.ended" => "A connection ended",
        "access.revoked" => "An access token was revoked",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::audit::AuditAction;

    #[test]
    fn each_word_of_a_plugins_log_has_a_sentence() {
        let words = AuditAction::ALL.iter().map(|action| action.as_str());
        let of_a_plugin = ["plugin.", "resource.", "client.", "consent.", "family.", "access.", "refresh.", "secret."];
        let words: Vec<&str> = words.filter(|word| of_a_plugin.iter().any(|group| word.starts_with(group))).collect();
        assert!(words.len() > 40, "{words:?}");
        for word in words {
            assert!(says(word).is_some(), "{word}");
        }
    }
}
