/**
 * Sockets of a Durable Object that outlive its sleep: who each belongs to stands in its attachment.
 *
 * Invariants: H1 every socket has an attachment from its acceptance on; H2 an attachment is bytes, whose number is what the
 * platform bounds.
 */
import type { ConnectionInfo, ListenerName, ResumedPeer } from "../../core/event.ts";
import { type PeerId, peerId } from "../../core/ids.ts";
import type { Frame, Json } from "../../core/json.ts";
import { isObject } from "../../core/json.ts";
import type { Guest, GuestSocket } from "../../websocket-client/guest.ts";

/** The part of the object's state that is used. */
export interface SocketKeeper {
  acceptWebSocket(socket: WebSocket, tags: string[]): void;
  getWebSockets(tag?: string): WebSocket[];
}

const PEER = "peer";

export class Seats {
  readonly #keeper: SocketKeeper;
  readonly #guests = new Map<WebSocket, Guest>();
  readonly #sockets = new Map<PeerId, WebSocket>();
  readonly #resumed = new Map<PeerId, ResumedPeer>();

  constructor(keeper: SocketKeeper) {
    this.#keeper = keeper;
  }

  /** Those who were there before this object slept. */
  resumed(): readonly ResumedPeer[] {
    for (const socket of this.#keeper.getWebSockets(PEER)) {
      const resumedPeer = socket.readyState === WebSocket.OPEN ? read(socket.deserializeAttachment()) : undefined;
      if (resumedPeer === undefined) continue;
      this.#resumed.set(resumedPeer.peer, resumedPeer);
      this.#sockets.set(resumedPeer.peer, socket);
    }
    return [...this.#resumed.values()];
  }

  /** Gives a survivor its owner; `own` makes it for the socket. */
  resume({ peer }: ResumedPeer, own: (socket: GuestSocket) => Guest): void {
    const socket = this.#sockets.get(peer);
    if (socket !== undefined) this.#guests.set(socket, own(new SleepingSocket(socket)));
  }

  /** Accepts a socket for a new peer. */
  accept(
    socket: WebSocket,
    guest: Guest,
    { id, listener, connection }: { id: PeerId; listener: ListenerName; connection: ConnectionInfo },
  ): void {
    this.#keeper.acceptWebSocket(socket, [PEER]);
    this.#guests.set(socket, guest);
    this.#sockets.set(id, socket);
    this.#keep({ peer: id, listener, connection }, socket);
    guest.opened(new SleepingSocket(socket));
  }

  /** Keeps what a room wants to know of a peer after sleep. */
  attach(peer: PeerId, attachment: Json): void {
    const [socket, resumedPeer] = [this.#sockets.get(peer), this.#resumed.get(peer)];
    if (socket !== undefined && resumedPeer !== undefined) this.#keep({ ...resumedPeer, attachment }, socket);
  }

  guestOf(socket: WebSocket): Guest | undefined {
    return this.#guests.get(socket);
  }

  forget(socket: WebSocket): void {
    const resumedPeer = read(socket.deserializeAttachment());
    this.#guests.delete(socket);
    if (resumedPeer === undefined) return;
    this.#sockets.delete(resumedPeer.peer);
    this.#resumed.delete(resumedPeer.peer);
  }

  #keep(resumedPeer: ResumedPeer, socket: WebSocket): void {
    this.#resumed.set(resumedPeer.peer, resumedPeer);
    socket.serializeAttachment(new TextEncoder().encode(JSON.stringify(resumedPeer)));
  }
}

function read(attachment: unknown): ResumedPeer | undefined {
  if (!(attachment instanceof Uint8Array)) return undefined;
  const kept: unknown = JSON.parse(new TextDecoder().decode(attachment));
  if (!isObject(kept) || typeof kept.peer !== "string") return undefined;
  return { ...kept as unknown as ResumedPeer, peer: peerId(kept.peer) }; // Why: it was written by `keep`, here, and by nobody else.
}

/** A socket that the platform holds while the object sleeps. Nothing shows how much waits in it. */
class SleepingSocket implements GuestSocket {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  write(frames: readonly Frame[]): number {
    try {
      for (const frame of frames) this.#socket.send(frame);
    } catch {
      return 0; // Why: it closed under our hands; that is reported by itself.
    }
    return 0;
  }

  close(code: number, reason: string): void {
    try {
      this.#socket.close(code, reason);
    } catch {
      return; // Why: the other end was faster.
    }
  }

  /** The platform cannot. */
  cut(): void {}

  /** The platform answers pings, and sends none. */
  ping(): void {}
}
