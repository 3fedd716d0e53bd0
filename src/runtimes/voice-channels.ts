/** Answers voice channels of games without the services, and limits their number and what each may send. */
import type { CredentialDigest } from "../core/access.ts";
import type { ConnectionInfo } from "../core/event.ts";
import { type FaultName, FAULTS } from "../core/fault.ts";
import type { Frame } from "../core/json.ts";
import type { LimitSettings } from "../core/settings.ts";
import { charge, chargeControlFrame, type WorkBudget, workBudget } from "../core/bucket.ts";
import { type AccessControl, VOICE_FRAME_BYTES_MAX, voiceReply } from "../http/app.ts";
import { CLOSING_BYTES_MAX, CLOSING_FRAME_BYTES_MIN, type ConnectionHandler, type ServerSocket } from "./connections.ts";

export const VOICE_CHANNELS_MAX = 256;
/** A client that requests answers and does not read them is disconnected at this backlog. */
const BACKLOG_BYTES_MAX = 65_536;

export interface VoiceChannelsHost {
  limits(): LimitSettings;
  now(): number;
}

export class VoiceChannels {
  readonly #host: VoiceChannelsHost;
  readonly #channels = new Set<VoiceChannel>();

  constructor(host: VoiceChannelsHost) {
    this.#host = host;
  }

  /** The handler of one more channel; undefined when `VOICE_CHANNELS_MAX` are open. */
  admit(
    { address }: Pick<ConnectionInfo, "address">,
    credential: CredentialDigest = undefined,
  ): ConnectionHandler | undefined {
    if (this.#channels.size >= VOICE_CHANNELS_MAX) return undefined;
    return new VoiceChannel({ address, credential }, this.#host, this.#channels);
  }

  /** Closes the channels whose credentials are not valid any more, after the tokens changed. */
  closeRevoked(accessControl: Pick<AccessControl, "admits">): void {
    for (const channel of [...this.#channels]) {
      const { credential, address } = channel.client;
      if (!accessControl.admits("neuro", credential, address)) channel.closeByRelay("badToken");
    }
  }
}

class VoiceChannel implements ConnectionHandler {
  readonly greets = false;
  readonly client: { readonly address: string; readonly credential: CredentialDigest };
  readonly #host: VoiceChannelsHost;
  readonly #channels: Set<VoiceChannel>;
  readonly #budget: WorkBudget;
  #socket: ServerSocket | undefined;
  /** Bytes beyond the budget. */
  #excessBytes = 0;

  constructor(client: VoiceChannel["client"], host: VoiceChannelsHost, channels: Set<VoiceChannel>) {
    this.client = client;
    this.#host = host;
    this.#channels = channels;
    this.#budget = workBudget(host.limits(), host.now());
  }

  open(socket: ServerSocket): void {
    this.#socket = socket;
    this.#channels.add(this);
  }

  message(frame: Frame): void {
    const isWithin = charge(this.#budget, frame.length, { limits: this.#host.limits(), now: this.#host.now() });
    if (!isWithin) return this.#closeFlooded(frame.length);
    if (frame.length > VOICE_FRAME_BYTES_MAX) return;
    const answer = voiceReply(frame);
    if (answer !== undefined && (this.#socket?.write([answer]) ?? 0) > BACKLOG_BYTES_MAX) this.#socket?.terminate();
  }

  controlFrame(): void {
    if (!chargeControlFrame(this.#budget, this.#host.now())) this.#closeFlooded(0);
  }

  buffered(): void {}

  drain(): void {}

  pong(): void {}

  close(): void {
    this.#channels.delete(this);
  }

  closeByRelay(fault: FaultName): void {
    this.#socket?.close(FAULTS[fault].close, FAULTS[fault].message);
  }

  #closeFlooded(bytes: number): void {
    if (this.#excessBytes === 0) this.closeByRelay("rateLimit");
    this.#excessBytes += Math.max(bytes, CLOSING_FRAME_BYTES_MIN);
    if (this.#excessBytes > CLOSING_BYTES_MAX) this.#socket?.terminate();
  }
}
