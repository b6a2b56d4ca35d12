// A small real MCP server, protected by a running Consentry: the official TypeScript SDK over streamable HTTP, with one
// tool. It holds no secret of its own but the one to introspect with (RFC 7662), and judges a token by what the answer
// says: its audience must be this server (RFC 8707), its scopes those of the tool. Without such a token it answers with
// the SDK's own challenge, which names the resource's metadata (RFC 9728). That document is Consentry's to write: what is
// asked of this host's well-known places is passed on, as a proxy before both would do it.
// Its visitors are mcp.mjs and tests/foreign/python/mcp_flow.py. Prints one line of JSON when it listens.

import http from "node:http";

import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, McpServer, OAuthError, OAuthErrorCode, requireBearerAuth } from "@modelcontextprotocol/server";
import * as z from "zod";

import { setting } from "./report.mjs";

const issuer = setting("ISSUER");
const resource = new URL(setting("RESOURCE"));
const scopes = (process.env.SCOPE ?? "todo.read todo.write").split(" ");
const credentials = [setting("INTROSPECTION_CLIENT_ID"), setting("INTROSPECTION_CLIENT_SECRET")];
// Both halves are form-encoded before they are joined (RFC 6749 §2.3.1).
const basic = `Basic ${Buffer.from(credentials.map(encodeURIComponent).join(":")).toString("base64")}`;

async function verifyAccessToken(token) {
  const answer = await fetch(`${issuer}/introspect`, {
    method: "POST",
    headers: { authorization: basic, accept: "application/json" },
    body: new URLSearchParams({ token, token_type_hint: "access_token" }),
  });
  // An outage must not look like a bad token, or every client would throw its tokens away.
  if (!answer.ok) throw new OAuthError(OAuthErrorCode.ServerError, `introspection answered ${answer.status}`);
  const told = await answer.json();
  if (told.active !== true) throw new OAuthError(OAuthErrorCode.InvalidToken, "the token is not active");
  // The audience may be one or several (RFC 7519 §4.1.3); the SDK compares one with this server's own.
  const audiences = [told.aud ?? []].flat();
  const audience = audiences.find((it) => it === resource.href) ?? audiences[0];
  return {
    token,
    clientId: told.client_id,
    scopes: (told.scope ?? "").split(" ").filter(Boolean),
    expiresAt: told.exp,
    resource: audience === undefined ? undefined : new URL(audience),
    extra: { subject: told.sub },
  };
}

const items = new Map();

// One server for each request, as the SDK wants it where nothing is kept between two.
function todoServer({ authInfo }) {
  const server = new McpServer({ name: "todo", version: "1.0.0" });
  server.registerTool(
    "add_todo",
    { description: "Adds an item to the person's list.", inputSchema: z.object({ title: z.string() }) },
    ({ title }) => {
      const list = items.get(authInfo.extra.subject) ?? [];
      items.set(authInfo.extra.subject, [...list, title]);
      return { content: [{ type: "text", text: `added: ${title}` }] };
    },
  );
  return server;
}

const admit = requireBearerAuth({
  verifier: { verifyAccessToken },
  requiredScopes: scopes,
  resourceMetadataUrl: setting("RESOURCE_METADATA"),
  expectedResource: resource,
});
const handler = createMcpHandler(todoServer, { onerror: (error) => console.error(error) });
const serve = toNodeHandler({
  async fetch(request, options) {
    if (new URL(request.url).pathname !== resource.pathname) return new Response(null, { status: 404 });
    const authInfo = await admit(request);
    return authInfo instanceof Response ? authInfo : handler.fetch(request, { ...options, authInfo });
  },
});

/** Passes a request on to Consentry, which knows by the `Host` header whose document is asked for. */
function passOn(request, response) {
  const onward = http.request(new URL(request.url, issuer), { method: request.method, headers: request.headers });
  onward.on("response", (answer) => answer.pipe(response.writeHead(answer.statusCode, answer.headers)));
  onward.on("error", () => response.writeHead(502).end());
  request.pipe(onward);
}

const listening = http.createServer((request, response) => {
  if (request.url.startsWith("/.well-known/")) passOn(request, response);
  else serve(request, response);
});
listening.listen(Number(resource.port), "127.0.0.1", () => {
  console.log(JSON.stringify({ ok: true, resource: resource.href }));
});
