//! Who may name whom. `cli → {http, jobs} → server → crafts and floors → model`: an arrow that points back
//! would let a decision reach for the database, or a row for a request, and then neither can be tested alone.

use crate::{rust_text::Token, tree::Tree};

/// The crafts and the floors, all of which the assembly may hold.
const CRAFTS_AND_FLOORS: &str = "random languages passwords factors pictures charts outbound providers mail vault keys tokens telemetry \
     config protocol store clock audit";

/// Each room and the rooms it may name, itself apart. A room that is not listed may not exist.
/// A row names only rooms that stand above it, so that no chain of rooms can come round to its start.
const DIRECTION: &[(&str, &[&str])] = &[
    // The only language that all floors share; it knows nobody.
    ("model", &[]),
    // Crafts: one skill each. What they keep or fetch, and when, is decided above them.
    ("random", &["model"]),
    ("languages", &["model"]),
    ("passwords", &["model random"]),
    ("pictures", &[]),
    ("charts", &[]),
    ("factors", &["model random"]),
    ("outbound", &["model"]),
    ("providers", &["model outbound"]),
    ("mail", &["model"]),
    ("vault", &["model"]),
    ("keys", &["model random vault"]),
    ("tokens", &["model random keys"]),
    ("telemetry", &["model"]),
    ("config", &["model vault passwords pictures"]),
    // Floors: one decides, one remembers, and they never meet.
    ("protocol", &["model"]),
    ("store", &["model"]),
    // The clock asks the database what time it is, so that all nodes agree.
    ("clock", &["model store"]),
    // An audit event is written by the store, in the transaction of the change it tells of; the chain behind them is
    // made with a key.
    ("audit", &["model keys store"]),
    // One function per change that owners make; whoever serves calls it, with the parts it holds.
    ("registry", &["model", CRAFTS_AND_FLOORS]),
    // A caller of any server, by HTTP alone; for somebody else only where strangers' URLs may lead.
    ("simulate", &["model random protocol clock outbound"]),
    // Who judges what such a caller met.
    ("doctor", &["model random protocol clock simulate"]),
    // Assembly: everything below stands together once, and is handed up.
    ("server", &["model", CRAFTS_AND_FLOORS, "registry"]),
    // Those who serve: requests on one side, time on the other. The console has the doctor look at owners' plugins.
    ("http", &["model", CRAFTS_AND_FLOORS, "registry server simulate doctor"]),
    ("jobs", &["model", CRAFTS_AND_FLOORS, "registry server"]),
    // A set of little servers of its own, which runs the real one beside them.
    ("demo", &["model", CRAFTS_AND_FLOORS, "registry server http jobs"]),
    ("cli", &["model", CRAFTS_AND_FLOORS, "registry server http jobs demo simulate doctor"]),
    // The map names its rooms by `mod` alone; the binary hands over at once.
    ("lib", &[]),
    ("main", &["cli"]),
];

/// A library that only some rooms know: a name, or with `_` at the end a family of names.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("actix_", &["http", "server", "demo", "simulate"]),
    ("sqlx", &["store"]),
    ("metrics_", &["telemetry"]),
    ("lettre", &["mail"]),
    ("image", &["pictures"]),
    ("plotters", &["charts"]),
    ("webauthn_", &["factors"]),
    ("totp_rs", &["factors"]),
    ("openidconnect", &["providers"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_", &["telemetry"]),
    ("tracing_opentelemetry", &["telemetry"]),
    ("vaultrs", &["vault"]),
    ("azure_", &["vault"]),
    ("google_cloud_", &["vault"]),
];

/// What would let a decision wait, look around, or depend on anything but its arguments.
const PROTOCOL_NEVER_SAYS: &[&str] = &["async", "await", "tokio", "sqlx", "actix_", "reqwest"];
const PROTOCOL_NEVER_TAKES_FROM_STD: &[&str] = &["env", "fs", "process", "thread"];

/// The rooms that a room may name; `None` for a room without a row.
fn rooms_below(room: &str) -> Option<Vec<&'static str>> {
    let (_, below) = DIRECTION.iter().find(|(name, _)| *name == room)?;
    Some(below.iter().flat_map(|names| names.split_whitespace()).collect())
}

pub fn rooms_name_only_rooms_below(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (file, rust) in tree.rust_under("src/") {
        let Some(room) = file.room() else { continue };
        let Some(below) = rooms_below(room) else {
            complaints.push(format!("{}: the room `{room}` is not in the table of directions", file.path));
            continue;
        };
        let climbed = rust.named_by_climbing(depth(&file.path));
        for named in [rust.named_below("crate"), rust.named_below("consentry"), climbed].concat() {
            complaints.extend(wrong_arrow(&file.path, room, &below, &named));
        }
    }
    complaints
}

fn wrong_arrow(path: &str, room: &str, below: &[&str], named: &Token) -> Option<String> {
    let Token { text, line } = named;
    if text == room || below.contains(&text.as_str()) {
        return None;
    }
    let why = match text.as_str() {
        "*" => "takes the whole house; name the room".to_owned(),
        name if rooms_below(name).is_some() => format!("`{room}` may not name `{name}`"),
        name => format!("`{name}` is not a room in the table of directions"),
    };
    Some(format!("{path}:{line}: {why}"))
}

/// How many modules lie between the crate's root and the file: two for `src/http/oauth.rs`.
fn depth(path: &str) -> usize {
    let inside = path.trim_start_matches("src/").trim_end_matches(".rs");
    inside.split('/').filter(|part| !["mod", "lib", "main"].contains(part)).count()
}

pub fn libraries_stay_in_their_rooms(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    for (file, rust) in tree.rust_under("src/") {
        for (library, rooms) in LIBRARIES {
            if file.room().is_some_and(|room| rooms.contains(&room)) {
                continue;
            }
            for token in rust.tokens.iter().filter(|token| is_of(library, &token.text)) {
                complaints
                    .push(format!("{}:{}: names `{}`, which is for {rooms:?}", file.path, token.line, token.text));
            }
        }
    }
    complaints
}

fn is_of(library: &str, word: &str) -> bool {
    if library.ends_with('_') { word.starts_with(library) } else { word == library }
}

pub fn protocol_is_pure(tree: &Tree) -> Vec<String> {
    let mut complaints = Vec::new();
    let files = tree.rust_under("src/protocol/").chain(tree.rust_under("src/protocol.rs"));
    for (file, rust) in files {
        let said = rust.tokens.iter().filter(|token| PROTOCOL_NEVER_SAYS.iter().any(|word| is_of(word, &token.text)));
        let standard = rust.named_below("std");
        let taken = standard.iter().filter(|token| PROTOCOL_NEVER_TAKES_FROM_STD.contains(&token.text.as_str()));
        for Token { text, line } in said.chain(taken) {
            complaints.push(format!("{}:{line}: protocol may not say `{text}`", file.path));
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrows(path: &str, text: &str) -> usize {
        rooms_name_only_rooms_below(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn an_arrow_that_points_back_is_found() {
        assert_eq!(arrows("src/protocol/pkce.rs", "use crate::store::Store;"), 1);
        assert_eq!(arrows("src/protocol/pkce.rs", "use crate::{model::Scope, store::{Store, Row}};"), 1);
        assert_eq!(arrows("src/protocol/token/mod.rs", "use super::super::store::Store;"), 1);
        assert_eq!(arrows("src/store/sqlite/mod.rs", "fn f(x: crate::protocol::Decision) {}"), 1);
        assert_eq!(arrows("src/store/mod.rs", "use crate::clock::Clock;"), 1);
        assert_eq!(arrows("src/model/id.rs", "use crate::random::Random;"), 1);
        assert_eq!(arrows("src/server.rs", "use crate::http::routes;"), 1);
        assert_eq!(arrows("src/http/routes.rs", "use crate::{cli, demo};"), 2);
        assert_eq!(arrows("src/main.rs", "fn main() { consentry::store::open() }"), 1);
        assert_eq!(arrows("src/model/id.rs", "use crate::*;"), 1);
        assert_eq!(arrows("src/lib.rs", "pub use crate::model::Scope;"), 1);
    }

    #[test]
    fn a_room_without_a_row_is_found() {
        assert_eq!(arrows("src/attic/mod.rs", ""), 1);
        assert_eq!(arrows("src/http/mod.rs", "use crate::attic::Box;"), 1);
    }

    #[test]
    fn an_arrow_that_points_down_is_left_alone() {
        assert_eq!(arrows("src/protocol/pkce.rs", "use crate::{model::Scope, protocol::error};\nuse super::error;"), 0);
        assert_eq!(arrows("src/http/oauth/token.rs", "use crate::{protocol, store::Store, server::Server};"), 0);
        assert_eq!(arrows("src/clock.rs", "// crate::http\n#[cfg(test)]\nmod tests { use super::*; }"), 0);
        assert_eq!(arrows("src/main.rs", "fn main() { consentry::cli::run() }"), 0);
        assert_eq!(
            arrows("src/protocol/pkce.rs", "/// See [`crate::store`].\nconst HINT: &str = \"crate::store\";"),
            0
        );
    }

    #[test]
    fn the_table_itself_has_no_way_back() {
        for (index, (room, _)) in DIRECTION.iter().enumerate() {
            for name in rooms_below(room).expect("the room has a row") {
                let stands_above = DIRECTION[..index].iter().any(|(known, _)| *known == name);
                assert!(stands_above, "`{room}` names `{name}`, which is not above it in the table");
            }
        }
        assert_eq!(rooms_below("protocol"), Some(vec!["model"]));
        assert_eq!(rooms_below("store"), Some(vec!["model"]));
        assert_eq!(rooms_below("model"), Some(vec![]));
    }

    #[test]
    fn a_library_out_of_its_rooms_is_found() {
        let count = |path: &str, text: &str| libraries_stay_in_their_rooms(&Tree::of(&[(path, text)])).len();
        assert_eq!(count("src/jobs/sweep.rs", "use actix_web::rt;"), 1);
        assert_eq!(count("src/http/routes.rs", "fn f(e: sqlx::Error) {}"), 1);
        assert_eq!(count("src/http/routes.rs", "use actix_web::web; // sqlx"), 0);
        assert_eq!(count("src/store/postgres/mod.rs", "use sqlx::PgPool;"), 0);
    }

    #[test]
    fn an_impure_decision_is_found() {
        let count = |text: &str| protocol_is_pure(&Tree::of(&[("src/protocol/pkce.rs", text)])).len();
        assert_eq!(count("pub async fn decide() { other().await }"), 2);
        assert_eq!(count("use tokio::time; use reqwest::Client;"), 2);
        assert_eq!(count("use std::{collections::BTreeMap, fs, env};"), 2);
        assert_eq!(count("//! Nothing async here.\nuse std::collections::BTreeMap;\nconst A: &str = \"await\";"), 0);
    }
}
