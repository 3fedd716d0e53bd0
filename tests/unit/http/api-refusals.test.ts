/** What every operation of the API refuses, and how it says so. */
import { test } from "#runner";
import { connect } from "node:net";
import { FAULTS } from "../../../src/core/fault.ts";
import { isObject, type Json, type JsonObject } from "../../../src/core/json.ts";
import type { Operation } from "../../../src/http/api/operation.ts";
import { OPERATIONS } from "../../../src/http/api/table.ts";
import { check } from "../../harness/check.ts";
import { AppStage, bearer, WEB_TOKEN } from "./app-stage.ts";
import { ApiWorld, type Input, pathOf, type Reply, replyOf, TOKENS } from "./api-world.ts";

/** What each operation takes that has a body. */
const BODIES: Readonly<Record<string, JsonObject>> = {
  controlIntegration: { paused: true },
  controlAll: { approval: false },
  sendAction: { name: "play", data: {} },
  injectBelow: { message: {} },
  answerForce: { name: "play" },
  decidePending: { approve: true, message: "no" },
  injectAbove: { message: {} },
  addContext: { message: "hello", silent: true },
  sendCommand: { to: "nobody", cmd: 1 },
};

const SLUG_LISTS = ["listIntegrations"];

const inputOf = ({ id, body }: Operation): Input => (body === undefined ? {} : { body: BODIES[id] });

/** A problem document, and nothing else. */
function problemOf({ status, headers, body }: Reply, expected: number, about: string): JsonObject {
  check.equal(status, expected, `${about}: ${JSON.stringify(body)}`);
  check.equal(headers.get("content-type"), "application/problem+json");
  check.equal(headers.get("cache-control"), "no-store");
  check.that(isObject(body) && body.status === status && typeof body.title === "string");
  check.that(typeof body.fault === "string" && body.fault in FAULTS);
  check.equal(body.type, `urn:neuro-relay:fault:${body.fault}`);
  return body;
}

test("AP2 without a token, or with one that nobody configured, nothing is done", () =>
  ApiWorld.with(async (world) => {
    for (const operation of OPERATIONS) {
      for (const token of [undefined, "wrong", `${TOKENS.web}x`, "null"]) {
        const reply = await world.ask(operation.id, { ...inputOf(operation), token });
        const { fault } = problemOf(reply, 401, operation.id);
        check.equal([fault, reply.headers.get("www-authenticate")], ["badToken", "Bearer"]);
      }
    }
    const inAddress = await replyOf(await fetch(`${world.web}/api/overview?token=${TOKENS.web}`));
    check.match(String(problemOf(inAddress, 401, "a token in the address").detail), /Authorization: Bearer/);
    check.that(!world.log.some((line) => line.includes(TOKENS.web)));
  }));

test("AP3 a token that does not allow it is told which scope would", () =>
  ApiWorld.with(async (world) => {
    for (const operation of OPERATIONS) {
      for (const [token, allows] of [[TOKENS.work, "integration"], [TOKENS.watch, "watch"]] as const) {
        const reply = await world.ask(operation.id, { ...inputOf(operation), token });
        if (operation.scopes.some((scope) => scope === allows)) {
          check.that(reply.status !== 403, operation.id);
          continue;
        }
        const { fault, detail } = problemOf(reply, 403, operation.id);
        check.equal(fault, "notAllowed");
        for (const scope of operation.scopes) check.match(String(detail), new RegExp(`\\b${scope}\\b`));
        check.match(reply.headers.get("www-authenticate") ?? "", /insufficient_scope/);
      }
    }
    check.equal(await world.items("listActs"), [], "what was not allowed is not on record");
  }));

test("AP4 what is not there is not found, and nothing else is said about it", () =>
  ApiWorld.with(async (world) => {
    for (const operation of OPERATIONS.filter(({ path }) => path.includes("{"))) {
      check.equal(problemOf(await world.ask(operation.id, inputOf(operation)), 404, operation.id).fault, "notFound");
    }
    check.equal((await world.ask("sendCommand", { body: BODIES.sendCommand })).status, 404);
    for (const path of ["/api/nothing", "/api/overview/x", "/api/integrations/a/b/c", "/api//overview", "/api/%E0%A4%A"]) {
      problemOf(await replyOf(await fetch(world.web + path)), 404, path);
    }
  }));

/** Something of another type than any of ours, for every field. */
const WRONG: readonly Json[] = [7, "text", null, [], [{}]];

test("AP5 a body of another type is refused by the name of its field, and so is a field that there is not", () =>
  ApiWorld.with(async (world) => {
    for (const operation of OPERATIONS.filter(({ body }) => body !== undefined)) {
      const good: JsonObject = BODIES[operation.id] ?? {};
      const whole = { ...inputOf(operation) };
      for (const body of [[], "text", 1, null]) {
        problemOf(await world.ask(operation.id, { ...whole, body: JSON.stringify(body) }), 422, `${operation.id} ${body}`);
      }
      const strange = problemOf(
        await world.ask(operation.id, { ...whole, body: { ...good, strange: 1 } }),
        422,
        operation.id,
      );
      check.equal(fieldsOf(strange), ["/strange"]);
      for (const field of Object.keys(good)) {
        for (const value of WRONG) {
          if (operation.body?.safeParse({ ...good, [field]: value }).success) continue;
          const body = { ...good, [field]: value };
          const problem = problemOf(await world.ask(operation.id, { ...whole, body }), 422, `${operation.id} ${field}`);
          check.equal(fieldsOf(problem), [`/${field}`]);
          check.match(String(problem.detail), new RegExp(`^/${field}: `));
        }
      }
    }
    check.equal(await world.items("listActs"), [], "no room was asked");
  }));

const fieldsOf = ({ errors }: JsonObject): Json[] =>
  Array.isArray(errors) ? errors.map((error) => (isObject(error) ? error.field ?? null : null)) : [];

test("AP5 each field of each body has a type that is refused", () => {
  for (const { id, body } of OPERATIONS) {
    if (body === undefined) continue;
    const good: JsonObject = BODIES[id] ?? {};
    check.that(body.safeParse(good).success, id);
    for (const field of Object.keys(good).filter((name) => name !== "data")) {
      check.that(WRONG.some((value) => !body.safeParse({ ...good, [field]: value }).success), `${id} ${field}`);
    }
  }
});

test("AP6 a body that is no JSON, not UTF-8, nested too deeply or of another kind is refused before anybody is asked", () =>
  ApiWorld.with(async (world) => {
    const post = async (path: string, init: RequestInit) =>
      await replyOf(
        await fetch(world.web + path, {
          method: "POST",
          ...init,
          headers: { authorization: `Bearer ${TOKENS.web}`, "content-type": "application/json", ...init.headers },
        }),
      );
    for (const operation of OPERATIONS.filter(({ body }) => body !== undefined)) {
      for (const body of ["", "{", "{'a':1}", '{"a":1}}', "\u0000", "[".repeat(100) + "]".repeat(100)]) {
        problemOf(await world.ask(operation.id, { body }), 400, `${operation.id} ${body}`);
      }
    }
    const deep = problemOf(await world.ask("sendCommand", { body: "[".repeat(65) + "]".repeat(65) }), 400, "depth");
    check.match(String(deep.detail), /nested/);
    problemOf(await post("/api/messages", { body: new Uint8Array([0x22, 0xff, 0x22]) }), 400, "bytes");
    const form = { "content-type": "application/x-www-form-urlencoded" };
    problemOf(await post("/api/messages", { body: "to=a&cmd=1", headers: form }), 415, "a form");
    const json = { "content-type": "Application/JSON; charset=utf-8" };
    problemOf(await post("/api/messages", { body: '{"to":"nobody","cmd":1}', headers: json }), 404, "JSON all the same");
  }));

test("AP6 a body that breaks off is nobody's mistake", () =>
  ApiWorld.with(async (world) => {
    const { hostname, port, host } = new URL(world.web);
    for (const body of ["", '{"to":"nob']) {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => {});
      const head = ["POST /api/messages HTTP/1.1", `Host: ${host}`, `Authorization: Bearer ${TOKENS.web}`];
      socket.write([...head, "Content-Type: application/json", "Content-Length: 100", "", body].join("\r\n"));
      await Bun.sleep(100); // Why: it has to be under way when it breaks off.
      socket.destroy();
    }
    await Bun.sleep(100);
    check.equal(world.log.filter((line) => line.includes("mistake")), []);
    check.equal(await world.items("listActs"), []);
  }));

test("AP7 a body that is too long is not read to its end, whether its length is said or not", () =>
  ApiWorld.with(async (world) => {
    for (const operation of OPERATIONS.filter(({ body }) => body !== undefined)) {
      const long = { body: JSON.stringify({ ...BODIES[operation.id], more: "x".repeat(10_000) }) };
      check.match(String(problemOf(await world.ask(operation.id, long), 413, operation.id).detail), /4096 bytes/);
    }
    const answer = await dribble(world.web, 60);
    check.match(answer, /^HTTP\/1\.1 413 /);
  }, ["limits.message_bytes=4096"]));

/** Sends pieces of a kilobyte without a length until it is answered, at most so many; resolves with the answer. */
function dribble(web: string, most: number): Promise<string> {
  const { hostname, port, host } = new URL(web);
  const socket = connect(Number(port), hostname);
  const head = ["POST /api/messages HTTP/1.1", `Host: ${host}`, `Authorization: Bearer ${TOKENS.web}`];
  const kind = ["Content-Type: application/json", "Transfer-Encoding: chunked", "", ""];
  socket.write([...head, ...kind].join("\r\n"));
  return new Promise((resolve, reject) => {
    let sent = 0;
    const timer = setInterval(() => {
      if (sent++ < most) socket.write(`400\r\n${" ".repeat(1_024)}\r\n`);
      else {
        clearInterval(timer);
        socket.destroy();
        reject(new Error("no answer while it was still sending"));
      }
    }, 5);
    socket.on("error", () => {});
    socket.on("data", (answer) => {
      clearInterval(timer);
      socket.destroy();
      resolve(String(answer));
    });
  });
}

test("AP8 a place to go on from that is none, and a number of items that is none, are refused by name", () =>
  ApiWorld.with(async (world) => {
    for (const operation of OPERATIONS.filter(({ parameters }) => "limit" in parameters.query)) {
      for (const limit of [0, -1, 1_001, "x", "", 1.5, "1e3", "9".repeat(400)]) {
        const problem = problemOf(await world.ask(operation.id, { query: { limit } }), 400, `${operation.id} ${limit}`);
        check.equal(fieldsOf(problem), ["limit"]);
      }
      const cursors = operation.id === "listQueues"
        ? ["", "x".repeat(513)]
        : ["", "../x", "a b", "\u0000", "1".repeat(200)];
      for (const after of cursors) {
        const problem = problemOf(await world.ask(operation.id, { query: { after } }), 400, `${operation.id} ${after}`);
        check.equal(fieldsOf(problem), ["after"]);
      }
      const after = SLUG_LISTS.includes(operation.id) ? "zzz" : "1700000000000-0000000001";
      const path = operation.path.includes("{") ? 404 : 200;
      check.equal((await world.ask(operation.id, { query: { after, limit: 1_000 } })).status, path, operation.id);
    }
    for (const operation of OPERATIONS) {
      const odd = problemOf(await world.ask(operation.id, { ...inputOf(operation), query: { odd: 1 } }), 400, operation.id);
      check.equal(fieldsOf(odd), ["odd"]);
    }
  }));

test("AP9 another method is told which there are; HEAD is answered like GET, without a body", () =>
  ApiWorld.with(async (world) => {
    const headers = { authorization: `Bearer ${TOKENS.web}` };
    const paths = Map.groupBy(OPERATIONS, ({ path }) => path);
    for (const [path, operations] of paths) {
      const url = world.web + pathOf(operations[0]?.id ?? "", {});
      const methods: string[] = operations.map(({ method }) => method);
      const allow = [...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
      const options = await fetch(url, { method: "OPTIONS", headers });
      check.equal([options.status, options.headers.get("allow")], [204, allow], path);
      check.equal(options.headers.get("access-control-allow-origin"), null);
      const reply = await replyOf(await fetch(url, { method: "PUT", headers }));
      problemOf(reply, 405, path);
      check.equal(reply.headers.get("allow"), allow, path);
      const head = await fetch(url, { method: "HEAD", headers });
      const expected = methods.includes("GET") ? (path.includes("{") ? 404 : 200) : 405;
      check.equal([head.status, await head.text()], [expected, ""], path);
    }
    for (const path of ["/api", "/api/openapi.json"]) {
      check.equal((await fetch(world.web + path, { method: "HEAD" })).status, 200);
      const reply = await replyOf(await fetch(world.web + path, { method: "POST", headers }));
      check.equal([reply.status, reply.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
    }
  }));

test("AP12 a page of another origin is refused, whatever token it has", () =>
  ApiWorld.with(async (world) => {
    const headers = { authorization: `Bearer ${TOKENS.web}`, origin: "https://elsewhere.example" };
    const response = await fetch(`${world.web}/api/overview`, { headers });
    check.equal([response.status, response.headers.get("access-control-allow-origin")], [403, null]);
    const own = { ...headers, origin: world.web };
    check.equal((await fetch(`${world.web}/api/overview`, { headers: own })).status, 200);
  }));

test("AP13 a room that is not there has no operations", () =>
  ApiWorld.with(async (world) => {
    for (const { id, service } of OPERATIONS) {
      if (service === "intermediary") problemOf(await world.ask(id, { body: BODIES[id] }), 404, id);
    }
    const { services } = await world.get("getOverview");
    check.equal(Object.keys(isObject(services) ? services : {}).sort(), ["brain", "neuro"]);
  }, ["intermediary.enabled=false"]));

test("AP14 only whoever may do it, and has said what, may wait for an integration to answer", async () => {
  const app = new AppStage();
  const path = "/api/integrations/x/actions";
  const json = { "content-type": "application/json" };
  const send = async (token: string, body: string) =>
    (await app.ask("web", path, { method: "POST", body, headers: { ...json, ...bearer(token).headers } })).status;
  check.equal([await send("wrong", '{"name":"play"}'), await send(WEB_TOKEN, "{"), app.lingering.length], [401, 400, 0]);
  check.equal([await send(WEB_TOKEN, '{"name":"play"}'), app.lingering], [200, [path]]);
});

test("AP15 while the relay stops it takes on nothing new, and still says how it is", async () => {
  const app = new AppStage();
  app.isDraining = true;
  const pause = {
    method: "PATCH",
    body: "{}",
    headers: { "content-type": "application/json", ...bearer(WEB_TOKEN).headers },
  };
  const reply = await replyOf(await app.ask("web", "/api/controls", pause));
  check.equal(problemOf(reply, 503, "a change").fault, "restarting");
  check.equal((await app.ask("web", "/api/overview", bearer(WEB_TOKEN))).status, 200);
});
