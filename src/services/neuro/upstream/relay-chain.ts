/**
 * Relays that are chained: each is a game of the next one. A loop of them would pass every context around without end.
 *
 * When a relay dials, its header names the relays behind it. Relays that come later are found from the other end: each relay tells those
 * behind it, in a message, which relays are ahead. So nothing that a game sends makes the relay dial again.
 *
 * Invariants: RC1 no header of a peer affects a connection other than its own; RC2 only a peer whose header has an id of a relay gets the
 * message, because games may crash at a command that they do not know.
 */
import { RELAY_HOPS_MAX, RELAY_IDS_MAX } from "../../../core/limits.ts";
import type { NeuroMessage } from "../../../core/neuro-messages.ts";
import type { StepContext } from "../../../core/context.ts";
import { encodeGame } from "../codec/encode-game.ts";
import type { GameSocket, NeuroState, Upstream } from "../state.ts";

type Hops = readonly (readonly string[])[];

/** Sent to relays behind this one: `via` has the relays ahead of them, the nearest first. */
const CHAIN_COMMAND = "neuro-relay/chain";
/** A loop can be as long as the relays ahead and the relays behind together. */
const HOPS_AHEAD_MAX = 2 * RELAY_HOPS_MAX;

/** The header of a dial: this relay, then the relays behind it. */
export const viaOf = (state: NeuroState): string => joined(state, [...state.sockets.values()].map(hopsBehind));

/** True if a connection comes from this relay itself, or through more than `RELAY_HOPS_MAX` relays. */
export function isLoop(state: NeuroState, via: string): boolean {
  const hops = hopsOf(via);
  return hops.length > RELAY_HOPS_MAX || hops.some((ids) => ids.includes(state.relayId));
}

/** True if the relays ahead include this one. */
export const isChainedToItself = ({ relaysAhead, service: { relayId } }: Upstream): boolean =>
  relaysAhead.some((ids) => ids.includes(relayId));

/** The relays ahead, in a message of the upstream. */
export function readChain({ name, data }: NeuroMessage & { readonly command: "other" }): Hops | undefined {
  if (name !== CHAIN_COMMAND) return undefined;
  const via = data?.["via"];
  return typeof via === "string" ? hopsOf(via.slice(0, CHAIN_LENGTH_MAX)).slice(0, HOPS_AHEAD_MAX) : [];
}

const CHAIN_LENGTH_MAX = 4_096;

/** Tells the relays behind this one which relays are ahead of them. */
export function announceChain(state: NeuroState, ctx: StepContext): void {
  for (const socket of state.sockets.values()) tellChain(socket, ctx);
}

/** Tells one peer, if it is a relay. */
export function tellChain(socket: GameSocket, ctx: StepContext): void {
  if (hopsBehind(socket).length === 0) return;
  const { service, peer } = socket;
  const via = joined(service, [...service.upstreams.values()].map(({ relaysAhead }) => relaysAhead));
  const frame = encodeGame({ command: "other", name: CHAIN_COMMAND, data: { via } });
  if (frame !== undefined) ctx.emit({ do: "send", to: peer, frame });
}

const hopsBehind = ({ connection }: GameSocket): Hops => (connection.via === "" ? [] : hopsOf(connection.via));

/** This relay, then the hops of all chains: hops separated by commas, relays of the same hop joined by `+`. */
function joined({ relayId }: NeuroState, chains: readonly Hops[]): string {
  const hops: Set<string>[] = [new Set([relayId])];
  let count = 0;
  for (const chain of chains) {
    for (const [at, hop] of chain.entries()) {
      const ids = hops[at + 1] ??= new Set();
      for (const id of hop) if (!ids.has(id) && count++ < RELAY_IDS_MAX) ids.add(id);
    }
  }
  return hops.filter((ids) => ids.size > 0).map((ids) => [...ids].join("+")).join(",");
}

/** The ids that relays generate. Why checked: a game can send any header, and the backend's server refuses some bytes and sizes. */
const RELAY_ID = /^[A-Za-z0-9-]{1,36}$/;

const hopsOf = (via: string): Hops =>
  via.split(",").map((hop) => hop.split("+").map((id) => id.trim()).filter((id) => RELAY_ID.test(id))).filter((ids) =>
    ids.length > 0
  );
