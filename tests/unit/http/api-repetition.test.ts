/** Changes that are repeated, responses that have not changed, and compressed ones. */
import { test } from "#runner";
import { isObject } from "../../../src/core/json.ts";
import { Game } from "../../conformance/clients.ts";
import { check } from "../../harness/check.ts";
import { ApiFixture, type ParsedResponse, replyOf, TOKENS } from "./api-fixture.ts";

interface Change {
  readonly key?: string;
  readonly body?: object;
  readonly token?: string;
}

const change = (
  { web }: ApiFixture,
  path: string,
  { key, body = {}, token = TOKENS.web }: Change,
): Promise<Response> =>
  fetch(`${web}/api/${path}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
      ...(key !== undefined && { "idempotency-key": key }),
    },
    body: JSON.stringify(body),
  });

test("AP74 a change with an Idempotency-Key is carried out once, also while the first one is running", () =>
  ApiFixture.with(async (fixture) => {
    const chess = await Game.join(fixture, "Chess");
    chess.register("play");
    await fixture.neuro.knows("play");
    const path = "integrations/chess/actions";
    const one = { key: "a-key", body: { name: "play" } };
    const asked = [change(fixture, path, one), change(fixture, path, one)];
    chess.result((await chess.action("play")).id, true, "done");
    const [first, second] = await Promise.all(asked);
    const [reply, repeated] = [
      await replyOf(first as Response),
      await replyOf(second as Response),
    ];
    check.that(isObject(reply.body));
    check.equal([reply.status, reply.body.message, repeated.body], [
      200,
      "done",
      reply.body,
    ]);
    const replays = [reply, repeated].map(({ headers }) => headers.get("idempotency-replayed"));
    check.equal(replays.sort(), ["true", null].sort());
    const later = await replyOf(await change(fixture, path, one));
    check.equal([later.body, later.headers.get("idempotency-replayed")], [
      reply.body,
      "true",
    ]);
    const counts = await fixture.call("getIntegration", {
      path: { id: "chess" },
    });
    check.that(isObject(counts.counts));
    check.equal(counts.counts.actions, 1, "it was sent once");
    const other = await replyOf(
      await change(fixture, path, { key: "a-key", body: { name: "rest" } }),
    );
    check.equal([other.status, isObject(other.body) && other.body.fault], [
      422,
      "idempotencyMismatch",
    ]);
    const foreign = await change(fixture, path, {
      key: "a-key",
      body: { name: "play" },
      token: TOKENS.watch,
    });
    check.equal(foreign.status, 403, "a token gets no response of another one");
  }));

test("AP75 a failure that may pass is not kept, a refusal is; a malformed key is refused", () =>
  ApiFixture.with(async (fixture) => {
    const one = { key: "k", body: { to: "nobody", cmd: 1 } };
    const refused = await replyOf(await change(fixture, "messages", one));
    const again = await replyOf(await change(fixture, "messages", one));
    check.equal([
      refused.status,
      again.status,
      again.headers.get("idempotency-replayed"),
    ], [404, 404, "true"]);
    for (const key of ["", "a b", "x".repeat(129)]) {
      const { status, body } = await replyOf(
        await change(fixture, "messages", { ...one, key }),
      );
      check.equal([status, isObject(body) && body.fault], [
        400,
        "malformedRequest",
      ]);
    }
  }));

test("AP76 a response that has not changed is 304 for its ETag, compressed or not", () =>
  ApiFixture.with(async ({ web }) => {
    const get = (headers: Record<string, string>) =>
      fetch(`${web}/api/integrations`, {
        headers: { authorization: `Bearer ${TOKENS.watch}`, ...headers },
      });
    const first = await get({});
    const etag = first.headers.get("etag") ?? "";
    check.match(etag, /^(?:W\/)?"[0-9a-f]{32}"$/);
    for (
      const tag of [etag, `"x", ${etag}`, "*", `W/${etag.replace("W/", "")}`]
    ) {
      const same = await get({ "if-none-match": tag });
      check.equal([same.status, await same.text()], [304, ""], tag);
    }
    check.equal((await get({ "if-none-match": '"x"' })).status, 200);
  }));

test("AP76b the ETag of the overview is the same as long as nothing but its times changes", () =>
  ApiFixture.with(async (fixture) => {
    const get = (headers: Record<string, string> = {}) =>
      fetch(`${fixture.web}/api/overview`, {
        headers: { authorization: `Bearer ${TOKENS.watch}`, ...headers },
      });
    let etag = "";
    // Why repeated: the relay of the test may still be connecting to its Neuro.
    for (let [status, end] = [0, performance.now() + 8_000]; status !== 304;) {
      check.that(
        performance.now() < end,
        "the tag is the same for two requests",
      );
      etag = (await get()).headers.get("etag") ?? "";
      check.match(etag, /^W\/"[0-9a-f]{32}"$/);
      await new Promise((resolve) => setTimeout(resolve, 5));
      status = (await get({ "if-none-match": etag })).status;
    }
    const stop = { path: {}, body: { stopped: true } };
    await fixture.call("updateControls", stop);
    check.equal((await get({ "if-none-match": etag })).status, 200);
  }));

/** Changes the controls of one integration, or of all, on the condition of a tag. */
async function changeIf(
  { web }: ApiFixture,
  path: string,
  { tag, to }: { readonly tag: string | null; readonly to: object },
): Promise<ParsedResponse> {
  const response = await fetch(`${web}/api/${path}`, {
    method: "PATCH",
    headers: {
      authorization: `Bearer ${TOKENS.web}`,
      "content-type": "application/json",
      ...(tag !== null && { "if-match": tag }),
    },
    body: JSON.stringify(to),
  });
  return await replyOf(response);
}

const tagAt = async ({ web }: ApiFixture, path: string): Promise<string> => {
  const { headers } = await fetch(`${web}/api/${path}`, { headers: { authorization: `Bearer ${TOKENS.watch}` } });
  return headers.get("etag") ?? "";
};

test("AP83 a change of controls with If-Match is refused once another operator has changed them, with the current ETag", () =>
  ApiFixture.with(async (fixture) => {
    const chess = await Game.join(fixture, "Chess");
    chess.register("play", "rest");
    await fixture.neuro.knows("rest");
    const quiet = await tagAt(fixture, "integrations/chess");
    chess.say("context", { message: "White is better.", silent: true });
    let busy = quiet;
    for (const end = performance.now() + 8_000; busy === quiet && performance.now() < end;) {
      busy = await tagAt(fixture, "integrations/chess");
    }
    check.that(busy !== quiet);
    check.equal(busy.split("-")[0], quiet.split("-")[0], "counters do not matter");
    const bothOf = [
      ["integrations/chess", { always_allowed: ["play"] }, { always_allowed: ["rest"] }],
      ["controls", { stopped: true }, { approval: true }],
    ] as const;
    for (const [path, first, second] of bothOf) {
      const tag = await tagAt(fixture, path);
      check.equal((await changeIf(fixture, path, { tag: `"other", ${tag}`, to: first })).status, 200, path);
      const late = await changeIf(fixture, path, { tag, to: second });
      check.equal([late.status, isObject(late.body) && late.body.fault], [412, "outdated"], path);
      const current = late.headers.get("etag") ?? "";
      const decided = current.split("-")[0];
      check.equal(decided, (await tagAt(fixture, path)).split("-")[0], path);
      check.that(decided !== tag.split("-")[0]);
      check.equal((await changeIf(fixture, path, { tag: current, to: second })).status, 200, path);
      for (const any of ["*", null]) check.equal((await changeIf(fixture, path, { tag: any, to: {} })).status, 200, path);
      for (const wrong of ["", "x", '"', `W/"${"0".repeat(16)}"`]) {
        check.equal((await changeIf(fixture, path, { tag: wrong, to: first })).status, 412, wrong);
      }
    }
    const { items } = await fixture.call("listAuditEntries");
    check.that(JSON.stringify(items).includes('"outdated"'));
  }));

test("AP83b a change without such a condition refuses If-Match", () =>
  ApiFixture.with(async (fixture) => {
    const { status, body } = await changeIf(fixture, "integrations", { tag: '"x"', to: { ids: [], change: {} } });
    check.equal([status, isObject(body) && body.fault], [400, "malformedRequest"]);
  }));

test("AP77 responses are compressed for clients that accept it", () =>
  ApiFixture.with(async ({ web }) => {
    const get = (encoding: string) =>
      fetch(`${web}/api/openapi.json`, {
        headers: { "accept-encoding": encoding },
        decompress: false,
      });
    const [plain, small] = [await get("identity"), await get("gzip")];
    check.equal([
      plain.headers.get("content-encoding"),
      small.headers.get("content-encoding"),
    ], [null, "gzip"]);
    const [length, compressed] = [
      (await plain.text()).length,
      new Uint8Array(await small.arrayBuffer()),
    ];
    check.that(
      compressed.length < length / 3,
      `${compressed.length} of ${length}`,
    );
    check.equal(
      new TextDecoder().decode(Bun.gunzipSync(compressed)).length,
      length,
    );
    check.match(small.headers.get("vary") ?? "", /accept-encoding/i);
  }));
