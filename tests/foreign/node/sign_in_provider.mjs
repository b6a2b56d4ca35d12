// Another service that people sign in at: panva's oidc-provider with its development pages, or (KIND=oauth) the least
// that OAuth 2 alone asks for. PEOPLE maps what is typed as the login to what is said of that person. It speaks TLS, as
// everybody does whom a server believes.

import { createHash } from "node:crypto";
import { createServer } from "node:https";

import Provider from "oidc-provider";

import { setting } from "./report.mjs";

const issuer = setting("ISSUER");
const people = JSON.parse(setting("PEOPLE"));
const client = { client_id: setting("CLIENT_ID"), client_secret: setting("CLIENT_SECRET") };

function openid() {
  const provider = new Provider(issuer, {
    clients: [{ ...client, redirect_uris: [setting("REDIRECT_URI")], grant_types: ["authorization_code"] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    // Half of all providers put who somebody is into the ID token, the others behind the token.
    conformIdTokenClaims: setting("KIND") === "openid",
    findAccount: (_context, id) => people[id] && { accountId: id, claims: () => ({ sub: id, ...people[id] }) },
  });
  return provider.callback();
}

// Whoever the address names is signed in at once: ?login=NAME is added by the test.
function oauth() {
  const redeemable = new Map();
  const json = (response, status, body) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  return async (request, response) => {
    const url = new URL(request.url, issuer);
    const asked = Object.fromEntries(url.searchParams);
    if (url.pathname === "/authorize") {
      const code = `code-${redeemable.size}`;
      redeemable.set(code, asked);
      const back = new URL(asked.redirect_uri);
      back.search = new URLSearchParams({ code, state: asked.state });
      return response.writeHead(302, { location: back.href }).end();
    }
    if (url.pathname === "/token") {
      let text = "";
      for await (const chunk of request) text += chunk;
      const form = Object.fromEntries(new URLSearchParams(text));
      const left = redeemable.get(form.code);
      redeemable.delete(form.code);
      const challenge = createHash("sha256").update(form.code_verifier ?? "").digest("base64url");
      const good = form.client_id === client.client_id && form.client_secret === client.client_secret
        && left?.redirect_uri === form.redirect_uri && left?.code_challenge === challenge;
      if (!good) return json(response, 400, { error: "invalid_grant" });
      return json(response, 200, { access_token: left.login, token_type: "bearer" });
    }
    const person = people[request.headers.authorization?.replace("Bearer ", "")];
    if (!person) return json(response, 401, {});
    if (url.pathname === "/user") return json(response, 200, { id: person.id, name: person.name, email: "shown@elsewhere.example" });
    if (url.pathname === "/user/emails") return json(response, 200, person.emails);
    return json(response, 404, {});
  };
}

const tls = { key: setting("TLS_KEY"), cert: setting("TLS_CERT") };
createServer(tls, setting("KIND") === "oauth" ? oauth() : openid()).listen(Number(new URL(issuer).port), "127.0.0.1");
