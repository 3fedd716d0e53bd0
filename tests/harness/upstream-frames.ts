import type { GameMessage } from "../../src/core/neuro-messages.ts";
import {
  encodeText,
  encodeUpstream,
  type EncodingReport,
  isTextMessage,
} from "../../src/services/neuro/codec/encode-upstream.ts";
import type { Profile } from "../../src/services/neuro/upstream/profiles.ts";

/** The frames of any message for a backend. */
export function upstreamFrames(
  message: GameMessage,
  game: string,
  profile: Profile,
  report: EncodingReport = { shortenedFrom: 0, split: [] },
): readonly string[] {
  return isTextMessage(message)
    ? [encodeText(message, game, profile, report)]
    : encodeUpstream(message, game, profile, report);
}
