"""A foreign client: Authlib, as a plugin's owner would use it, against a running Consentry.

It discovers the server (RFC 8414), sends a person through sign-in and consent in a browser that has no
JavaScript, redeems, refreshes, introspects, revokes, and sees that what was revoked is gone.
Prints one line of JSON, never a secret or a token; exits 0 only when every step held.
Its twin in another language is tests/foreign/node/flow.mjs.
"""

import json
import os
import sys
import time
from html.parser import HTMLParser
from urllib.parse import parse_qs, urldefrag, urljoin, urlsplit

import authlib
import requests
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url

STEPS_MAX = 12
ATTEMPTS_MAX = 20
TIMEOUT_SECONDS = 20


class Broken(Exception):
    """A step did not go as a standard client expects."""


class Form:
    """What a browser would send if nothing were touched."""

    def __init__(self, attributes):
        self.action = attributes.get("action") or ""
        self.method = (attributes.get("method") or "get").lower()
        self.fields = []
        self.names = set()
        self.has_password = False

    def filled(self, values):
        untouched = [(name, value) for name, value in self.fields if name not in values]
        return untouched + list(values.items())


class FormReader(HTMLParser):
    """Collects the forms of a page with their successful controls."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.forms = []
        self.form = None
        self.select = None
        self.textarea = None

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.form = Form(attributes)
            self.forms.append(self.form)
        elif self.form is not None and tag == "option" and self.select is not None:
            self.select["options"].append((attributes.get("value") or "", "selected" in attributes))
        elif self.form is not None and attributes.get("name") and "disabled" not in attributes:
            self.control(tag, attributes)

    def control(self, tag, attributes):
        name = attributes["name"]
        if tag == "select":
            self.select = {"name": name, "options": []}
        elif tag == "textarea":
            self.textarea = {"name": name, "text": ""}
        elif tag == "input":
            self.input(name, attributes)
        elif tag != "button":
            return
        self.form.names.add(name)

    def input(self, name, attributes):
        kind = (attributes.get("type") or "text").lower()
        if kind == "password":
            self.form.has_password = True
        if kind in ("submit", "image", "button", "reset", "file"):
            return
        if kind in ("checkbox", "radio"):
            if "checked" in attributes:
                self.form.fields.append((name, attributes.get("value", "on")))
            return
        self.form.fields.append((name, attributes.get("value") or ""))

    def handle_data(self, data):
        if self.textarea is not None:
            self.textarea["text"] += data

    def handle_endtag(self, tag):
        if tag == "form":
            self.form = None
        elif tag == "select" and self.select is not None:
            options = self.select["options"]
            chosen = [value for value, selected in options if selected] or [value for value, _ in options]
            if chosen and self.form is not None:
                self.form.fields.append((self.select["name"], chosen[0]))
            self.select = None
        elif tag == "textarea" and self.textarea is not None:
            if self.form is not None:
                self.form.fields.append((self.textarea["name"], self.textarea["text"]))
            self.textarea = None


class Browser:
    """Cookies, redirects and forms, as they work without JavaScript.

    The jar of the standard library sends no Secure cookie over http; as a browser would, it is also kept from
    taking one there, so that a `__Host-` cookie is never used on plain http.
    """

    def __init__(self):
        self.session = requests.Session()
        self.session.trust_env = False

    def open(self, url, came_from=None):
        return self.request("GET", url, came_from)

    def submit(self, form, values, page):
        target = urljoin(page.url, form.action or page.url)
        fields = form.filled(values)
        if form.method == "get":
            return self.request("GET", target.split("?")[0], page.url, params=fields)
        return self.request("POST", target, page.url, data=fields)

    def request(self, method, url, came_from, **content):
        headers = {
            "Accept": "text/html",
            "Sec-Fetch-Dest": "document",
            "Sec-Fetch-Mode": "navigate",
            "Sec-Fetch-Site": "none",
        }
        if came_from is not None:
            same = origin(came_from) == origin(url)
            headers["Sec-Fetch-Site"] = "same-origin" if same else "cross-site"
            headers["Referer"] = came_from.split("?")[0]
        if method == "POST":
            headers["Origin"] = origin(came_from)
        answer = self.session.request(
            method, url, headers=headers, allow_redirects=False, timeout=TIMEOUT_SECONDS, **content
        )
        if urlsplit(url).scheme != "https":
            for cookie in [it for it in self.session.cookies if it.secure]:
                self.session.cookies.clear(cookie.domain, cookie.path, cookie.name)
        return answer


def origin(url):
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_at(location, redirect_uri):
    return urldefrag(location).url.split("?")[0] == redirect_uri.split("?")[0] and location.startswith(redirect_uri)


def walk(start, redirect_uri, email, password):
    """Walks from the authorization URL to the callback, and answers with the callback's URL."""
    browser = Browser()
    sign_ins = consents = 0
    page = browser.open(start)
    for _ in range(STEPS_MAX):
        location = page.headers.get("Location")
        if 300 <= page.status_code < 400 and location:
            location = urljoin(page.url, location)
            if is_at(location, redirect_uri):
                return location, sign_ins, consents
            page = browser.open(location)
            continue
        path = urlsplit(page.url).path
        if page.status_code != 200:
            raise Broken(f"{path} answered {page.status_code}")
        reader = FormReader()
        reader.feed(page.text)
        reader.close()
        sign_in = next((it for it in reader.forms if it.has_password and "email" in it.names), None)
        consent = next((it for it in reader.forms if "decision" in it.names), None)
        if sign_in is not None:
            sign_ins += 1
            if sign_ins > 1:
                raise Broken("the sign-in was refused")
            page = browser.submit(sign_in, {"email": email, "password": password}, page)
        elif consent is not None:
            consents += 1
            page = browser.submit(consent, {"decision": "allow"}, page)
        else:
            raise Broken(f"{path} shows neither sign-in nor consent")
    raise Broken(f"no callback within {STEPS_MAX} steps")


class Flow:
    """The client, step by step; `step` and `checks` tell how far it came."""

    def __init__(self):
        self.step = "settings"
        self.checks = {}

    def hold(self, name, truth):
        self.checks[name] = bool(truth)
        if not truth:
            raise Broken(f"{name} does not hold")

    def discover(self, issuer):
        self.step = "discovery"
        url = get_well_known_url(issuer, external=True)
        session = requests.Session()
        session.trust_env = False
        answer = session.get(url, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        metadata = AuthorizationServerMetadata(answer.json())
        metadata.validate()
        self.hold("metadata_names_the_issuer", metadata.get("issuer") == issuer)
        self.hold("metadata_promises_iss", metadata.get("authorization_response_iss_parameter_supported") is True)
        self.hold("metadata_promises_s256", "S256" in metadata.get("code_challenge_methods_supported", []))
        return metadata

    def run(self):
        issuer = os.environ["ISSUER"]
        redirect_uri = os.environ["REDIRECT_URI"]
        method = os.environ.get("TOKEN_AUTH_METHOD", "client_secret_post")
        if method not in ("client_secret_post", "client_secret_basic"):
            raise Broken(f"TOKEN_AUTH_METHOD is {method}")
        if urlsplit(issuer).scheme == "http":
            # The library speaks plain http only when told to; a server on loopback has nothing else.
            os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

        server = self.discover(issuer)
        self.hold("metadata_knows_the_method", method in server.get("token_endpoint_auth_methods_supported", []))

        self.step = "authorization"
        client = OAuth2Session(
            os.environ["CLIENT_ID"],
            os.environ["CLIENT_SECRET"],
            token_endpoint_auth_method=method,
            revocation_endpoint_auth_method=method,
            scope=os.environ.get("SCOPE") or None,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )
        client.trust_env = False
        verifier = generate_token(64)
        url, state = client.create_authorization_url(server["authorization_endpoint"], code_verifier=verifier)
        callback, sign_ins, consents = walk(url, redirect_uri, os.environ["EMAIL"], os.environ["PASSWORD"])
        # This library's client does not look at the issuer (RFC 9207), so the script does.
        self.hold("callback_names_the_issuer", parse_qs(urlsplit(callback).query).get("iss") == [issuer])

        self.step = "forged state"
        try:
            client.fetch_token(
                server["token_endpoint"], authorization_response=callback, state="forged", code_verifier=verifier
            )
            self.hold("a_foreign_state_is_seen", False)
        except AuthlibBaseError as refusal:
            self.hold("a_foreign_state_is_seen", refusal.error == "mismatching_state")

        self.step = "redemption"
        first = client.fetch_token(
            server["token_endpoint"], authorization_response=callback, state=state, code_verifier=verifier
        )
        self.hold("tokens_are_issued", first.get("access_token") and first.get("refresh_token"))
        self.hold("token_type_is_bearer", first["token_type"].lower() == "bearer")
        first_refresh_token = first["refresh_token"]

        self.step = "refresh"
        second = client.refresh_token(server["token_endpoint"], refresh_token=first_refresh_token)
        access_token = second["access_token"]
        refresh_token = second.get("refresh_token") or first_refresh_token

        def is_active():
            answer = client.introspect_token(server["introspection_endpoint"], token=access_token)
            answer.raise_for_status()
            return answer.json()["active"] is True

        if server.get("introspection_endpoint"):
            self.step = "introspection"
            self.hold("the_access_token_is_active", is_active())

        self.step = "revocation"
        answer = client.revoke_token(
            server["revocation_endpoint"], token=refresh_token, token_type_hint="refresh_token"
        )
        self.hold("revocation_answers_200", answer.status_code == 200)
        try:
            client.refresh_token(server["token_endpoint"], refresh_token=refresh_token)
            self.hold("refreshing_again_is_invalid_grant", False)
        except AuthlibBaseError as refusal:
            self.hold("refreshing_again_is_invalid_grant", refusal.error == "invalid_grant")
        if server.get("introspection_endpoint"):
            self.hold("the_access_token_is_inactive", comes_true(lambda: not is_active()))
        return {
            "method": method,
            "signIns": sign_ins,
            "consents": consents,
            "rotated": refresh_token != first_refresh_token,
            "scope": second.get("scope") or first.get("scope"),
        }


def comes_true(question):
    """Revocation may take a second to reach another node; what is asked must come true within two."""
    for _ in range(ATTEMPTS_MAX):
        if question():
            return True
        time.sleep(0.1)
    return False


def main():
    client = f"Authlib {authlib.__version__}"
    flow = Flow()
    try:
        facts = flow.run()
    except KeyError as missing:
        failure = {"message": f"{missing} is not set, or not in the answer"}
    except AuthlibBaseError as refusal:
        failure = {"message": str(refusal), "error": refusal.error, "description": refusal.description}
    except (Broken, requests.RequestException, ValueError) as reason:
        failure = {"message": str(reason)}
    else:
        print(json.dumps({"ok": True, "client": client, **facts, "checks": flow.checks}))
        return 0
    print(json.dumps({"ok": False, "client": client, "step": flow.step, "why": failure, "checks": flow.checks}))
    return 1


if __name__ == "__main__":
    sys.exit(main())
