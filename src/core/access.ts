/**
 * Access: loopback addresses, and credentials: the configured tokens with their permissions. All listeners check tokens with these
 * functions.
 *
 * Invariants: C1 only digests are kept, never a token; C2 a presented token is compared with every credential, in constant time;
 * C3 an empty token and the published one are marked as public, because they may count on this machine only.
 */
import { PUBLISHED_TOKEN } from "./defaults.ts";
import { hashText, sameDigest } from "./hash.ts";
import type { Millis } from "./ids.ts";
import type { PeerTokenSettings, Scope, Settings } from "./settings.ts";
import { matchesPattern } from "./text.ts";

/** True for a host name or an address, with or without brackets, that only this machine can reach. */
export function isLoopback(host: string): boolean {
  if (LOOPBACK_ADDRESS.test(host)) return true; // Why first: nearly all clients of this machine have such an address.
  const name = host.toLowerCase().replace(BRACKETED, "$1");
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" || LOOPBACK_ADDRESS.test(name);
}

const LOOPBACK_ADDRESS = /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/;
const BRACKETED = /^\[(.*)\]$/;

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

/** The form of a setting that contains the digest of a token instead of the token: `{sha256: <digest>}` in the file. */
const HASHED = /^sha256:([0-9a-f]{64})$/;

/** A token as a setting stores its digest. */
export const hashedToken = (digest: string): string => `sha256:${digest}`;

/** True for a setting that contains a digest instead of a token. */
export const isHashed = (setting: string): boolean => HASHED.test(setting);

/** The digest of the token in a setting. */
export const configuredDigest = (setting: string): string => HASHED.exec(setting)?.[1] ?? hashText(setting);

/** Takes the place of a token that has expired or was revoked: no text has this digest. */
const NO_TOKEN = hashedToken("0".repeat(64));

/** True for an empty token and for the published one: everybody knows both. */
export const isPublicToken = (setting: string): boolean =>
  setting === "" || setting === PUBLISHED_TOKEN || PUBLIC_DIGESTS.includes(HASHED.exec(setting)?.[1] ?? "");

const PUBLIC_DIGESTS: readonly string[] = ["", PUBLISHED_TOKEN].map(hashText);

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
export const ALL_SCOPES: readonly Scope[] = ["integration", "watch", "command", "direct", "stop", "admin", "link"];
const NEURO_OS_SCOPES: readonly Scope[] = ["watch", "command", "direct"];
const PLAIN_SCOPES: readonly Scope[] = ["integration", "watch", "command"];

/** Where a token is used: on the web port and the Intermediary, or on one listener. */
export type TokenUse = "web" | "intermediary" | "neuro" | "brain";

/** A token in the settings. */
export interface ConfiguredToken {
  readonly use: TokenUse;
  readonly name: string;
  /** The setting: the token, or its digest. */
  readonly token: string;
  readonly scopes: readonly Scope[];
  readonly names: readonly string[];
  readonly expires?: Millis | undefined;
}

/** A token that an operator has issued: in place of the token it has the digest. The web port has one token, that of the settings. */
export interface IssuedToken extends ConfiguredToken {
  readonly use: Exclude<TokenUse, "web">;
}

/** The settings with the tokens that operators have issued. */
export function withIssuedTokens(settings: Settings, issued: readonly IssuedToken[]): Settings {
  if (issued.length === 0) return settings;
  const { intermediary, brain, "nakurity-backend": backend } = settings;
  const withOwn = <Block extends { readonly tokens: readonly PeerTokenSettings[] }>(
    block: Block,
    use: IssuedToken["use"],
  ): Block => ({ ...block, tokens: [...block.tokens, ...issued.filter((token) => token.use === use)] });
  return {
    ...settings,
    intermediary: withOwn(intermediary, "intermediary"),
    "nakurity-backend": withOwn(backend, "neuro"),
    brain: withOwn(brain, "brain"),
  };
}

/** Every token in the settings that is not empty, in the order of their blocks. */
export function tokensIn(settings: Settings): readonly ConfiguredToken[] {
  const { intermediary, web, brain, "nakurity-backend": backend } = settings;
  const neuroOs = settings["dependency-authentication"]["neuro-os"].auth_token;
  const single = { names: [], expires: undefined };
  const all: readonly ConfiguredToken[] = [
    { use: "web", name: "web", token: web.token, scopes: ALL_SCOPES, ...single },
    ...intermediary.tokens.map((token) => ({ use: "intermediary" as const, ...token })),
    { use: "intermediary", name: "neuro-os", token: neuroOs ?? "", scopes: NEURO_OS_SCOPES, ...single },
    { use: "intermediary", name: "intermediary", token: intermediary.auth_token, scopes: PLAIN_SCOPES, ...single },
    ...backend.tokens.map((token) => ({ use: "neuro" as const, scopes: [], ...token })),
    { use: "neuro", name: "neuro", token: backend.token, scopes: [], ...single },
    ...brain.tokens.map((token) => ({ use: "brain" as const, scopes: [], ...token })),
    { use: "brain", name: "brain", token: brain.token, scopes: [], ...single },
  ];
  return all.filter(({ token }) => token !== "");
}

/** The tokens that a client of a listener presents at the upgrade. */
export const listenerTokens = (
  { token, tokens }: { readonly token: string; readonly tokens: readonly PeerTokenSettings[] },
): readonly Pick<Credential, "digest" | "names">[] =>
  [...tokens, ...token === "" ? [] : [{ token, names: [] }]]
    .map(({ token, names }) => ({ digest: configuredDigest(token), names }));

/** True if a token with this digest permits the name. Without any token for the listener every name is permitted. */
export function permitsName(
  tokens: readonly Pick<Credential, "digest" | "names">[],
  presented: CredentialDigest,
  name: string,
): boolean {
  if (tokens.length === 0) return true;
  return tokens.filter(({ digest }) => presented !== undefined && sameDigest(digest, presented))
    .some(({ names }) => names.length === 0 || names.some((pattern) => matchesPattern(pattern, name)));
}

/**
 * The settings without the tokens that are not valid now. Each is replaced by one that nobody has, because a listener without a token would be
 * open.
 */
export function withValidTokens(settings: Settings, isValid: (token: TokenValidity) => boolean): Settings {
  const valid = (token: string, expires?: Millis): string =>
    token === "" || isValid({ digest: configuredDigest(token), expires }) ? token : NO_TOKEN;
  const validIn = <Token extends PeerTokenSettings>(tokens: readonly Token[]): readonly Token[] =>
    tokens.map((each) => ({ ...each, token: valid(each.token, each.expires) }));
  const { intermediary, web, brain, "nakurity-backend": backend } = settings;
  const neuroOs = settings["dependency-authentication"]["neuro-os"].auth_token;
  return {
    ...settings,
    web: { ...web, token: valid(web.token) },
    intermediary: { ...intermediary, auth_token: valid(intermediary.auth_token), tokens: validIn(intermediary.tokens) },
    "dependency-authentication": { "neuro-os": { auth_token: neuroOs === undefined ? undefined : valid(neuroOs) } },
    "nakurity-backend": { ...backend, token: valid(backend.token), tokens: validIn(backend.tokens) },
    brain: { ...brain, token: valid(brain.token), tokens: validIn(brain.tokens) },
  };
}

export interface TokenValidity {
  readonly digest: string;
  readonly expires?: Millis | undefined;
}

/** The credentials in the settings that are checked on the web port and by the Intermediary. */
export function credentialsOf(settings: Settings): readonly Credential[] {
  const { intermediary: { auth_token } } = settings;
  const configured = tokensIn(settings).filter(({ use }) => use === "web" || use === "intermediary");
  const empty = auth_token === "" ? [{ name: "intermediary", token: "", scopes: PLAIN_SCOPES, names: [] }] : [];
  return [...configured, ...empty].map(({ name, token, scopes, names }) => ({
    name,
    digest: configuredDigest(token),
    scopes,
    names,
    isPublic: isPublicToken(token),
  }));
}

/** The credentials with this digest. Equal tokens give several. */
export const matchingCredentials = (credentials: readonly Credential[], digest: string): readonly Credential[] =>
  credentials.filter((credential) => sameDigest(credential.digest, digest));
