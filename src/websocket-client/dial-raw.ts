/**
 * Dialling over a raw connection: a WebSocket client whose frames of one turn of the event loop leave in one write.
 *
 * Why not the global one: it makes a system call for each frame, which is most of what a busy relay does; some leave the delays
 * of TCP on, and none says whether the other end is still there.
 *
 * Invariants: C1 `closed` comes once, and last, and never after `end`; C2 a connection on which nothing is heard for
 * `silentMs`, pings notwithstanding, is cut.
 */
import type { Millis } from "../core/ids.ts";
import type { Frame } from "../core/json.ts";
import { CLOSING_MS } from "./close.ts";
import { EASED_BYTES } from "./guest.ts";
import type { Dial, DialledSocket, DialListener, DialRequest } from "./dial.ts";
import { FrameReader } from "./frame-reader.ts";
import { FrameWriter, OP } from "./frame-writer.ts";
import { refusal, type UpgradeRequest, upgradeRequest } from "./upgrade-request.ts";

/** One TCP connection, encrypted or not. */
export interface Wire {
  /** Returns how many bytes it took; `drained` follows when that was not all. */
  write(bytes: Uint8Array<ArrayBuffer>): number;
  /** Ends it once everything is sent. */
  end(): void;
  /** Ends it now. */
  cut(): void;
}

/** Who hears what happens to it. */
export interface WireListener {
  connected(wire: Wire): void;
  received(bytes: Uint8Array): void;
  drained(): void;
  /** Also the answer to a connection that never came to be. */
  closed(reason: string): void;
}

export interface Place {
  readonly hostname: string;
  readonly port: number;
  readonly isEncrypted: boolean;
}

export interface RawAbilities {
  /** Connects, without the delays of TCP; a certificate that does not fit the host is a failure. */
  connect(place: Place, listener: WireListener): void;
  /** Runs something at the end of this turn of the event loop. */
  later(run: () => void): void;
}

const MESSAGE_BYTES_MAX = 8 * 1_024 * 1_024;
const HEAD_BYTES_MAX = 16_384;
const ABNORMAL = 1006;
const NOTHING = new Uint8Array(0);

/** After how much silence the other end is asked whether it is there, and after how much it is not. */
export interface Patience {
  readonly pingMs: Millis;
  readonly silentMs: Millis;
}

const PATIENCE: Patience = { pingMs: 30_000, silentMs: 120_000 };

export const rawDial = (abilities: RawAbilities, patience: Patience = PATIENCE): Dial => (request, listener) =>
  new RawSocket(request, listener, { ...abilities, ...patience });

class RawSocket implements DialledSocket {
  readonly #listener: DialListener;
  readonly #abilities: RawAbilities & Patience;
  readonly #request: UpgradeRequest;
  readonly #writer = new FrameWriter();
  readonly #reader: FrameReader;
  #state: "dialing" | "open" | "closing" | "closed" = "dialing";
  #wire: Wire | undefined;
  #head: Uint8Array = NOTHING;
  /** How it ends, once that is known. */
  #end = { code: ABNORMAL, reason: "" };
  #isHeard = true;
  #isWriteDue = false;
  #isBlocked = false;
  #isPressed = false;
  #heardAt = performance.now();
  #watch: ReturnType<typeof setInterval> | undefined;
  #cutting: ReturnType<typeof setTimeout> | undefined;

  constructor(request: DialRequest, listener: DialListener, abilities: RawAbilities & Patience) {
    this.#listener = listener;
    this.#abilities = abilities;
    this.#request = upgradeRequest(request);
    this.#reader = new FrameReader({
      message: (frame) => this.#isHeard && listener.heard(frame),
      pinged: (payload) => {
        if (!this.#isBlocked) this.#write(OP.pong, payload); // Why: who does not read has no use for it, and could ask for ever.
      },
      ponged: () => {},
      closing: (code, reason) => this.#closing(code, reason),
      breached: (code, why) => {
        this.#end = { code, reason: why };
        this.#close(code);
      },
    }, MESSAGE_BYTES_MAX);
    abilities.connect(placeOf(request.url), {
      connected: (wire) => this.#connected(wire),
      received: (bytes) => this.#received(bytes),
      drained: () => {
        this.#isBlocked = false;
        this.#flush();
      },
      closed: (reason) => this.#closed(reason),
    });
  }

  send(frame: Frame): number {
    if (this.#state !== "open") return 0;
    this.#write(typeof frame === "string" ? OP.text : OP.bytes, frame);
    const waiting = this.#writer.length;
    if (waiting > EASED_BYTES) {
      this.#isPressed = true;
      this.#flush();
    }
    return this.#writer.length;
  }

  end(code = 1000): void {
    this.#isHeard = false;
    if (this.#state === "open") this.#close(code);
    else if (this.#state === "dialing") this.#cut();
  }

  #connected(wire: Wire): void {
    this.#wire = wire;
    if (!this.#isHeard) return this.#cut();
    wire.write(new TextEncoder().encode(this.#request.text)); // Why unchecked: no connection begins without room for this.
  }

  #received(bytes: Uint8Array): void {
    this.#heardAt = performance.now();
    if (this.#state === "dialing") this.#answered(bytes);
    else this.#reader.feed(bytes);
  }

  /** Looks for the end of the response's head; what comes after it are frames already. */
  #answered(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#head.length + bytes.length);
    all.set(this.#head);
    all.set(bytes, this.#head.length);
    this.#head = all;
    const text = new TextDecoder("latin1").decode(all.subarray(0, HEAD_BYTES_MAX));
    const end = text.indexOf("\r\n\r\n");
    if (end < 0 && all.length < HEAD_BYTES_MAX) return;
    const why = end < 0 ? "no end of the headers" : refusal(text.slice(0, end), this.#request.key);
    if (why !== undefined) {
      this.#end.reason = why;
      return this.#cut();
    }
    this.#head = NOTHING;
    this.#state = "open";
    this.#watch = setInterval(() => this.#look(), this.#abilities.pingMs);
    if (this.#isHeard) this.#listener.opened();
    if (end + 4 < all.length) this.#reader.feed(all.subarray(end + 4));
  }

  #write(op: (typeof OP)[keyof typeof OP], payload: Frame): void {
    this.#writer.add(op, payload);
    if (this.#isWriteDue || this.#isBlocked) return;
    this.#isWriteDue = true;
    this.#abilities.later(() => {
      this.#isWriteDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    const wire = this.#wire;
    if (wire === undefined || this.#isBlocked || this.#state === "closed") return;
    this.#writer.drain((bytes) => wire.write(bytes));
    this.#isBlocked = this.#writer.length > 0;
    if (!this.#isPressed || this.#writer.length > EASED_BYTES) return;
    this.#isPressed = false;
    if (this.#isHeard) this.#listener.eased();
  }

  /** The other end wants to close, or answers that we do. */
  #closing(code: number, reason: string): void {
    this.#end = { code, reason };
    if (this.#state === "open") this.#close(1000);
    this.#wire?.end();
  }

  #close(code: number): void {
    if (this.#state !== "open") return;
    this.#write(OP.close, Uint8Array.of(code >> 8, code & 255));
    this.#flush();
    this.#state = "closing";
    this.#cutting = setTimeout(() => this.#cut(), CLOSING_MS);
  }

  #cut(): void {
    this.#wire?.cut();
    if (this.#wire !== undefined) this.#closed("");
  }

  #closed(reason: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearInterval(this.#watch);
    clearTimeout(this.#cutting);
    const { code, reason: known } = this.#end;
    if (this.#isHeard) this.#listener.closed(code, known || reason);
  }

  #look(): void {
    const { pingMs, silentMs } = this.#abilities;
    const quietMs = performance.now() - this.#heardAt;
    if (quietMs >= silentMs) {
      this.#end.reason = `nothing heard for ${Math.round(quietMs)} ms`;
      this.#cut();
    } else if (quietMs >= pingMs) this.#write(OP.ping, NOTHING);
  }
}

function placeOf(url: string): Place {
  const { protocol, hostname, port } = new URL(url);
  if (protocol !== "ws:" && protocol !== "wss:") throw new Error(`expected ws:// or wss://, not ${protocol}//`);
  const isEncrypted = protocol === "wss:";
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port) || (isEncrypted ? 443 : 80), isEncrypted };
}
