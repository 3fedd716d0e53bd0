/** Events of the Neuro service beside many retained items of other integrations. */
import { DEFAULTS, UPSTREAM_DEFAULTS } from "../../../../src/core/defaults.ts";
import { type Key, type LinkId, type PeerId, peerId, toRequestId } from "../../../../src/core/ids.ts";
import type { JsonObject } from "../../../../src/core/json.ts";
import type { NeuroRequest } from "../../../../src/core/request.ts";
import type { Settings } from "../../../../src/core/settings.ts";
import { neuro } from "../../../../src/services/neuro/mod.ts";
import type { NeuroState } from "../../../../src/services/neuro/state.ts";
import { ServiceHarness } from "../../../../src/testing/service-harness.ts";
import type { Situation } from "../../../harness/flat-cost.ts";

const MANY = 1_000_000;

const SETTINGS: Settings = {
  ...DEFAULTS,
  limits: { ...DEFAULTS.limits, peers: 20_000, actions: MANY, peer_bytes: MANY * 1_000, total_bytes: MANY * 1_000 },
  "nakurity-clients": [{ ...UPSTREAM_DEFAULTS, url: "ws://neuro.test", context_rate: 0 }],
};

/** The service with a connected Neuro, and any number of games. */
class Table {
  readonly harness: ServiceHarness<NeuroState>;
  readonly link: LinkId;
  readonly writes: Key[] = [];
  #peers = 0;

  constructor(settings: Settings = SETTINGS) {
    this.harness = new ServiceHarness(neuro, { settings });
    this.harness.step({ is: "tick" });
    const dial = this.harness.take().find((effect) => effect.do === "dial");
    if (dial?.do !== "dial") throw new Error("no dial");
    this.link = dial.link;
    this.harness.step({ is: "dialed", link: dial.link });
    this.take();
  }

  take(): void {
    for (const effect of this.harness.take()) if (effect.do === "put") this.writes.push(effect.key);
    this.harness.counts.length = 0;
  }

  /** Steps the service as the relay does. */
  step(event: Parameters<ServiceHarness<NeuroState>["step"]>[0]): void {
    this.harness.step(event);
    neuro.nextWakeup(this.harness.state);
    this.take();
  }

  open(address = "127.0.0.1"): PeerId {
    const peer = peerId(`p${++this.#peers}`);
    this.harness.open(peer, { address });
    return peer;
  }

  send(peer: PeerId, game: string, command: string, data?: JsonObject): void {
    this.step({ is: "frame", peer, frame: JSON.stringify({ command, game, ...(data && { data }) }) });
  }

  game(name: string, ...actions: readonly string[]): PeerId {
    const peer = this.open();
    this.send(peer, name, "startup");
    if (actions.length > 0) {
      this.send(peer, name, "actions/register", {
        actions: actions.map((each) => ({ name: each, description: `${name} ${each}` })),
      });
    }
    return peer;
  }

  context(peer: PeerId, game: string, message: string): void {
    this.send(peer, game, "context", { message, silent: false });
  }

  close(peer: PeerId): void {
    this.step({ is: "closed", peer, code: 1006 });
  }

  receive(command: string, data: JsonObject): void {
    this.step({ is: "received", link: this.link, frame: JSON.stringify({ command, data }) });
  }

  request(request: NeuroRequest): void {
    this.step({ is: "requested", requestId: toRequestId("r"), principal: { by: "web", scopes: ["admin"] }, request });
  }

  pass(ms: number): void {
    this.harness.advance(ms);
    this.take();
  }
}

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `Other ${at}`);

/** A table at which `count` games are paused, each with a context that waits. */
function withHeldContexts(count: number): Table {
  const table = new Table();
  for (const name of names(count)) {
    const peer = table.game(name);
    const slug = table.harness.state.games.get(`neuro:${name}`)?.slug ?? "";
    const game = table.harness.state.games.get(`neuro:${name}`);
    if (game !== undefined) [game.controls, game.isHeld] = [{ ...game.controls, paused: true }, true];
    if (slug === "") throw new Error("no slug");
    table.context(peer, name, "waits");
  }
  return table;
}

export const SITUATIONS: readonly Situation[] = [
  {
    what: "a context, beside contexts of held games",
    prepare(count) {
      const table = withHeldContexts(count);
      const peer = table.game("Chess");
      return () => table.context(peer, "Chess", "moved");
    },
  },
  {
    what: "an action and its result, beside contexts of held games",
    prepare(count) {
      const table = withHeldContexts(count);
      const peer = table.game("Chess", "move");
      let id = 0;
      return () => {
        table.receive("action", { id: `u${++id}`, name: "move" });
        table.send(peer, "Chess", "action/result", { id: `u${id}`, success: true });
      };
    },
  },
  {
    what: "a failed write of a context, beside contexts that wait for their writes",
    prepare(count) {
      const table = withHeldContexts(count);
      table.pass(1_000);
      const keys = table.writes.splice(0).filter((key) => key.startsWith("neuro/context"));
      let at = 0;
      return () => table.step({ is: "storeFailed", key: keys[at++ % keys.length] as Key, reason: "disk full" });
    },
  },
  {
    what: "a stored registry, beside other registries",
    prepare(count) {
      const table = new Table();
      for (const name of names(count)) table.game(name, "a");
      table.pass(1_000);
      const keys = table.writes.splice(0);
      let at = 0;
      return () => table.step({ is: "stored", key: keys[at++ % keys.length] as Key });
    },
  },
  {
    what: "a new game in place of the one that is away for longest",
    prepare(count) {
      const limits = { ...SETTINGS.limits, peers: Math.max(0, count - 1_000) };
      const table = new Table({ ...SETTINGS, limits });
      for (const name of names(Math.max(count, 1_000))) table.close(table.game(name));
      let at = 0;
      return () => table.close(table.game(`New ${++at}`));
    },
  },
  {
    what: "a game connects, registers and leaves, beside connected games",
    prepare(count) {
      const table = new Table();
      for (const name of names(count)) table.game(name, "a");
      return () => table.close(table.game("Chess", "move"));
    },
  },
  {
    what: "a message, beside connections of which it is undecided whether they get their game",
    prepare(count) {
      const table = new Table();
      const peer = table.game("Chess");
      for (const name of names(count)) {
        table.game(name);
        table.context(table.open(), name, "me, too");
      }
      return () => table.context(peer, "Chess", "moved");
    },
  },
  {
    what: "a game leaves, beside connections that lost their game",
    prepare(count) {
      const table = new Table();
      for (const name of names(count)) {
        const holder = table.game(name);
        table.context(table.open(), name, "me, too");
        table.context(holder, name, "I am here");
      }
      return () => table.close(table.game("Chess"));
    },
  },
  {
    what: "a game connects, beside silent sockets that may be one of several games",
    prepare(count) {
      const table = new Table();
      for (const name of names(count)) {
        for (const each of [name, `${name} B`]) {
          const peer = table.open(`10.0.${name}`);
          table.send(peer, each, "startup");
          table.close(peer);
        }
        table.open(`10.0.${name}`);
      }
      table.pass(2_000);
      return () => table.close(table.game("Chess"));
    },
  },
  {
    what: "a silent socket is identified, beside games that are away",
    prepare(count) {
      const table = new Table();
      for (const name of names(count)) table.close(table.game(name, "a"));
      let at = 0;
      return () => {
        const address = `10.1.${++at}`;
        const before = table.open(address);
        table.send(before, "Chess", "startup");
        table.close(before);
        const peer = table.open(address);
        table.step({ is: "tick" });
        table.pass(2_000);
        table.close(peer);
      };
    },
  },
  {
    what: "one game is paused and resumed, beside other games",
    prepare(count) {
      const table = new Table();
      for (const name of names(count)) table.game(name, "a");
      table.game("Chess", "move");
      const { slug: id } = table.harness.state.games.get("neuro:Chess") ?? { slug: "" };
      return () => {
        for (const paused of [true, false]) table.request({ of: "neuro", do: "setControls", id, to: { paused } });
      };
    },
  },
  {
    what: "Neuro has spoken, beside games that are away",
    prepare(count) {
      const table = new Table();
      for (const name of names(count)) table.close(table.game(name, "a"));
      table.pass(10_000);
      return () => table.receive("speech_finished", { isFinal: true });
    },
  },
];
