//! The table of attacks in SECURITY.md: a row for each, behind each name a test that is really there, and above the
//! table how many they are.

use std::collections::BTreeMap;

use crate::tree::Tree;

/// Where the tests that a path may mean are written, with a place for the path's modules.
const FILES: &[&str] = &["tests/suite/{}.rs", "tests/suite/{}/mod.rs", "tests/{}.rs", "src/{}.rs", "src/{}/mod.rs"];

/// What a row says whose attack has nothing to attack so far.
const NOT_YET: &str = "not yet: ";

pub fn every_attack_has_its_test(tree: &Tree) -> Vec<String> {
    let Some(file) = tree.file("SECURITY.md") else { return vec!["SECURITY.md: is missing".to_owned()] };
    let mut complaints = Vec::new();
    let (mut last, mut with_tests) = (0, 0);
    // Each test that is named, and whether it is marked as seen to fail.
    let mut all: BTreeMap<&str, bool> = BTreeMap::new();
    for line in file.text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, number, _, _, tests, _] = cells.as_slice() else { continue };
        let Ok(number) = number.parse::<u32>() else { continue };
        if number != last + 1 {
            complaints.push(format!("SECURITY.md: row {number} follows row {last}"));
        }
        last = number;
        let named = named(tests);
        with_tests += u32::from(!named.is_empty());
        if named.is_empty() && !tests.starts_with(NOT_YET) {
            complaints.push(format!("SECURITY.md: row {number} has no test"));
        }
        for (test, is_marked) in named {
            if !is_there(tree, test) {
                complaints.push(format!("SECURITY.md: row {number}: there is no {test}"));
            }
            if *all.entry(test).or_insert(is_marked) != is_marked {
                complaints.push(format!("SECURITY.md: row {number}: {test} is marked in one row and not in another"));
            }
        }
    }
    if last == 0 {
        complaints.push("SECURITY.md: has no table of attacks".to_owned());
        return complaints;
    }
    let marked = all.values().filter(|is_marked| **is_marked).count();
    let sentence = how_many(last, with_tests, all.len(), marked);
    if !file.text.contains(&sentence) {
        complaints.push(format!("SECURITY.md: the table has become another; write above it: {sentence}"));
    }
    complaints
}

/// What stands above the table, so that nobody has to count.
fn how_many(attacks: u32, with_tests: u32, tests: usize, marked: usize) -> String {
    format!(
        "Of the {attacks} attacks {with_tests} have a test; {tests} tests are named, and the {marked} marked * were \
         seen to fail with their defence taken out."
    )
}

/// The tests a cell names, and whether each is marked.
fn named(cell: &str) -> Vec<(&str, bool)> {
    let parts: Vec<&str> = cell.split('`').collect();
    parts[1..].chunks(2).map(|part| (part[0], part.get(1).is_some_and(|rest| rest.starts_with(" *")))).collect()
}

/// Whether a file of that name has a function of that name; unit tests may stand in their module's own file.
fn is_there(tree: &Tree, test: &str) -> bool {
    let Some((modules, name)) = test.rsplit_once("::") else { return false };
    let folder = modules.replace("::", "/");
    let folders = [folder.as_str(), folder.trim_end_matches("/tests")];
    let paths = folders.iter().flat_map(|folder| FILES.iter().map(move |file| file.replace("{}", folder)));
    paths
        .filter_map(|path| tree.file(&path)?.rust.as_ref())
        .any(|rust| rust.tokens.windows(2).any(|window| window[0].text == "fn" && window[1].text == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(table: &str) -> usize {
        let tree = Tree::of(&[
            ("SECURITY.md", table),
            ("tests/suite/attacks/codes.rs", "async fn a_code_is_good_once(engine) {}"),
            ("src/passwords/mod.rs", "mod tests { fn nothing_is_cut_off() {} }"),
        ]);
        every_attack_has_its_test(&tree).len()
    }

    fn row(number: u32, test: &str) -> String {
        format!("| {number} | an attack | a place | {test} |\n")
    }

    const BOTH: &str = "`attacks::codes::a_code_is_good_once` *, `passwords::tests::nothing_is_cut_off`";

    #[test]
    fn a_row_without_a_test_is_found() {
        let one = |with_tests, tests, marked| format!("Some words. {}\n", how_many(1, with_tests, tests, marked));
        assert_eq!(count(&[one(1, 2, 1), row(1, BOTH)].concat()), 0);
        assert_eq!(count(&[one(1, 1, 0), row(1, "`attacks::codes::a_code_is_good_twice`")].concat()), 1);
        assert_eq!(count(&[one(0, 0, 0), row(1, "not yet: there are no codes")].concat()), 0);
        assert_eq!(count(&[one(0, 0, 0), row(1, "")].concat()), 1);
        assert_eq!(count("# Security\n"), 1);
    }

    #[test]
    fn a_gap_and_a_mark_that_is_not_everywhere_are_found() {
        assert_eq!(count(&[how_many(3, 0, 0, 0), "\n".into(), row(1, "not yet: a"), row(3, "not yet: c")].concat()), 1);
        let unmarked = row(2, "`attacks::codes::a_code_is_good_once`");
        assert_eq!(count(&[how_many(2, 2, 2, 1), "\n".into(), row(1, BOTH), unmarked].concat()), 1);
    }

    #[test]
    fn a_number_that_is_no_longer_true_is_found() {
        for told in [how_many(2, 1, 2, 1), how_many(1, 0, 2, 1), how_many(1, 1, 3, 1), how_many(1, 1, 2, 2)] {
            assert_eq!(count(&[told, "\n".into(), row(1, BOTH)].concat()), 1);
        }
        assert_eq!(count(&row(1, BOTH)), 1, "not told at all");
    }
}
