//! A folder of every page for those who work on them: `index.html`, the samples as they are sent, and the files they
//! name. Open it in a browser; `scripts/test pages::` adds pictures of the real pages in four looks.

use std::{fmt::Write, fs, io, path::Path};

use super::samples;
use crate::http::assets;

const STYLE: &str = "body { font: 1rem system-ui; margin: 2rem; display: grid; gap: 2rem; \
                     grid-template-columns: repeat(auto-fill, minmax(24rem, 1fr)) } \
                     iframe { width: 100%; height: 44rem; border: 1px solid #999 }";

/// Writes all of it.
fn write(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder.join("static"))?;
    fs::write(folder.join("static/consentry.css"), assets::STYLESHEET)?;
    fs::write(folder.join("static/mark.svg"), assets::MARK)?;
    fs::write(folder.join("static/passkeys.js"), assets::PASSKEYS)?;
    fs::write(folder.join("static/console.js"), assets::CONSOLE)?;
    let mut list = String::new();
    for (name, html) in samples() {
        fs::write(folder.join(name).with_extension("html"), html.replace("\"/static/", "\"static/"))?;
        let _ = writeln!(
            list,
            "<section><h2><a href=\"{name}.html\">{name}</a></h2><iframe src=\"{name}.html\" title=\"{name}\"></iframe>\
             </section>"
        );
    }
    let index = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Pages</title><style>{STYLE}</style>\n{list}"
    );
    fs::write(folder.join("index.html"), index)
}

#[test]
fn every_page_is_in_the_index_with_what_it_names() {
    let temporary = tempfile::tempdir().unwrap();
    let chosen = std::env::var_os("CONSENTRY_TEST_PAGES_DIR");
    let folder = chosen.as_ref().map_or(temporary.path(), Path::new);
    write(folder).unwrap();
    let index = fs::read_to_string(folder.join("index.html")).unwrap();
    for (name, _) in samples() {
        assert!(index.contains(&format!("src=\"{name}.html\"")), "{name}");
        let page = fs::read_to_string(folder.join(name).with_extension("html")).unwrap();
        for named in page.split("\"static/").skip(1).map(|rest| rest.split(['?', '"']).next().unwrap()) {
            assert!(folder.join("static").join(named).exists(), "{named} of {name}");
        }
        assert!(page.contains("\"static/consentry.css?"), "{name} has its stylesheet");
    }
}
