//! The fields of the log are a fixed list, in docs/logging.md, and those of traces another, in docs/traces.md: whoever reads
//! them with a program can rely on their names, and whoever adds one has to say there what it holds, and that it is nothing
//! secret. Events are the log's, and spans the traces'.

use std::collections::BTreeSet;

use crate::{
    rust_text::Token,
    tree::{File, Tree},
};

const LOG: &str = "docs/logging.md";
const TRACES: &str = "docs/traces.md";

/// The heading of the table in both.
const HEADING: &str = "\n## Fields\n";

const LEVELS: &[&str] = &["trace", "debug", "info", "warn", "error"];

/// What is written over a span and not over an event: the name comes first, and the fields after it.
const SPAN: &str = "span";

/// What is written: an event, or a span around what happens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Event,
    Span,
}

pub fn every_field_of_the_log_is_listed(tree: &Tree) -> Vec<String> {
    let mut complaints = all_are_listed(tree, Kind::Event, LOG);
    complaints.extend(all_are_listed(tree, Kind::Span, TRACES));
    for (file, rust) in tree.rust_under("src/") {
        for attribute in rust.tokens.windows(2).filter(|two| two[0].text == "[" && two[1].text == "instrument") {
            let line = attribute[1].line;
            complaints
                .push(format!("{}:{line}: an attribute that logs arguments by themselves; write a span", file.path));
        }
    }
    complaints
}

fn all_are_listed(tree: &Tree, kind: Kind, list: &str) -> Vec<String> {
    let Some(file) = tree.file(list) else { return vec![format!("{list}: is missing")] };
    let listed: BTreeSet<&str> = listed(&file.text).collect();
    let mut complaints = Vec::new();
    let mut used = BTreeSet::new();
    for (file, rust) in tree.rust_under("src/") {
        for field in fields(&rust.tokens, kind) {
            if !listed.contains(field.text.as_str()) {
                complaints.push(complaint(file, &field, list));
            }
            used.insert(field.text);
        }
    }
    let idle = listed.iter().filter(|field| !used.contains(**field));
    complaints.extend(idle.map(|field| format!("{list}: lists `{field}`, which nothing writes")));
    complaints
}

fn complaint(file: &File, field: &Token, list: &str) -> String {
    format!("{}:{}: writes `{}`, which {list} does not list", file.path, field.line, field.text)
}

/// The first cells of the table.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    let table = text.split_once(HEADING).map_or("", |(_, rest)| rest);
    let table = table.split_once("\n## ").map_or(table, |(table, _)| table);
    table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`')).map(|(field, _)| field)
}

/// The fields of every event, or span, that is written as `tracing::…!(…)`, as the only way there is: no file of the house
/// brings the macros' names into its own.
fn fields(tokens: &[Token], kind: Kind) -> Vec<Token> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut found = Vec::new();
    for at in (0..tokens.len()).filter(|at| text(*at) == "tracing" && text(at + 1) == "::") {
        // Within a macro of one's own the level may be a variable.
        let name = if text(at + 2) == "$" { at + 3 } else { at + 2 };
        let is_span = text(name).ends_with(SPAN);
        let is_event = text(at + 2) == "$" || LEVELS.contains(&text(name)) || text(name) == "event";
        let is_sought = if kind == Kind::Span { is_span } else { is_event };
        if is_sought && text(name + 1) == "!" {
            found.extend(fields_of_one(&tokens[name + 3..], is_span));
        }
    }
    found
}

/// An event's fields stand before its message, which is a literal and so no token, or a macro's variable.
fn fields_of_one(tokens: &[Token], is_span: bool) -> Vec<Token> {
    let mut fields = Vec::new();
    let mut depth = 0_usize;
    let mut argument: Vec<&Token> = Vec::new();
    for token in tokens {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth > 0 => depth -= 1,
            "," | ")" if depth == 0 => {
                let is_message = argument.first().is_none_or(|first| first.text == "$");
                if is_message && !is_span {
                    break;
                }
                fields.extend(field_of(&argument));
                if token.text == ")" {
                    break;
                }
                argument.clear();
                continue;
            }
            _ => {}
        }
        argument.push(token);
    }
    fields
}

/// `name = …`, `%name`, `?name` or `name`, with dots in the name; not `target: …`, and not a level.
fn field_of(argument: &[&Token]) -> Option<Token> {
    let start = usize::from(argument.first().is_some_and(|token| ["%", "?"].contains(&token.text.as_str())));
    let name: Vec<&Token> = argument[start..]
        .iter()
        .copied()
        .take_while(|token| !["=", ":", "::"].contains(&token.text.as_str()))
        .collect();
    let after = argument.get(start + name.len()).map(|token| token.text.as_str());
    let first = name.first()?;
    let text: String = name.iter().map(|token| token.text.as_str()).collect();
    (!matches!(after, Some(":" | "::"))).then_some(Token { text, line: first.line })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(code: &str) -> Vec<String> {
        let rust = crate::rust_text::read(code);
        let both = [Kind::Event, Kind::Span].map(|kind| fields(&rust.tokens, kind));
        both.into_iter().flatten().map(|field| field.text).collect()
    }

    #[test]
    fn fields_are_found_however_they_are_written() {
        for (code, expected) in [
            ("tracing::warn!(\"nothing\");", &[][..]),
            ("tracing::warn!(\"{warning}\"); f(error);", &[]),
            ("tracing::warn!(%error, \"it failed\");", &["error"]),
            ("tracing::info!(client.id = %f(a, b), ?reason, says, \"it {}\", says);", &["client.id", "reason", "says"]),
            ("tracing::info!(target: \"x\", mail.id = %mail.id, \"sent\");", &["mail.id"]),
            ("tracing::$level!(flow.id = id, resource, $message)", &["flow.id", "resource"]),
            ("tracing::debug!(at = a[1], of = match x { A => 1, _ => 2 }, \"looked\")", &["at", "of"]),
            ("tracing::info_span!(\"request\", http.path = path, request.id)", &["http.path", "request.id"]),
            ("tracing::event!(tracing::Level::INFO, count = 1, \"x\")", &["count"]),
            ("tracing::field::display(x); let tracing = error!(y);", &[]),
        ] {
            assert_eq!(logged(code), expected, "{code}");
        }
    }

    #[test]
    fn a_field_that_is_not_listed_and_one_that_is_not_used_are_found() {
        let count = |table: &str, code: &str| {
            let files = [(LOG, table), (TRACES, "# None"), ("src/jobs/mail.rs", code)];
            every_field_of_the_log_is_listed(&Tree::of(&files)).len()
        };
        let table = "# The log\n| `before` | x |\n\n## Fields\n\n| field | what |\n| --- | --- |\n| `error` | why |\n\n## More\n| `after` | x |\n";
        assert_eq!(count(table, "tracing::warn!(%error, \"x\");"), 0);
        assert_eq!(count(table, "tracing::warn!(%error, password, \"x\");"), 1);
        assert_eq!(count(table, "tracing::warn!(\"x\");"), 1);
        assert_eq!(count(table, "#[instrument]\nfn f() { tracing::warn!(%error, \"x\"); }"), 1);
        let spans = "tracing::info_span!(target: TARGET, \"x\", http.route = Empty); tracing::warn!(%error, \"x\");";
        assert_eq!(count(table, spans), 1, "a span's field is none of the log's");
        let (both, traces) = ([(LOG, table), (TRACES, "\n## Fields\n| `http.route` | x |\n")], "src/http/mod.rs");
        assert_eq!(every_field_of_the_log_is_listed(&Tree::of(&[both[0], both[1], (traces, spans)])).len(), 0);
        assert_eq!(every_field_of_the_log_is_listed(&Tree::of(&[])).len(), 2, "no lists");
    }
}
