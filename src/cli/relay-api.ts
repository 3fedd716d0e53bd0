/** The HTTP API of the relay that runs with some settings. */
import { env } from "node:process";
import { ApiClient, ApiError } from "../clients/api-client.ts";
import type { JsonObject } from "../core/json.ts";
import { isHashed } from "../core/access.ts";
import type { Settings } from "../core/settings.ts";
import { DEFAULT_RELAY } from "../runtimes/relay-path.ts";
import { storedWebToken } from "../runtimes/web-token.ts";
import { CliError } from "./cli-error.ts";

const TIMEOUT_MS = 10_000;

/**
 * The web port of a relay with these settings, as a client on this machine reaches it, with the path of the named relay; undefined if it has
 * none, or any free one.
 */
export function webUrl({ web }: Settings, relay: string = DEFAULT_RELAY): string | undefined {
  if (!web.enabled || web.port === 0) return undefined;
  const path = relay === DEFAULT_RELAY ? "" : `/r/${relay}`;
  if (web.tls.cert === "") return `http://${reachableHost(web.host)}:${web.port}${path}`;
  // Why its name: the certificate is valid for that.
  return `https://${web.hosts[0] ?? reachableHost(web.host)}:${web.port}${path}`;
}

/** A host to listen on, as a host to connect to. */
function reachableHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

/** A client of the running relay with these settings; undefined if it has no web port. */
export async function relayApi(settings: Settings, relay?: string): Promise<ApiClient | undefined> {
  const url = webUrl(settings, relay);
  if (url === undefined) return undefined;
  return new ApiClient({ url, token: await tokenOf(settings), timeoutMs: TIMEOUT_MS });
}

/** The token of the web port: `NEURO_RELAY_TOKEN`, or the one in the settings or in its file. */
async function tokenOf(settings: Settings): Promise<string> {
  const given = env.NEURO_RELAY_TOKEN ?? "";
  return given === "" ? await storedWebToken(settings) ?? "" : given;
}

const UNKNOWN_TOKEN = "web.token is a hash, so the token is not known here: give it in the variable NEURO_RELAY_TOKEN";

/** A client of the running relay with these settings; a `CliError` if it has no web port. */
export async function requireRelayApi(settings: Settings, relay?: string): Promise<ApiClient> {
  const api = await relayApi(settings, relay);
  if (api === undefined) throw new CliError(["the relay has no web port: web.enabled is false, or web.port is 0"]);
  if (isHashed(settings.web.token) && (env.NEURO_RELAY_TOKEN ?? "") === "") throw new CliError([UNKNOWN_TOKEN]);
  return api;
}

/** The reply to a request; undefined if no relay answers; a `CliError` if it refuses. */
export async function answerOf<Body>(api: ApiClient, path: string, what: string): Promise<Body | undefined> {
  try {
    return await api.request<Body & JsonObject>("GET", path);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 0) return undefined;
    throw new CliError([`the relay at ${api.url} refuses access to ${what}: ${error.message}`]);
  }
}
