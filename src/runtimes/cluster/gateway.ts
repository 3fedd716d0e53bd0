/**
 * The gateway of a node: the sockets of clients, whichever node owns their relay. It outlives the owners.
 *
 * Invariants: GW1 the frames of a peer reach each owner in order; GW2 a frame that no owner has confirmed as handled is kept, and sent to the next
 * owner if it may be handled twice, or its peer is closed (1012), so it is never dropped silently; GW3 what an owner sends under an epoch
 * that is not the latest one is ignored; GW4 what is kept for a peer and for all of them is bounded.
 * Knows nothing of: the directory, connections between nodes, time.
 */
import type { CredentialDigest } from "../../core/access.ts";
import { assertNever } from "../../core/assert.ts";
import { bytesBurst } from "../../core/bucket.ts";
import type { ConnectionInfo, ListenerName, ResumedPeer } from "../../core/event.ts";
import { FAULTS } from "../../core/fault.ts";
import type { PeerId } from "../../core/ids.ts";
import type { Frame, Json } from "../../core/json.ts";
import type { LimitSettings } from "../../core/settings.ts";
import type { AccessControl, LinkTarget } from "../../http/app.ts";
import { remotePeerId, type ToGateway, type ToOwner } from "../../cluster/wire.ts";
import { closeCode, closeReason } from "../../websocket-client/close.ts";
import { type ConnectionHandler, FRAME_HEADER_BYTES_MAX, type ServerSocket } from "../connections.ts";

export interface GatewayPorts {
  /** Sends to the node of this session. */
  send(session: string, message: ToOwner): void;
  /** Finds the owner of a relay, or gives it one; `joinOwner` follows. */
  findOwner(relay: string): void;
  afterTurn(run: () => void): void;
  limits(): LimitSettings;
  /** Terminates a socket that was closed, if its client does not answer in time. */
  terminateLater(socket: ServerSocket): void;
  /** What happened to frames that an owner that is gone had not confirmed. */
  unconfirmed(done: "sent again" | "closed"): void;
}

/** Kept for one peer, if its limits do not allow it to send more at once. */
const KEPT_BYTES_MIN = 1_048_576;
const KEPT_FRAMES_MIN = 1_000;
/** Kept for all peers. */
const TOTAL_BYTES_MAX = 256 * 1_048_576;
/** The owner is told of the bytes that a socket took whenever it took this many. */
const TAKEN_BYTES = 65_536;

interface Kept {
  readonly sequence: number;
  readonly frame: Frame;
}

/** A relay of which this gateway has peers. */
interface GatewayRelay {
  readonly name: string;
  readonly peers: Map<PeerId, GatewayPeer>;
  /** The owner to which the peers are known. */
  owner: { readonly session: string; readonly epoch: number } | undefined;
  /** The highest epoch of an owner so far. */
  epoch: number;
  /** The last owner handed the relay over, so the frames that it did not confirm were not handled. */
  isReleased: boolean;
  /** When the peers began to wait for an owner. */
  waitingSince: number | undefined;
}

/** Byte counters of all peers of a gateway. */
interface GatewayTotals {
  keptBytes: number;
  unwritten: GatewayPeer[];
}

export class Gateway {
  readonly #session: string;
  readonly #ports: GatewayPorts;
  readonly #relays = new Map<string, GatewayRelay>();
  readonly #totals: GatewayTotals = { keptBytes: 0, unwritten: [] };
  #count = 0;

  constructor(session: string, ports: GatewayPorts) {
    this.#session = session;
    this.#ports = ports;
  }

  get size(): number {
    let size = 0;
    for (const { peers } of this.#relays.values()) size += peers.size;
    return size;
  }

  /** Bytes that wait for an owner, or for its confirmation. */
  get keptBytes(): number {
    return this.#totals.keptBytes;
  }

  /** The relays whose peers wait for an owner. */
  *waiting(): Generator<string> {
    for (const { name, owner, peers } of this.#relays.values()) if (owner === undefined && peers.size > 0) yield name;
  }

  /** Creates a new peer, which handles the socket that an upgrade will open. */
  admit(
    relay: string,
    target: ListenerName | LinkTarget,
    connection: ConnectionInfo,
    credential: CredentialDigest = undefined,
  ): ConnectionHandler {
    const id = remotePeerId(kindOf(target), this.#session, ++this.#count);
    return new GatewayPeer({ id, target, connection, credential }, this.#relayOf(relay), this.#totals, this.#ports);
  }

  /** A session owns the relay: it is asked to confirm that, unless that is known. */
  joinOwner(relay: string, session: string): void {
    const state = this.#relays.get(relay);
    if (state !== undefined && state.owner?.session !== session) this.#ports.send(session, { is: "join", relay });
  }

  /** A message of another node, or of this one. */
  receive(session: string, message: ToGateway): void {
    switch (message.is) {
      case "owner":
        return this.#owned(session, message.relay, message.epoch);
      case "notOwner":
      case "released":
        return this.#notOwned(session, message);
      case "send":
      case "attach":
      case "close":
      case "ping":
      case "terminate":
        return this.#peersOf(session, message)?.get(message.peer)?.receive(message);
      case "handled": {
        const peers = this.#peersOf(session, message);
        for (const { peer, sequence } of message.frames) peers?.get(peer)?.confirm(sequence);
        return;
      }
      default:
        return assertNever(message);
    }
  }

  /** The connection to a node broke, or to all nodes: its relays have no owner until they are found again. */
  lost(session?: string): void {
    for (const relay of this.#relays.values()) {
      if (relay.owner === undefined || (session !== undefined && relay.owner.session !== session)) continue;
      relay.owner = undefined;
      if (relay.peers.size > 0) this.#ports.findOwner(relay.name);
    }
  }

  /** Call this from time to time: looks for owners again, and closes peers that have waited for one for longer than `patienceMs`. */
  tick(now: number, patienceMs: number): void {
    for (const [name, relay] of this.#relays) {
      if (relay.peers.size === 0) {
        if (relay.owner === undefined) this.#relays.delete(name);
        continue;
      }
      if (relay.owner !== undefined) relay.waitingSince = undefined;
      else if (now - (relay.waitingSince ??= now) < patienceMs) this.#ports.findOwner(name);
      else this.#closeAll(relay);
    }
  }

  /** Closes all peers, because this process ends. */
  close(): void {
    for (const relay of this.#relays.values()) this.#closeAll(relay);
  }

  /** Closes the peers whose credentials are not valid any more, after the tokens changed. */
  closeRevoked(accessControl: Pick<AccessControl, "admits">): void {
    for (const { peers } of this.#relays.values()) {
      for (const peer of [...peers.values()]) {
        const { target, credential, connection } = peer.identity;
        if (!accessControl.admits(kindOf(target), credential, connection.address)) peer.dismiss("badToken");
      }
    }
  }

  #relayOf(name: string): GatewayRelay {
    let relay = this.#relays.get(name);
    if (relay === undefined) {
      relay = { name, peers: new Map(), owner: undefined, epoch: 0, isReleased: false, waitingSince: undefined };
      this.#relays.set(name, relay);
    }
    return relay;
  }

  /** The peers of a relay, if this session owns it under this epoch. */
  #peersOf(
    session: string,
    { relay: name, epoch }: { readonly relay: string; readonly epoch: number },
  ): Map<PeerId, GatewayPeer> | undefined {
    const relay = this.#relays.get(name);
    return relay?.owner?.session === session && relay.owner.epoch === epoch ? relay.peers : undefined;
  }

  #owned(session: string, name: string, epoch: number): void {
    const relay = this.#relays.get(name);
    if (relay === undefined) return this.#ports.send(session, { is: "peers", relay: name, epoch, peers: [] });
    if (epoch < relay.epoch || (relay.owner?.session === session && relay.owner.epoch === epoch)) return;
    const isUnsure = relay.epoch > 0 && !relay.isReleased;
    relay.owner = { session, epoch };
    relay.epoch = epoch;
    relay.isReleased = false;
    relay.waitingSince = undefined;
    const resumed: ResumedPeer[] = [];
    for (const peer of [...relay.peers.values()]) {
      if (peer.canContinue(isUnsure)) resumed.push(...peer.asResumed());
      else peer.dismiss("restarting");
    }
    this.#ports.send(session, { is: "peers", relay: name, epoch, peers: resumed });
    for (const peer of relay.peers.values()) peer.introduce();
  }

  #notOwned(session: string, message: ToGateway & { is: "notOwner" | "released" }): void {
    const relay = this.#relays.get(message.relay);
    // Why: a handover covers only what this gateway sent on a connection that has not broken since.
    if (relay?.owner?.session !== session) return;
    if (message.is === "released" && message.epoch !== relay.epoch) return;
    relay.isReleased = message.is === "released";
    relay.owner = undefined;
    if (relay.peers.size > 0) this.#ports.findOwner(relay.name);
  }

  #closeAll(relay: GatewayRelay): void {
    for (const peer of [...relay.peers.values()]) peer.dismiss("restarting");
  }
}

/** A message about one peer. */
type PeerMessage = Extract<ToGateway, { readonly peer: PeerId }>;

interface GatewayPeerIdentity {
  readonly id: PeerId;
  readonly target: ListenerName | LinkTarget;
  readonly connection: ConnectionInfo;
  readonly credential: CredentialDigest;
}

const kindOf = (target: ListenerName | LinkTarget): ListenerName | "link" => typeof target === "string" ? target : "link";

/** One socket of a client. */
class GatewayPeer implements ConnectionHandler {
  readonly identity: GatewayPeerIdentity;
  readonly #relay: GatewayRelay;
  readonly #totals: GatewayTotals;
  readonly #ports: GatewayPorts;
  #socket: ServerSocket | undefined;
  #attachment: Json | undefined;
  /** The number of the last frame of the client. */
  #sequence = 0;
  /** Frames that no owner has confirmed, in order. */
  #kept: Kept[] = [];
  #keptBytes = 0;
  /** The last frame that was sent to an owner. */
  #sentSequence = 0;
  /** An owner knows this peer. */
  #isKnown = false;
  readonly #unwritten: Frame[] = [];
  #writtenBytes = 0;
  #reportedBytes = 0;

  constructor(identity: GatewayPeerIdentity, relay: GatewayRelay, totals: GatewayTotals, ports: GatewayPorts) {
    this.identity = identity;
    this.#relay = relay;
    this.#totals = totals;
    this.#ports = ports;
  }

  open(socket: ServerSocket): void {
    this.#socket = socket;
    this.#relay.peers.set(this.identity.id, this);
    if (this.#relay.owner === undefined) this.#ports.findOwner(this.#relay.name);
    else this.introduce();
  }

  message(frame: Frame): void {
    if (this.#socket === undefined) return;
    if (this.#isFull(frame)) return this.dismiss("tooManyPeers");
    const sequence = ++this.#sequence;
    this.#kept.push({ sequence, frame });
    this.#keptBytes += frame.length;
    this.#totals.keptBytes += frame.length;
    if (this.#relay.owner !== undefined) this.#sendFrame({ sequence, frame });
  }

  get address(): string {
    return this.identity.connection.address;
  }

  get greets(): boolean {
    return this.identity.target === "intermediary";
  }

  buffered(bytes: number): void {
    const socket = this.#socket;
    if (!this.greets || socket === undefined || bytes <= this.#ports.limits().greeting_bytes + FRAME_HEADER_BYTES_MAX) {
      return;
    }
    this.close(1006);
    socket.terminate();
  }

  drain(waiting: number): void {
    this.#reportTaken(waiting, "now");
  }

  pong(): void {
    this.#toOwner("ponged");
  }

  controlFrame(): void {
    this.#toOwner("controlFrame");
  }

  close(code: number, reason = ""): void {
    if (this.#socket === undefined) return;
    if (this.#relay.owner !== undefined) {
      this.#send({ is: "closed", relay: this.#relay.name, peer: this.identity.id, code, reason });
    }
    this.#forget();
  }

  /** Closes the socket, because this gateway cannot serve it. */
  dismiss(fault: "restarting" | "tooManyPeers" | "badToken"): void {
    const socket = this.#socket;
    this.close(FAULTS[fault].close, FAULTS[fault].message);
    this.#closeSocket(socket, FAULTS[fault].close, FAULTS[fault].message);
  }

  /**
   * False if the client must begin again, because nobody knows whether a frame was handled. A game's messages may be handled twice: a
   * registration, a result or a context means the same. Other clients wait for a reply to each. A linked program that was asked to connect
   * to Neuro holds the connection of the former owner.
   */
  canContinue(isUnsure: boolean): boolean {
    if (typeof this.identity.target === "object") return this.#writtenBytes === 0 && this.#unwritten.length === 0;
    const [first] = this.#kept;
    if (!isUnsure || first === undefined || first.sequence > this.#sentSequence) return true;
    const isRepeatable = this.identity.target === "neuro";
    this.#ports.unconfirmed(isRepeatable ? "sent again" : "closed");
    return isRepeatable;
  }

  /** This peer for the next owner, if an earlier one knew it. */
  asResumed(): readonly ResumedPeer[] {
    const { id, target, connection } = this.identity;
    if (!this.#isKnown || typeof target === "object") return [];
    return [{
      peer: id,
      listener: target,
      connection,
      ...(this.#attachment !== undefined && { attachment: this.#attachment }),
    }];
  }

  /** Tells the owner of this peer, if no owner knew it, and sends it every frame that is not confirmed. */
  introduce(): void {
    const { id: peer, target, connection } = this.identity;
    const { name: relay } = this.#relay;
    if (typeof target === "object") this.#send({ is: "linked", relay, peer, link: target.link, connection });
    else if (!this.#isKnown) this.#send({ is: "opened", relay, peer, listener: target, connection });
    this.#isKnown = true;
    this.#reportedBytes = this.#writtenBytes = 0;
    for (const kept of this.#kept) this.#sendFrame(kept);
  }

  receive(message: PeerMessage): void {
    switch (message.is) {
      case "send":
        if (this.#unwritten.push(message.frame) === 1) this.#scheduleWrite();
        return;
      case "attach":
        this.#attachment = message.attachment;
        return;
      case "close":
        return this.#closeByOwner(message.code, message.reason);
      case "ping":
        return this.#socket?.ping();
      case "terminate": {
        const socket = this.#socket;
        this.#forget();
        return socket?.terminate();
      }
      default:
        return assertNever(message);
    }
  }

  /** Every frame up to this one was handled. */
  confirm(sequence: number): void {
    let count = 0;
    for (const kept of this.#kept) {
      if (kept.sequence > sequence) break;
      this.#keptBytes -= kept.frame.length;
      this.#totals.keptBytes -= kept.frame.length;
      count++;
    }
    this.#kept.splice(0, count);
  }

  /** The frames of one turn leave in one write. */
  write(): void {
    const frames = this.#unwritten;
    if (frames.length === 0 || this.#socket === undefined) return;
    for (const frame of frames) this.#writtenBytes += frame.length;
    const waiting = this.#socket.write(frames);
    frames.length = 0;
    this.#reportTaken(waiting, "later");
  }

  /** What a peer may send at once is kept for it, and one frame more. */
  #isFull(frame: Frame): boolean {
    if (this.#kept.length === 0) return false;
    const limits = this.#ports.limits();
    return this.#kept.length >= Math.max(KEPT_FRAMES_MIN, limits.burst) ||
      this.#keptBytes >= Math.max(KEPT_BYTES_MIN, bytesBurst(limits)) ||
      this.#totals.keptBytes + frame.length > TOTAL_BYTES_MAX;
  }

  #closeByOwner(code: number, reason: string): void {
    this.write();
    const socket = this.#socket;
    this.close(code, reason);
    this.#closeSocket(socket, code, reason);
  }

  #closeSocket(socket: ServerSocket | undefined, code: number, reason: string): void {
    if (socket === undefined) return;
    socket.close(closeCode(code), closeReason(reason));
    this.#ports.terminateLater(socket);
  }

  #scheduleWrite(): void {
    if (this.#totals.unwritten.push(this) > 1) return;
    this.#ports.afterTurn(() => {
      const peers = this.#totals.unwritten;
      this.#totals.unwritten = [];
      for (const peer of peers) peer.write();
    });
  }

  #reportTaken(waiting: number, when: "now" | "later"): void {
    const taken = this.#writtenBytes - waiting;
    if (taken <= this.#reportedBytes || (when === "later" && taken - this.#reportedBytes < TAKEN_BYTES)) return;
    this.#reportedBytes = taken;
    if (this.#relay.owner === undefined) return;
    this.#send({ is: "taken", relay: this.#relay.name, peer: this.identity.id, bytes: taken });
  }

  #sendFrame({ sequence, frame }: Kept): void {
    this.#sentSequence = Math.max(this.#sentSequence, sequence);
    this.#send({ is: "frame", relay: this.#relay.name, peer: this.identity.id, sequence, frame });
  }

  #toOwner(is: "ponged" | "controlFrame"): void {
    if (this.#relay.owner !== undefined) this.#send({ is, relay: this.#relay.name, peer: this.identity.id });
  }

  #send(message: ToOwner): void {
    const owner = this.#relay.owner;
    if (owner !== undefined) this.#ports.send(owner.session, message);
  }

  #forget(): void {
    this.#socket = undefined;
    this.#totals.keptBytes -= this.#keptBytes;
    this.#kept = [];
    this.#keptBytes = 0;
    this.#relay.peers.delete(this.identity.id);
  }
}
