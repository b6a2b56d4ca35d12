//! Migrations are embedded at compile time; a new file among them must make the crate be built again.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
