// How every script beside this file speaks: settings come from the environment, steps and checks are remembered, and
// the end is one line of JSON, never with a secret or a token, and a status that is 0 only when every step held.
// Its twin in another language is tests/foreign/python/report.py.

import { readFileSync } from "node:fs";

const checks = {};
let step = "settings";

/** A setting that must be there. */
export function setting(name) {
  const value = process.env[name];
  if (value === undefined) throw new Error(`the environment does not set ${name}`);
  return value;
}

/** Says which step begins, so that a failure tells how far it came. */
export function begin(name) {
  step = name;
}

/** Remembers a check, which must hold. */
export function hold(name, truth) {
  checks[name] = Boolean(truth);
  if (!truth) throw new Error(`${name} does not hold`);
}

/** A package's name with its installed version. */
export function versioned(name) {
  const manifest = new URL(`node_modules/${name}/package.json`, import.meta.url);
  return `${name} ${JSON.parse(readFileSync(manifest, "utf8")).version}`;
}

/** Runs a script to its end and tells how it went. */
export async function tell(client, main) {
  try {
    const facts = await main();
    console.log(JSON.stringify({ ok: true, client, ...facts, checks }));
  } catch (failure) {
    const { message, error, error_description: description, status, cause } = failure;
    const code = failure.code ?? failure.errorCode;
    const why = { message, error, description, code, status, cause: cause?.message ?? cause?.code };
    console.log(JSON.stringify({ ok: false, client, step, why, checks }));
    process.exitCode = 1;
  }
}
