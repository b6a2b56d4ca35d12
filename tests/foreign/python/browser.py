"""A browser that has no JavaScript, and a person in it who signs in and allows.

Cookies, redirects and forms work as they do without JavaScript; the foreign clients beside this file send their
person through it. Its twin in another language is tests/foreign/node/browser.mjs.
"""

from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin, urlsplit

import requests

from report import Broken

STEPS_MAX = 12
TIMEOUT_SECONDS = 20


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
