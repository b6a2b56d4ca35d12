//! The audit log as somebody may read it.
//!
//! What an owner reads of people is what their API learns: the pairwise subject, never a name, and never where they
//! were. That holds for every line about a consent or a connection, whoever wrote it: a client that runs on a person's
//! own computer has the person's address. Lines about the plugin, its owners and its clients say from where. Whoever is
//! trusted with everything reads all.

use serde_json::Value;

use super::{Registry, RegistryResult, people};
use crate::{
    model::{id::AuditEventId, plugin::Plugin},
    store::{
        audit_log::{LogLine, LogQuery, Of},
        owners::Page,
    },
};

/// A line as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where the next page begins after it.
    pub id: AuditEventId,
    /// When, as RFC 3339 writes it.
    pub at: String,
    /// The log's word for what happened.
    pub action: String,
    /// Who did it.
    pub by: String,
    /// The token by which a program did it for them; both texts are empty where it was they themselves.
    pub token_id: String,
    /// What its owner called it.
    pub token_name: String,
    /// Whom it is about; may be empty.
    pub person: String,
    /// What the wire calls the client it is about; may be empty.
    pub client_id: String,
    /// What that is called; may be empty.
    pub client_name: String,
    /// From which network address; may be empty.
    pub address: String,
    /// Under which request; may be empty.
    pub request_id: String,
    /// What more is known: names and values; may be empty.
    pub detail: String,
}

/// What is looked for: everything, a word such as `client.added`, or a client's id.
///
/// # Errors
///
/// The store's.
pub async fn sought(registry: &Registry<'_>, plugin: &Plugin, text: &str) -> RegistryResult<Of> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Of::Plugin(plugin.id));
    }
    if let Some(client) = registry.store.client(text, registry.clock.now()).await? {
        return Ok(Of::Client(plugin.id, client.id));
    }
    Ok(Of::Action(plugin.id, text.to_lowercase()))
}

/// A page of the log, as whoever asks may read it.
///
/// # Errors
///
/// The store's.
pub async fn read(
    registry: &Registry<'_>,
    plugin: Option<&Plugin>,
    of: Of,
    page: Page<AuditEventId>,
) -> RegistryResult<Vec<Line>> {
    let lines = registry.store.audit_log(&LogQuery { of, page }).await?;
    Ok(lines.into_iter().map(|line| shown(registry.is_trusted, plugin, line)).collect())
}

/// Whose lines say nothing of who they are and where. Whoever pretends to be a client may be on a person's computer,
/// as the client itself may.
const OF_PEOPLE: [&str; 6] =
    ["consent.", "family.", "access.", "refresh.", "client.authentication_refused", "client.assertion_replayed"];

fn shown(is_trusted: bool, plugin: Option<&Plugin>, line: LogLine) -> Line {
    let is_of_people = OF_PEOPLE.iter().any(|group| line.action.starts_with(group));
    let subject = || Some(people::subject_of(plugin?, line.account_id?));
    let person = match (is_trusted, is_of_people) {
        (true, _) => line.account_email.clone().or_else(subject),
        (false, true) => subject(),
        (false, false) => line.account_name.clone(),
    };
    let is_own_doing = line.actor_account.is_some() && line.actor_account == line.account_id;
    let is_hidden = is_of_people && is_own_doing && !is_trusted;
    let is_gone = line.actor_name.is_none();
    let by = match line.actor.as_str() {
        "account" if is_hidden => "the person".to_owned(),
        "account" => line.actor_name.unwrap_or_else(|| "somebody who is gone".to_owned()),
        actor => format!("the {actor}"),
    };
    let token = line.token.filter(|_| !is_hidden && !is_gone).map(|token| (token.id.to_string(), token.name));
    let (token_id, token_name) = token.unwrap_or_default();
    Line {
        id: line.id,
        at: line.at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        action: line.action,
        by,
        token_id,
        token_name,
        person: person.unwrap_or_default(),
        client_id: line.client_id.unwrap_or_default(),
        client_name: line.client_name.unwrap_or_default(),
        address: line.address.filter(|_| is_trusted || !is_of_people).unwrap_or_default(),
        request_id: line.request_id.filter(|_| is_trusted || !is_of_people).unwrap_or_default(),
        detail: told(&line.detail),
    }
}

fn told(detail: &Value) -> String {
    let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let says_nothing = |it: &Value| match it {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    let members = detail.as_object().into_iter().flatten().filter(|(_, it)| !says_nothing(it));
    members.map(|(name, it)| format!("{name}: {}", value(it))).collect::<Vec<_>>().join(", ")
}

/// The head of [`Line::csv`].
pub const CSV_HEAD: &str = "\"at\",\"action\",\"by\",\"person\",\"client_id\",\"client_name\",\"address\",\"detail\",\"id\",\
     \"token_id\",\"token_name\",\"request_id\"\r\n";

/// The last line of a file that ends before the log does: whoever keeps it must not take it for all there is.
pub fn there_may_be_more(before: AuditEventId) -> String {
    let says = format!("there may be older lines: add before={before} to the address of this file");
    let cells = ["", "", "", "", "", "", "", says.as_str(), "", "", "", ""];
    cells.map(cell).join(",") + "\r\n"
}

impl Line {
    /// The line as RFC 4180 has it, every cell in quotes.
    pub fn csv(&self) -> String {
        let id = self.id.to_string();
        let cells = [
            &self.at,
            &self.action,
            &self.by,
            &self.person,
            &self.client_id,
            &self.client_name,
            &self.address,
            &self.detail,
            &id,
            &self.token_id,
            &self.token_name,
            &self.request_id,
        ];
        cells.map(|text| cell(text)).join(",") + "\r\n"
    }
}

/// A cell. Names come from strangers, and a table program takes what begins so for a formula, which it may run: an
/// apostrophe makes it text (OWASP, CSV Injection). Some split at other characters than commas, so what follows one of
/// those may be a beginning, too.
pub fn cell(text: &str) -> String {
    let mut cell = String::from("\"");
    if text.starts_with(['\t', '\r']) {
        cell.push('\'');
    }
    let mut begins = true;
    for character in text.chars() {
        if begins && matches!(character, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') {
            cell.push('\'');
        }
        begins = matches!(character, ';' | ',' | '"') || character.is_whitespace() && begins || character.is_control();
        cell.push(character);
        if character == '"' {
            cell.push('"');
        }
    }
    cell.push('"');
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_ends_early() {
        for (text, written) in [
            ("plain", "\"plain\""),
            ("=1+1", "\"'=1+1\""),
            ("x; =1+1", "\"x; '=1+1\""),
            (" @SUM(A1)", "\" '@SUM(A1)\""),
            ("-2", "\"'-2\""),
            ("\t=1", "\"'\t'=1\""),
            ("a\",=1", "\"a\"\",'=1\""),
        ] {
            assert_eq!(cell(text), written);
        }
    }
}
