import { test } from "#runner";
import { nodeOf, rankedFor } from "../../../src/cluster/placement.ts";
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
