/**
 * What is known of the tokens besides the settings: which operators have issued, which are revoked, and when and from where each was last used.
 *
 * Tokens are known by their digests, so a token that replaces a revoked one under the same name is valid.
 *
 * Invariants: K1 a revocation is stored before it is confirmed; K2 no key is written twice; K3 uses are stored at most every `USE_STORED_MS`
 * for each token, so a restart loses no more than that; K4 of an issued token only the digest is kept.
 */
import { ALL_SCOPES, configuredDigest, hashedToken, type IssuedToken } from "../../core/access.ts";
import type { Entry } from "../../core/event.ts";
import type { Key, Millis } from "../../core/ids.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { key, segmentAt } from "../../core/key.ts";
import type { Store } from "../../engine/mod.ts";

const PREFIX = "tokens";
const USE_STORED_MS: Millis = 600_000;
/** Digests that are kept. Beyond it those that were neither used nor revoked for longest are dropped at the next start. */
const RECORDS_MAX = 1_000;

interface TokenRecord {
  readonly digest: string;
  /** Of a token that is not in the settings. */
  issued: Issue | undefined;
  /** From when it is refused. */
  revokedAt: Millis | undefined;
  usedAt: Millis | undefined;
  address: string | undefined;
  /** The time of use that is stored. */
  storedUse: Millis | undefined;
  key: Key | undefined;
}

/** A token that an operator has issued, and when. */
export interface Issue {
  readonly token: IssuedToken;
  readonly at: Millis;
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
    const others = this.#records.values().filter(({ issued }) => issued === undefined);
    const byAge = [...others].sort((one, other) => lastChange(other) - lastChange(one));
    const over = this.#records.values().filter((record) => isOver(record, now));
    for (const { digest, key } of [...byAge.slice(RECORDS_MAX), ...over]) {
      this.#records.delete(digest);
      if (key !== undefined) stale.push(key);
    }
    this.#count = now;
    for (const key of stale) await store.delete(key).catch(this.#failed);
  }

  /** From when a token is refused; undefined if it is not revoked. */
  revokedAt(digest: string): Millis | undefined {
    return this.#records.get(digest)?.revokedAt;
  }

  /** True if the settings alone do not say which tokens are valid. */
  get hasChanges(): boolean {
    return this.#records.values().some(({ revokedAt, issued }) => revokedAt !== undefined || issued !== undefined);
  }

  /** The times of all revocations, also those to come. */
  revocations(): readonly Millis[] {
    return this.#records.values().flatMap(({ revokedAt }) => revokedAt === undefined ? [] : [revokedAt]).toArray();
  }

  issued(): readonly Issue[] {
    return this.#records.values().flatMap(({ issued }) => issued === undefined ? [] : [issued]).toArray();
  }

  /** Resolves once the token is stored; rejects, and changes nothing, if it cannot be. */
  async issue(token: IssuedToken, at: Millis): Promise<void> {
    const record = this.#recordOf(configuredDigest(token.token));
    const issued = { token, at };
    await this.#save({ ...record, issued });
    record.issued = issued;
  }

  /** An issued token is refused from now on, and nothing is known of it. */
  async forget(digest: string): Promise<void> {
    const key = this.#records.get(digest)?.key;
    if (key !== undefined) await this.#store?.delete(key);
    this.#records.delete(digest);
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

  /** The token is refused from that time on. Resolves once that is stored; rejects, and changes nothing, if it cannot be. */
  async revoke(digest: string, revokedAt: Millis): Promise<void> {
    const record = this.#recordOf(digest);
    await this.#save({ ...record, revokedAt });
    record.revokedAt = revokedAt;
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
    const { revoked_at, used_at, address, issued } = value;
    const earlier = record.key === undefined ? [] : [record.key];
    record.key = key;
    record.issued = issueOf(digest, issued);
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
      issued: undefined,
      revokedAt: undefined,
      usedAt: undefined,
      address: undefined,
      storedUse: undefined,
      key: undefined,
    };
    this.#records.set(digest, record);
    return record;
  }

  async #save({ digest, issued, revokedAt, usedAt, address }: TokenRecord): Promise<void> {
    const record = this.#recordOf(digest);
    if (this.#store === undefined) return;
    const next = key(PREFIX, digest, String(++this.#count).padStart(16, "0"));
    const value: JsonObject = {
      v: 1,
      ...(issued !== undefined && { issued: valueOf(issued) }),
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

/** True for an issued token that will never be valid again. */
const isOver = ({ issued, revokedAt = Infinity }: TokenRecord, now: Millis): boolean =>
  issued !== undefined && Math.min(revokedAt, issued.token.expires ?? Infinity) <= now;

/** Why without the token: its digest is part of the key. */
const valueOf = ({ token: { use, name, scopes, names, expires }, at }: Issue): JsonObject => ({
  at,
  use,
  name,
  scopes,
  names,
  ...(expires !== undefined && { expires }),
});

function issueOf(digest: string, value: Json | undefined): Issue | undefined {
  if (!isObject(value)) return undefined;
  const { at, use, name, scopes, names, expires } = value;
  if (typeof at !== "number" || typeof name !== "string" || !Array.isArray(scopes) || !Array.isArray(names)) {
    return undefined;
  }
  if (use !== "intermediary" && use !== "neuro" && use !== "brain") return undefined;
  return {
    at,
    token: {
      use,
      name,
      token: hashedToken(digest),
      scopes: ALL_SCOPES.filter((scope) => scopes.includes(scope)),
      names: names.filter((pattern) => typeof pattern === "string"),
      expires: typeof expires === "number" ? expires : undefined,
    },
  };
}
