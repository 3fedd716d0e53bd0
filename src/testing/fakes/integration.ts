/** A fake integration of the Intermediary: it greets, registers actions, sends results, and acknowledges messages. */
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import type { FakeGameAction } from "./game.ts";
import { type FakeEnvironment, FakePeer } from "./peer.ts";

/** The behaviour of an integration; may change during a simulation. */
export interface IntegrationBehavior {
  readonly token: string;
  /** Requests ids and acknowledges messages. */
  readonly acks: boolean;
  /** Probability that a message is not acknowledged. */
  readonly forgets: number;
}

/** The actions that it registers, and how it behaves. */
export interface IntegrationPlan {
  readonly actions: readonly FakeGameAction[];
  readonly behavior: IntegrationBehavior;
}

/** A command that arrived from a watcher. */
export interface ReceivedCommand {
  readonly from: string;
  readonly cmd: Json;
  readonly isRepeat: boolean;
}

/** An integration: `connect` connects it, `received` has the commands of watchers. */
export class FakeIntegration extends FakePeer {
  behavior: IntegrationBehavior;
  readonly actions: readonly FakeGameAction[];
  readonly received: ReceivedCommand[] = [];
  isRegistered = false;
  readonly #ids = new Set<string>();

  constructor(name: string, plan: IntegrationPlan, environment: FakeEnvironment) {
    super(name, "intermediary", environment);
    this.actions = plan.actions;
    this.behavior = plan.behavior;
  }

  protected onOpen(): void {
    const { acks, token } = this.behavior;
    this.send({ type: "integration", name: this.name, auth_token: token, ...(acks && { ack: true }) });
    const actions = Object.fromEntries(
      this.actions.map(({ name, description, schema }) => [name, { description, schema }]),
    );
    this.send({ event: "register_actions", actions });
    if (!acks) this.isRegistered = true;
  }

  protected onLost(): void {
    this.isRegistered = false;
    this.#ids.clear();
  }

  protected onMessage(message: JsonObject): void {
    const { event, payload, from_watcher: from, cmd, id, redelivered } = message;
    if (event === "registered") this.isRegistered = true;
    if (typeof from === "string" && cmd !== undefined) {
      this.received.push({ from, cmd, isRepeat: redelivered === true });
    }
    if (event === "action" && isObject(payload)) this.#act(payload);
    if (this.behavior.acks && typeof id === "string" && !this.random.chance(this.behavior.forgets)) this.send({ ack: id });
    // Why: messages before the registration have no id.
    if (this.behavior.acks && this.isRegistered && event !== "registered" && id === undefined) {
      this.reportViolation(`no id in ${JSON.stringify(message)}`);
    }
  }

  #act({ id, name }: JsonObject): void {
    if (typeof id !== "string" || !this.actions.some((action) => action.name === name)) {
      return this.reportViolation(`unknown action ${name}`);
    }
    if (this.#ids.has(id)) this.reportViolation(`${id} (${name}) twice`);
    this.#ids.add(id);
    const { socket } = this;
    this.clock.after(this.random.between(1, 2_000), () => {
      if (this.socket === socket) this.send({ event: "action_result", payload: { id, status: "ok" } });
    });
  }
}
