/**
 * The traffic of a cluster that is tortured: a watcher that sends commands to an absent and to a connected integration without waiting for the
 * replies, and that integration, which acknowledges them. Both connect again when they are closed.
 */
import type { JsonClient } from "../harness/json-client.ts";
import type { RelayProcess } from "../harness/relay.ts";
import { until } from "../cluster/fixture.ts";
import { connectIntegration, connectWatcher, receive, RECIPIENTS, sendCommand } from "./clients.ts";
import type { DeliveryLog } from "./delivery-log.ts";

const COMMAND_MS = 40;
/** Longer than any fault. */
const REPLY_MS = 30_000;

export class Traffic {
  /** How often the relay closed the watcher. */
  watchersClosed = 0;
  readonly #log: DeliveryLog;
  readonly #watchers: Promise<void>;
  readonly #lights: Promise<void>;
  /** Commands on the present connection of the watcher that have no reply. */
  readonly #outstanding = new Set<number>();
  #watcher: JsonClient | undefined;
  #integration: JsonClient | undefined;
  #isOver = false;

  /** `watcherAt` and `integrationAt`: the nodes to which they are connected. */
  constructor(log: DeliveryLog, watcherAt: RelayProcess, integrationAt: RelayProcess) {
    this.#log = log;
    this.#watchers = this.#repeat(() => this.#watch(watcherAt), () => this.watchersClosed++);
    this.#lights = this.#repeat(() => this.#receive(integrationAt), () => {});
  }

  /** Ends when everything was answered. Returns how many commands were not. */
  async end(): Promise<number> {
    this.#isOver = true;
    await until(() => this.#outstanding.size === 0, "the replies", REPLY_MS).catch(() => undefined);
    this.#watcher?.close();
    await this.#watchers;
    this.#integration?.close();
    await this.#lights;
    return this.#outstanding.size;
  }

  /** `run` rejects when its connection ends, also while it is made. */
  async #repeat(run: () => Promise<never>, closed: () => void): Promise<void> {
    while (!this.#isOver) {
      await run().catch(() => {
        if (!this.#isOver) closed();
      });
      await new Promise((resolve) => setTimeout(resolve, COMMAND_MS));
    }
  }

  async #watch(node: RelayProcess): Promise<never> {
    const watcher = this.#watcher = await connectWatcher(node);
    this.#outstanding.clear();
    let count = 0;
    const sending = setInterval(() => {
      if (this.#isOver || !watcher.isOpen) return;
      this.#outstanding.add(sendCommand(watcher, RECIPIENTS[count++ % RECIPIENTS.length] ?? "jukebox", this.#log));
    }, COMMAND_MS);
    try {
      for (;;) {
        const { request_id, status } = await watcher.next((message) => message.request_id !== undefined, REPLY_MS);
        this.#outstanding.delete(request_id);
        this.#log.answered(request_id, status);
      }
    } finally {
      clearInterval(sending);
    }
  }

  async #receive(node: RelayProcess): Promise<never> {
    const integration = this.#integration = await connectIntegration(node, "lights");
    for (;;) await receive(integration, "lights", { log: this.#log });
  }
}
