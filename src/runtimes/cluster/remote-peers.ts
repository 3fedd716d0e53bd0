/**
 * The peers of a relay at its owner: their sockets are at the gateways of the nodes.
 *
 * Invariants: RP1 a frame that a gateway sends again is handled once by one owner; RP2 a frame is confirmed only after its replies have left;
 * RP3 everything for a gateway passes the output fence.
 */
import { assertNever } from "../../core/assert.ts";
import type { ConnectionInfo, ResumedPeer } from "../../core/event.ts";
import { FAULTS } from "../../core/fault.ts";
import type { Millis, PeerId } from "../../core/ids.ts";
import type { Frame, Json } from "../../core/json.ts";
import type { OutputFence } from "../../cluster/output-fence.ts";
import type { HandledFrame, ToGateway, ToOwner } from "../../cluster/wire.ts";
import { RELIEVED_BYTES } from "../../websocket-client/backpressure.ts";
import type { ConnectionHandler, PeerConnections, ServerSocket } from "../connections.ts";

/** A message about one relay. */
export type RelayMessage = Exclude<ToOwner, { is: "hello" | "want" | "take" | "look" | "join" }>;

export interface RemotePeersPorts {
  readonly relay: string;
  readonly epoch: number;
  readonly fence: OutputFence;
  readonly connections: PeerConnections;
  /** Sends to the gateway of a session. */
  send(session: string, message: ToGateway): void;
  /** Takes a linked program. */
  link(name: string, connection: ConnectionInfo): ConnectionHandler;
  /** Runs something after this time. */
  later(ms: Millis, run: () => void): void;
  /** True while a reply to this peer waits for the store. */
  hasWaitingReply(peer: PeerId): boolean;
}

/** Frames of games are confirmed this much later, or when this many or this many bytes wait for it. Why: a message for each costs more than the frame. */
const CONFIRM_MS: Millis = 100;
const UNCONFIRMED_FRAMES_MAX = 64;
const UNCONFIRMED_BYTES_MAX = 65_536;
/** Peers of lost gateways that are remembered. */
const LOST_PEERS_MAX = 10_000;

interface RemotePeer {
  readonly id: PeerId;
  readonly gateway: string;
  readonly handler: ConnectionHandler;
  readonly socket: RemoteSocket;
  /** The last frame that was handled, and the last one that was confirmed. */
  sequence: number;
  confirmed: number;
  /** Of the frames that were handled and are not confirmed. */
  unconfirmedBytes: number;
  /** Its frames may be sent again, or never are: they are confirmed together. */
  readonly confirmsLater: boolean;
}

export class RemotePeers {
  readonly #ports: RemotePeersPorts;
  readonly #peers = new Map<PeerId, RemotePeer>();
  /** The last frame that was handled of games whose gateway was lost: it sends later ones again when it comes back. */
  readonly #lastOfLost = new Map<PeerId, number>();
  /** Peers with frames that were handled and are not confirmed. */
  #unconfirmed = new Set<RemotePeer>();
  /** The same, for which a timer runs. */
  #deferred = new Set<RemotePeer>();

  constructor(ports: RemotePeersPorts) {
    this.#ports = ports;
  }

  /** A peer that was connected when the engine started. */
  resume(gateway: string, { peer: id, listener, connection }: ResumedPeer): void {
    const socket = this.#socketOf(gateway, id);
    const handler = this.#ports.connections.resume({ id, listener, connection }, socket);
    const confirmsLater = listener === "neuro";
    this.#peers.set(id, { id, gateway, handler, socket, sequence: 0, confirmed: 0, unconfirmedBytes: 0, confirmsLater });
  }

  receive(gateway: string, message: RelayMessage): void {
    switch (message.is) {
      case "peers":
        return this.#late(gateway, message.peers);
      case "opened":
        return this.#accept(gateway, message);
      case "linked":
        return this.#open(gateway, message.peer, this.#ports.link(message.link, message.connection), true);
      case "frame":
        return this.#frame(message.peer, message.sequence, message.frame);
      case "closed":
        return this.#closed(message.peer, message.code, message.reason);
      case "ponged":
        return this.#peers.get(message.peer)?.handler.pong();
      case "controlFrame":
        return this.#peers.get(message.peer)?.handler.controlFrame();
      case "taken": {
        const peer = this.#peers.get(message.peer);
        return peer?.handler.drain(peer.socket.taken(message.bytes));
      }
      default:
        return assertNever(message);
    }
  }

  /** The connection to a node broke: its peers are gone for this owner. */
  lost(gateway: string): void {
    for (const peer of [...this.#peers.values()]) {
      if (peer.gateway === gateway) this.#lose(peer);
    }
    for (const id of this.#lastOfLost.keys()) {
      if (this.#lastOfLost.size <= LOST_PEERS_MAX) return;
      this.#lastOfLost.delete(id);
    }
  }

  attach(id: PeerId, attachment: Json): void {
    const peer = this.#peers.get(id);
    if (peer !== undefined) this.#send(peer.gateway, { is: "attach", ...this.#key, peer: id, attachment });
  }

  /** Confirms what can be confirmed, at once or soon. Call this at the end of each turn, when everything was written. */
  endTurn(): void {
    for (const peer of this.#unconfirmed) {
      const frames = peer.sequence - peer.confirmed;
      const isMuch = frames >= UNCONFIRMED_FRAMES_MAX || peer.unconfirmedBytes >= UNCONFIRMED_BYTES_MAX;
      if (!peer.confirmsLater || isMuch) continue;
      this.#unconfirmed.delete(peer);
      this.#deferred.add(peer);
      if (this.#deferred.size === 1) this.#ports.later(CONFIRM_MS, () => this.confirm());
    }
    this.#confirm();
  }

  /** Confirms everything that can be confirmed. */
  confirm(): void {
    for (const peer of this.#deferred) this.#unconfirmed.add(peer);
    this.#deferred.clear();
    this.#confirm();
  }

  #confirm(): void {
    if (this.#unconfirmed.size === 0) return;
    const handled = new Map<string, HandledFrame[]>();
    for (const peer of this.#unconfirmed) {
      const { id, gateway, sequence } = peer;
      if (this.#ports.hasWaitingReply(id)) continue;
      this.#unconfirmed.delete(peer);
      if (peer.confirmed === sequence) continue;
      peer.confirmed = sequence;
      peer.unconfirmedBytes = 0;
      const frames = handled.get(gateway);
      if (frames === undefined) handled.set(gateway, [{ peer: id, sequence }]);
      else frames.push({ peer: id, sequence });
    }
    for (const [gateway, frames] of handled) this.#send(gateway, { is: "handled", ...this.#key, frames });
  }

  get #key(): { readonly relay: string; readonly epoch: number } {
    return { relay: this.#ports.relay, epoch: this.#ports.epoch };
  }

  #send(gateway: string, message: ToGateway): void {
    this.#ports.fence.pass(() => this.#ports.send(gateway, message));
  }

  #socketOf(gateway: string, peer: PeerId): RemoteSocket {
    return new RemoteSocket((message) => this.#send(gateway, { ...message, ...this.#key, peer }));
  }

  /** Peers of a gateway that answered late, or whose connection to this node broke: a game is asked for its actions, others begin again. */
  #late(gateway: string, peers: readonly ResumedPeer[]): void {
    for (const { peer, listener, connection } of peers) {
      if (this.#isKnown(gateway, peer)) continue;
      if (listener === "neuro") this.#accept(gateway, { peer, listener, connection });
      else {
        const { close: code, message: reason } = FAULTS.restarting;
        this.#send(gateway, { is: "close", ...this.#key, peer, code, reason });
      }
    }
  }

  #accept(gateway: string, { peer: id, listener, connection }: ResumedPeer): void {
    this.#open(gateway, id, this.#ports.connections.accept({ id, listener, connection }), listener === "neuro");
  }

  #open(gateway: string, id: PeerId, handler: ConnectionHandler, confirmsLater: boolean): void {
    if (this.#isKnown(gateway, id)) return;
    const socket = this.#socketOf(gateway, id);
    const sequence = this.#lastOfLost.get(id) ?? 0;
    this.#lastOfLost.delete(id);
    const peer = { id, gateway, handler, socket, sequence, confirmed: 0, unconfirmedBytes: 0, confirmsLater };
    this.#peers.set(id, peer);
    if (sequence > 0) this.#unconfirmed.add(peer);
    handler.open(socket);
  }

  /** False also for a peer of an earlier session of its node, whose connection has not broken here so far. */
  #isKnown(gateway: string, id: PeerId): boolean {
    const known = this.#peers.get(id);
    if (known !== undefined && known.gateway !== gateway) this.#lose(known);
    return this.#peers.has(id);
  }

  #lose({ id, sequence }: RemotePeer): void {
    this.#lastOfLost.set(id, sequence);
    this.#closed(id, 1006, "");
  }

  #frame(id: PeerId, sequence: number, frame: Frame): void {
    const peer = this.#peers.get(id);
    if (peer === undefined || sequence <= peer.sequence) return;
    peer.sequence = sequence;
    peer.unconfirmedBytes += frame.length;
    peer.handler.message(frame);
    this.#unconfirmed.add(peer);
  }

  #closed(id: PeerId, code: number, reason: string): void {
    const peer = this.#peers.get(id);
    if (peer === undefined) return;
    this.#peers.delete(id);
    this.#unconfirmed.delete(peer);
    this.#deferred.delete(peer);
    peer.handler.close(code, reason);
  }
}

type SocketMessage =
  | { readonly is: "send"; readonly frame: Frame }
  | { readonly is: "close"; readonly code: number; readonly reason: string }
  | { readonly is: "ping" | "terminate" };

/** The socket of a peer at another node. */
class RemoteSocket implements ServerSocket {
  readonly #send: (message: SocketMessage) => void;
  #sentBytes = 0;
  #takenBytes = 0;

  constructor(send: (message: SocketMessage) => void) {
    this.#send = send;
  }

  write(frames: readonly Frame[]): number {
    for (const frame of frames) {
      this.#sentBytes += frame.length;
      this.#send({ is: "send", frame });
    }
    const waiting = this.#sentBytes - this.#takenBytes;
    // Why: a gateway reports what a socket took only every 64 KiB.
    return waiting <= RELIEVED_BYTES ? 0 : waiting;
  }

  /** The real socket has taken this many bytes. Returns how many wait. */
  taken(bytes: number): number {
    this.#takenBytes = Math.min(bytes, this.#sentBytes);
    return this.#sentBytes - this.#takenBytes;
  }

  close(code: number, reason: string): void {
    this.#send({ is: "close", code, reason });
  }

  terminate(): void {
    this.#send({ is: "terminate" });
  }

  ping(): void {
    this.#send({ is: "ping" });
  }
}
