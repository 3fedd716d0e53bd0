/**
 * `bun run bench page [--games 119] [--seconds 2] [--idle 10]`: measures the dashboard in Chromium beside a relay with many games and 500
 * events a second: frames a second on each panel beside a blank page in the same browser, tasks over 50 ms, the first paint, what the page
 * costs the relay, and what it costs the browser while nothing happens.
 *
 * Frames are those that `requestAnimationFrame` reports; CPU time is that of all threads of a process, from `/proc`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Browser, chromium, type Page } from "playwright-core";
import { find } from "../harness/machine.ts";
import { Load } from "./load.ts";
import { flushPending } from "./raw-websocket.ts";
import { relayOn } from "./relay-command.ts";
import { freePort, RunningRelay } from "./subject.ts";

const { values: options } = parseArgs({
  options: {
    games: { type: "string", default: "119" },
    seconds: { type: "string", default: "2" },
    idle: { type: "string", default: "10" },
  },
});
const GAMES = Number(options.games);
const MEASURE_MS = Number(options.seconds) * 1_000;
const IDLE_MS = Number(options.idle) * 1_000;
const IDLE_GAMES = 17;
/** After a panel was opened, until it is measured. */
const SETTLE_MS = 700;
const WINDOW = { width: 1440, height: 900 };
const TOKEN = "token-for-the-bench";
const root = join(import.meta.dirname, "../..");

/** Each round: five actions, which are two events each, and ten contexts. 25 rounds a second are 500 events. */
const ROUND_MS = 40;
const ACTIONS = 5;
const CONTEXTS = 10;

/** What a page did while it was measured. */
interface Frames {
  readonly perSecond: number;
  /** The longest time between two frames, and the tasks that took more than 50 ms, in ms. */
  readonly longestGap: number;
  readonly longTasks: readonly number[];
}

const framesOf = (page: Page): Promise<Frames> =>
  page.evaluate((ms) =>
    new Promise<Frames>((resolve) => {
      const longTasks: number[] = [];
      const observer = new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longTasks.push(Math.round(duration));
      });
      observer.observe({ type: "longtask" });
      const times: number[] = [];
      const frame = (now: number): void => {
        times.push(now);
        const [first = now] = times;
        if (now - first < ms) {
          requestAnimationFrame(frame);
          return;
        }
        observer.disconnect();
        const gaps = times.slice(1).map((time, at) => time - (times[at] ?? time));
        const perSecond = gaps.length / (now - first) * 1_000;
        resolve({ perSecond, longestGap: Math.max(...gaps), longTasks });
      };
      requestAnimationFrame(frame);
    }), MEASURE_MS);

/** CPU time of all processes of the browser so far, in ms: of those that run pages, and of all. */
async function cpuMs(browser: Browser): Promise<{ readonly renderers: number; readonly all: number }> {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  let [renderers, all] = [0, 0];
  for (const { type, id } of processInfo) {
    const own = cpuMsOf(id);
    all += own;
    if (type === "renderer") renderers += own;
  }
  return { renderers, all };
}

function cpuMsOf(pid: number): number {
  try {
    const tasks = `/proc/${pid}/task`;
    const nanos = (task: string) => Number(readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ")[0]);
    return readdirSync(tasks).reduce((sum, task) => sum + nanos(task), 0) / 1e6;
  } catch {
    return 0; // Why: a process may have ended.
  }
}

/** Runs with a relay to which `games` games are connected. */
async function withRelay(games: number, run: (relay: Measured) => Promise<void>): Promise<void> {
  const web = freePort();
  const load = new Load();
  const relay = await RunningRelay.start(relayOn("bun", [`web.port=${web}`, `web.token=${TOKEN}`]), load.backendPort, root);
  try {
    await load.connect(games, relay.gamePort);
    await run({ load, relay, url: `http://127.0.0.1:${web}/#token=${encodeURIComponent(TOKEN)}` });
    const { misrouted, unexpected } = load.errors;
    if (misrouted + unexpected > 0) throw new Error(`${misrouted} misrouted, ${unexpected} unexpected`);
  } finally {
    load.stop();
    await relay.stop();
  }
}

interface Measured {
  readonly load: Load;
  readonly relay: RunningRelay;
  readonly url: string;
}

/** Lets all games do something in turn until the returned function is called. */
function startTraffic(load: Load): () => void {
  let at = 0;
  const timer = setInterval(() => {
    for (let count = 0; count < ACTIONS; count++) load.issue(performance.now());
    for (let count = 0; count < CONTEXTS; count++) load.sendContext(at++);
    flushPending();
  }, ROUND_MS);
  return () => clearInterval(timer);
}

async function open(browser: Browser, url: string): Promise<Page> {
  const page = await (await browser.newContext({ viewport: WINDOW })).newPage();
  await page.goto(url);
  return page;
}

async function blankFrames(browser: Browser): Promise<Frames> {
  const page = await open(browser, "about:blank");
  const frames = await framesOf(page);
  await page.context().close();
  return frames;
}

const firstPaintOf = (page: Page): Promise<number> =>
  page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN);

/** The share of one processor that the relay used in this time, in percent. */
async function relayPercent(relay: RunningRelay, run: () => Promise<void>): Promise<number> {
  const [cpu, from] = [relay.cpuMicros(), performance.now()];
  await run();
  return (relay.cpuMicros() - cpu) / (performance.now() - from) / 10;
}

const print = (name: string, { perSecond, longestGap, longTasks }: Frames): void =>
  console.log(`| ${name} | ${perSecond.toFixed(1)} | ${longestGap.toFixed(0)} | ${longTasks.join(", ") || "none"} |`);

async function measureBusy(browser: Browser, { load, relay, url }: Measured): Promise<void> {
  const stopTraffic = startTraffic(load);
  try {
    await Bun.sleep(1_000);
    let blank: Frames | undefined;
    const without = await relayPercent(relay, async () => {
      blank = await blankFrames(browser);
      await Bun.sleep(MEASURE_MS);
    });
    const page = await open(browser, url);
    await page.locator(".uptime:not(:empty)").waitFor({ state: "attached" });
    const firstPaint = await firstPaintOf(page);
    const tabs = await page.locator(".tab:visible").evaluateAll((all) => all.map((one) => one.getAttribute("data-name")));
    console.log(`| ${GAMES} games | frames/s | longest gap, ms | tasks over 50 ms |\n| --- | --- | --- | --- |`);
    if (blank !== undefined) print("blank page", blank);
    const browserBefore = await cpuMs(browser);
    const from = performance.now();
    const beside = await relayPercent(relay, async () => {
      for (const tab of tabs) {
        await page.locator(`[data-name="${tab}"]`).click();
        await Bun.sleep(SETTLE_MS);
        print(`${tab}`.replace("tab-", ""), await framesOf(page));
      }
      await page.locator('[data-name="tab-feed"]').click();
      const scrolled = scroll(page);
      print("feed, while the table is scrolled", await framesOf(page));
      await scrolled;
    });
    const spent = await cpuMs(browser);
    const share = (key: "renderers" | "all") =>
      ((spent[key] - browserBefore[key]) / (performance.now() - from) * 100).toFixed(0);
    const events = await page.locator('[data-name="events-rate"]').innerText();
    await page.context().close();
    print("blank page again", await blankFrames(browser));
    console.log(`\nevents/s as the page counts them: ${events}; first paint after ${firstPaint.toFixed(0)} ms`);
    console.log(`relay: ${without.toFixed(1)} % of a processor without a page, ${beside.toFixed(1)} % with one`);
    console.log(`browser: ${share("renderers")} % of a processor for the page, ${share("all")} % for all its processes`);
  } finally {
    stopTraffic();
  }
}

/** Turns the wheel over the table of integrations for as long as frames are measured. */
async function scroll(page: Page): Promise<void> {
  await page.mouse.move(300, 600);
  const end = performance.now() + MEASURE_MS;
  for (let turn = 0; performance.now() < end; turn++) {
    await page.mouse.wheel(0, turn % 40 < 20 ? 120 : -120);
    await Bun.sleep(50);
  }
}

async function measureIdle(browser: Browser, { relay, url }: Measured): Promise<void> {
  const page = await open(browser, url);
  await page.locator(".uptime:not(:empty)").waitFor({ state: "attached" });
  await Bun.sleep(3_000);
  const before = await cpuMs(browser);
  let after = before;
  let ms = 0;
  const relayShare = await relayPercent(relay, async () => {
    const from = performance.now();
    await Bun.sleep(IDLE_MS);
    after = await cpuMs(browser);
    ms = performance.now() - from;
  });
  const share = (key: "renderers" | "all") => ((after[key] - before[key]) / ms * 100).toFixed(2);
  console.log(
    `idle, ${IDLE_GAMES} games: ${share("renderers")} % of a processor for the page, ${share("all")} % for the browser, ` +
      `${relayShare.toFixed(2)} % for the relay`,
  );
  await page.context().close();
}

const browser = await chromium.launch({ executablePath: find("chromium") ?? "chromium", args: ["--no-sandbox"] });
try {
  await withRelay(GAMES, (measured) => measureBusy(browser, measured));
  await withRelay(IDLE_GAMES, (measured) => measureIdle(browser, measured));
} finally {
  await browser.close();
}
