/** The Brain with the original's own clients: their requests, their timeouts, and their weaknesses. */
import { test } from "#runner";
import { brain } from "../../../src/services/brain/mod.ts";
import { supervise } from "../../../src/relay/mod.ts";
import { check } from "../../harness/check.ts";
import { Client, type Running, testSettings, withRelay } from "./bun-relay.ts";

const withBrain = (run: (relay: Running) => Promise<void>): Promise<void> =>
  withRelay(testSettings((change) => (change.brain.artifact = "built-in")), run, { services: [supervise(brain)] });

/** A client that matches replies by their order: each snapshot resolves the oldest call, and an error resolves none. */
class Page {
  session: string | undefined;
  readonly #socket: WebSocket;
  readonly #pending: ((state: unknown) => void)[] = [];
  #opened: () => void = () => {};

  constructor(url: string, owner: string) {
    this.#socket = new WebSocket(url);
    this.#socket.onopen = () => this.#send({ cmd: "CreateSession", owner });
    this.#socket.onmessage = ({ data }) => {
      const { type, session_id, state } = JSON.parse(String(data));
      if (type === "SessionCreated") {
        this.session = session_id;
        this.#opened();
      }
      if (type === "State.Snapshot") this.#pending.shift()?.(state);
    };
  }

  /** Rejects if there is no session after 1.2 s, like the original client. */
  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opened = resolve;
      setTimeout(() => reject(new Error("no session in time")), 1_200);
    });
  }

  apply(operator: string, params: object): Promise<unknown> {
    return new Promise((resolve) => {
      this.#pending.push(resolve);
      this.#send({ cmd: "ApplyOperator", session_id: this.session, operator, params });
    });
  }

  close(): void {
    this.#socket.close();
  }

  #send(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }
}

test("BR24 BR24b BR24c any path, query, subprotocol and local origin is accepted, a message of 1 MiB, and nothing larger", async () => {
  await withBrain(async ({ urls, connect }) => {
    const page = { origin: "http://localhost:5173" };
    for (const path of ["/", "/any/path?x=1", "/?token=", "/brain"]) {
      const socket = await connect("brain", { path, headers: page, protocols: ["foo"] });
      check.equal(JSON.parse(await socket.ask('{"cmd":"Ping"}')), { type: "Pong" });
    }
    const socket = await connect("brain");
    const frame = (bytes: number): string => `{"cmd":"${"x".repeat(bytes - 10)}"}`;
    check.equal(JSON.parse(await socket.ask(frame(1_048_576))), { error: "unknown command" });
    socket.send(frame(1_048_577));
    check.equal((await socket.closed).code, 1009);
    const plain = await fetch(urls.brain.replace(/^ws/, "http"));
    check.equal([plain.status, plain.headers.get("content-type")?.split(";")[0]], [426, "text/plain"]);
  });
});

test("BR25 a page that matches replies by their order gets its own, while others use its session", async () => {
  await withBrain(async ({ urls }) => {
    const [page, other] = [new Page(urls.brain, "nexus-memory"), new Page(urls.brain, "nexus-dual")];
    await Promise.all([page.ready(), other.ready()]);
    other.session = page.session;
    const [first, theirs, second] = await Promise.all([
      page.apply("ST", { changes: { tick: 1 } }),
      other.apply("ST", { changes: { theirs: 1 } }),
      page.apply("CH", { changes: { mood: "calm" } }),
    ]);
    check.equal([(first as { tick: number }).tick, (theirs as { theirs: number }).theirs], [1, 1]);
    check.equal((second as { mood: string }).mood, "calm");
    for (const each of [page, other]) each.close();
  });
});

test("BR25 each envelope without a command gets one error reply", async () => {
  await withBrain(async ({ connect }) => {
    const bridge = await connect("brain");
    const envelope = { schema: "world.envelope@v1", kind: "memory.write", id: "1", payload: { text: "x" } };
    for (let count = 0; count < 20; count++) bridge.send(JSON.stringify(envelope));
    for (let count = 0; count < 20; count++) check.equal(JSON.parse(await bridge.next()), { error: "unknown command" });
    check.equal(JSON.parse(await bridge.ask('{"cmd":"Ping"}')), { type: "Pong" });
  });
});

test("BR25 a client can create a session at each of 50 reconnects", async () => {
  await withBrain(async ({ urls }) => {
    for (let count = 0; count < 50; count++) {
      const socket = await Client.connect(urls.brain);
      check.equal(JSON.parse(await socket.ask('{"cmd":"CreateSession","owner":"nexus-ui"}')).type, "SessionCreated");
      socket.socket.close();
    }
  });
});
