// A foreign authorization server for the doctor: panva's oidc-provider with its development pages, in memory. KIND says
// how it is set up: `defaults` as it comes, with one client and nothing else; `connectors` as somebody would who lets
// assistants in, with registration and tokens for the API; `cured` with what the doctor said done as well.
// Prints one line of JSON when it listens.

import Provider, { errors } from "oidc-provider";

import { setting } from "./report.mjs";

const issuer = setting("ISSUER");
const resource = setting("RESOURCE");
const kind = setting("KIND");

const byHand = {
  client_id: setting("CLIENT_ID"),
  client_secret: setting("CLIENT_SECRET"),
  redirect_uris: [setting("REDIRECT_URI")],
  grant_types: ["authorization_code", "refresh_token"],
  token_endpoint_auth_method: "client_secret_post",
};

const forConnectors = {
  features: {
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo(_context, asked) {
        if (asked !== resource) throw new errors.InvalidTarget();
        return { scope: setting("SCOPE"), audience: resource, accessTokenFormat: "jwt" };
      },
    },
  },
};

const cured = {
  ...forConnectors,
  issueRefreshToken: (_context, client) => client.grantTypeAllowed("refresh_token"),
};

const settings = { defaults: { clients: [byHand] }, connectors: forConnectors, cured }[kind];

new Provider(issuer, settings).listen(Number(new URL(issuer).port), "127.0.0.1", () => {
  console.log(JSON.stringify({ ok: true, issuer }));
});
