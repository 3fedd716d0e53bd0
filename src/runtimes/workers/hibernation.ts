/**
 * Sockets that outlive the hibernation of a Durable Object. The attachment of each socket names its peer.
 *
 * Invariants: H1 every socket has an attachment from its acceptance on; H2 an attachment is stored as bytes, because the platform
 * bounds their number.
 */
import type { ResumedPeer } from "../../core/event.ts";
import { type PeerId, peerId } from "../../core/ids.ts";
import { isObject, type Json } from "../../core/json.ts";
import { lenientText } from "../../core/text.ts";
import type { ConnectionHandler, PeerIdentity, ServerSocket } from "../connections.ts";
import { PlatformSocket } from "./platform-socket.ts";

/** The part of `DurableObjectState` that is used. */
export interface SocketState {
  acceptWebSocket(socket: WebSocket, tags: string[]): void;
  getWebSockets(tag?: string): WebSocket[];
}

const PEER = "peer";

/** A socket, and the peer as its attachment stores it. */
interface Attached {
  readonly socket: WebSocket;
  readonly peer: ResumedPeer;
}

export class Hibernation {
  readonly #state: SocketState;
  readonly #handlers = new Map<WebSocket, ConnectionHandler>();
  readonly #attached = new Map<PeerId, Attached>();

  constructor(state: SocketState) {
    this.#state = state;
  }

  /** Reads the peers that were connected before this object hibernated. */
  resumed(): readonly ResumedPeer[] {
    for (const socket of this.#state.getWebSockets(PEER)) {
      const peer = socket.readyState === WebSocket.OPEN ? readAttachment(socket) : undefined;
      if (peer !== undefined) this.#attached.set(peer.peer, { socket, peer });
    }
    return [...this.#attached.values()].map(({ peer }) => peer);
  }

  /** Gives a resumed peer its handler, which `create` makes for the socket. */
  resume({ peer }: ResumedPeer, create: (socket: ServerSocket) => ConnectionHandler): void {
    const attached = this.#attached.get(peer);
    if (attached !== undefined) this.#handlers.set(attached.socket, create(new PlatformSocket(attached.socket)));
  }

  /** Accepts the socket of a new peer. */
  accept(socket: WebSocket, handler: ConnectionHandler, { id, listener, connection }: PeerIdentity): void {
    this.#state.acceptWebSocket(socket, [PEER]);
    this.#handlers.set(socket, handler);
    this.#attach(socket, { peer: id, listener, connection });
    handler.open(new PlatformSocket(socket));
  }

  /** Stores the data about a peer that its service needs after hibernation. */
  attach(id: PeerId, attachment: Json): void {
    const attached = this.#attached.get(id);
    if (attached !== undefined) this.#attach(attached.socket, { ...attached.peer, attachment });
  }

  handlerOf(socket: WebSocket): ConnectionHandler | undefined {
    return this.#handlers.get(socket);
  }

  forget(socket: WebSocket): void {
    this.#handlers.delete(socket);
    const peer = readAttachment(socket);
    if (peer !== undefined) this.#attached.delete(peer.peer);
  }

  #attach(socket: WebSocket, peer: ResumedPeer): void {
    this.#attached.set(peer.peer, { socket, peer });
    socket.serializeAttachment(new TextEncoder().encode(JSON.stringify(peer)));
  }
}

function readAttachment(socket: WebSocket): ResumedPeer | undefined {
  const bytes: unknown = socket.deserializeAttachment();
  if (!(bytes instanceof Uint8Array)) return undefined;
  const stored: unknown = JSON.parse(lenientText(bytes));
  if (!isObject(stored) || typeof stored.peer !== "string") return undefined;
  // Why the cast: only `#attach` writes attachments.
  return { ...stored as unknown as ResumedPeer, peer: peerId(stored.peer) };
}
