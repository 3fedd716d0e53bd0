/**
 * The dashboard in a real browser, with a real relay and real games.
 *
 * Tests wait for elements, never for time. A page that throws or violates its content security policy fails the test.
 */
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { check } from "../harness/check.ts";
import { find } from "../harness/machine.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import { JsonClient, type Message } from "../harness/json-client.ts";

/** The longest time that one step may take on a busy machine. */
export const WAIT_MS = 30_000;
/** The longest time that a whole test may take. */
export const TEST_OPTIONS: { readonly timeoutMs: number } = { timeoutMs: 120_000 };

const WEB: readonly string[] = ["web.enabled=true", "web.port=0", "log.level=error"];
/** Only the test answers forces. */
const NO_DECIDER: readonly string[] = ["nakurity-backend.decider=none"];

export interface Action {
  readonly name: string;
  readonly description?: string;
  readonly schema?: object;
}

/** A game over a real socket. */
export class Game {
  readonly talk: JsonClient;
  readonly #name: string;

  private constructor(client: JsonClient, name: string) {
    this.talk = client;
    this.#name = name;
  }

  static async join(fixture: DashboardFixture, name: string, actions: readonly Action[] = []): Promise<Game> {
    const game = new Game(await JsonClient.open(fixture.relay.urls.neuro), name);
    game.send("startup");
    if (actions.length > 0) game.register(actions);
    return game;
  }

  register(actions: readonly Action[]): void {
    this.send("actions/register", {
      actions: actions.map((action) => ({ description: `Does ${action.name}.`, ...action })),
    });
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
  /** Exceptions of the pages, and violations of their policy. */
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

  /** A page without an address. */
  async newPage(options: BrowserContextOptions = {}): Promise<Page> {
    return await newPage(this.#browser, this.pageErrors, options);
  }

  /** The dashboard, opened by the address that the relay prints. */
  async open(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.newPage(options);
    await page.goto(this.relay.urls.web);
    await page.locator(".connection.good").waitFor();
    await page.locator(".uptime:not(:empty)").waitFor({ state: "attached" });
    return page;
  }

  /** Kills the relay, and starts it again on the same port with the same storage. */
  async restart(whileAway: () => Promise<void>): Promise<void> {
    const port = new URL(this.relay.urls.web).port;
    await this.relay.stop("SIGKILL");
    await whileAway();
    this.relay = await RelayProcess.start(this.#folder, [...this.#sets, `web.port=${port}`]);
  }
}

/** A page that records its exceptions, violations and dialogs in `pageErrors`. */
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

/** Runs with a page of a new browser. The test starts its own relay. */
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

/** A Neuro that records what it receives, and acts as the test says. */
export class Upstream {
  readonly heard: Message[] = [];
  #actions = 0;
  #send: (text: string) => void = () => {};
  readonly #server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request, server) => server.upgrade(request) ? undefined : new Response("no", { status: 400 }),
    websocket: {
      open: (socket) => void (this.#send = (text) => void socket.send(text)),
      message: (_socket, text) => void this.heard.push(JSON.parse(String(text))),
    },
  });

  /** Executes an action, as soon as she knows it. */
  async act(name: string, data?: object): Promise<void> {
    const knows = ({ command, data: sent }: Message) =>
      command === "actions/register" && sent.actions.some((action: Message) => action.name === name);
    await this.hear(knows, `she knows ${name}`);
    const id = `neuro-${++this.#actions}`;
    this.#send(JSON.stringify({ command: "action", data: { id, name, ...(data && { data: JSON.stringify(data) }) } }));
  }

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

/** Runs with a new browser and a new relay. */
export function withDashboard(
  run: (fixture: DashboardFixture) => Promise<void>,
  given: readonly string[] = NO_DECIDER,
): Promise<void> {
  return inFolder(async (folder) => {
    const sets = [...WEB, ...given];
    const browser = await launch();
    try {
      const fixture = new DashboardFixture(browser, { folder, sets, relay: await RelayProcess.start(folder, sets) });
      try {
        await run(fixture);
        check.equal(fixture.pageErrors, []);
      } finally {
        await fixture.relay.stop("SIGKILL");
      }
    } finally {
      await browser.close();
    }
  });
}

/** The row of an integration. */
export const integrationRow = (page: Page, name: string): Locator =>
  page.locator("[data-name=integration]").filter({ has: page.locator(".row-title .name", { hasText: name }) });

/** An element by its `data-name`, which exists for tests. */
export const byName = (where: Page | Locator, name: string): Locator => where.locator(`[data-name="${name}"]`);

/** Waits until `is` is true. */
export async function until(is: () => Promise<boolean>, claim: string): Promise<void> {
  const end = performance.now() + WAIT_MS;
  while (!(await is())) {
    if (performance.now() > end) throw new Error(`not true after ${WAIT_MS} ms: ${claim}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
