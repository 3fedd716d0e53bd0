/** Redis in virtual time: the directory and the entries, reached with delays, lost requests and lost replies. */
import { type ClusterDirectory, recordText } from "../../../../src/cluster/directory.ts";
import type { Entry } from "../../../../src/core/event.ts";
import type { Key, Millis } from "../../../../src/core/ids.ts";
import type { Json } from "../../../../src/core/json.ts";
import type { Store } from "../../../../src/engine/mod.ts";
import type { ClusterStorage, ClusterStoreHooks } from "../../../../src/runtimes/cluster/cluster-storage.ts";
import { memoryUploads } from "../../../../src/storage/uploads.ts";
import type { Random } from "../../../../src/testing/random.ts";
import { SimulatedDirectory } from "../simulated-directory.ts";
import type { Machine, Machines } from "./machines.ts";

export class VirtualRedis {
  readonly directory = new SimulatedDirectory();
  /** Entries of each relay. */
  readonly entries = new Map<string, Map<Key, Json>>();
  /** One writer: no entry of a relay is written under another record than the present one. */
  readonly violations: string[] = [];
  /** Until when nothing reaches it. */
  awayUntil: Millis = 0;
  readonly cutOffUntil = new Map<Machine, Millis>();
  readonly #world: Machines;
  readonly #random: Random;
  /** A fault on purpose: it takes the write of any owner. */
  readonly #isUnfenced: boolean;

  constructor(world: Machines, random: Random, isUnfenced: boolean) {
    this.#world = world;
    this.#random = random;
    this.#isUnfenced = isUnfenced;
  }

  /** The storage of one process. */
  storageOf(machine: Machine): ClusterStorage {
    const waiting = new Set<(error: Error) => void>();
    const { process } = machine;
    const reach = (ms: Millis, act: () => void): void =>
      void this.#world.after(ms, () => machine.process === process && machine.after(0, act));
    const delay = () => this.#random.chance(0.05) ? this.#random.between(0, 300) : this.#random.between(0, 4);
    /** Runs when Redis is reached again, as TCP repeats what was lost. */
    const passing = (act: () => void): void => {
      const until = Math.max(this.awayUntil, this.cutOffUntil.get(machine) ?? 0);
      if (this.#world.now >= until) act();
      else this.#world.after(until - this.#world.now, () => passing(act));
    };
    const request = <T>(execute: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        waiting.add(reject);
        this.#world.after(delay(), () =>
          passing(() => {
            // Why also then: a request whose connection is made again may have been executed.
            if (!waiting.has(reject) && this.#random.chance(0.5)) return;
            const reply = execute();
            this.#world.after(delay(), () =>
              passing(() =>
                reach(0, () => {
                  if (waiting.delete(reject)) resolve(reply);
                })
              ));
          }));
      });
    return {
      directory: this.#directoryOver(request),
      localAddress: "127.0.0.1",
      openStore: (relay, record, hooks) => Promise.resolve(this.#store(relay, record, { request, hooks })),
      openUploads: () => memoryUploads(),
      clockDifference: () => Promise.resolve(0),
      reconnect: () => {
        for (const reject of waiting) reject(new Error("disconnected"));
        waiting.clear();
      },
      close: () => Promise.resolve(),
    };
  }

  #directoryOver(request: <T>(execute: () => T) => Promise<T>): ClusterDirectory {
    const { directory } = this;
    return {
      beat: (beat) => request(() => directory.beat(beat)),
      members: () => request(() => directory.members()),
      expire: (session, count) => request(() => directory.expire(session, count)),
      claim: (relay, by, from) => request(() => directory.claim(relay, by, from)),
      release: (relay, record) => request(() => directory.release(relay, record)),
      stop: (relay, record, alarmAt) => request(() => directory.stop(relay, record, alarmAt)),
      due: (now, countMax) => request(() => directory.due(now, countMax)),
      alarms: () => request(() => new Map(directory.alarms)),
      ownerOf: (relay) => request(() => directory.own.get(relay)),
      records: () => request(() => new Map(directory.own)),
      leave: (session) => request(() => void directory.nodes.delete(session)),
    };
  }

  #store(
    relay: string,
    record: string,
    { request, hooks }: { request: <T>(execute: () => T) => Promise<T>; hooks: ClusterStoreHooks },
  ): Store {
    const entries = this.entries.get(relay) ?? new Map<Key, Json>();
    this.entries.set(relay, entries);
    const write = async (act: () => void): Promise<void> => {
      const isOwner = await request(() => {
        const owner = this.directory.own.get(relay);
        const isMine = owner !== undefined && recordText(owner) === record;
        if (!isMine && !this.#isUnfenced) return false;
        if (!isMine) this.violations.push(`${relay}: ${record} writes an entry, and ${owner && recordText(owner)} owns it`);
        act();
        return true;
      });
      if (isOwner) return;
      hooks.onFenced();
      throw new Error("fenced");
    };
    return {
      put: (key, value) => write(() => void entries.set(key, structuredClone(value) as Json)),
      delete: (key) => write(() => void entries.delete(key)),
      keys: (prefix) => request(() => [...entries.keys()].filter((key) => key.startsWith(`${prefix}/`)).sort()),
      read: (keys) =>
        request(() =>
          keys.flatMap((key): readonly Entry[] => {
            const value = entries.get(key);
            return value === undefined ? [] : [{ key, value }];
          })
        ),
      close: () => Promise.resolve(),
    };
  }
}
