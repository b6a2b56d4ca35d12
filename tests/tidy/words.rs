//! Words that have their place, or none. The forbidden ones are put together from two halves,
//! so that this file need not be excepted from its own rules.

use crate::tree::Tree;

const VENDORS: &[&str] = &["openai", "chatgpt", "anthropic", "claude", "gemini", "copilot", "perplexity"];

/// Where vendors may be named: what a dialect is forgiven, the manifest and its presets, what callers are
/// told apart by, and the demo that plays one.
const VENDOR_FILES: &[&str] = &[
    "src/protocol/dialect",
    "src/protocol/manifest",
    "src/protocol/presets",
    "src/simulate/callers",
    "src/demo/",
    "src/cli/demo",
];

/// Unit tests that have a file of their own, or a folder, and what they are made from.
const TEST_FILES: &[&str] = &["/tests.rs", "/samples.rs"];

const LEFT_TO_DO: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// The beginnings of paths that exist on somebody's machine only.
const MACHINE_PATHS: &[&str] = &[
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/t", "mp/"),
    concat!("/var/fol", "ders/"),
    concat!("C:\\Us", "ers\\"),
];

/// Which registry a package comes from is the builder's setting, not the project's.
const REGISTRY_HOSTS: &[&str] = &[
    concat!("://crates", ".io"),
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("yarnpkg", ".com"),
    concat!("pypi", ".org"),
    concat!("pythonhosted", ".org"),
    concat!("deb.debian", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("docker", ".io"),
];

/// Comments may name a vendor, and unit tests may quote what a vendor really sends; behaviour may not.
pub fn vendors_stay_in_their_files(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (file, rust) in tree.rust_under("src/") {
        let is_test = TEST_FILES.iter().any(|end| file.path.ends_with(end)) || file.path.contains("/tests/");
        if is_test || VENDOR_FILES.iter().any(|start| file.path.starts_with(start)) {
            continue;
        }
        for (index, line) in rust.without_comments.lines().enumerate() {
            let number = index + 1;
            let in_unit_tests = rust.inline_modules.iter().any(|it| it.name == "tests" && it.lines.contains(&number));
            let line = line.to_lowercase();
            if let Some(vendor) = VENDORS.iter().find(|vendor| !in_unit_tests && line.contains(**vendor)) {
                complaints.push(format!("{}:{number}: names {vendor}", file.path));
            }
        }
    }
    complaints
}

pub fn nothing_is_left_to_do(tree: &Tree) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    places(tree, LEFT_TO_DO, |before, after| !before.is_some_and(is_word) && !after.is_some_and(is_word))
}

/// Only where a path begins: the same letters in the middle of a web address are somebody's route.
pub fn no_machine_is_named(tree: &Tree) -> Vec<String> {
    let continues_a_path = |c: char| c.is_alphanumeric() || "._-~/}*".contains(c);
    places(tree, MACHINE_PATHS, |before, _| !before.is_some_and(continues_a_path))
}

pub fn no_registry_is_named(tree: &Tree) -> Vec<String> {
    places(tree, REGISTRY_HOSTS, |_, _| true)
}

/// Where one of the words stands between characters that make it count.
fn places(tree: &Tree, words: &[&str], counts: impl Fn(Option<char>, Option<char>) -> bool) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in &tree.files {
        for (index, line) in file.text.lines().enumerate() {
            for (word, start) in words.iter().flat_map(|word| line.match_indices(word).map(move |(at, _)| (word, at))) {
                let (before, after) = (line[..start].chars().next_back(), line[start + word.len()..].chars().next());
                if counts(before, after) {
                    complaints.push(format!("{}:{}: says {word}", file.path, index + 1));
                }
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_out_of_place_is_found() {
        let count = |path: &str, text: &str| vendors_stay_in_their_files(&Tree::of(&[(path, text)])).len();
        assert_eq!(count("src/http/oauth/token.rs", "if client.name == \"ChatGPT\" {}"), 1);
        assert_eq!(count("src/model/plugin.rs", "struct OpenAiToken;\n"), 1);
        assert_eq!(count("src/model/plugin.rs", "// ChatGPT asks for this.\nstruct Token;\n"), 0);
        assert_eq!(count("src/model/plugin/tests/a.rs", "const A: &str = \"chat.openai.com\";\n"), 0);
        assert_eq!(count("src/model/plugin.rs", "mod tests {\n    const A: &str = \"chat.openai.com\";\n}\n"), 0);
        assert_eq!(count("src/model/plugin.rs", "mod tests {\n}\nconst A: &str = \"chat.openai.com\";\n"), 1);
        assert_eq!(count("src/protocol/dialect.rs", "const HOST: &str = \"chat.openai.com\";"), 0);
        assert_eq!(count("src/protocol/manifest/presets.rs", "const HOST: &str = \"chatgpt.com\";"), 0);
        assert_eq!(count("src/demo/page.rs", "const TITLE: &str = \"ChatGPT\";"), 0);
    }

    #[test]
    fn what_is_left_to_do_is_found() {
        for word in LEFT_TO_DO {
            assert_eq!(
                nothing_is_left_to_do(&Tree::of(&[("docs/deploy.md", &format!("one\n# {word}: two\n"))])).len(),
                1
            );
        }
        assert_eq!(nothing_is_left_to_do(&Tree::of(&[("README.md", "a to-do API, todo!(), PSTO-DOX\n")])).len(), 0);
    }

    #[test]
    fn a_machine_is_found() {
        for path in MACHINE_PATHS {
            assert_eq!(no_machine_is_named(&Tree::of(&[("scripts/test", &format!("cd \"{path}x\"\n"))])).len(), 1);
        }
        let innocent = format!("https://api.example{}x and $root{}x\n", MACHINE_PATHS[0], MACHINE_PATHS[3]);
        assert_eq!(no_machine_is_named(&Tree::of(&[("README.md", &innocent)])).len(), 0);
    }

    #[test]
    fn a_registry_is_found() {
        for host in REGISTRY_HOSTS {
            assert_eq!(
                no_registry_is_named(&Tree::of(&[("package-lock.json", &format!("\"https{host}/a\"\n"))])).len(),
                1
            );
        }
        assert_eq!(no_registry_is_named(&Tree::of(&[("README.md", "from crates.io by cargo\n")])).len(), 0);
    }
}
