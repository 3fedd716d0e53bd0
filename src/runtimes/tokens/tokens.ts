/**
 * The tokens of a relay while it runs: the settings with those that are valid now, and the list of all of them.
 *
 * The rest of the relay sees only valid tokens. When one expires, is revoked or is issued, the settings are applied again, which closes the
 * peers of those that are no longer valid.
 *
 * Invariants: O1 an issued token is returned once and never kept, only its digest; O2 nobody issues a token with a scope that the own token
 * lacks; O3 no token is issued for a listener that is open to clients without one, because it would shut them out.
 */
import {
  configuredDigest,
  type ConfiguredToken,
  hashedToken,
  isHashed,
  type IssuedToken,
  tokensIn,
  withIssuedTokens,
  withValidTokens,
} from "../../core/access.ts";
import { hashText } from "../../core/hash.ts";
import { ISSUED_TOKENS_MAX } from "../../core/limits.ts";
import type { Millis } from "../../core/ids.ts";
import type { Done, Principal } from "../../core/request.ts";
import type { FaultName } from "../../core/fault.ts";
import type { Settings } from "../../core/settings.ts";
import { errorText } from "../../core/text.ts";
import type { IssuedTokenView, TokenRequest, TokenView } from "../../core/view.ts";
import type { RequestResult, Store } from "../../engine/mod.ts";
import { newToken } from "./new-token.ts";
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
  /** A token that must never be written to logs. */
  learnSecret(token: string): void;
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
    this.#awaitExpiry();
    if (this.#records.hasChanges) this.#host.changed();
  }

  configure(settings: Settings): void {
    this.#settings = settings;
    this.#awaitExpiry();
  }

  /** The settings, with the tokens that are valid now. */
  valid(): Settings {
    const now = this.#host.now();
    const issued = this.#records.issued().map(({ token }) => token);
    return withValidTokens(
      withIssuedTokens(this.#settings, issued),
      ({ digest, expires = Infinity }) => now < Math.min(expires, this.#records.revokedAt(digest) ?? Infinity),
    );
  }

  use(digest: string, address: string): void {
    this.#records.use(digest, address, this.#host.now());
  }

  list(): readonly TokenView[] {
    return this.#all().map((token) => this.#view(token));
  }

  /** Issues a token that is valid from now on. */
  async issue(request: TokenRequest, principal: Principal): Promise<RequestResult<IssuedTokenView>> {
    const { use, name, scopes = [], names = [], expires_at: expires } = request;
    if (expires !== undefined && expires <= this.#host.now()) return refused("badMessage", "`expires_at` is in the past");
    if (use === "intermediary" ? scopes.length === 0 : scopes.length > 0) {
      return refused("badMessage", "a token of the Intermediary has at least one scope, any other token none");
    }
    const known = this.#all();
    if (known.some((token) => token.use === use && token.name === name)) {
      return refused("notNow", `a token with this name exists: ${use}:${name}; rotate it, or choose another name`);
    }
    // Why not the Intermediary: its clients always need a token.
    if (use !== "intermediary" && !known.some((token) => token.use === use)) {
      return refused(
        "notNow",
        `this listener needs no token now, and a first one would shut out all clients without it; configure one`,
      );
    }
    return await this.#issue({ use, name, scopes, names, expires }, principal);
  }

  /** Issues a token in place of another one, which stays valid for the overlap. */
  async rotate(id: string, overlap: Millis, principal: Principal): Promise<RequestResult<IssuedTokenView>> {
    const token = this.#find(id);
    if ("fault" in token) return token;
    const { use, name, scopes, names, expires } = token;
    const until = this.#host.now() + overlap;
    if (use === "web") return WEB_TOKEN;
    if (this.#stateOf(token) !== "valid") return refused("notNow", `${id} is not valid any more; issue a new token`);
    const outcome = await this.#issue({ use, name, scopes, names, expires }, principal);
    if ("fault" in outcome) return outcome;
    return await storing(this.#end(token, Math.min(until, this.#endOf(token)))) ?? outcome;
  }

  async #issue(wanted: Omit<IssuedToken, "token">, principal: Principal): Promise<RequestResult<IssuedTokenView>> {
    const refusal = this.#issueRefusal(wanted, principal);
    if (refusal !== undefined) return refusal;
    const secret = newToken();
    this.#host.learnSecret(secret);
    const token = { ...wanted, token: hashedToken(hashText(secret)) };
    const failure = await storing(this.#records.issue(token, this.#host.now()));
    if (failure !== undefined) return failure;
    this.#awaitExpiry();
    this.#host.changed();
    return { body: { id: issuedId(token), token: secret } };
  }

  #issueRefusal({ scopes }: Omit<IssuedToken, "token">, principal: Principal): Refusal | undefined {
    // Why: the other nodes do not know the tokens of one of them.
    if (this.#settings.cluster.enabled) return refused("notNow", "in a cluster, tokens are in the settings of each node");
    const missing = scopes.filter((scope) => !principal.scopes.includes(scope));
    if (missing.length > 0) return refused("notAllowed", `your token lacks the scope ${missing.join(", ")} of this token`);
    const count = this.#records.issued().length;
    if (count < ISSUED_TOKENS_MAX) return undefined;
    return refused("queueFull", `${count} tokens are issued, and ${ISSUED_TOKENS_MAX} are the most; revoke some of them`);
  }

  /** Revokes a token. Its peers are closed, and it is refused after a restart as well. */
  async revoke(id: string): Promise<RequestResult<Done>> {
    const token = this.#find(id);
    if ("fault" in token) return token;
    if (token.use === "web") return WEB_TOKEN;
    return await storing(this.#end(token, this.#host.now())) ?? { body: { status: "revoked" } };
  }

  async #end({ token, issuedAt }: KnownToken, at: Millis): Promise<void> {
    const digest = configuredDigest(token);
    if (issuedAt !== undefined && at <= this.#host.now()) await this.#records.forget(digest);
    else await this.#records.revoke(digest, at);
    this.#awaitExpiry();
    this.#host.changed();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#records.close();
  }

  #all(): readonly KnownToken[] {
    const issued = this.#records.issued().map(({ token, at }) => ({ ...token, id: issuedId(token), issuedAt: at }));
    return [...withIds(tokensIn(this.#settings)), ...issued];
  }

  #find(id: string): KnownToken | Refusal {
    return this.#all().find((token) => token.id === id) ?? refused("notFound", `no token has the id ${id.slice(0, 64)}`);
  }

  #endOf({ token, expires = Infinity }: KnownToken): Millis {
    return Math.min(expires, this.#records.revokedAt(configuredDigest(token)) ?? Infinity);
  }

  #stateOf({ token, expires = Infinity }: KnownToken): TokenView["state"] {
    const now = this.#host.now();
    if ((this.#records.revokedAt(configuredDigest(token)) ?? Infinity) <= now) return "revoked";
    return expires <= now ? "expired" : "valid";
  }

  #view(known: KnownToken): TokenView {
    const { id, use, name, token, scopes, names, issuedAt } = known;
    const used = this.#records.lastUse(configuredDigest(token));
    const end = this.#endOf(known);
    return {
      id,
      name,
      use,
      scopes,
      names,
      state: this.#stateOf(known),
      hashed: isHashed(token),
      issued_at: issuedAt ?? null,
      expires_at: end === Infinity ? null : end,
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
    const times = [...this.#all().map(({ expires = Infinity }) => expires), ...this.#records.revocations()];
    this.#nextExpiry = Math.min(...times.filter((at) => at > now));
    if (!this.#host.hasTimer || this.#nextExpiry === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#awaitExpiry();
      this.#host.changed();
    }, Math.min(this.#nextExpiry - now, TIMER_MS_MAX));
    if (typeof this.#timer === "object" && "unref" in this.#timer) this.#timer.unref();
  }
}

interface Refusal {
  readonly fault: FaultName;
  readonly reason: string;
}

const refused = (fault: FaultName, reason: string): Refusal => ({ fault, reason });

/** The refusal if something could not be stored. */
async function storing(write: Promise<void>): Promise<Refusal | undefined> {
  try {
    await write;
    return undefined;
  } catch (error) {
    return refused("storageFailed", errorText(error));
  }
}

/** A token of the settings, or an issued one. */
interface KnownToken extends ConfiguredToken {
  readonly id: string;
  /** Undefined: it is in the settings. */
  readonly issuedAt: Millis | undefined;
}

const WEB_TOKEN: Refusal = refused(
  "notNow",
  "the token of the web port is neither revoked nor rotated here but replaced: change web.token",
);

/** Digits of the digest in the id of an issued token. They tell tokens of the same name apart, and give nothing away. */
const ID_DIGITS = 8;

const issuedId = ({ use, name, token }: IssuedToken): string =>
  `${use}:${name}@${configuredDigest(token).slice(0, ID_DIGITS)}`;

/** The tokens of the settings with their ids: what each is for, and its name. Equal ones are numbered. */
function withIds(tokens: readonly ConfiguredToken[]): readonly KnownToken[] {
  const counts = new Map<string, number>();
  return tokens.map((token) => {
    const id = `${token.use}:${token.name}`;
    const count = (counts.get(id) ?? 0) + 1;
    counts.set(id, count);
    return { ...token, id: count === 1 ? id : `${id}~${count}`, issuedAt: undefined };
  });
}
