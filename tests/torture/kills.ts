/**
 * Kills a relay repeatedly during its work, at instants that the seed chooses.
 *
 * In each life a watcher sends commands to two integrations, which disconnect and reconnect, and leave messages unacknowledged. At the
 * end both stay connected and receive everything that waits; then once more after a proper stop, when no acked command may come again.
 */
import { Random } from "../../src/testing/random.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import type { JsonClient } from "../harness/json-client.ts";
import type { Backend } from "./backends.ts";
import { setClock, WRONG_CLOCK } from "./clocks.ts";
import { type DeliveryCounts, DeliveryLog } from "./delivery-log.ts";
import {
  connectIntegration,
  connectWatcher,
  receive,
  receiveReply,
  type RecipientName,
  RECIPIENTS,
  sendAndReceive,
  sendCommand,
  sync,
} from "./clients.ts";

export interface Torture {
  readonly kills: number;
  readonly seed: number;
  /** Sets the clock by hours, forward and back, between lives and during each. */
  readonly isClockWrong?: boolean;
}

/** The largest deviation of the clock: less than the TTL of a message. */
const JUMP_MS = 8 * 3_600_000;
/** The longest life, from the first command on. */
const LIFE_MS = 300;
/** The longest time for which an integration is disconnected, and connected; it stops acknowledging at some point. */
const STAY_MS = 100;
/** Concurrent commands, and the pause after them: below the rate limit. */
const AT_ONCE_MAX = 6;
const PACE_MS = 10;

/** Kills a relay with one backend `kills` times, and returns the counts. */
export function torture(
  { sets, runner }: Backend,
  { kills, seed, isClockWrong = false }: Torture,
): Promise<DeliveryCounts> {
  return inFolder(async (folder) => {
    const log = new DeliveryLog();
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
      await live(relay, log, random.branch());
      clearTimeout(jumping);
    }
    await settle(await start(), log);
    await settle(await start(), log);
    return log.counts;
  });
}

/** Makes the names known to the relay, and stored. */
async function introduce(relay: RelayProcess): Promise<void> {
  for (const name of RECIPIENTS) {
    const client = await connectIntegration(relay, name);
    await sync(client);
    client.close();
    await client.closed;
  }
  await relay.stop();
}

/** One life until the kill, which ends the clients as well. */
async function live(relay: RelayProcess, log: DeliveryLog, random: Random): Promise<void> {
  const watcher = await connectWatcher(relay);
  const commanding = commandOn(watcher, log, random.branch());
  const coming = RECIPIENTS.map((name) => comeAndGo(relay, name, { log, random: random.branch() }));
  await pause(random.between(5, LIFE_MS));
  await relay.stop("SIGKILL");
  await Promise.all([commanding, ...coming]);
}

/** Sends commands until the relay is killed. */
async function commandOn(watcher: JsonClient, log: DeliveryLog, random: Random): Promise<void> {
  while (watcher.isOpen) {
    const orders = Array.from(
      { length: random.between(1, AT_ONCE_MAX) },
      () => sendCommand(watcher, random.pick(...RECIPIENTS), log),
    );
    for (const number of orders) await receiveReply(watcher, number, log).catch(() => undefined);
    await pause(PACE_MS);
  }
}

async function comeAndGo(relay: RelayProcess, name: RecipientName, { log: log, random }: Acting): Promise<void> {
  for (;;) {
    await pause(random.between(0, STAY_MS));
    const client = await connectIntegration(relay, name).catch(() => undefined);
    if (client === undefined) return;
    const leaving = pause(random.between(5, STAY_MS)).then(() => client.close());
    const silentAt = performance.now() + random.between(0, STAY_MS);
    const acks = (): boolean => performance.now() < silentAt;
    await receive(client, name, { log, acks }).catch(() => undefined); // Why ignored: it ends with its connection.
    await leaving;
  }
}

interface Acting {
  readonly log: DeliveryLog;
  readonly random: Random;
}

/** Connects both integrations until everything has arrived, and stops the relay properly. */
async function settle(relay: RelayProcess, log: DeliveryLog): Promise<void> {
  const watcher = await connectWatcher(relay);
  for (const name of RECIPIENTS) {
    const client = await connectIntegration(relay, name);
    const { number } = await sendAndReceive(watcher, name, log); // Why: it is the last in the queue, so everything else comes before it.
    await receive(client, name, { log, until: number });
    await sync(client);
  }
  await relay.stop();
}

// Why a real clock: a real process is tested.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
