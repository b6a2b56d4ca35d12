//! Answers: one for programs (`--json`) and one for people, made together so that they never disagree.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use serde_json::Value;

use crate::model::legible::deceives;

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
        let text = if as_json && !self.json.is_null() { self.json.to_string() } else { legible(&self.text) };
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
    }
}
