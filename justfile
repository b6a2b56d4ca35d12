# The commands of the house; `just` alone lists them.

[private]
default:
    @just --list

# Everything that must hold before a change may land: exactly what CI runs.
check:
    .ci/run

# Everything the tests need, then the tests: `just test`, `just test refresh`, `just test --sqlite-only`.
test *arguments:
    scripts/test {{ arguments }}

# The whole thing with nothing configured: prints where to click.
demo:
    cargo run --locked -- demo

# Format the Rust code.
fmt:
    cargo fmt

# Every page as a file with an index, and pictures of the real ones in four looks: target/pages/index.html.
pages:
    mkdir -p target/pages
    CONSENTRY_TEST_PAGES_DIR="$PWD/target/pages" scripts/test pages::
