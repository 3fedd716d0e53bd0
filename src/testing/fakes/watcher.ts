/** A fake watcher: it greets, counts events, and sends numbered commands to integrations. */
import type { Millis } from "../../core/ids.ts";
import type { JsonObject } from "../../core/json.ts";
import { type FakeEnvironment, FakePeer } from "./peer.ts";

/** The reply of the relay to a command. */
export type CommandStatus = "unanswered" | "sent" | "queued" | "refused";

/** A command, and its status. */
export interface SentCommand {
  readonly number: number;
  readonly target: string;
  status: CommandStatus;
}

/** A watcher with random commands: a test compares the statuses in `commands` with the received commands. */
export class FakeWatcher extends FakePeer {
  readonly commands: Map<number, SentCommand> = new Map();
  /** Received events by name. */
  readonly seen: Map<string, number> = new Map();
  readonly #token: string;
  readonly #targets: readonly string[];
  #isGreeted = false;
  /** Mean time between commands; 0: none. */
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
    if (command === undefined) return this.reportViolation(`a reply to ${number}, which was not sent`);
    if (command.status !== "unanswered") return this.reportViolation(`two replies to ${number}`);
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

/** Its token, the integrations that it commands, and the mean time between commands. */
export interface WatcherPlan {
  readonly token: string;
  readonly targets: readonly string[];
  readonly everyMs: Millis;
}
