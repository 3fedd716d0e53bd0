/** `token`, `token list` and `token revoke`, as somebody at a terminal uses them. */
import { test } from "#runner";
import { hashText } from "../../../src/core/hash.ts";
import { check } from "../../harness/check.ts";
import { freePort } from "../storage/backends.ts";
import { CliFolder, untilOutput } from "./cli-process.ts";

test("SE109 tokens are made with their hashes, listed, issued, rotated and revoked at the running relay", async () => {
  const web = await freePort();
  const place = await CliFolder.make({});
  const made = JSON.parse((await place.run(["token", "--hash", "--json"])).out);
  check.equal(made.sha256, hashText(made.token));
  const lines = (await place.run(["token", "--hash"])).out.trimEnd().split("\n");
  check.equal(lines[1], `{sha256: ${hashText(lines[0] ?? "")}}`);
  const text = `
intermediary: {port: 0, tokens: [{name: lamp, token: a-token-of-the-lamp, scopes: [integration], expires: 2099-01-01}]}
nakurity-backend: {port: 0}
brain: {enabled: false}
web: {port: ${web}, token: {sha256: ${made.sha256}}}
queue: {backend: memory}
`;
  await place.write("my.yaml", text);
  const relay = place.start(["--config", "my.yaml"]);
  try {
    await untilOutput(relay, "stdout", /is ready/);
    const unknown = await place.run(["token", "list", "--config", "my.yaml"]);
    check.match(unknown.errors, /web\.token is a hash, .* NEURO_RELAY_TOKEN/);
    const run = (...words: string[]) =>
      place.run(["token", ...words, "--config", "my.yaml"], { NEURO_RELAY_TOKEN: made.token });
    const { out } = await run("list");
    check.match(
      out,
      /^web:web; valid; .*hashed\nintermediary:lamp; valid; scopes integration; expires 2099-01-01T00:00:00/,
    );
    const issued = await run("issue", "eye", "--scopes", "watch,command", "--names", "eye*", "--expires", "30d");
    check.match(issued.out, /^nr_[A-Za-z0-9_-]{43}\n$/);
    check.match(
      (await run("list")).out,
      /intermediary:eye@\w{8}; valid; scopes watch, command; names "eye\*"; expires .*; issued /,
    );
    check.match((await run("issue", "x", "--scopes", "everything")).errors, /\/scopes\/0/);
    check.match((await run("issue", "x", "--use", "web")).errors, /intermediary, neuro, brain/);
    const rotated = await run("rotate", "intermediary:lamp", "--overlap", "10m");
    check.match(rotated.out, /^nr_[A-Za-z0-9_-]{43}\n$/);
    check.match(
      (await run("list")).out,
      /intermediary:lamp@[0-9a-f]{8}; valid; scopes integration; expires 2099.*; issued /,
    );
    check.match((await run("rotate", "intermediary:lamp", "--overlap", "soon")).errors, /expected a duration such as/);
    check.equal((await run("revoke", "intermediary:lamp")).out, "revoked intermediary:lamp\n");
    check.match((await run("list")).out, /intermediary:lamp; revoked/);
    const missing = await run("revoke", "brain:x");
    check.equal([missing.status, missing.errors], [1, "no token has the id brain:x\n"]);
    check.equal(out.includes("a-token-of-the-lamp") || out.includes(made.sha256), false);
  } finally {
    relay.kill("SIGKILL");
    await place.remove();
  }
}, { timeoutMs: 60_000 });
