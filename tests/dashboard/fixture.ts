/**
 * The dashboard in a real browser, before a real relay with real games: what a person would see and do.
 *
 * Nothing waits for time: whatever is looked for is waited for, as long as a slow machine may take. A page that throws, or does
 * what its policy forbids, fails the test.
 */
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { check } from "../harness/check.ts";
import { find } from "../harness/machine.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import { type Message, Talk } from "../harness/socket.ts";

/** As long as a busy machine may take for one thing. */
export const WAIT_MS = 30_000;
/** For a whole test. */
export const TEST_OPTIONS: { readonly timeoutMs: number } = { timeoutMs: 120_000 };

const WEB: readonly string[] = ["web.enabled=true", "web.port=0", "log.level=error"];
/** Nobody but the test decides. */
const NO_DECIDER: readonly string[] = ["nakurity-backend.decider=none"];

export interface Action {
  readonly name: string;
  readonly description?: string;
  readonly schema?: object;
}

/** A game over a real socket. */
export class Game {
  readonly talk: Talk;
  readonly #name: string;

  private constructor(talk: Talk, name: string) {
    this.talk = talk;
    this.#name = name;
  }

  static async join(harness: DashboardFixture, name: string, actions: readonly Action[] = []): Promise<Game> {
    const game = new Game(await Talk.open(harness.relay.urls.neuro), name);
    game.send("startup");
    if (actions.length > 0) {
      game.send("actions/register", {
        actions: actions.map((action) => ({ description: `Does ${action.name}.`, ...action })),
      });
    }
    return game;
  }

  send(command: string, data?: object): void {
    this.talk.send({ command, game: this.#name, ...(data && { data }) });
  }

  force(query: string, names: readonly string[], more: object = {}): void {
    this.send("actions/force", { query, action_names: names, ...more });
  }

  async action(): Promise<{ readonly id: string; readonly name: string; readonly data?: string }> {
    return (await this.talk.next(({ command }: Message) => command === "action", WAIT_MS)).data;
  }

  result(id: string, success: boolean, message: string): void {
    this.send("action/result", { id, success, message });
  }
}

export class DashboardFixture {
  readonly #browser: Browser;
  readonly #folder: string;
  readonly #sets: readonly string[];
  /** What the pages did wrong. */
  readonly pageErrors: string[] = [];
  relay: RelayProcess;

  constructor(browser: Browser, { folder, sets, relay }: { folder: string; sets: readonly string[]; relay: RelayProcess }) {
    this.#browser = browser;
    this.#folder = folder;
    this.#sets = sets;
    this.relay = relay;
  }

  get origin(): string {
    return new URL(this.relay.urls.web).origin;
  }

  get token(): string {
    return new URL(this.relay.urls.web).hash.replace("#token=", "");
  }

  /** A page that nobody has gone anywhere with. */
  async newPage(options: BrowserContextOptions = {}): Promise<Page> {
    return await newPage(this.#browser, this.pageErrors, options);
  }

  /** The dashboard, signed in as the address that the relay prints does it. */
  async open(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.newPage(options);
    await page.goto(this.relay.urls.web);
    await page.locator(".connection.good").waitFor();
    await page.locator(".uptime:not(:empty)").waitFor({ state: "attached" });
    return page;
  }

  /** The relay is killed, and comes back at the same place with what it had stored. */
  async restart(whileAway: () => Promise<void>): Promise<void> {
    const port = new URL(this.relay.urls.web).port;
    await this.relay.stop("SIGKILL");
    await whileAway();
    this.relay = await RelayProcess.start(this.#folder, [...this.#sets, `web.port=${port}`]);
  }
}

/** A page that writes down what it does wrong. */
async function newPage(browser: Browser, faults: string[], options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(String(error.stack)));
  page.on("console", (message) => {
    if (/Content Security Policy|TrustedHTML/i.test(message.text())) faults.push(message.text());
  });
  page.on("dialog", (dialog) => {
    faults.push(`a dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return page;
}

const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: find("chromium") ?? "chromium", args: ["--no-sandbox"] });

/** Runs with a page of a browser that is gone afterwards, for a relay of the test's own. */
export async function withPage(run: (page: Page) => Promise<void>): Promise<void> {
  const browser = await launch();
  const faults: string[] = [];
  try {
    await run(await newPage(browser, faults, {}));
    check.equal(faults, []);
  } finally {
    await browser.close();
  }
}

/** Neuro, as far as a page can tell: somebody who is connected to and listens. */
export class Upstream {
  readonly heard: Message[] = [];
  readonly #server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) => server.upgrade(request) ? undefined : new Response("no", { status: 400 }),
    websocket: { message: (_socket, text) => void this.heard.push(JSON.parse(String(text))) },
  });

  get url(): string {
    return `ws://127.0.0.1:${this.#server.port}`;
  }

  async hear(fits: (message: Message) => boolean, claim: string): Promise<void> {
    await until(() => Promise.resolve(this.heard.some(fits)), claim);
  }

  stop(): void {
    void this.#server.stop(true);
  }
}

/** Runs with a browser and a relay, both of which are gone afterwards. */
export function withDashboard(
  run: (harness: DashboardFixture) => Promise<void>,
  given: readonly string[] = NO_DECIDER,
): Promise<void> {
  return inFolder(async (folder) => {
    const sets = [...WEB, ...given];
    const browser = await launch();
    try {
      const harness = new DashboardFixture(browser, { folder, sets, relay: await RelayProcess.start(folder, sets) });
      try {
        await run(harness);
        check.equal(harness.pageErrors, []);
      } finally {
        await harness.relay.stop("SIGKILL");
      }
    } finally {
      await browser.close();
    }
  });
}

/** The row of an integration. */
export const integrationRow = (page: Page, name: string): Locator =>
  page.locator("[data-name=integration]").filter({ has: page.locator(".row-title > .name", { hasText: name }) });

/** A part of the page by the name that it is given for this. */
export const byName = (where: Page | Locator, name: string): Locator => where.locator(`[data-name="${name}"]`);

/** Waits until something about the page is so. */
export async function until(is: () => Promise<boolean>, claim: string): Promise<void> {
  const end = performance.now() + WAIT_MS;
  while (!(await is())) {
    if (performance.now() > end) throw new Error(`it never came true: ${claim}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
