/** A watcher that is played: greets, sees what goes on, and sends numbered commands to integrations. */
import type { Millis } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import { type FakeEnvironment, FakePeer } from "./peer.ts";

/** What became of a command, as the relay said. */
export type CommandStatus = "unanswered" | "sent" | "queued" | "refused";

/** A command that it sent, and what became of it. */
export interface SentCommand {
  readonly number: number;
  readonly target: string;
  status: CommandStatus;
}

/** A watcher that commands by chance: `orders` is what it was promised, to be compared with what arrived. */
export class FakeWatcher extends FakePeer {
  readonly commands: Map<number, SentCommand> = new Map();
  /** How many events it saw, by name. */
  readonly seen: Map<string, number> = new Map();
  readonly #token: string;
  readonly #targets: readonly string[];
  #isGreeted = false;
  /** Sends a command about this often; 0: never. */
  everyMs: Millis;

  constructor(name: string, plan: WatcherPlan, surroundings: FakeEnvironment) {
    super(name, "intermediary", surroundings);
    this.#token = plan.token;
    this.#targets = plan.targets;
    this.everyMs = plan.everyMs;
    this.#live();
  }

  protected opened(): void {
    this.say({ type: "neuro-os", name: this.name, auth_token: this.#token });
  }

  protected lost(): void {
    this.#isGreeted = false;
  }

  protected heard(message: JsonObject): void {
    const { event, status, error, request_id: number } = message;
    if (event === "neuroos_connected") this.#isGreeted = true;
    if (typeof event === "string") this.seen.set(event, (this.seen.get(event) ?? 0) + 1);
    if (typeof number !== "number") return;
    const order = this.commands.get(number);
    if (order === undefined) return this.blame(`an answer to ${number}, which it never asked`);
    if (order.status !== "unanswered") return this.blame(`two answers to ${number}`);
    order.status = status === "sent" || status === "queued" ? status : "refused";
    if (order.status === "refused" && error === undefined) {
      this.blame(`neither status nor error: ${JSON.stringify(message)}`);
    }
  }

  #live(): void {
    this.clock.after(this.random.between(1, 2 * Math.max(1_000, this.everyMs)), () => {
      this.#live();
      const target = this.random.oneOf(this.#targets);
      if (!this.#isGreeted || !this.isConnected || this.everyMs === 0 || target === undefined) return;
      const number = this.commands.size + 1;
      this.commands.set(number, { number, target, status: "unanswered" });
      this.say({ target, cmd: { number }, request_id: number });
    });
  }
}

/** By which token it comes, whom it commands, and how often. */
export interface WatcherPlan {
  readonly token: string;
  readonly targets: readonly string[];
  readonly everyMs: Millis;
}
