/** Several relays in one process on Bun, over real sockets and files. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "#runner";
import { PUBLISHED_TOKEN } from "../../../src/core/defaults.ts";
import type { Settings } from "../../../src/core/settings.ts";
import { type RelayHandle, serve } from "../../../src/runtimes/bun/serve.ts";
import { settingsOfRelay } from "../../../src/runtimes/relay-settings.ts";
import { Neuro } from "../../conformance/clients.ts";
import { JsonSocket, until } from "../../conformance/json-socket.ts";
import { check } from "../../harness/check.ts";
import { type Mutable, testSettings, upstreamAt, WEB_TOKEN } from "./bun-relay.ts";

interface Process {
  readonly web: string;
  readonly neuro: string;
  readonly intermediary: string;
  readonly log: readonly string[];
  readonly folder: string;
  configure(settings: Settings): void;
  /** Stops the process, and starts another one on the same folder. */
  restart(): Promise<Process>;
}

/** Starts a process with the relays `default` and `show-*`, with their queues on disk. */
async function withProcess(change: (settings: Mutable) => void, run: (process: Process) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "neuro-relay-names-"));
  const log: string[] = [];
  const settings = testSettings((own) => {
    own.queue.backend = "fs";
    own.queue.path = join(folder, "queue");
    own.uploads.path = join(folder, "uploads");
    own.relays = { names: ["default", "show-*"], idle: 60_000, running: 3 };
    change(own);
  });
  let relay = await serve(settings, { print: () => {}, log: (line) => log.push(line) });
  const processOf = ({ urls: { web = "", neuro = "", intermediary = "" } }: RelayHandle): Process => ({
    ...{ web, neuro, intermediary, log, folder, configure: (changed) => relay.configure(changed) },
    async restart() {
      await relay.drain();
      return processOf(relay = await serve(settings, { print: () => {}, log: (line) => log.push(line) }));
    },
  });
  try {
    await run(processOf(relay));
  } finally {
    await relay.drain();
    rmSync(folder, { recursive: true, force: true });
  }
}

const bearer = { headers: { authorization: `Bearer ${WEB_TOKEN}` } };
/** The JSON of a response; the test knows its fields. */
// deno-lint-ignore no-explicit-any -- Why: tests look into whatever the relay sent.
const jsonOf = async (response: Response): Promise<any> => await response.json();
const statusOf = async (url: string): Promise<number> => (await fetch(url)).status;
const runningIn = (log: readonly string[]): string[] => {
  const names = new Set<string>();
  for (const line of log) {
    const [, name = "", what] = /the relay (\S+) (started|stopped)/.exec(line) ?? [];
    if (what === "started") names.add(name);
    else names.delete(name);
  }
  return [...names].filter((name) => name !== "").sort();
};

test("RT80 nothing but a request with its name starts a relay; /r/default/ is the relay at the root", () =>
  withProcess(() => {}, async ({ web, log, folder }) => {
    const statuses = [];
    for (const path of ["/health", "/r/default/health", "/r/other/health", "/r/a.b/health", "/r", "/api/r/show-1/"]) {
      statuses.push(await statusOf(web + path));
    }
    check.equal(statuses, [200, 200, 404, 404, 404, 404]);
    check.equal(runningIn(log), []);
    check.equal(existsSync(join(folder, "queue/_relays")), false);
    check.equal(await statusOf(`${web}/r/show-1/health`), 200);
    check.equal(runningIn(log), ["show-1"]);
  }));

test("RT80 RT86 a relay whose queue cannot be opened is refused with 503 and the reason; the others are not affected", () =>
  withProcess(() => {}, async ({ web, folder, log }) => {
    writeFileSync(join(folder, "queue/_relays"), "not a folder");
    const response = await fetch(`${web}/r/show-1/health`);
    check.equal([response.status, response.headers.get("retry-after")], [503, "5"]);
    check.match((await jsonOf(response)).detail, /^queue: cannot write to /);
    check.match(log.join("\n"), /WARNING \[relay\] the relay show-1 cannot be started: "queue: cannot write/);
    check.equal(await statusOf(`${web}/health`), 200);
    rmSync(join(folder, "queue/_relays"));
    check.equal(await statusOf(`${web}/r/show-1/health`), 200);
  }));

test(
  "RT81 a relay stops when nobody is connected for relays.idle, and keeps its queue until it is used again",
  () =>
    withProcess(
      (settings) => (settings.relays = { ...settings.relays, idle: 1_000 }),
      async ({ neuro, web, log, folder }) => {
        const game = await JsonSocket.open(`${neuro}/r/show-1/`);
        game.send({ command: "startup", game: "Chess" });
        await game.next(({ command }) => command === "startup");
        await Bun.sleep(2_500);
        check.equal(runningIn(log), ["show-1"]);
        await game.close();
        await until(() => runningIn(log).length === 0, "the stop");
        check.equal(readdirSync(join(folder, "queue/_relays")).length, 1);
        const { items } = await jsonOf(await fetch(`${web}/r/show-1/api/integrations`, bearer));
        check.equal(items.map(({ name }: { readonly name: string }) => name), ["Chess"]);
      },
    ),
  { timeoutMs: 60_000 },
);

test(
  "RT88b RT89 a relay that has stopped starts again when a message expires, also in the next process",
  () =>
    withProcess((settings) => {
      settings.relays = { ...settings.relays, idle: 1_000 };
      settings.queue.ttl = { ...settings.queue.ttl, command: 4_500 };
    }, async (process) => {
      const { intermediary, web, log } = process;
      const overlay = await JsonSocket.open(`${intermediary}/r/show-1/`);
      overlay.send({ type: "integration", name: "overlay", auth_token: PUBLISHED_TOKEN, ack: true });
      await overlay.next(({ event, type }) => (event ?? type) === "registered");
      await overlay.close();
      const body = JSON.stringify({ to: "overlay", cmd: { hello: 1 } });
      const headers = { ...bearer.headers, "content-type": "application/json" };
      const sent = await fetch(`${web}/r/show-1/api/messages`, { headers, method: "POST", body });
      check.equal((await jsonOf(sent)).status, "queued");
      await until(() => runningIn(log).length === 0, "the stop");
      const next = await process.restart();
      const relaysOf = async () => (await jsonOf(await fetch(`${next.web}/api/relays`, bearer))).items;
      const [root, stopped] = await relaysOf();
      check.equal(root, { name: "default", state: "running", node: null, starts_at: null });
      check.equal([stopped.name, stopped.state, stopped.starts_at > Date.now() - 4_500], ["show-1", "stopped", true]);
      check.equal(runningIn(log), []);
      await until(() => runningIn(log).length === 1, "the start without any use");
      const { items } = await jsonOf(await fetch(`${next.web}/r/show-1/api/dead-letters`, bearer));
      check.equal((await relaysOf()).map(({ name, state }: Record<string, string>) => `${name} ${state}`), [
        "default running",
        "show-1 running",
      ]);
      check.equal(items.map(({ to, reason }: Record<string, string>) => [to, reason]), [["overlay", "expired"]]);
      check.equal(await statusOf(`${next.web}/r/show-2/health`), 200);
    }),
  { timeoutMs: 30_000 },
);

test("LK12 LK14 a relay that only waits for a link says so, and stops when it is idle", () =>
  withProcess((settings) => {
    settings.relays = { ...settings.relays, idle: 1_000 };
    settings["nakurity-clients"] = [{ ...upstreamAt("link:neuro"), dial_timeout: 86_400_000, relays: ["show-1"] }];
  }, async ({ web, log }) => {
    check.equal(await statusOf(`${web}/r/show-1/health`), 200);
    check.equal(runningIn(log), ["show-1"]);
    const { reasons } = await jsonOf(await fetch(`${web}/r/show-1/ready`, bearer));
    check.equal(reasons, ["neuro: upstream neuro is not connected; `neuro-relay link --name neuro` connects it"]);
    await until(() => runningIn(log).length === 0, "the stop");
  }), { timeoutMs: 30_000 });

test("RT82 of more names than relays.running allows, the idle relays make room; used ones do not", () =>
  withProcess(() => {}, async ({ neuro, web, log }) => {
    const game = await JsonSocket.open(`${neuro}/r/show-1/`);
    for (let at = 2; at < 8; at++) check.equal(await statusOf(`${web}/r/show-${at}/health`), 200);
    check.equal(runningIn(log), ["show-1", "show-7"]);
    const other = await JsonSocket.open(`${neuro}/r/show-7/`);
    const refused = await fetch(`${web}/r/show-8/health`);
    check.equal([refused.status, (await jsonOf(refused)).detail], [
      503,
      "2 relays run besides default, and relays.running, which is 3, allows no more; none of them is idle",
    ]);
    check.that(game.isOpen && other.isOpen);
  }));

test("RT85 a relay connects to the upstreams whose `relays` match its name; without one it plays Neuro itself", async () => {
  const [first, second] = [new Neuro(), new Neuro()];
  try {
    await withProcess((settings) => {
      settings["nakurity-clients"] = [
        { ...upstreamAt(first.url), id: "first", relays: ["default"] },
        { ...upstreamAt(second.url), id: "second", relays: ["show-2"] },
      ];
    }, async ({ web }) => {
      await first.hear(({ command }) => command === "startup", "the relay at the root");
      const upstreamsOf = async (name: string): Promise<readonly string[]> => {
        const { services } = await jsonOf(await fetch(`${web}/r/${name}/api/overview`, bearer));
        return services.neuro.upstreams.map(({ id }: { readonly id: string }) => id);
      };
      check.equal(await upstreamsOf("show-1"), ["relay"]);
      check.equal(second.connections, 0);
      check.equal(await upstreamsOf("show-2"), ["second"]);
      await second.hear(({ command }) => command === "startup", "the relay show-2");
      check.equal([first.connections, second.connections], [1, 1]);
    });
  } finally {
    first.stop();
    second.stop();
  }
});

test("RT85 RT87 what there is only one of belongs to the relay at the root, and a policy names no upstream that its relay lacks", () => {
  const settings = testSettings((change) => {
    change.nallely.enabled = true;
    change["intercept-proxy"].enabled = true;
    change.record.file = "session.jsonl";
    change.queue.path = "queue/";
    change["nakurity-clients"] = [{ ...upstreamAt("ws://127.0.0.1:1"), id: "own", relays: ["Show"] }];
    const rest = { on_duplicate: "replace", priority_max: "critical", shutdown: true, speech_finished: true } as const;
    change.integrations = [{ match: "*", upstream: "own", ...rest, results: "required" }];
  });
  const facts = (name: string) => {
    const { nallely, "intercept-proxy": proxy, record, queue, uploads, integrations } = settingsOfRelay(settings, name);
    return [nallely.enabled, proxy.enabled, record.file, queue.path, uploads.path, integrations[0]?.upstream];
  };
  check.equal(facts("default"), [true, true, "session.jsonl", "queue/", "uploads", undefined]);
  check.equal(facts("Show"), [false, false, "", "queue/_relays/bknug65y", "uploads/_relays/bknug65y", "own"]);
  check.that(
    facts("show")[3] !== facts("Show")[3],
    "two names have two folders, whatever the file system makes of their case",
  );
});

test("RT86 /ready at the root reports all relays, and each line of the log of another relay has its name", async () => {
  await withProcess((settings) => {
    settings["nakurity-clients"] = [{ ...upstreamAt("ws://127.0.0.1:1"), relays: ["show-1"] }];
  }, async ({ web, log }) => {
    check.equal(await statusOf(`${web}/ready`), 200);
    check.equal(await statusOf(`${web}/r/show-2/ready`), 200);
    check.equal(await statusOf(`${web}/r/show-1/ready`), 503);
    await Bun.sleep(1_100); // Why: the answer of the root is kept for a second.
    const response = await fetch(`${web}/ready`, bearer);
    const { reasons } = await jsonOf(response);
    check.equal(response.status, 503);
    check.that(reasons.length > 0 && reasons.every((reason: string) => reason.startsWith("relay show-1: ")), `${reasons}`);
    check.that(log.some((line) => /\[neuro\] show-1: /.test(line)), log.join("\n"));
  });
});

test("RT88 changed settings reach every relay: a token that is not valid any more closes the peers of all", () =>
  withProcess((settings) => (settings["nakurity-backend"].token = "first-token"), async ({ neuro, folder, configure }) => {
    const game = await JsonSocket.open(`${neuro}/r/show-1/?token=first-token`);
    configure(testSettings((change) => {
      change["nakurity-backend"].token = "second-token";
      change.relays = { names: ["show-1"], idle: 60_000, running: 3 };
      change.queue.backend = "fs";
      change.queue.path = join(folder, "queue");
    }));
    check.equal((await game.closed).code, 4401);
    check.that((await JsonSocket.open(`${neuro}/r/show-1/?token=second-token`)).isOpen);
    check.equal(await statusOf(`${neuro.replace("ws", "http")}/r/show-2/`), 404);
  }));
