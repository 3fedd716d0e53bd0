import { test } from "#runner";
import { nodeOf, placeRelay, rankedFor } from "../../../src/cluster/placement.ts";
import { check } from "../../harness/check.ts";

const RELAYS = Array.from({ length: 3_000 }, (_, index) => `relay-${index}`);
const firstFor = (relay: string, sessions: readonly string[]): string => nodeOf(rankedFor(relay, sessions)[0] ?? "");

test("CN6 relays are spread over the nodes, a node that leaves moves only its own, and a restarted node gets the same ones", () => {
  const sessions = ["a.x1", "b.x1", "node.with.dots.x1"];
  const counts = Map.groupBy(RELAYS, (relay) => firstFor(relay, sessions));
  for (const [node, relays] of counts) check.that(Math.abs(relays.length - 1_000) < 150, `${node} has ${relays.length}`);
  for (const relay of RELAYS) {
    const owner = firstFor(relay, sessions);
    check.equal(firstFor(relay, ["node.with.dots.x2", "b.x1", "a.x7"]), owner);
    if (owner !== "b") check.equal(firstFor(relay, ["a.x1", "node.with.dots.x1"]), owner);
  }
});

/** The sessions that look for an owner of the relay, one after another, from the first one on; the last one takes it unless it is undefined. */
function search(relay: string, sessions: readonly string[], draining: readonly string[]): readonly (string | undefined)[] {
  const path: (string | undefined)[] = [sessions[0]];
  let declined: readonly string[] | undefined;
  for (let session = sessions[0]; session !== undefined && path.length < 20;) {
    const reachable = sessions.filter((one) => one !== session);
    const placement = placeRelay(relay, { session, isDraining: draining.includes(session), reachable }, declined);
    if (placement.is === "here") return path;
    session = placement.is === "nowhere" ? undefined : placement.session;
    declined = placement.is === "take" ? placement.declined : undefined;
    path.push(session);
  }
  return path;
}

test("CN54 a node that stops, and is the first for a relay, has another one take it; if all stop, each is asked once", () => {
  const sessions = ["a.1", "b.1", "c.1"];
  for (const relay of RELAYS.slice(0, 100)) {
    const [first = "", second = "", third = ""] = rankedFor(relay, sessions);
    check.equal(search(relay, [third, first, second], []).at(-1), first);
    check.equal(search(relay, [third, first, second], [first]), [third, first, second]);
    check.equal(search(relay, [second, first, third], [first, second]), [second, first, third]);
    check.equal(search(relay, [first, second, third], sessions), [first, second, third, undefined]);
  }
});
