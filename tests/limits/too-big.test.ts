/** A message above the limit: its peer is closed, and the report names the peer, the size, the limit and the setting. */
import { test } from "#runner";
import type { Observation } from "../../src/core/observation.ts";
import { check } from "../harness/check.ts";
import { LimitFixture, type Peer, settingsOf } from "./fixture.ts";

test("OB40 the report of a close for the size of a message names the peer, the size, the limit and the setting", async () => {
  const fixture = await LimitFixture.start(settingsOf({ path: "limits.message_bytes", text: "2KiB" }));
  const closed: Observation[] = [];
  fixture.simulation.onObservation = (observation) => {
    if (observation.is === "peer_closed_by_relay") closed.push(observation);
  };
  const game = (await fixture.connect("neuro")).sendJson({ command: "startup", game: "Chess" });
  const peers: [string, Peer][] = [
    ["Chess", game],
    ["jukebox", await fixture.integration("jukebox")],
    ["watcher", await fixture.watcher()],
    ["127.0.0.1", await fixture.connect("neuro")],
    ["127.0.0.1", await fixture.connect("brain")],
  ];
  for (const [from, peer] of peers) {
    peer.send("x".repeat(3_000));
    await fixture.advance(1);
    check.equal(peer.closed?.code, 1009);
    const [report] = closed.splice(0);
    check.that(report?.is === "peer_closed_by_relay");
    check.equal([report.from, report.fault], [from, "tooBig"]);
    check.match(report.reason ?? "", /: 3000 characters or bytes; `limits.message_bytes` allows 2048$/);
  }
  check.equal(closed, []);
});
