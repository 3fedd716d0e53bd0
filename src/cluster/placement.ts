/**
 * Which node owns which relay: rendezvous hashing. Every node computes the same order from the names of the members, and a node that comes
 * or goes moves only the relays that it is, or was, first for.
 */
import { hashText } from "../core/hash.ts";

/** The name of the node of a session: `<node>.<unique part>`. A node has one name and, after each start, another session. */
export const nodeOf = (session: string): string => session.slice(0, session.lastIndexOf("."));

/** The sessions in the order in which they should own the relay. */
export function rankedFor(relay: string, sessions: readonly string[]): readonly string[] {
  const weights = new Map(sessions.map((session) => [session, hashText(`${nodeOf(session)} ${relay}`)]));
  const weightOf = (session: string): string => weights.get(session) ?? "";
  return sessions.toSorted((left, right) =>
    weightOf(left) < weightOf(right) ? 1 : weightOf(left) > weightOf(right) ? -1 : 0
  );
}

/** A node that looks for an owner of a relay that nobody owns. */
export interface PlacingNode {
  readonly session: string;
  /** It stops, and takes no relay. */
  readonly isDraining: boolean;
  /** The sessions that it can reach, without its own. */
  readonly reachable: readonly string[];
}

/** Who takes the relay: this node, another one that is asked whether it is the first, or one that is told that those before it declined. */
export type Placement =
  | { readonly is: "here" }
  | { readonly is: "want"; readonly session: string }
  | { readonly is: "take"; readonly session: string; readonly declined: readonly string[] }
  | { readonly is: "nowhere" };

/** `declined`: the sessions because of which this node was told to take it; undefined if it looks for an owner by itself. */
export function placeRelay(
  relay: string,
  { session, isDraining, reachable }: PlacingNode,
  declined?: readonly string[],
): Placement {
  if (declined !== undefined && !isDraining) return { is: "here" };
  const candidates = reachable.filter((one) => declined?.includes(one) !== true);
  const [first] = rankedFor(relay, isDraining ? candidates : [...candidates, session]);
  if (first === undefined) return { is: "nowhere" };
  if (first === session) return { is: "here" };
  if (!isDraining) return { is: "want", session: first };
  return { is: "take", session: first, declined: [...declined ?? [], session] };
}
