/**
 * Tokens: what each allows, compared by digest in constant time.
 *
 * Invariants: T1 an empty token is never a token; T2 the published token and the absence of one open something only to this
 * very machine; T3 nothing here keeps a token in clear.
 */
import {
  type Credential,
  type CredentialDigest,
  credentialsOf,
  digestOf,
  isLoopback,
  isPublicToken,
  matchingCredentials,
} from "../core/access.ts";
import type { ListenerName } from "../core/event.ts";
import { hashText, sameDigest } from "../core/hash.ts";
import type { Scope, Settings } from "../core/settings.ts";

/** What a bearer may do, and by which names its token is known; both are empty for one that nobody configured. */
export interface Bearer {
  readonly names: readonly string[];
  readonly scopes: readonly Scope[];
}

/** Why a caller may not enter a door. `status` is HTTP's. */
export interface Turned {
  readonly status: 401 | 403;
  readonly reason: string;
}

export class Tokens {
  readonly #credentials: readonly Credential[];
  readonly #doors: Readonly<Record<"neuro" | "brain", { readonly digest: string | undefined; readonly open: boolean }>>;
  readonly #isIntermediaryWeak: boolean;

  constructor(settings: Settings) {
    const { intermediary, "nakurity-backend": backend, brain } = settings;
    const privileged = settings["dependency-authentication"]["neuro-os"].auth_token;
    this.#credentials = credentialsOf(settings).filter(({ digest }) => digest !== EMPTY_DIGEST);
    this.#doors = { neuro: doorToken(backend), brain: doorToken(brain) };
    this.#isIntermediaryWeak = isPublicToken(intermediary.auth_token) ||
      (privileged !== undefined && isPublicToken(privileged));
  }

  /** Who bears this token: the union over all tokens that are equal to it. */
  bearer(token: string | undefined, address: string): Bearer {
    if (token === undefined || token === "") return { names: [], scopes: [] };
    const isLocal = isLoopback(address);
    const matching = matchingCredentials(this.#credentials, hashText(token)).filter(({ isPublic }) => isLocal || !isPublic);
    return {
      names: [...new Set(matching.map(({ name }) => name))],
      scopes: [...new Set(matching.flatMap(({ scopes }) => scopes))],
    };
  }

  /** True while a socket of this door may be open to whoever showed that ticket. Rooms judge their peers' greetings themselves. */
  admits(listener: ListenerName, ticket: CredentialDigest, address: string): boolean {
    if (listener !== "neuro" && listener !== "brain") return true;
    const { digest, open } = this.#doors[listener];
    if (digest === undefined) return open || isLoopback(address);
    return ticket !== undefined && sameDigest(ticket, digest);
  }

  /** Undefined when the caller may open a socket at this door; what is said on it is the room's to judge. */
  turnedAway(listener: ListenerName, token: string | undefined, address: string): Turned | undefined {
    if (listener === "intermediary") {
      if (!this.#isIntermediaryWeak || isLoopback(address)) return undefined;
      return { status: 403, reason: "set a strong intermediary.auth_token to serve other machines" };
    }
    if (listener === "proxy") {
      return isLoopback(address) ? undefined : { status: 403, reason: "the proxy is for this machine only" };
    }
    const block = listener === "neuro" ? "nakurity-backend" : "brain";
    if (this.admits(listener, digestOf(token), address)) return undefined;
    if (this.#doors[listener].digest === undefined) {
      return { status: 403, reason: `set ${block}.token, or ${block}.open, to serve other machines` };
    }
    return {
      status: 401,
      reason: `${token === undefined ? "no" : "wrong"} token: give ${block}.token as ?token= or /t/<token>`,
    };
  }
}

const EMPTY_DIGEST = hashText("");

const doorToken = ({ token, open }: { token: string; open: boolean }) => ({
  digest: token === "" ? undefined : hashText(token),
  open,
});
