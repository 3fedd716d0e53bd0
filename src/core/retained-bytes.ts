/**
 * Accounts for the memory that peers make the relay keep.
 *
 * Accounts form a tree: the relay, its services, their peers, and what each peer owns. What a table keeps is charged to one account and
 * counts for all accounts above it. An account with a limit refuses what would exceed it. The unit is an estimated byte in memory, see
 * `retainedBytes`: at least what an engine needs, and computed from lengths that are known.
 *
 * A peer that keeps little is not refused because others keep much: up to its share, half of `limits.total_bytes` divided by
 * `limits.peers`, only its own limit counts. So all peers together keep at most one and a half times `limits.total_bytes`.
 */
import { ExactNumber } from "./json.ts";
import { failed, type Failure } from "./result.ts";
import type { LimitSettings } from "./settings.ts";

type ByteLimits = Pick<LimitSettings, "peer_bytes" | "total_bytes" | "peers">;

export class RetainedBytes {
  #bytes = 0;
  #owner: RetainedBytes | undefined;
  readonly #limit: "peer_bytes" | "total_bytes" | undefined;

  /** `owner`: the account above it. `limit`: the setting that limits this account. */
  constructor(owner?: RetainedBytes, limit?: "peer_bytes" | "total_bytes") {
    this.#owner = owner;
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Counts bytes that are kept from now on. Only `refusal` checks limits. */
  charge(bytes: number): void {
    // deno-lint-ignore no-this-alias -- Why: it walks up the tree.
    for (let account: RetainedBytes | undefined = this; account !== undefined; account = account.#owner) {
      account.#bytes += bytes;
    }
  }

  release(bytes: number): void {
    this.charge(-bytes);
  }

  /** The account, with everything that it counts, belongs to another one from now on. */
  moveTo(owner: RetainedBytes): void {
    this.#owner?.charge(-this.#bytes);
    this.#owner = owner;
    owner.charge(this.#bytes);
  }

  /** Nothing that it counts is kept any more, and what it counts later concerns no other account. */
  close(): void {
    this.release(this.#bytes);
    this.#owner = undefined;
  }

  /** Why this account cannot keep that many bytes more: the limit, the value and the setting. Undefined: it can. */
  refusal(bytes: number, limits: ByteLimits): Failure | undefined {
    if (bytes <= 0) return undefined;
    let ownBytes = 0;
    // deno-lint-ignore no-this-alias -- Why: it walks up the tree.
    for (let account: RetainedBytes | undefined = this; account !== undefined; account = account.#owner) {
      if (account.#limit === undefined) continue;
      if (account.#limit === "peer_bytes") ownBytes = account.#bytes;
      if (account.#bytes + bytes <= limits[account.#limit]) continue;
      if (account.#limit === "total_bytes" && ownBytes + bytes <= shareOf(limits)) continue;
      return refused(account.#limit, account.#bytes + bytes, limits);
    }
    return undefined;
  }
}

const shareOf = ({ total_bytes, peers }: ByteLimits): number => total_bytes / 2 / peers;

function refused(limit: "peer_bytes" | "total_bytes", needed: number, limits: ByteLimits): Failure {
  const whose = limit === "peer_bytes" ? "this connection" : "all connections together";
  return failed("queueFull", `${whose} would keep ${needed} bytes; \`limits.${limit}\` allows ${limits[limit]}`);
}

/** Estimated bytes of a map's entry, an object and a value in it. Measured with JavaScriptCore and V8, and rounded up. */
const OBJECT_BYTES = 64;
const STRING_BYTES = 32;
const VALUE_BYTES = 8;

/**
 * Estimated bytes that a value occupies: two for each UTF-16 unit of a text, and the engine's own for each object, member and item. Never
 * less than the value needs, and up to twice as much, because a text in Latin-1 needs one byte a unit.
 */
export function retainedBytes(value: unknown): number {
  if (typeof value === "string") return STRING_BYTES + 2 * value.length;
  if (typeof value !== "object" || value === null) return VALUE_BYTES;
  if (value instanceof Uint8Array) return OBJECT_BYTES + value.length;
  if (value instanceof ExactNumber) return OBJECT_BYTES + retainedBytes(String(value));
  let bytes = OBJECT_BYTES;
  if (Array.isArray(value)) {
    for (const item of value) bytes += VALUE_BYTES + retainedBytes(item);
    return bytes;
  }
  // Why not `Object.entries`: nothing is inherited here, and the list would take twice the time.
  for (const key in value) {
    bytes += OBJECT_BYTES + 2 * key.length + retainedBytes((value as { readonly [key: string]: unknown })[key]);
  }
  return bytes;
}
