/**
 * A relay on raw sockets as a service of the relay, in the place of the Neuro service: what the relay's engine, admission, supervision and sockets
 * cost around it, and what the relay's own service costs more.
 */
import type { StepContext } from "../../../src/core/context.ts";
import type { PeerEvent, ServiceEvent } from "../../../src/core/event.ts";
import { type LinkId, linkId, type Millis, type PeerId } from "../../../src/core/ids.ts";
import type { Service } from "../../../src/core/service.ts";
import type { RawOutlet, RawRelay } from "../raw-sockets.ts";
import type { FloorPorts } from "./relay.ts";

/** `tick`: the time that it asked for has come. */
export type BenchRelay<Game> = RawRelay<Game> & { tick?(): void };

class BenchState<Game> {
  readonly relay: BenchRelay<Game>;
  readonly games = new Map<PeerId, Game>();
  link: LinkId | undefined;
  /** Undefined once the backend is connected. */
  early: (PeerEvent & { readonly is: "frame" })[] | undefined = [];
  ctx: StepContext | undefined;
  wakeAt: Millis | undefined = 0;

  constructor(create: (ports: FloorPorts) => BenchRelay<Game>, startedAt: Millis) {
    const now = (): Millis => this.ctx?.now ?? startedAt;
    const send = (frame: string): void => {
      if (this.link !== undefined) this.ctx?.emit({ do: "send", to: this.link, frame });
    };
    const neuro: RawOutlet = { send, backlog: 0, close() {} };
    this.relay = create({ neuro, now, wake: (ms) => void (this.wakeAt = now() + ms) });
  }

  outletOf(peer: PeerId): RawOutlet {
    return {
      send: (frame) => this.ctx?.emit({ do: "send", to: peer, frame }),
      backlog: 0, // Why: the engine's outbox closes a peer that does not read.
      close: () => this.ctx?.emit({ do: "close", peer, fault: "rateLimit" }),
    };
  }

  fromGame(event: PeerEvent & { readonly is: "frame" }): void {
    const game = this.games.get(event.peer);
    if (this.early !== undefined) this.early.push(event);
    else if (game !== undefined) this.relay.fromGame(game, String(event.frame));
  }

  connected(): void {
    const early = this.early ?? [];
    this.early = undefined;
    this.relay.start();
    for (const event of early) this.fromGame(event);
  }
}

/** `url`: of the backend. */
export const benchService = <Game>(
  url: string,
  create: (ports: FloorPorts) => BenchRelay<Game>,
): Service<BenchState<Game>> => ({
  name: "neuro",
  resident: [],
  restore: (_settings, { now }) => new BenchState(create, now),
  step(state: BenchState<Game>, event: ServiceEvent, ctx: StepContext): void {
    state.ctx = ctx;
    switch (event.is) {
      case "frame":
        return state.fromGame(event);
      case "received":
        return state.relay.fromNeuro(String(event.frame));
      case "opened":
        return void state.games.set(event.peer, state.relay.openGame(state.outletOf(event.peer)));
      case "closed": {
        const game = state.games.get(event.peer);
        state.games.delete(event.peer);
        return game === undefined ? undefined : state.relay.closeGame?.(game);
      }
      case "dialed":
        return state.connected();
      case "tick":
        state.wakeAt = undefined;
        if (state.link !== undefined) return state.relay.tick?.();
        state.link = linkId("neuro:floor:1");
        return ctx.emit({ do: "dial", link: state.link, url });
      default: // Why: it has nothing that other events concern.
        return;
    }
  },
  nextWakeup: ({ wakeAt }: BenchState<Game>): Millis | undefined => wakeAt,
});
