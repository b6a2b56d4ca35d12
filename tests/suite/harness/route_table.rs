//! The pages of the server, read from its route table: what is asked of every page is asked of a new one, too.

use consentry::model::link::LinkPurpose;

const ROUTES: &str = include_str!("../../../src/http/routes.rs");

/// The plugin in the addresses of the console's pages: the world's, which nobody owns.
pub const SLUG: &str = "todo";
/// The kind of plugin in them.
pub const KIND: &str = "action";
/// The client in them: nobody's, until a test puts another one there.
pub const CLIENT: &str = "a-client";

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
    let table = ["pages", "console_pages"].map(|function| {
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
