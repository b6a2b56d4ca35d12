//! Secrets are compared in constant time, or not at all: how long an ordinary comparison takes tells how much of a
//! guess was right.

use std::ops::Range;

use crate::{
    rust_text::RustText,
    tree::{File, Tree},
};

/// What a guess may be compared with, and the file that says how. A type around something `Zeroizing` need not be
/// named.
const SECRETS: &[(&str, &str)] = &[
    ("Digest", "src/model/digest.rs"),
    ("SecretText", "src/tokens/secret.rs"),
    ("RefreshToken", "src/model/refresh_token.rs"),
];

const CONSTANT_TIME: &str = "verify_slices_are_equal";

/// What takes a secret or a digest out of its type, to where an ordinary comparison would do.
const LAID_BARE: &[&[&str]] = &[&[".", "0"], &[".", "secret"], &[".", "short", "(", ")"], &[".", "reveal", "(", ")"]];

/// Comparisons by name.
const COMPARING: &[&str] = &["eq", "ne", "cmp", "partial_cmp"];

/// Where what a type is made of is no secret: the file and the word before. Ids are names, whosoever they are.
const NO_SECRETS: &[(&str, &str)] = &[("src/", "id"), ("src/model/mechanisms.rs", "self")];

/// What an operand ends at.
const ENDS: &[&str] =
    &[";", ",", "{", "}", "(", "[", ")", "]", "=", "|", "&", "<", ">", "if", "return", "match", "while", "assert"];

pub fn secrets_are_compared_in_constant_time(tree: &Tree) -> Vec<String> {
    let missing = SECRETS.iter().filter(|(_, path)| tree.file(path).is_none());
    let missing = missing.map(|(_, path)| format!("{path}: is missing"));
    let found = tree.rust_under("src/").flat_map(|(file, rust)| {
        let tokens: Vec<&str> = rust.tokens.iter().map(|token| token.text.as_str()).collect();
        let mut complaints = comparable_secrets(&file.path, &tokens);
        complaints.extend(compared_bare(file, rust, &tokens));
        complaints
    });
    missing.chain(found).collect()
}

/// Types that hold a secret and have another comparison than one in constant time.
fn comparable_secrets(path: &str, tokens: &[&str]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (at, window) in tokens.windows(2).enumerate().filter(|(_, window)| window[0] == "struct") {
        let name = window[1];
        let mut body = tokens[at..].iter().take_while(|token| ![";", "}"].contains(token));
        if !SECRETS.contains(&(name, path)) && !body.any(|token| *token == "Zeroizing") {
            continue;
        }
        // The attributes of an item reach back to the end of the one before.
        let mut attributes = tokens[..at].iter().rev().take_while(|token| !["}", ";"].contains(token));
        if attributes.any(|token| *token == "PartialEq") {
            complaints.push(format!("{path}: {name} derives PartialEq"));
        }
        let written = tokens.windows(4).position(|window| window == ["impl", "PartialEq", "for", name]);
        if written.is_some_and(|at| !tokens[at..].iter().take(40).any(|token| *token == CONSTANT_TIME)) {
            complaints.push(format!("{path}: {name} is not compared by {CONSTANT_TIME}"));
        }
    }
    complaints
}

/// Comparisons of what was taken out of its type. Unit tests compare what they like.
fn compared_bare(file: &File, rust: &RustText, tokens: &[&str]) -> Vec<String> {
    let operators = tokens.windows(2).enumerate().filter(|(_, two)| matches!(two, ["=" | "!", "="]));
    let operands = operators.map(|(operator, _)| [left_of(tokens, operator), right_of(tokens, operator + 2)]);
    // What equals a number that is written down is no secret.
    let is_number = |side: &Range<usize>| tokens[side.clone()].concat().parse::<u64>().is_ok();
    let operands: Vec<_> = operands.filter(|sides| !sides.iter().any(is_number)).flatten().collect();
    let mut complaints = Vec::new();
    for (at, way) in (1..tokens.len()).filter_map(|at| Some((at, laid_bare(file, tokens, at)?))) {
        let is_compared = matches!(tokens[at + way..], [".", method, "(", ..] if COMPARING.contains(&method))
            || operands.iter().any(|side| side.contains(&at));
        let in_tests = rust.inline_modules.iter().any(|it| it.name == "tests" && it.tokens.contains(&at));
        if is_compared && !in_tests {
            let line = rust.tokens[at].line;
            complaints.push(format!("{}:{line}: compares what a secret or a digest is made of", file.path));
        }
    }
    complaints.dedup();
    complaints
}

/// How many tokens take something out of its type here, if they do.
fn laid_bare(file: &File, tokens: &[&str], at: usize) -> Option<usize> {
    let way = LAID_BARE.iter().find(|way| tokens[at..].starts_with(way))?;
    let before = tokens[at - 1];
    // `1.0` and `..0` are numbers.
    let is_number = before == "." || before.starts_with(|c: char| c.is_ascii_digit());
    let is_known = NO_SECRETS.iter().any(|(place, word)| file.path.starts_with(place) && before == *word);
    (!is_number && !is_known && !file.path.ends_with("/tests.rs")).then_some(way.len())
}

fn left_of(tokens: &[&str], operator: usize) -> Range<usize> {
    let (mut depth, mut start) = (0_usize, operator);
    while start > 0 {
        match tokens[start - 1] {
            ")" | "]" => depth += 1,
            "(" | "[" if depth > 0 => depth -= 1,
            token if depth == 0 && ENDS.contains(&token) => break,
            _ => {}
        }
        start -= 1;
    }
    start..operator
}

fn right_of(tokens: &[&str], operand: usize) -> Range<usize> {
    let start = operand + tokens[operand..].iter().take_while(|token| ["&", "*"].contains(token)).count();
    let (mut depth, mut end) = (0_usize, start);
    while end < tokens.len() {
        match tokens[end] {
            "(" | "[" => depth += 1,
            ")" | "]" if depth > 0 => depth -= 1,
            token if depth == 0 && ENDS.contains(&token) => break,
            _ => {}
        }
        end += 1;
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        let mut files = vec![
            ("src/model/digest.rs", "struct Digest;"),
            ("src/tokens/secret.rs", "struct SecretText;"),
            ("src/model/refresh_token.rs", "struct RefreshToken;"),
        ];
        files.retain(|(known, _)| *known != path);
        files.push((path, text));
        secrets_are_compared_in_constant_time(&Tree::of(&files)).len()
    }

    #[test]
    fn a_secret_that_can_be_compared_is_found() {
        let digest = |text: &str| count("src/model/digest.rs", text);
        assert_eq!(digest("#[derive(Clone)]\npub struct Digest;"), 0);
        assert_eq!(digest("#[derive(Clone, PartialEq)]\npub struct Digest;"), 1);
        let compared = |how: &str| format!("struct Digest;\nimpl PartialEq for Digest {{ fn eq() {{ {how} }} }}");
        assert_eq!(digest(&compared("constant_time::verify_slices_are_equal(&self.0, &other.0)")), 0);
        assert_eq!(digest(&compared("true")), 1);
        assert_eq!(count("src/config/secret.rs", "#[derive(PartialEq)] pub struct Value(Zeroizing<String>);"), 1);
        assert_eq!(count("src/config/secret.rs", "#[derive(PartialEq)] pub struct Name(String);"), 0);
        assert_eq!(count("src/attic.rs", "") + digest(""), 0);
        assert_eq!(secrets_are_compared_in_constant_time(&Tree::of(&[])).len(), SECRETS.len(), "files that are gone");
    }

    #[test]
    fn a_comparison_of_what_a_digest_is_made_of_is_found() {
        let store = |text: &str| count("src/store/sessions.rs", text);
        for found in [
            "a.0 == b",
            "a != b.digest.0",
            "if a && own.digest.0[..] == *shown {}",
            "&a.0 == &b.0",
            "x == &b.0[..16]",
            "f(a.0.as_slice() == b)",
            "a.digest().0.eq(&b)",
            "token.secret == row.secret",
            "Digest::of(a).short() == b",
            "shown == kept.reveal()",
            "kept.reveal().eq(shown)",
        ] {
            assert!(store(found) > 0, "{found}");
        }
        for honest in [
            "a == b && f(c.0)",
            "bind(digest.0.as_slice())",
            "row.id.0 == id",
            "1.0 == x",
            "a.0.len() == 32",
            "flags.0 == 0",
            "let a = b.0; c == d",
            "match a { b if b == c => d.0, _ => e }",
            "mod tests { fn f() { a.0 == b.0 } }",
        ] {
            assert_eq!(store(honest), 0, "{honest}");
        }
        assert_eq!(count("src/model/mechanisms.rs", "host == self.0"), 0);
    }
}
