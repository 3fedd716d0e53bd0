/**
 * A relay that is killed without warning, again and again, at instants that the seed chooses, in the middle of its work.
 *
 * Each life: a watcher commands two integrations without pause, of which each is away, comes, or leaves with messages unacked. In
 * the end both come to stay, and take all that waits; once more after a proper stop, when nothing may come that was acked.
 */
import { Random } from "../../src/testing/random.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import type { Talk } from "../harness/socket.ts";
import type { Backend } from "./backends.ts";
import { setClock, WRONG_CLOCK } from "./clocks.ts";
import { type DeliveryCounts, DeliveryLog } from "./delivery-log.ts";
import {
  answer,
  command,
  greetIntegration,
  greetWatcher,
  order,
  receive,
  type RecipientName,
  RECIPIENTS,
  sync,
} from "./clients.ts";

export interface Torture {
  readonly kills: number;
  readonly seed: number;
  /** The machine's clock is set by hours, forward and back, between two lives and within each. */
  readonly isClockWrong?: boolean;
}

/** The furthest that a clock is from the right time: less than a message may wait. */
const JUMP_MS = 8 * 3_600_000;
/** The longest that a life lasts, from the first command on. */
const LIFE_MS = 300;
/** The longest that an integration is away, and that it is there; it forgets to acknowledge somewhere on the way. */
const STAY_MS = 100;
/** Commands that wait for their answers at a time, and the pause after them: below the speed at which the relay would refuse. */
const AT_ONCE_MAX = 6;
const PACE_MS = 10;

/** Tortures a relay with one backend, and gives the account of it. */
export function torture(
  { sets, runner }: Backend,
  { kills, seed, isClockWrong = false }: Torture,
): Promise<DeliveryCounts> {
  return inFolder(async (folder) => {
    const ledger = new DeliveryLog();
    const random = new Random(seed);
    const runs = isClockWrong ? WRONG_CLOCK : runner;
    const start = (): Promise<RelayProcess> => RelayProcess.start(folder, [...sets, "queue.per_recipient=20000"], runs);
    const clock = random.branch();
    const jump = (relay?: RelayProcess) => isClockWrong && setClock(folder, clock.between(-JUMP_MS, JUMP_MS), relay);
    await introduce(await start());
    for (let kill = 0; kill < kills; kill++) {
      jump();
      const relay = await start();
      const jumping = setTimeout(() => jump(relay), clock.between(0, LIFE_MS));
      await live(relay, ledger, random.branch());
      clearTimeout(jumping);
    }
    await settle(await start(), ledger);
    await settle(await start(), ledger);
    return ledger.tally;
  });
}

/** The relay learns the names, and has time to write them down. */
async function introduce(relay: RelayProcess): Promise<void> {
  for (const name of RECIPIENTS) {
    const talk = await greetIntegration(relay, name);
    await sync(talk);
    talk.close();
    await talk.closed;
  }
  await relay.stop();
}

/** One life, until it is killed. Whoever is cut off stops; that is what the kill is for. */
async function live(relay: RelayProcess, ledger: DeliveryLog, random: Random): Promise<void> {
  const watcher = await greetWatcher(relay);
  const commanding = commandOn(watcher, ledger, random.branch());
  const coming = RECIPIENTS.map((name) => comeAndGo(relay, name, { ledger, random: random.branch() }));
  await pause(random.between(5, LIFE_MS));
  await relay.stop("SIGKILL");
  await Promise.all([commanding, ...coming]);
}

/** Commands, some at a time, until the relay is gone. */
async function commandOn(watcher: Talk, ledger: DeliveryLog, random: Random): Promise<void> {
  while (watcher.isOpen) {
    const orders = Array.from(
      { length: random.between(1, AT_ONCE_MAX) },
      () => order(watcher, random.pick(...RECIPIENTS), ledger),
    );
    for (const number of orders) await answer(watcher, number, ledger).catch(() => undefined);
    await pause(PACE_MS);
  }
}

async function comeAndGo(relay: RelayProcess, name: RecipientName, { ledger, random }: Acting): Promise<void> {
  for (;;) {
    await pause(random.between(0, STAY_MS));
    const talk = await greetIntegration(relay, name).catch(() => undefined);
    if (talk === undefined) return;
    const leaving = pause(random.between(5, STAY_MS)).then(() => talk.close());
    const silentAt = performance.now() + random.between(0, STAY_MS);
    const acks = (): boolean => performance.now() < silentAt;
    await receive(talk, name, { ledger, acks }).catch(() => undefined); // Why: it ends with its connection.
    await leaving;
  }
}

interface Acting {
  readonly ledger: DeliveryLog;
  readonly random: Random;
}

/** Everybody is there and stays until all that waits has come, and the relay is stopped as it should be. */
async function settle(relay: RelayProcess, ledger: DeliveryLog): Promise<void> {
  const watcher = await greetWatcher(relay);
  for (const name of RECIPIENTS) {
    const talk = await greetIntegration(relay, name);
    const { number } = await command(watcher, name, ledger); // Why: it is the last in line, so all else comes before it.
    await receive(talk, name, { ledger, until: number });
    await sync(talk);
  }
  await relay.stop();
}

// Why a real clock: what is tried is a process that knows no other.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
