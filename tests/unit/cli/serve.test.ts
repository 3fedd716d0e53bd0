import { test } from "#runner";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { check } from "../../harness/check.ts";
import { denoPath } from "../../harness/machine.ts";
import { CliFolder, exitStatus, untilOutput } from "./cli-process.ts";

const QUIET =
  "intermediary: {port: 0, auth_token: own}\nnakurity-backend: {port: 0}\nbrain: {port: 0}\nweb: {port: 0}\nlog: {level: error}\n";

test("CF31b serve is the default command, runs until it is stopped, and follows its file", async () => {
  const place = await CliFolder.make({ "my.yaml": QUIET });
  const relay = place.start(["--config", "my.yaml"]);
  await untilOutput(relay, "stdout", /\[Intermediary\] listening on ws:\/\/127\.0\.0\.1:\d+\n[^]*Neuro Relay is ready\n/);
  await place.write("my.yaml", `${QUIET}queue: {retry: 7s, backend: memory}\n`);
  await untilOutput(relay, "stderr", /my\.yaml: reloaded\nnote: my\.yaml: needs a restart: queue\.backend\n/);
  await place.write("my.yaml", "intermediary: {port: x}\n");
  await untilOutput(
    relay,
    "stderr",
    /my\.yaml: not reloaded, the old settings stay: my\.yaml:1:16 intermediary\.port: expected a port/,
  );
  relay.kill("SIGTERM");
  check.equal(await exitStatus(relay), 0);
  await place.remove();
}, { timeoutMs: 60_000 });

test("CF31c serve says that it is stopping; `--port` sets the port for games", async () => {
  const place = await CliFolder.make({ "relay.yaml": QUIET });
  const relay = place.start(["--port", "0"]);
  const said = untilOutput(relay, "stderr", /Stopping: pending actions are finished/);
  await untilOutput(relay, "stdout", /is ready/);
  relay.kill("SIGINT");
  await said;
  check.equal(await exitStatus(relay), 0);
  const wrong = await place.run(["serve", "--port", "none"]);
  check.equal([wrong.status, wrong.errors], [
    2,
    '--set nakurity-backend.port: expected a port from 0 to 65535, got "none"\n',
  ]);
  const unknown = await place.run(["serv"]);
  check.equal([unknown.status, unknown.errors], [2, 'unknown command "serv"; did you mean serve?\n']);
  await place.remove();
}, { timeoutMs: 60_000 });

test(
  "CF46 without a path, queue and token are in the user's folder for state, or the service's; a queue that is there already is used",
  async () => {
    const place = await CliFolder.make({ "relay.yaml": QUIET });
    const stopped = async (environment: Readonly<Record<string, string>>): Promise<void> => {
      const relay = place.start([], environment);
      await untilOutput(relay, "stdout", /is ready/);
      relay.kill("SIGTERM");
      await exitStatus(relay);
    };
    const files = (folder: string): Promise<string[]> =>
      readdir(join(place.folder, folder)).then((names) => names.sort(), () => []);
    const expected = ["relay_message_queue", "relay_message_queue.web-token"];
    await stopped({});
    check.equal(await files(".local/state/neuro-relay"), expected);
    await stopped({ XDG_STATE_HOME: join(place.folder, "xdg") });
    check.equal(await files("xdg/neuro-relay"), expected);
    await stopped({ STATE_DIRECTORY: join(place.folder, "service") });
    check.equal(await files("service"), expected);
    await mkdir(join(place.folder, "relay_message_queue"));
    await stopped({ XDG_STATE_HOME: join(place.folder, "other") });
    check.equal(await files("other"), []);
    check.that((await files(".")).includes("relay_message_queue.web-token"));
    await place.remove();
  },
  { timeoutMs: 60_000 },
);

test("CF31 serve reports a failure to start in one line and exits with status 2", async () => {
  const place = await CliFolder.make({ "my.yaml": QUIET });
  const wrong = await place.run(["serve", "--config", "my.yaml", "--set", "web.port=x"]);
  check.equal([wrong.status, wrong.errors], [2, '--set web.port: expected a port from 0 to 65535, got "x"\n']);
  const relay = place.start(["serve", "--config", "my.yaml"]);
  const said = await untilOutput(relay, "stdout", /is ready/);
  const port = /\[Intermediary\] listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1] ?? "";
  const second = await place.run([
    "serve",
    "--config",
    "my.yaml",
    "--set",
    `intermediary.port=${port}`,
    "--set",
    "queue.path=other",
  ]);
  check.equal([second.status, second.errors], [2, `intermediary.port: ${port} on 127.0.0.1 is in use\n`]);
  const third = await place.run(["serve", "--config", "my.yaml"]);
  check.equal(third.status, 2);
  check.match(third.errors, /^queue: .*relay_message_queue is in use by process \d+ since [^\n]*\n$/);
  relay.kill("SIGTERM");
  await exitStatus(relay);
  await place.remove();
}, { timeoutMs: 60_000 });

test("OB7 a log file that cannot be written to keeps the relay from starting, with the name of the setting", async () => {
  const place = await CliFolder.make({ "my.yaml": QUIET });
  const words = ["--config", "my.yaml", "--set", "queue.backend=memory", "--set", "log.file=no/such/folder/x.log"];
  const onDeno = [denoPath(), "run", "--allow-all", "--no-check", "--node-modules-dir=manual"];
  for (const program of [undefined, onDeno]) {
    const { status, errors } = await place.run(words, {}, program);
    check.equal(status, 2, errors);
    check.match(errors, /^log\.file: \.\/no\/such\/folder\/x\.log cannot be written: .*\n$/);
  }
  await place.remove();
}, { timeoutMs: 60_000 });
