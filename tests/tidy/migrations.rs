//! Both engines keep the same history: `NNNN_name.sql`, numbered without gaps, the same names on each side.
//! A number that stands on one engine only would make `transfer` move rows into a different shape.

use std::collections::BTreeSet;

use crate::tree::Tree;

const ENGINES: [&str; 2] = ["migrations/sqlite/", "migrations/postgres/"];

pub fn engines_agree(tree: &Tree) -> Vec<String> {
    let [sqlite, postgres] = ENGINES.map(|folder| names_in(tree, folder));
    let mut complaints: Vec<String> = sqlite
        .symmetric_difference(&postgres)
        .map(|name| format!("migrations: {name} stands for one engine only"))
        .collect();
    for (folder, names) in ENGINES.iter().zip([&sqlite, &postgres]) {
        for (index, name) in names.iter().enumerate() {
            if !is_well_named(name) {
                complaints.push(format!("{folder}{name}: is not called NNNN_lower_case_words.sql"));
            } else if name[..4].parse() != Ok(index + 1) {
                complaints.push(format!("{folder}{name}: is number {} of its folder", index + 1));
            }
        }
    }
    complaints
}

fn names_in<'a>(tree: &'a Tree, folder: &str) -> BTreeSet<&'a str> {
    tree.files.iter().filter_map(|file| file.path.strip_prefix(folder)).collect()
}

fn is_well_named(name: &str) -> bool {
    let Some((number, words)) = name.strip_suffix(".sql").and_then(|stem| stem.split_once('_')) else { return false };
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    number.len() == 4 && number.chars().all(|c| c.is_ascii_digit()) && !words.is_empty() && words.chars().all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(paths: &[&str]) -> usize {
        engines_agree(&Tree::of(&paths.iter().map(|path| (*path, "")).collect::<Vec<_>>())).len()
    }

    #[test]
    fn engines_that_differ_are_found() {
        assert_eq!(count(&["migrations/sqlite/0001_people.sql"]), 1);
        assert_eq!(count(&["migrations/sqlite/0001_people.sql", "migrations/postgres/0001_persons.sql"]), 2);
    }

    #[test]
    fn a_gap_a_twin_and_a_bad_name_are_found() {
        let both = |names: &[&str]| {
            let paths: Vec<String> =
                ENGINES.iter().flat_map(|folder| names.iter().map(move |name| format!("{folder}{name}"))).collect();
            count(&paths.iter().map(String::as_str).collect::<Vec<_>>())
        };
        assert_eq!(both(&["0001_people.sql", "0003_keys.sql"]), 2);
        assert_eq!(both(&["0001_people.sql", "0001_keys.sql"]), 2);
        assert_eq!(both(&["1_people.sql"]), 2);
        assert_eq!(both(&["0001_people.sql", "0002_keys.sql"]), 0);
        assert_eq!(both(&[]), 0);
    }
}
