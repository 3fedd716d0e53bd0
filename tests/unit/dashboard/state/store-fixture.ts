/** A dashboard's store in virtual time, connected to a relay whose replies the test defines. */
import { ApiError } from "../../../../src/clients/api-client.ts";
import type { Json, JsonObject } from "../../../../src/core/json.ts";
import type { ServiceName } from "../../../../src/core/service.ts";
import { DashboardStore } from "../../../../src/dashboard/state/dashboard-store.ts";
import type { DashboardApi, DashboardPorts } from "../../../../src/dashboard/state/ports.ts";
import type { SocketLike } from "../../../../src/websocket-client/socket-driver.ts";
import { VirtualClock } from "../../../../src/testing/clock.ts";

/** The relay's clock is this much ahead of the page's. */
export const RELAY_AHEAD_MS = 60_000;

/** One connection for live events, as the relay sees it. */
export class FakeEventSocket implements SocketLike {
  onopen: SocketLike["onopen"] = null;
  onmessage: SocketLike["onmessage"] = null;
  onclose: SocketLike["onclose"] = null;
  onerror: SocketLike["onerror"] = null;
  readonly sent: JsonObject[] = [];
  isClosed = false;
  repliesToPings = true;

  send(text: string): void {
    const message = JSON.parse(text);
    this.sent.push(message);
    if (message.query !== undefined && this.repliesToPings) this.reply({ request_id: message.request_id });
  }

  close(): void {
    this.isClosed = true;
  }

  /** The connection is established. */
  open(): void {
    this.onopen?.(undefined as never);
  }

  /** The connection is established, and the relay accepts the subscription. */
  accept(): void {
    this.open();
    this.reply({ request_id: "subscribed" });
  }

  /** The connection is established, and the relay refuses the token. */
  refuse(error: string): void {
    this.open();
    this.reply({ error });
  }

  reply(message: JsonObject): void {
    this.onmessage?.({ data: JSON.stringify(message) } as never);
  }

  lose(): void {
    this.onclose?.({ code: 1006, reason: "" } as never);
  }
}

export class StoreFixture {
  readonly clock: VirtualClock = new VirtualClock();
  readonly store: DashboardStore;
  /** Requests since the last `takeRequests`, as method and path. */
  readonly #requests: string[] = [];
  readonly sockets: FakeEventSocket[] = [];
  /** Replies by path; a function may throw. */
  readonly replies: Map<string, (method: string) => Json | Promise<Json>> = new Map();
  /** Tags of what is read, by path. */
  readonly tags: Map<string, string> = new Map();
  token: string | undefined;
  readonly preferences: Map<string, string> = new Map();
  /** The fragments of the page's address, the present one last. */
  readonly history: string[];
  isVisible = true;
  /** The relay says of what was read before that it has not changed. */
  isUnchanged = false;
  /** Timers that have neither fired nor been cancelled. */
  pendingTimers = 0;
  readonly #returned = new Set<() => void>();
  readonly #moved = new Set<() => void>();

  constructor(token?: string, { fragment = "", views }: { readonly fragment?: string; readonly views?: string } = {}) {
    this.token = token;
    this.history = [fragment];
    if (views !== undefined) this.preferences.set("views", views);
    this.replies.set("overview", () => this.overview());
    this.store = new DashboardStore(this.#ports());
  }

  get socket(): FakeEventSocket {
    const last = this.sockets.at(-1);
    if (last === undefined) throw new Error("no socket was opened");
    return last;
  }

  overview(more: JsonObject = {}): JsonObject {
    const services = {
      neuro: { controls: { stopped: false, approval: false, behaviour: null }, upstreams: [] },
      intermediary: { queue: { entries: 0, dead: 0 } },
    };
    const now = this.clock.now + RELAY_AHEAD_MS;
    return { version: "1", now, uptime_ms: 0, draining: false, scopes: ["admin"], not_ready: [], services, ...more };
  }

  takeRequests(): readonly string[] {
    return this.#requests.splice(0);
  }

  /** How often the relay was asked for everything since the last call. */
  takeRefreshes(): number {
    return this.takeRequests().filter((request) => request === "GET overview").length;
  }

  /** Signs in and connects. */
  async signIn(): Promise<void> {
    this.store.start();
    this.store.signIn("secret");
    this.socket.accept();
    await this.clock.advance(1_000);
    this.takeRequests();
  }

  /** What still runs or listens. */
  get leftovers(): number {
    return this.pendingTimers + this.#returned.size + this.#moved.size;
  }

  setVisible(isVisible: boolean): void {
    this.isVisible = isVisible;
    if (isVisible) { for (const run of this.#returned) run(); }
  }

  /** The browser's button. */
  goBack(): void {
    this.history.pop();
    for (const run of this.#moved) run();
  }

  #listen(listeners: Set<() => void>, run: () => void): () => void {
    listeners.add(run);
    return () => void listeners.delete(run);
  }

  event(id: string, event: JsonObject = { event: "add_context", message: id }): void {
    this.socket.reply({ id, at: this.clock.now, ...event });
  }

  /** The relay reports that what these services show may have changed. */
  changed(...services: readonly ServiceName[]): void {
    this.socket.reply({ event: "changed", services });
  }

  #later(ms: number, run: () => void): () => void {
    let isPending = true;
    const settle = (): void => {
      if (isPending) this.pendingTimers--;
      isPending = false;
    };
    this.pendingTimers++;
    const cancel = this.clock.after(ms, () => {
      settle();
      run();
    });
    return () => {
      settle();
      cancel();
    };
  }

  #ports(): DashboardPorts {
    return {
      clock: {
        now: () => this.clock.now,
        wallTime: () => this.clock.now,
        random: () => 0.5,
        later: (ms, run) => this.#later(ms, run),
      },
      openApi: () => this.#api(),
      eventsUrl: "ws://relay/intermediary",
      openSocket: () => {
        const socket = new FakeEventSocket();
        this.sockets.push(socket);
        return socket;
      },
      tokens: {
        read: () => this.token,
        write: (token) => void (this.token = token),
        clear: () => void (this.token = undefined),
      },
      preferences: {
        read: (name) => this.preferences.get(name),
        write: (name, value) => void this.preferences.set(name, value),
      },
      address: {
        read: () => this.history.at(-1) ?? "",
        write: (fragment, how) => {
          if (how === "replace") this.history.pop();
          this.history.push(fragment);
        },
        onChange: (run) => this.#listen(this.#moved, run),
      },
      visibility: {
        isVisible: () => this.isVisible,
        onReturn: (run) => this.#listen(this.#returned, run),
      },
    };
  }

  #api(): DashboardApi {
    const request = async (method: string, path: string, ifMatch?: string): Promise<Json> => {
      this.#requests.push(`${method} ${path}${ifMatch === undefined ? "" : ` if ${ifMatch}`}`);
      const reply = this.replies.get(path.replace(/\?.*/, ""));
      return await (reply === undefined ? { items: [], next: null } : reply(method));
    };
    return {
      request: (method, path, _body, ifMatch) => request(method, path, ifMatch) as Promise<never>,
      read: async (path, known) => {
        const body = await request("GET", path);
        return known !== undefined && this.isUnchanged ? known : { body: body as never, etag: this.tags.get(path) };
      },
    };
  }
}

/** What the API client throws for a reply with this status; 0: the relay does not answer. */
export function failure(status: number, message = `status ${status}`, fault?: string): () => never {
  return () => {
    throw new ApiError(message, { status, ...(fault !== undefined && { fault }) });
  };
}
