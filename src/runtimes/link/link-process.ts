/** `neuro-relay link` as a process: its connection to Neuro, its listener for games, or both. Contains no policy. */
import type { Frame } from "../../core/json.ts";
import type { KeepaliveOptions } from "../../core/link.ts";
import { errorText } from "../../core/text.ts";
import { isOriginAllowed, problemResponse } from "../../http/app.ts";
import type { ConnectionHandler, ServerSocket } from "../connections.ts";
import { addressesOf, isInUse } from "../listeners.ts";
import type { OpenListener } from "../monitored-listener.ts";
import { createClock } from "../process-clock.ts";
import type { HttpClient, ListenerContext, ServerRuntime } from "../server-runtime.ts";
import { type LinkedGamesOptions, type LinkProcessOptions, StartError, type Stoppable } from "../serve-options.ts";
import { tooManyConnections } from "../upgrade.ts";
import { GameLink } from "./game-link.ts";
import { LinkDriver } from "./link-driver.ts";
import { NeuroLink } from "./neuro-link.ts";

/** A dead connection is found within 12 s: Neuro waits 20 s for a result. */
export const LINK_KEEPALIVE: KeepaliveOptions = { idleMs: 5_000, answerMs: 7_000 };

const FRAME_BYTES_MAX = 8 * 1_024 * 1_024;
const GAMES_MAX = 1_000;

export async function runLink(runtime: ServerRuntime, options: LinkProcessOptions): Promise<Stoppable> {
  const { relayUrl, neuro, games, report, failed } = options;
  const listener = games === undefined ? undefined : new GamePort(runtime, relayUrl, games, report);
  await listener?.open();
  let driver: LinkDriver | undefined;
  if (neuro !== undefined) {
    const { name, url, token } = neuro;
    const machine = new NeuroLink({
      ...{ relayUrl: `${relayUrl}/link/${name}`, token, neuroUrl: url, report },
      replaced: () => failed(`another program has taken over the link ${name}`),
    });
    driver = new LinkDriver(machine, { dial: runtime.linkDial, clock: createClock });
    driver.run((ctx) => machine.start(ctx));
  }
  return {
    drain: async () => {
      driver?.close();
      await listener?.close();
    },
  };
}

/** The local port that games use instead of the relay's. */
class GamePort {
  readonly #runtime: ServerRuntime;
  readonly #relayUrl: string;
  readonly #options: LinkedGamesOptions;
  readonly #report: (line: string) => void;
  readonly #games = new Set<LinkedGame>();
  #opened: readonly OpenListener[] = [];

  constructor(runtime: ServerRuntime, relayUrl: string, options: LinkedGamesOptions, report: (line: string) => void) {
    this.#runtime = runtime;
    this.#relayUrl = relayUrl;
    this.#options = options;
    this.#report = report;
  }

  async open(): Promise<void> {
    const { host, port } = this.#options;
    const [address, other] = addressesOf(host);
    try {
      const first = await this.#listen(address, port);
      const second = other === undefined ? undefined : await this.#listen(other, first.port).catch(() => undefined);
      this.#opened = second === undefined ? [first] : [first, second];
      const bracketed = address.includes(":") ? `[${address}]` : address;
      this.#report(`games can connect to ws://${bracketed}:${first.port}`);
    } catch (error) {
      throw new StartError(isInUse(error) ? `--listen: ${port} on ${address} is in use` : `--listen: ${errorText(error)}`);
    }
  }

  async close(): Promise<void> {
    for (const listener of this.#opened) listener.stopAccepting();
    for (const game of [...this.#games]) game.stop();
    await Promise.all(this.#opened.map((listener) => listener.close()));
  }

  async #listen(host: string, port: number): Promise<OpenListener> {
    const context: ListenerContext = {
      frameBytesMax: FRAME_BYTES_MAX,
      fetch: (request, client) => this.#fetch(request, client),
    };
    return await this.#runtime.listen({ name: "neuro", label: "Link", host, port, block: "nakurity-backend" }, context);
  }

  #fetch(request: Request, client: HttpClient): Response {
    const header = (name: string) => request.headers.get(name) ?? undefined;
    const source = { origin: header("origin"), host: header("host"), scheme: undefined };
    if (!isOriginAllowed("neuro", source, { security: { allowed_origins: [] } })) {
      return problemResponse({
        status: 403,
        title: "Refused",
        fault: "foreignOrigin",
        detail: "pages of other machines cannot use this port",
      });
    }
    if (header("upgrade")?.toLowerCase() !== "websocket" || !URL.canParse(request.url)) return upgradeRequired();
    if (this.#games.size >= GAMES_MAX) return tooManyConnections();
    const { pathname, search } = new URL(request.url);
    const path = pathname === "/" ? "" : pathname;
    return client.upgrade(this.#connection(`${this.#relayUrl}/neuro${path}${search}`)) ?? upgradeRequired();
  }

  #connection(relayUrl: string): LinkedGame {
    const { token, keepMs } = this.#options;
    const connection: LinkedGame = new LinkedGame(this.#runtime, {
      options: { relayUrl, token, keepMs, report: this.#report },
      opened: () => this.#games.add(connection),
      closed: () => this.#games.delete(connection),
    });
    return connection;
  }
}

interface LinkedGameOptions {
  readonly options: ConstructorParameters<typeof GameLink>[1];
  opened(): void;
  closed(): void;
}

class LinkedGame implements ConnectionHandler {
  readonly greets = false;
  readonly #runtime: ServerRuntime;
  readonly #options: LinkedGameOptions;
  #link: { readonly machine: GameLink; readonly driver: LinkDriver } | undefined;

  constructor(runtime: ServerRuntime, options: LinkedGameOptions) {
    this.#runtime = runtime;
    this.#options = options;
  }

  open(socket: ServerSocket): void {
    const machine = new GameLink(socket, this.#options.options);
    const driver = new LinkDriver(machine, { dial: this.#runtime.linkDial, clock: createClock });
    this.#link = { machine, driver };
    this.#options.opened();
    driver.run((ctx) => machine.start(ctx));
  }

  message(frame: Frame): void {
    const link = this.#link;
    link?.driver.run((ctx) => link.machine.gameFrame(frame, ctx));
  }

  close(code: number, reason = ""): void {
    const link = this.#link;
    link?.driver.run((ctx) => link.machine.gameClosed(code, reason, ctx));
    this.#options.closed();
  }

  /** The process ends. */
  stop(): void {
    const link = this.#link;
    link?.driver.run((ctx) => link.machine.stop(ctx));
  }

  buffered(): void {}

  drain(): void {}

  pong(): void {}

  controlFrame(): void {}
}

const upgradeRequired = (): Response =>
  new Response("This is `neuro-relay link`: connect a game's WebSocket, as to Neuro.\n", {
    status: 426,
    headers: { "content-type": "text/plain; charset=utf-8", upgrade: "websocket", connection: "Upgrade" },
  });
