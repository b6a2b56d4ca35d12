// A foreign client: the OAuth client of the official MCP TypeScript SDK, against a small MCP server (mcp_server.mjs)
// that a running Consentry protects. The SDK does everything: a refused call, the resource's metadata (RFC 9728), the
// server's (RFC 8414), a client ID metadata document or registration (RFC 7591), PKCE, the resource indicator
// (RFC 8707), tokens, the tool call, refresh; then 20 workers refresh one token at once.
// MODE is `document`, `registration` or `by_hand`; SDK is 2, or 1 for the older package which most of the field still
// runs.
// Its twin in another language is tests/foreign/python/mcp_flow.py.

import { randomUUID } from "node:crypto";

import { walk } from "./browser.mjs";
import { begin, hold, setting, tell, versioned } from "./report.mjs";

const WORKERS = 20;
const TITLE = "buy milk";

const isOlder = process.env.SDK === "1";
const sdk = isOlder
  ? {
      ...(await import("@modelcontextprotocol/sdk/client/index.js")),
      ...(await import("@modelcontextprotocol/sdk/client/auth.js")),
      ...(await import("@modelcontextprotocol/sdk/client/streamableHttp.js")),
    }
  : await import("@modelcontextprotocol/client");

// The SDK warns on the console of what it recovers from; the console is this script's to report on.
const warnings = [];
console.warn = (...words) => warnings.push(words.join(" "));

/** What the SDK asks its user to keep, kept in memory: one connection of one client. */
class Connection {
  #kept = {};
  authorizationUrls = [];
  expectedState = randomUUID();

  constructor(settings) {
    this.settings = settings;
    // What an owner was given belongs to the server that gave it, and the SDK wants to be told which.
    if (settings.given) this.#kept.client = { ...settings.given, issuer: settings.issuer };
    if (settings.mode === "document") this.clientMetadataUrl = settings.clientId;
    if (settings.key) {
      this.addClientAuthentication = sdk.createPrivateKeyJwtAuth({
        issuer: settings.clientId,
        subject: settings.clientId,
        privateKey: settings.key,
        alg: settings.key.alg,
      });
    }
  }

  get redirectUrl() {
    return this.settings.redirectUri;
  }

  get clientMetadata() {
    const metadata = {
      client_name: "A foreign MCP client",
      redirect_uris: [this.settings.redirectUri],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
    };
    return this.settings.method ? { ...metadata, token_endpoint_auth_method: this.settings.method } : metadata;
  }

  state = () => this.expectedState;
  clientInformation = () => this.#kept.client;
  saveClientInformation = (client) => void (this.#kept.client = client);
  tokens = () => this.#kept.tokens;
  saveTokens = (tokens) => void (this.#kept.tokens = tokens);
  codeVerifier = () => this.#kept.verifier;
  saveCodeVerifier = (verifier) => void (this.#kept.verifier = verifier);
  discoveryState = () => this.#kept.discovery;
  saveDiscoveryState = (discovery) => void (this.#kept.discovery = discovery);
  redirectToAuthorization = (url) => void this.authorizationUrls.push(url);

  /** The SDK refreshes when it is refused, so the access token is made one that nobody issued. */
  loseAccessToken() {
    this.#kept.tokens = { ...this.#kept.tokens, access_token: "lost" };
  }

  /** Another process of the same user: it knows the client, but has tokens of its own. */
  worker(tokens) {
    const other = new Connection(this.settings);
    other.#kept = { ...this.#kept, tokens: { ...tokens, issuer: this.#kept.tokens.issuer } };
    return other;
  }
}

function transport(connection) {
  return new sdk.StreamableHTTPClientTransport(new URL(connection.settings.resource), { authProvider: connection });
}

function mcpClient() {
  // The newer package speaks the oldest protocol unless it is told to ask for a newer one.
  return new sdk.Client({ name: "foreign", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
}

async function addTodo(connection) {
  const client = mcpClient();
  await client.connect(transport(connection));
  try {
    const answer = await client.callTool({ name: "add_todo", arguments: { title: TITLE } });
    return answer.isError ? `error: ${answer.content[0]?.text}` : answer.content[0]?.text;
  } finally {
    await client.close();
  }
}

function settings() {
  const mode = setting("MODE");
  if (!["document", "registration", "by_hand"].includes(mode)) throw new Error(`MODE is ${mode}`);
  const clientId = mode === "registration" ? undefined : setting("CLIENT_ID");
  const secret = process.env.CLIENT_SECRET ? { client_secret: process.env.CLIENT_SECRET } : {};
  return {
    mode,
    clientId,
    given: mode === "by_hand" ? { client_id: clientId, ...secret } : undefined,
    key: process.env.PRIVATE_KEY_JWK ? JSON.parse(process.env.PRIVATE_KEY_JWK) : undefined,
    issuer: setting("ISSUER"),
    resource: setting("RESOURCE"),
    redirectUri: setting("REDIRECT_URI"),
    // Unset, the client registers without naming a method, as many do.
    method: process.env.TOKEN_AUTH_METHOD,
  };
}

/** From a refused call to tokens, through the person's browser. */
async function link(connection) {
  const { settings: told } = connection;
  begin("first call");
  const waiting = transport(connection);
  const refusal = await mcpClient().connect(waiting).then(() => undefined, (error) => error);
  if (!(refusal instanceof sdk.UnauthorizedError)) throw refusal ?? new Error("the first call was not refused");
  const [authorizationUrl] = connection.authorizationUrls;
  const asked = authorizationUrl.searchParams;
  hold("asks_for_the_resource", asked.get("resource") === told.resource);
  hold("asks_with_s256", asked.get("code_challenge_method") === "S256");
  hold("asks_for_the_challenged_scope", asked.get("scope") === (process.env.SCOPE ?? "todo.read todo.write"));
  const { client_id: clientId } = connection.clientInformation();
  if (told.mode === "registration") hold("a_client_was_registered", clientId && !clientId.startsWith("https://"));
  else hold("the_client_is_the_one_it_was_told", clientId === told.clientId);

  begin("authorization");
  const person = { redirectUri: told.redirectUri, email: setting("EMAIL"), password: setting("PASSWORD") };
  const { callback, signIns, consents } = await walk(authorizationUrl, person);
  hold("callback_names_the_issuer", callback.searchParams.get("iss") === told.issuer);
  hold("callback_returns_the_state", callback.searchParams.get("state") === connection.expectedState);

  if (!isOlder) {
    begin("mix-up");
    // The SDK itself must see a foreign issuer, before any code is sent anywhere (RFC 9207).
    const mixedUp = new URLSearchParams(callback.searchParams);
    mixedUp.set("iss", "https://attacker.example");
    const objection = await waiting.finishAuth(mixedUp).then(() => undefined, (error) => error);
    hold("a_foreign_issuer_is_seen", objection instanceof sdk.IssuerMismatchError);
  }

  begin("redemption");
  // The older package never looks at the issuer: it takes the code alone.
  await waiting.finishAuth(isOlder ? callback.searchParams.get("code") : callback.searchParams);
  const tokens = connection.tokens();
  hold("tokens_are_issued", tokens.access_token && tokens.refresh_token);
  return { clientId, signIns, consents };
}

async function refreshAtOnce(connection) {
  const { authorizationServerUrl, authorizationServerMetadata: metadata } = connection.discoveryState();
  const { refresh_token: refreshToken } = connection.tokens();
  const refresh = () =>
    sdk.refreshAuthorization(authorizationServerUrl, {
      metadata,
      clientInformation: connection.clientInformation(),
      refreshToken,
      resource: new URL(connection.settings.resource),
      addClientAuthentication: connection.addClientAuthentication,
    });
  return Promise.all(Array.from({ length: WORKERS }, refresh));
}

async function main() {
  const told = settings();
  const connection = new Connection(told);
  const { clientId, signIns, consents } = await link(connection);

  begin("tool call");
  const toolAnswer = await addTodo(connection);
  hold("the_tool_answers", toolAnswer === `added: ${TITLE}`);

  begin("refresh");
  const first = connection.tokens();
  connection.loseAccessToken();
  hold("the_tool_answers_after_a_refresh", (await addTodo(connection)) === toolAnswer);
  const second = connection.tokens();
  hold("refresh_gives_an_access_token", !["lost", first.access_token].includes(second.access_token));

  begin("parallel refresh");
  const answers = await refreshAtOnce(connection);
  hold("every_worker_gets_tokens", answers.every((it) => it.access_token && it.refresh_token));
  const workers = answers.map((tokens) => connection.worker(tokens));
  const said = await Promise.all(workers.map(addTodo));
  hold("every_worker_is_answered", said.every((it) => it === toolAnswer));
  hold("no_worker_refreshes_again", workers.every((it, at) => it.tokens().access_token === answers[at].access_token));

  begin("refresh after the parallel ones");
  const last = workers.at(-1);
  last.loseAccessToken();
  hold("the_last_answer_refreshes", (await addTodo(last)) === toolAnswer);

  const everyone = [connection, ...workers].flatMap((it) => it.authorizationUrls);
  hold("the_person_was_asked_once", everyone.length === 1);
  if (warnings.length > 0) throw new Error(`the SDK warned: ${warnings.join("; ")}`);
  return {
    clientId,
    mode: told.mode,
    scope: second.scope,
    signIns,
    consents,
    toolAnswer,
    rotated: second.refresh_token !== first.refresh_token,
    parallel: answers.length,
    successors: new Set(answers.map((it) => it.refresh_token)).size,
    issChecked: !isOlder,
  };
}

await tell(versioned(isOlder ? "@modelcontextprotocol/sdk" : "@modelcontextprotocol/client"), main);
