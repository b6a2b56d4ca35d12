//! Every file is reached: a test that no module names passes for ever, because it never runs.

use crate::tree::Tree;

/// Where Rust begins reading: the file, and the folder its modules lie in.
const ROOTS: &[(&str, &str)] = &[("src/lib.rs", "src/"), ("tests/suite/main.rs", "tests/suite/")];

/// Folders whose files are compiled once for each of several parents, which name them by `#[path]`.
const COMPILED_FOR_EACH: &[(&str, &[&str])] =
    &[("src/store/either/", &["src/store/sqlite/mod.rs", "src/store/postgres/mod.rs"])];

pub fn no_orphans(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (root, folder) in ROOTS {
        for (file, _) in tree.rust_under(folder) {
            let inside = &file.path[folder.len()..];
            if file.path == *root || file.path == "src/main.rs" {
                continue;
            }
            let module = inside.trim_end_matches(".rs").trim_end_matches("/mod");
            if let Some((_, each)) = COMPILED_FOR_EACH.iter().find(|(shared, _)| file.path.starts_with(shared)) {
                let name = module.rsplit('/').next().unwrap_or(module);
                let missing = each.iter().filter(|parent| !declares(tree, parent, name));
                complaints.extend(missing.map(|parent| format!("{}: no `mod {name};` in {parent}", file.path)));
                continue;
            }
            let (parent, name) = module.rsplit_once('/').unwrap_or(("", module));
            let parents = match parent {
                "" => vec![(*root).to_owned()],
                parent => vec![format!("{folder}{parent}.rs"), format!("{folder}{parent}/mod.rs")],
            };
            if !parents.iter().any(|parent| declares(tree, parent, name)) {
                complaints.push(format!("{}: no `mod {name};` in {}", file.path, parents.join(" or ")));
            }
        }
    }
    complaints
}

fn declares(tree: &Tree, parent: &str, name: &str) -> bool {
    let Some(rust) = tree.file(parent).and_then(|file| file.rust.as_ref()) else { return false };
    rust.tokens.windows(3).any(|window| window[0].text == "mod" && window[1].text == name && window[2].text == ";")
}

/// A name lent out by `pub use` would let a room be reached past the table of directions.
pub fn lib_is_only_the_map(tree: &Tree) -> Vec<String> {
    let Some(rust) = tree.file("src/lib.rs").and_then(|file| file.rust.as_ref()) else { return Vec::new() };
    let other = ["use", "fn", "struct", "enum", "trait", "impl", "type", "const", "static", "macro_rules"];
    let found = rust.tokens.iter().filter(|token| other.contains(&token.text.as_str()));
    found.map(|token| format!("src/lib.rs:{}: `{}` belongs into a room", token.line, token.text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_no_module_names_is_found() {
        let tree = Tree::of(&[
            ("tests/suite/main.rs", "mod store;\n// mod forgotten;\n"),
            ("tests/suite/store/mod.rs", "mod redeem;"),
            ("tests/suite/store/redeem.rs", ""),
            ("tests/suite/store/refresh.rs", ""),
            ("tests/suite/forgotten.rs", ""),
        ]);
        let complaints = no_orphans(&tree);
        assert_eq!(complaints.len(), 2, "{complaints:?}");
        assert!(complaints.iter().all(|line| line.contains("refresh") || line.contains("forgotten")));
    }

    #[test]
    fn a_file_for_both_engines_is_named_by_both() {
        let tree = Tree::of(&[
            ("src/lib.rs", "mod store;"),
            ("src/store/mod.rs", "mod sqlite; mod postgres;"),
            ("src/store/sqlite/mod.rs", "#[path = \"../either/keys.rs\"]\nmod keys;"),
            ("src/store/postgres/mod.rs", ""),
            ("src/store/either/keys.rs", ""),
        ]);
        let complaints = no_orphans(&tree);
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        assert!(complaints[0].contains("postgres"), "{complaints:?}");
    }

    #[test]
    fn both_ways_of_naming_a_folder_are_known() {
        let tree = Tree::of(&[
            ("src/lib.rs", "pub mod http;\npub mod clock;\n"),
            ("src/main.rs", ""),
            ("src/clock.rs", ""),
            ("src/http.rs", "mod routes;"),
            ("src/http/routes.rs", ""),
        ]);
        assert_eq!(no_orphans(&tree), Vec::<String>::new());
    }

    #[test]
    fn more_than_a_map_is_found() {
        assert_eq!(lib_is_only_the_map(&Tree::of(&[("src/lib.rs", "pub mod store;\npub use store::Row;")])).len(), 1);
        assert_eq!(lib_is_only_the_map(&Tree::of(&[("src/lib.rs", "//! To use it.\npub mod store;")])).len(), 0);
    }
}
