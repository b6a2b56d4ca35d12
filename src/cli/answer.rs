//! Answers: one for programs (`--json`) and one for people, made together so that they never disagree.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use chrono::SecondsFormat;
use serde_json::Value;

use crate::model::{Timestamp, legible::deceives};

/// What a command has to say.
#[derive(Debug)]
pub(super) struct Answer {
    /// With the names the contract promises.
    pub(super) json: Value,
    /// Short, and with what to do next.
    pub(super) text: String,
}

impl Answer {
    /// Of what ran until it was stopped, and has said all it had to say.
    pub(super) fn nothing() -> Self {
        Self { json: Value::Null, text: String::new() }
    }

    pub(super) fn print(&self, as_json: bool) -> ExitCode {
        let text = if as_json && !self.json.is_null() { escaped(&self.json) } else { legible(&self.text) };
        let text = text.trim_end();
        if text.is_empty() {
            return ExitCode::SUCCESS;
        }
        match writeln!(io::stdout(), "{text}") {
            // A reader that has seen enough, like `head`, is no failure.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        }
    }
}

/// Names come from many people; none of them shall move a terminal's cursor.
pub(super) fn legible(text: &str) -> String {
    text.chars().map(|c| if deceives(c) && c != '\n' { '\u{fffd}' } else { c }).collect()
}

/// JSON that moves no cursor either, and says the same.
pub(super) fn escaped(json: &Value) -> String {
    let text = json.to_string();
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        // They stand in texts only: between those, JSON has nothing but ASCII that can be seen.
        if deceives(c) {
            escaped.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// A time as every answer has it.
pub(super) fn shown(time: Timestamp) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Rows as columns of equal width, the first row being the head.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |row: &[String; N]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["id", "name"], ["1", "ä"], ["234", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(columns(&rows), "id   name\n1    ä\n234");
    }

    #[test]
    fn a_name_cannot_move_the_cursor() {
        assert_eq!(legible("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\nc");
        let json = Value::from("a\u{1b}[2J\u{9b}2J\u{202e}\u{e0041}ä\n");
        let told = escaped(&json);
        assert_eq!(told, "\"a\\u001b[2J\\u009b2J\\u202e\\udb40\\udc41ä\\n\"");
        assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), json);
    }
}
