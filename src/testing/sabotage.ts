/** Makes rooms panic on purpose, in the middle of a step: after some of its effects were put, and before the others. */
import { Panic } from "../core/assert.ts";
import type { RoomName } from "../core/room.ts";
import type { Turn } from "../core/turn.ts";
import type { Hosted } from "../relay/mod.ts";

/** How a panic that was made on purpose is recognised in a note. */
export const SABOTAGE = "sabotage";

/** Lets one step of a room panic after some of its effects. */
export class Sabotage {
  /** How many panics there were. */
  count = 0;
  #room: RoomName | undefined;
  #effectsLeft = 0;

  /** The next step of the room that wants more than this many things done will panic. */
  plan(room: RoomName, effects: number): void {
    this.#room = room;
    this.#effectsLeft = effects;
  }

  /** Nothing more will happen. */
  stop(): void {
    this.#room = undefined;
  }

  /** The same room, but open to sabotage. */
  around(room: Hosted): Hosted {
    return {
      name: room.name,
      resident: room.resident,
      step: (event, turn) => room.step(event, this.#room === room.name ? this.#trap(turn) : turn),
      nextWakeup: () => room.nextWakeup(),
      restore: (settings, past) => room.restore(settings, past),
    };
  }

  #trap(turn: Turn): Turn {
    let effectsLeft = this.#effectsLeft;
    const spend = (): void => {
      if (effectsLeft-- > 0) return;
      this.#room = undefined;
      this.count++;
      throw new Panic(SABOTAGE);
    };
    return {
      now: turn.now,
      random: () => turn.random(),
      id: () => turn.id(),
      secret: () => turn.secret(),
      put: (effect) => {
        spend();
        turn.put(effect);
      },
      note: (note) => {
        spend();
        turn.note(note);
      },
      count: (who, way, kind) => turn.count(who, way, kind),
    };
  }
}
