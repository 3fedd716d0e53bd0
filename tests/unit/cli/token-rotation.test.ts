/** Tokens that change while a relay runs: real processes and real signals. */
import type { ChildProcess } from "node:child_process";
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { denoPath } from "../../harness/machine.ts";
import { JsonClient } from "../../harness/json-client.ts";
import { CliFolder, exitStatus, untilOutput } from "./cli-process.ts";

const [OLD, NEW] = ["old-token-of-the-test", "new-token-of-the-test"];
const LONG = { timeoutMs: 60_000 };
const CONFIGURATION = `
intermediary:
  port: 0
  auth_token: {file: intermediary-token}
  tokens: [{name: overlap, token: that-stays, scopes: [integration]}]
nakurity-backend: {port: 0, token: {file: game-token}}
brain: {port: 0, token: same-as-ever}
web: {enabled: false}
queue: {backend: memory}
`;

interface Running {
  readonly place: CliFolder;
  readonly relay: ChildProcess;
  url(listener: string): string;
  /** All its output so far. */
  said(): string;
  greet(token: string): Promise<JsonClient>;
}

const isPosix = process.platform !== "win32";

async function running(run: (relay: Running) => Promise<void>, program?: readonly string[]): Promise<void> {
  const files = { "my.yaml": CONFIGURATION, "intermediary-token": `${OLD}\n`, "game-token": OLD };
  const place = await CliFolder.make(files);
  const relay = place.start(["--config", "my.yaml"], {}, program);
  let [said, peers] = ["", 0];
  for (const stream of [relay.stdout, relay.stderr]) stream?.setEncoding("utf8").on("data", (text) => (said += text));
  try {
    const ready = await untilOutput(relay, "stdout", /is ready/);
    const url = (label: string): string => ready.match(new RegExp(`\\[${label}\\] listening on (\\S+)`))?.[1] ?? "";
    const greet = async (token: string): Promise<JsonClient> => {
      const client = await JsonClient.open(url("Intermediary"));
      client.send({ type: "integration", name: `peer ${++peers}`, auth_token: token, ack: true });
      await client.next(({ event }) => event === "registered");
      return client;
    };
    await run({ place, relay, url, greet, said: () => said });
    for (const token of [OLD, NEW, "same-as-ever", "that-stays"]) check.that(!said.includes(token), said);
  } finally {
    relay.kill("SIGKILL");
    await place.remove();
  }
}

async function rotate({ place, relay, url, greet }: Running, howItHears: () => void): Promise<void> {
  const [integration, other] = [await greet(OLD), await greet("that-stays")];
  const [game, brain] = [
    await JsonClient.open(`${url("Nakurity Backend")}/?token=${OLD}`),
    await JsonClient.open(`${url("Brain")}/t/same-as-ever`),
  ];
  await place.write("intermediary-token", `${NEW}\n`);
  await place.write("game-token", NEW);
  const heard = untilOutput(relay, "stderr", /my\.yaml: reloaded/);
  howItHears();
  await heard;
  check.equal([await integration.closed, await game.closed], [4401, 4401]);
  await check.rejects(greet(OLD), /closed/);
  await check.rejects(JsonClient.open(`${url("Nakurity Backend")}/?token=${OLD}`), /no connection/);
  await greet(NEW);
  await JsonClient.open(`${url("Nakurity Backend")}/t/${NEW}/game/Chess`);
  check.equal([other.isOpen, brain.isOpen], [true, true], "connections that used another token stay open");
}

test(
  "CF34 SE14 IM8 a change of a secret file is applied, and connections that used the old token are closed",
  () => running((relay) => rotate(relay, () => {})),
  LONG,
);

if (isPosix) {
  test("CF32 CF34 SIGHUP reloads at once; a second one does no harm", () =>
    running((relay) =>
      rotate(relay, () => {
        relay.relay.kill("SIGHUP");
        relay.relay.kill("SIGHUP");
      })
    ), LONG);

  test("CF32 CF34 SIGHUP reloads at once on Deno", () => {
    const program = [denoPath(), "run", "--allow-all", "--no-check", "--node-modules-dir=manual"];
    return running((relay) => rotate(relay, () => void relay.relay.kill("SIGHUP")), program);
  }, LONG);

  test(
    "CF32 SIGHUP with an unchanged file, with a mistake in the file, and during shutdown does no harm",
    () =>
      running(async ({ place, relay, said }) => {
        relay.kill("SIGHUP");
        await untilOutput(relay, "stderr", /my\.yaml: reloaded/);
        await place.write("game-token", "");
        relay.kill("SIGHUP");
        await untilOutput(relay, "stderr", /not reloaded, the old settings stay: .*game-token is empty/);
        relay.kill("SIGTERM");
        relay.kill("SIGHUP");
        check.equal(await exitStatus(relay), 0, said());
      }),
    LONG,
  );
}
