/**
 * The connections between this node and the others: one to each, from its gateway to the relays that are owned there, and one from each.
 *
 * Invariants: NC1 only a node that knows the secret is heard, and only after its greeting; NC2 messages of one direction arrive in order; NC3 a
 * message that cannot be read ends its connection, nothing else.
 */
import { hashText, sameDigest } from "../../core/hash.ts";
import type { Frame } from "../../core/json.ts";
import { nodeOf } from "../../cluster/placement.ts";
import {
  encodeMessage,
  MessageReader,
  type NodeMessage,
  type ToGateway,
  type ToOwner,
  WIRE_VERSION,
} from "../../cluster/wire.ts";
import type { ClientSocket, Dialer } from "../../websocket-client/dialer.ts";
import type { ConnectionHandler, ServerSocket } from "../connections.ts";

/** The header with the secret. Why not `authorization`: a request that is passed on has the token of its client there. */
export const SECRET_HEADER = "x-neuro-relay-cluster";

const REDIAL_MS = 200;
/** A node that does not read is disconnected at this backlog. */
const BACKLOG_BYTES_MAX = 256 * 1_048_576;

export interface NodeConnectionsPorts {
  readonly dial: Dialer;
  readonly secret: string;
  /** This node's session. It changes when the node was declared dead. */
  session(): string;
  afterTurn(run: () => void): void;
  toOwner(session: string, message: ToOwner): void;
  toGateway(session: string, message: ToGateway): void;
  /** The connection to the owners on a node opened. */
  ownerReached(session: string): void;
  /** The connection to the owners on a node broke. */
  ownerLost(session: string, reason: string): void;
  /** The connection of a node was ended, because of what it sent or did not read. */
  refused(session: string | undefined, reason: string): void;
  /** The gateway of a node has connected. */
  gatewayReached(session: string): void;
  /** The connection of the gateway of a node broke. */
  gatewayLost(session: string): void;
}

interface Outgoing {
  readonly place: string;
  socket: ClientSocket | undefined;
  isOpen: boolean;
  redial: ReturnType<typeof setTimeout> | undefined;
}

export class NodeConnections {
  readonly #ports: NodeConnectionsPorts;
  readonly #secretDigest: string;
  readonly #outgoing = new Map<string, Outgoing>();
  readonly #incoming = new Map<string, IncomingConnection>();
  #unwritten: IncomingConnection[] = [];
  #isTurnEnding = false;

  constructor(ports: NodeConnectionsPorts) {
    this.#ports = ports;
    this.#secretDigest = hashText(ports.secret);
  }

  /** True for a request of another node. */
  isTrusted(request: Request): boolean {
    return sameDigest(hashText(request.headers.get(SECRET_HEADER) ?? ""), this.#secretDigest);
  }

  /** The sessions of the gateways that are connected to this node, and its own. */
  gateways(): readonly string[] {
    return [this.#ports.session(), ...this.#incoming.keys()];
  }

  canReach(session: string): boolean {
    return session === this.#ports.session() || this.#outgoing.get(session)?.isOpen === true;
  }

  placeOf(session: string): string | undefined {
    return this.#outgoing.get(session)?.place;
  }

  /** Connects to a member, and again whenever the connection breaks. */
  connect(session: string, place: string): void {
    if (this.#outgoing.has(session)) return;
    const outgoing: Outgoing = { place, socket: undefined, isOpen: false, redial: undefined };
    this.#outgoing.set(session, outgoing);
    this.#dial(session, outgoing);
  }

  /** The session is no member any more. */
  disconnect(session: string): void {
    const outgoing = this.#outgoing.get(session);
    this.#outgoing.delete(session);
    clearTimeout(outgoing?.redial);
    outgoing?.socket?.close();
    this.#incoming.get(session)?.terminate();
  }

  close(): void {
    for (const session of [...this.#outgoing.keys(), ...this.#incoming.keys()]) this.disconnect(session);
  }

  sendToOwner(session: string, message: ToOwner): void {
    const own = this.#ports.session();
    if (session === own) return queueMicrotask(() => this.#ports.toOwner(own, message));
    const outgoing = this.#outgoing.get(session);
    if (outgoing?.isOpen !== true) return;
    const waiting = outgoing.socket?.send(encodeMessage(message)) ?? 0;
    if (waiting > BACKLOG_BYTES_MAX) this.#broken(session, outgoing, "it does not read");
  }

  sendToGateway(session: string, message: ToGateway): void {
    const own = this.#ports.session();
    if (session === own) return queueMicrotask(() => this.#ports.toGateway(own, message));
    this.#incoming.get(session)?.send(encodeMessage(message));
  }

  /** The handler of a connection that another node opens. */
  accept(): ConnectionHandler {
    return new IncomingConnection({
      isSession: (session) => session === this.#ports.session(),
      greeted: (session, connection) => {
        // Why also earlier sessions: what such a connection still brings would be taken for the later one, after which it breaks.
        for (const [other, earlier] of [...this.#incoming]) if (nodeOf(other) === nodeOf(session)) earlier.terminate();
        this.#incoming.set(session, connection);
        this.#ports.gatewayReached(session);
      },
      received: (session, message) => this.#ports.toOwner(session, message),
      unwritten: (connection) => this.#scheduleWrite(connection),
      refused: (session, reason) => this.#ports.refused(session, reason),
      closed: (session, connection) => {
        if (this.#incoming.get(session) !== connection) return;
        this.#incoming.delete(session);
        this.#ports.gatewayLost(session);
      },
    });
  }

  #scheduleWrite(connection: IncomingConnection): void {
    if (this.#unwritten.push(connection) > 1 || this.#isTurnEnding) return;
    this.#ports.afterTurn(() => this.#write());
  }

  /** Runs the end of a turn of relays, and writes at once what it sends to gateways. Why not after the turn: that would be one turn more. */
  endTurn(run: () => void): void {
    this.#isTurnEnding = true;
    try {
      run();
    } finally {
      this.#isTurnEnding = false;
      this.#write();
    }
  }

  #write(): void {
    const connections = this.#unwritten;
    if (connections.length === 0) return;
    this.#unwritten = [];
    for (const one of connections) one.write();
  }

  #dial(session: string, outgoing: Outgoing): void {
    const { dial, secret } = this.#ports;
    const reader = new MessageReader();
    outgoing.socket = dial({ url: `ws://${outgoing.place}/node`, headers: { [SECRET_HEADER]: secret } }, {
      opened: () => {
        outgoing.isOpen = true;
        outgoing.socket?.send(
          encodeMessage({ is: "hello", session: this.#ports.session(), to: session, version: WIRE_VERSION }),
        );
        this.#ports.ownerReached(session);
      },
      received: (frame) => {
        const message = reader.read(frame);
        if (message !== undefined && isToGateway(message)) this.#ports.toGateway(session, message);
        else this.#broken(session, outgoing, "it sent a message that is not one");
      },
      relieved: () => {},
      closed: (_code, reason) => this.#broken(session, outgoing, reason === "" ? "its connection was closed" : reason),
    });
  }

  #broken(session: string, outgoing: Outgoing, reason: string): void {
    outgoing.socket?.close();
    outgoing.socket = undefined;
    outgoing.isOpen = false;
    if (this.#outgoing.get(session) !== outgoing) return;
    this.#ports.ownerLost(session, reason);
    clearTimeout(outgoing.redial);
    outgoing.redial = setTimeout(() => this.#dial(session, outgoing), REDIAL_MS);
  }
}

const TO_GATEWAY: ReadonlySet<NodeMessage["is"]> = new Set<ToGateway["is"]>([
  "owner",
  "notOwner",
  "send",
  "attach",
  "close",
  "ping",
  "terminate",
  "handled",
  "released",
]);
const isToGateway = (message: NodeMessage): message is ToGateway => TO_GATEWAY.has(message.is);

interface IncomingHooks {
  /** True for this node's present session. */
  isSession(session: string): boolean;
  greeted(session: string, connection: IncomingConnection): void;
  received(session: string, message: ToOwner): void;
  unwritten(connection: IncomingConnection): void;
  /** The connection is ended because of the other node. */
  refused(session: string | undefined, reason: string): void;
  closed(session: string, connection: IncomingConnection): void;
}

/** A connection that the gateway of another node opened. */
class IncomingConnection implements ConnectionHandler {
  readonly greets: boolean = false;
  readonly #hooks: IncomingHooks;
  readonly #reader = new MessageReader();
  #socket: ServerSocket | undefined;
  #session: string | undefined;
  readonly #frames: Frame[] = [];

  constructor(hooks: IncomingHooks) {
    this.#hooks = hooks;
  }

  open(socket: ServerSocket): void {
    this.#socket = socket;
  }

  message(frame: Frame): void {
    const message = this.#reader.read(frame);
    if (message === undefined || isToGateway(message)) {
      return this.#refuse(`invalid message ${String(frame).slice(0, 200)}`);
    }
    if (message.is === "hello") {
      if (this.#session !== undefined) return this.#refuse("it greeted twice");
      if (message.version !== WIRE_VERSION) return this.#refuse(`its version ${message.version} is not ${WIRE_VERSION}`);
      if (!this.#hooks.isSession(message.to)) return this.terminate();
      this.#session = message.session;
      return this.#hooks.greeted(message.session, this);
    }
    if (this.#session === undefined) return this.#refuse("it did not greet");
    this.#hooks.received(this.#session, message);
  }

  send(frame: Frame): void {
    if (this.#frames.push(frame) === 1) this.#hooks.unwritten(this);
  }

  /** The messages of one turn leave in one write. */
  write(): void {
    const waiting = this.#socket?.write(this.#frames) ?? 0;
    this.#frames.length = 0;
    if (waiting > BACKLOG_BYTES_MAX) this.#refuse("it does not read");
  }

  #refuse(reason: string): void {
    this.#hooks.refused(this.#session, reason);
    this.terminate();
  }

  terminate(): void {
    this.#socket?.terminate();
    this.close();
  }

  close(): void {
    this.#socket = undefined;
    if (this.#session !== undefined) this.#hooks.closed(this.#session, this);
    this.#session = undefined;
  }

  buffered(): void {}
  drain(): void {}
  pong(): void {}
  controlFrame(): void {}
}
