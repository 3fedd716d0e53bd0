/** `doctor`: checks everything outside the configuration that a relay needs, and says what to do about each problem. */
import { Command } from "commander";
import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { dirname, resolve } from "node:path";
import process from "node:process";
import { errorText, linkNameOf, redactUrl } from "../core/text.ts";
import type { LinkView } from "../core/view.ts";
import { LISTENER_BLOCKS } from "../core/service.ts";
import type { Settings } from "../core/settings.ts";
import { openStore, StoreOpenError } from "../storage/open-store.ts";
import { type ConfigurationOptions, readConfiguration, withConfiguration } from "./configuration.ts";
import { DEFAULT_RELAY, isServed } from "../runtimes/relay-path.ts";
import { answerOf, relayApi } from "./relay-api.ts";
import { describeVersion } from "./version.ts";

const CONNECT_MS = 3_000;
/** A clock before this year was never set. */
const YEAR_MIN = 2025;

/** One check. `run` returns what is wrong and what to do, or undefined. */
interface Check {
  readonly name: string;
  run(): Promise<string | undefined>;
}

export function doctorCommand(): Command {
  return withConfiguration(new Command("doctor"))
    .description("check ports, upstreams, storage and the clock, and say what to do")
    .action(doctor);
}

async function doctor(options: ConfigurationOptions): Promise<void> {
  const { settings, warnings, file } = await readConfiguration(options);
  console.log(`ok    Neuro Relay ${describeVersion()}`);
  console.log(`ok    configuration ${file?.name ?? "(defaults)"}`);
  for (const warning of warnings) console.log(`note  ${warning}`);
  const isRunning = await answers(settings);
  if (isRunning) console.log("note  a relay with this configuration is running, so its ports and its queue are in use");
  let failures = 0;
  const cluster = settings.cluster.enabled
    ? await (await import("../runtimes/cluster/checks.ts")).clusterChecks(settings, isRunning)
    : undefined;
  for (const { name, run } of [...checksOf(settings, isRunning), ...cluster?.checks ?? []]) {
    const problem = await run();
    if (problem !== undefined) failures++;
    console.log(problem === undefined ? `ok    ${name}` : `FAIL  ${name}: ${problem}`);
  }
  await cluster?.close();
  process.exitCode = failures > 0 ? 1 : 0;
}

async function answers(settings: Settings): Promise<boolean> {
  const api = await relayApi(settings);
  if (api === undefined) return false;
  const timeout = AbortSignal.timeout(CONNECT_MS);
  return await fetch(`${api.url}/health`, { signal: timeout }).then(({ ok }) => ok, () => false);
}

async function certificateProblem(settings: Settings): Promise<string | undefined> {
  const { certificateProblems } = await import("../runtimes/certificates.ts");
  const problems = certificateProblems(settings);
  return problems.length === 0 ? undefined : problems.join("; ");
}

function checksOf(settings: Settings, isRunning: boolean): readonly Check[] {
  const upstreams = settings["nakurity-clients"].filter(({ url }) => linkNameOf(url) === undefined).map(({ id, url }) => ({
    name: `upstream ${id}`,
    url,
    setting: "nakurity-client.url",
  }));
  const { "intercept-proxy": proxy, nallely } = settings;
  const peers = [
    ...upstreams,
    ...(proxy.enabled
      ? [{ name: "backend of the intercept proxy", url: proxy.upstream_url, setting: "intercept-proxy.upstream_url" }]
      : []),
    ...(nallely.enabled ? [{ name: "Nallely session", url: nallely.url, setting: "nallely.url" }] : []),
  ];
  return [
    { name: "clock", run: () => Promise.resolve(clockProblem(new Date())) },
    ...(LISTENER_BLOCKS.some((block) => settings[block].tls.cert !== "")
      ? [{ name: "certificates", run: () => certificateProblem(settings) }]
      : []),
    ...(isRunning ? [] : [
      ...portChecks(settings),
      // Why not in a cluster: the entries are in its Redis.
      ...(settings.cluster.enabled
        ? []
        : [{ name: `queue (${settings.queue.backend})`, run: () => queueProblem(settings) }]),
    ]),
    ...peers.map(({ name, url, setting }) => ({
      name: `${name} at ${redactUrl(url)}`,
      run: () => dialProblem(url, setting),
    })),
    ...linkChecks(settings, isRunning),
    { name: "files that only you should read", run: () => modeProblem(`${settings.queue.path}.web-token`) },
  ];
}

const linkChecks = (settings: Settings, isRunning: boolean): readonly Check[] =>
  settings["nakurity-clients"].flatMap(({ id, url, relays }) => {
    const name = linkNameOf(url);
    if (name === undefined) return [];
    const isOfRoot = isRunning && isServed(DEFAULT_RELAY, relays); // Why only there: asking another relay would start it.
    return [{ name: `upstream ${id} at ${url}`, run: () => linkProblem(name, settings, isOfRoot) }];
  });

async function linkProblem(name: string, settings: Settings, isRunning: boolean): Promise<string | undefined> {
  if (!settings.intermediary.tokens.some(({ scopes }) => scopes.includes("link"))) {
    return "no token has the scope link; add one to intermediary.tokens";
  }
  const api = isRunning ? await relayApi(settings) : undefined;
  const links = api === undefined
    ? undefined
    : await answerOf<{ readonly items: readonly LinkView[] }>(api, "links", "its links");
  if (links === undefined || links.items.some((link) => link.name === name)) return undefined;
  return `no link is connected; run \`neuro-relay link --name ${name} --relay ... --neuro ...\` where Neuro is`;
}

const clockProblem = (now: Date): string | undefined =>
  now.getFullYear() >= YEAR_MIN
    ? undefined
    : `it shows ${now.toISOString()}; set the clock, because ids and deadlines need it`;

const portChecks = (settings: Settings): readonly Check[] =>
  LISTENER_BLOCKS.filter((block) => settings[block].enabled && settings[block].port !== 0).map((block) => {
    const { host, port } = settings[block];
    return { name: `${block} on ${host}:${port}`, run: () => portProblem(block, host, port) };
  });

/** Why listening: only that shows whether the relay could. */
function portProblem(block: string, host: string, port: number): Promise<string | undefined> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      const isUsed = error.code === "EADDRINUSE";
      done(
        isUsed
          ? `another program uses the port; stop it, or set ${block}.port`
          : `${errorText(error)}; set ${block}.host or ${block}.port`,
      );
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => done(undefined)));
  });
}

async function queueProblem({ queue }: Settings): Promise<string | undefined> {
  if (queue.backend === "fs" || queue.backend === "sqlite") {
    const folder = await nearest(resolve(queue.path));
    return await access(folder, constants.W_OK).then(
      () => undefined,
      () => `this user cannot write to ${folder}; set queue.path`,
    );
  }
  try {
    await (await openStore(queue, { onQuarantine() {} })).close();
    return undefined;
  } catch (error) {
    if (error instanceof StoreOpenError) return `${error.message}; set queue.url or queue.backend`;
    throw error;
  }
}

/** The path, or the nearest folder above it that exists. */
const nearest = (path: string): Promise<string> =>
  access(path).then(() => path, () => dirname(path) === path ? path : nearest(dirname(path)));

/** Any answer counts, because a backend may accept one connection only. */
function dialProblem(url: string, setting: string): Promise<string | undefined> {
  return new Promise((done) => {
    const socket = new WebSocket(url);
    const timer = setTimeout(
      () => end(`no answer within ${CONNECT_MS / 1_000} s; start it, or set ${setting}`),
      CONNECT_MS,
    );
    const end = (problem: string | undefined): void => {
      clearTimeout(timer);
      socket.close();
      done(problem);
    };
    socket.onopen = () => end(undefined);
    socket.onerror = () => end(`cannot connect; start it, or set ${setting}`);
  });
}

async function modeProblem(file: string): Promise<string | undefined> {
  const mode = await stat(file).then((found) => found.mode, () => undefined);
  const isShared = process.platform !== "win32" && mode !== undefined && (mode & 0o077) !== 0;
  return isShared ? `others can read ${file}; chmod 600 ${file}` : undefined;
}
