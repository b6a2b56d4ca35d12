// The MCP conformance tool's `authorization` scenarios against a running Consentry. The tool prints where a person has to
// go and waits; this script is that person's browser. The tool itself leaves with 0 although a scenario warned or was
// skipped, so what it wrote is read: every scenario it listed must have run, and every check must have passed.
// The client must be one that may authenticate with `none`, since the tool prefers that wherever it is advertised;
// it may be a registered client or a document's URL. RESOURCE may be set, or left out for the default.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { Browser, walk } from "./browser.mjs";
import { begin, hold, setting, tell, versioned } from "./report.mjs";

const NAME = "@modelcontextprotocol/conformance";

/** Runs the tool to its end, and answers with what it printed; `visit` goes where it sends the person. */
async function run(options, visit) {
  const program = fileURLToPath(new URL(`node_modules/${NAME}/dist/index.js`, import.meta.url));
  const tool = spawn(process.execPath, [program, "authorization", ...options], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve, reject) => tool.on("error", reject).on("close", (status) => resolve(status)));
  const lines = [];
  let visited;
  const listen = async (stream) => {
    for await (const line of createInterface({ input: stream })) {
      lines.push(line);
      if (!line.startsWith("http")) continue;
      // Without its callback the tool would wait for minutes.
      visited = visit(new URL(line)).catch((failure) => void tool.kill() ?? failure);
    }
  };
  const [status] = await Promise.all([ended, listen(tool.stdout), listen(tool.stderr)]);
  const stumbled = await visited;
  if (stumbled instanceof Error) throw stumbled;
  return { status, lines };
}

/** Every check of every scenario, from the folder that the tool made for each. */
async function checksUnder(folder) {
  const scenarios = await readdir(folder);
  const written = scenarios.map(async (scenario) => JSON.parse(await readFile(join(folder, scenario, "checks.json"), "utf8")));
  return { scenarios, checks: (await Promise.all(written)).flat() };
}

async function main() {
  const redirectUri = new URL(setting("REDIRECT_URI"));
  const person = { redirectUri: redirectUri.href, email: setting("EMAIL"), password: setting("PASSWORD") };
  const folder = await mkdtemp(join(tmpdir(), "conformance-"));
  const options = ["--url", setting("ISSUER"), "--client-id", setting("CLIENT_ID"), "--port", redirectUri.port];
  options.push("--output-dir", folder);
  if (process.env.RESOURCE) options.push("--resource", process.env.RESOURCE);
  let seen = {};
  try {
    begin("scenarios");
    const { status, lines } = await run(options, async (authorizationUrl) => {
      const { callback, ...counts } = await walk(authorizationUrl, person);
      seen = counts;
      await new Browser().open(callback);
    });

    begin("results");
    const announced = lines.map((line) => /^Running test \((\d+) scenarios\)/.exec(line)?.[1]).find(Boolean);
    const { scenarios, checks } = await checksUnder(folder);
    const unhappy = checks.filter((check) => check.status !== "SUCCESS");
    if (unhappy.length > 0) {
      const words = unhappy.map((it) => `${it.id}: ${it.status}: ${it.errorMessage}`);
      throw new Error(words.join("; "));
    }
    hold("every_scenario_ran", scenarios.length === Number(announced) && checks.length >= scenarios.length);
    hold("the_tool_is_content", status === 0);
    return { ...seen, resource: process.env.RESOURCE, passed: checks.map((check) => check.id).sort() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await tell(versioned(NAME), main);
