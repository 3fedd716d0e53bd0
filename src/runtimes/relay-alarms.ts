/**
 * When the relays of a process have to run although nobody uses them. The alarms are entries in the store of the relay at the root.
 *
 * Invariants: RA1 while a relay runs, its alarm is due, so the next process starts it if this one is killed; RA2 the alarm of a relay that has
 * stopped is not later than its next deadline. An alarm that comes too early has no effect.
 */
import { type Key, type Millis, rawKey } from "../core/ids.ts";
import { key, segment, segmentAt, segmentText, sequence } from "../core/key.ts";
import type { Store } from "../engine/mod.ts";

const ALARMS = key("meta", "alarm");

interface RelayAlarm {
  at: Millis | undefined;
  /** What is stored for it: more than one key if a deletion has failed. */
  keys: readonly Key[];
}

export interface RelayAlarmsPorts {
  readonly store: Store;
  /** An alarm could not be written or deleted. */
  failed(key: Key, error: unknown): void;
}

export class RelayAlarms {
  readonly #ports: RelayAlarmsPorts;
  readonly #alarms = new Map<string, RelayAlarm>();
  /** Why one after another: a key may be written again only after it was deleted. */
  #written: Promise<void> = Promise.resolve();

  private constructor(ports: RelayAlarmsPorts) {
    this.#ports = ports;
  }

  /** Reads what an earlier process has left. */
  static async open(ports: RelayAlarmsPorts): Promise<RelayAlarms> {
    const alarms = new RelayAlarms(ports);
    for (const stored of await ports.store.keys(ALARMS)) {
      const [name, at] = [segmentText(segmentAt(stored, 2)), Number(segmentAt(stored, 3))];
      if (name === undefined || !Number.isSafeInteger(at)) continue;
      const known = alarms.#alarms.get(name);
      alarms.#alarms.set(name, { at: Math.min(at, known?.at ?? at), keys: [...known?.keys ?? [], stored] });
    }
    return alarms;
  }

  get size(): number {
    return this.#alarms.size;
  }

  /** When each relay is started, by its name. */
  all(): ReadonlyMap<string, Millis> {
    return new Map([...this.#alarms].flatMap(([name, { at }]) => at === undefined ? [] : [[name, at] as const]));
  }

  /** The relays whose time has come. */
  due(now: Millis): readonly string[] {
    return [...this.all()].filter(([, at]) => at <= now).map(([name]) => name);
  }

  /** Replaces the alarm of a relay; `undefined` removes it. Why nobody waits: until it is stored, the earlier one holds. */
  set(name: string, at: Millis | undefined): void {
    const alarm = this.#alarms.get(name) ?? { at: undefined, keys: [] };
    if (alarm.at === at) return;
    alarm.at = at;
    this.#alarms.set(name, alarm);
    this.#written = this.#written.then(() => this.#write(name, alarm, at));
  }

  /** Resolves when everything is stored, at the latest after this time. */
  async written(withinMs: Millis): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, withinMs);
    await Promise.race([this.#written, promise]);
    clearTimeout(timer);
  }

  async #write(name: string, alarm: RelayAlarm, at: Millis | undefined): Promise<void> {
    const former = alarm.keys;
    if (at !== undefined) {
      const stored = rawKey(`${ALARMS}/${segment(name)}/${sequence(at)}`);
      if (!await this.#tried(stored, this.#ports.store.put(stored, { v: 1 }))) return;
      alarm.keys = [...former, stored];
    }
    for (const old of former) {
      if (await this.#tried(old, this.#ports.store.delete(old))) alarm.keys = alarm.keys.filter((key) => key !== old);
    }
    if (alarm.at === undefined && alarm.keys.length === 0) this.#alarms.delete(name);
  }

  #tried(key: Key, write: Promise<void>): Promise<boolean> {
    return write.then(() => true, (error: unknown) => {
      this.#ports.failed(key, error);
      return false;
    });
  }
}
