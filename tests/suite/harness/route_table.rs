//! The pages of the server, read from its route table: what is asked of every page is asked of a new one, too.

use consentry::model::link::LinkPurpose;

const ROUTES: &str = include_str!("../../../src/http/routes.rs");
const API_ROUTES: &str = include_str!("../../../src/http/api/routes.rs");

/// The plugin in the addresses of the console's pages: the world's, which nobody owns.
pub const SLUG: &str = "todo";
/// The kind of plugin in them.
pub const KIND: &str = "action";
/// The client in them: nobody's, until a test puts another one there.
pub const CLIENT: &str = "a-client";

/// The API key in them: nobody's, until a test puts one away.
pub const SECRET: &str = "a-key";

/// The attempt to connect in them, which nobody made.
pub const FLOW: &str = "01936f1e-5d2b-7c3a-9f10-aabb00000000";

/// A page of the route table.
pub struct Route {
    /// Its path, with something in the place of each name.
    pub path: String,
    /// Whether a form is posted to it.
    pub takes_a_form: bool,
}

/// Every page, as the route table writes them: `page("/path")` and what it answers, up to the next one.
pub fn pages() -> Vec<Route> {
    let table = ["pages", "console_pages", "plugin_pages", "key_pages"].map(|function| {
        let (_, table) = ROUTES.split_once(&format!("\nfn {function}(")).expect("the table of pages");
        table.split_once("\n}\n").expect("its end").0
    });
    let table = table.concat();
    let mut routes = Vec::new();
    for written in table.split("page(").skip(1) {
        let takes_a_form = written.contains(".post(");
        let mut add = |path: &str| {
            let path = [
                ("{host}", "a.example"),
                ("{provider}", "club"),
                ("{slug}", SLUG),
                ("{kind}", KIND),
                ("{client}", CLIENT),
                ("{name}", SECRET),
                ("{flow}", FLOW),
            ]
            .iter()
            .fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
            routes.push(Route { path, takes_a_form });
        };
        if let Some(path) = written.strip_prefix('"') {
            add(path.split('"').next().expect("a path"));
        } else if written.starts_with("&format!(\"/{}\", purpose.as_str())") {
            for purpose in LinkPurpose::ALL {
                add(&format!("/{}", purpose.as_str()));
            }
        } else {
            assert!(written.starts_with("why.path()"), "this test cannot read the path in {written:?}");
            ["/second-step", "/prove"].into_iter().for_each(&mut add);
        }
    }
    routes
}

/// A call of the owners' API.
pub struct Call {
    /// Its method.
    pub method: &'static str,
    /// Its path after `/api/v1`, with the names in it.
    pub template: String,
    /// The same, with something in the place of each name.
    pub path: String,
}

/// Every call, as its table writes them: `at("/path")` and its methods, up to the next one.
pub fn calls() -> Vec<Call> {
    let mut calls = Vec::new();
    let table = API_ROUTES.split_once("pub(in crate::http) fn routes(").expect("the table of calls").1;
    for written in table.split("at(\"").skip(1).filter(|written| !written.starts_with("/{rest")) {
        let template = written.split('"').next().expect("a path").to_owned();
        let ids = ["{secret_id}", "{attempt_id}", "{consent_id}", "{account_id}"];
        let named = [("{slug}", SLUG), ("{client_id}", CLIENT), ("{name}", SECRET), ("{number}", "1")];
        let named = named.iter().fold(template.clone(), |path, (name, value)| path.replace(name, value));
        let path = ids.iter().fold(named, |path, name| path.replace(name, FLOW));
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        let has = |method: &&str| written.contains(&format!(".{}(", method.to_lowercase()));
        let own: Vec<_> = methods.into_iter().filter(has).collect();
        assert!(!own.is_empty(), "this test cannot read the methods of {template}");
        calls.extend(own.into_iter().map(|method| Call { method, template: template.clone(), path: path.clone() }));
    }
    calls
}
