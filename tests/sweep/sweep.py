"""Looks for secrets where the house rules do not: in every version of every file that was ever committed, in what is
said of the commits, in the files as they lie here, and in what the image is built from.

The eyes are those of detect-secrets; what only looks like a secret stands in tests/tidy/samples.txt, each with its
reason, for this and for the rule of tests/tidy/secrets_in_text.rs. scripts/sweep calls this.
"""

import fnmatch
import os
import random
import re
import shutil
import string
import subprocess
import sys
import tempfile
from pathlib import Path

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

SAMPLES = "tests/tidy/samples.txt"

# Full of digests of what anybody may download.
LOCK_FILES = ("Cargo.lock", "package-lock.json")

# Public addresses are no secrets, and the other one finds every line that has "password =" in it.
BLIND = ("Public IP (ipv4)", "Secret Keyword")

# What is shorter is an example's or an id's. In an address, `user:PASSWORD@host`, a port before an `@` further on would
# be taken for a password too.
LENGTHS_MIN = {"Basic Auth Credentials": 9, "Hex High Entropy String": 32}

# A token is a secret when it is signed, and the signature is not in what its detector finds.
TOKEN = "JSON Web Token"
SIGNATURE = r"\.?[A-Za-z0-9_-]{27}"

# No eye finds anything in a line that has none of these, and most lines have none.
WORTH_A_LOOK = re.compile(r"[A-Za-z0-9+/_=.-]{14,}|://[^/\s]*@|PRIVATE")

# Folders that macros of libraries read while the program is compiled.
READ_BY_MACROS = ("messages/", "migrations/", "templates/")

# What a word that holds a sample may have besides: a prefix, padding.
REST_LENGTH_MAX = 12


def git(*arguments, given=None):
    return subprocess.run(["git", *arguments], input=given, stdout=subprocess.PIPE, check=True).stdout


class Eyes:
    """Looks at each line once, wherever it stands, and remembers what it found and where that was first."""

    def __init__(self, samples):
        self.samples = samples
        self.detectors = [make() for kind, make in get_mapping_from_secret_type_to_class().items() if kind not in BLIND]
        self.seen = set()
        self.found = {}
        self.met = set()

    def look(self, place, text):
        for line in text.splitlines():
            if line in self.seen:
                continue
            self.seen.add(line)
            if WORTH_A_LOOK.search(line):
                for kind, secret in self.secrets_in(line):
                    self.found.setdefault((kind, secret), place)

    def secrets_in(self, line):
        for detector in self.detectors:
            for found in detector.analyze_line(filename="", line=line, line_number=1):
                kind, secret = detector.secret_type, found.secret_value
                if len(secret) < LENGTHS_MIN.get(kind, 0):
                    continue
                if kind == TOKEN and not re.search(re.escape(secret) + SIGNATURE, line):
                    continue
                if not self.knows(secret):
                    yield kind, secret

    def knows(self, secret):
        own = [it for it in self.samples if it in secret and len(secret) - len(it) <= REST_LENGTH_MAX]
        self.met.update(own)
        return bool(own)


def read_samples():
    lines = Path(SAMPLES).read_text(encoding="utf-8").splitlines()
    return [line.split(" ", 1)[0] for line in lines if line and not line.startswith("# ")]


def prove_that_the_eyes_are_open():
    """Whoever finds nothing must have shown that they can find something. None of these is a secret of anybody's."""
    chance = random.Random(7)

    def draw(alphabet, length):
        return "".join(chance.choices(alphabet, k=length))

    letters = string.ascii_letters + string.digits
    planted = [
        f"key = '{draw(letters, 43)}='",
        f'"{draw(string.hexdigits.lower(), 64)}"',
        f"AKIA{draw(string.ascii_uppercase + string.digits, 16)}",
        f"ghp_{draw(letters, 36)}",
        f"sk-{draw(letters, 20)}T3BlbkFJ{draw(letters, 20)}",
        f"postgres://consentry:{draw(letters, 16)}@db/consentry",
        "-----BEGIN EC PRIVATE " + "KEY-----",
        f"eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.{draw(letters, 86)}",
    ]
    blind = [line for line in planted if not (WORTH_A_LOOK.search(line) and list(Eyes([]).secrets_in(line)))]
    if blind:
        sys.exit(f"sweep: {len(blind)} of {len(planted)} planted secrets were not found, so nothing here can be trusted")


def look_at_the_history(eyes):
    if git("rev-parse", "--is-shallow-repository").strip() == b"true":
        print("THE HISTORY IS CUT OFF (a shallow clone): only what is there of it was looked at.")
    # Blobs and not diffs: merges and what .gitattributes hides from diffs are in them too.
    names = {}
    for line in git("rev-list", "--objects", "HEAD").decode().splitlines():
        blob, _, path = line.partition(" ")
        if path and not path.endswith(LOCK_FILES) and path != SAMPLES:
            names[blob] = path
    answers = git("cat-file", "--batch", given="\n".join(names).encode() + b"\n")
    at = blobs = 0
    while at < len(answers):
        end = answers.index(b"\n", at)
        blob, kind, length = answers[at:end].decode().split()
        body = answers[end + 1 : end + 1 + int(length)]
        at = end + int(length) + 2
        if kind == "blob":
            blobs += 1
            eyes.look(f"{names[blob]} (git show {blob[:12]})", body.decode(errors="replace"))
    eyes.look("what is said of a commit", git("log", "--format=%an %ae%n%B", "HEAD").decode(errors="replace"))
    return blobs


def look_at_the_files(eyes):
    """As they lie here, with what is not committed yet and not ignored."""
    paths = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").decode().split("\0")
    paths = [path for path in paths if path and Path(path).is_file()]
    for path in paths:
        if not path.endswith(LOCK_FILES) and path != SAMPLES:
            eyes.look(path, Path(path).read_bytes().decode(errors="replace"))
    return len(paths)


def is_sent(path, rules):
    """Whether .dockerignore leaves it: of the rules that fit a path, or a folder above it, the last one decides."""
    parts = path.split("/")
    above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    sent = True
    for rule in rules:
        if any(fnmatch.fnmatchcase(it, rule.removeprefix("!")) for it in above):
            sent = rule.startswith("!")
    return sent


def look_at_what_the_image_is_built_from(eyes):
    lines = Path(".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    # A `*` of Python's would match a slash, and one of Docker's does not: rules here name what stands at the top.
    if not rules or any("/" in rule for rule in rules):
        sys.exit("sweep: .dockerignore has a rule of a kind that this does not read")
    kept = set(git("ls-files", "-z").decode().split("\0"))
    sent = []
    for top in sorted(Path(".").iterdir()):
        if is_sent(top.name, rules):
            files = [top] if top.is_file() else [path for path in top.rglob("*") if path.is_file()]
            sent.extend(path.as_posix() for path in files)
    prove_that_it_can_be_built_from(sent)
    for path in sent:
        if not path.endswith(LOCK_FILES):
            eyes.look(path, Path(path).read_bytes().decode(errors="replace"))
    return len(sent), [path for path in sent if path not in kept]


def prove_that_it_can_be_built_from(sent):
    """A list that leaves too much out would be found by whoever builds the image, and by nobody before."""
    included = set()
    # What only unit tests read need not be there.
    for path in (path for path in sent if path.endswith(".rs") and "tests" not in Path(path).with_suffix("").parts):
        for file in re.findall(r'include_(?:str|bytes)!\(\s*"([^"]+)"', Path(path).read_text(encoding="utf-8")):
            included.add(os.path.normpath(Path(path).parent / file))
    missing = sorted(included - set(sent))
    missing += [folder for folder in READ_BY_MACROS if not any(path.startswith(folder) for path in sent)]
    if missing:
        sys.exit(f"sweep: .dockerignore keeps from the image what is compiled into the program: {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as folder:
        for path in sent:
            copy = Path(folder, path)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        # Of what reads the manifest as a build does, this is the quickest: each target must have its file.
        fetched = subprocess.run(["cargo", "fetch", "--locked", "--quiet"], cwd=folder, stderr=subprocess.PIPE, text=True)
        if fetched.returncode != 0:
            sys.exit(f"sweep: from what .dockerignore leaves nothing can be built:\n{fetched.stderr}")


def main():
    prove_that_the_eyes_are_open()
    eyes = Eyes(read_samples())
    # The image first: what is in it is the worst place of all.
    sent, strays = look_at_what_the_image_is_built_from(eyes)
    files = look_at_the_files(eyes)
    blobs = look_at_the_history(eyes)
    print(f"Looked at {blobs} versions of files, {files} files here, and the {sent} that the image is built from.")
    for path in strays:
        print(f"{path}: is not in git, and would go to where the image is built: commit it, move it or ignore it")
    for (kind, secret), place in sorted(eyes.found.items(), key=lambda it: it[1]):
        # Its beginning is enough to find it by, and this is read where builds are.
        print(f"{place}: {kind}: {secret[:6]}… ({len(secret)} characters)")
    if eyes.found:
        print(f"A secret that was committed is known: renew it. What only looks like one belongs into {SAMPLES}.")
    if strays or eyes.found:
        return 1
    print(f"No secret was found ({len(eyes.met)} known samples were).")
    return 0


sys.exit(main())
