#!/usr/bin/env python3
"""Looks in the log of the whole suite for every secret that was minted or typed while it was written.

    scripts/sweep-log FOLDER [--at-least NUMBER]

FOLDER is what tests/suite/harness/log.rs wrote: `*.log`, and in `minted.txt` the secrets (harness/minted.rs). Fails
when one of them is in a line, or anything that has the shape of a secret or of an e-mail address; and when there are
fewer lines or secrets than NUMBER, so that a suite which tells nothing does not pass for one that keeps its secrets.
`scripts/test` runs it after the tests."""

import os
import pathlib
import re
import subprocess
import sys

# A value that is shorter is found by chance among times, ids and words.
SHORTEST = 8

# Whoever finds the middle third of a value has found the value too, so for long ones that is what is sought; and of
# that no more than so many characters, which nothing has by chance.
LONG, ENOUGH = 30, 16

# So few letters are chance in no value.
FEW = 4

# What was noted as a secret and is none, each with its reason.
EXCUSED = {}

# What somebody has, and not what tests write in its place.
ADDRESS = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")

# What tests guess with, and what forms hold beside secrets: words that the program says itself, such as `password` or
# `client_secret`, and scopes.
GUESSED = re.compile(r"[a-z_]+|[a-z]+\.[a-z]+( [a-z]+\.[a-z]+)*")

# What tests write into every field to see that it comes back as text, and what no secret has.
MARKUP = "<"

# Lines that tell more on purpose, by what is in them, each with its reason.
TOLD_ON_PURPOSE = {
    r" to=\S+ subject=": "the demo hands mail over to its log, and only it has these fields (docs/logging.md)",
}

# What is not in a log whether the harness saw it or not, each with one that looks like it.
SHAPES = {
    "a secret of this server's": (r"cst_[a-z]{2}_[A-Za-z0-9_-]{16,}", "cst_rt_" + "x" * 20),
    "a webhook's secret": (r"whsec_[A-Za-z0-9+/]{16,}", "whsec_" + "x" * 20),
    "a signed token": (r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.", ".".join(["eyJ" + "x" * 20] * 3)),
    "an e-mail address": (r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}", "ada@example.com"),
}


def pieces(kind, value):
    """What is sought for a value: nothing, itself, or its middle."""
    if len(value) < SHORTEST or value in EXCUSED or GUESSED.fullmatch(value) or MARKUP in value:
        return []
    if kind == "value" and value.startswith(("http://", "https://")):
        return []
    if kind == "email":
        return [value, value.replace("@", "%40")] if ADDRESS.fullmatch(value) else []
    if len(value) < LONG:
        return [value]
    third = value[len(value) // 3 : len(value) * 2 // 3]
    start = max(0, (len(third) - ENOUGH) // 2)
    piece = third[start : start + ENOUGH]
    # What tests write long to be refused is one letter over and over, and its middle is anybody's.
    return [piece if len(set(piece)) > FEW else value]


def grep(arguments, logs):
    """The matches: file, number of the line, and what was found."""
    command = ["grep", "--text", "--only-matching", "--line-number", "--with-filename", *arguments, "--", *logs]
    # Bytes are compared: no language's letters, and no locale's speed.
    found = subprocess.run(command, stdout=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"}, check=False)
    if found.returncode > 1:
        sys.exit("scripts/sweep-log: grep failed")
    for line in found.stdout.decode(errors="replace").splitlines():
        name, number, what = line.split(":", 2)
        yield pathlib.Path(name), int(number), what


def hits(kinds, patterns, logs):
    """Every hit: file, number of the line, of which kind, and what was found."""
    if not logs:
        return
    for name, number, what in grep(["--fixed-strings", "--file", str(patterns)], logs):
        yield name, number, kinds.get(what, "secret"), what
    for kind, (shape, _) in SHAPES.items():
        for name, number, what in grep(["--extended-regexp", shape], logs):
            yield name, number, kind, what


def cut(line, what):
    """What stands around it."""
    before, _, after = line.partition(what)
    return f"…{before[-150:]}<HERE>{after[:80]}"


def main():
    folder = pathlib.Path(sys.argv[1])
    at_least = int(sys.argv[3]) if sys.argv[2:3] == ["--at-least"] else 0
    logs = sorted(path for path in folder.glob("*.log") if path.stat().st_size)
    noted = folder / "minted.txt"
    text = noted.read_text(errors="replace") if noted.exists() else ""
    # Tests write side by side; the last line of one that was killed may lack its end.
    minted = {tuple(line.split("\t", 1)) for line in text.split("\n") if "\t" in line}
    kinds = {piece: kind for kind, value in sorted(minted) for piece in pieces(kind, value)}
    patterns = folder / "patterns"
    patterns.touch(0o600)
    patterns.write_text("".join(f"{piece}\n" for piece in kinds))

    # It can fail: a line with one secret of each kind and each shape, as a careless server would write it.
    one_of_each = {kind: piece for piece, kind in kinds.items()} | {kind: like for kind, (_, like) in SHAPES.items()}
    planted = folder / "planted"
    planted.touch(0o600)
    planted.write_text("".join(f"WARN careless: it was {kind}={piece}, sadly\n" for kind, piece in one_of_each.items()))
    seen = {(number, kind) for _, number, kind, _ in hits(kinds, patterns, [planted])}
    missed = [kind for number, kind in enumerate(one_of_each, 1) if (number, kind) not in seen]
    if missed:
        sys.exit(f"scripts/sweep-log: does not find what was planted: {', '.join(missed)}")

    lines, texts = 0, {}
    for path in logs:
        texts[path] = path.read_bytes().split(b"\n")
        lines += len(texts[path])
    found, excused, shown = [], 0, {}
    for path, number, kind, what in hits(kinds, patterns, logs):
        line = texts[path][number - 1].decode(errors="replace")
        if kind == "an e-mail address" and re.search(r"https?://[^\s/@]*" + re.escape(what), line):
            # Nobody's address, but a redirect URI with a user's name in it, as it is refused.
            continue
        if any(re.search(message, line) for message in TOLD_ON_PURPOSE):
            excused += 1
            continue
        # A few of each: what stands in every line must not hide what stands in one.
        alike = (kind, re.sub(r"[0-9a-f-]*[0-9][0-9a-f-]*", "", cut(line, what)))
        shown[alike] = shown.get(alike, 0) + 1
        found.append(f"{path.name}:{number}: {kind}: {cut(line, what)}" if shown[alike] <= 3 else "")
    told = f"{lines} lines of log, {len(minted)} secrets, {len(one_of_each)} planted and found, {len(found)} hits"
    print(f"scripts/sweep-log: {told}" + (f", {excused} told on purpose" if excused else ""))
    for hit in [hit for hit in found if hit][:100]:
        print(f"  {hit}")
    if min(lines, len(minted)) < at_least:
        sys.exit(f"scripts/sweep-log: fewer than {at_least} lines or secrets: the suite was not heard")
    if found:
        sys.exit("scripts/sweep-log: secrets are in the log; mend what wrote the line")


if __name__ == "__main__":
    main()
