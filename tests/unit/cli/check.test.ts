import { test } from "#runner";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { check } from "../../harness/check.ts";
import { CliFolder } from "./cli-process.ts";

test("CF27 check prints the resulting settings without secrets", async () => {
  const place = await CliFolder.make({
    "my.yaml": "intermediary: {port: 0, auth_token: hush-hush}\nqueue: {retry: 7000}\n",
  });
  const yaml = await place.run(["check", "--config", "my.yaml", "--set", "web.port=1"], { NEURO_RELAY_BRAIN__PORT: "2" });
  check.equal([yaml.status, yaml.errors], [0, ""]);
  check.match(
    yaml.out,
    /^intermediary:\n {2}enabled: true\n {2}host: 127\.0\.0\.1\n {2}port: 0\n {2}tls:\n {4}cert: ""\n {4}key: ""\n {2}auth_token: "\*\*\*"/,
  );
  check.match(yaml.out, /retry: 7s/);
  const json = JSON.parse((await place.run(["check", "--config", "my.yaml", "--json"])).out);
  check.equal([json.intermediary.port, json.queue.retry, json.intermediary.auth_token], [0, 7_000, "***"]);
  check.match(json.queue.path, /relay_message_queue$/);
  await place.remove();
});

test("CF27 check exits with status 2 and one line for each mistake", async () => {
  const place = await CliFolder.make({ "my.yaml": "intermediary:\n  port: x\n  prot: 1\n" });
  const { status, out, errors } = await place.run(["check"], { NEURO_RELAY_CONFIG: "my.yaml" });
  check.equal([status, out], [2, ""]);
  check.equal(errors.trimEnd().split("\n"), [
    'my.yaml:2:3 intermediary.port: expected a port from 0 to 65535, got "x"',
    "my.yaml:3:3 intermediary.prot: unknown setting; did you mean port?",
  ]);
  for (const words of [["check", "--bogus"], ["bogus"], ["queue", "bogus"]]) {
    check.equal((await place.run(words)).status, 2, words.join(" "));
  }
  await place.remove();
});

test("CF28 a named file that is missing is an error; a missing default file is a note", async () => {
  const place = await CliFolder.make();
  check.equal(await place.run(["check", "--config", "nowhere.yaml"]), {
    status: 2,
    out: "",
    errors: "nowhere.yaml: no such file\n",
  });
  check.match((await place.run(["check", "--config", "."])).errors, /^\.: cannot be read: /);
  const without = await place.run(["check"]);
  check.equal(without.status, 0);
  check.match(without.errors, /^note: no relay\.yaml and no config\/relay\.yaml; every setting has its default\n/);
  await mkdir(join(place.folder, "config"));
  await place.write("config/relay.yaml", "web: {port: 1234}");
  check.match((await place.run(["check"])).out, /port: 1234/);
  await place.write("relay.yaml", "web: {port: 4321}");
  check.match((await place.run(["check"])).out, /port: 4321/);
  await place.remove();
});

test("CF29 token prints a random token of 256 bits", async () => {
  const place = await CliFolder.make();
  const made = await Promise.all([place.run(["token"]), place.run(["token"]), place.run(["token", "--json"])]);
  const tokens = [made[0].out.trim(), made[1].out.trim(), JSON.parse(made[2].out).token];
  for (const token of tokens) check.match(token, /^nr_[A-Za-z0-9_-]{43}$/);
  check.equal(new Set(tokens).size, 3);
  await place.remove();
});

test("CF27b every command has --help, and the program has --version", async () => {
  const place = await CliFolder.make();
  for (const words of [[], ["serve"], ["check"], ["token"], ["queue"], ["queue", "list"], ["queue", "retry"], ["replay"]]) {
    const { status, out } = await place.run([...words, "--help"]);
    check.equal(status, 0);
    check.match(out, new RegExp(`^Usage: neuro-relay ${words.join(" ")}`));
  }
  check.match((await place.run(["--version"])).out, /^\d+\.\d+\.\d+ \(source, bun [\d.]+, \w+ \w+\)\n$/);
  await place.remove();
});
