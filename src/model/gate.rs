//! The gate's route table: which requests a plugin's API takes, and what each needs. What is not in it is refused.
//!
//! It is written as lines, as an operator would: `GET /todos todo.read`, `GET /status public`. `protocol::gate` reads one
//! from an API's description, and decides with it.

use std::{collections::HashSet, fmt, str::FromStr};

use super::{
    plugin_secret::{NotARoute, SecretRoute, is_plain_path},
    scope::Scopes,
};

/// The most lines.
const ROUTES_MAX: usize = 1000;

/// The most alternatives of one line.
const ALTERNATIVES_MAX: usize = 16;

/// Stands for scopes where no token is needed.
const PUBLIC: &str = "public";

/// What a request needs to pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: strangers may call.
    Nothing,
    /// A token that stands and has all scopes of one of these; of an empty one, whatever it has.
    Token(Vec<Scopes>),
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Which requests.
    pub route: SecretRoute,
    /// What they need.
    pub needs: Needs,
}

/// Why a text is no line of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAPassage {
    /// The method or the path.
    #[error(transparent)]
    Route(#[from] NotARoute),
    /// The scopes.
    #[error("after the path write scopes, with | between those of which one set is enough, or \"{PUBLIC}\"")]
    Needs,
}

/// Why lines are no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotATable {
    /// A line by itself.
    #[error("line {0}: {1}")]
    Line(usize, NotAPassage),
    /// Two lines mean the same requests.
    #[error("line {0} is about the same requests as another one")]
    Twice(usize),
    /// More than fit.
    #[error("there are more than {ROUTES_MAX} routes")]
    TooMany,
}

/// The table, with what is more exact before what is less.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteTable(Vec<Passage>);

/// What the table says of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// This is its line, and the method as which it is looked at.
    Here(&'a Passage, &'a str),
    /// The path is there, with these methods.
    OtherMethods(Vec<&'a str>),
    /// There is nothing.
    Nowhere,
}

impl RouteTable {
    /// Puts lines into the order in which they are looked at.
    ///
    /// # Errors
    ///
    /// Where two are about the same requests, so that nobody could say what these need, or where there are too many.
    pub fn new(passages: Vec<Passage>) -> Result<Self, NotATable> {
        if passages.len() > ROUTES_MAX {
            return Err(NotATable::TooMany);
        }
        let mut numbered: Vec<(usize, Passage)> = passages.into_iter().enumerate().collect();
        let mut shapes = HashSet::new();
        if let Some((number, _)) = numbered.iter().find(|(_, passage)| !shapes.insert(passage.route.shape())) {
            return Err(NotATable::Twice(number + 1));
        }
        numbered.sort_by_cached_key(|(number, passage)| (passage.route.precision(), *number));
        Ok(Self(numbered.into_iter().map(|(_, passage)| passage).collect()))
    }

    /// The lines, in the order in which they are looked at.
    pub fn iter(&self) -> impl Iterator<Item = &Passage> {
        self.0.iter()
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is said of a request. `HEAD` is a `GET` of which only the head is wanted (RFC 9110 §9.3.2), unless a line is
    /// about it by name.
    pub fn find<'a>(&'a self, method: &'a str, path: &str) -> Found<'a> {
        if !is_plain_path(path) {
            return Found::Nowhere;
        }
        let is_of_its_own = |passage: &Passage| passage.route.method_at(path) == Some(method);
        let has_its_own = self.iter().any(is_of_its_own);
        let asked = if method == "HEAD" && !has_its_own { "GET" } else { method };
        if let Some(passage) = self.iter().find(|passage| passage.route.matches_plain(asked, path)) {
            return Found::Here(passage, asked);
        }
        let mut others: Vec<&str> = self.iter().filter_map(|passage| passage.route.method_at(path)).collect();
        others.sort_unstable();
        others.dedup();
        if others.is_empty() { Found::Nowhere } else { Found::OtherMethods(others) }
    }

    /// Every scope that a line names.
    pub fn scopes(&self) -> Scopes {
        let named = self.0.iter().flat_map(|passage| match &passage.needs {
            Needs::Nothing => &[][..],
            Needs::Token(alternatives) => alternatives,
        });
        named.fold(Scopes::default(), |all, scopes| all.union(scopes))
    }
}

impl FromStr for RouteTable {
    type Err = NotATable;

    /// Reads lines; empty ones, and what follows `#`, are for people.
    fn from_str(text: &str) -> Result<Self, NotATable> {
        let mut passages = Vec::new();
        let mut places = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if !line.is_empty() {
                passages.push(line.parse().map_err(|error| NotATable::Line(number + 1, error))?);
                places.push(number + 1);
            }
        }
        // Whoever wrote the lines counts those for people too.
        Self::new(passages).map_err(|error| match error {
            NotATable::Twice(place) => NotATable::Twice(places[place - 1]),
            other => other,
        })
    }
}

impl fmt::Display for RouteTable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|passage| writeln!(out, "{passage}"))
    }
}

impl FromStr for Passage {
    type Err = NotAPassage;

    fn from_str(line: &str) -> Result<Self, NotAPassage> {
        let (method, rest) = first_word(line);
        let (path, scopes) = first_word(rest);
        let route = format!("{method} {path}").parse()?;
        let needs = match scopes {
            PUBLIC => Needs::Nothing,
            scopes => Needs::Token(alternatives(scopes).ok_or(NotAPassage::Needs)?),
        };
        Ok(Self { route, needs })
    }
}

/// A text's first word, and what follows it.
fn first_word(text: &str) -> (&str, &str) {
    let text = text.trim();
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

fn alternatives(text: &str) -> Option<Vec<Scopes>> {
    let read = |text: &str| text.parse::<Scopes>().ok().filter(|scopes| !scopes.contains(PUBLIC));
    let all: Vec<Scopes> = text.split('|').map(read).collect::<Option<_>>()?;
    // One that is empty among others would make the others say nothing.
    let is_clear = all.len() == 1 || all.iter().all(|scopes| !scopes.is_empty());
    (is_clear && all.len() <= ALTERNATIVES_MAX).then_some(all)
}

impl fmt::Display for Passage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.route)?;
        match &self.needs {
            Needs::Nothing => write!(out, " {PUBLIC}"),
            Needs::Token(alternatives) => {
                let written: Vec<String> = alternatives.iter().map(Scopes::to_string).collect();
                let written = written.join(" | ");
                if written.is_empty() { Ok(()) } else { write!(out, " {written}") }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> RouteTable {
        text.parse().unwrap()
    }

    fn needs(table: &RouteTable, method: &str, path: &str) -> String {
        match table.find(method, path) {
            Found::Here(passage, _) => passage.to_string(),
            Found::OtherMethods(methods) => format!("only {}", methods.join(", ")),
            Found::Nowhere => "nowhere".to_owned(),
        }
    }

    #[test]
    fn a_table_is_written_as_it_is_read() {
        let text = "GET /a\nPOST /a todo.read todo.write\nDELETE /a todo.write | admin\nGET /b public\n";
        assert_eq!(table(text).to_string(), text);
        let told = "# What there is.\n\n  get   /a   todo.read   # for reading\n";
        assert_eq!(table(told).to_string(), "GET /a todo.read\n");
        assert!(table("").is_empty() && table("# nothing\n").is_empty());
        assert_eq!(table(text).scopes().to_string(), "admin todo.read todo.write");
    }

    #[test]
    fn what_is_no_table_is_told_by_its_line() {
        for (text, wrong) in [
            ("GET a", NotATable::Line(1, NotAPassage::Route(NotARoute))),
            ("GET /a\n\n# x\nGET /a/../b", NotATable::Line(4, NotAPassage::Route(NotARoute))),
            ("GET /a \"x\"", NotATable::Line(1, NotAPassage::Needs)),
            ("GET /a todo.read |", NotATable::Line(1, NotAPassage::Needs)),
            ("GET /a public todo.read", NotATable::Line(1, NotAPassage::Needs)),
            ("GET /a x | public", NotATable::Line(1, NotAPassage::Needs)),
            ("GET /a/{id} x\n\nget /a/{other} public", NotATable::Twice(3)),
        ] {
            assert_eq!(text.parse::<RouteTable>(), Err(wrong), "{text}");
        }
        let many: Vec<String> = (0..=ROUTES_MAX).map(|number| format!("GET /{number}")).collect();
        assert_eq!(many.join("\n").parse::<RouteTable>(), Err(NotATable::TooMany));
    }

    #[test]
    fn what_is_more_exact_comes_first_wherever_it_stands() {
        let table = table(
            "* /* admin\nGET /items/{id} item\nGET /items/mine mine\n* /items/{id} any\nGET /{kind}/new kind\nGET /items/*\nGET /items/a:b colon",
        );
        for (method, path, found) in [
            ("GET", "/items/mine", "GET /items/mine mine"),
            ("GET", "/items/5", "GET /items/{id} item"),
            ("HEAD", "/items/5", "GET /items/{id} item"),
            ("PUT", "/items/5", "* /items/{id} any"),
            ("GET", "/items/5/parts", "GET /items/*"),
            // What is exact further to the left wins, as in descriptions.
            ("GET", "/items/new", "GET /items/{id} item"),
            ("GET", "/parts/new", "GET /{kind}/new kind"),
            ("POST", "/parts/new", "* /* admin"),
            // However it is encoded.
            ("GET", "/items/new%3Aold", "GET /items/{id} item"),
            ("GET", "/items/a%3Ab", "GET /items/a:b colon"),
            ("GET", "/items/a:b", "GET /items/a:b colon"),
        ] {
            assert_eq!(needs(&table, method, path), found, "{method} {path}");
        }
    }

    #[test]
    fn what_is_not_listed_is_nowhere_and_a_method_is_told_from_a_path() {
        let table = table("GET /todos todo.read\nPOST /todos todo.write\nGET /status public");
        assert_eq!(needs(&table, "HEAD", "/todos"), "GET /todos todo.read");
        assert_eq!(needs(&table, "DELETE", "/todos"), "only GET, POST");
        for path in
            ["/todo", "/todos/", "/todos/1", "//todos", "/todos;x=1", "/%74odos", "/status/../todos", "todos", ""]
        {
            assert_eq!(needs(&table, "GET", path), "nowhere", "{path}");
        }
    }
}
