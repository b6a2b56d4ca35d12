//! Every message is there in every language, says what it says with the same arguments, and is said somewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use fluent_syntax::{
    ast::{CallArguments, Entry, Expression, InlineExpression, Pattern, PatternElement},
    parser,
};

use super::*;

/// The arguments of each message and each part, by the name of the message, or `message.part`.
fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut messages = BTreeMap::new();
    for file in language.files() {
        let resource = parser::parse(*file).unwrap_or_else(|(_, mistakes)| panic!("{}: {mistakes:?}", language.tag()));
        for entry in resource.body {
            let Entry::Message(message) = entry else { continue };
            let id = message.id.name;
            let value = message.value.as_ref().unwrap_or_else(|| panic!("{id} says nothing"));
            let parts = message.attributes.iter().map(|part| (format!("{id}.{}", part.id.name), &part.value));
            for (name, pattern) in parts.chain([(id.to_owned(), value)]) {
                let mut arguments = BTreeSet::new();
                of_pattern(pattern, &mut arguments);
                assert!(messages.insert(name, arguments).is_none(), "{id} stands twice in {}", language.tag());
            }
        }
    }
    messages
}

fn of_pattern(pattern: &Pattern<&str>, found: &mut BTreeSet<String>) {
    for element in &pattern.elements {
        match element {
            PatternElement::Placeable { expression } => of_expression(expression, found),
            PatternElement::TextElement { value } => assert!(!value.contains(['<', '>']), "markup: {value}"),
        }
    }
}

fn of_expression(expression: &Expression<&str>, found: &mut BTreeSet<String>) {
    match expression {
        Expression::Inline(inline) => of_inline(inline, found),
        Expression::Select { selector, variants } => {
            of_inline(selector, found);
            for variant in variants {
                of_pattern(&variant.value, found);
            }
        }
    }
}

fn of_inline(inline: &InlineExpression<&str>, found: &mut BTreeSet<String>) {
    match inline {
        InlineExpression::VariableReference { id } => drop(found.insert(id.name.to_owned())),
        InlineExpression::Placeable { expression } => of_expression(expression, found),
        InlineExpression::FunctionReference { arguments: CallArguments { positional, .. }, .. } => {
            for argument in positional {
                of_inline(argument, found);
            }
        }
        _ => {}
    }
}

#[test]
fn every_language_has_the_same_messages_with_the_same_arguments() {
    let english = messages(Language::English);
    for language in Language::ALL {
        assert_eq!(messages(language), english, "{}", language.tag());
    }
}

/// The templates and the program, as text.
fn sources() -> String {
    fn read(folder: &Path, into: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, into);
            } else if path.ends_with(file!()) {
                // These tests name what is not there.
            } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "html" || kind == "txt") {
                into.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut text = String::new();
    for folder in ["src", "templates"] {
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut text);
    }
    text
}

#[test]
fn every_message_is_said_somewhere_and_no_other() {
    let sources = sources();
    let english = messages(Language::English);
    let ids: BTreeSet<_> = english.keys().filter(|name| !name.contains('.')).map(String::as_str).collect();
    let begins = ["say(\"", "\"error-", "\"sign-in-"];
    for begin in begins {
        for after in sources.split(begin).skip(1) {
            let start = begin.trim_start_matches("say(").trim_start_matches('"');
            let id = format!("{start}{}", after.split('"').next().unwrap());
            let is_an_id =
                !id.is_empty() && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
            assert!(!is_an_id || ids.contains(id.as_str()) || NO_MESSAGES.contains(&id.as_str()), "{id} is no message");
        }
    }
    for id in ids {
        assert!(sources.contains(&format!("\"{id}\"")), "{id} is never said");
    }
}

/// Words in quotation marks that only look like messages: an id on a page.
const NO_MESSAGES: &[&str] = &["sign-in-error"];

#[test]
fn arguments_are_marked_up_on_pages_and_plain_elsewhere() {
    let said = Language::German.say("consent-heading").name("client", "<b>&").name("plugin", "Notizen");
    assert!(said.to_string().contains("<bdi>&#60;b&#62;&#38;</bdi>"), "{said}");
    assert!(said.text().contains("<b>&") && said.text().contains("Notizen"), "{}", said.text());
    let apps = Language::English.say("consent-apps");
    let said = Language::English.say("consent-take-back").link("apps", "/a\"b", apps);
    assert!(said.to_string().contains("<a href=\"/a&#34;b\">your connected apps</a>"), "{said}");
    assert!(said.text().contains("open your connected apps on"), "{}", said.text());
}

#[test]
fn a_date_is_written_as_in_the_language() {
    let time = chrono::DateTime::from_timestamp(1_777_766_400, 0).unwrap();
    let dates = Language::ALL.map(|language| language.date(time).text());
    assert_eq!(dates, ["May 3, 2026", "3. Mai 2026", "3 de mayo de 2026", "2026年5月3日"]);
    let said = Language::English.say("apps-since").said("date", Language::English.date(time));
    assert_eq!(said.to_string(), "Allowed on May 3, 2026");
}

#[test]
fn what_is_missing_is_said_by_its_name() {
    let missing = "no-such-message";
    let said = Language::Spanish.say(missing);
    assert!(!said.is_there());
    assert_eq!((said.text(), said.to_string()), (missing.to_owned(), missing.to_owned()));
}

#[test]
fn a_language_is_read_from_its_tag() {
    for (tag, language) in
        [("de", Language::German), ("ES-mx", Language::Spanish), ("ja-JP-u-ca-japanese", Language::Japanese)]
    {
        assert_eq!(tag.parse::<Language>().unwrap(), language);
    }
    assert!("".parse::<Language>().is_err() && "d".parse::<Language>().is_err());
}
