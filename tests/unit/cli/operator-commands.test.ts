/** `init`, `doctor`, `status`, `open` and `completion`, as somebody at a terminal uses them. */
import { test } from "#runner";
import { spawnSync } from "node:child_process";
import { stat } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { check } from "../../harness/check.ts";
import { JsonClient } from "../../harness/json-client.ts";
import { freePort } from "../storage/backends.ts";
import { CliFolder, exitStatus, untilOutput } from "./cli-process.ts";

/** A configuration with free ports. */
async function configuration(more = ""): Promise<string> {
  const ports = await Promise.all(
    ["intermediary", "nakurity-backend", "brain", "web"].map(async (block) => [block, await freePort()]),
  );
  return `${ports.map(([block, port]) => `${block}: {port: ${port}}`).join("\n")}\n${more}`;
}

test(
  "CF42 init writes a configuration with tokens of its own that only its owner can read, and replaces none",
  async () => {
    const place = await CliFolder.make({});
    const first = await place.run(["init"]);
    check.equal([first.status, first.out], [0, "wrote relay.yaml; `neuro-relay serve` reads it\n"]);
    check.equal((await stat(join(place.folder, "relay.yaml"))).mode & 0o777, 0o600);
    const { status, errors, out } = await place.run(["check", "--json"]);
    check.equal([status, errors], [0, ""], "no note about the published token");
    check.equal(JSON.parse(out).intermediary.host, "127.0.0.1");
    const again = await place.run(["init"]);
    check.equal([again.status, again.errors], [2, "relay.yaml exists; --force replaces it\n"]);
    check.equal((await place.run(["init", "--force"])).status, 0);
    const exposed = await place.run(["init", "far.yaml", "--network", "--upstream", "ws://10.0.0.1:8000"]);
    check.equal(exposed.status, 0);
    const far = JSON.parse((await place.run(["check", "--config", "far.yaml", "--json"])).out);
    check.equal([far["nakurity-backend"].host, far["nakurity-clients"][0].url], ["0.0.0.0", "ws://10.0.0.1:8000"]);
    const wrong = await place.run(["init", "wrong.yaml", "--upstream", "http://10.0.0.1"]);
    check.equal(wrong.status, 2);
    check.match(wrong.errors, /^wrong\.yaml:\d+:\d+ nakurity-client\.url: /);
    await place.remove();
  },
  { timeoutMs: 60_000 },
);

test("CF43 doctor names each problem with the setting, and fails if there is one", async () => {
  const place = await CliFolder.make({ "relay.yaml": await configuration() });
  const fine = await place.run(["doctor"]);
  check.equal([fine.status, fine.out.includes("FAIL")], [0, false], fine.out);
  const server = createServer().listen(0, "127.0.0.1");
  const { port } = server.address() as { readonly port: number };
  const bad = ["--set", `brain.port=${port}`, "--set", "queue.backend=redis", "--set", "queue.url=redis://127.0.0.1:1"];
  const upstream = ["--set", "nakurity-client.url=ws://127.0.0.1:1"];
  const broken = await place.run(["doctor", ...bad, ...upstream]);
  server.close();
  check.equal(broken.status, 1);
  check.match(
    broken.out,
    /FAIL {2}brain on 127\.0\.0\.1:\d+: another program uses the port; stop it, or set brain\.port\n/,
  );
  check.match(broken.out, /FAIL {2}queue \(redis\): no Redis at [^\n]*; set queue\.url or queue\.backend\n/);
  check.match(broken.out, /FAIL {2}upstream neuro at [^\n]*: cannot connect; start it, or set nakurity-client\.url\n/);
  await place.remove();
}, { timeoutMs: 60_000 });

test("CF44 status shows the running relay, and open its dashboard with the token", async () => {
  const place = await CliFolder.make({ "relay.yaml": await configuration() });
  const none = await place.run(["status"]);
  check.equal(none.status, 1);
  check.match(none.errors, /no relay answers at http:\/\/127\.0\.0\.1:\d+\n$/);
  const relay = place.start([]);
  const said = await untilOutput(relay, "stdout", /is ready/);
  const { status, out } = await place.run(["status"]);
  check.equal(status, 0);
  check.match(
    out,
    /^Neuro Relay \d+\.\d+\.\d+ is ready; it has run for \d+ s\nupstream relay: standalone, the relay acts as Neuro\n/,
  );
  check.match(out, /\n0 connected, 0 known and offline\n$/);
  check.equal(JSON.parse((await place.run(["status", "--json"])).out).peers, []);
  const [address] = /http:\S+#token=\w+/.exec(said) ?? [];
  check.equal((await place.run(["open", "--print"])).out.trim(), address);
  const doctor = await place.run(["doctor"]);
  check.equal(doctor.status, 0, doctor.out);
  relay.kill("SIGTERM");
  await exitStatus(relay);
  await place.remove();
}, { timeoutMs: 60_000 });

test(
  "CF60 shutdown, reregister, session, behaviour, approve and reject reach one integration, or all, of the running relay",
  async () => {
    const place = await CliFolder.make({ "relay.yaml": await configuration() });
    const none = await place.run(["shutdown", "--all"]);
    check.equal([none.status, none.out], [1, ""]);
    check.match(none.errors, /no relay answers at/);
    const relay = place.start([]);
    const said = await untilOutput(relay, "stdout", /is ready/);
    const game = await JsonClient.open(
      /ws:\S+/.exec(said.split("\n").find((line) => line.includes("Backend")) ?? "")?.[0] ?? "",
    );
    game.send({ command: "startup", game: "Chess" });
    await game.next(({ command }) => command === "startup");
    const all = await place.run(["shutdown", "--all"]);
    check.equal([all.status, all.out], [0, "asked 1 integration\n"]);
    await game.next(({ command }) => command === "shutdown/graceful");
    check.equal((await place.run(["shutdown", "chess", "--cancel"])).out, "asked 1 integration\n");
    check.equal((await place.run(["reregister", "chess", "--clear"])).out, "asked 1 integration\n");
    await game.next(({ command }) => command === "actions/reregister_all");
    check.equal((await place.run(["session", "chess"])).out, "asked 1 integration\n");
    await game.next(({ command }) => command === "startup");
    check.equal((await place.run(["behaviour", "lively", "chess"])).out, "Neuro is lively for chess\n");
    check.equal((await place.run(["behaviour", "clumsy", "--all"])).out, "Neuro is clumsy for all\n");
    check.match((await place.run(["status"])).out, /the relay acts as Neuro, clumsy\n/);
    check.equal((await place.run(["behaviour", "configured", "--all"])).out, "Neuro is played as configured for all\n");
    check.equal((await place.run(["reject", "chess"])).out, "rejected chess\n");
    check.equal((await place.run(["approve", "chess"])).out, "approved chess\n");
    check.match((await place.run(["approve", "nobody"])).errors, /no integration has the id nobody/);
    const unknown = await place.run(["reregister", "nobody"]);
    check.equal([unknown.status, unknown.errors], [1, "no integration has the id nobody\n"]);
    for (
      const words of [
        ["shutdown"],
        ["shutdown", "chess", "--all"],
        ["shutdown", "chess", "--immediate", "--cancel"],
        [
          "behaviour",
          "rude",
          "--all",
        ],
        ["behaviour", "lively"],
        ["approve"],
      ]
    ) {
      check.equal((await place.run(words)).status, 2, words.join(" "));
    }
    game.close();
    relay.kill("SIGTERM");
    await exitStatus(relay);
    await place.remove();
  },
  { timeoutMs: 60_000 },
);

test("CF45 completion completes commands, subcommands and options in bash", async () => {
  const place = await CliFolder.make({});
  const { out } = await place.run(["completion", "bash"]);
  const complete = (...words: readonly string[]): string =>
    spawnSync("bash", [
      "-c",
      `${out}\nCOMP_WORDS=(${words.join(" ")}); COMP_CWORD=${words.length - 1}; _neuro_relay; echo "\${COMPREPLY[@]}"`,
    ], {
      encoding: "utf8",
    }).stdout.trim();
  check.equal(complete("neuro-relay", "sta"), "status");
  check.equal(complete("neuro-relay", "queue", "re"), "retry");
  check.equal(complete("neuro-relay", "queue", "list", "--d"), "--dead");
  check.equal(complete("neuro-relay", "serve", "--po"), "--port");
  check.match((await place.run(["completion", "zsh"])).out, /^autoload -Uz bashcompinit/);
  check.match(
    (await place.run(["completion", "fish"])).out,
    /complete -c neuro-relay -n '__fish_use_subcommand' -a status/,
  );
  await place.remove();
}, { timeoutMs: 60_000 });
