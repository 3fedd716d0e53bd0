/** The size of frames to clients: common ones close a connection on which more than 1 MiB arrives in one frame. */
import { brainWith, operator, OPERATORS } from "../../../../../src/services/brain/mod.ts";
import type { PeerId } from "../../../../../src/core/ids.ts";
import type { JsonObject } from "../../../../../src/core/json.ts";
import { BRAIN_FRAME_BYTES_MAX } from "../../../../../src/core/limits.ts";
import { check } from "../../../../harness/check.ts";
import { test } from "#runner";
import { BrainFixture, type Reply } from "../fixture.ts";

/** Three bytes of UTF-8 for each character. */
const WIDE = "例";

class SizedFixture extends BrainFixture {
  largest = 0;

  override settle(): void {
    const take = this.harness.take.bind(this.harness);
    this.harness.take = () => {
      const effects = take();
      for (const effect of effects) {
        if ((effect.do === "reply" || effect.do === "send") && typeof effect.frame === "string") {
          this.largest = Math.max(this.largest, new TextEncoder().encode(effect.frame).length);
        }
      }
      return effects;
    };
    super.settle();
    this.harness.take = take;
  }

  macro(peer: PeerId, session: string, steps: number, length: number): Reply {
    const step = { name: "ST", params: { changes: { note: WIDE.repeat(length) } } };
    return this.ask(peer, { cmd: "ApplyMacro", session_id: session, name: "m", steps: Array(steps).fill(step) });
  }
}

test("BR46j an operation whose event could not be read changes nothing", () => {
  const fixture = new SizedFixture();
  const peer = fixture.peer("ui");
  const session = fixture.create(peer);
  const refused = fixture.macro(peer, session, 32, 10_000);
  check.equal([refused["code"], refused["limit"], refused["max"]], ["LimitExceeded", "event_bytes", 900_000]);
  check.equal(fixture.ask(peer, { cmd: "GetState", session_id: session })["seq"], 0);
  check.equal(fixture.macro(peer, session, 4, 10_000)["type"], "State.Snapshot");
  check.equal(fixture.audit(peer, session).length, 2);
  check.that(fixture.largest <= BRAIN_FRAME_BYTES_MAX, `${fixture.largest} bytes`);
});

test("BR46k pages of the audit fit a frame and lose no event, whatever the characters", () => {
  const fixture = new SizedFixture();
  const peer = fixture.peer("ui");
  const session = fixture.create(peer);
  for (let count = 0; count < 40; count++) fixture.merge(peer, session, { note: `${count}${WIDE.repeat(18_000)}` });
  check.equal(fixture.audit(peer, session).map(({ seq }) => seq), [...Array(41).keys()]);
  check.that(fixture.largest <= BRAIN_FRAME_BYTES_MAX, `${fixture.largest} bytes`);
});

test("BR46i whatever a request makes large, no reply and no notification is", () => {
  const large = WIDE.repeat(340_000);
  const requests: readonly JsonObject[] = [
    { cmd: "GetState", session_id: large },
    { cmd: "Infer", trace_id: large, payload: { text: "a" } },
    { cmd: "Infer", trace_id: { list: [large] }, payload: { text: "a" } },
    { cmd: "ApplyOperator", operator: large },
    { cmd: large },
    { cmd: "Ping", request_id: "1", more: large },
  ];
  const fixture = new SizedFixture();
  const [peer, follower] = [fixture.peer("ui"), fixture.peer("follower")];
  const session = fixture.create(peer);
  fixture.ask(follower, { cmd: "Subscribe", session_id: session });
  for (const request of requests) fixture.ask(peer, { session_id: session, ...request });
  const refusal = fixture.ask(peer, { cmd: "Infer", trace_id: large, payload: { text: "a" }, request_id: 7 });
  check.equal([refusal["code"], refusal["limit"], refusal["request_id"]], ["LimitExceeded", "reply_bytes", 7]);
  check.that(fixture.largest <= BRAIN_FRAME_BYTES_MAX, `${fixture.largest} bytes`);
});

test("BR46i a change too large for a frame is a gap for followers", () => {
  const large = "x".repeat(510_000);
  const renaming = operator({
    name: "RENAME",
    version: 1,
    params: {},
    read: () => ({ ok: true, value: undefined }),
    apply: () => ({ state: { [`b${large}`]: 1 }, delta: {}, audit: {}, risk: 0 }),
  });
  const fixture = new SizedFixture({ state_bytes: 524_288, service: brainWith([...OPERATORS, renaming]) });
  const [peer, follower] = [fixture.peer("ui"), fixture.peer("follower")];
  const session = fixture.create(peer, { initial_state: { [`a${large}`]: 1 } });
  fixture.ask(follower, { cmd: "Subscribe", session_id: session });
  check.equal(
    fixture.ask(peer, { cmd: "ApplyOperator", session_id: session, operator: "RENAME" })["type"],
    "State.Snapshot",
  );
  check.equal(fixture.seen(follower), [{ type: "State.Gap", session_id: session, seq: 1, missed: 1 }]);
  check.that(fixture.largest <= BRAIN_FRAME_BYTES_MAX, `${fixture.largest} bytes`);
});
