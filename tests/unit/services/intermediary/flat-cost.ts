/** Events of the Intermediary and of its queue beside many retained items that have nothing to do with them. */
import { DEFAULTS } from "../../../../src/core/defaults.ts";
import { type Key, type PeerId, toRequestId } from "../../../../src/core/ids.ts";
import type { Observation } from "../../../../src/core/observation.ts";
import type { Settings } from "../../../../src/core/settings.ts";
import { intermediary, type IntermediaryState } from "../../../../src/services/intermediary/mod.ts";
import { ServiceHarness } from "../../../../src/testing/service-harness.ts";
import type { Situation } from "../../../harness/flat-cost.ts";

const MANY = 1_000_000;
const TOKEN = "a token for the test";

const SETTINGS: Settings = {
  ...DEFAULTS,
  intermediary: { ...DEFAULTS.intermediary, auth_token: TOKEN },
  limits: { ...DEFAULTS.limits, peers: 50_000, unauthenticated: 50_000, total_bytes: MANY * 10_000 },
  queue: {
    ...DEFAULTS.queue,
    per_recipient: MANY,
    per_recipient_bytes: MANY * 1_000,
    total: MANY,
    total_bytes: MANY * 1_000,
    max_attempts: MANY,
  },
  uploads: { ...DEFAULTS.uploads, files: 50_000, total_bytes: MANY * 1_000 },
};

/** The service, with a store that stores at once. */
class FlatFixture {
  readonly harness: ServiceHarness<IntermediaryState>;
  readonly stored = new Map<Key, unknown>();
  /** The ids in the frames that were sent last. */
  readonly ids: string[] = [];
  isFailing = false;

  constructor(settings: Settings = SETTINGS) {
    this.harness = new ServiceHarness(intermediary, { settings });
    this.step({ is: "tick" });
  }

  step(event: Parameters<ServiceHarness<IntermediaryState>["step"]>[0]): void {
    this.harness.step(event);
    intermediary.nextWakeup(this.harness.state);
    this.carryOut();
  }

  /** Carries out the effects of a step, and those that follow. */
  carryOut(): void {
    for (let effects = this.harness.take(); effects.length > 0; effects = this.harness.take()) {
      for (const effect of effects) {
        if (effect.do === "put") {
          if (!this.isFailing) this.stored.set(effect.key, effect.value);
          this.harness.step(
            this.isFailing ? { is: "storeFailed", key: effect.key, reason: "full" } : { is: "stored", key: effect.key },
          );
        } else if (effect.do === "delete") this.stored.delete(effect.key);
        else if (effect.do === "load") {
          const entries = effect.keys.map((key) => ({ key, value: this.stored.get(key) as never }));
          this.harness.step({ is: "loaded", token: effect.token, entries });
        } else if (effect.do === "send" && typeof effect.frame === "string") this.#keepId(effect.frame);
        else if (effect.do === "saveFile") this.harness.step({ is: "fileSaved", file: effect.file, sha256: "", bytes: 1 });
        else if (effect.do === "observe") this.harness.deliver({ is: "observed", observation: effect.observation });
      }
    }
    this.harness.counts.length = 0;
  }

  #keepId(frame: string): void {
    const [, id] = /^\{"id":"([^"]+)"/.exec(frame) ?? [];
    if (id === undefined) return;
    this.ids.push(id);
    if (this.ids.length > 200) this.ids.splice(0, 100);
  }

  integration(name: string, ack = true): PeerId {
    const peer = this.harness.open(`peer of ${name}`);
    this.frame(peer, { type: "integration", name, auth_token: TOKEN, ack });
    return peer;
  }

  watcher(name: string): PeerId {
    const peer = this.harness.open(`watcher ${name}`);
    this.frame(peer, { type: "neuro-os", name, auth_token: TOKEN });
    return peer;
  }

  frame(peer: PeerId, frame: object): void {
    this.step({ is: "frame", peer, frame: frame instanceof Uint8Array ? frame : JSON.stringify(frame) });
  }

  close(peer: PeerId): void {
    this.step({ is: "closed", peer, code: 1006 });
  }

  command(watcher: PeerId, target: string): void {
    this.frame(watcher, { target, cmd: 1 });
  }

  observed(observation: Observation): void {
    this.step({ is: "serviceMessage", message: { is: "observed", observation } });
  }

  pass(ms: number): void {
    this.harness.advance(ms);
    this.carryOut();
  }
}

/** A fixture with messages that wait for an integration, which is away. */
function withWaiting(count: number): { readonly fixture: FlatFixture; readonly watcher: PeerId } {
  const fixture = new FlatFixture();
  fixture.close(fixture.integration("lamp"));
  const watcher = fixture.watcher("w");
  for (let at = 0; at < count; at++) fixture.command(watcher, "lamp");
  return { fixture, watcher };
}

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `other ${at}`);

export const SITUATIONS: readonly Situation[] = [
  {
    what: "an integration asks for a message again, beside messages that wait for it",
    prepare(count) {
      const { fixture } = withWaiting(count);
      const peer = fixture.integration("lamp");
      return () => {
        fixture.frame(peer, { nak: fixture.ids.at(-1), delay_ms: 0 });
        fixture.pass(1);
      };
    },
  },
  {
    what: "an integration acknowledges a message, beside messages that wait for it",
    prepare(count) {
      const { fixture } = withWaiting(count);
      const peer = fixture.integration("lamp");
      let at = 0;
      return () => fixture.frame(peer, { ack: fixture.ids[at++] });
    },
  },
  {
    what: "an integration leaves and returns, beside messages that wait for it",
    prepare(count) {
      const { fixture } = withWaiting(count);
      return () => fixture.close(fixture.integration("lamp"));
    },
  },
  {
    what: "the deadline of an ack passes, beside messages that wait",
    prepare(count) {
      const { fixture } = withWaiting(count);
      fixture.integration("lamp");
      return () => fixture.pass(DEFAULTS.queue.ack_timeout);
    },
  },
  {
    what: "a command for an absent integration, beside messages that wait for it",
    prepare(count) {
      const { fixture, watcher } = withWaiting(count);
      return () => fixture.command(watcher, "lamp");
    },
  },
  {
    what: "a message expires, beside messages that wait",
    prepare(count) {
      const { fixture, watcher } = withWaiting(count);
      fixture.pass(DEFAULTS.queue.ttl.command / 2);
      for (let at = 0; at < count; at++) fixture.command(watcher, "lamp");
      return () => fixture.pass(1);
    },
  },
  {
    what: "a command for nobody, beside connected games",
    prepare(count) {
      const fixture = new FlatFixture();
      const watcher = fixture.watcher("w");
      for (const name of names(count)) {
        fixture.observed({ is: "integration_connected_via_backend", name, slug: `${name}-slug` });
      }
      return () => fixture.command(watcher, "nobody");
    },
  },
  {
    what: "an act of an operator, beside earlier ones",
    prepare(count) {
      const fixture = new FlatFixture();
      const act = (at: number) =>
        fixture.observed({ is: "operator_acted", by: "web", did: "pause", to: `${at}`, outcome: "done" });
      for (let at = 0; at < Math.min(count, 1_200); at++) act(at);
      let at = count;
      return () => act(++at);
    },
  },
  {
    what: "an act of an operator that cannot be stored, beside earlier ones",
    prepare(count) {
      const fixture = new FlatFixture();
      const act = (at: number) =>
        fixture.observed({ is: "operator_acted", by: "web", did: "pause", to: `${at}`, outcome: "done" });
      for (let at = 0; at < Math.min(count, 900); at++) act(at);
      fixture.isFailing = true;
      let at = count;
      return () => act(++at);
    },
  },
  {
    what: "a file in place of the sender's oldest one, beside files of others",
    prepare(count) {
      const settings = { ...SETTINGS, uploads: { ...SETTINGS.uploads, files: count + 1 } };
      const fixture = new FlatFixture(settings);
      const other = fixture.integration("other");
      for (let at = 0; at < count; at++) fixture.frame(other, new Uint8Array(1));
      const peer = fixture.integration("lamp");
      return () => fixture.frame(peer, new Uint8Array(1));
    },
  },
  {
    what: "an integration connects, says something and leaves, beside other integrations",
    prepare(count) {
      const fixture = new FlatFixture();
      for (const name of names(count)) fixture.integration(name);
      return () => {
        const peer = fixture.integration("lamp");
        fixture.frame(peer, { event: "custom", payload: { at: 1 } });
        fixture.close(peer);
      };
    },
  },
  {
    what: "a peer leaves before it has greeted, beside peers that have not greeted",
    prepare(count) {
      const fixture = new FlatFixture();
      for (const name of names(count)) fixture.harness.open(name);
      fixture.carryOut();
      return () => fixture.close(fixture.harness.open("stranger"));
    },
  },
  {
    what: "the length of a queue is asked for by an operator's command, beside other queues",
    prepare(count) {
      const fixture = new FlatFixture();
      const watcher = fixture.watcher("w");
      for (const name of names(Math.min(count, 900))) {
        fixture.close(fixture.integration(name));
        fixture.command(watcher, name);
      }
      fixture.close(fixture.integration("lamp"));
      return () =>
        fixture.step({
          is: "requested",
          requestId: toRequestId("r"),
          principal: { by: "web", scopes: ["command"] },
          request: { of: "intermediary", do: "sendCommand", from: "web", to: "lamp", cmd: 1 },
        });
    },
  },
];
