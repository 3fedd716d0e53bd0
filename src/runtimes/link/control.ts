/**
 * The messages between a relay and a linked program before frames pass: the relay asks for a connection to Neuro, and the program reports
 * whether there is one. After `up` every message is a frame, in both directions, unchanged.
 */
import { type Frame, isObject, parseJson } from "../../core/json.ts";
import { shorten } from "../../core/text.ts";
import { closeCode, NO_CODE } from "../../websocket-client/close.ts";

/** What the relay sends. `via` names the relays before it, so that a chain that leads back to itself is found. */
export interface DialMessage {
  readonly link: "dial";
  readonly via: string;
}

/** What the program replies. */
export type DialReply = { readonly link: "up" } | { readonly link: "down"; readonly why: string };

const MESSAGE_CHARS_MAX = 8_192;
const WHY_MAX = 200;
const DEPTH_MAX = 2;

/** The code with which one side is closed when the other was closed with this one, or without one. */
export const passedCode = (code: number): number => code === NO_CODE ? 1000 : closeCode(code);

export const encodeControl = (message: DialMessage | DialReply): string => JSON.stringify(message);

/** The reply in a frame; undefined for anything else. */
export function decodeReply(frame: Frame): DialReply | undefined {
  const message = decode(frame);
  if (message?.link === "up") return { link: "up" };
  if (message?.link !== "down") return undefined;
  return { link: "down", why: shorten(typeof message.why === "string" ? message.why : "", WHY_MAX) };
}

/** The request in a frame; undefined for anything else. */
export function decodeDial(frame: Frame): DialMessage | undefined {
  const message = decode(frame);
  return message?.link === "dial" ? { link: "dial", via: typeof message.via === "string" ? message.via : "" } : undefined;
}

function decode(frame: Frame): Readonly<Record<string, unknown>> | undefined {
  if (typeof frame !== "string" || frame.length > MESSAGE_CHARS_MAX) return undefined;
  const message = parseJson(frame, DEPTH_MAX);
  return isObject(message) ? message : undefined;
}
