/**
 * What is known of the tokens besides the settings: which are revoked, and when and from where each was last used.
 *
 * Tokens are known by their digests, so a token that replaces a revoked one under the same name is valid.
 *
 * Invariants: K1 a revocation is stored before it is confirmed; K2 no key is written twice; K3 uses are stored at most every `USE_STORED_MS`
 * for each token, so a restart loses no more than that.
 */
import type { Entry } from "../../core/event.ts";
import type { Key, Millis } from "../../core/ids.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import { key, segmentAt } from "../../core/key.ts";
import type { Store } from "../../engine/mod.ts";

const PREFIX = "tokens";
const USE_STORED_MS: Millis = 600_000;
/** Digests that are kept. Beyond it those that were neither used nor revoked for longest are dropped at the next start. */
const RECORDS_MAX = 1_000;

interface TokenRecord {
  readonly digest: string;
  revokedAt: Millis | undefined;
  usedAt: Millis | undefined;
  address: string | undefined;
  /** The time of use that is stored. */
  storedUse: Millis | undefined;
  key: Key | undefined;
}

export interface TokenUseRecord {
  readonly at: Millis;
  readonly address: string;
}

export class TokenRecords {
  readonly #records = new Map<string, TokenRecord>();
  readonly #failed: (reason: unknown) => void;
  #store: Store | undefined;
  #count = 0;

  /** `failed` is called when a use could not be stored. */
  constructor(failed: (reason: unknown) => void) {
    this.#failed = failed;
  }

  /** Reads what is stored. Until then nothing is known to be revoked, so no peer may be admitted. */
  async load(store: Store, now: Millis): Promise<void> {
    const entries = await store.read(await store.keys(key(PREFIX)));
    const stale: Key[] = [];
    for (const entry of entries) stale.push(...this.#restore(entry));
    this.#store = store;
    const byAge = [...this.#records.values()].sort((one, other) => lastChange(other) - lastChange(one));
    for (const { digest, key } of byAge.slice(RECORDS_MAX)) {
      this.#records.delete(digest);
      if (key !== undefined) stale.push(key);
    }
    this.#count = now;
    for (const key of stale) await store.delete(key).catch(this.#failed);
  }

  isRevoked(digest: string): boolean {
    return this.#records.get(digest)?.revokedAt !== undefined;
  }

  get hasRevoked(): boolean {
    return this.#records.values().some(({ revokedAt }) => revokedAt !== undefined);
  }

  lastUse(digest: string): TokenUseRecord | undefined {
    const { usedAt: at, address } = this.#records.get(digest) ?? {};
    return at === undefined || address === undefined ? undefined : { at, address };
  }

  /** A token of the settings was used. */
  use(digest: string, address: string, now: Millis): void {
    const record = this.#recordOf(digest);
    record.usedAt = now;
    record.address = address;
    if (now - (record.storedUse ?? -Infinity) >= USE_STORED_MS) void this.#save(record).catch(this.#failed);
  }

  /** Resolves once the revocation is stored; rejects, and changes nothing, if it cannot be. */
  async revoke(digest: string, now: Millis): Promise<void> {
    const record = this.#recordOf(digest);
    await this.#save({ ...record, revokedAt: now });
    record.revokedAt = now;
  }

  /** Stores the uses that are not stored yet. */
  async close(): Promise<void> {
    for (const record of this.#records.values()) {
      if (record.usedAt !== record.storedUse) await this.#save(record).catch(this.#failed);
    }
  }

  /** Returns the keys that are not needed any more. */
  #restore({ key, value }: Entry): readonly Key[] {
    const digest = segmentAt(key, 1);
    if (!isObject(value) || value.v !== 1) return [key];
    const record = this.#recordOf(digest);
    const { revoked_at, used_at, address } = value;
    const earlier = record.key === undefined ? [] : [record.key];
    record.key = key;
    if (typeof revoked_at === "number") record.revokedAt = revoked_at;
    if (typeof used_at === "number" && typeof address === "string") {
      record.usedAt = used_at;
      record.storedUse = used_at;
      record.address = address;
    }
    return earlier;
  }

  #recordOf(digest: string): TokenRecord {
    const known = this.#records.get(digest);
    if (known !== undefined) return known;
    const record: TokenRecord = {
      digest,
      revokedAt: undefined,
      usedAt: undefined,
      address: undefined,
      storedUse: undefined,
      key: undefined,
    };
    this.#records.set(digest, record);
    return record;
  }

  async #save({ digest, revokedAt, usedAt, address }: TokenRecord): Promise<void> {
    const record = this.#recordOf(digest);
    if (this.#store === undefined) return;
    const next = key(PREFIX, digest, String(++this.#count).padStart(16, "0"));
    const value: JsonObject = {
      v: 1,
      ...(revokedAt !== undefined && { revoked_at: revokedAt }),
      ...(usedAt !== undefined && { used_at: usedAt, address: address ?? "" }),
    };
    record.storedUse = usedAt;
    await this.#store.put(next, value);
    const before = record.key;
    record.key = next;
    if (before !== undefined) await this.#store.delete(before).catch(this.#failed);
  }
}

const lastChange = ({ revokedAt = 0, usedAt = 0 }: TokenRecord): Millis => Math.max(revokedAt, usedAt);
