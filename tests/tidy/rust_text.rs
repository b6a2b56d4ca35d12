//! Rust source, read just well enough to judge it: comments and literals are told from code,
//! code is cut into tokens, and paths that begin at a root are followed through groups and `super`.

/// A source text in three readings; all keep the line numbers of the original.
pub struct RustText {
    /// Comments blanked, literals kept: what the program says and does.
    pub without_comments: String,
    pub tokens: Vec<Token>,
    pub inline_modules: Vec<InlineModule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// An identifier, `::`, or a single other character.
    pub text: String,
    pub line: usize,
}

/// `mod name { … }`, as the range of its tokens and of its lines.
pub struct InlineModule {
    pub name: String,
    pub tokens: std::ops::Range<usize>,
    pub lines: std::ops::RangeInclusive<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

pub fn read(source: &str) -> RustText {
    let characters: Vec<char> = source.chars().collect();
    let kinds = classify(&characters);
    let masked = |keep: &dyn Fn(Kind) -> bool| -> String {
        let pairs = characters.iter().zip(&kinds);
        pairs.map(|(character, kind)| if *character == '\n' || keep(*kind) { *character } else { ' ' }).collect()
    };
    let tokens = tokens(&masked(&|kind| kind == Kind::Code));
    let inline_modules = inline_modules(&tokens);
    RustText { without_comments: masked(&|kind| kind != Kind::Comment), tokens, inline_modules }
}

fn classify(text: &[char]) -> Vec<Kind> {
    let mut kinds = vec![Kind::Code; text.len()];
    let mut at = 0;
    while at < text.len() {
        let inside_a_word = at > 0 && is_word(text[at - 1]);
        let (kind, end) = match (text[at], text.get(at + 1)) {
            ('/', Some('/')) => (Kind::Comment, position(text, at, |c| c == '\n')),
            ('/', Some('*')) => (Kind::Comment, end_of_block_comment(text, at)),
            ('r' | 'b' | 'c', _) if !inside_a_word => match end_of_raw_string(text, at) {
                Some(end) => (Kind::Literal, end),
                None => (Kind::Code, at + 1),
            },
            ('"', _) => (Kind::Literal, end_of_quoted(text, at, '"')),
            ('\'', Some('\\')) => (Kind::Literal, end_of_quoted(text, at, '\'')),
            ('\'', Some(_)) if text.get(at + 2) == Some(&'\'') => (Kind::Literal, at + 3),
            _ => (Kind::Code, at + 1),
        };
        kinds[at..end.min(text.len())].fill(kind);
        at = end;
    }
    kinds
}

fn position(text: &[char], from: usize, found: impl Fn(char) -> bool) -> usize {
    text[from..].iter().position(|c| found(*c)).map_or(text.len(), |offset| from + offset)
}

/// Block comments nest in Rust, so the first `*/` need not be the last.
fn end_of_block_comment(text: &[char], start: usize) -> usize {
    let (mut depth, mut at) = (0_usize, start);
    while at + 1 < text.len() {
        match (text[at], text[at + 1]) {
            ('/', '*') => (depth, at) = (depth + 1, at + 2),
            ('*', '/') => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn end_of_quoted(text: &[char], start: usize, quote: char) -> usize {
    let mut at = start + 1;
    while at < text.len() && text[at] != quote {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// `r"…"`, `r#"…"#`, `br"…"`, `cr"…"`; `None` when it is a mere word or a raw identifier.
fn end_of_raw_string(text: &[char], start: usize) -> Option<usize> {
    let r = if text[start] == 'r' { start } else { start + 1 };
    if text.get(r) != Some(&'r') {
        return None;
    }
    let open = position(text, r + 1, |c| c != '#');
    if text.get(open) != Some(&'"') {
        return None;
    }
    let hashes = open - r - 1;
    let closes = |at: usize| text[at] == '"' && text[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
    (open + 1..text.len()).find(|at| closes(*at)).map(|at| at + 1 + hashes).or(Some(text.len()))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn tokens(code: &str) -> Vec<Token> {
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let length = match () {
                () if word > 0 => word,
                () if rest.starts_with("::") => 2,
                () => first.len_utf8(),
            };
            found.push(Token { text: rest[..length].to_owned(), line: index + 1 });
            rest = rest[length..].trim_start();
        }
    }
    found
}

fn inline_modules(tokens: &[Token]) -> Vec<InlineModule> {
    let mut found = Vec::new();
    for (start, window) in tokens.windows(3).enumerate() {
        if window[0].text != "mod" || window[2].text != "{" {
            continue;
        }
        let end = end_of_group(tokens, start + 2);
        let last_line = tokens.get(end - 1).map_or(window[2].line, |token| token.line);
        let name = window[1].text.clone();
        found.push(InlineModule { name, tokens: start..end, lines: window[0].line..=last_line });
    }
    found
}

/// The index after the `}` that closes the `{` at `open`.
fn end_of_group(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

impl RustText {
    /// What is named directly below a root such as `crate` or `std`, through groups:
    /// `root::{a::{b, c}, d as e}` names `a` and `d`. A glob and the root itself are named `*`.
    pub fn named_below(&self, root: &str) -> Vec<Token> {
        let is_root = |index: usize| {
            let before = index.checked_sub(1).map(|before| self.tokens[before].text.as_str());
            self.tokens[index].text == root && before != Some("::")
        };
        (0..self.tokens.len()).filter(|index| is_root(*index)).flat_map(|index| self.heads_after(index)).collect()
    }

    /// What is named through `super` once that has climbed to the crate's root.
    /// `depth` is how many modules lie between the root and this file.
    pub fn named_by_climbing(&self, depth: usize) -> Vec<Token> {
        let mut found = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let start = at;
            let mut climbed = 0;
            while self.text_at(at) == "super" && self.text_at(at + 1) == "::" {
                (climbed, at) = (climbed + 1, at + 2);
            }
            let nested = self.inline_modules.iter().filter(|module| module.tokens.contains(&start)).count();
            if climbed > 0 && climbed >= depth + nested {
                found.extend(self.heads_after(at - 2));
            }
            at = at.max(start + 1);
        }
        found
    }

    fn text_at(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| token.text.as_str())
    }

    fn heads_after(&self, root: usize) -> Vec<Token> {
        let whole = |line: usize| vec![Token { text: "*".to_owned(), line }];
        let line = self.tokens[root].line;
        match (self.text_at(root + 1), self.text_at(root + 2)) {
            ("as", _) => whole(line),
            ("::", "{") => self.heads_of_group(root + 2),
            ("::", _) => self.head_at(root + 2).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    fn head_at(&self, index: usize) -> Option<Token> {
        // A raw identifier is three tokens, `r`, `#` and the word.
        let raw = self.text_at(index) == "r" && self.text_at(index + 1) == "#";
        let mut head = self.tokens.get(if raw { index + 2 } else { index })?.clone();
        if head.text == "self" {
            "*".clone_into(&mut head.text);
        }
        Some(head)
    }

    fn heads_of_group(&self, open: usize) -> Vec<Token> {
        let mut found = Vec::new();
        let mut depth = 0_usize;
        for index in open..end_of_group(&self.tokens, open) {
            match self.text_at(index) {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            let opens_an_item = matches!(self.text_at(index), "{" | ",") && self.text_at(index + 1) != "}";
            if depth == 1 && opens_an_item {
                found.extend(self.head_at(index + 1));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(source: &str) -> Vec<String> {
        read(source).named_below("crate").into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn paths_are_followed_through_groups() {
        assert_eq!(below("use crate::model::Scope;"), ["model"]);
        assert_eq!(below("use crate::{\n    model::{Scope, id::{A, B}},\n    store as shelf,\n};"), ["model", "store"]);
        assert_eq!(below("use {std::fs, crate::{a, b::c}, crate::d};"), ["a", "b", "d"]);
        assert_eq!(below("fn f() -> crate :: store::Row { crate::clock::now() }"), ["store", "clock"]);
        assert_eq!(below("use crate::*; use crate as house; use crate::{self};"), ["*", "*", "*"]);
        assert_eq!(below("use crate::r#store::Row;"), ["store"]);
        assert_eq!(below("pub(crate) fn f() {} use other::crate_like::x;"), Vec::<String>::new());
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        let quiet = "// crate::a\n/* crate::b /* crate::c */ crate::d */ let x = \"crate::e \\\" crate::f\";\n\
                     let y = r#\"crate::g \" crate::h\"#; let z = ('\"', b'\\'', 'x'); fn f<'a>(s: &'a str) { crate::seen::it() }";
        assert_eq!(below(quiet), ["seen"]);
        assert_eq!(below("let bar = \"\"; crate::one(); let r = br\"x\"; crate::two();"), ["one", "two"]);
    }

    #[test]
    fn lines_are_those_of_the_original() {
        let named = read("/* a\nb */\n\nuse crate::{\n    // é\n    one,\n    two,\n};\n").named_below("crate");
        assert_eq!(named.iter().map(|token| token.line).collect::<Vec<_>>(), [6, 7]);
    }

    #[test]
    fn climbing_counts_the_modules_it_leaves() {
        let climbed = |source: &str, depth| -> Vec<String> {
            read(source).named_by_climbing(depth).into_iter().map(|token| token.text).collect()
        };
        assert_eq!(climbed("use super::super::store::Row;", 2), ["store"]);
        assert_eq!(climbed("use super::super::{store, model::X};", 2), ["store", "model"]);
        assert_eq!(climbed("use super::sibling::Thing;", 2), Vec::<String>::new());
        assert_eq!(climbed("mod tests { use super::*; use super::super::store; }", 1), ["store"]);
    }
}
