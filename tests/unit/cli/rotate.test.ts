/** Tokens that change while a relay runs, as Docker, systemd or a person changes them: real processes, real signals. */
import type { ChildProcess } from "node:child_process";
import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { denoPath } from "../../harness/machine.ts";
import { Talk } from "../../harness/socket.ts";
import { end, Place, until } from "./command.ts";

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
  readonly place: Place;
  readonly relay: ChildProcess;
  url(listener: string): string;
  /** All that it has said. */
  said(): string;
  greet(token: string): Promise<Talk>;
}

const isPosix = process.platform !== "win32";

async function running(run: (relay: Running) => Promise<void>, program?: readonly string[]): Promise<void> {
  const files = { "my.yaml": CONFIGURATION, "intermediary-token": `${OLD}\n`, "game-token": OLD };
  const place = await Place.make(files);
  const relay = place.start(["--config", "my.yaml"], {}, program);
  let [said, peers] = ["", 0];
  for (const stream of [relay.stdout, relay.stderr]) stream?.setEncoding("utf8").on("data", (text) => (said += text));
  try {
    const ready = await until(relay, "stdout", /is ready/);
    const url = (label: string): string => ready.match(new RegExp(`\\[${label}\\] listening on (\\S+)`))?.[1] ?? "";
    const greet = async (token: string): Promise<Talk> => {
      const talk = await Talk.open(url("Intermediary"));
      talk.send({ type: "integration", name: `peer ${++peers}`, auth_token: token, ack: true });
      await talk.next(({ event }) => event === "registered");
      return talk;
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
    await Talk.open(`${url("Nakurity Backend")}/?token=${OLD}`),
    await Talk.open(`${url("Brain")}/t/same-as-ever`),
  ];
  await place.write("intermediary-token", `${NEW}\n`);
  await place.write("game-token", NEW);
  const heard = until(relay, "stderr", /my\.yaml: the changes are in force/);
  howItHears();
  await heard;
  check.equal([await integration.closed, await game.closed], [4401, 4401]);
  await check.rejects(greet(OLD), /closed/);
  await check.rejects(Talk.open(`${url("Nakurity Backend")}/?token=${OLD}`), /no connection/);
  await greet(NEW);
  await Talk.open(`${url("Nakurity Backend")}/t/${NEW}/game/Chess`);
  check.equal([other.isOpen, brain.isOpen], [true, true], "who came by another token stays");
}

test(
  "CF34 SE14 IM8 a token's file that changes is followed; who came by the old one is closed",
  () => running((relay) => rotate(relay, () => {})),
  LONG,
);

if (isPosix) {
  test("CF32 CF34 SIGHUP has it read at once, twice as well as once", () =>
    running((relay) =>
      rotate(relay, () => {
        relay.relay.kill("SIGHUP");
        relay.relay.kill("SIGHUP");
      })
    ), LONG);

  test("CF32 CF34 on Deno, too", () => {
    const program = [denoPath(), "run", "--allow-all", "--no-check", "--node-modules-dir=manual"];
    return running((relay) => rotate(relay, () => void relay.relay.kill("SIGHUP")), program);
  }, LONG);

  test(
    "CF32 SIGHUP with nothing changed, with a mistake in the file, and while it stops",
    () =>
      running(async ({ place, relay, said }) => {
        relay.kill("SIGHUP");
        await until(relay, "stderr", /the changes are in force/);
        await place.write("game-token", "");
        relay.kill("SIGHUP");
        await until(relay, "stderr", /the old settings stay: .*game-token is empty/);
        relay.kill("SIGTERM");
        relay.kill("SIGHUP");
        check.equal(await end(relay), 0, said());
      }),
    LONG,
  );
}
