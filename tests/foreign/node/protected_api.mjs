// A small API protected by somebody else's authorization server: what ChatGPT connects to, where the server is foreign.
// It is an MCP server as far as a first message goes, with its metadata (RFC 9728), and the host of a classic plugin with
// its manifest and description. It judges a token by the server's published keys, issuer and lifetime, and where it is an
// MCP server by its own audience. Prints one line of JSON when it listens.

import http from "node:http";

import { createRemoteJWKSet, jwtVerify } from "jose";

import { setting } from "./report.mjs";

const issuer = setting("ISSUER");
const resource = new URL(setting("RESOURCE"));
const keys = createRemoteJWKSet(new URL(setting("JWKS_URI")));

const documents = {
  [`/.well-known/oauth-protected-resource${resource.pathname}`]: {
    resource: resource.href,
    authorization_servers: [issuer],
    scopes_supported: [setting("SCOPE")],
  },
  "/.well-known/ai-plugin.json": {
    schema_version: "v1",
    name_for_model: "todo",
    name_for_human: "Todo list",
    description_for_model: "Keeps a list of things to do.",
    description_for_human: "Keeps a list of things to do.",
    auth: {
      type: "oauth",
      client_url: setting("AUTHORIZE"),
      scope: setting("SCOPE"),
      authorization_url: setting("TOKEN"),
      authorization_content_type: "application/x-www-form-urlencoded",
      verification_tokens: {},
    },
    api: { type: "openapi", url: `${resource.origin}/openapi.json` },
    logo_url: `${resource.origin}/logo.png`,
    contact_email: "owner@example.com",
    legal_info_url: `${resource.origin}/legal`,
  },
  "/openapi.json": {
    openapi: "3.0.1",
    info: { title: "Todo list", version: "1" },
    servers: [{ url: resource.origin }],
    paths: { "/todos": { get: { operationId: "list", responses: { 200: { description: "What is to do." } } } } },
  },
};

async function answer(request, response) {
  const say = (status, body, headers) => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
  };
  const document = documents[request.url];
  if (document) return say(200, document, { "access-control-allow-origin": "*", "cache-control": "max-age=300" });
  const isMcp = request.url === resource.pathname;
  if (!isMcp && request.url !== "/todos") return say(404, {});
  const [, token] = (request.headers.authorization ?? "").split("Bearer ");
  try {
    await jwtVerify(token ?? "", keys, { issuer, ...(isMcp && { audience: resource.href }) });
  } catch {
    const metadata = `${resource.origin}/.well-known/oauth-protected-resource${resource.pathname}`;
    return say(401, {}, { "www-authenticate": `Bearer resource_metadata="${metadata}"` });
  }
  return say(200, isMcp ? { jsonrpc: "2.0", id: 1, result: {} } : []);
}

http.createServer(answer).listen(Number(resource.port), "127.0.0.1", () => {
  console.log(JSON.stringify({ ok: true, resource: resource.href }));
});
