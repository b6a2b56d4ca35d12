"""Holds a software bill of materials to what is really built: it is CycloneDX, its subject is this program, and every
crate that Cargo builds or builds with is in it, once, with the digest that Cargo.lock has and with a licence.

scripts/dependencies calls this with the bill's path.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

PROGRAM = "consentry"


def built():
    """What Cargo needs for the program on any system, with every feature, as (name, version)."""
    told = subprocess.run(
        ["cargo", "tree", "--locked", "--all-features", "--target", "all", "--edges", "normal,build"]
        + ["--prefix", "none", "--format", "{p}"],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    ).stdout
    crates = {tuple(line.split()[:2]) for line in told.splitlines() if line}
    return {(name, version.removeprefix("v")) for name, version in crates} - {own_crate()}


def own_crate():
    package = tomllib.loads(Path("Cargo.toml").read_text(encoding="utf-8"))["package"]
    return package["name"], package["version"]


def locked():
    packages = tomllib.loads(Path("Cargo.lock").read_text(encoding="utf-8"))["package"]
    return {(it["name"], it["version"]): it.get("checksum") for it in packages}


def mistakes_in(bill, needed, digests):
    """A line for each thing that is not so."""
    if (bill.get("bomFormat"), bill.get("specVersion")) != ("CycloneDX", "1.5"):
        yield f"it is {bill.get('bomFormat')} {bill.get('specVersion')}, and not CycloneDX 1.5"
    subject = bill.get("metadata", {}).get("component", {})
    if (subject.get("type"), (subject.get("name"), subject.get("version"))) != ("application", own_crate()):
        yield f"it is about {subject.get('type')} {subject.get('name')} {subject.get('version')}"
    components = bill.get("components", [])
    named = [(it["name"], it["version"]) for it in components]
    if len(needed) < 100:
        yield f"Cargo names only {len(needed)} crates, which cannot be all"
    for name, version in sorted(needed - set(named)):
        yield f"{name} {version} is built, and not in it"
    for name, version in sorted({it for it in named if named.count(it) > 1}):
        yield f"{name} {version} is in it twice"
    for it in components:
        key = (it["name"], it["version"])
        which = f"{key[0]} {key[1]}"
        shown = [hash["content"] for hash in it.get("hashes", []) if hash["alg"] == "SHA-256"]
        if key not in digests:
            yield f"{which} is in it, and not in Cargo.lock"
        elif shown != [digests[key]]:
            yield f"{which} has another digest than Cargo.lock"
        if not it.get("licenses"):
            yield f"{which} has no licence"
        if not it.get("purl", "").startswith(f"pkg:cargo/{key[0]}@{key[1]}"):
            yield f"{which} has no address of its package"


def main(path):
    bill = json.loads(Path(path).read_text(encoding="utf-8"))
    needed, digests = built(), locked()
    # Whoever finds no mistake must have shown that they can find one.
    short = {**bill, "components": bill.get("components", [])[1:]}
    if not list(mistakes_in(short, needed | set(digests), digests)):
        return "a bill with a crate left out would be taken"
    mistakes = list(mistakes_in(bill, needed, digests))
    if mistakes:
        return "\n".join([f"{path}:", *(f"  {mistake}" for mistake in mistakes)])
    print(f"{path} names all {len(needed)} crates that are built ({len(bill['components'])} with those of unused features).")
    return 0


sys.exit(main(sys.argv[1]))
