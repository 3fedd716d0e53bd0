/**
 * The floor as a service of the relay, in the place of the Neuro service: what the relay's engine, admission and supervision cost around it, and
 * what the relay's own service costs more.
 */
import type { StepContext } from "../../../src/core/context.ts";
import type { ServiceEvent } from "../../../src/core/event.ts";
import { type LinkId, linkId, type Millis, type PeerId } from "../../../src/core/ids.ts";
import type { Service } from "../../../src/core/service.ts";
import type { RawOutlet } from "../raw-sockets.ts";
import type { FloorGame } from "./game.ts";
import type { FloorOptions } from "./options.ts";
import { FloorRelay } from "./relay.ts";

class FloorState {
  readonly relay: FloorRelay;
  readonly games = new Map<PeerId, FloorGame>();
  link: LinkId | undefined;
  ctx: StepContext | undefined;
  wakeAt: Millis | undefined = 0;

  constructor(options: FloorOptions, startedAt: Millis) {
    const now = (): Millis => this.ctx?.now ?? startedAt;
    const send = (frame: string): void => {
      if (this.link !== undefined) this.ctx?.emit({ do: "send", to: this.link, frame });
    };
    const neuro: RawOutlet = { send, backlog: 0, close() {} };
    this.relay = new FloorRelay(options, { neuro, now, wake: (ms) => void (this.wakeAt = now() + ms) });
  }

  outletOf(peer: PeerId): RawOutlet {
    return {
      send: (frame) => this.ctx?.emit({ do: "send", to: peer, frame }),
      backlog: 0, // Why: the engine's outbox closes a peer that does not read.
      close: () => this.ctx?.emit({ do: "close", peer, fault: "rateLimit" }),
    };
  }
}

export const floorService = (options: FloorOptions): Service<FloorState> => ({
  name: "neuro",
  resident: [],
  restore: (_settings, { now }) => new FloorState(options, now),
  step(state: FloorState, event: ServiceEvent, ctx: StepContext): void {
    state.ctx = ctx;
    switch (event.is) {
      case "frame": {
        const game = state.games.get(event.peer);
        return game === undefined ? undefined : state.relay.fromGame(game, String(event.frame));
      }
      case "received":
        return state.relay.fromNeuro(String(event.frame));
      case "opened":
        return void state.games.set(event.peer, state.relay.openGame(state.outletOf(event.peer)));
      case "closed": {
        const game = state.games.get(event.peer);
        state.games.delete(event.peer);
        return game === undefined ? undefined : state.relay.closeGame(game);
      }
      case "dialed":
        return state.relay.start();
      case "tick":
        state.wakeAt = undefined;
        if (state.link !== undefined) return state.relay.tick();
        state.link = linkId("neuro:floor:1");
        return ctx.emit({ do: "dial", link: state.link, url: "ws://127.0.0.1:1" });
      default: // Why: the floor has nothing that other events concern.
        return;
    }
  },
  nextWakeup: ({ wakeAt }: FloorState): Millis | undefined => wakeAt,
});
