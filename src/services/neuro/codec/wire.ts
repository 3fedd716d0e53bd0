/** The Neuro API on the wire, both sides: towards games liberal, towards the backend strict. */
export { decodeGame, encodeForGame, type GameFrame } from "./wire-game.ts";
export { decodeUpstream, encodeUpstream } from "./wire-upstream.ts";
export type { Mend, MendName } from "./mend.ts";
