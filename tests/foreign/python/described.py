"""Schemathesis against the owners' API: calls made from its description, right ones and wrong ones, and every answer
held to what the description says.

Settings come from the environment: DESCRIPTION (its address), TOKEN, and one of each thing that addresses name. What is
deleted has a thing of its own, so that the other calls meet something until the end.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from report import Broken, Report

CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "ignored_auth",
]

CONFIGURATION = """
[parameters]
"path.slug" = "{SLUG}"
"path.client_id" = "{CLIENT_ID}"
"path.secret_id" = "{SECRET_ID}"
"path.account_id" = "{ACCOUNT_ID}"
"path.consent_id" = "{CONSENT_ID}"
"path.attempt_id" = "{ATTEMPT_ID}"
"path.name" = "{API_KEY}"
"path.number" = 1

[[operations]]
include-operation-id = "delete_client"
parameters = {{ "path.slug" = "{SLUG}", "path.client_id" = "{CLIENT_TO_DELETE}" }}

[[operations]]
include-operation-id = "remove_api_key"
parameters = {{ "path.slug" = "{SLUG}", "path.name" = "{API_KEY_TO_REMOVE}" }}
"""

NAMES = [
    "SLUG", "CLIENT_ID", "SECRET_ID", "ACCOUNT_ID", "CONSENT_ID", "ATTEMPT_ID", "API_KEY", "CLIENT_TO_DELETE",
    "API_KEY_TO_REMOVE",
]


def run(report, folder):
    settings = os.environ
    configuration = Path(folder, "schemathesis.toml")
    configuration.write_text(CONFIGURATION.format(**{name: settings[name] for name in NAMES}))
    report.step = "run"
    program = Path(sys.executable).with_name("schemathesis")
    done = subprocess.run(
        [
            program, "--config-file", configuration, "run", settings["DESCRIPTION"],
            "--header", f"Authorization: Bearer {settings['TOKEN']}",
            "--checks", ",".join(CHECKS),
            "--phases", "examples,coverage,fuzzing",
            "--max-examples", settings.get("EXAMPLES", "10"),
            "--seed", "20261129", "--generation-database", "none", "--continue-on-failure", "--no-color",
            "--request-timeout", "20", "--warnings", "off",
        ],
        cwd=folder, capture_output=True, text=True, check=False,
    )
    if done.returncode != 0:
        print(done.stdout.replace(settings["TOKEN"], "…"), done.stderr, file=sys.stderr)
        raise Broken("an answer is not as it is described")
    return {"said": done.stdout.strip().splitlines()[-1]}


def main():
    report = Report("schemathesis")
    try:
        with tempfile.TemporaryDirectory() as folder:
            return report.succeeded(run(report, folder))
    except (Broken, KeyError, OSError) as error:
        return report.failed(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    sys.exit(main())
