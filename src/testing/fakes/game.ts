/**
 * A fake game: it registers actions, forces some of them, sends results, and reconnects when it loses its connection.
 *
 * It can be as sloppy as real games are: nulls, empty arrays for objects, binary frames, missing results, no `startup` on reconnect.
 */
import type { Millis } from "../../core/ids.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { type FakeEnvironment, FakePeer } from "./peer.ts";

/** The behaviour of a game; may change during a simulation. */
export interface GameBehavior {
  /** Sends `startup` on every connection; otherwise once, and registers again only after `actions/reregister_all`. */
  readonly startsEachTime: boolean;
  /** The results that it sends. */
  readonly answers: "all" | "failures" | "none";
  /** Probability that an action fails. */
  readonly fails: number;
  readonly answerMinMs: Millis;
  readonly answerMaxMs: Millis;
  /** Sends frames that deviate from the specification. */
  readonly isSloppy: boolean;
  /** Mean time between contexts, forces and changes of actions; 0: none. */
  readonly everyMs: Millis;
  /** Unregisters the actions of a force before it sends the result, as the guides ask for disposable actions. */
  readonly disposes: boolean;
}

/** An action as a game registers it. */
export interface FakeGameAction {
  readonly name: string;
  readonly description: string;
  readonly schema?: JsonObject;
}

/** All actions that the game can register, and how it behaves. */
export interface GamePlan {
  readonly actions: readonly FakeGameAction[];
  readonly behavior: GameBehavior;
}

/** A force without a final result. */
export interface AwaitedForce {
  readonly names: readonly string[];
  readonly since: Millis;
  /** At least one action for it has arrived. */
  wasActedFor: boolean;
}

/** A later result is ignored, because Neuro has given up by then. */
const RESULT_TIMEOUT_MS: Millis = 17_000;

/** A game with random activity: `connect` connects it. */
export class FakeGame extends FakePeer {
  behavior: GameBehavior;
  readonly #actions: readonly FakeGameAction[];
  /** The actions that the game has registered. */
  readonly registered: Map<string, FakeGameAction> = new Map();
  /** The force that has no final result, if any. */
  force: AwaitedForce | undefined;
  readonly #ids = new Set<string>();
  #hasStarted = false;

  constructor(name: string, plan: GamePlan, environment: FakeEnvironment) {
    super(name, "neuro", environment);
    this.behavior = plan.behavior;
    this.#actions = plan.actions;
    for (const action of plan.actions) this.registered.set(action.name, action);
    this.#scheduleActivity();
  }

  protected onOpen(): void {
    if (this.behavior.startsEachTime || !this.#hasStarted) {
      this.#hasStarted = true;
      this.#sendCommand("startup", this.behavior.isSloppy ? [] : undefined);
      this.#register([...this.registered.values()]);
    } else this.#sendCommand("context", { message: `${this.name} is back`, silent: true });
  }

  protected onLost(): void {
    this.force = undefined;
    this.#ids.clear();
  }

  protected onMessage({ command, data, ...surplus }: JsonObject): void {
    if (Object.keys(surplus).length > 0) this.reportViolation(`unknown keys ${Object.keys(surplus)}`);
    if (command === "actions/reregister_all") return this.#registerAgain();
    if (command === "action" && isObject(data)) return this.#act(data);
    if (command !== "startup") this.reportViolation(`a command unknown to SDKs: ${command}`);
  }

  #act({ id, name, data, ...surplus }: JsonObject): void {
    if (typeof id !== "string" || typeof name !== "string") {
      return this.reportViolation(`an action without id or name: ${id} ${name}`);
    }
    if (data !== undefined && (typeof data !== "string" || data === "")) {
      this.reportViolation(`data of ${name} is ${JSON.stringify(data)}`);
    }
    if (Object.keys(surplus).length > 0) this.reportViolation(`unknown keys ${Object.keys(surplus)} in an action`);
    if (!this.#actions.some((action) => action.name === name)) this.reportViolation(`unknown action ${name}`);
    if (this.#ids.has(id)) this.reportViolation(`${id} (${name}) twice`);
    this.#ids.add(id);
    if (this.force?.names.includes(name) === true) this.force.wasActedFor = true;
    const { socket } = this;
    const afterMs = this.random.between(this.behavior.answerMinMs, this.behavior.answerMaxMs);
    this.clock.after(afterMs, () => {
      if (this.socket === socket) this.#answer(id, name, afterMs > RESULT_TIMEOUT_MS);
    });
  }

  #answer(id: string, name: string, isLate: boolean): void {
    const isFailure = this.random.chance(this.behavior.fails);
    const isForced = this.force?.names.includes(name) === true;
    // Why: Neuro repeats an action only after a failed result that arrived in time.
    if (isForced && (!isFailure || isLate || this.behavior.answers === "none")) {
      if (this.behavior.disposes) this.#unregister(this.force?.names ?? []);
      this.force = undefined;
    }
    if (this.behavior.answers === "none" || (this.behavior.answers === "failures" && !isFailure)) return;
    this.#sendCommand("action/result", { id, success: !isFailure, message: this.behavior.isSloppy ? null : "done" });
  }

  #register(actions: readonly FakeGameAction[]): void {
    const loose = (action: FakeGameAction): JsonObject => ({ ...action, schema: action.schema ?? null });
    for (const action of actions) this.registered.set(action.name, action);
    this.#sendCommand("actions/register", {
      actions: actions.map((action) => this.behavior.isSloppy ? loose(action) : { ...action }),
    });
  }

  /** Why not always the list: the relay takes an empty one for that of a client that always sends one (NB18d). */
  #registerAgain(): void {
    if (this.registered.size > 0) this.#register([...this.registered.values()]);
    else this.#unregister(this.#actions.map(({ name }) => name));
  }

  #unregister(names: readonly string[]): void {
    for (const name of names) this.registered.delete(name);
    this.#sendCommand("actions/unregister", { action_names: names });
  }

  /** Sends a force for some of the registered actions. */
  #requestForce(): void {
    const names = [...this.registered.keys()].filter(() => this.random.chance(0.6));
    if (names.length === 0) return;
    this.force = { names, since: this.clock.now, wasActedFor: false };
    const priority = this.random.pick("low", "medium", "high", "critical");
    const loose = this.behavior.isSloppy ? { state: null } : { state: "in a game", ephemeral_context: false };
    this.#sendCommand("actions/force", { query: `${this.name} asks`, priority, action_names: names, ...loose });
  }

  /** Schedules the next random activity, for as long as the simulation runs. */
  #scheduleActivity(): void {
    this.clock.after(this.random.between(1, 2 * Math.max(1_000, this.behavior.everyMs)), () => {
      this.#scheduleActivity();
      if (!this.isConnected || this.behavior.everyMs === 0) return;
      const act = this.random.pick("context", "force", "force", "more", "less");
      if (act === "force") return this.#requestForce();
      if (act === "context") return this.#sendCommand("context", this.#context());
      if (act === "more") return this.#register(this.#actions.filter(() => this.random.chance(0.7)));
      const inForce = this.force?.names ?? [];
      this.#unregister([...this.registered.keys()].filter((name) => !inForce.includes(name) && this.random.chance(0.3)));
    });
  }

  #context(): JsonObject {
    const message = `something happened in ${this.name}`;
    return this.behavior.isSloppy ? { message, extra: [null] } : { message, silent: this.random.chance(0.7) };
  }

  #sendCommand(command: string, data: Json | undefined): void {
    const message: JsonObject = { command, game: this.name, ...(data !== undefined && { data }) };
    if (!this.behavior.isSloppy || !this.random.chance(0.3)) return this.send(message);
    this.socket?.send(new TextEncoder().encode(JSON.stringify({ ...message, seq: null })));
  }
}
