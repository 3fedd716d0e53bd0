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

  constructor(name: string, plan: WatcherPlan, environment: FakeEnvironment) {
    super(name, "intermediary", environment);
    this.#token = plan.token;
    this.#targets = plan.targets;
    this.everyMs = plan.everyMs;
    this.#scheduleCommand();
  }

  protected onOpen(): void {
    this.send({ type: "neuro-os", name: this.name, auth_token: this.#token });
  }

  protected onLost(): void {
    this.#isGreeted = false;
  }

  protected onMessage(message: JsonObject): void {
    const { event, status, error, request_id: number } = message;
    if (event === "neuroos_connected") this.#isGreeted = true;
    if (typeof event === "string") this.seen.set(event, (this.seen.get(event) ?? 0) + 1);
    if (typeof number !== "number") return;
    const command = this.commands.get(number);
    if (command === undefined) return this.reportViolation(`an answer to ${number}, which it never asked`);
    if (command.status !== "unanswered") return this.reportViolation(`two answers to ${number}`);
    command.status = status === "sent" || status === "queued" ? status : "refused";
    if (command.status === "refused" && error === undefined) {
      this.reportViolation(`neither status nor error: ${JSON.stringify(message)}`);
    }
  }

  #scheduleCommand(): void {
    this.clock.after(this.random.between(1, 2 * Math.max(1_000, this.everyMs)), () => {
      this.#scheduleCommand();
      const target = this.random.oneOf(this.#targets);
      if (!this.#isGreeted || !this.isConnected || this.everyMs === 0 || target === undefined) return;
      const number = this.commands.size + 1;
      this.commands.set(number, { number, target, status: "unanswered" });
      this.send({ target, cmd: { number }, request_id: number });
    });
  }
}

/** By which token it comes, whom it commands, and how often. */
export interface WatcherPlan {
  readonly token: string;
  readonly targets: readonly string[];
  readonly everyMs: Millis;
}
