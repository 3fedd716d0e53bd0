import { test } from "#runner";
import { Member } from "../../../../src/runtimes/cluster/member.ts";
import { until } from "../../../cluster/fixture.ts";
import { check } from "../../../harness/check.ts";
import { SimulatedDirectory } from "../../cluster/simulated-directory.ts";

const LEASE_MS = 200;

function memberOf(directory: SimulatedDirectory, node: string) {
  const events: string[] = [];
  const member = new Member({
    directory: directory.asDirectory(),
    node,
    leaseMs: LEASE_MS,
    place: () => "here:1",
    beaten: ({ lease }) => lease === "renewed" || events.push(lease),
    suspended: () => events.push("suspended"),
    expired: () => events.push("expired"),
    died: () => events.push("died"),
    nameTaken: ({ place }) => events.push(`taken at ${place}`),
    reconnect: () => events.push("reconnected"),
  });
  member.start();
  return { member, events };
}

test("CN38 a node that was killed joins again when its earlier session is dead, also if it is alone", async () => {
  const directory = new SimulatedDirectory();
  directory.beat({ session: "a.earlier", count: 7, place: "here:1" });
  const began = performance.now();
  const { member, events } = memberOf(directory, "a");
  await until(() => events.includes("joined"), "the new session");
  check.that(performance.now() - began >= LEASE_MS, "not before a whole lease has passed");
  check.that(directory.dead.has("a.earlier") && !member.sessions.includes("a.earlier"));
  await member.leave();
});

test("CN38 a second process of a name is no member while the first one beats, and is after that has ended", async () => {
  const directory = new SimulatedDirectory();
  const [first, second] = [memberOf(directory, "a"), memberOf(directory, "a")];
  await until(() => second.events.length > 0, "the refusal");
  check.equal([first.events, second.events[0], second.member.mayAct()], [["joined"], "taken at here:1", false]);
  await first.member.leave();
  await until(() => second.events.includes("joined"), "the name is free");
  await second.member.leave();
});

test("CN53 a node that has declared a member dead says so, and a node that looks sees it at once", async () => {
  const directory = new SimulatedDirectory();
  directory.beat({ session: "c.1", count: 7, place: "here:1" });
  const [first, second] = [memberOf(directory, "a"), memberOf(directory, "b")];
  await until(() => first.events.includes("expired") || second.events.includes("expired"), "its death");
  second.member.look();
  await Promise.resolve(); // Why: the directory answers at the end of this turn.
  check.that(!second.member.sessions.includes("c.1"));
  await Promise.all([first.member.leave(), second.member.leave()]);
});
