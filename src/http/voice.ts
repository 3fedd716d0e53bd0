/**
 * The voice channel of the Neuro API: taken, declined in its own words, and left open.
 *
 * Why: its clients come back every three seconds for ever when they are refused or closed, and are content to be told that
 * there is no voice. The relay itself never sees this socket.
 */
import { isObject, parseJson } from "../core/json.ts";

const UNAVAILABLE = JSON.stringify({ command: "voice/unavailable", data: { reason: "the relay carries no voice" } });
const DEPTH_MAX = 8;

/** Bytes that a frame on the voice channel may have. Audio may come all the same; it is dropped. */
export const VOICE_FRAME_BYTES_MAX = 65_536;

/** True for the path of a voice channel: `/game/<name>/voice`, or `/voice` below whatever the base path was. */
export const isVoicePath = (path: string): boolean => /\/game\/[^/]+\/voice\/?$/.test(path);

/** What to answer to a frame on the voice channel, if anything. */
export function answerVoice(frame: string | Uint8Array): string | undefined {
  const message = typeof frame === "string" ? parseJson(frame, DEPTH_MAX) : undefined;
  return isObject(message) && message.command === "voice/start" ? UNAVAILABLE : undefined;
}
