/**
 * The links of a relay: programs that connect to it and bring a connection to Neuro along, for a relay that cannot reach her.
 *
 * One connection of such a program becomes one connection of the relay to the upstream `link:<name>`: when the relay dials it, the program is
 * asked to connect to Neuro, and after that every message is a frame. The services see an ordinary link.
 *
 * Invariants: N1 a name has at most one connection; one that was admitted later replaces it, at most once within `TAKEOVER_MS`; N2 a dial waits until a program
 * has connected, or is closed; N3 `closed` is reported once and last to a dial, and never after its `close`; N4 a frame passes only between
 * `up` and the end, in order.
 */
import { linkNameOf } from "../../core/text.ts";
import type { CredentialDigest } from "../../core/access.ts";
import type { ConnectionInfo } from "../../core/event.ts";
import { type FaultName, FAULTS } from "../../core/fault.ts";
import type { Millis } from "../../core/ids.ts";
import type { Frame } from "../../core/json.ts";
import type { Observation } from "../../core/observation.ts";
import type { LinkView } from "../../core/view.ts";
import type { AccessControl } from "../../http/app.ts";
import { RELIEVED_BYTES } from "../../websocket-client/backpressure.ts";
import { closeReason, CLOSING_MS } from "../../websocket-client/close.ts";
import type { ClientSocket, ClientSocketListener, Dialer, DialRequest } from "../../websocket-client/dialer.ts";
import type { ConnectionHandler, ServerSocket } from "../connections.ts";
import { decodeReply, encodeControl, passedCode } from "./control.ts";

/** Two programs that both want a name replace each other at most once within this time. */
const TAKEOVER_MS: Millis = 5_000;
const ABNORMAL = 1006;
const VIA = "Neuro-Relay-Via";

export interface LinkHubPorts {
  now(): Millis;
  /** Runs something at the end of this turn of the event loop. */
  afterTurn(run: () => void): void;
  observe(observation: Observation): void;
}

/** What is known of one name. */
interface NamedLink {
  readonly name: string;
  peer: LinkPeer | undefined;
  dial: LinkDial | undefined;
  takenAt: Millis;
  /** How many connections were admitted. */
  admitted: number;
}

export class LinkHub {
  readonly #ports: LinkHubPorts;
  readonly #links = new Map<string, NamedLink>();

  constructor(ports: LinkHubPorts) {
    this.#ports = ports;
  }

  /** The number of dials for which no program has connected. */
  get waiting(): number {
    return this.#links.values().filter(({ peer, dial }) => peer === undefined && dial !== undefined).toArray().length;
  }

  /** Dials `link:<name>` through a program, and everything else with `dial`. */
  dialer(dial: Dialer): Dialer {
    return (request, listener) => {
      const name = linkNameOf(request.url);
      return name === undefined ? dial(request, listener) : this.#dial(name, request, listener);
    };
  }

  /** The handler of a program's socket. */
  admit(name: string, { address }: Pick<ConnectionInfo, "address">, credential: CredentialDigest): ConnectionHandler {
    return new LinkPeer(this.#linkOf(name), { address, credential }, this.#ports);
  }

  views(): readonly LinkView[] {
    return this.#links.values().flatMap(({ peer }) => peer === undefined ? [] : [peer.view()]).toArray();
  }

  /** Closes the programs whose credentials are not valid any more, after the tokens changed. */
  closeRevoked(accessControl: Pick<AccessControl, "admits">): void {
    for (const { peer } of this.#links.values()) {
      if (peer !== undefined && !accessControl.admits("link", peer.client.credential, peer.client.address)) {
        peer.closeFor("badToken");
      }
    }
  }

  #dial(name: string, request: DialRequest, listener: ClientSocketListener): ClientSocket {
    const link = this.#linkOf(name);
    const earlier = link.dial;
    const dial = new LinkDial(link, request, listener);
    link.dial = dial;
    earlier?.replaced();
    link.peer?.ask(dial);
    return dial;
  }

  #linkOf(name: string): NamedLink {
    const known = this.#links.get(name);
    if (known !== undefined) return known;
    const link: NamedLink = { name, peer: undefined, dial: undefined, takenAt: -Infinity, admitted: 0 };
    this.#links.set(name, link);
    return link;
  }
}

/** The relay's side: a socket that it has dialed. */
class LinkDial implements ClientSocket {
  readonly via: string;
  readonly listener: ClientSocketListener;
  readonly #link: NamedLink;

  constructor(link: NamedLink, { headers }: DialRequest, listener: ClientSocketListener) {
    this.#link = link;
    this.listener = listener;
    this.via = Object.entries(headers).find(([name]) => name.toLowerCase() === VIA.toLowerCase())?.[1] ?? "";
  }

  send(frame: Frame): number {
    return this.#link.dial === this ? this.#link.peer?.send(frame) ?? 0 : 0;
  }

  close(code = 1000, reason = ""): void {
    if (this.#link.dial !== this) return;
    this.#link.dial = undefined;
    this.#link.peer?.release(code, reason);
  }

  /** Another upstream has the same name. */
  replaced(): void {
    this.listener.closed(ABNORMAL, `another upstream has the URL link:${this.#link.name}`);
  }
}

type LinkPeerState =
  | { readonly is: "opening" }
  /** The program is connected, and not asked for a connection to Neuro. */
  | { readonly is: "ready"; readonly socket: ServerSocket }
  /** It was asked for one. */
  | { readonly is: "asked"; readonly socket: ServerSocket; readonly dial: LinkDial }
  | { readonly is: "open"; readonly socket: ServerSocket; readonly dial: LinkDial }
  | { readonly is: "closed" };

/** The program's side: a socket that was accepted. */
class LinkPeer implements ConnectionHandler {
  readonly greets = false;
  readonly client: { readonly address: string; readonly credential: CredentialDigest };
  readonly #link: NamedLink;
  readonly #ports: LinkHubPorts;
  readonly #since: Millis;
  readonly #order: number;
  #state: LinkPeerState = { is: "opening" };
  #batch: Frame[] = [];
  #batchChars = 0;
  /** Bytes that the socket did not take. */
  #waiting = 0;
  #closing: ReturnType<typeof setTimeout> | undefined;

  constructor(link: NamedLink, client: LinkPeer["client"], ports: LinkHubPorts) {
    this.#link = link;
    this.client = client;
    this.#ports = ports;
    this.#since = ports.now();
    this.#order = ++link.admitted;
  }

  view(): LinkView {
    return {
      name: this.#link.name,
      address: this.client.address,
      state: this.#state.is === "open" ? "open" : "ready",
      since: this.#since,
    };
  }

  open(socket: ServerSocket): void {
    const { name, peer: earlier, takenAt } = this.#link;
    const now = this.#ports.now();
    // Why: its program has given it up and dialed again, and would end if this one replaced its own later one.
    if (earlier !== undefined && earlier.#order > this.#order) {
      return socket.close(FAULTS.tooManyPeers.close, closeReason(`the link ${name} has a later connection`));
    }
    if (earlier !== undefined && now - takenAt < TAKEOVER_MS) {
      return socket.close(
        FAULTS.tooManyPeers.close,
        closeReason(`the link ${name} was taken over less than ${TAKEOVER_MS / 1_000} s ago`),
      );
    }
    this.#state = { is: "ready", socket };
    this.#link.peer = this;
    this.#link.takenAt = earlier === undefined ? takenAt : now;
    this.#ports.observe({ is: "link_connected", name, address: this.client.address, replaces: earlier !== undefined });
    earlier?.closeFor("nameTaken");
    if (this.#link.dial !== undefined) this.ask(this.#link.dial);
  }

  /** Asks for a connection to Neuro. */
  ask(dial: LinkDial): void {
    if (this.#state.is !== "ready") return;
    const { socket } = this.#state;
    this.#state = { is: "asked", socket, dial };
    socket.write([encodeControl({ link: "dial", via: dial.via })]);
  }

  message(frame: Frame): void {
    const state = this.#state;
    if (state.is === "open") return state.dial.listener.received(frame);
    if (state.is === "opening" || state.is === "closed") return;
    const reply = state.is === "asked" ? decodeReply(frame) : undefined;
    if (state.is === "ready" || reply === undefined) {
      return this.#close(FAULTS.badGreeting.close, "the relay has not asked for a connection, or the reply is malformed");
    }
    const { socket, dial } = state;
    if (reply.link === "up") {
      this.#state = { is: "open", socket, dial };
      return dial.listener.opened();
    }
    this.#state = { is: "ready", socket };
    this.#link.dial = undefined;
    dial.listener.closed(ABNORMAL, `link ${this.#link.name}: ${reply.why}`);
  }

  /** Returns the bytes that still wait. */
  send(frame: Frame): number {
    if (this.#state.is !== "open") return 0;
    this.#batchChars += frame.length;
    if (this.#batch.push(frame) === 1) this.#ports.afterTurn(() => this.#write());
    return this.#waiting + this.#batchChars;
  }

  /** The relay has closed what it dialed. */
  release(code: number, reason: string): void {
    if (this.#state.is === "asked" || this.#state.is === "open") this.#close(passedCode(code), reason);
  }

  closeFor(fault: FaultName): void {
    this.#close(FAULTS[fault].close, FAULTS[fault].message);
  }

  buffered(): void {}

  drain(waiting: number): void {
    this.#waiting = waiting;
    if (waiting <= RELIEVED_BYTES && this.#state.is === "open") this.#state.dial.listener.relieved();
  }

  pong(): void {}

  controlFrame(): void {}

  close(code: number, reason = ""): void {
    clearTimeout(this.#closing);
    this.#end(code, reason);
  }

  #write(): void {
    const frames = this.#batch;
    this.#batch = [];
    this.#batchChars = 0;
    if (this.#state.is === "open" && frames.length > 0) this.#waiting = this.#state.socket.write(frames);
  }

  #close(code: number, reason: string): void {
    this.#write();
    const state = this.#state;
    this.#end(code, reason);
    if (state.is === "opening" || state.is === "closed") return;
    const { socket } = state;
    socket.close(code, closeReason(reason));
    this.#closing = setTimeout(() => socket.terminate(), CLOSING_MS); // Why: the program may be paused.
  }

  #end(code: number, reason: string): void {
    const state = this.#state;
    if (state.is === "closed") return;
    this.#state = { is: "closed" };
    if (state.is === "opening") return;
    if (this.#link.peer === this) this.#link.peer = undefined;
    this.#ports.observe({ is: "link_disconnected", name: this.#link.name, code, reason });
    if (state.is !== "open" || this.#link.dial !== state.dial) return;
    this.#link.dial = undefined;
    state.dial.listener.closed(code, reason);
  }
}
