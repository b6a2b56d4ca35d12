//! The house rules of ARCHITECTURE.md as tests: who may name whom, what a file must look like,
//! and which words have no place here. The tables are meant to be read; the reading of Rust source
//! is in `tidy/rust_text.rs` and is textual on purpose, so that a broken tree is still judged.
//! Every rule takes a `Tree`, real or made up, so each proves beside itself that it can fail.

#[path = "tidy/attacks.rs"]
mod attacks;
#[path = "tidy/direction.rs"]
mod direction;
#[path = "tidy/log_fields.rs"]
mod log_fields;
#[path = "tidy/migrations.rs"]
mod migrations;
#[path = "tidy/modules.rs"]
mod modules;
#[path = "tidy/rust_text.rs"]
mod rust_text;
#[path = "tidy/secrets.rs"]
mod secrets;
#[path = "tidy/secrets_in_text.rs"]
mod secrets_in_text;
#[path = "tidy/shape.rs"]
mod shape;
#[path = "tidy/tree.rs"]
mod tree;
#[path = "tidy/words.rs"]
mod words;

use tree::Tree;

/// A rule looks at the whole tree and answers with one line for each place that breaks it.
type Rule = fn(&Tree) -> Vec<String>;

/// Every rule of the house, each with the sentence it enforces.
const RULES: &[(&str, Rule)] = &[
    ("a room names only the rooms below it", direction::rooms_name_only_rooms_below),
    ("a library stays in the rooms that know it", direction::libraries_stay_in_their_rooms),
    ("protocol decides without waiting, and without the world", direction::protocol_is_pure),
    ("lib.rs is the map of the house and nothing else", modules::lib_is_only_the_map),
    ("every Rust file is a module of its parent", modules::no_orphans),
    ("a name says what is inside", shape::names_say_something),
    ("a file opens by saying what it is", shape::files_open_with_a_sentence),
    ("a file can be read in one sitting", shape::files_are_short),
    ("text ends with a newline, lines end with their last word", shape::text_is_clean),
    ("both engines have the same migrations", migrations::engines_agree),
    ("vendors are named only where their dialect is decided", words::vendors_stay_in_their_files),
    ("every attack of the table has its test", attacks::every_attack_has_its_test),
    ("secrets are compared in constant time", secrets::secrets_are_compared_in_constant_time),
    ("no secret stands in a file", secrets_in_text::no_secret_stands_in_text),
    ("every field of the log is listed", log_fields::every_field_of_the_log_is_listed),
    ("what is left to do is an issue, not a comment", words::nothing_is_left_to_do),
    ("nothing names a developer's machine", words::no_machine_is_named),
    ("nothing names a package registry's host", words::no_registry_is_named),
];

#[test]
fn the_house_keeps_its_rules() {
    let tree = Tree::of_the_project().expect("the project's own files can be read");
    assert!(tree.file("Cargo.toml").is_some() && tree.file("src/lib.rs").is_some(), "this is not the project's tree");
    let mut report = Vec::new();
    for (sentence, rule) in RULES {
        report.extend(rule(&tree).into_iter().map(|complaint| format!("  {complaint}\n      rule: {sentence}")));
    }
    assert!(report.is_empty(), "the house rules are broken:\n{}\n", report.join("\n"));
}
