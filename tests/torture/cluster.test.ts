/** `bun run torture cluster` with few rounds. */
import { test } from "#runner";
import { check } from "../harness/check.ts";
import { find } from "../harness/machine.ts";
import { LOST_LIMITS, lostNodeFigures } from "./cluster-figures.ts";
import { type ClusterFigures, lateOf, violationsOf } from "./cluster-report.ts";
import { FAULTS, tortureCluster } from "./cluster.ts";
import { DeliveryLog } from "./delivery-log.ts";

const LONG = { timeoutMs: 60_000 };

if (find("redis-server") !== undefined) {
  test(
    "CN20 CN21 CN51 the owner is killed under traffic: Neuro is dialed within 3.5 s, nothing queued is lost, no game is closed",
    async () => {
      const figures = await tortureCluster("kill", { rounds: 1 });
      check.equal(violationsOf(figures, FAULTS.kill), []);
      check.that(figures.deliveries.queued >= 5, JSON.stringify(figures.deliveries));
      const [redialMs = Infinity] = figures.redialMs;
      check.that(redialMs < FAULTS.kill.redial.longestMs, `${redialMs} ms`);
    },
    LONG,
  );

  test("CN52 the relays of a node that is killed move to the others, and no game there is closed", async () => {
    const figures = await lostNodeFigures(6, { lease: "1s" });
    check.equal(violationsOf(figures, LOST_LIMITS), []);
    check.equal(figures.redialMs.length, 6);
  }, LONG);
}

test("CN51 the report finds losses, closed peers, connections and late ones", () => {
  const log = new DeliveryLog();
  log.answered(1, "queued");
  const figures: ClusterFigures = {
    fault: "x",
    rounds: 3,
    redialMs: [100, 2_500, 4_000],
    registeredMs: [],
    deliveries: log.counts,
    unanswered: 1,
    gamesClosed: 2,
    watchersClosed: 3,
    reconnects: 4,
    framesOfFormerOwners: 0,
    loads: [1],
    violations: ["connection 1 sends context after a later one began"],
  };
  check.equal(violationsOf(figures, { mayCloseWatchers: false }), [
    "x: 1 were answered queued and never arrived",
    "x: 1 commands were not answered",
    "x: 2 games at other nodes were closed",
    "x: 3 watchers were closed",
    "x: Neuro was dialed 4 times",
    "x: connection 1 sends context after a later one began",
  ]);
  check.equal(violationsOf(figures, { mayCloseWatchers: true }).length, 5);
  const redial = { medianMs: 2_400, longestMs: 3_500 };
  check.equal(lateOf(figures, { redial, mayCloseWatchers: true }), [
    "x: Neuro was dialed after a median of 2.50 s, instead of 2.40 s",
    "x: Neuro was dialed after at most 4.00 s, 1 of 3 times after more than 3.50 s",
  ]);
  check.equal(lateOf({ ...figures, redialMs: [100, 200] }, { redial, mayCloseWatchers: true }), []);
});
