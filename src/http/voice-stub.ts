/**
 * A stub for the voice channel of the Neuro API: it accepts the connection, replies that voice is unavailable, and stays open.
 *
 * Why: a client whose connection is refused or closed reconnects every three seconds, but accepts this reply. The relay itself never sees
 * this socket.
 */
import { isObject, parseJson } from "../core/json.ts";

const UNAVAILABLE = JSON.stringify({ command: "voice/unavailable", data: { reason: "the relay carries no voice" } });
const DEPTH_MAX = 8;

/** Maximum size of a frame on the voice channel. Audio is dropped. */
export const VOICE_FRAME_BYTES_MAX = 65_536;

/** True for the path of a voice channel: `/game/<name>/voice`, below any base path. */
export const isVoicePath = (path: string): boolean => /\/game\/[^/]+\/voice\/?$/.test(path);

/** The reply to a frame on the voice channel, if any. */
export function voiceReply(frame: string | Uint8Array): string | undefined {
  const message = typeof frame === "string" ? parseJson(frame, DEPTH_MAX) : undefined;
  return isObject(message) && message.command === "voice/start" ? UNAVAILABLE : undefined;
}
