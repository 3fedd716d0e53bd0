/** The Brain on virtual time, with a disk: what it asks of the world is carried out until nothing is left. */
import { brain, type BrainState } from "../../../../src/services/brain/mod.ts";
import { DEFAULTS } from "../../../../src/core/defaults.ts";
import type { Entry, ResumedPeer } from "../../../../src/core/event.ts";
import type { Key, PeerId } from "../../../../src/core/ids.ts";
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import type { Observation } from "../../../../src/core/observation.ts";
import type { Service } from "../../../../src/core/service.ts";
import type { BrainSettings, Settings } from "../../../../src/core/settings.ts";
import { ServiceHarness } from "../../../../src/testing/service-harness.ts";
import { check } from "../../../harness/check.ts";

export type Reply = JsonObject;

export interface BrainOptions extends Partial<BrainSettings> {
  readonly room?: Service<BrainState>;
  readonly disk?: Map<Key, Json>;
  readonly epoch?: number;
  readonly now?: number;
  readonly resumed?: readonly ResumedPeer[];
}

export class BrainStage {
  readonly harness: ServiceHarness<BrainState>;
  readonly disk: Map<Key, Json>;
  readonly observations: Observation[] = [];
  readonly options: BrainOptions;
  /** Frames of each peer that the test has not looked at. */
  readonly inbox: Map<PeerId, Reply[]> = new Map();
  /** What the store does with a key: keeps it, says no, or says nothing. */
  store: (key: Key) => "keep" | "fail" | "hang" = () => "keep";
  /** What the job that reads the artifact gives. */
  artifact: Json = { why: "no artifact here" };
  puts = 0;

  constructor(options: BrainOptions = {}) {
    const { room = brain, disk = new Map(), epoch = 1, now = 1_000_000, resumed: resumed = [], ...changed } = options;
    this.options = options;
    this.disk = disk;
    const settings: Settings = { ...DEFAULTS, brain: { ...DEFAULTS.brain, ...changed } };
    const isResident = (key: Key) => room.resident.some((prefix) => key.startsWith(prefix));
    const entries = [...disk].sort(([left], [right]) => (left < right ? -1 : 1)).map(([key, value]): Entry =>
      isResident(key) ? { key, value } : { key }
    );
    this.harness = new ServiceHarness(room, { settings, entries, epoch, now, resumed: resumed });
  }

  peer(name: string): PeerId {
    const peer = this.harness.open(name);
    this.inbox.set(peer, []);
    return peer;
  }

  /** Sends without waiting for anything. */
  send(peer: PeerId, frame: JsonObject | string | Uint8Array): void {
    this.harness.frame(peer, frame);
  }

  /** Sends a request, lets everything happen, and returns the one reply. */
  ask(peer: PeerId, frame: JsonObject | string | Uint8Array): Reply {
    this.send(peer, frame);
    this.settle();
    const [reply, ...more] = this.seen(peer);
    check.that(reply !== undefined, `no reply to ${String(JSON.stringify(frame)).slice(0, 200)}`);
    check.equal(more, []);
    return reply;
  }

  /** A new session's id. */
  create(peer: PeerId, fields: JsonObject = {}): string {
    return String(this.ask(peer, { cmd: "CreateSession", ...fields })["session_id"]);
  }

  /** `ApplyOperator` with `ST`. */
  merge(peer: PeerId, session: string, changes: Json): Reply {
    return this.ask(peer, { cmd: "ApplyOperator", session_id: session, operator: "ST", params: { changes } });
  }

  audit(peer: PeerId, session: string): readonly JsonObject[] {
    const events: JsonObject[] = [];
    for (let next = 0;;) {
      const page = this.ask(peer, { cmd: "GetAudit", session_id: session, after_seq: next - 1, limit: 256 });
      const found = page["events"] as readonly JsonObject[]; // Why: the reply's shape is what other tests prove.
      events.push(...found);
      if (found.length === 0 || next > Number(page["head_seq"])) return events;
      next = Number(page["next_seq"]);
    }
  }

  /** Everything that was sent to a peer since the last look. */
  seen(peer: PeerId): readonly Reply[] {
    return this.inbox.get(peer)?.splice(0) ?? [];
  }

  /** Carries out what the room asked for, and what that leads to. */
  settle(): void {
    for (let effects = this.harness.take(); effects.length > 0; effects = this.harness.take()) {
      for (const effect of effects) {
        switch (effect.do) {
          case "put": {
            this.puts++;
            const fate = this.store(effect.key);
            check.that(!this.disk.has(effect.key), `${effect.key} was written twice`);
            if (fate === "keep") this.disk.set(effect.key, JSON.parse(JSON.stringify(effect.value)));
            if (fate === "keep") this.harness.step({ is: "stored", key: effect.key });
            if (fate === "fail") this.harness.step({ is: "storeFailed", key: effect.key, reason: "the disk says no" });
            break;
          }
          case "delete":
            this.disk.delete(effect.key);
            break;
          case "load": {
            const entries = effect.keys.flatMap((key): Entry[] => {
              const value = this.disk.get(key);
              return value === undefined ? [] : [{ key, value }];
            });
            this.harness.step({ is: "loaded", token: effect.token, entries });
            break;
          }
          case "runJob":
            this.harness.step({ is: "jobFinished", job: effect.job, output: this.artifact });
            break;
          case "reply":
          case "send":
            this.inbox.get(effect.to as PeerId)?.push(JSON.parse(String(effect.frame))); // Why: the Brain has no links.
            break;
          case "observe":
            this.observations.push(effect.observation);
            break;
          default:
            break;
        }
      }
    }
  }

  /** Lets time pass, and everything that comes of it happen. */
  pass(ms: number): void {
    const until = this.harness.now + ms;
    for (let at = this.next(until); at !== undefined; at = this.next(until)) {
      this.harness.advance(Math.max(0, at - this.harness.now));
      this.settle();
    }
    this.harness.advance(until - this.harness.now);
    this.settle();
  }

  /** A new process on the same disk; the old one was killed. */
  restart(changed: BrainOptions = {}): BrainStage {
    const epoch = (this.options.epoch ?? 1) + 1;
    return new BrainStage({ ...this.options, disk: this.disk, epoch, now: this.harness.now, ...changed });
  }

  private next(until: number): number | undefined {
    const at = this.harness.service.nextWakeup(this.harness.state);
    return at !== undefined && at <= until ? at : undefined;
  }
}

/** What stands in the log of a session, kinds only. */
export const kinds = (events: readonly JsonObject[]): readonly Json[] => events.map(({ type = null }) => type);
