/** A store that hangs for 30 s: the whole relay on virtual time. */
import { test } from "#runner";
import { DEFAULTS } from "../../src/core/defaults.ts";
import { check } from "../harness/check.ts";
import { LimitStage, type Peer } from "../limits/stage.ts";

const HANG_MS = 30_000;

const commands = (peer: Peer): number[] => peer.all(({ cmd }) => cmd !== undefined).map(({ message }) => message.cmd);
const answers = (peer: Peer): string[] =>
  peer.all(({ request_id }) => request_id !== undefined).map(({ message }) => message.status ?? message.error);

/** Every operation of the store hangs for the next 30 s. */
function hang(stage: LimitStage): void {
  const { disk, clock } = stage.world;
  const well = disk.health;
  const until = clock.now + HANG_MS;
  disk.health = {
    ...well,
    hangs: 1,
    get hangMs() {
      return until - clock.now;
    },
  };
  clock.after(HANG_MS, () => (disk.health = well));
}

test("QU93 while the store hangs for 30 s, peers are served and senders refused in time; then delivery resumes", async () => {
  const stage = await LimitStage.start(DEFAULTS);
  await stage.absent("away");
  const [here, watcher] = [await stage.integration("here"), await stage.watcher()];
  const order = (target: string, cmd: number) => watcher.say({ target, cmd, request_id: cmd });
  for (let cmd = 0; cmd < 10; cmd++) order("away", cmd);
  await stage.pass(5_000);
  hang(stage);
  const began = stage.now;
  for (let cmd = 10; cmd < 400; cmd++) order("away", cmd);
  order("here", 400);
  await stage.pass(1);
  check.equal(commands(here), [400], "whoever is here is served at once");
  await stage.until(() => answers(watcher).length === 401, HANG_MS);
  check.equal(stage.now - began, DEFAULTS.queue.write_timeout);
  check.equal(new Set(answers(watcher).slice(10, 400)), new Set(["queue unavailable"]));
  const back = await stage.integration("away", { acks: true });
  await stage.pass(10_000);
  order("here", 401);
  await stage.pass(1);
  check.equal(commands(here), [400, 401]);
  check.equal(commands(back), [], "what cannot be read is not sent");
  await stage.pass(HANG_MS);
  check.equal(commands(back), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const { message } of back.all(({ cmd }) => cmd !== undefined)) back.say({ ack: message.id });
  order("away", 402);
  await stage.pass(1_000);
  check.equal(commands(back).at(-1), 402);
  await stage.pass(120_000);
  stage.world.crash();
  await stage.world.started();
  const again = await stage.integration("away", { acks: true });
  await stage.pass(10_000);
  check.equal(commands(again).filter((cmd) => cmd !== 402), [], "nothing that was refused or acked comes to light");
});

test("QU93 a store that hangs when the relay starts is waited for", async () => {
  const stage = await LimitStage.start(DEFAULTS);
  stage.world.crash();
  hang(stage);
  stage.world.start();
  await stage.pass(HANG_MS - 1_000);
  check.equal(stage.world.engine, undefined);
  await stage.pass(5_000);
  check.that(stage.world.engine !== undefined);
});

test("QU93 acks during a hanging or failing store count, after a kill as well", async () => {
  for (const ill of [hang, (stage: LimitStage) => fail(stage)]) {
    const stage = await LimitStage.start(DEFAULTS);
    await stage.absent("away");
    const watcher = await stage.watcher();
    for (let cmd = 0; cmd < 10; cmd++) watcher.say({ target: "away", cmd });
    await stage.pass(1_000);
    const back = await stage.integration("away", { acks: true });
    await stage.until(() => commands(back).length === 10, 10_000);
    ill(stage);
    for (const { message } of back.all(({ cmd }) => cmd !== undefined)) back.say({ ack: message.id });
    await stage.pass(4 * HANG_MS);
    stage.world.crash();
    await stage.world.started();
    const again = await stage.integration("away", { acks: true });
    await stage.pass(10_000);
    check.equal(commands(again), []);
  }
});

/** Every operation of the store fails for the next 30 s. */
function fail(stage: LimitStage): void {
  const { disk, clock } = stage.world;
  const well = disk.health;
  disk.health = { ...well, fails: 1 };
  clock.after(HANG_MS, () => (disk.health = well));
}
