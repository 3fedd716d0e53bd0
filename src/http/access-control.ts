/**
 * Access to listeners, and the scopes of tokens.
 *
 * Invariants: T1 an empty token has no scope on the web port; T2 a listener without a token, or with the published one, accepts this
 * machine only, unless its settings say `open: true`; T3 no token is kept in clear.
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
import { hashText, sameDigest } from "../core/hash.ts";
import { type ListenerName, LISTENERS } from "../core/service.ts";
import type { Scope, Settings } from "../core/settings.ts";

/** The names and scopes of a token; both are empty for an unknown one. */
export interface TokenGrant {
  readonly names: readonly string[];
  readonly scopes: readonly Scope[];
}

/** Why an upgrade is refused. */
export interface Rejection {
  /** The HTTP status. */
  readonly status: 401 | 403;
  readonly reason: string;
}

/** The token of a listener that asks for one at the upgrade. */
interface ListenerToken {
  readonly digest: string | undefined;
  readonly isOpen: boolean;
}

export class AccessControl {
  readonly #credentials: readonly Credential[];
  readonly #listeners: Readonly<Record<"neuro" | "brain", ListenerToken>>;
  /** A peer with a public token could greet the Intermediary. */
  readonly #hasPublicGreeting: boolean;

  constructor(settings: Settings) {
    const { intermediary, "nakurity-backend": backend, brain } = settings;
    const neuroOs = settings["dependency-authentication"]["neuro-os"].auth_token;
    this.#credentials = credentialsOf(settings).filter(({ digest }) => digest !== EMPTY_DIGEST);
    this.#listeners = { neuro: listenerToken(backend), brain: listenerToken(brain) };
    this.#hasPublicGreeting = isPublicToken(intermediary.auth_token) || (neuroOs !== undefined && isPublicToken(neuroOs));
  }

  /** The names and scopes of all credentials that are equal to this token. */
  grantOf(token: string | undefined, address: string): TokenGrant {
    if (token === undefined || token === "") return { names: [], scopes: [] };
    const matching = this.#matching(hashText(token), address);
    return {
      names: [...new Set(matching.map(({ name }) => name))],
      scopes: [...new Set(matching.flatMap(({ scopes }) => scopes))],
    };
  }

  #matching(digest: string, address: string): readonly Credential[] {
    const isLocal = isLoopback(address);
    return matchingCredentials(this.#credentials, digest).filter(({ isPublic }) => isLocal || !isPublic);
  }

  /**
   * True while a socket of this listener can be open for a client that presented this token. The Intermediary checks the greetings of its
   * peers itself.
   */
  admits(listener: ListenerName | "link", presented: CredentialDigest, address: string): boolean {
    switch (listener) {
      case "neuro":
      case "brain": {
        const { digest, isOpen } = this.#listeners[listener];
        if (digest === undefined) return isOpen || isLoopback(address);
        return presented !== undefined && sameDigest(presented, digest);
      }
      case "intermediary":
        return !this.#hasPublicGreeting || isLoopback(address);
      case "proxy":
        return isLoopback(address);
      case "link":
        return presented !== undefined && this.#matching(presented, address).some(({ scopes }) => scopes.includes("link"));
      default: // Why not `assertNever`: a socket that outlived an update has the listener that the earlier version gave it.
        return false;
    }
  }

  /** True for the token of this listener, if it has one. */
  hasTokenOf(listener: ListenerName | undefined, token: string | undefined): boolean {
    if ((listener !== "neuro" && listener !== "brain") || token === undefined) return false;
    const { digest } = this.#listeners[listener];
    return digest !== undefined && sameDigest(hashText(token), digest);
  }

  /** Undefined if the client can open a socket on this listener. */
  rejectionOf(listener: ListenerName | "link", token: string | undefined, address: string): Rejection | undefined {
    if (this.admits(listener, digestOf(token), address)) return undefined;
    if (listener === "link") {
      if (this.grantOf(token, address).names.length > 0) return { status: 403, reason: "this token lacks the scope link" };
      const what = token === undefined ? "no" : "unknown";
      return { status: 401, reason: `${what} token: give one with the scope link, in \`Authorization\` or as ?token=` };
    }
    if (listener === "intermediary") {
      return { status: 403, reason: "this machine only; set a strong intermediary.auth_token to accept other machines" };
    }
    if (listener === "proxy") return { status: 403, reason: "the intercept proxy accepts this machine only" };
    const { block } = LISTENERS[listener];
    if (this.#listeners[listener].digest === undefined) {
      return { status: 403, reason: `this machine only; set ${block}.token, or ${block}.open, to accept other machines` };
    }
    const what = token === undefined ? "no" : "wrong";
    return { status: 401, reason: `${what} token: give ${block}.token as ?token= or /t/<token>` };
  }
}

const EMPTY_DIGEST = hashText("");

const listenerToken = ({ token, open }: { readonly token: string; readonly open: boolean }): ListenerToken => ({
  digest: token === "" ? undefined : hashText(token),
  isOpen: open,
});
