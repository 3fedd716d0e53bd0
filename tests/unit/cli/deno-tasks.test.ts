/** The tasks of deno.json: each variant has the permissions of `serve`, and no more than its purpose needs. */
import { test } from "#runner";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../harness/check.ts";
import { ROOT } from "../../harness/machine.ts";

const { tasks } = JSON.parse(readFileSync(join(ROOT, "deno.json"), "utf8"));

/** The permissions in a command: each flag with its values. */
const permissionsOf = (command: string): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(
    [...command.matchAll(/--(allow-\w+)(?:=(\S+))?/g)].map(([, flag = "", values = ""]) => [flag, values.split(",")]),
  );

const ADDED: Readonly<Record<string, readonly string[]>> = {
  "serve:log": ["logs"],
  "serve:record": ["recordings"],
  "serve:kv": [],
};

test("CF51 the tasks of Deno have the permissions of serve and those of their purpose", () => {
  const base = permissionsOf(tasks.serve.command);
  check.equal(Object.keys(base).sort(), ["allow-env", "allow-net", "allow-read", "allow-write"]);
  for (const [name, folders] of Object.entries(ADDED)) {
    const permissions = permissionsOf(tasks[name].command);
    check.equal(Object.keys(permissions).sort(), Object.keys(base).sort(), name);
    for (const flag of ["allow-read", "allow-write"]) {
      check.equal(permissions[flag], [...folders, ...base[flag] ?? []], `${name} ${flag}`);
    }
  }
  check.that(tasks["serve:kv"].command.includes("--unstable-kv"));
});
