/** The stub for voice channels. */
import { test } from "#runner";
import { digestOf } from "../../../src/core/access.ts";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import { AccessControl } from "../../../src/http/app.ts";
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
  const voice = new VoiceChannels();
  const [old, current, none] = [open(voice, "old"), open(voice, "new"), open(voice, undefined)];
  voice.closeRevoked(accessFor("new"));
  check.equal([old, current, none], [[4401], [], [4401]]);
  const open2 = open(voice, undefined);
  voice.closeRevoked(accessFor(""));
  check.equal(open2, [], "without a token the game port accepts this machine");
});
