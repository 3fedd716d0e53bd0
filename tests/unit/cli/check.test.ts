import { test } from "#runner";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { check } from "../../harness/check.ts";
import { Place } from "./command.ts";

test("CF27 check prints what comes of a configuration, secrets hidden", async () => {
  const place = await Place.make({ "my.yaml": "intermediary: {port: 0, auth_token: hush-hush}\nqueue: {retry: 7000}\n" });
  const yaml = await place.run(["check", "--config", "my.yaml", "--set", "web.port=1"], { NEURO_RELAY_BRAIN__PORT: "2" });
  check.equal([yaml.status, yaml.errors], [0, ""]);
  check.match(yaml.out, /^intermediary:\n {2}enabled: true\n {2}host: 127\.0\.0\.1\n {2}port: 0\n {2}auth_token: "\*\*\*"/);
  check.match(yaml.out, /retry: 7s/);
  const json = JSON.parse((await place.run(["check", "--config", "my.yaml", "--json"])).out);
  check.equal([json.intermediary.port, json.queue.retry, json.intermediary.auth_token], [0, 7_000, "***"]);
  check.match(json.queue.path, /relay_message_queue$/);
  await place.remove();
});

test("CF27 what is wrong ends with status 2 and a line for each mistake", async () => {
  const place = await Place.make({ "my.yaml": "intermediary:\n  port: x\n  prot: 1\n" });
  const { status, out, errors } = await place.run(["check"], { NEURO_RELAY_CONFIG: "my.yaml" });
  check.equal([status, out], [2, ""]);
  check.equal(errors.trimEnd().split("\n"), [
    "my.yaml:2:3 intermediary.port: expected a port from 0 to 65535",
    "my.yaml:3:3 intermediary.prot: unknown setting; the nearest known one is port",
  ]);
  for (const words of [["check", "--bogus"], ["bogus"], ["queue", "bogus"]]) {
    check.equal((await place.run(words)).status, 2, words.join(" "));
  }
  await place.remove();
});

test("CF28 a file that is named and missing is an error; the default one may be missing", async () => {
  const place = await Place.make();
  check.equal(await place.run(["check", "--config", "nowhere.yaml"]), {
    status: 2,
    out: "",
    errors: "nowhere.yaml: there is no such file\n",
  });
  check.match((await place.run(["check", "--config", "."])).errors, /^\.: cannot be read: /);
  const without = await place.run(["check"]);
  check.equal(without.status, 0);
  check.match(without.errors, /^note: there is no config\/relay\.yaml; these are the defaults\n/);
  await mkdir(join(place.folder, "config"));
  await place.write("config/relay.yaml", "web: {port: 1234}");
  check.match((await place.run(["check"])).out, /port: 1234/);
  await place.remove();
});

test("CF29 token makes a token that nobody can guess", async () => {
  const place = await Place.make();
  const made = await Promise.all([place.run(["token"]), place.run(["token"]), place.run(["token", "--json"])]);
  const tokens = [made[0].out.trim(), made[1].out.trim(), JSON.parse(made[2].out).token];
  for (const token of tokens) check.match(token, /^nr_[A-Za-z0-9_-]{43}$/);
  check.equal(new Set(tokens).size, 3);
  await place.remove();
});

test("CF27 every command explains itself, and the program says its version", async () => {
  const place = await Place.make();
  for (const words of [[], ["serve"], ["check"], ["token"], ["queue"], ["queue", "list"], ["queue", "retry"], ["replay"]]) {
    const { status, out } = await place.run([...words, "--help"]);
    check.equal(status, 0);
    check.match(out, new RegExp(`^Usage: neuro-relay ${words.join(" ")}`));
  }
  check.match((await place.run(["--version"])).out, /^\d+\.\d+\.\d+ \(source, bun [\d.]+, \w+ \w+\)\n$/);
  await place.remove();
});
