/** The stub for voice channels. */
import { test } from "#runner";
import { digestOf } from "../../../src/core/access.ts";
import { CONTROL_FRAMES_BURST_MAX } from "../../../src/core/limits.ts";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { AccessControl } from "../../../src/http/app.ts";
import type { ConnectionHandler } from "../../../src/runtimes/connections.ts";
import { VoiceChannels } from "../../../src/runtimes/voice-channels.ts";
import { check } from "../../harness/check.ts";

const accessFor = (token: string) =>
  new AccessControl({ ...DEFAULTS, "nakurity-backend": { ...DEFAULTS["nakurity-backend"], token } });

/** Opens a channel with a token, and returns the codes it was closed with. */
function open(voice: VoiceChannels, token: string | undefined): number[] {
  const codes: number[] = [];
  const handler = voice.admit({ address: "127.0.0.1" }, digestOf(token));
  handler?.open({ write: () => 0, close: (code) => void codes.push(code), terminate: () => {}, ping: () => {} });
  return codes;
}

test("SE14b a voice channel whose token is replaced is closed with 4401", () => {
  const voice = new VoiceChannels({ limits: () => DEFAULTS.limits, now: () => 0 });
  const [old, current, none] = [open(voice, "old"), open(voice, "new"), open(voice, undefined)];
  voice.closeRevoked(accessFor("new"));
  check.equal([old, current, none], [[4401], [], [4401]]);
  const open2 = open(voice, undefined);
  voice.closeRevoked(accessFor(""));
  check.equal(open2, [], "without a token the game port accepts this machine");
});

test("SE57 frames and pings of a voice channel count as work: one that floods is closed with 1008, one with audio stays open", () => {
  let now = 0;
  const limits = { ...DEFAULTS.limits, messages_per_second: 100, burst: 100 };
  const voice = new VoiceChannels({ limits: () => limits, now: () => now });
  const start = JSON.stringify({ command: "voice/start" });
  const used = (use: (handler: ConnectionHandler) => void, times: number): { codes: number[]; answers: number } => {
    const codes: number[] = [];
    let answers = 0;
    const handler = voice.admit({ address: "127.0.0.1" });
    const write = () => (answers++, 0);
    handler?.open({ write, close: (code) => void codes.push(code), terminate: () => {}, ping: () => {} });
    for (let at = 0; at < times; at++) if (handler !== undefined) use(handler);
    return { codes, answers };
  };
  check.equal(used((handler) => handler.message(start), 101), { codes: [1008], answers: 100 });
  check.equal(used((handler) => handler.controlFrame(), CONTROL_FRAMES_BURST_MAX + 1).codes, [1008]);
  check.equal(used((handler) => handler.message(new Uint8Array(1_048_576)), 5).codes, [1008]);
  const audio = (handler: ConnectionHandler) => (now += 20, handler.message(new Uint8Array(4_096)));
  check.equal(used(audio, 1_000).codes, []);
});
