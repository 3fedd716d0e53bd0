/**
 * Access: loopback addresses, and credentials: the configured tokens with their permissions. All listeners check tokens with these
 * functions.
 *
 * Invariants: C1 only digests are kept, never a token; C2 a presented token is compared with every credential, in constant time;
 * C3 an empty token and the published one are marked as public, because they may count on this machine only.
 */
import { PUBLISHED_TOKEN } from "./defaults.ts";
import { hashText, sameDigest } from "./hash.ts";
import type { Scope, Settings } from "./settings.ts";

/** True for a host name or an address, with or without brackets, that only this machine can reach. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" ||
    /^(::ffff:)?127(\.\d{1,3}){3}$/.test(name);
}

/** The origin of a page without one. Any web page can have it, in a sandboxed frame. */
export const OPAQUE_ORIGIN = "null";

/** The addresses that count as one for limits: an IPv4 address, or the /64 network of an IPv6 address, which one customer has for himself. */
export function addressGroup(address: string): string {
  if (!address.includes(":")) return address;
  const [left = "", right] = address.replace(/%.*$/, "").toLowerCase().split("::");
  const groupsOf = (part: string): string[] => part === "" ? [] : part.split(":");
  const [first, last] = [groupsOf(left), groupsOf(right ?? "")];
  const zeros = Array.from({ length: Math.max(0, 8 - first.length - last.length) }, () => "0");
  return [...first, ...zeros, ...last].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, "")).join(":");
}

/** True for an empty token and for the published one: everybody knows both. */
export const isPublicToken = (token: string): boolean => token === "" || token === PUBLISHED_TOKEN;

/** A configured token. */
export interface Credential {
  /** The name in the log and in the audit log. */
  readonly name: string;
  readonly digest: string;
  readonly scopes: readonly Scope[];
  /** Patterns of the names that an integration or watcher can greet with; empty: any name. */
  readonly names: readonly string[];
  readonly isPublic: boolean;
}

/** The digest of a presented token: enough to check it again later, without the token itself. */
export type CredentialDigest = string | undefined;

export const digestOf = (token: string | undefined): CredentialDigest => token === undefined ? undefined : hashText(token);

/** The web port's token belongs to the relay's owner, on every listener. */
export const ALL_SCOPES: readonly Scope[] = ["integration", "watch", "command", "direct", "admin", "link"];
const NEURO_OS_SCOPES: readonly Scope[] = ["watch", "command", "direct"];
const PLAIN_SCOPES: readonly Scope[] = ["integration", "watch", "command"];

/** The credentials in the settings. */
export function credentialsOf(settings: Settings): readonly Credential[] {
  const { intermediary, web } = settings;
  const neuroOs = settings["dependency-authentication"]["neuro-os"].auth_token;
  return [
    ...(web.token === "" ? [] : [{ name: "web", token: web.token, scopes: ALL_SCOPES, names: [] }]),
    ...intermediary.tokens,
    ...(neuroOs === undefined ? [] : [{ name: "neuro-os", token: neuroOs, scopes: NEURO_OS_SCOPES, names: [] }]),
    { name: "intermediary", token: intermediary.auth_token, scopes: PLAIN_SCOPES, names: [] },
  ].map(({ name, token, scopes, names }) => ({
    name,
    digest: hashText(token),
    scopes,
    names,
    isPublic: isPublicToken(token),
  }));
}

/** The credentials with this digest. Equal tokens give several. */
export const matchingCredentials = (credentials: readonly Credential[], digest: string): readonly Credential[] =>
  credentials.filter((credential) => sameDigest(credential.digest, digest));
