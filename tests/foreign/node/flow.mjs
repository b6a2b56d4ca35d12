// A foreign client: openid-client, as a plugin's owner would use it, against a running Consentry.
// It discovers the server (RFC 8414), sends a person through sign-in and consent in a browser that has no
// JavaScript, redeems, refreshes, introspects, revokes, and sees that what was revoked is gone.
// Prints one line of JSON, never a secret or a token; exits 0 only when every step held.
// Its twin in another language is tests/foreign/python/flow.py.

import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { webcrypto } from "node:crypto";

import { parse } from "parse5";
import * as oauth from "openid-client";

// Node.js 18 keeps the Web Crypto API behind a flag, and the library expects it in the open.
globalThis.crypto ??= webcrypto;

const STEPS_MAX = 12;
const ATTEMPTS_MAX = 20;

function setting(name) {
  const value = process.env[name];
  if (value === undefined) throw new Error(`the environment does not set ${name}`);
  return value;
}

// The browser: cookies, redirects and forms, as they work without JavaScript.

class Browser {
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
async function walk(start, { redirectUri, email, password }) {
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

// The client.

const checks = {};
let step = "settings";

function hold(name, truth) {
  checks[name] = Boolean(truth);
  if (!truth) throw new Error(`${name} does not hold`);
}

/** Revocation may take a second to reach another node; what is asked must come true within two. */
async function comesTrue(question) {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    if (await question()) return true;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return false;
}

async function isRefused(attempt, error) {
  try {
    await attempt();
    return false;
  } catch (refusal) {
    if (refusal.error === error) return true;
    throw refusal;
  }
}

async function main() {
  const issuer = new URL(setting("ISSUER"));
  const clientId = setting("CLIENT_ID");
  const secret = setting("CLIENT_SECRET");
  const redirectUri = setting("REDIRECT_URI");
  const person = { redirectUri, email: setting("EMAIL"), password: setting("PASSWORD") };
  const scope = process.env.SCOPE ?? "";
  const methods = { client_secret_post: oauth.ClientSecretPost, client_secret_basic: oauth.ClientSecretBasic };
  const method = process.env.TOKEN_AUTH_METHOD ?? "client_secret_post";
  if (!(method in methods)) throw new Error(`TOKEN_AUTH_METHOD is ${method}`);

  step = "discovery";
  const config = await oauth.discovery(issuer, clientId, undefined, methods[method](secret), {
    algorithm: "oauth2",
    execute: issuer.protocol === "http:" ? [oauth.allowInsecureRequests] : [],
  });
  const server = config.serverMetadata();
  hold("metadata_promises_iss", server.authorization_response_iss_parameter_supported === true);
  hold("metadata_promises_s256", server.code_challenge_methods_supported?.includes("S256"));
  hold("metadata_knows_the_method", server.token_endpoint_auth_methods_supported?.includes(method));

  step = "authorization";
  const pkceCodeVerifier = oauth.randomPKCECodeVerifier();
  const expectedState = oauth.randomState();
  const parameters = {
    redirect_uri: redirectUri,
    code_challenge: await oauth.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
  };
  if (scope) parameters.scope = scope;
  const { callback, signIns, consents } = await walk(oauth.buildAuthorizationUrl(config, parameters), person);
  hold("callback_names_the_issuer", callback.searchParams.get("iss") === server.issuer);
  hold("callback_returns_the_state", callback.searchParams.get("state") === expectedState);

  step = "mix-up";
  // The library itself must see a foreign issuer, before any code is sent anywhere (RFC 9207).
  const mixedUp = new URL(callback);
  mixedUp.searchParams.set("iss", "https://attacker.example");
  const objection = await oauth
    .authorizationCodeGrant(config, mixedUp, { pkceCodeVerifier, expectedState })
    .then(() => "none", (refusal) => `${refusal.message} ${refusal.cause?.message}`);
  hold("a_foreign_issuer_is_seen", objection.includes('"iss"'));

  step = "redemption";
  const first = await oauth.authorizationCodeGrant(config, callback, { pkceCodeVerifier, expectedState });
  hold("tokens_are_issued", first.access_token && first.refresh_token);
  hold("token_type_is_bearer", first.token_type.toLowerCase() === "bearer");

  step = "refresh";
  const second = await oauth.refreshTokenGrant(config, first.refresh_token);
  const refreshToken = second.refresh_token ?? first.refresh_token;
  hold("refresh_gives_an_access_token", second.access_token);

  const isActive = async (token) => (await oauth.tokenIntrospection(config, token)).active === true;
  if (server.introspection_endpoint) {
    step = "introspection";
    hold("the_access_token_is_active", await isActive(second.access_token));
  }

  step = "revocation";
  await oauth.tokenRevocation(config, refreshToken, { token_type_hint: "refresh_token" });
  hold(
    "refreshing_again_is_invalid_grant",
    await isRefused(() => oauth.refreshTokenGrant(config, refreshToken), "invalid_grant"),
  );
  if (server.introspection_endpoint) {
    hold("the_access_token_is_inactive", await comesTrue(async () => !(await isActive(second.access_token))));
  }
  return { method, signIns, consents, rotated: refreshToken !== first.refresh_token, scope: second.scope ?? first.scope };
}

const manifest = new URL("node_modules/openid-client/package.json", import.meta.url);
const client = `openid-client ${JSON.parse(readFileSync(manifest, "utf8")).version}`;
try {
  const facts = await main();
  console.log(JSON.stringify({ ok: true, client, ...facts, checks }));
} catch (failure) {
  const { message, error, error_description: description, status, cause } = failure;
  const why = { message, error, description, status, cause: cause?.message ?? cause?.code };
  console.log(JSON.stringify({ ok: false, client, step, why, checks }));
  process.exitCode = 1;
}
