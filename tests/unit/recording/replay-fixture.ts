/** Recordings made by hand, and the worlds that they are played in. */
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { Json } from "../../../src/core/json.ts";
import type { RecordedFrame, Replay, ReplayScript } from "../../../src/recording/mod.ts";
import { SimulatedRelay } from "../../../src/testing/mod.ts";
import type { Accept, TestSocket } from "../../../src/testing/mod.ts";

/** One line: when, by whom, what. */
export type Line = readonly [t: number, by: RecordedFrame["by"], message: Json | Uint8Array];

export const script = (lines: readonly Line[], changes: Partial<ReplayScript> = {}): ReplayScript => ({
  transcript: lines.map(([t, by, message]) => ({
    t,
    by,
    frame: message instanceof Uint8Array ? message : JSON.stringify(message),
  })),
  from: 0,
  speed: 1,
  patience: 5_000,
  ...changes,
});

export const STARTUP: Json = { command: "startup", game: "Chess" };
export const REGISTER: Json = {
  command: "actions/register",
  game: "Chess",
  data: { actions: [{ name: "move", description: "Move." }, { name: "resign", description: "Resign." }] },
};
export const FORCE: Json = { command: "actions/force", game: "Chess", data: { query: "Go.", action_names: ["move"] } };
export const action = (id: string, name = "move", data = '{"to":"e4"}'): Json => ({
  command: "action",
  data: { id, name, data },
});
export const result = (id: string, success = true, message = "done"): Json => ({
  command: "action/result",
  game: "Chess",
  data: { id, success, message },
});

/** A world in which a recording is all that there is, and whoever answers when it dials. */
export async function worldOf(playing: Replay, answering: Accept = () => undefined): Promise<SimulatedRelay> {
  const world = new SimulatedRelay({ settings: DEFAULTS, services: () => [playing.service] });
  world.network.accept = answering;
  await world.started();
  return world;
}

/** What a far end heard, with the time of each. */
export interface Heard {
  readonly at: number;
  // deno-lint-ignore no-explicit-any -- Why: tests look into whatever was said.
  readonly message: any;
}

/** Keeps what comes on a wire. */
export function listen(world: SimulatedRelay, wire: TestSocket, heard: Heard[] = []): Heard[] {
  wire.onFrame = (frame) => heard.push({ at: world.clock.now, message: JSON.parse(String(frame)) });
  return heard;
}
