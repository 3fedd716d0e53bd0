/** Handwritten recordings, and simulated relays that replay them. */
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { Json } from "../../../src/core/json.ts";
import type { RecordedFrame, Replay, ReplayScript } from "../../../src/recording/mod.ts";
import { SimulatedRelay } from "../../../src/testing/mod.ts";
import type { Accept, TestSocket } from "../../../src/testing/mod.ts";

/** One line: time, side, message. */
export type ScriptLine = readonly [t: number, by: RecordedFrame["by"], message: Json | Uint8Array];

export const script = (lines: readonly ScriptLine[], changes: Partial<ReplayScript> = {}): ReplayScript => ({
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

/** A simulated relay whose only service is the replay. `answering` accepts its dials. */
export async function simulationOf(playing: Replay, answering: Accept = () => undefined): Promise<SimulatedRelay> {
  const simulation = new SimulatedRelay({ settings: DEFAULTS, services: () => [playing.service] });
  simulation.network.accept = answering;
  await simulation.started();
  return simulation;
}

/** A message that the other side received, and when. */
export interface ReceivedMessage {
  readonly at: number;
  // deno-lint-ignore no-explicit-any -- Why: tests read any field of any message.
  readonly message: any;
}

/** Collects the messages on a socket. */
export function listen(
  simulation: SimulatedRelay,
  socket: TestSocket,
  received: ReceivedMessage[] = [],
): ReceivedMessage[] {
  socket.onFrame = (frame) => received.push({ at: simulation.clock.now, message: JSON.parse(String(frame)) });
  return received;
}
