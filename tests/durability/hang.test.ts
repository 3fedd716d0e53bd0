/** A store that hangs for 30 s: the whole relay on virtual time. */
import { test } from "#runner";
import { DEFAULTS } from "../../src/core/defaults.ts";
import { check } from "../harness/check.ts";
import { LimitFixture, type Peer } from "../limits/fixture.ts";

const HANG_MS = 30_000;

const commands = (peer: Peer): number[] => peer.all(({ cmd }) => cmd !== undefined).map(({ message }) => message.cmd);
const answers = (peer: Peer): string[] =>
  peer.all(({ request_id }) => request_id !== undefined).map(({ message }) => message.status ?? message.error);

/** Every operation of the store hangs for the next 30 s. */
function hang(fixture: LimitFixture): void {
  const { disk, clock } = fixture.simulation;
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
  const fixture = await LimitFixture.start(DEFAULTS);
  await fixture.absent("away");
  const [here, watcher] = [await fixture.integration("here"), await fixture.watcher()];
  const order = (target: string, cmd: number) => watcher.sendJson({ target, cmd, request_id: cmd });
  for (let cmd = 0; cmd < 10; cmd++) order("away", cmd);
  await fixture.advance(5_000);
  hang(fixture);
  const began = fixture.now;
  for (let cmd = 10; cmd < 400; cmd++) order("away", cmd);
  order("here", 400);
  await fixture.advance(1);
  check.equal(commands(here), [400], "a connected peer is served at once");
  await fixture.until(() => answers(watcher).length === 401, HANG_MS);
  check.equal(fixture.now - began, DEFAULTS.queue.write_timeout);
  check.equal(new Set(answers(watcher).slice(10, 400)), new Set(["queue unavailable"]));
  const back = await fixture.integration("away", { acks: true });
  await fixture.advance(10_000);
  order("here", 401);
  await fixture.advance(1);
  check.equal(commands(here), [400, 401]);
  check.equal(commands(back), [], "what cannot be read is not sent");
  await fixture.advance(HANG_MS);
  check.equal(commands(back), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const { message } of back.all(({ cmd }) => cmd !== undefined)) back.sendJson({ ack: message.id });
  order("away", 402);
  await fixture.advance(1_000);
  check.equal(commands(back).at(-1), 402);
  await fixture.advance(120_000);
  fixture.simulation.crash();
  await fixture.simulation.started();
  const again = await fixture.integration("away", { acks: true });
  await fixture.advance(10_000);
  check.equal(commands(again).filter((cmd) => cmd !== 402), [], "nothing that was refused or acked comes to light");
});

test("QU93 a relay waits for a store that hangs at its start", async () => {
  const fixture = await LimitFixture.start(DEFAULTS);
  fixture.simulation.crash();
  hang(fixture);
  fixture.simulation.start();
  await fixture.advance(HANG_MS - 1_000);
  check.equal(fixture.simulation.engine, undefined);
  await fixture.advance(5_000);
  check.that(fixture.simulation.engine !== undefined);
});

test("QU93 acks during a hanging or failing store count, after a kill as well", async () => {
  for (const ill of [hang, (fixture: LimitFixture) => fail(fixture)]) {
    const fixture = await LimitFixture.start(DEFAULTS);
    await fixture.absent("away");
    const watcher = await fixture.watcher();
    for (let cmd = 0; cmd < 10; cmd++) watcher.sendJson({ target: "away", cmd });
    await fixture.advance(1_000);
    const back = await fixture.integration("away", { acks: true });
    await fixture.until(() => commands(back).length === 10, 10_000);
    ill(fixture);
    for (const { message } of back.all(({ cmd }) => cmd !== undefined)) back.sendJson({ ack: message.id });
    await fixture.advance(4 * HANG_MS);
    fixture.simulation.crash();
    await fixture.simulation.started();
    const again = await fixture.integration("away", { acks: true });
    await fixture.advance(10_000);
    check.equal(commands(again), []);
  }
});

/** Every operation of the store fails for the next 30 s. */
function fail(fixture: LimitFixture): void {
  const { disk, clock } = fixture.simulation;
  const well = disk.health;
  disk.health = { ...well, fails: 1 };
  clock.after(HANG_MS, () => (disk.health = well));
}
