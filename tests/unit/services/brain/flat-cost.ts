/** Events of the Brain beside many retained items that have nothing to do with them. */
import { DEFAULTS } from "../../../../src/core/defaults.ts";
import type { PeerId } from "../../../../src/core/ids.ts";
import type { Settings } from "../../../../src/core/settings.ts";
import { brain, type BrainState } from "../../../../src/services/brain/mod.ts";
import { ServiceHarness } from "../../../../src/testing/service-harness.ts";
import type { Situation } from "../../../harness/flat-cost.ts";

const MANY = 1_000_000;

const settingsWith = (sessions: number, totalBytes = MANY * 10_000): Settings => ({
  ...DEFAULTS,
  limits: { ...DEFAULTS.limits, peers: MANY, total_bytes: totalBytes },
  brain: { ...DEFAULTS.brain, sessions, artifact: "built-in" },
});

/** The Brain with a store that stores at once, unless it hangs. */
class FlatFixture {
  readonly harness: ServiceHarness<BrainState>;
  isHanging = false;
  #session = "";
  #peers = 0;

  constructor(settings: Settings = settingsWith(MANY)) {
    this.harness = new ServiceHarness(brain, { settings });
    this.step({ is: "tick" });
  }

  step(event: Parameters<ServiceHarness<BrainState>["step"]>[0]): void {
    this.harness.step(event);
    brain.nextWakeup(this.harness.state);
    for (let effects = this.harness.take(); effects.length > 0; effects = this.harness.take()) {
      for (const effect of effects) {
        if (effect.do === "put" && !this.isHanging) this.harness.step({ is: "stored", key: effect.key });
        else if (effect.do === "reply" && typeof effect.frame === "string") this.#keepSession(effect.frame);
      }
    }
    this.harness.counts.length = 0;
  }

  #keepSession(frame: string): void {
    const [, id] = /"type":"SessionCreated","session_id":"([^"]+)"/.exec(frame) ?? [];
    if (id !== undefined) this.#session = id;
  }

  open(): PeerId {
    return this.harness.open(`p${++this.#peers}`);
  }

  frame(peer: PeerId, frame: object): void {
    this.step({ is: "frame", peer, frame: JSON.stringify(frame) });
  }

  create(peer: PeerId): string {
    this.frame(peer, { cmd: "CreateSession" });
    return this.#session;
  }

  /** Sessions with an event each. Why a peer for each hundred: a peer may create only 256 at once. */
  used(count: number): readonly string[] {
    const ids: string[] = [];
    let peer = this.open();
    for (let at = 0; at < count; at++) {
      if (at % 100 === 0) peer = this.open();
      const id = this.create(peer);
      ids.push(id);
      this.apply(peer, id);
    }
    return ids;
  }

  apply(peer: PeerId, session: string): void {
    const params = { changes: { at: this.harness.now } };
    this.frame(peer, { cmd: "ApplyOperator", session_id: session, operator: "ST", params });
  }
}

export const SITUATIONS: readonly Situation[] = [
  {
    what: "an operation, beside other sessions",
    prepare(count) {
      const fixture = new FlatFixture();
      const [session = ""] = fixture.used(count);
      const peer = fixture.open();
      return () => fixture.apply(peer, session);
    },
  },
  {
    what: "a peer has caught up, beside other followers",
    prepare(count) {
      const fixture = new FlatFixture();
      const [session = ""] = fixture.used(1);
      for (let at = 0; at < count; at++) fixture.frame(fixture.open(), { cmd: "Subscribe", session_id: session });
      const peer = fixture.open();
      return () => {
        fixture.step({ is: "backpressure", peer });
        fixture.step({ is: "relieved", peer });
        fixture.step({ is: "tick" });
      };
    },
  },
  {
    what: "a request to create a session, beside `brain.sessions` sessions that are used",
    prepare(count) {
      const fixture = new FlatFixture(settingsWith(count));
      fixture.used(count);
      fixture.harness.now += 120_000;
      const peer = fixture.open();
      for (let at = 0; at < count / 32; at++) fixture.create(peer);
      return () => fixture.create(peer);
    },
  },
  {
    what: "an operation beyond the memory of the Brain, beside sessions that are being written",
    prepare(count) {
      const fixture = new FlatFixture(settingsWith(MANY, 400_000));
      fixture.isHanging = true;
      let peer = fixture.open();
      for (let at = 0; at < count; at++) {
        if (at % 100 === 0) peer = fixture.open();
        fixture.create(peer);
      }
      return () => fixture.frame(peer, { cmd: "Ping" });
    },
  },
  {
    what: "a peer leaves, beside other peers and sessions",
    prepare(count) {
      const fixture = new FlatFixture();
      fixture.used(count);
      return () => fixture.step({ is: "closed", peer: fixture.open(), code: 1006 });
    },
  },
];
