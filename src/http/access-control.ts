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
  listenerTokens,
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
  /** Empty: it asks for none. */
  readonly digests: readonly string[];
  readonly isOpen: boolean;
}

export class AccessControl {
  readonly #credentials: readonly Credential[];
  readonly #used: (digest: string, address: string) => void;
  readonly #listeners: Readonly<Record<"neuro" | "brain", ListenerToken>>;
  /** A peer with a public token could greet the Intermediary. */
  readonly #hasPublicGreeting: boolean;

  /** `used` is called with each known token that a client presents. */
  constructor(settings: Settings, used: (digest: string, address: string) => void = () => {}) {
    this.#used = used;
    const { intermediary, "nakurity-backend": backend, brain } = settings;
    const neuroOs = settings["dependency-authentication"]["neuro-os"].auth_token;
    this.#credentials = credentialsOf(settings).filter(({ digest }) => digest !== EMPTY_DIGEST);
    this.#listeners = { neuro: listenerToken(backend), brain: listenerToken(brain) };
    this.#hasPublicGreeting = isPublicToken(intermediary.auth_token) || (neuroOs !== undefined && isPublicToken(neuroOs));
  }

  /** The names and scopes of all credentials that are equal to this token. */
  grantOf(token: string | undefined, address: string): TokenGrant {
    if (token === undefined || token === "") return { names: [], scopes: [] };
    const digest = hashText(token);
    const matching = this.#matching(digest, address);
    if (matching.length > 0) this.#used(digest, address);
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
        const { digests, isOpen } = this.#listeners[listener];
        if (digests.length === 0) return isOpen || isLoopback(address);
        return presented !== undefined && hasDigest(digests, presented);
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
    return hasDigest(this.#listeners[listener].digests, hashText(token));
  }

  /** Undefined if the client can open a socket on this listener. */
  rejectionOf(listener: ListenerName | "link", token: string | undefined, address: string): Rejection | undefined {
    const presented = digestOf(token);
    if (this.admits(listener, presented, address)) {
      const isToken = (listener === "neuro" || listener === "brain") && presented !== undefined &&
        hasDigest(this.#listeners[listener].digests, presented);
      if (isToken) this.#used(presented, address);
      return undefined;
    }
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
    if (this.#listeners[listener].digests.length === 0) {
      return { status: 403, reason: `this machine only; set ${block}.token, or ${block}.open, to accept other machines` };
    }
    const what = token === undefined ? "no" : "wrong";
    return { status: 401, reason: `${what} token: give ${block}.token as ?token= or /t/<token>` };
  }
}

const EMPTY_DIGEST = hashText("");

const listenerToken = (block: Settings["nakurity-backend"] | Settings["brain"]): ListenerToken => ({
  digests: listenerTokens(block).map(({ digest }) => digest),
  isOpen: block.open,
});

/** Compares with each of them, so that the time does not tell which one is equal. */
const hasDigest = (digests: readonly string[], presented: string): boolean =>
  digests.filter((digest) => sameDigest(digest, presented)).length > 0;
