//! What a file must look like: its name, its first line, its length, its last byte.

use crate::tree::{File, Tree};

/// Names that say nothing. What would go there has a subject, and belongs beside it.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc", "stuff", "tools"];

/// Folders in which every Rust file opens by saying what it is.
const FOLDERS_WITH_OPENINGS: &[&str] = &["src/"];

const LINES_MAX: usize = 400;

/// Files that may be longer, each with the reason. An entry leaves when its file has become short.
const LONG_FILES: &[(&str, &str)] = &[];

/// Written by tools and only kept here, so their shape is the tools' affair.
const WRITTEN_BY_TOOLS: &[&str] = &["Cargo.lock", "package-lock.json", ".snap", ".snap.new"];

pub fn names_say_something(tree: &Tree) -> Vec<String> {
    let says_nothing = |path: &str| path.split('/').any(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs")));
    let judged = tree.files.iter().filter(|file| file.path.starts_with("src/") || file.path.starts_with("tests/"));
    judged
        .filter(|file| says_nothing(&file.path))
        .map(|file| format!("{}: a name that says nothing", file.path))
        .collect()
}

pub fn files_open_with_a_sentence(tree: &Tree) -> Vec<String> {
    let judged = FOLDERS_WITH_OPENINGS.iter().flat_map(|folder| tree.rust_under(folder));
    let silent = judged.filter(|(file, _)| !file.text.starts_with("//! "));
    silent.map(|(file, _)| format!("{}: does not open with a `//!` line", file.path)).collect()
}

pub fn files_are_short(tree: &Tree) -> Vec<String> {
    files_are_short_but(tree, LONG_FILES)
}

fn files_are_short_but(tree: &Tree, exceptions: &[(&str, &str)]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (file, _) in tree.rust_under("") {
        let lines = file.text.lines().count();
        let excepted = exceptions.iter().find(|(path, _)| *path == file.path);
        match excepted {
            None if lines > LINES_MAX => complaints.push(format!("{}: {lines} lines, above {LINES_MAX}", file.path)),
            Some(_) if lines <= LINES_MAX => complaints.push(format!("{}: no longer needs its exception", file.path)),
            _ => {}
        }
    }
    let gone = exceptions.iter().filter(|(path, _)| tree.file(path).is_none());
    complaints.extend(gone.map(|(path, _)| format!("{path}: has an exception but does not exist")));
    complaints
}

pub fn text_is_clean(tree: &Tree) -> Vec<String> {
    let judged = tree.files.iter().filter(|file| !is_written_by_tools(&file.path));
    judged.flat_map(untidy_places).collect()
}

fn is_written_by_tools(path: &str) -> bool {
    WRITTEN_BY_TOOLS.iter().any(|ending| path.ends_with(ending))
}

fn untidy_places(file: &File) -> Vec<String> {
    let mut complaints = Vec::new();
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        complaints.push(format!("{}: does not end with a newline", file.path));
    }
    for (index, line) in file.text.split('\n').enumerate() {
        let place = format!("{}:{}", file.path, index + 1);
        if line.trim_end() != line {
            complaints.push(format!("{place}: spaces or a carriage return at the end of the line"));
        }
        if file.rust.is_some() && line.contains('\t') {
            complaints.push(format!("{place}: a tab"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_name_is_found() {
        let count = |path: &str| names_say_something(&Tree::of(&[(path, "")])).len();
        assert_eq!(count("src/http/utils.rs"), 1);
        assert_eq!(count("tests/suite/common/mod.rs"), 1);
        assert_eq!(count("src/http/guard/mod.rs"), 0);
    }

    #[test]
    fn a_file_that_opens_silently_is_found() {
        let count = |text: &str| files_open_with_a_sentence(&Tree::of(&[("src/clock.rs", text)])).len();
        assert_eq!(count("use std::fs;\n"), 1);
        assert_eq!(count("// A comment is not enough.\n"), 1);
        assert_eq!(count("//! The clock.\n"), 0);
    }

    #[test]
    fn a_long_file_is_found_unless_excepted() {
        let (long, short) = ("\n".repeat(LINES_MAX + 1), "\n".repeat(LINES_MAX));
        let count = |text: &str, exceptions: &[(&str, &str)]| {
            files_are_short_but(&Tree::of(&[("src/clock.rs", text)]), exceptions).len()
        };
        assert_eq!(count(&long, &[]), 1);
        assert_eq!(count(&short, &[]), 0);
        assert_eq!(count(&long, &[("src/clock.rs", "a table")]), 0);
        assert_eq!(count(&short, &[("src/clock.rs", "a table")]), 1, "an exception leaves when it is no longer needed");
        assert_eq!(count(&short, &[("src/gone.rs", "a table")]), 1, "an exception leaves with its file");
    }

    #[test]
    fn untidy_text_is_found() {
        let count = |path: &str, text: &str| text_is_clean(&Tree::of(&[(path, text)])).len();
        assert_eq!(count("README.md", "no newline"), 1);
        assert_eq!(count("README.md", "space \nmore\r\n"), 2);
        assert_eq!(count("src/clock.rs", "//! x\n\tlet y;\n"), 1);
        assert_eq!(count("justfile", "check:\n\tbash\n"), 0);
        assert_eq!(count("Cargo.lock", "made by cargo "), 0);
    }
}
