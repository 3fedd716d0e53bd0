/** Every operation of the API, on a real relay with games, integrations and Neuro. */
import { test } from "#runner";
import { isObject, type Json, type JsonObject } from "../../../src/core/json.ts";
import { OPERATIONS } from "../../../src/http/api/operations.ts";
import { Game, integrate } from "../../conformance/clients.ts";
import { JsonSocket } from "../../conformance/json-socket.ts";
import { check } from "../../harness/check.ts";
import { openSession } from "../../harness/nallely-server.ts";
import { ApiFixture, TOKENS } from "./api-fixture.ts";

const PLAY = {
  name: "play",
  description: "Makes a move.",
  schema: { type: "object", properties: { move: { type: "string" } }, required: ["move"] },
};

test("AP10 AP73 BR75c every operation returns what the document declares", () =>
  ApiFixture.with(async (fixture) => {
    const lamp = await integrate(fixture, "lamp");
    await (await integrate(fixture, "away & <gone>")).close();
    const chess = await Game.join(fixture, "Chess");
    chess.register(PLAY, "rest");
    await fixture.neuro.knows("play", "rest");
    await look(fixture, lamp);
    await watch(fixture);
    await steer(fixture, chess);
    await macros(fixture, chess);
    await approve(fixture, chess);
    await force(fixture, chess);
    await speak(fixture, chess);
    await queue(fixture, lamp);
    await predict(fixture);
    await ask(fixture, chess);
    await trace(fixture);
    check.equal((await fixture.call("disconnectIntegration", { path: { id: "chess" } })).status, "disconnecting");
    check.equal((await chess.line.closed).code, 1001);
    await record(fixture);
    await nallely(fixture);
    check.equal([...fixture.answered].sort(), OPERATIONS.map(({ id }) => id).sort());
  }));

async function ask(fixture: ApiFixture, chess: Game): Promise<void> {
  const path = { id: "chess" };
  const again = await fixture.call("reregisterIntegration", { path, body: { clear: true } });
  check.equal([again.status, again.count], ["asked", 1]);
  await chess.line.next(({ command }) => command === "actions/reregister_all");
  chess.register(PLAY, "rest");
  check.equal((await fixture.call("reregisterIntegrations", { body: {} })).count, 2);
  check.equal((await fixture.call("resendSession", { path })).status, "asked");
  check.equal((await fixture.call("resendSessions")).status, "asked");
  check.equal((await fixture.call("shutDownIntegration", { path, body: { how: "graceful" } })).count, 1);
  await chess.line.next(({ command }) => command === "shutdown/graceful");
  check.equal((await fixture.call("shutDownIntegrations", { body: { how: "cancel" } })).count, 1);
}

async function trace(fixture: ApiFixture): Promise<void> {
  const [newest] = await fixture.items("listTraces", { query: { integration: "Chess", kind: "action", limit: 1 } });
  check.that(isObject(newest));
  check.equal(await fixture.call("getTrace", { path: { id: String(newest.id) } }), newest);
  const [sent] = await fixture.items("listTranscript", { query: { is: "registered", search: "PLAY", limit: 1 } });
  check.that(isObject(sent) && sent.upstream === "neuro");
}

async function predict(fixture: ApiFixture): Promise<void> {
  const client = await JsonSocket.open(fixture.urls.brain);
  client.send({ cmd: "Infer", trace_id: "a/b", payload: { math: "6 / 3" } });
  const { prediction } = await client.next();
  const found = await fixture.call("getPrediction", { path: { trace_id: "a/b" } });
  check.equal([found.trace_id, found.prediction], ["a/b", prediction ?? null]);
  check.equal((await fixture.request("getPrediction", { path: { trace_id: "none" } })).status, 404);
  await client.close();
}

async function watch(fixture: ApiFixture): Promise<void> {
  const client = await JsonSocket.open(fixture.urls.brain);
  client.send({ cmd: "CreateSession", owner: "AP73", initial_state: { a: 1 } });
  const { session_id } = await client.next();
  const [session] = await fixture.items("listBrainSessions");
  check.equal([session?.name, session?.owner, session?.keys], [String(session_id).slice(0, 8), "AP73", 1]);
  const detail = await fixture.call("getBrainSession", { path: { name: String(session?.name) } });
  check.equal([detail.state, detail.seq, detail.damage], [{ a: 1 }, 0, null]);
  check.equal(Array.isArray(detail.events) && detail.events.map((event) => isObject(event) && event.type), [
    "SessionCreated",
  ]);
  check.equal((await fixture.request("getBrainSession", { path: { name: "none" } })).status, 404);
  check.equal(JSON.stringify([session, detail]).includes(String(session_id)), false);
  await client.close();
  await fixture.call("listEvents");
  check.equal(await fixture.items("listWatchers"), []);
  await fixture.items("listForces");
  const tokens = await fixture.items("listTokens");
  check.equal(tokens.map(({ id }) => id).slice(0, 2), ["web:web", "intermediary:eye"]);
  const token = await fixture.call("issueToken", { body: { use: "intermediary", name: "visitor", scopes: ["watch"] } });
  const rotated = await fixture.call("rotateToken", { path: { id: String(token.id) }, body: {} });
  check.equal((await fixture.request("listRelays", { token: String(rotated.token) })).status, 200);
  check.equal(await fixture.call("revokeToken", { path: { id: "intermediary:worker" } }), { status: "revoked" });
  await fixture.items("listPendingActions");
}

async function look(fixture: ApiFixture, lamp: JsonSocket): Promise<void> {
  lamp.send(new Uint8Array([1, 2, 3]));
  const uploaded = await fixture.until("listUploads", ({ items }) => Array.isArray(items) ? items[0] : undefined);
  check.that(isObject(uploaded));
  check.equal([uploaded.from, uploaded.size], ["lamp", 3]);
  check.equal(await fixture.call("listLinks"), { items: [], next: null });
  check.equal(await fixture.items("listRelays"), [{ name: "default", state: "running", node: null, starts_at: null }]);
  check.equal(await fixture.items("listNodes"), []);
  const { services, scopes, not_ready } = await fixture.call("getOverview");
  check.equal(not_ready, []);
  check.equal(Array.isArray(scopes) && scopes.length, 7);
  check.that(isObject(services) && isObject(services.intermediary) && isObject(services.brain));
  const names = (await fixture.items("listPeers")).map(({ name, type, connected }) => [name, type, connected]);
  check.equal(names, [["lamp", "integration", true], ["Chess", "game", true], ["away & <gone>", "integration", false]]);
  const first = await fixture.call("listIntegrations", { query: { limit: 1 } });
  check.that(typeof first.next === "string" && Array.isArray(first.items) && first.items.length === 1);
  const rest = await fixture.items("listIntegrations", { query: { after: first.next } });
  const ids = [...first.items, ...rest].map((item) => (isObject(item) ? item.id : ""));
  check.that(ids.includes("chess") && ids.includes("lamp"), String(ids));
  lamp.send({ command: "context", data: { silent: true } });
  await fixture.until("listDiagnostics", ({ items }) => Array.isArray(items) ? items[0] : undefined);
  const [found, ...others] = await fixture.items("listDiagnostics", { query: { integration: "lamp", severity: "error" } });
  check.that(isObject(found));
  check.equal([found.integration, found.what, found.count, others], ["lamp", "message_invalid", 1, []]);
  const { registered_actions: actions, address, listener } = await fixture.call("getIntegration", {
    path: { id: "chess" },
  });
  check.equal([address, listener, Array.isArray(actions) && actions.length], ["127.0.0.1", "neuro", 2]);
  check.that(Array.isArray(actions) && isObject(actions[0]));
  check.equal(actions[0], { ...PLAY, upstream_name: "play", shared: false, hidden: false });
}

async function steer(fixture: ApiFixture, chess: Game): Promise<void> {
  const several = { ids: ["chess"], change: { muted: true } };
  check.equal((await fixture.call("updateControlsOfIntegrations", { body: several })).done, 1);
  const path = { id: "chess" };
  check.equal((await fixture.call("decideIntegration", { path, body: { approve: true } })).admission, "approved");
  check.equal((await fixture.call("updateIntegrationControls", { path, body: { paused: true } })).paused, true);
  await fixture.neuro.hear(({ command }) => command === "actions/unregister", "that nothing is left to play");
  const after = await fixture.call("updateIntegrationControls", { path, body: { paused: false, muted: false } });
  check.equal([after.paused, after.visible], [false, true]);
  const asked = fixture.call("sendAction", { path, body: { name: "play", data: { move: "e4" } } });
  const { id, data } = await chess.action("play");
  check.equal(data, '{"move":"e4"}');
  chess.result(id, true, "well played");
  const outcome = await asked;
  check.equal([outcome.success, outcome.message], [true, "well played"]);
  const wrong = await fixture.request("sendAction", { path, body: { name: "play", data: { move: 1 } } });
  check.equal([wrong.status, isObject(wrong.body) && wrong.body.fault], [422, "badMessage"]);
}

async function nallely(fixture: ApiFixture): Promise<void> {
  await using session = openSession();
  await ApiFixture.with(async (other) => {
    await other.until("getNallely", ({ state }) => state === "open" ? true : undefined);
    const body = { parameter: "colour", value: 5 };
    check.equal(await other.call("setNallelyValue", { body }), { status: "set" });
    const { enabled, outputs, settable } = await other.call("getNallely");
    check.equal([enabled, isObject(outputs) && outputs.colour], [true, 5]);
    check.equal(settable, [{ name: "colour", side: "out", min: 0, max: 10 }]);
    const beyond = await other.request("setNallelyValue", { body: { ...body, value: 11 } });
    check.equal([beyond.status, isObject(beyond.body) && beyond.body.fault], [422, "badMessage"]);
    for (const id of ["getNallely", "setNallelyValue"]) fixture.answered.add(id);
  }, [
    "nallely.enabled=true",
    `nallely.url=${session.busUrl}`,
    `nallely.trevor_url=${session.trevorUrl}`,
    "nallely.actions=[{name: set_colour, description: x, parameter: colour, range: [0, 10]}]",
  ]);
}

async function macros(fixture: ApiFixture, chess: Game): Promise<void> {
  const body = { label: "Open with e4", integration: "chess", action: "play", data: { move: "e4" } };
  const saved = await fixture.call("saveMacro", { body });
  check.equal([saved.label, saved.action, saved.data, saved.by], [body.label, "play", '{"move":"e4"}', "web"]);
  check.equal(await fixture.items("listMacros"), [saved]);
  const path = { id: String(saved.id) };
  const run = fixture.call("runMacro", { path });
  chess.result((await chess.action("play")).id, true, "opened");
  check.equal((await run).message, "opened");
  check.equal((await fixture.call("deleteMacro", { path })).status, "deleted");
  check.equal((await fixture.request("runMacro", { path })).status, 404);
}

async function approve(fixture: ApiFixture, chess: Game): Promise<void> {
  check.equal((await fixture.call("getControls")).approval, false);
  check.equal(await fixture.call("updateControls", { body: { approval: true } }), {
    stopped: false,
    approval: true,
    behaviour: null,
  });
  const path = { id: "chess" };
  await fixture.call("updateIntegrationControls", { path, body: { always_allowed: ["play"] } });
  check.equal((await fixture.call("getIntegration", { path })).always_allowed, ["play"]);
  await fixture.call("updateIntegrationControls", { path, body: { always_allowed: [] } });
  for (const approve of [true, false]) {
    const id = fixture.neuro.act("rest");
    const pending = await fixture.until("getOverview", (body) => upstreamOf(body).pending?.[0]);
    check.equal([pending.is, pending.by, pending.action], ["approval", "neuro", "rest"]);
    const decided = { path: { id: String(pending.id) }, body: { approve, ...(!approve && { message: "not now" }) } };
    check.equal((await fixture.call("decidePendingAction", decided)).status, approve ? "approved" : "rejected");
    if (approve) chess.result((await chess.action("rest")).id, true, "rested");
    const { success, message } = await fixture.neuro.resultOf(id);
    check.equal([success, message], approve ? [true, "rested"] : [false, "not now"]);
  }
  check.equal(await fixture.call("updateControls", { body: { approval: false } }), {
    stopped: false,
    approval: false,
    behaviour: null,
  });
}

async function force(fixture: ApiFixture, chess: Game): Promise<void> {
  chess.force("Which move?", ["play"]);
  const open = await fixture.until("getOverview", (body) => upstreamOf(body).force ?? undefined);
  check.equal([open.is, open.integration, open.actions], ["open", "chess", ["play"]]);
  const path = { id: String(open.id) };
  const answer = fixture.call("answerForce", { path, body: { name: "play", data: { move: "d4" } } });
  chess.result((await chess.action("play")).id, true, "good");
  check.equal((await answer).success, true);
  chess.force("And now?", ["rest"]);
  const next = await fixture.until("getOverview", (body) => {
    const { force, waiting = [] } = upstreamOf(body);
    return [...waiting, force].find((one) => one?.query === "And now?") ?? undefined;
  });
  check.equal((await fixture.call("cancelForce", { path: { id: String(next.id) } })).status, "vetoed");
  check.equal((await fixture.request("cancelForce", { path: { id: String(next.id) } })).status, 404);
}

async function speak(fixture: ApiFixture, chess: Game): Promise<void> {
  const message = { command: "speech_finished", data: { n: 1 } };
  await fixture.call("injectIntegrationMessage", { path: { id: "chess" }, body: { message } });
  check.equal(await chess.line.next(({ command }) => command === "speech_finished"), message);
  const path = { id: "neuro" };
  await fixture.call("injectUpstreamMessage", { path, body: { message: { command: "odd", game: "x" } } });
  await fixture.neuro.hear(({ command, game }) => command === "odd" && game === "x", "what was injected");
  const told = await fixture.call("sendContext", { path, body: { message: "It rains.", silent: true } });
  check.equal(told.status, "sent");
  await fixture.neuro.hear(
    ({ command, data }) => command === "context" && data.message.includes("It rains."),
    "the context",
  );
}

async function queue(fixture: ApiFixture, lamp: JsonSocket): Promise<void> {
  const to = "away & <gone>";
  check.equal(await fixture.call("sendCommand", { body: { to: "lamp", cmd: { on: true } } }), { status: "sent" });
  const command = await lamp.next(({ cmd }) => cmd?.on === true);
  check.equal(command.from_watcher, "web");
  check.equal(await fixture.call("sendCommand", { body: { to, cmd: 1 } }), { status: "queued" });
  check.equal((await fixture.items("listQueues")).map((one) => [one.to, one.entries]), [[to, 1]]);
  const [entry] = await fixture.items("listQueueEntries", { path: { recipient: to } });
  check.that(entry !== undefined);
  const path = { id: String(entry.id) };
  const waiting = await fixture.call("getMessage", { path });
  check.equal([waiting.to, waiting.reason, waiting.body], [to, null, { from_watcher: "web", cmd: 1 }]);
  lamp.send({ term: command.id });
  const died = await fixture.until("listDeadLetters", ({ items }) => Array.isArray(items) ? items[0] : undefined);
  check.that(isObject(died));
  const letter = { path: { id: String(died.id) } };
  check.equal((await fixture.call("getMessage", letter)).reason, "terminated");
  check.equal(await fixture.call("retryDeadLetter", letter), { status: "sent" });
  lamp.send({ term: (await lamp.next(({ cmd }) => cmd?.on === true)).id });
  const again = await fixture.until("listDeadLetters", ({ items }) => Array.isArray(items) ? items[0] : undefined);
  check.that(isObject(again) && again.id !== died.id);
  check.equal((await fixture.request("deleteDeadLetter", { path })).status, 404, "what waits is no dead letter");
  await fixture.call("deleteDeadLetter", { path: { id: String(again.id) } });
  await fixture.call("deleteMessage", { path });
  for (const id of ["retryDeadLetters", "deleteDeadLetters"]) {
    check.equal(await fixture.call(id), { done: 0, failed: [], more: false });
  }
  check.equal(await fixture.items("listQueues"), []);
}

async function record(fixture: ApiFixture): Promise<void> {
  const acts = await fixture.items("listAuditEntries", { query: { limit: 1_000 } });
  check.that(acts.every(({ by }) => by === "web"));
  const recorded = new Set(acts.map((act) => act.action));
  for (
    const one of [
      "pause",
      "act",
      "approve",
      "reject",
      "answer",
      "veto",
      "inject",
      "context",
      "send",
      "retry",
      "drop",
      "disconnect",
    ]
  ) {
    check.that(recorded.has(one), `${one} is on record`);
  }
  check.equal(acts.find(({ outcome }) => outcome === "badMessage")?.action, "act");
}

interface Seen {
  readonly force?: JsonObject | null;
  readonly waiting?: readonly JsonObject[];
  readonly pending?: readonly JsonObject[];
}

function upstreamOf({ services }: JsonObject): Seen {
  const neuro = isObject(services) ? services.neuro : undefined;
  const upstreams: Json | undefined = isObject(neuro) ? neuro.upstreams : undefined;
  check.that(Array.isArray(upstreams) && isObject(upstreams[0]));
  return upstreams[0] as Seen; // Why the cast: the shape was checked when it came.
}

test("AP11 the audit log names the token of an operator action", () =>
  ApiFixture.with(async (fixture) => {
    await (await integrate(fixture, "lamp")).close();
    await fixture.call("sendCommand", { body: { to: "lamp", cmd: 1 }, token: TOKENS.all });
    const [act] = await fixture.items("listAuditEntries");
    check.equal([act?.by, act?.action, act?.target, act?.outcome], ["intermediary", "send", "lamp", "done"]);
  }));
