/** `status`: the state of the running relay, in a few lines. `open`: its dashboard in the browser. */
import { Command } from "commander";
import { spawn } from "node:child_process";
import { platform } from "node:process";
import type { NodeView, Overview, Page, PeerView, RelayView } from "../core/view.ts";
import { storedWebToken } from "../runtimes/web-token.ts";
import { CliError } from "./cli-error.ts";
import { readConfiguration, type RelayOptions, withRelay } from "./configuration.ts";
import { answerOf, requireRelayApi, webUrl } from "./relay-api.ts";

/** The exit status when no relay answers. */
const NOT_RUNNING = 1;

export function statusCommand(): Command {
  return withRelay(new Command("status"))
    .description("show the state of the running relay with this configuration")
    .option("--json", "print JSON")
    .action(status);
}

async function status({ json, relay, ...options }: RelayOptions & { readonly json?: true }): Promise<void> {
  const { settings } = await readConfiguration(options);
  const api = await requireRelayApi(settings, relay);
  const overview = await answerOf<Overview>(api, "overview", "its state");
  if (overview === undefined) throw new CliError([`no relay answers at ${api.url}`], NOT_RUNNING);
  const peers = await answerOf<{ readonly items: readonly PeerView[] }>(api, "peers", "its peers");
  const items = peers?.items ?? [];
  const relays = (await answerOf<Page<RelayView>>(api, "relays", "the list of relays"))?.items ?? [];
  const nodes = (await answerOf<Page<NodeView>>(api, "nodes", "the list of nodes"))?.items ?? [];
  if (json) return console.log(JSON.stringify({ ...overview, peers: items, relays, nodes }, null, 2));
  for (const line of linesOf(overview, items)) console.log(line);
  if (nodes.length > 0 || relays.length > 1) { for (const relay of relays) console.log(relayLine(relay)); }
  for (const node of nodes) console.log(nodeLine(node, overview.now));
}

function relayLine({ name, state, node, starts_at }: RelayView): string {
  const at = starts_at === null ? "" : `, starts at ${new Date(starts_at).toISOString()}`;
  return `relay ${name}: ${state}${node === null ? "" : ` at node ${node}`}${at}`;
}

function nodeLine({ name, lease, reachable, relays, last_beat }: NodeView, now: number): string {
  const beat = last_beat === null ? "no beat" : `last beat ${(Math.max(0, now - last_beat) / 1_000).toFixed(1)} s ago`;
  return `node ${name}: ${lease}, ${beat}, relays: ${relays}${reachable ? "" : ", not reachable"}`;
}

function linesOf({ version, uptime_ms, draining, not_ready, services }: Overview, peers: readonly PeerView[]): string[] {
  const state = draining ? "is stopping" : not_ready.length === 0 ? "is ready" : `is not ready: ${not_ready.join("; ")}`;
  const { upstreams = [], controls } = services.neuro ?? {};
  const behaviour = controls?.behaviour ?? null;
  const standalone = `, the relay acts as Neuro${behaviour === null ? "" : `, ${behaviour}`}`;
  const online = peers.filter(({ connected }) => connected);
  return [
    `Neuro Relay ${version} ${state}; it has run for ${Math.floor(uptime_ms / 1_000)} s`,
    ...upstreams.map(({ id, state, url }) => `upstream ${id}: ${state}${url === null ? standalone : `, ${url}`}`),
    ...online.map(({ name, type, queued = 0 }) => `${type} ${name}${queued > 0 ? `: ${queued} queued` : ""}`),
    `${online.length} connected, ${peers.length - online.length} known and offline`,
  ];
}

export function openCommand(): Command {
  return withRelay(new Command("open"))
    .description("open the dashboard of the running relay in the browser")
    .option("--print", "print the address, with its token, instead")
    .action(open);
}

async function open({ print, relay, ...options }: RelayOptions & { readonly print?: true }): Promise<void> {
  const { settings } = await readConfiguration(options);
  const [url, token] = [webUrl(settings, relay), await storedWebToken(settings)];
  if (url === undefined) throw new CliError(["the relay has no dashboard: web.enabled is false, or web.port is 0"]);
  const address = token === undefined ? url : `${url}/#token=${token}`;
  if (print) return console.log(address);
  const [program, ...words] = BROWSERS[platform] ?? ["xdg-open"];
  const child = spawn(program ?? "xdg-open", [...words, address], { stdio: "ignore", detached: true });
  child.on("error", () => console.error(`note: cannot start a browser here; the dashboard is at ${url}`));
  child.on("spawn", () => child.unref());
}

/** The program that opens an address in the default browser. */
const BROWSERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ["open"],
  // Why not `start`: it is no program but a word of the shell, which would interpret the address.
  win32: ["rundll32", "url.dll,FileProtocolHandler"],
};
