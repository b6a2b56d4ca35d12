"""A sign-in page of one's own for Consentry, with nothing but Python's standard library: docs/own-login.md explains it.

    CONSENTRY_URL=https://consent.example.com OWN_LOGIN_KEY_FILE=own_login.key PORT=8090 python3 own_login.py

Consentry sends people here with a challenge. Whoever signs in is sent back with an answer: who they are, signed. In an
API that has users already, `find_user` is what it does today; all else can stay as it is.
"""

import base64
import hashlib
import hmac
import html
import http.server
import json
import os
import time
import urllib.parse

# Where people are sent back to stands here, and never in the request: nobody can have an answer sent elsewhere.
CONSENTRY_URL = os.environ["CONSENTRY_URL"]
with open(os.environ["OWN_LOGIN_KEY_FILE"]) as file:
    KEY = base64.b64decode(file.read())

# Sample people. A real page asks its own database, and keeps passwords hashed.
USERS = {
    "joan": {"password": "bletchley", "id": "user-1041", "email": "joan@example.com", "verified": True, "name": "Joan Clarke"},
    "eve": {"password": "listens", "id": "user-1042", "email": "eve@example.com", "verified": False, "name": "Eve"},
    "ada": {"password": "engine", "id": "user-1043", "email": "ada@example.com", "verified": True, "name": "Ada Lovelace"},
}

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Sign in</title>
<h1>Sign in</h1><p>{problem}</p>
<form method="post"><input type="hidden" name="challenge" value="{challenge}">
<label>Name <input name="user" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button>Sign in</button></form></html>"""


def find_user(name, password):
    """Who signs in with these, or nobody."""
    user = USERS.get(name)
    if user and hmac.compare_digest(user["password"].encode(), password.encode()):
        return user
    return None


def answer(challenge, user):
    """The answer: a JWT, signed with HS256."""
    now = int(time.time())
    claims = {
        "aud": CONSENTRY_URL,
        "challenge": challenge,
        "sub": user["id"],  # For ever this person, and never another.
        "email": user["email"],
        "email_verified": user["verified"],  # True only if you have sent a mail there that was answered.
        "name": user["name"],
        "iat": now,
        "exp": now + 60,
    }
    parts = [encode(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    signed = ".".join(parts)
    return signed + "." + encode(hmac.new(KEY, signed.encode(), hashlib.sha256).digest())


def encode(data):
    """base64url without padding (RFC 7515)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class SignIn(http.server.BaseHTTPRequestHandler):
    """One page, and the answer to its form."""

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        self.show(query.get("challenge", [""])[0], "")

    def do_POST(self):
        length = min(int(self.headers.get("Content-Length", 0)), 100_000)
        form = urllib.parse.parse_qs(self.rfile.read(length).decode())
        challenge = form.get("challenge", [""])[0]
        user = find_user(form.get("user", [""])[0], form.get("password", [""])[0])
        if user is None:
            self.show(challenge, "That name and password do not belong together.")
            return
        back = urllib.parse.urlencode({"answer": answer(challenge, user)})
        self.send_response(303)
        self.send_header("Location", f"{CONSENTRY_URL}/sign-in/own/callback?{back}")
        self.send_header("Cache-Control", "no-store")
        # The address holds the answer, which is for Consentry alone.
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()

    def show(self, challenge, problem):
        body = PAGE.format(challenge=html.escape(challenge), problem=html.escape(problem)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Frame-Options", "DENY")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Addresses hold challenges, so they are not logged."""


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), SignIn).serve_forever()
