/** What is kept of one integration or watcher is within the limits, whatever it sends. */
import { test } from "#runner";
import { DEFAULTS } from "../../../../src/core/defaults.ts";
import { isObject, type Json, type JsonObject } from "../../../../src/core/json.ts";
import { AUDIT_TARGET_LENGTH_MAX, EVENT_BUFFER_BYTES_MAX, MESSAGE_LOADS_MAX } from "../../../../src/core/limits.ts";
import { failed } from "../../../../src/core/result.ts";
import { RetainedBytes } from "../../../../src/core/retained-bytes.ts";
import type { LimitSettings } from "../../../../src/core/settings.ts";
import { EventBuffer } from "../../../../src/services/intermediary/watchers/event-buffer.ts";
import { check } from "../../../harness/check.ts";
import { textBytesIn } from "../../../harness/retained.ts";
import { IntermediaryFixture, SETTINGS } from "./fixture.ts";

const MIB = 1_048_576;
const SLACK = MIB;

const text = (seed: number, length = 100_000): string => `${seed} ${"x".repeat(length)}`;
const limited = (some: Partial<LimitSettings>) =>
  new IntermediaryFixture({ settings: { ...SETTINGS, limits: { ...DEFAULTS.limits, ...some } } });
const errorsIn = (frames: readonly Json[]): readonly JsonObject[] =>
  frames.filter((frame): frame is JsonObject => isObject(frame) && frame.error !== undefined);

/** One integration keeps as much as it can in one table. `at` counts from 0 to 199. */
const TABLES: Readonly<Record<string, (at: number) => JsonObject>> = {
  "its actions": (at) =>
    register({ name: `a${at}`, description: text(at, 15_000), schema: { description: text(at, 15_000) } }),
  "its action names": (at) => register({ name: text(at, 30_000) }),
  "free text": (at) => ({ event: text(at), payload: text(at) }),
  "unknown commands": (at) => ({ command: text(at), data: { [text(at)]: 1 } }),
};

const register = (action: JsonObject): JsonObject => ({ event: "register_actions", actions: [action] });

for (const [table, message] of Object.entries(TABLES)) {
  test(`SE28 one integration keeps at most \`limits.peer_bytes\` of its own: ${table}`, () => {
    const fixture = new IntermediaryFixture();
    const peer = fixture.integration("jukebox");
    for (let at = 0; at < 200; at++) fixture.frame(peer, message(at));
    const { state, retained } = fixture.harness;
    const bytes = textBytesIn(state.connections);
    check.that(bytes <= DEFAULTS.limits.peer_bytes + SLACK, `${bytes} bytes of text are kept`);
    check.that(bytes <= retained.bytes + SLACK, `${bytes} bytes are kept, and ${retained.bytes} are accounted for`);
    fixture.close(peer);
    check.equal(retained.bytes, 0);
  });
}

test("IM110 an integration whose actions exceed a limit gets an error with the limit, the value and the setting", () => {
  const fixture = limited({ peer_bytes: 100_000 });
  const [peer, other] = [fixture.integration("jukebox"), fixture.integration("other")];
  for (let at = 0; at < 5; at++) fixture.frame(peer, register({ name: `a${at}`, description: text(at, 15_000) }));
  const [refused, ...more] = errorsIn(fixture.received(peer));
  check.equal([refused?.code, more.length], ["queueFull", 1]);
  check.match(
    String(refused?.error),
    /^too many actions: a3: this connection would keep \d+ bytes; `limits.peer_bytes` allows 100000$/,
  );
  fixture.frame(other, register({ name: "a", description: "x" }));
  check.equal(errorsIn(fixture.received(other)), []);
  fixture.frame(peer, { event: "unregister_actions", actions: ["a0", "a1"] });
  fixture.frame(peer, register({ name: "again", description: text(0, 15_000) }));
  check.equal(errorsIn(fixture.received(peer)), [], "there is capacity again");
});

test("SE28b integrations that wait for a name keep at most `limits.total_bytes` together", () => {
  const fixture = limited({ total_bytes: 4 * MIB, peer_bytes: 2 * MIB });
  for (let at = 0; at < 20; at++) {
    fixture.integration(`holder ${at}`, {}, `holder ${at}`);
    const rival = fixture.integration(`holder ${at}`, {}, `rival ${at}`);
    for (let more = 0; more < 4 && !fixture.closed.has(rival); more++) fixture.frame(rival, text(more));
  }
  const { retained, state } = fixture.harness;
  check.that(textBytesIn(state.connections) <= 4.5 * MIB && retained.bytes <= 4.5 * MIB, `${retained.bytes} bytes`);
  check.that(fixture.closed.size > 0 && fixture.closed.size < 20, "the newest are closed");
});

test("IM111 events that are kept for watchers occupy at most 16 MiB, with the names of their fields", () => {
  const account = new RetainedBytes();
  const buffer = new EventBuffer("0", account);
  for (let at = 0; at < 500; at++) {
    const payload = { [text(at)]: 1, nested: [{ [text(at)]: null }] };
    buffer.push({ is: "event", id: String(at), at: 0, observation: { is: "integration_message", from: "a", payload } });
  }
  const bytes = (buffer.end - buffer.first) * 4 * 100_000;
  check.that(bytes <= EVENT_BUFFER_BYTES_MAX, `${bytes} bytes of field names`);
  check.that(account.bytes > 0 && account.bytes <= EVENT_BUFFER_BYTES_MAX);
  buffer.close();
  check.equal(account.bytes, 0);
});

test("IM112 of what a watcher names, 256 characters are kept, also while its command is being stored", () => {
  const fixture = new IntermediaryFixture({ isStoring: false });
  const watcher = fixture.watcher();
  fixture.close(fixture.integration("away"));
  fixture.store();
  fixture.frame(watcher, { choice: { selected: text(2), data: {} } });
  for (const message of fixture.posted) {
    if (message.is !== "actionChosen" || message.id === undefined) continue;
    fixture.receive({ is: "choiceSettled", id: message.id, refusal: failed("notFound", "no such action") });
  }
  for (let at = 0; at < 20; at++) fixture.frame(watcher, { target: "away", cmd: text(at) });
  const acts = fixture.observations.flatMap((observation) => observation.is === "operator_acted" ? [observation.to] : []);
  check.equal(acts.length, 1);
  check.that(acts.every(({ length }) => length <= AUDIT_TARGET_LENGTH_MAX), "names are shortened");
  const { pendingRequests, watcherActs } = fixture.harness.state;
  check.that(textBytesIn([pendingRequests, watcherActs]) <= 10_000, "commands that wait are kept by the queue alone");
});

test("IM113 at most 32 requests for stored messages wait for the store; more are refused", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.close(fixture.integration("away"));
  for (let at = 0; at < 50; at++) fixture.frame(watcher, { target: "away", cmd: text(at, 100) });
  const list = fixture.request({ of: "intermediary", get: "queueEntries", to: "away", limit: 100 });
  const ids = isObject(list) && Array.isArray(list.items) ? list.items.map((item: Json) => isObject(item) && item.id) : [];
  fixture.isStoring = false;
  const replies = ids.map((id) => fixture.request({ of: "intermediary", get: "message", id: String(id) }));
  check.equal(replies.filter((reply) => reply !== undefined).length, 50 - MESSAGE_LOADS_MAX);
  check.match(String(fixture.reasons.at(-1)), /32 requests wait for the store, and at most 32 may/);
});
