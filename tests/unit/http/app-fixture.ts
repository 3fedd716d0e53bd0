/** The web app without a runtime: requests in, responses out, upgrades noted. */
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { ConnectionInfo } from "../../../src/core/event.ts";
import type { Json } from "../../../src/core/json.ts";
import type { Observation } from "../../../src/core/observation.ts";
import type { ServiceRequest } from "../../../src/core/request.ts";
import type { ServiceName } from "../../../src/core/service.ts";
import type { Settings } from "../../../src/core/settings.ts";
import { AccessControl, createApp, type PortName, type UpgradeTarget } from "../../../src/http/app.ts";

export const WEB_TOKEN = "the-web-token";

export interface RequestOptions {
  readonly address?: string;
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly body?: string;
  /** Adds the headers of an upgrade request. */
  readonly upgrade?: boolean;
}

export type Block<Name extends keyof Settings> = Partial<Settings[Name]>;
export type Changes = { readonly [Name in keyof Settings]?: Block<Name> };

/** The default settings with some of each block changed. */
export function settingsWith(changes: Changes): Settings {
  const blocks = Object.entries(changes).map(([name, block]) => [
    name,
    Array.isArray(block) ? block : { ...DEFAULTS[name as keyof Settings], ...block },
  ]);
  return { ...DEFAULTS, ...Object.fromEntries(blocks) };
}

export class AppFixture {
  readonly observations: Observation[] = [];
  /** Paths of requests that may take their time. */
  readonly untimedPaths: string[] = [];
  readonly upgrades: { readonly entrance: UpgradeTarget; readonly connection: ConnectionInfo }[] = [];
  readonly files = new Map<string, Uint8Array>();
  /** What each room answers when it is asked whether it is ready. */
  replyBody: Json = { ok: true, reasons: [] };
  /** Replaces `replyBody` where replies depend on the request. */
  replyTo: (request: ServiceRequest) => Json = () => this.replyBody;
  isDraining = false;
  /** The time, in milliseconds. */
  now = 1_000;
  lostListeners: readonly PortName[] = [];
  /** Number of requests to services and of files read. */
  portCalls = 0;
  readonly #app;

  constructor(changes: Changes = {}, services: readonly ServiceName[] = ["intermediary", "neuro", "brain"]) {
    const settings = settingsWith({ ...changes, web: { token: WEB_TOKEN, ...changes.web } });
    const tokens = new AccessControl(settings);
    this.#app = createApp({
      version: "1.2.3",
      uptimeMs: () => this.now,
      services,
      settings: () => settings,
      accessControl: () => tokens,
      observe: (observation) => this.observations.push(observation),
      isDraining: () => this.isDraining,
      lostListeners: () => this.lostListeners,
      request: (request) => {
        this.portCalls++;
        return Promise.resolve({ body: this.replyTo(request) as never });
      },
      frames: () => 0,
      metrics: () => Promise.resolve({ text: "some_total 1\n", type: "text/plain; version=0.0.4" }),
      tokens: () => [],
      revokeToken: () => Promise.resolve({ fault: "notFound" }),
      issueToken: () => Promise.resolve({ fault: "notFound" }),
      rotateToken: () => Promise.resolve({ fault: "notFound" }),
      links: () => [],
      relays: () => Promise.resolve([]),
      nodes: () => Promise.resolve([]),
      otherReasons: () => Promise.resolve([]),
      readUpload: (file) => {
        this.portCalls++;
        return Promise.resolve(this.files.get(file));
      },
    });
  }

  /** Every path that the app answers itself, as it was given to the router. */
  get paths(): readonly string[] {
    return [...new Set(this.#app.routes.map(({ path }) => path))].filter((path) => path !== "/*");
  }

  async fetch(listener: PortName, path: string, asked: RequestOptions = {}): Promise<Response> {
    const { address = "127.0.0.1", headers = {}, method = "GET", body, upgrade = false } = asked;
    const request = new Request(`http://127.0.0.1:9999${path}`, {
      method,
      ...(body !== undefined && { body }),
      headers: {
        host: "127.0.0.1:9999",
        ...(upgrade && { connection: "Upgrade", upgrade: "websocket" }),
        ...headers,
      },
    });
    return await this.#app.fetch(request, {
      listener,
      address,
      disableTimeout: () => void this.untimedPaths.push(path),
      upgrade: (entrance, connection) => {
        this.upgrades.push({ entrance, connection });
        return new Response(null, { status: 200, headers: { "x-upgraded": JSON.stringify(entrance) } });
      },
    });
  }

  /** The status of an upgrade: 101 when it was accepted. */
  async upgradeStatus(listener: PortName, path: string, asked: RequestOptions = {}): Promise<number> {
    const response = await this.fetch(listener, path, { ...asked, upgrade: true });
    return response.headers.has("x-upgraded") ? 101 : response.status;
  }

  /** The observed reasons of refused connections. */
  refusals(): readonly string[] {
    return this.observations.flatMap((observation) => (observation.is === "greeting_refused" ? [observation.reason] : []));
  }
}

export const bearer = (token: string): { readonly headers: Record<string, string> } => ({
  headers: { authorization: `Bearer ${token}` },
});
