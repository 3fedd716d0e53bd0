/** Every metric of a running relay changes, as read by an independent parser. */
import { test } from "#runner";
import { UPSTREAM_DEFAULTS } from "../../../src/core/defaults.ts";
import { createMetrics } from "../../../src/observability/mod.ts";
import { services } from "../../../src/relay/services.ts";
import { check } from "../../harness/check.ts";
import { JsonClient, type Message } from "../../harness/json-client.ts";
import { type Running, testSettings, WEB_TOKEN, withRelay } from "../runtimes/bun-relay.ts";
import { type Labels, ParsedScrape } from "./parsed-scrape.ts";

const TOKEN = "super-secret-token";
/** Names of the metrics that have changed. */
const seen = new Set<string>();

/** A relay, and its last scrape. */
class ScrapedRelay {
  readonly relay: Running;
  #last: ParsedScrape | undefined;

  constructor(relay: Running) {
    this.relay = relay;
  }

  scrape(): Promise<ParsedScrape> {
    return ParsedScrape.of(this.relay.urls.web, WEB_TOKEN);
  }

  /** Waits until a metric has a value that it did not have in the last scrape. */
  async changes(name: string, labels: Labels, to: (value: number) => boolean): Promise<void> {
    const before = this.#last?.value(name, labels) ?? 0;
    check.that(!to(before), `${name} was ${before} before`);
    await this.reaches(name, labels, to);
    seen.add(`neuro_relay_${name}`);
  }

  async reaches(name: string, labels: Labels, to: (value: number) => boolean): Promise<void> {
    const end = performance.now() + 8_000;
    for (;;) {
      const value = (await this.scrape()).value(name, labels);
      if (value !== undefined && to(value)) return;
      check.that(performance.now() < end, `${name} stays ${value}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Later changes are compared with the metrics of now. */
  async remember(): Promise<void> {
    this.#last = await this.scrape();
  }
}

const is = (value: number) => (now: number) => now === value;
const over = (value: number) => (now: number) => now > value;
const ofKind = (command: string) => (message: Message) => message.command === command;

async function game(url: string, name: string): Promise<JsonClient> {
  const client = await JsonClient.open(url);
  client.send({ command: "startup", game: name });
  const actions = [{ name: `${name}_move`, description: "Move." }];
  return client.send({ command: "actions/register", game: name, data: { actions } });
}

const force = (client: JsonClient, name: string) =>
  client.send({ command: "actions/force", game: name, data: { query: "?", action_names: [`${name}_move`] } });

const greet = async (url: string, type: string, name: string): Promise<JsonClient> =>
  (await JsonClient.open(url)).send({ type, name, auth_token: TOKEN, ...(type === "integration" && { ack: true }) });

async function playGames(harness: ScrapedRelay, neuro: Running): Promise<void> {
  const { urls } = harness.relay;
  await harness.changes("upstream_up", { upstream: "neuro" }, is(1));
  await harness.changes("upstream_connections_total", { upstream: "neuro" }, is(1));
  const [chess, go] = [await game(urls.neuro, "chess"), await game(urls.neuro, "go")];
  await harness.changes("connections", { listener: "neuro" }, is(2));
  await harness.changes("integrations", { listener: "neuro" }, is(2));
  await harness.changes("integration_uptime_seconds", { listener: "neuro", integration: "chess" }, over(0.02));
  await harness.changes("frames_total", { listener: "neuro", direction: "in" }, is(4));
  const registered = { service: "neuro", direction: "in", peer: "game", kind: "actions/register" };
  await harness.changes("messages_total", registered, is(2));
  force(chess, "chess");
  const { data } = await chess.next(ofKind("action"));
  force(go, "go");
  await harness.changes("actions_pending", { upstream: "neuro" }, is(1));
  await harness.changes("forces_open", { upstream: "neuro" }, is(1));
  await harness.changes("forces_waiting", { upstream: "neuro" }, is(1));
  chess.send({ command: "action/result", game: "chess", data: { id: data.id, success: true, message: "done" } });
  await harness.changes("action_results_total", { origin: "game", success: "true" }, is(1));
  await harness.changes("action_duration_seconds", {}, is(1));
  await harness.changes("forces_total", { end: "completed" }, is(1));
  await harness.changes("force_wait_seconds", {}, over(0));
  await harness.changes("force_duration_seconds", {}, over(0));
  const integration = { listener: "neuro", integration: "chess" };
  await harness.changes("integration_actions_total", integration, is(1));
  await harness.changes("integration_forces_total", integration, is(1));
  await harness.changes("integration_action_seconds_total", integration, over(0));
  await harness.remember();
  await neuro.drain();
  await harness.changes("upstream_up", { upstream: "neuro" }, is(0));
  chess.send({ command: "context", game: "chess", data: { message: "anyone?", silent: true } });
  await harness.changes("contexts_queued", { upstream: "neuro" }, is(1));
  await harness.changes("integration_contexts_total", integration, is(1));
  await harness.remember();
  for (const client of [chess, go]) client.close();
  await harness.changes("integrations", { listener: "neuro" }, is(0));
  check.equal((await harness.scrape()).value("integration_uptime_seconds", { integration: "chess" }), undefined);
}

async function playIntegrations(harness: ScrapedRelay): Promise<void> {
  const { urls } = harness.relay;
  const silent = await JsonClient.open(urls.intermediary);
  await harness.changes("unauthenticated_connections", {}, is(1));
  silent.close();
  const wrong = (await JsonClient.open(urls.intermediary)).send({ type: "integration", name: "x", auth_token: "no" });
  await harness.changes("refusals_total", { fault: "badToken" }, is(1));
  await wrong.closed;
  const client = await greet(urls.intermediary, "neuro-os", "desk");
  await harness.changes("watchers", {}, is(1));
  const jukebox = await greet(urls.intermediary, "integration", "jukebox");
  await jukebox.next(({ event }) => event === "registered");
  jukebox.send(new Uint8Array(1_000));
  await harness.changes("upload_files", {}, is(1));
  await harness.changes("upload_bytes", {}, is(1_000));
  client.send({ target: "jukebox", cmd: { play: 1 } });
  const { id } = await jukebox.next(({ cmd }) => cmd !== undefined);
  jukebox.send({ ack: id });
  await harness.changes("queue_messages_total", { outcome: "delivered" }, is(1));
  jukebox.close();
  await jukebox.closed;
  client.send({ target: "jukebox", cmd: { play: 2 } });
  await harness.changes("queue_entries", {}, is(1));
  await harness.changes("queue_bytes", {}, over(10));
  await harness.changes("queue_oldest_seconds", {}, over(0.05));
  await harness.changes("queue_messages_total", { outcome: "queued" }, is(1));
  await harness.changes("queue_dead_letters", {}, is(1));
  await harness.changes("observations_total", { observation: "message_dead" }, is(1));
  client.close();
}

test("OB29 repeated refusals write a bounded number of log lines, and all are counted", async () => {
  let [lines, text]: [readonly string[], string] = [[], ""];
  const settings = testSettings((changed) => (changed["nakurity-backend"].token = "own"));
  await withRelay(settings, async (relay) => {
    lines = relay.log;
    const upgrade = (headers: Record<string, string>) =>
      fetch(relay.urls.neuro.replace("ws:", "http:"), {
        headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", ...headers },
      }).then((response) => response.status);
    for (let at = 0; at < 100; at++) check.equal(await upgrade({}), 401);
    for (let at = 0; at < 60; at++) check.equal(await upgrade({ origin: "https://evil.example" }), 403);
    text = (await ParsedScrape.of(relay.urls.web, WEB_TOKEN)).text;
  });
  const of = (words: string) => lines.filter((line) => line.includes(words)).length;
  check.equal([of("no token: give"), of("evil.example"), of(": 80 more"), of(": 40 more")], [20, 20, 1, 1]);
  for (const [fault, count] of [["badToken", 100], ["notAllowed", 60]]) {
    check.that(text.includes(`neuro_relay_refusals_total{fault="${fault}"} ${count}`), `${fault}`);
  }
}, { timeoutMs: 30_000 });

test("OB28 every metric of a running relay changes when what it measures changes", async () => {
  const upstream = testSettings((settings) => {
    settings["nakurity-backend"].decider = "first";
    settings["nakurity-backend"].choice_timeout = 100;
  });
  await withRelay(upstream, async (neuro) => {
    const settings = testSettings((changed) => {
      changed["nakurity-clients"] = [{ ...UPSTREAM_DEFAULTS, url: neuro.urls.neuro }];
      changed.queue.ttl = { ...changed.queue.ttl, command: 3_000 };
      changed.actions.settle = 2_000;
    });
    await withRelay(settings, async (relay) => {
      const harness = new ScrapedRelay(relay);
      await harness.changes("build_info", {}, is(1));
      await playGames(harness, neuro);
      await playIntegrations(harness);
      const headers = { authorization: `Bearer ${WEB_TOKEN}`, "content-type": "application/json" };
      const order = { method: "PATCH", headers, body: '{"approval":true}' };
      check.equal((await fetch(`${relay.urls.web}/api/controls`, order)).status, 200);
      const stop = { method: "PATCH", headers, body: '{"stopped":true}' };
      check.equal((await fetch(`${relay.urls.web}/api/controls`, stop)).status, 200);
      await harness.changes("stopped", {}, is(1));
      const pause = { method: "PATCH", headers, body: '{"paused":true}' };
      check.equal((await fetch(`${relay.urls.web}/api/integrations/chess`, pause)).status, 200);
      await harness.changes("integrations_paused", {}, is(1));
      // Why the text: the parser does not know histograms with labels.
      const { text } = await harness.scrape();
      for (const operation of ["put", "keys", "read", "delete"]) {
        check.match(text, new RegExp(`neuro_relay_store_duration_seconds_count\\{operation="${operation}"\\} [1-9]`));
      }
      seen.add("neuro_relay_store_duration_seconds");
      check.match(text, /neuro_relay_integration_action_duration_seconds_count\{integration="chess"\} 1\n/);
      seen.add("neuro_relay_integration_action_duration_seconds");
      await harness.reaches("event_loop_delay_seconds", {}, over(0));
      seen.add("neuro_relay_event_loop_delay_seconds");
      for (const name of ["resident_memory_bytes", "heap_bytes", "cpu_seconds_total", "start_time_seconds"]) {
        check.that(((await harness.scrape()).whole(`process_${name}`) ?? 0) > 0, name);
        seen.add(`process_${name}`);
      }
      await harness.changes("operator_commands_total", { command: "require_approval", outcome: "done" }, is(1));
      const brain = (await JsonClient.open(relay.urls.brain)).send({ cmd: "CreateSession" });
      await harness.changes("brain_sessions", {}, is(1));
      brain.close();
      await harness.changes("uptime_seconds", {}, over((await harness.scrape()).value("uptime_seconds") ?? Infinity));
      const end = performance.now() + 300;
      while (performance.now() < end); // Why: nothing else holds up the loop of this process.
      await harness.changes("event_loop_lag_seconds", {}, over(0.15));
      await harness.reaches("event_loop_lag_seconds", {}, (seconds) => seconds < 0.15);
    }, { services: services(settings) });
  }, { services: services(upstream) });
  const linked = testSettings((settings) => {
    settings["nakurity-clients"] = [{ ...UPSTREAM_DEFAULTS, url: "link:pc" }];
  });
  await withRelay(linked, async (relay) => {
    const link = await JsonClient.open(`${relay.urls.web.replace("http", "ws")}/link/pc?token=${WEB_TOKEN}`);
    await new ScrapedRelay(relay).changes("link_up", { link: "pc" }, is(1));
    link.close();
    await new ScrapedRelay(relay).reaches("link_up", { link: "pc" }, is(0));
  }, { services: services(linked) });
  // Why: OB62, OB63 and NB210 test these. Here no action fails, the store works, and nothing waits for approval.
  for (const name of ["integration_failures_total", "store_errors_total", "approvals_pending"]) {
    seen.add(`neuro_relay_${name}`);
  }
  seen.add("neuro_relay_writes_suspended"); // Why: the stores of these relays work. NB48 tests it.
  check.equal(createMetrics().registry.describe().map(({ name }) => name).filter((name) => !seen.has(name)), []);
}, { timeoutMs: 60_000 });
