/**
 * Kills a relay repeatedly during its work, at instants that the seed chooses.
 *
 * In each life a watcher sends commands to two integrations, which disconnect and reconnect, and leave messages unacknowledged. At the
 * end both stay connected and receive everything that waits; then once more after a proper stop, when no acked command may come again.
 */
import { Random } from "../../src/testing/random.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import type { JsonClient, Message } from "../harness/json-client.ts";
import type { Backend } from "./backends.ts";
import { setClock, WRONG_CLOCK } from "./clocks.ts";
import { type DeliveryCounts, DeliveryLog } from "./delivery-log.ts";
import {
  connectIntegration,
  connectWatcher,
  type ReceiptAnswer,
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
  /** Messages expire after a second, and integrations refuse some, so that dead letters are written all the time. */
  readonly isExpiring?: boolean;
}

/** The largest deviation of the clock: less than the TTL of a message. */
const JUMP_MS = 8 * 3_600_000;
const EXPIRING = ["queue.ttl.command=1s", "queue.max_attempts=3"];
const NAK = 0.15;
const TERM = 0.15;
const WEB_TOKEN = "torture";
/** Their bodies are requested together: fewer than the relay lets wait for its store. */
const LETTERS_PER_PAGE = 16;
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
  { kills, seed, isClockWrong = false, isExpiring = false }: Torture,
): Promise<DeliveryCounts> {
  return inFolder(async (folder) => {
    const log = new DeliveryLog();
    const random = new Random(seed);
    const runs = isClockWrong ? WRONG_CLOCK : runner;
    const roomy = ["queue.per_recipient=20000", "queue.dead_letters=1000000"];
    const web = ["web.enabled=true", "web.port=0", `web.token=${WEB_TOKEN}`];
    const start = (more: readonly string[] = []): Promise<RelayProcess> =>
      RelayProcess.start(folder, [...sets, ...roomy, ...more], runs);
    const clock = random.branch();
    const jump = (relay?: RelayProcess) => isClockWrong && setClock(folder, clock.between(-JUMP_MS, JUMP_MS), relay);
    await introduce(await start());
    for (let kill = 0; kill < kills; kill++) {
      jump();
      const relay = await start(isExpiring ? EXPIRING : []);
      const jumping = setTimeout(() => jump(relay), clock.between(0, LIFE_MS));
      await live(relay, { log, random: random.branch(), isExpiring });
      clearTimeout(jumping);
    }
    await settle(await start(), log);
    await settle(await start(), log);
    const last = await start(web);
    await readDeadLetters(last, log);
    await last.stop();
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
async function live(relay: RelayProcess, { log, random, isExpiring }: Acting): Promise<void> {
  const watcher = await connectWatcher(relay);
  const commanding = commandOn(watcher, log, random.branch());
  const coming = RECIPIENTS.map((name) => comeAndGo(relay, name, { log, random: random.branch(), isExpiring }));
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

async function comeAndGo(relay: RelayProcess, name: RecipientName, { log, random, isExpiring }: Acting): Promise<void> {
  for (;;) {
    await pause(random.between(0, STAY_MS));
    const client = await connectIntegration(relay, name).catch(() => undefined);
    if (client === undefined) return;
    const leaving = pause(random.between(5, STAY_MS)).then(() => client.close());
    const silentAt = performance.now() + random.between(0, STAY_MS);
    const answer = (): ReceiptAnswer => {
      if (performance.now() >= silentAt) return "none";
      const lot = isExpiring ? random.fraction() : 1;
      return lot < NAK ? "nak" : lot < NAK + TERM ? "term" : "ack";
    };
    await receive(client, name, { log, answer }).catch(() => undefined); // Why ignored: it ends with its connection.
    await leaving;
  }
}

interface Acting {
  readonly log: DeliveryLog;
  readonly random: Random;
  readonly isExpiring: boolean;
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

/** Logs the commands in the dead letters. */
async function readDeadLetters({ urls }: RelayProcess, log: DeliveryLog): Promise<void> {
  const get = async (path: string): Promise<Message> => {
    const response = await fetch(new URL(path, urls.web), { headers: { authorization: `Bearer ${WEB_TOKEN}` } });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  for (let after: string | null = ""; after !== null;) {
    const { items, next }: Message = await get(`/api/dead-letters?limit=${LETTERS_PER_PAGE}${after && `&after=${after}`}`);
    const letters: Message[] = await Promise.all(items.map(({ id }: Message) => get(`/api/messages/${id}`)));
    for (const { body } of letters) log.died(body.cmd.number);
    after = next;
  }
}

// Why a real clock: a real process is tested.
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
