/**
 * The tokens of a relay while it runs: the settings with those that are valid now, and the list of all of them.
 *
 * The rest of the relay sees only valid tokens. When one expires or is revoked, the settings are applied again, which closes its peers.
 */
import { configuredDigest, type ConfiguredToken, isHashed, tokensIn, withValidTokens } from "../../core/access.ts";
import type { Millis } from "../../core/ids.ts";
import type { Done } from "../../core/request.ts";
import type { Settings } from "../../core/settings.ts";
import { errorText } from "../../core/text.ts";
import type { TokenView } from "../../core/view.ts";
import type { RequestResult, Store } from "../../engine/mod.ts";
import { TokenRecords } from "./token-records.ts";

/** The longest time of a timer; a later expiry is looked for again then. */
const TIMER_MS_MAX: Millis = 2_147_483_647;

export interface TokensHost {
  /** False for a host that sleeps: a timer would keep it awake. It calls `expire` when it works. */
  readonly hasTimer: boolean;
  now(): Millis;
  /** The valid tokens have changed. */
  changed(): void;
  /** Something could not be stored. */
  failed(reason: string): void;
}

export class Tokens {
  readonly #host: TokensHost;
  readonly #records: TokenRecords;
  #settings: Settings;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** When the next token expires. */
  #nextExpiry: Millis = Infinity;

  constructor(settings: Settings, host: TokensHost) {
    this.#settings = settings;
    this.#host = host;
    this.#records = new TokenRecords((error) => host.failed(errorText(error)));
    this.#awaitExpiry(); // Why here: the gateway of a cluster's node has no store, so it loads nothing.
  }

  async load(store: Store): Promise<void> {
    await this.#records.load(store, this.#host.now());
    if (this.#records.hasRevoked) this.#host.changed();
  }

  configure(settings: Settings): void {
    this.#settings = settings;
    this.#awaitExpiry();
  }

  /** The settings, with the tokens that are valid now. */
  valid(): Settings {
    const now = this.#host.now();
    return withValidTokens(
      this.#settings,
      ({ digest, expires = Infinity }) => now < expires && !this.#records.isRevoked(digest),
    );
  }

  use(digest: string, address: string): void {
    this.#records.use(digest, address, this.#host.now());
  }

  list(): readonly TokenView[] {
    return withIds(tokensIn(this.#settings)).map(([id, token]) => this.#view(id, token));
  }

  /** Revokes a token. Its peers are closed, and it is refused after a restart as well. */
  async revoke(id: string): Promise<RequestResult<Done>> {
    const [, token] = withIds(tokensIn(this.#settings)).find(([known]) => known === id) ?? [];
    if (token === undefined) return { fault: "notFound", reason: `no token has the id ${id.slice(0, 64)}` };
    if (token.use === "web") {
      return { fault: "notNow", reason: "the token of the web port is not revoked but replaced: change web.token" };
    }
    try {
      await this.#records.revoke(configuredDigest(token.token), this.#host.now());
    } catch (error) {
      return { fault: "storageFailed", reason: errorText(error) };
    }
    this.#host.changed();
    return { body: { status: "revoked" } };
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#records.close();
  }

  #view(id: string, { use, name, token, scopes, names, expires }: ConfiguredToken): TokenView {
    const digest = configuredDigest(token);
    const used = this.#records.lastUse(digest);
    return {
      id,
      name,
      use,
      scopes,
      names,
      state: this.#records.isRevoked(digest)
        ? "revoked"
        : expires !== undefined && expires <= this.#host.now()
        ? "expired"
        : "valid",
      hashed: isHashed(token),
      expires_at: expires ?? null,
      last_used_at: used?.at ?? null,
      last_address: used?.address ?? null,
    };
  }

  /** Applies the settings again if a token has expired. */
  expire(): void {
    if (this.#host.now() < this.#nextExpiry) return;
    this.#awaitExpiry();
    this.#host.changed();
  }

  #awaitExpiry(): void {
    clearTimeout(this.#timer);
    const now = this.#host.now();
    const times = tokensIn(this.#settings).map(({ expires = Infinity }) => expires).filter((at) => at > now);
    this.#nextExpiry = Math.min(...times);
    if (!this.#host.hasTimer || this.#nextExpiry === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#awaitExpiry();
      this.#host.changed();
    }, Math.min(this.#nextExpiry - now, TIMER_MS_MAX));
    if (typeof this.#timer === "object" && "unref" in this.#timer) this.#timer.unref();
  }
}

/** Each token with its id: what it is for, and its name. Equal ones are numbered. */
function withIds(tokens: readonly ConfiguredToken[]): readonly (readonly [id: string, token: ConfiguredToken])[] {
  const counts = new Map<string, number>();
  return tokens.map((token) => {
    const id = `${token.use}:${token.name}`;
    const count = (counts.get(id) ?? 0) + 1;
    counts.set(id, count);
    return [count === 1 ? id : `${id}~${count}`, token];
  });
}
