/**
 * The requests that reach a node: those of clients, for any relay, and those that other nodes pass on to the relays here.
 *
 * A WebSocket is opened at the gateway. Any other request is answered by the owner of its relay, here or at another node, except `/ready` and `/metrics`
 * at the root, which are of the node.
 */
import type { OwnershipRecord } from "../../cluster/directory.ts";
import { nodeOf } from "../../cluster/placement.ts";
import type { Settings } from "../../core/settings.ts";
import { type PortName, problemResponse, unknownLink } from "../../http/app.ts";
import { type ClusterMetrics, METRIC_TYPES, OPENMETRICS_END } from "../../observability/mod.ts";
import type { Host } from "../host.ts";
import { DEFAULT_RELAY, isServed, requestWithin, splitPath } from "../relay-path.ts";
import { settingsOfRelay } from "../relay-settings.ts";
import type { HttpClient } from "../server-runtime.ts";
import { malformedName, tooManyConnections, unknownRelay } from "../upgrade.ts";
import type { VoiceChannels } from "../voice-channels.ts";
import type { Gateway } from "./gateway.ts";
import { forward, type Forwarded, type ReceivedRequest, receiveForwarded } from "./http-forwarding.ts";
import type { Member } from "./member.ts";
import type { NodeConnections } from "./node-connections.ts";
import type { NodeStanding } from "./node-views.ts";
import { OwnedRelay } from "./owned-relay.ts";
import { OwnerWaits } from "./owner-waits.ts";

/** A request for a relay without an owner waits for one for this long. */
const OWNER_WAIT_MS = 5_000;

/** The node, as its requests see it. */
export interface NodeRequestsPorts {
  /** The web app of the gateway: it admits clients, and has no relay. */
  readonly host: Host;
  readonly gateway: Gateway;
  readonly voiceChannels: VoiceChannels;
  readonly nodes: NodeConnections;
  readonly member: Member;
  readonly metrics: ClusterMetrics;
  /** The relays that run or start here. */
  readonly owned: ReadonlyMap<string, OwnedRelay>;
  settings(): Settings;
  standing(): NodeStanding;
  notReadyReasons(): readonly string[];
  ownerOf(relay: string): Promise<OwnershipRecord | undefined>;
  /** Finds the owner of a relay, or gives it one. */
  findOwner(relay: string): void;
}

export class NodeRequests {
  readonly #ports: NodeRequestsPorts;
  readonly #ownerWaits: OwnerWaits<OwnedRelay | string>;

  constructor(ports: NodeRequestsPorts) {
    this.#ports = ports;
    this.#ownerWaits = new OwnerWaits({
      waitMs: OWNER_WAIT_MS,
      locate: (relay) => this.#locate(relay),
      findOwner: (relay) => ports.findOwner(relay),
    });
  }

  /** Answers a request of a client. */
  fetch(request: Request, listener: PortName, client: HttpClient): Response | Promise<Response> {
    if (!URL.canParse(request.url)) {
      return problemResponse({ status: 400, title: "Bad request", fault: "malformedRequest" });
    }
    const { pathname } = new URL(request.url);
    // Why: the paths of the intercept proxy belong to the backend behind it.
    const path = listener === "proxy" ? { name: DEFAULT_RELAY, base: "", path: pathname } : splitPath(pathname);
    if (path === undefined) return malformedName();
    const { name, base: basePath } = path;
    const { names } = this.#ports.settings().relays;
    if (name !== DEFAULT_RELAY && !isServed(name, names)) return unknownRelay(name, "relays.names");
    const within = requestWithin(request, path);
    if (listener === "web" && basePath === "" && path.path === "/ready") return this.#ready(within, client.address);
    if (listener === "web" && basePath === "" && path.path === "/metrics") return this.#scrape(within, client.address);
    const isUpgrade = request.headers.get("upgrade")?.toLowerCase() === "websocket";
    const context = { listener, basePath, address: client.address };
    if (listener === "web" && !isUpgrade) return this.#answer(name, within, context, client);
    return this.#admit(name, within, context, client);
  }

  /** Answers a request of another node: for a connection between nodes, or one of a client that it passes on. */
  fetchFromNode(request: Request, client: HttpClient): Response | Promise<Response> {
    const { nodes } = this.#ports;
    if (!nodes.isTrusted(request)) return problemResponse({ status: 401, title: "Unauthorized", fault: "badToken" });
    if (new URL(request.url).pathname === "/node") {
      return client.upgrade(nodes.accept()) ??
        problemResponse({ status: 426, title: "Upgrade required", fault: "upgradeRequired" });
    }
    const forwarded = receiveForwarded(request);
    if (forwarded === undefined) return problemResponse({ status: 400, title: "Bad request", fault: "malformedRequest" });
    return this.#answerForwarded(forwarded, client);
  }

  #admit(name: string, request: Request, context: Forwarded, client: HttpClient): Response | Promise<Response> {
    const { host, gateway, voiceChannels, settings } = this.#ports;
    const { disableTimeout } = client;
    return host.app.fetch(request, {
      ...context,
      ...(disableTimeout !== undefined && { disableTimeout }),
      upgrade: (target, connection, credential) => {
        const unknown = typeof target === "object" ? unknownLink(target, settingsOfRelay(settings(), name)) : undefined;
        if (unknown !== undefined) return unknown;
        const handler = target === "voice"
          ? voiceChannels.admit(connection, credential)
          : gateway.admit(name, target, connection, credential);
        return handler === undefined ? tooManyConnections() : client.upgrade(handler);
      },
    });
  }

  async #answer(name: string, request: Request, context: Forwarded, client: HttpClient): Promise<Response> {
    const owner = await this.#ownerWaits.locate(name);
    if (owner === undefined) return noOwner();
    if (owner instanceof OwnedRelay) return await answerFrom(owner, request, context, client);
    client.disableTimeout?.(); // Why: the owner knows how long the request may take, and ends it.
    return await forward(request, { place: owner, name, context, secret: this.#ports.settings().cluster.secret });
  }

  /** The relay if it runs here, or the place of the node that owns it. */
  async #locate(name: string): Promise<OwnedRelay | string | undefined> {
    const own = this.#ports.owned.get(name);
    if (own !== undefined) return own.isRunning ? own : undefined;
    const record = await this.#ports.ownerOf(name).catch(() => undefined);
    if (record === undefined || !this.#ports.nodes.canReach(record.session)) return undefined;
    return this.#ports.nodes.placeOf(record.session);
  }

  async #answerForwarded({ name, request, context }: ReceivedRequest, client: HttpClient): Promise<Response> {
    const owner = await this.#ownerWaits.locate(name);
    return owner instanceof OwnedRelay ? await answerFrom(owner, request, context, client) : noOwner();
  }

  /** The metrics of this node, after those of the relay at the root if it is here. Why not elsewhere: each would be counted several times. */
  async #scrape(request: Request, address: string): Promise<Response> {
    const { app } = this.#ports.owned.get(DEFAULT_RELAY)?.host ?? this.#ports.host;
    const response = await app.fetch(request, { listener: "web", address, basePath: "", upgrade: () => undefined });
    if (response.status !== 200) return response;
    const { registry, holding, members, relays, peers, waitingBytes } = this.#ports.metrics;
    holding.set(this.#ports.member.mayAct() ? 1 : 0);
    members.set(this.#ports.member.sessions.length);
    relays.set(this.#ports.owned.size);
    peers.set(this.#ports.gateway.size);
    waitingBytes.set(this.#ports.gateway.keptBytes);
    const format = response.headers.get("content-type") === METRIC_TYPES.openmetrics ? "openmetrics" : "prometheus";
    const text = (await response.text()).replace(OPENMETRICS_END, "");
    return new Response(text + registry.text(format), { headers: response.headers });
  }

  /** As `/ready` of a relay; what it says of the node is for `watch`, too. */
  #ready(request: Request, address: string): Response {
    const reasons = this.#ports.notReadyReasons();
    const isReady = reasons.length === 0;
    const scopes = this.#ports.host.scopesOf(request, { listener: "web", address, upgrade: () => undefined });
    const details = {
      reasons,
      node: this.#ports.settings().cluster.node,
      place: this.#ports.member.place,
      lease: this.#ports.standing(),
      members: this.#ports.member.others.map(({ session, place }) => ({
        node: nodeOf(session),
        place,
        isReachable: this.#ports.nodes.canReach(session),
      })),
      relays: [...this.#ports.owned.keys()],
      peers: this.#ports.gateway.size,
      waitingBytes: this.#ports.gateway.keptBytes,
    };
    const body = {
      status: isReady ? "ready" : "not_ready",
      version: this.#ports.host.version,
      ...(scopes.includes("watch") && details),
    };
    return Response.json(body, { status: isReady ? 200 : 503 });
  }
}

const answerFrom = async (
  { host }: OwnedRelay,
  request: Request,
  context: Forwarded,
  { disableTimeout }: HttpClient,
): Promise<Response> =>
  await host.app.fetch(request, {
    ...context,
    ...(disableTimeout !== undefined && { disableTimeout }),
    upgrade: () => undefined,
  });

const noOwner = (): Response =>
  problemResponse({
    status: 503,
    title: "Service unavailable",
    fault: "relayAway",
    detail: "no node owns this relay at the moment",
    headers: { "retry-after": "2" },
  });
