/**
 * The messages between two nodes, on one WebSocket from the gateway of one to the owner on the other.
 *
 * A message is a line of JSON, followed by the frame that it transports, if there is one. With a binary frame the message is binary, and begins
 * with the length of the line in four bytes. TCP keeps the order, so no numbers are needed against gaps: a connection that breaks is the
 * gap.
 */
import type { ConnectionInfo, ResumedPeer } from "../core/event.ts";
import { type PeerId, peerId } from "../core/ids.ts";
import { type Frame, isObject, type Json, type JsonObject, parseJson } from "../core/json.ts";
import { LISTENER_NAMES, type ListenerName } from "../core/service.ts";
import { linkNameOf, utf8 } from "../core/text.ts";

/** From the gateway of a peer to the owner of its relay. */
export type ToOwner =
  /**
   * The first message: who is at this end, and which session it wants to reach. Why both: a node that was killed and started again is another
   * session at the same place.
   */
  | { readonly is: "hello"; readonly session: string; readonly to: string; readonly version: number }
  /** A peer wants this relay, which nobody owns. */
  | { readonly is: "want"; readonly relay: string }
  /** As `want`, and these sessions, with the sender's, will not run it, although they may be the first for it: they stop. */
  | { readonly is: "take"; readonly relay: string; readonly declined: readonly string[] }
  /** A member was declared dead: a beat now shows that at once. */
  | { readonly is: "look" }
  /** This gateway has peers of the relay. The owner answers with `owner` or `notOwner`. */
  | { readonly is: "join"; readonly relay: string }
  /** The peers that an earlier owner knew, in answer to `owner`. */
  | { readonly is: "peers"; readonly relay: string; readonly epoch: number; readonly peers: readonly ResumedPeer[] }
  | {
    readonly is: "opened";
    readonly relay: string;
    readonly peer: PeerId;
    readonly listener: ListenerName;
    readonly connection: ConnectionInfo;
  }
  /** A linked program, which brings a connection to Neuro along. It is no peer of a service. */
  | {
    readonly is: "linked";
    readonly relay: string;
    readonly peer: PeerId;
    readonly link: string;
    readonly connection: ConnectionInfo;
  }
  /** `sequence` counts the frames of one peer from 1, so that an owner recognises one that is sent again. */
  | {
    readonly is: "frame";
    readonly relay: string;
    readonly peer: PeerId;
    readonly sequence: number;
    readonly frame: Frame;
  }
  | { readonly is: "closed"; readonly relay: string; readonly peer: PeerId; readonly code: number; readonly reason: string }
  | { readonly is: "ponged" | "controlFrame"; readonly relay: string; readonly peer: PeerId }
  /** The socket of the peer has taken this many bytes since it was opened. */
  | { readonly is: "taken"; readonly relay: string; readonly peer: PeerId; readonly bytes: number };

/** From the owner of a relay to a gateway. A gateway ignores what does not have the epoch of the owner that it knows. */
export type ToGateway =
  /** The sender owns the relay, and asks for its peers. */
  | { readonly is: "owner"; readonly relay: string; readonly epoch: number }
  | { readonly is: "notOwner"; readonly relay: string }
  | { readonly is: "send"; readonly relay: string; readonly epoch: number; readonly peer: PeerId; readonly frame: Frame }
  | {
    readonly is: "attach";
    readonly relay: string;
    readonly epoch: number;
    readonly peer: PeerId;
    readonly attachment: Json;
  }
  | {
    readonly is: "close";
    readonly relay: string;
    readonly epoch: number;
    readonly peer: PeerId;
    readonly code: number;
    readonly reason: string;
  }
  | { readonly is: "ping" | "terminate"; readonly relay: string; readonly epoch: number; readonly peer: PeerId }
  /** Every frame of each of these peers up to this one was handled, and its replies have left. */
  | {
    readonly is: "handled";
    readonly relay: string;
    readonly epoch: number;
    readonly frames: readonly HandledFrame[];
  }
  /** The relay is handed over: nothing after the last `handled` was touched. Another owner follows. */
  | { readonly is: "released"; readonly relay: string; readonly epoch: number };

/** The last frame of a peer that was handled. */
export interface HandledFrame {
  readonly peer: PeerId;
  readonly sequence: number;
}

export type NodeMessage = ToOwner | ToGateway;

/** Nodes with another version do not work together. */
export const WIRE_VERSION = 4;

/** Bytes of the length before the line of a binary message. */
const LENGTH_BYTES = 4;

type FrameMessage = Extract<NodeMessage, { readonly frame: Frame }>;

/** The line of a frame. Why not `JSON.stringify`: nearly all messages are frames, and nothing in it needs an escape. */
const lineOf = (message: FrameMessage): string =>
  message.is === "frame"
    ? `{"is":"frame","relay":"${message.relay}","peer":"${message.peer}","sequence":${message.sequence}}`
    : `{"is":"send","relay":"${message.relay}","epoch":${message.epoch},"peer":"${message.peer}"}`;

/** The message as one frame of a WebSocket. */
export function encodeMessage(message: NodeMessage): Frame {
  if (!("frame" in message)) return JSON.stringify(message);
  const { frame } = message;
  const line = lineOf(message);
  if (typeof frame === "string") return `${line}\n${frame}`;
  const head = new TextEncoder().encode(line);
  const bytes = new Uint8Array(LENGTH_BYTES + head.length + frame.length);
  new DataView(bytes.buffer).setUint32(0, head.length);
  bytes.set(head, LENGTH_BYTES);
  bytes.set(frame, LENGTH_BYTES + head.length);
  return bytes;
}

/** Headers that a reader remembers. One peer has two. */
const HEADERS_MAX = 10_000;
const SEQUENCE = /^(?:0|[1-9]\d{0,14})$/;

/**
 * Reads the messages of one connection. It remembers the headers of frames, because nearly all messages repeat one that was checked before,
 * with another sequence.
 */
export class MessageReader {
  /** By the line without its sequence. */
  readonly #headers = new Map<string, FrameMessage>();

  /** The message in a frame; undefined if it is not one, whatever it is. */
  read(frame: Frame): NodeMessage | undefined {
    const end = typeof frame === "string" ? frame.indexOf("\n") : -1;
    if (typeof frame !== "string" || end < 0) return decodeMessage(frame);
    const isNumbered = frame.startsWith('{"is":"frame"');
    const from = isNumbered ? frame.lastIndexOf(":", end) + 1 : end;
    const header = frame.slice(0, from);
    const known = this.#headers.get(header);
    if (known !== undefined && known.is === "send") return { ...known, frame: frame.slice(end + 1) };
    const sequence = frame.slice(from, end - 1);
    if (known?.is === "frame" && frame[end - 1] === "}" && SEQUENCE.test(sequence)) {
      return { ...known, sequence: Number(sequence), frame: frame.slice(end + 1) };
    }
    const message = decodeMessage(frame);
    if (message !== undefined && "frame" in message) this.#remember(header, message);
    return message;
  }

  #remember(header: string, message: FrameMessage): void {
    if (this.#headers.size >= HEADERS_MAX) this.#headers.clear();
    // Why written again: only the usual form has the sequence at its end, and a part of the frame would keep all of it in memory.
    const line = lineOf(message);
    const usual = message.is === "frame" ? line.slice(0, line.lastIndexOf(":") + 1) : line;
    if (header === usual) this.#headers.set(usual, { ...message, frame: "" });
  }
}

function decodeMessage(frame: Frame): NodeMessage | undefined {
  const parts = typeof frame === "string" ? splitText(frame) : splitBytes(frame);
  const header = parts === undefined ? undefined : parseJson(parts.line, Infinity);
  if (parts === undefined || !isObject(header)) return undefined;
  const check = typeof header.is === "string" ? CHECKS.get(header.is) : undefined;
  if (check === undefined || !check(header)) return undefined;
  const hasFrame = header.is === "frame" || header.is === "send";
  if (hasFrame !== (parts.frame !== undefined)) return undefined;
  // Why the cast: the check of its kind has looked at each field.
  return { ...header, ...(hasFrame && { frame: parts.frame }) } as unknown as NodeMessage;
}

interface MessageParts {
  readonly line: string;
  readonly frame?: Frame;
}

function splitText(text: string): MessageParts {
  const end = text.indexOf("\n");
  return end < 0 ? { line: text } : { line: text.slice(0, end), frame: text.slice(end + 1) };
}

function splitBytes(bytes: Uint8Array): MessageParts | undefined {
  if (bytes.length < LENGTH_BYTES) return undefined;
  const end = LENGTH_BYTES + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  const line = end > bytes.length ? undefined : utf8(bytes.subarray(LENGTH_BYTES, end));
  return line === undefined ? undefined : { line, frame: bytes.slice(end) };
}

type Fields = Readonly<JsonObject>;
type FieldCheck = (fields: Fields) => boolean;

const isText = (value: Json | undefined): boolean => typeof value === "string";
const isCount = (value: Json | undefined): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const isRelay = (value: Json | undefined): boolean => typeof value === "string" && /^[A-Za-z0-9_-]{1,64}$/.test(value);
const isPeer = (value: Json | undefined): boolean => typeof value === "string" && /^[\w.-]{1,200}$/.test(value);
const isLink = (value: Json | undefined): boolean => typeof value === "string" && linkNameOf(`link:${value}`) === value;
const isListener = (value: Json | undefined): boolean => LISTENER_NAMES.some((name) => name === value);
const isConnection = (value: Json | undefined): boolean =>
  isObject(value) && isText(value.address) && isText(value.path) && isText(value.userAgent) && isText(value.via);

const ofPeer: FieldCheck = ({ relay, peer }) => isRelay(relay) && isPeer(peer);
const ofOwner: FieldCheck = ({ relay, epoch, peer }) => isRelay(relay) && isCount(epoch) && isPeer(peer);

const CHECKS: ReadonlyMap<string, FieldCheck> = new Map<NodeMessage["is"], FieldCheck>([
  ["hello", ({ session, to, version }) => isPeer(session) && isPeer(to) && isCount(version)],
  ["want", ({ relay }) => isRelay(relay)],
  ["take", ({ relay, declined }) => isRelay(relay) && Array.isArray(declined) && declined.every(isPeer)],
  ["look", () => true],
  ["join", ({ relay }) => isRelay(relay)],
  [
    "peers",
    ({ relay, epoch, peers }) => isRelay(relay) && isCount(epoch) && Array.isArray(peers) && peers.every(isResumed),
  ],
  ["opened", (fields) => ofPeer(fields) && isListener(fields.listener) && isConnection(fields.connection)],
  ["linked", (fields) => ofPeer(fields) && isLink(fields.link) && isConnection(fields.connection)],
  ["frame", (fields) => ofPeer(fields) && isCount(fields.sequence)],
  ["closed", (fields) => ofPeer(fields) && isCount(fields.code) && isText(fields.reason)],
  ["ponged", ofPeer],
  ["controlFrame", ofPeer],
  ["taken", (fields) => ofPeer(fields) && isCount(fields.bytes)],
  ["owner", ({ relay, epoch }) => isRelay(relay) && isCount(epoch)],
  ["notOwner", ({ relay }) => isRelay(relay)],
  ["send", ofOwner],
  ["attach", (fields) => ofOwner(fields) && fields.attachment !== undefined],
  ["close", (fields) => ofOwner(fields) && isCount(fields.code) && isText(fields.reason)],
  ["ping", ofOwner],
  ["terminate", ofOwner],
  [
    "handled",
    ({ relay, epoch, frames }) => isRelay(relay) && isCount(epoch) && Array.isArray(frames) && frames.every(isHandled),
  ],
  ["released", ({ relay, epoch }) => isRelay(relay) && isCount(epoch)],
]);

const isResumed = (value: Json): boolean =>
  isObject(value) && isPeer(value.peer) && isListener(value.listener) && isConnection(value.connection);

const isHandled = (value: Json): boolean => isObject(value) && isPeer(value.peer) && isCount(value.sequence);

/** The id of a peer: of its listener, of the session of its gateway, and a number. */
export const remotePeerId = (listener: ListenerName | "link", session: string, count: number): PeerId =>
  peerId(`${listener}-${session}-${count}`);
