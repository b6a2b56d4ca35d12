//! The files that the rules look at: the project's own, or a handful made up by a test.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::rust_text::{self, RustText};

/// One text file; binary files are not loaded.
pub struct File {
    /// Path from the project's root, with forward slashes.
    pub path: String,
    pub text: String,
    /// The same text as a Rust reader sees it; only for `.rs` files.
    pub rust: Option<RustText>,
}

impl File {
    fn new(path: String, text: String) -> Self {
        let rust =
            Path::new(&path).extension().is_some_and(|extension| extension == "rs").then(|| rust_text::read(&text));
        Self { path, text, rust }
    }

    /// The room under `src/` that the file belongs to: `src/http/oauth/token.rs` is in `http`.
    pub fn room(&self) -> Option<&str> {
        let first = self.path.strip_prefix("src/")?.split('/').next()?;
        Some(first.strip_suffix(".rs").unwrap_or(first))
    }
}

pub struct Tree {
    pub files: Vec<File>,
}

impl Tree {
    pub fn of_the_project() -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = Vec::new();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let kind = entry.file_type()?;
                if is_made_by_tools(&name) {
                    continue;
                }
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file()
                    && let Ok(text) = String::from_utf8(fs::read(entry.path())?)
                {
                    files.push(File::new(relative(root, &entry.path()), text));
                }
            }
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Self { files })
    }

    /// A made-up tree, for proving that a rule can fail.
    pub fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| File::new((*path).to_owned(), (*text).to_owned())).collect() }
    }

    pub fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The Rust files under a folder, with their text as a Rust reader sees it.
    pub fn rust_under(&self, folder: &str) -> impl Iterator<Item = (&File, &RustText)> {
        self.files
            .iter()
            .filter(move |file| file.path.starts_with(folder))
            .filter_map(|file| Some((file, file.rust.as_ref()?)))
    }
}

/// What git does not keep either. In a second work tree `.git` is no folder but a file, which names the machine.
fn is_made_by_tools(name: &str) -> bool {
    name.starts_with("target") || [".git", "node_modules", ".venv", "__pycache__", "demo-data"].contains(&name)
}

fn relative(root: &Path, path: &Path) -> String {
    let inside: PathBuf = path.strip_prefix(root).unwrap_or(path).to_path_buf();
    inside.to_string_lossy().replace('\\', "/")
}
