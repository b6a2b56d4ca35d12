"""How the scripts beside this file tell what they did.

Steps and checks are remembered, and the end is one line of JSON, never with a secret or a token, and a status that is
0 only when every step held. Its twin in another language is tests/foreign/node/report.mjs.
"""

import json


class Broken(Exception):
    """A step did not go as a standard client expects."""


class Report:
    """`step` and `checks` tell how far a script came."""

    def __init__(self, client):
        self.client = client
        self.step = "settings"
        self.checks = {}

    def hold(self, name, truth):
        """Remembers a check, which must hold."""
        self.checks[name] = bool(truth)
        if not truth:
            raise Broken(f"{name} does not hold")

    def succeeded(self, facts):
        """Tells that every step held, and answers with the status to leave with."""
        print(json.dumps({"ok": True, "client": self.client, **facts, "checks": self.checks}))
        return 0

    def failed(self, why):
        """Tells which step did not hold, and answers with the status to leave with."""
        print(json.dumps({"ok": False, "client": self.client, "step": self.step, "why": why, "checks": self.checks}))
        return 1
