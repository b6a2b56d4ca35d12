// A browser that has no JavaScript: cookies, redirects and forms, as they work without it, and a person in it who
// signs in and allows. The foreign clients beside this file send their person through it.
// Its twin in another language is tests/foreign/python/browser.py.

import http from "node:http";
import https from "node:https";

import { parse } from "parse5";

const STEPS_MAX = 12;

export class Browser {
  #cookies = new Map();

  async open(url) {
    return this.#request("GET", new URL(url));
  }

  async submit(form, page) {
    const target = new URL(form.action || page.url.href, page.url);
    const body = new URLSearchParams(form.fields).toString();
    if (form.method === "get") {
      target.search = body;
      return this.#request("GET", target, { from: page.url });
    }
    return this.#request("POST", target, { from: page.url, body });
  }

  async #request(method, url, { from, body } = {}) {
    const headers = {
      accept: "text/html",
      "sec-fetch-dest": "document",
      "sec-fetch-mode": "navigate",
      "sec-fetch-site": from ? (from.origin === url.origin ? "same-origin" : "cross-site") : "none",
    };
    if (from) headers.referer = from.origin + from.pathname;
    const cookie = this.#cookieFor(url);
    if (cookie) headers.cookie = cookie;
    if (body !== undefined) {
      headers["content-type"] = "application/x-www-form-urlencoded";
      headers["content-length"] = Buffer.byteLength(body);
      headers.origin = from.origin;
    }
    const answer = await send(method, url, headers, body);
    for (const line of answer.cookies) this.#keep(url, line);
    return answer;
  }

  #keep(url, line) {
    const [pair, ...attributes] = line.split(";").map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf("="));
    const value = pair.slice(pair.indexOf("=") + 1);
    const given = new Map(
      attributes.map((text) => {
        const [key, ...rest] = text.split("=");
        return [key.toLowerCase(), rest.join("=")];
      }),
    );
    const isSecure = given.has("secure");
    // A browser takes neither a Secure cookie over http, nor a prefixed one that breaks its promise.
    if (isSecure && url.protocol !== "https:") return;
    if (name.startsWith("__Secure-") && !isSecure) return;
    if (name.startsWith("__Host-") && (!isSecure || given.has("domain") || given.get("path") !== "/")) return;
    const path = given.get("path")?.startsWith("/") ? given.get("path") : url.pathname.replace(/\/[^/]*$/, "") || "/";
    const key = `${url.hostname} ${path} ${name}`;
    const isGone = given.has("max-age")
      ? Number(given.get("max-age")) <= 0
      : given.has("expires") && Date.parse(given.get("expires")) <= Date.now();
    if (isGone) this.#cookies.delete(key);
    else this.#cookies.set(key, { host: url.hostname, path, isSecure, text: `${name}=${value}` });
  }

  #cookieFor(url) {
    const lies = (path) => url.pathname === path || url.pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
    return [...this.#cookies.values()]
      .filter((it) => it.host === url.hostname && lies(it.path) && (!it.isSecure || url.protocol === "https:"))
      .map((it) => it.text)
      .join("; ");
  }
}

// `fetch` would follow redirects, hide their cookies and add fetch metadata of its own.
function send(method, url, headers, body) {
  const client = url.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    const request = client.request(url, { method, headers, timeout: 20_000 }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          url,
          status: response.statusCode,
          location: response.headers.location,
          cookies: response.headers["set-cookie"] ?? [],
          text: Buffer.concat(parts).toString("utf8"),
        }),
      );
    });
    request.on("timeout", () => request.destroy(new Error(`no answer from ${url.origin}${url.pathname}`)));
    request.on("error", reject);
    request.end(body);
  });
}

function* elements(node) {
  if (node.tagName) yield node;
  for (const child of node.childNodes ?? []) yield* elements(child);
}

function attribute(element, name) {
  return element.attrs.find((it) => it.name === name)?.value;
}

// What a browser would send if nothing were touched; buttons are sent only when pressed.
function readForm(element) {
  const form = {
    action: attribute(element, "action") ?? "",
    method: (attribute(element, "method") ?? "get").toLowerCase(),
    fields: [],
    names: new Set(),
    hasPassword: false,
  };
  for (const control of elements(element)) {
    const name = attribute(control, "name");
    if (!name || attribute(control, "disabled") !== undefined) continue;
    if (!["input", "button", "select", "textarea"].includes(control.tagName)) continue;
    const type = (attribute(control, "type") ?? (control.tagName === "button" ? "submit" : "text")).toLowerCase();
    form.names.add(name);
    if (type === "password") form.hasPassword = true;
    if (["submit", "image", "button", "reset", "file"].includes(type)) continue;
    if (["checkbox", "radio"].includes(type)) {
      if (attribute(control, "checked") !== undefined) form.fields.push([name, attribute(control, "value") ?? "on"]);
    } else if (control.tagName === "select") {
      const options = [...elements(control)].filter((it) => it.tagName === "option");
      const chosen = options.find((it) => attribute(it, "selected") !== undefined) ?? options[0];
      if (chosen) form.fields.push([name, attribute(chosen, "value") ?? chosen.childNodes[0]?.value ?? ""]);
    } else if (control.tagName === "textarea") {
      form.fields.push([name, control.childNodes[0]?.value ?? ""]);
    } else {
      form.fields.push([name, attribute(control, "value") ?? ""]);
    }
  }
  return form;
}

function fill(form, values) {
  const untouched = form.fields.filter(([name]) => !(name in values));
  return { ...form, fields: [...untouched, ...Object.entries(values)] };
}

function isAt(location, redirectUri) {
  return location === redirectUri || location.startsWith(`${redirectUri}?`) || location.startsWith(`${redirectUri}#`);
}

/** Walks from the authorization URL to the callback, and answers with the callback's URL. */
export async function walk(start, { redirectUri, email, password }) {
  const browser = new Browser();
  const seen = { signIns: 0, consents: 0 };
  let page = await browser.open(start);
  for (let step = 0; step < STEPS_MAX; step += 1) {
    if (page.status >= 300 && page.status < 400 && page.location) {
      const location = new URL(page.location, page.url);
      if (isAt(page.location, redirectUri) || isAt(location.href, redirectUri)) return { callback: location, ...seen };
      page = await browser.open(location);
      continue;
    }
    if (page.status !== 200) throw new Error(`${page.url.pathname} answered ${page.status}`);
    const forms = [...elements(parse(page.text))].filter((it) => it.tagName === "form").map(readForm);
    const signIn = forms.find((form) => form.hasPassword && form.names.has("email"));
    const consent = forms.find((form) => form.names.has("decision"));
    if (signIn) {
      seen.signIns += 1;
      if (seen.signIns > 1) throw new Error("the sign-in was refused");
      page = await browser.submit(fill(signIn, { email, password }), page);
    } else if (consent) {
      seen.consents += 1;
      page = await browser.submit(fill(consent, { decision: "allow" }), page);
    } else {
      throw new Error(`${page.url.pathname} shows neither sign-in nor consent`);
    }
  }
  throw new Error(`no callback within ${STEPS_MAX} steps`);
}
