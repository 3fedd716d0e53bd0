/** Filters of lists, and one command for several items. */
import { test } from "#runner";
import { Game, integrate } from "../../conformance/clients.ts";
import { check } from "../../harness/check.ts";
import { ApiFixture, TOKENS } from "./api-fixture.ts";

test("AP79 dead letters are listed, retried and deleted by recipient, kind and reason", () =>
  ApiFixture.with(async (fixture) => {
    const [lamp, fan] = [await integrate(fixture, "lamp"), await integrate(fixture, "fan")];
    const kill = async (client: typeof lamp, to: string, count: number) => {
      for (let at = 0; at < count; at++) {
        await fixture.call("sendCommand", { body: { to, cmd: { at } } });
        client.send({ term: (await client.next(({ cmd }) => cmd?.at === at)).id });
      }
    };
    await kill(lamp, "lamp", 3);
    await kill(fan, "fan", 2);
    const deadOf = async (query: Record<string, string>) => (await fixture.items("listDeadLetters", { query })).length;
    await fixture.until("listDeadLetters", ({ items }) => Array.isArray(items) && items.length === 5 ? true : undefined);
    check.equal([await deadOf({ to: "lamp" }), await deadOf({ reason: "terminated" }), await deadOf({ kind: "context" })], [
      3,
      5,
      0,
    ]);
    const retried = await fixture.call("retryDeadLetters", { query: { to: "lamp" } });
    check.equal(retried, { done: 3, failed: [], more: false });
    check.equal([await deadOf({ to: "lamp" }), await deadOf({ to: "fan" })], [0, 2]);
    check.equal(await fixture.call("deleteDeadLetters", { query: { to: "fan", kind: "command" } }), {
      done: 2,
      failed: [],
      more: false,
    });
    check.equal(await deadOf({}), 0);
    const refused = await fixture.request("deleteDeadLetters", { token: TOKENS.watch });
    check.equal(refused.status, 403);
    const acts = async (query: Record<string, string | number>) =>
      (await fixture.items("listAuditEntries", { query })).length;
    check.equal([await acts({ action: "retry" }), await acts({ action: "drop" })], [3, 2]);
    check.equal([await acts({ action: "retry", until: 1 }), await acts({ action: "retry", since: 1 })], [0, 3]);
    check.equal([await acts({ by: "nobody" }), await acts({ outcome: "notFound" })], [0, 0]);
  }));

test("AP80 integrations are listed by their state, and controlled together; each failure is named", () =>
  ApiFixture.with(async (fixture) => {
    for (const name of ["Chess", "Go"]) (await Game.join(fixture, name)).register(`play_${name.toLowerCase()}`);
    await integrate(fixture, "lamp");
    await fixture.neuro.knows("play_chess", "play_go");
    const ids = async (query: Record<string, string>) =>
      (await fixture.items("listIntegrations", { query })).map(({ id }) => id);
    check.equal([await ids({ listener: "neuro" }), await ids({ connected: "false" })], [["chess", "go"], []]);
    const body = { ids: ["chess", "nobody", "go"], change: { paused: true } };
    const outcome = await fixture.call("updateControlsOfIntegrations", { body });
    check.equal([outcome.done, outcome.more], [2, false]);
    check.equal(outcome.failed, [{ id: "nobody", fault: "notFound", detail: "no integration has the id nobody" }]);
    check.equal([await ids({ paused: "true" }), await ids({ paused: "false" })], [["chess", "go"], ["lamp"]]);
    const wrong = await fixture.request("listIntegrations", { query: { paused: "maybe" } });
    check.equal(wrong.status, 400);
  }));
