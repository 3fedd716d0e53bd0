/** The typed client of the Brain, against the real relay, and the example that uses it. */
import { test } from "#runner";
import { brain } from "../../../src/services/brain/mod.ts";
import { BrainClient, BrainError, type Change, type SocketLike } from "../../../src/clients/brain.ts";
import { CALLS_MAX } from "../../../src/clients/calls.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import { supervise } from "../../../src/relay/mod.ts";
import { check } from "../../harness/check.ts";
import { type Running, testSettings, withRelay } from "../runtimes/bun-relay.ts";
import { join } from "node:path";
import { ROOT } from "../../harness/machine.ts";

const withBrain = (run: (relay: Running) => Promise<void>): Promise<void> =>
  withRelay(testSettings((change) => (change.brain.artifact = "built-in")), run, { services: [supervise(brain)] });

/** Sockets that a test can cut. */
function cuttable(): { openSocket: (url: string) => SocketLike; cut: () => void; dials: () => number } {
  const sockets: WebSocket[] = [];
  const openSocket = (url: string): SocketLike => {
    const socket = new WebSocket(url);
    sockets.push(socket);
    return socket;
  };
  return { openSocket, cut: () => sockets.at(-1)?.terminate(), dials: () => sockets.length };
}

const QUICK = { backoff: { baseMs: 1, capMs: 5 }, timeoutMs: 5_000 };

test("BR92 each call gets its own reply, and an error ends only its own call", async () => {
  await withBrain(async ({ urls }) => {
    using client = new BrainClient(urls.brain, QUICK);
    const session = await client.createSession({ owner: "x", initialState: { a: 1 } });
    const calls = [
      client.apply(session, "ST", { params: { changes: { b: 2 } } }),
      client.apply(session, "NOPE"),
      client.getState(session),
      client.getState("nope"),
      client.infer({ math: "6 / 3" }, "t"),
    ] as const;
    const [applied, unknown, now, missing, inferred] = await Promise.allSettled(calls);
    check.equal(applied.status === "fulfilled" && applied.value, { state: { a: 1, b: 2 }, seq: 1 });
    check.equal(now.status === "fulfilled" && now.value, { state: { a: 1, b: 2 }, seq: 1 });
    check.that(inferred.status === "fulfilled" && typeof inferred.value.value === "number");
    for (const each of [unknown, missing]) check.that(each.status === "rejected" && each.reason instanceof BrainError);
    const conflict = await client.apply(session, "ST", { ifSeq: 0 }).catch((error: unknown) => error);
    check.that(conflict instanceof BrainError && conflict.code === "VersionConflict" && conflict.reply["seq"] === 1);
    const child = await client.fork(session, { atSeq: 0 });
    check.equal((await client.getState(child)).state, { a: 1 });
    const macro = await client.applyMacro(child, "m", { steps: [{ name: "XYZ", params: { key: "c", value: 3 } }] });
    check.equal(macro.state, { a: 1, c: 3 });
    check.equal(await client.replay(session), { ok: true, firstMismatch: null });
    const kinds: unknown[] = [];
    for await (const { type } of client.audit(session)) kinds.push(type);
    check.equal(kinds, ["SessionCreated", "OperatorApplied", "SessionForked"]);
    await client.seal(child);
    const sealed = await client.apply(child, "ST").catch((error: unknown) => error);
    check.that(sealed instanceof BrainError && sealed.code === "SessionSealed");
    await client.closeSession(session);
    check.equal(client.pending, 0);
  });
});

test("BR92e a call because of which the relay closes the connection is sent once, and the others are answered", async () => {
  const change = testSettings((settings) => {
    settings.brain.artifact = "built-in";
    settings.limits.message_bytes = 4_096;
  });
  await withRelay(change, async ({ urls }) => {
    const { openSocket, dials } = cuttable();
    using client = new BrainClient(urls.brain, { ...QUICK, openSocket });
    const session = await client.createSession();
    const large = client.getState("x".repeat(5_000)).catch((error: unknown) => error);
    const small = client.getState(session);
    const error = await large;
    check.that(error instanceof BrainError && error.code === "tooBig", String(error));
    check.equal((await small).seq, 0);
    check.equal(dials(), 2);
  }, { services: [supervise(brain)] });
});

test("BR92d an unanswered call ends at its deadline, and all calls end when the client is closed", async () => {
  const silent: SocketLike = { send() {}, close() {}, onopen: null, onmessage: null, onclose: null, onerror: null };
  const client = new BrainClient("ws://nowhere", { openSocket: () => silent, timeoutMs: 20 });
  const late = await client.getState("x").catch((error: unknown) => error);
  check.that(late instanceof BrainError && late.code === "TimedOut");
  const open = client.getState("x").catch((error: unknown) => error);
  client.close();
  const closed = await open;
  check.that(closed instanceof BrainError && closed.code === "Closed");
  const after = await client.getState("x").catch((error: unknown) => error);
  check.that(after instanceof BrainError && after.code === "Closed", "a call to a closed client ends at once");
});

test("BR92b a call beyond the limit is refused and not sent", async () => {
  let sent = 0;
  const silent: SocketLike = {
    send: () => void sent++,
    close() {},
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
  };
  const client = new BrainClient("ws://nowhere", { openSocket: () => silent });
  silent.onopen?.({} as never);
  const calls = Array.from({ length: CALLS_MAX }, () => client.getState("x").catch((error: unknown) => error));
  const refused = await client.getState("x").catch((error: unknown) => error);
  check.that(refused instanceof BrainError && refused.code === "Busy");
  check.equal(sent, CALLS_MAX);
  client.close();
  await Promise.all(calls);
});

test("BR92c replies without request_id, as from the original, are matched by their order", async () => {
  const socket: SocketLike = { send() {}, close() {}, onopen: null, onmessage: null, onclose: null, onerror: null };
  using client = new BrainClient("ws://original", { openSocket: () => socket, ...QUICK });
  socket.onopen?.({} as never);
  const [first, second] = [client.createSession(), client.call({ cmd: "nope" }).catch((error: unknown) => error)];
  for (const reply of [{ type: "SessionCreated", session_id: "s" }, { error: "unknown command" }]) {
    socket.onmessage?.({ data: JSON.stringify(reply) } as never);
  }
  check.equal(await first, "s");
  check.match(String(await second), /unknown command/);
});

test("BR93 the client reconnects, and operators are applied once although their replies were lost", async () => {
  await withBrain(async ({ urls }) => {
    const { openSocket, cut, dials } = cuttable();
    using client = new BrainClient(urls.brain, { openSocket, ...QUICK });
    const session = await client.createSession();
    const calls = Array.from({ length: 200 }, async (_, at) => {
      if (at % 50 === 25) cut();
      await new Promise((resolve) => setImmediate(resolve));
      return client.apply(session, "ST", { params: { changes: { [`k${at}`]: at } } });
    });
    await Promise.all(calls);
    cut();
    const lost = client.createSession().then(() => "made", (error: unknown) => error);
    const fate = await lost;
    check.that(fate === "made" || (fate instanceof BrainError && fate.code === "Lost"));
    const { state, seq } = await client.getState(session);
    check.equal([Object.keys(state).length, seq], [200, 200]);
    check.that(dials() >= 2);
  });
});

test("BR94 a subscription survives a lost connection and reports missed changes", async () => {
  await withBrain(async ({ urls }) => {
    const { openSocket, cut } = cuttable();
    using follower = new BrainClient(urls.brain, { openSocket, ...QUICK });
    using other = new BrainClient(urls.brain, QUICK);
    const session = await other.createSession();
    const heard: Change[] = [];
    let wake = (): void => {};
    const until = async (passes: () => boolean): Promise<void> => {
      while (!passes()) await new Promise<void>((resolve) => (wake = resolve));
    };
    const stop = await follower.subscribe(session, (change) => {
      heard.push(change);
      wake();
    });
    const change = (changes: Record<string, number>) => other.apply(session, "ST", { params: { changes } });
    await change({ a: 1 });
    await until(() => heard.length === 1);
    check.equal(heard[0], { session, seq: 1, operator: "ST", changes: { a: 1 }, removed: [], missed: false });
    cut();
    await change({ b: 2 });
    await until(() => heard.length === 2);
    check.equal(heard[1]?.seq, 2);
    check.equal(heard[1]?.missed === true ? heard[1].changes : { a: 1, ...heard[1]?.changes }, { a: 1, b: 2 });
    await follower.apply(session, "ST", { params: { changes: { own: 1 } } });
    await change({ c: 3 });
    await until(() => heard.length === 3);
    check.equal(heard[2]?.changes, { c: 3 });
    stop();
    await follower.getState(session);
    await change({ d: 4 });
    await follower.getState(session);
    check.equal(heard.length, 3);
    const unknown = await follower.subscribe("nope", () => {}).catch((error: unknown) => error);
    check.that(unknown instanceof BrainError);
  });
});

interface Script {
  readonly client: BrainClient;
  say(frame: JsonObject): void;
  /** Waits for the request of this number, answers it, and lets the client read the answer. */
  reply(count: number, body: JsonObject): Promise<void>;
  /** Loses the connection; the client reconnects automatically. */
  lose(): void;
}

/** A client on a socket of which the test is the other end. */
function scripted(): Script {
  const sockets: SocketLike[] = [];
  const sent: JsonObject[] = [];
  const openSocket = (): SocketLike => {
    const nothing = { close() {}, onopen: null, onmessage: null, onclose: null, onerror: null };
    const socket: SocketLike = { ...nothing, send: (text) => void sent.push(JSON.parse(String(text))) };
    sockets.push(socket);
    queueMicrotask(() => socket.onopen?.({} as never));
    return socket;
  };
  const client = new BrainClient("ws://script", { openSocket, ...QUICK });
  const say = (frame: JsonObject): void => sockets.at(-1)?.onmessage?.({ data: JSON.stringify(frame) } as never);
  return {
    client,
    say,
    reply: async (count, body) => {
      while (sent.length < count) await Bun.sleep(1);
      say({ ...body, request_id: sent[count - 1]?.["request_id"] ?? null });
      await Bun.sleep(1);
    },
    lose: () => sockets.at(-1)?.onclose?.({} as never),
  };
}

test("BR94c after a State.Gap a follower gets the whole state, then later changes, and nothing twice", async () => {
  const { client, say, reply } = scripted();
  const heard: Change[] = [];
  const subscribing = client.subscribe("s", (change) => heard.push(change));
  await reply(1, { type: "Subscribed", session_id: "s", seq: 0 });
  await subscribing;
  const delta = (seq: number) => say({ type: "State.Delta", session_id: "s", seq, operator: "ST", changes: { seq } });
  const gap = (seq: number) => say({ type: "State.Gap", session_id: "s", seq, missed: 1 });
  const snapshot = (seq: number) => ({ type: "State.Snapshot", session_id: "s", state: { seq, whole: true }, seq });
  delta(1);
  gap(3);
  delta(4);
  gap(6);
  delta(7);
  check.equal(heard.map(({ seq }) => seq), [1]);
  await reply(2, snapshot(4));
  check.equal(heard.length, 1, "something was missed again since then");
  await reply(3, { error: "storage failure: for now", code: "StorageFailed" });
  check.equal(heard.length, 1, "it is asked for again");
  await reply(4, snapshot(6));
  delta(8);
  check.equal(heard.map(({ seq, missed }) => [seq, missed]), [[1, false], [6, true], [7, false], [8, false]]);
  check.equal(heard[1]?.changes, { seq: 6, whole: true });
  client.close();
});

test("BR94d a state that the relay refuses for good is asked for once, and the subscription ends with the error", async () => {
  const { client, say, reply } = scripted();
  const ended: BrainError[] = [];
  const subscribing = client.subscribe("s", () => {}, (error) => ended.push(error));
  await reply(1, { type: "Subscribed", session_id: "s", seq: 0 });
  await subscribing;
  say({ type: "State.Gap", session_id: "s", seq: 3, missed: 1 });
  await reply(2, { error: "limit exceeded: reply_bytes", code: "LimitExceeded" });
  check.equal(ended.map(({ code }) => code), ["LimitExceeded"]);
  check.equal(client.pending, 0);
  client.close();
});

test("BR94b the client's own operation after a reconnect does not hide earlier changes by others", async () => {
  const { client, reply, lose } = scripted();
  const heard: Change[] = [];
  const subscribing = client.subscribe("s", (change) => heard.push(change));
  await reply(1, { type: "Subscribed", session_id: "s", seq: 3 });
  await subscribing;
  lose();
  const applying = client.apply("s", "ST");
  await reply(2, { type: "State.Snapshot", session_id: "s", state: {}, seq: 5 });
  check.equal((await applying).seq, 5);
  await reply(3, { type: "Subscribed", session_id: "s", seq: 5 });
  await reply(4, { type: "State.Snapshot", session_id: "s", state: { theirs: 1 }, seq: 5 });
  check.equal(heard.map(({ seq, missed, changes }) => [seq, missed, changes]), [[5, true, { theirs: 1 }]]);
  client.close();
});

test("BR96 a connection that carries nothing any more is probed, given up and replaced", async () => {
  const sockets: SocketLike[] = [];
  const sent: JsonObject[] = [];
  const openSocket = (): SocketLike => {
    const number = sockets.length;
    const socket: SocketLike = {
      send(data) {
        const message = JSON.parse(String(data));
        sent.push({ number, cmd: message.cmd });
        if (number === 0) return; // The first connection is silent.
        const reply = { type: "State.Snapshot", session_id: "s", state: {}, seq: 1, request_id: message.request_id };
        queueMicrotask(() => socket.onmessage?.({ data: JSON.stringify(reply) } as never));
      },
      close() {},
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
    };
    sockets.push(socket);
    queueMicrotask(() => socket.onopen?.({} as never));
    return socket;
  };
  using client = new BrainClient("ws://silent", { ...QUICK, openSocket, keepalive: { idleMs: 20, answerMs: 20 } });
  check.equal((await client.getState("s")).seq, 1);
  check.equal(sent.slice(0, 3), [
    { number: 0, cmd: "GetState" },
    { number: 0, cmd: "Ping" },
    { number: 1, cmd: "GetState" },
  ]);
});

test("BR92 the example runs", async () => {
  await withBrain(async ({ urls }) => {
    const program = Bun.spawn([process.execPath, join(ROOT, "examples/brain-client.ts"), urls.brain], {
      stdout: "pipe",
    });
    const said = await new Response(program.stdout).text();
    check.equal(await program.exited, 0);
    check.match(said, /event 1: changed {"mood":"calm"}\n/);
    check.match(said, /refused: CovenantRefused\n0 SessionCreated\n1 OperatorApplied\n2 OperatorRefused\npredicted \d/);
  });
});
