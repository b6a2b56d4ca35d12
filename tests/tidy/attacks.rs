//! The table of attacks in SECURITY.md: a row for each, and behind each name a test that is really there.

use crate::tree::Tree;

/// Where the tests that a path may mean are written, with a place for the path's modules.
const FILES: &[&str] = &["tests/suite/{}.rs", "tests/suite/{}/mod.rs", "tests/{}.rs", "src/{}.rs", "src/{}/mod.rs"];

/// What a row says whose attack has nothing to attack so far.
const NOT_YET: &str = "not yet: ";

pub fn every_attack_has_its_test(tree: &Tree) -> Vec<String> {
    let Some(file) = tree.file("SECURITY.md") else { return vec!["SECURITY.md: is missing".to_owned()] };
    let mut complaints = Vec::new();
    let mut last = 0;
    for line in file.text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, number, _, _, tests, _] = cells.as_slice() else { continue };
        let Ok(number) = number.parse::<u32>() else { continue };
        if number != last + 1 {
            complaints.push(format!("SECURITY.md: row {number} follows row {last}"));
        }
        last = number;
        let named: Vec<&str> = tests.split('`').skip(1).step_by(2).collect();
        if named.is_empty() && !tests.starts_with(NOT_YET) {
            complaints.push(format!("SECURITY.md: row {number} has no test"));
        }
        let missing = named.iter().filter(|test| !is_there(tree, test));
        complaints.extend(missing.map(|test| format!("SECURITY.md: row {number}: there is no {test}")));
    }
    if last == 0 {
        complaints.push("SECURITY.md: has no table of attacks".to_owned());
    }
    complaints
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

    #[test]
    fn a_row_without_a_test_is_found() {
        let count = |table: &str| {
            let tree = Tree::of(&[
                ("SECURITY.md", table),
                ("tests/suite/attacks/codes.rs", "async fn a_code_is_good_once(engine) {}"),
                ("src/passwords/mod.rs", "mod tests { fn nothing_is_cut_off() {} }"),
            ]);
            every_attack_has_its_test(&tree).len()
        };
        let row = |number: u32, test: &str| format!("| {number} | an attack | a place | {test} |\n");
        assert_eq!(
            count(&row(1, "`attacks::codes::a_code_is_good_once` *, `passwords::tests::nothing_is_cut_off`")),
            0
        );
        assert_eq!(count(&row(1, "`attacks::codes::a_code_is_good_twice`")), 1);
        assert_eq!(count(&row(1, "not yet: there are no codes")), 0);
        assert_eq!(count(&row(1, "")), 1);
        assert_eq!(count(&[row(1, "not yet: a"), row(3, "not yet: c")].concat()), 1);
        assert_eq!(count("# Security\n"), 1);
    }
}
