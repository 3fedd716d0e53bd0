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
