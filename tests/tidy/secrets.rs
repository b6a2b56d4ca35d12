//! Secrets are compared in constant time, or not at all: how long an ordinary comparison takes tells how much of a guess
//! was right.

use crate::tree::Tree;

/// What a guess may be compared with: the type, and the file that says how.
const SECRETS: &[(&str, &str)] = &[("Digest", "src/model/digest.rs"), ("SecretText", "src/tokens/secret.rs")];

const CONSTANT_TIME: &str = "verify_slices_are_equal";

pub fn secrets_are_compared_in_constant_time(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for &(name, path) in SECRETS {
        let Some(rust) = tree.file(path).and_then(|file| file.rust.as_ref()) else {
            complaints.push(format!("{path}: is missing"));
            continue;
        };
        let tokens: Vec<&str> = rust.tokens.iter().map(|token| token.text.as_str()).collect();
        let derived = tokens.windows(2).position(|window| window == ["struct", name]).is_some_and(|at| {
            // The attributes of an item reach back to the end of the one before.
            let attributes = tokens[..at].iter().rev().take_while(|token| !["}", ";"].contains(token));
            attributes.into_iter().any(|token| *token == "PartialEq")
        });
        let written = tokens.windows(4).position(|window| window == ["impl", "PartialEq", "for", name]);
        if derived {
            complaints.push(format!("{path}: {name} derives PartialEq"));
        }
        if written.is_some_and(|at| !tokens[at..].iter().take(40).any(|token| *token == CONSTANT_TIME)) {
            complaints.push(format!("{path}: {name} is not compared by {CONSTANT_TIME}"));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ordinary_comparison_is_found() {
        let count = |digest: &str| {
            let tree = Tree::of(&[("src/model/digest.rs", digest), ("src/tokens/secret.rs", "struct SecretText;")]);
            secrets_are_compared_in_constant_time(&tree).len()
        };
        assert_eq!(count("#[derive(Clone)]\npub struct Digest;"), 0);
        assert_eq!(count("#[derive(Clone, PartialEq)]\npub struct Digest;"), 1);
        let compared = |how: &str| format!("struct Digest;\nimpl PartialEq for Digest {{ fn eq() {{ {how} }} }}");
        assert_eq!(count(&compared("constant_time::verify_slices_are_equal(&self.0, &other.0)")), 0);
        assert_eq!(count(&compared("self.0 == other.0")), 1);
    }
}
