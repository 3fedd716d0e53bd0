/** The requests that every operation of the API refuses, and the form of the refusal. */
import { test } from "#runner";
import { connect } from "node:net";
import { PROBLEM_NAMES } from "../../../src/http/problem.ts";
import { isObject, type Json, type JsonObject } from "../../../src/core/json.ts";
import type { ApiOperation } from "../../../src/http/api/operation.ts";
import { OPERATIONS as ALL_OPERATIONS } from "../../../src/http/api/operations.ts";
import { check } from "../../harness/check.ts";
import { AppFixture, bearer, WEB_TOKEN } from "./app-fixture.ts";
import { ApiFixture, type OperationRequest, type ParsedResponse, pathOf, replyOf, TOKENS } from "./api-fixture.ts";

/** What each operation takes that has a body. */
/** Those of the services that are enabled by default. */
const OPERATIONS = ALL_OPERATIONS.filter(({ service }) => service !== "nallely");

const BODIES: Readonly<Record<string, JsonObject>> = {
  updateIntegrationControls: { paused: true },
  decideIntegration: { approve: true },
  updateControls: { approval: false },
  updateControlsOfIntegrations: { ids: ["nobody"], change: { paused: true } },
  sendAction: { name: "play", data: {} },
  injectIntegrationMessage: { message: {} },
  answerForce: { name: "play" },
  decidePendingAction: { approve: true, message: "no" },
  injectUpstreamMessage: { message: {} },
  shutDownIntegration: { how: "cancel" },
  shutDownIntegrations: { how: "cancel" },
  reregisterIntegration: { clear: false },
  reregisterIntegrations: { clear: false },
  sendContext: { message: "hello", silent: true },
  sendCommand: { to: "nobody", cmd: 1 },
  saveMacro: { label: "x", integration: "nobody", action: "play" },
  issueToken: { use: "brain", name: "x" },
  rotateToken: { overlap_ms: 1 },
  setNallelyValue: { parameter: "mood", value: 1 },
};

const SLUG_LISTS = ["listIntegrations", "listDiagnostics"];

const inputOf = ({ id, body }: ApiOperation): OperationRequest => (body === undefined ? {} : { body: BODIES[id] });

/** A problem document, and nothing else. */
function problemOf({ status, headers, body }: ParsedResponse, expected: number, about: string): JsonObject {
  check.equal(status, expected, `${about}: ${JSON.stringify(body)}`);
  check.equal(headers.get("content-type"), "application/problem+json");
  check.equal(headers.get("cache-control"), "no-store");
  check.that(isObject(body) && body.status === status && typeof body.title === "string");
  check.that(typeof body.fault === "string" && PROBLEM_NAMES.some((name) => name === body.fault));
  check.equal(body.type, `urn:neuro-relay:fault:${body.fault}`);
  return body;
}

test("AP2 a request without a token, or with an unknown one, does nothing", () =>
  ApiFixture.with(async (fixture) => {
    for (const operation of OPERATIONS) {
      for (const token of [undefined, "wrong", `${TOKENS.web}x`, "null"]) {
        const reply = await fixture.request(operation.id, { ...inputOf(operation), token });
        const { fault } = problemOf(reply, 401, operation.id);
        check.equal([fault, reply.headers.get("www-authenticate")], ["badToken", "Bearer"]);
      }
    }
    const inAddress = await replyOf(await fetch(`${fixture.web}/api/overview?token=${TOKENS.web}`));
    check.match(String(problemOf(inAddress, 401, "a token in the address").detail), /Authorization: Bearer/);
    check.that(!fixture.log.some((line) => line.includes(TOKENS.web)));
  }));

test("AP3 a token without the required scope is refused with the name of that scope", () =>
  ApiFixture.with(async (fixture) => {
    for (const operation of OPERATIONS) {
      for (const [token, allows] of [[TOKENS.work, "integration"], [TOKENS.watch, "watch"]] as const) {
        const reply = await fixture.request(operation.id, { ...inputOf(operation), token });
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
    check.equal(await fixture.items("listAuditEntries"), [], "the audit log has no refused request");
  }));

test("AP4 a resource that does not exist is a 404 that reveals nothing else", () =>
  ApiFixture.with(async (fixture) => {
    for (const operation of OPERATIONS.filter(({ path }) => path.includes("{"))) {
      check.equal(problemOf(await fixture.request(operation.id, inputOf(operation)), 404, operation.id).fault, "notFound");
    }
    check.equal((await fixture.request("sendCommand", { body: BODIES.sendCommand })).status, 404);
    for (const path of ["/api/nothing", "/api/overview/x", "/api/integrations/a/b/c", "/api//overview", "/api/%E0%A4%A"]) {
      problemOf(await replyOf(await fetch(fixture.web + path)), 404, path);
    }
  }));

/** Something of another type than any of ours, for every field. */
const WRONG: readonly Json[] = [7, "text", null, [], [{}]];

test("AP5 a field of a wrong type, and an unknown field, are refused by name", () =>
  ApiFixture.with(async (fixture) => {
    for (const operation of OPERATIONS.filter(({ body }) => body !== undefined)) {
      const good: JsonObject = BODIES[operation.id] ?? {};
      const whole = { ...inputOf(operation) };
      for (const body of [[], "text", 1, null]) {
        problemOf(
          await fixture.request(operation.id, { ...whole, body: JSON.stringify(body) }),
          422,
          `${operation.id} ${body}`,
        );
      }
      const strange = problemOf(
        await fixture.request(operation.id, { ...whole, body: { ...good, strange: 1 } }),
        422,
        operation.id,
      );
      check.equal(fieldsOf(strange), ["/strange"]);
      for (const field of Object.keys(good)) {
        for (const value of WRONG) {
          if (operation.body?.safeParse({ ...good, [field]: value }).success) continue;
          const body = { ...good, [field]: value };
          const problem = problemOf(
            await fixture.request(operation.id, { ...whole, body }),
            422,
            `${operation.id} ${field}`,
          );
          // Why the rest: in a list the wrong item is named.
          check.equal(fieldsOf(problem).map((name) => String(name).replace(/\/\d+$/, "")), [`/${field}`]);
          check.match(String(problem.detail), new RegExp(`^/${field}(?:/\\d+)?: `));
        }
      }
    }
    check.equal(await fixture.items("listAuditEntries"), [], "no service received a request");
  }));

const fieldsOf = ({ errors }: JsonObject): Json[] =>
  Array.isArray(errors) ? errors.map((error) => (isObject(error) ? error.field ?? null : null)) : [];

test("AP5 every field of every body rejects some type", () => {
  for (const { id, body } of OPERATIONS) {
    // Why not a context: it is read as one of a game is, and repaired (AP62).
    if (body === undefined || id === "sendContext") continue;
    const good: JsonObject = BODIES[id] ?? {};
    check.that(body.safeParse(good).success, id);
    for (const field of Object.keys(good).filter((name) => name !== "data")) {
      check.that(WRONG.some((value) => !body.safeParse({ ...good, [field]: value }).success), `${id} ${field}`);
    }
  }
});

test("AP6 a body that is not JSON, not UTF-8, nested too deeply or of another media type is refused", () =>
  ApiFixture.with(async (fixture) => {
    const post = async (path: string, init: RequestInit) =>
      await replyOf(
        await fetch(fixture.web + path, {
          method: "POST",
          ...init,
          headers: { authorization: `Bearer ${TOKENS.web}`, "content-type": "application/json", ...init.headers },
        }),
      );
    for (const operation of OPERATIONS.filter(({ body }) => body !== undefined)) {
      for (const body of ["", "{", "{'a':1}", '{"a":1}}', "\u0000", "[".repeat(100) + "]".repeat(100)]) {
        problemOf(await fixture.request(operation.id, { body }), 400, `${operation.id} ${body}`);
      }
    }
    const deep = problemOf(await fixture.request("sendCommand", { body: "[".repeat(65) + "]".repeat(65) }), 400, "depth");
    check.match(String(deep.detail), /nested/);
    problemOf(await post("/api/messages", { body: new Uint8Array([0x22, 0xff, 0x22]) }), 400, "bytes");
    const form = { "content-type": "application/x-www-form-urlencoded" };
    problemOf(await post("/api/messages", { body: "to=a&cmd=1", headers: form }), 415, "a form");
    const json = { "content-type": "Application/JSON; charset=utf-8" };
    problemOf(await post("/api/messages", { body: '{"to":"nobody","cmd":1}', headers: json }), 404, "JSON all the same");
  }));

test("AP6b an interrupted body is not an internal error", () =>
  ApiFixture.with(async (fixture) => {
    const { hostname, port, host } = new URL(fixture.web);
    for (const body of ["", '{"to":"nob']) {
      const socket = connect(Number(port), hostname);
      socket.on("error", () => {});
      const head = ["POST /api/messages HTTP/1.1", `Host: ${host}`, `Authorization: Bearer ${TOKENS.web}`];
      socket.write([...head, "Content-Type: application/json", "Content-Length: 100", "", body].join("\r\n"));
      await Bun.sleep(100); // Why: it has to be under way when it breaks off.
      socket.destroy();
    }
    await Bun.sleep(100);
    check.equal(fixture.log.filter((line) => line.includes("mistake")), []);
    check.equal(await fixture.items("listAuditEntries"), []);
  }));

test("AP7 a body that is too large is not read to its end, whether its length is declared or not", () =>
  ApiFixture.with(async (fixture) => {
    for (const operation of OPERATIONS.filter(({ body }) => body !== undefined)) {
      const long = { body: JSON.stringify({ ...BODIES[operation.id], more: "x".repeat(10_000) }) };
      check.match(String(problemOf(await fixture.request(operation.id, long), 413, operation.id).detail), /4096 bytes/);
    }
    const answer = await dribble(fixture.web, 60);
    check.match(answer, /^HTTP\/1\.1 413 /);
  }, ["limits.message_bytes=4096"]));

/** Sends chunks of 1 KiB without a content length until the reply arrives, up to a maximum; resolves with the reply. */
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

test("AP8 an invalid cursor, an invalid limit and an unknown parameter are refused by name", () =>
  ApiFixture.with(async (fixture) => {
    for (const operation of OPERATIONS.filter(({ parameters }) => "limit" in parameters.query)) {
      for (const limit of [0, -1, 1_001, "x", "", 1.5, "1e3", "9".repeat(400)]) {
        const problem = problemOf(
          await fixture.request(operation.id, { query: { limit } }),
          400,
          `${operation.id} ${limit}`,
        );
        check.equal(fieldsOf(problem), ["limit"]);
      }
      const cursors = operation.id === "listQueues"
        ? ["", "x".repeat(513)]
        : ["", "../x", "a b", "\u0000", "1".repeat(200)];
      for (const after of cursors) {
        const problem = problemOf(
          await fixture.request(operation.id, { query: { after } }),
          400,
          `${operation.id} ${after}`,
        );
        check.equal(fieldsOf(problem), ["after"]);
      }
      const after = SLUG_LISTS.includes(operation.id) ? "zzz" : "1700000000000-0000000001";
      const path = operation.path.includes("{") ? 404 : 200;
      check.equal((await fixture.request(operation.id, { query: { after, limit: 1_000 } })).status, path, operation.id);
    }
    for (const operation of OPERATIONS) {
      const odd = problemOf(
        await fixture.request(operation.id, { ...inputOf(operation), query: { odd: 1 } }),
        400,
        operation.id,
      );
      check.equal(fieldsOf(odd), ["odd"]);
    }
  }));

test("AP9 AP78 another method is refused with the allowed ones; HEAD is GET without a body", () =>
  ApiFixture.with(async (fixture) => {
    const headers = { authorization: `Bearer ${TOKENS.web}` };
    const paths = Map.groupBy(OPERATIONS, ({ path }) => path);
    for (const [path, operations] of paths) {
      const url = fixture.web + pathOf(operations[0]?.id ?? "", {});
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
      check.equal((await fetch(fixture.web + path, { method: "HEAD" })).status, 200);
      const reply = await replyOf(await fetch(fixture.web + path, { method: "POST", headers }));
      check.equal([reply.status, reply.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
    }
  }));

test("AP12 a page of another origin is refused, whatever its token", () =>
  ApiFixture.with(async (fixture) => {
    const headers = { authorization: `Bearer ${TOKENS.web}`, origin: "https://elsewhere.example" };
    const response = await fetch(`${fixture.web}/api/overview`, { headers });
    check.equal([response.status, response.headers.get("access-control-allow-origin")], [403, null]);
    const own = { ...headers, origin: fixture.web };
    check.equal((await fetch(`${fixture.web}/api/overview`, { headers: own })).status, 200);
  }));

test("AP13 a disabled service has no operations", () =>
  ApiFixture.with(async (fixture) => {
    for (const { id, service } of OPERATIONS) {
      if (service === "intermediary") problemOf(await fixture.request(id, { body: BODIES[id] }), 404, id);
    }
    const { services } = await fixture.call("getOverview");
    check.equal(Object.keys(isObject(services) ? services : {}).sort(), ["brain", "neuro"]);
  }, ["intermediary.enabled=false"]));

test("AP14 a request can take longer than the timeout only after its token and body were accepted", async () => {
  const app = new AppFixture();
  const path = "/api/integrations/x/actions";
  const json = { "content-type": "application/json" };
  const send = async (token: string, body: string) =>
    (await app.fetch("web", path, { method: "POST", body, headers: { ...json, ...bearer(token).headers } })).status;
  check.equal([await send("wrong", '{"name":"play"}'), await send(WEB_TOKEN, "{"), app.untimedPaths.length], [401, 400, 0]);
  check.equal([await send(WEB_TOKEN, '{"name":"play"}'), app.untimedPaths], [200, [path]]);
});

test("AP15 during shutdown changes are refused and reads still work", async () => {
  const app = new AppFixture();
  app.isDraining = true;
  const pause = {
    method: "PATCH",
    body: "{}",
    headers: { "content-type": "application/json", ...bearer(WEB_TOKEN).headers },
  };
  const reply = await replyOf(await app.fetch("web", "/api/controls", pause));
  check.equal(problemOf(reply, 503, "a change").fault, "restarting");
  check.equal((await app.fetch("web", "/api/overview", bearer(WEB_TOKEN))).status, 200);
});
