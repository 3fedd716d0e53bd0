/** The Brain in virtual time with a store: effects are carried out until none is left. */
import { brain, type BrainState } from "../../../../src/services/brain/mod.ts";
import { DEFAULTS } from "../../../../src/core/defaults.ts";
import type { ConnectionInfo, Entry, ResumedPeer } from "../../../../src/core/event.ts";
import type { Key, PeerId } from "../../../../src/core/ids.ts";
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import type { Observation } from "../../../../src/core/observation.ts";
import type { Service } from "../../../../src/core/service.ts";
import type { BrainSettings, LimitSettings, Settings } from "../../../../src/core/settings.ts";
import { ServiceHarness } from "../../../../src/testing/service-harness.ts";
import { check } from "../../../harness/check.ts";

export type Reply = JsonObject;

export interface BrainOptions extends Partial<BrainSettings> {
  readonly service?: Service<BrainState>;
  readonly disk?: Map<Key, Json>;
  readonly limits?: Partial<LimitSettings>;
  readonly epoch?: number;
  readonly now?: number;
  readonly resumed?: readonly ResumedPeer[];
}

export class BrainFixture {
  readonly harness: ServiceHarness<BrainState>;
  readonly disk: Map<Key, Json>;
  readonly observations: Observation[] = [];
  readonly options: BrainOptions;
  /** The frames for each peer that the test has not read. */
  readonly inbox: Map<PeerId, Reply[]> = new Map();
  /** What the store does with a write: keeps it, fails, or does not answer. */
  store: (key: Key) => "keep" | "fail" | "hang" = () => "keep";
  /** The output of the job that reads the artifact. */
  artifact: Json = { why: "no artifact here" };
  puts = 0;
  jobs = 0;

  constructor(options: BrainOptions = {}) {
    const { service = brain, disk = new Map(), epoch = 1, now = 1_000_000, resumed = [], limits, ...changed } = options;
    this.options = options;
    this.disk = disk;
    const brainSettings = { ...DEFAULTS.brain, ...changed };
    const settings: Settings = { ...DEFAULTS, limits: { ...DEFAULTS.limits, ...limits }, brain: brainSettings };
    const isResident = (key: Key) => service.resident.some((prefix) => key.startsWith(prefix));
    const entries = [...disk].sort(([left], [right]) => (left < right ? -1 : 1)).map(([key, value]): Entry =>
      isResident(key) ? { key, value } : { key }
    );
    this.harness = new ServiceHarness(service, { settings, entries, epoch, now, resumed: resumed });
  }

  peer(name: string, connection: Partial<ConnectionInfo> = {}): PeerId {
    const peer = this.harness.open(name, connection);
    this.inbox.set(peer, []);
    return peer;
  }

  /** Sends a frame and carries out nothing. */
  send(peer: PeerId, frame: JsonObject | string | Uint8Array): void {
    this.harness.frame(peer, frame);
  }

  /** Sends a request, carries out all effects, and returns the one reply. */
  ask(peer: PeerId, frame: JsonObject | string | Uint8Array): Reply {
    this.send(peer, frame);
    this.settle();
    const [reply, ...more] = this.seen(peer);
    check.that(reply !== undefined, `no reply to ${String(JSON.stringify(frame)).slice(0, 200)}`);
    check.equal(more, []);
    return reply;
  }

  /** Creates a session and returns its id. */
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
      const found = page["events"] as readonly JsonObject[]; // Why the cast: other tests check the shape of the reply.
      events.push(...found);
      if (found.length === 0 || next > Number(page["head_seq"])) return events;
      next = Number(page["next_seq"]);
    }
  }

  /** Removes and returns all frames for a peer. */
  seen(peer: PeerId): readonly Reply[] {
    return this.inbox.get(peer)?.splice(0) ?? [];
  }

  /** Carries out all effects, and the effects that follow from them. */
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
            this.jobs++;
            this.harness.step({ is: "jobFinished", job: effect.job, output: this.artifact });
            break;
          case "reply":
          case "send":
            this.inbox.get(effect.to as PeerId)?.push(JSON.parse(String(effect.frame))); // Why the cast: the Brain has no links.
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

  /** Advances the time, firing every timer on the way. */
  pass(ms: number): void {
    const until = this.harness.now + ms;
    for (let at = this.next(until); at !== undefined; at = this.next(until)) {
      this.harness.advance(Math.max(0, at - this.harness.now));
      this.settle();
    }
    this.harness.advance(until - this.harness.now);
    this.settle();
  }

  /** A new process with the same store, as after a crash. */
  restart(changed: BrainOptions = {}): BrainFixture {
    const epoch = (this.options.epoch ?? 1) + 1;
    return new BrainFixture({ ...this.options, disk: this.disk, epoch, now: this.harness.now, ...changed });
  }

  private next(until: number): number | undefined {
    const at = this.harness.service.nextWakeup(this.harness.state);
    return at !== undefined && at <= until ? at : undefined;
  }
}

/** The types of some events. */
export const kinds = (events: readonly JsonObject[]): readonly Json[] => events.map(({ type = null }) => type);
