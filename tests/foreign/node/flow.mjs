// A foreign client: openid-client, as a plugin's owner would use it, against a running Consentry.
// It discovers the server (RFC 8414), sends a person through sign-in and consent in a browser that has no
// JavaScript, redeems, refreshes, introspects, revokes, and sees that what was revoked is gone.
// Prints one line of JSON, never a secret or a token; exits 0 only when every step held.
// Its twin in another language is tests/foreign/python/flow.py.

import { webcrypto } from "node:crypto";

import * as oauth from "openid-client";

import { walk } from "./browser.mjs";
import { begin, hold, setting, tell, versioned } from "./report.mjs";

// Node.js 18 keeps the Web Crypto API behind a flag, and the library expects it in the open.
globalThis.crypto ??= webcrypto;

const ATTEMPTS_MAX = 20;

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

  begin("discovery");
  const config = await oauth.discovery(issuer, clientId, undefined, methods[method](secret), {
    algorithm: "oauth2",
    execute: issuer.protocol === "http:" ? [oauth.allowInsecureRequests] : [],
  });
  const server = config.serverMetadata();
  hold("metadata_promises_iss", server.authorization_response_iss_parameter_supported === true);
  hold("metadata_promises_s256", server.code_challenge_methods_supported?.includes("S256"));
  hold("metadata_knows_the_method", server.token_endpoint_auth_methods_supported?.includes(method));

  begin("authorization");
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

  begin("mix-up");
  // The library itself must see a foreign issuer, before any code is sent anywhere (RFC 9207).
  const mixedUp = new URL(callback);
  mixedUp.searchParams.set("iss", "https://attacker.example");
  const objection = await oauth
    .authorizationCodeGrant(config, mixedUp, { pkceCodeVerifier, expectedState })
    .then(() => "none", (refusal) => `${refusal.message} ${refusal.cause?.message}`);
  hold("a_foreign_issuer_is_seen", objection.includes('"iss"'));

  begin("redemption");
  const first = await oauth.authorizationCodeGrant(config, callback, { pkceCodeVerifier, expectedState });
  hold("tokens_are_issued", first.access_token && first.refresh_token);
  hold("token_type_is_bearer", first.token_type.toLowerCase() === "bearer");

  begin("refresh");
  const second = await oauth.refreshTokenGrant(config, first.refresh_token);
  const refreshToken = second.refresh_token ?? first.refresh_token;
  hold("refresh_gives_an_access_token", second.access_token);

  const isActive = async (token) => (await oauth.tokenIntrospection(config, token)).active === true;
  if (server.introspection_endpoint) {
    begin("introspection");
    hold("the_access_token_is_active", await isActive(second.access_token));
  }

  begin("revocation");
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

await tell(versioned("openid-client"), main);
