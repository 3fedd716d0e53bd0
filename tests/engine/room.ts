/** Rooms that do as a test says, and a world around them. */
import { DEFAULTS } from "../../src/core/defaults.ts";
import type { RoomEvent } from "../../src/core/event.ts";
import type { Millis } from "../../src/core/ids.ts";
import type { Past, RoomName } from "../../src/core/room.ts";
import type { Settings } from "../../src/core/settings.ts";
import type { Turn } from "../../src/core/turn.ts";
import { type Hosted, hosted } from "../../src/relay/mod.ts";
import { World } from "../../src/testing/world.ts";

export interface Script {
  readonly name?: RoomName;
  readonly resident?: readonly string[];
  readonly step: (event: RoomEvent, turn: Turn) => void;
  readonly restore?: (past: Past) => void;
  readonly nextWakeup?: () => Millis | undefined;
}

/** A room that does what the script says, and remembers nothing of its own. */
export function scripted({ name = "neuro", resident = [], step, restore, nextWakeup }: Script): Hosted {
  return hosted<true>({
    name,
    resident,
    restore: (_settings, past) => {
      restore?.(past);
      return true;
    },
    step: (_state, event, turn) => step(event, turn),
    nextWakeup: () => nextWakeup?.(),
  });
}

/** A running relay with such rooms. */
export async function running(scripts: readonly Script[], settings: Settings = DEFAULTS): Promise<World> {
  const world = new World({ settings, rooms: () => scripts.map(scripted) });
  await world.started();
  return world;
}

/** A peer that keeps what it is sent. */
export interface Ear {
  readonly heard: string[];
  say(text: string): void;
  readonly closed: () => number | undefined;
}

/** Somebody connects by the game port; a byte rate makes them slow. */
export async function connected(world: World, bytesPerMs?: number): Promise<Ear> {
  const heard: string[] = [];
  let code: number | undefined;
  const wire = world.network.connect("neuro", {}, bytesPerMs);
  wire.onFrame = (frame) => heard.push(String(frame));
  wire.onClose = (closed) => (code = closed);
  await world.pass(0);
  return { heard, say: (text) => wire.send(text), closed: () => code };
}
