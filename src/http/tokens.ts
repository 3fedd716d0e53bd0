/**
 * Tokens: what each allows, compared by digest in constant time.
 *
 * Invariants: T1 an empty token is never a token; T2 the published token and the absence of one open something only to this
 * very machine; T3 nothing here keeps a token in clear.
 */
import { isLoopback } from "../core/loopback.ts";
import { PUBLISHED_TOKEN } from "../core/defaults.ts";
import type { ListenerName } from "../core/event.ts";
import { hashText, sameDigest } from "../core/hash.ts";
import type { Scope, Settings, TokenSettings } from "../core/settings.ts";

interface Known {
  readonly name: string;
  readonly digest: string;
  readonly scopes: readonly Scope[];
  /** Good on this machine only. */
  readonly isWeak: boolean;
}

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

const EVERYTHING: readonly Scope[] = ["integration", "watch", "command", "direct", "admin"];

export class Tokens {
  readonly #known: readonly Known[];
  readonly #doors: Readonly<Record<"neuro" | "brain", { readonly digest: string | undefined; readonly open: boolean }>>;
  readonly #isIntermediaryWeak: boolean;

  constructor(settings: Settings) {
    const { intermediary, "nakurity-backend": backend, brain, web } = settings;
    const privileged = settings["dependency-authentication"]["neuro-os"].auth_token;
    this.#known = [
      ...known({ name: "web", token: web.token, scopes: EVERYTHING }),
      ...intermediary.tokens.flatMap(known),
      ...known({ name: "neuro-os", token: privileged ?? "", scopes: ["watch", "command", "direct"] }),
      ...known({ name: "intermediary", token: intermediary.auth_token, scopes: ["integration", "watch", "command"] }),
    ];
    this.#doors = { neuro: doorToken(backend), brain: doorToken(brain) };
    this.#isIntermediaryWeak = isWeak(intermediary.auth_token) || (privileged !== undefined && isWeak(privileged));
  }

  /** Who bears this token: the union over all tokens that are equal to it. */
  bearer(token: string | undefined, address: string): Bearer {
    if (token === undefined || token === "") return { names: [], scopes: [] };
    const digest = hashText(token);
    const isLocal = isLoopback(address);
    const names = new Set<string>();
    const scopes = new Set<Scope>();
    for (const candidate of this.#known) {
      if (!sameDigest(candidate.digest, digest) || (candidate.isWeak && !isLocal)) continue;
      names.add(candidate.name);
      for (const scope of candidate.scopes) scopes.add(scope);
    }
    return { names: [...names], scopes: [...scopes] };
  }

  /** True while a socket of this door may be open to whoever showed that ticket. Rooms judge their peers' greetings themselves. */
  admits(listener: ListenerName, ticket: Ticket, address: string): boolean {
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
    if (this.admits(listener, ticketOf(token), address)) return undefined;
    if (this.#doors[listener].digest === undefined) {
      return { status: 403, reason: `set ${block}.token, or ${block}.open, to serve other machines` };
    }
    return {
      status: 401,
      reason: `${token === undefined ? "no" : "wrong"} token: give ${block}.token as ?token= or /t/<token>`,
    };
  }
}

/** What a caller showed at a door: enough to know whether it would be let in again, and not the token. */
export type Ticket = string | undefined;

export const ticketOf = (token: string | undefined): Ticket => (token === undefined ? undefined : hashText(token));

const isWeak = (token: string): boolean => token === "" || token === PUBLISHED_TOKEN;

const known = ({ name, token, scopes }: Pick<TokenSettings, "name" | "token" | "scopes">): readonly Known[] =>
  token === "" ? [] : [{ name, digest: hashText(token), scopes, isWeak: isWeak(token) }];

const doorToken = ({ token, open }: { token: string; open: boolean }) => ({
  digest: token === "" ? undefined : hashText(token),
  open,
});
