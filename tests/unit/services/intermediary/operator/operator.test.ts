import { test } from "#runner";
import { isObject, type Json } from "../../../../../src/core/json.ts";
import { EVENT_BUFFER_MS } from "../../../../../src/core/limits.ts";
import { check } from "../../../../harness/check.ts";
import { IntermediaryFixture, SETTINGS } from "../fixture.ts";

/** The ids of a page's items. */
function idsOf(page: Json | undefined): string[] {
  check.that(isObject(page) && Array.isArray(page.items));
  return page.items.map((item) => (isObject(item) ? String(item.id) : ""));
}

test("IM34 queued messages and dead letters can be listed, shown, retried and dropped with the scope for it", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.close(fixture.integration("a"));
  for (const n of [1, 2]) fixture.frame(watcher, { target: "a", cmd: n });
  const bytes = 2 * JSON.stringify({ from_watcher: "watcher", cmd: 1 }).length;
  check.equal(fixture.request({ of: "intermediary", get: "queues" }), {
    items: [{ to: "a", entries: 2, bytes, oldest_at: 1_000_000 }],
    next: null,
  });
  const [one = "", two = ""] = idsOf(fixture.request({ of: "intermediary", get: "queueEntries", to: "a" }));
  check.that(one !== "" && two !== "");
  check.equal(fixture.request({ of: "intermediary", get: "queueEntries", to: "nobody" }), { fault: "notFound" });
  check.equal(fixture.request({ of: "intermediary", do: "dropMessage", id: one }, ["watch"]), { fault: "notAllowed" });
  check.equal(fixture.request({ of: "intermediary", do: "dropMessage", id: one, dead: true }), { fault: "notFound" });
  check.equal(fixture.request({ of: "intermediary", do: "dropMessage", id: one }), { status: "dropped" });
  check.equal(fixture.request({ of: "intermediary", do: "dropMessage", id: one }), { fault: "notFound" });
  fixture.request({ of: "intermediary", get: "message", id: two });
  const shown = [...fixture.responses.values()].at(-1);
  const body = { from_watcher: "watcher", cmd: 2 };
  const exp = 1_000_000 + SETTINGS.queue.ttl.command;
  check.equal(shown, {
    id: two,
    to: "a",
    kind: "command",
    created_at: 1_000_000,
    expires_at: exp,
    reason: null,
    dead_at: null,
    body,
  });
  fixture.advance(SETTINGS.queue.ttl.command);
  fixture.request({ of: "intermediary", get: "message", id: two });
  const letter = [...fixture.responses.values()].at(-1);
  check.equal(letter, {
    id: two,
    to: "a",
    kind: "command",
    created_at: 1_000_000,
    expires_at: exp,
    reason: "expired",
    dead_at: exp,
    body,
  });
  fixture.request({ of: "intermediary", do: "retryMessage", id: two });
  check.equal([...fixture.responses.values()].at(-1), { status: "queued" });
  check.equal(fixture.request({ of: "intermediary", get: "deadLetters" }), { items: [], next: null });
  check.equal(fixture.received(fixture.integration("a", {}, "back")), [{ from_watcher: "watcher", cmd: 2 }]);
});

test("IM34b a dead letter that is retried twice at once is sent once", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  fixture.close(fixture.integration("a"));
  fixture.frame(watcher, { target: "a", cmd: 1 });
  fixture.advance(SETTINGS.queue.ttl.command);
  const of = "intermediary";
  const [id = ""] = idsOf(fixture.request({ of, get: "deadLetters" }));
  fixture.isStoring = false;
  for (let times = 0; times < 2; times++) fixture.request({ of, do: "retryMessage", id });
  fixture.store();
  check.equal([...fixture.responses.values()].slice(-2), [{ fault: "notNow" }, { status: "queued" }]);
  fixture.isStoring = true;
  check.equal(fixture.received(fixture.integration("a", {}, "back")), [{ from_watcher: "watcher", cmd: 1 }]);
});

test("IM36 lists have pages with the cursor of the next page", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  for (const name of ["b", "a", "c"]) fixture.close(fixture.integration(name));
  for (const target of ["c", "b", "a", "a", "a"]) fixture.frame(watcher, { target, cmd: 1 });
  const of = "intermediary";
  const whole = (part: { after?: string }, to?: string) => {
    const got: Json[] = [];
    for (let after = part.after, left = 10; left > 0; left--) {
      const page = fixture.request({
        of,
        ...(to ? { get: "queueEntries" as const, to } : { get: "queues" as const }),
        limit: 2,
        ...(after !== undefined && { after }),
      });
      check.that(isObject(page) && Array.isArray(page.items) && page.items.length <= 2);
      got.push(...page.items);
      if (page.next === null) return got;
      after = String(page.next);
    }
    throw new Error("no end");
  };
  check.equal(whole({}).map((item) => isObject(item) && item.to), ["a", "b", "c"]);
  check.equal(whole({ after: "aa" }).map((item) => isObject(item) && item.to), ["b", "c"]);
  const ids = idsOf(fixture.request({ of, get: "queueEntries", to: "a" }));
  check.equal(idsOf({ items: whole({}, "a") }), ids);
  fixture.request({ of, do: "dropMessage", id: ids[1] ?? "" });
  check.equal(idsOf(fixture.request({ of, get: "queueEntries", to: "a", after: ids[1] ?? "" })), [ids[2]]);
  fixture.advance(SETTINGS.queue.ttl.command);
  const first = fixture.request({ of, get: "deadLetters", limit: 3 });
  check.that(isObject(first) && typeof first.next === "string");
  check.equal(idsOf(fixture.request({ of, get: "deadLetters", after: first.next })).length, 1);
  check.equal(
    fixture.request({ of, get: "deadLetters", limit: 4 }, ["watch"]),
    fixture.request({ of, get: "deadLetters" }),
  );
});

test("IM37 IM37b the latest events can be requested, and a request keeps recording for five minutes", () => {
  const fixture = new IntermediaryFixture();
  const recent = (limit = 10) => {
    const events = fixture.request({ of: "intermediary", get: "events", limit });
    check.that(isObject(events) && Array.isArray(events.items));
    return events.items.map((event) => (isObject(event) ? `${event.event} ${event.name}` : ""));
  };
  fixture.integration("before");
  check.equal(recent(), []);
  fixture.close(fixture.integration("a"));
  check.equal(recent(), ["integration_connected a", "integration_disconnected a"]);
  check.equal(recent(1), ["integration_disconnected a"]);
  fixture.request({ of: "intermediary", get: "events", limit: 0, last: true });
  fixture.advance(0);
  check.equal(recent(), [], "a request with last ends the recording");
  fixture.advance(EVENT_BUFFER_MS + 1);
  fixture.integration("unseen");
  check.equal(recent(), []);
  check.equal(fixture.request({ of: "intermediary", get: "events", limit: 1 }, []), { fault: "notAllowed" });
});

test("IM34c a request for an unknown message or recipient is refused with a sentence", () => {
  const fixture = new IntermediaryFixture();
  const of = "intermediary";
  fixture.request({ of, do: "sendCommand", from: "x", to: "nobody", cmd: 1 });
  fixture.request({ of, get: "queueEntries", to: "nobody" });
  fixture.request({ of, get: "message", id: "none" });
  for (const name of ["retryMessage", "dropMessage"] as const) fixture.request({ of, do: name, id: "none" });
  const [stranger, noMessage] = [
    "no integration called nobody was here lately",
    "no queued message or dead letter with this id",
  ];
  check.equal(fixture.reasons, [stranger, stranger, noMessage, noMessage, noMessage]);
});

test("IM34d a command for a connected game is refused with the hint that it is a game", () => {
  const fixture = new IntermediaryFixture();
  const game = { is: "integration_connected_via_backend", name: "Chess", slug: "chess" } as const;
  fixture.receive({ is: "observed", observation: game });
  const watcher = fixture.watcher();
  fixture.repliesTo(watcher);
  const hint = (name: string) =>
    `${name} is a game: commands are for integrations of the Intermediary; send it an action instead`;
  for (const to of ["Chess", "chess"]) {
    fixture.request({ of: "intermediary", do: "sendCommand", from: "x", to, cmd: 1 });
    check.equal(fixture.reasons.at(-1), hint(to));
    fixture.frame(watcher, { target: to, cmd: 1 });
    check.equal(fixture.repliesTo(watcher), [{ error: "invalid target/cmd", hint: hint(to), code: "notFound" }]);
  }
  fixture.receive({ is: "observed", observation: { ...game, is: "integration_disconnected_via_backend" } });
  fixture.request({ of: "intermediary", do: "sendCommand", from: "x", to: "chess", cmd: 1 });
  check.equal(fixture.reasons.at(-1), "no integration called chess was here lately");
});

test("IM38 sending, retrying and dropping are recorded with the operator and the outcome", () => {
  const fixture = new IntermediaryFixture();
  fixture.close(fixture.integration("a"));
  const of = "intermediary";
  for (const to of ["a", "a", "nobody"]) fixture.request({ of, do: "sendCommand", from: "x", to, cmd: 1 });
  const [one = "", two = ""] = idsOf(fixture.request({ of, get: "queueEntries", to: "a" }));
  fixture.request({ of, do: "dropMessage", id: one });
  fixture.advance(SETTINGS.queue.ttl.command);
  fixture.request({ of, do: "retryMessage", id: two });
  const acts = fixture.observations.flatMap((observation) => (observation.is === "operator_acted" ? [observation] : []));
  check.equal(acts.map(({ by, did, to, outcome }) => [by, did, to, outcome]), [
    ["test", "send", "a", "done"],
    ["test", "send", "a", "done"],
    ["test", "send", "nobody", "notFound"],
    ["test", "drop", "a", "done"],
    ["test", "retry", "a", "done"],
  ]);
  const page = fixture.request({ of, get: "audit", limit: 1 });
  check.that(isObject(page) && Array.isArray(page.items) && isObject(page.items[0]) && page.next !== null);
  check.equal(page.items[0].action, "retry");
});

test("IM38b an act whose message has to be stored is recorded after the write succeeded or failed", () => {
  const fixture = new IntermediaryFixture();
  fixture.close(fixture.integration("a"));
  const watcher = fixture.watcher();
  fixture.isStoring = false;
  const acts = () =>
    fixture.observations.flatMap((act) => (act.is === "operator_acted" ? [[act.by, act.did, act.to, act.outcome]] : []));
  const send = (cmd: number) => {
    fixture.request({ of: "intermediary", do: "sendCommand", from: "x", to: "a", cmd });
    fixture.frame(watcher, { target: "a", cmd });
  };
  send(1);
  check.equal(acts(), []);
  fixture.isFailing = true;
  fixture.store();
  const failed = [["test", "send", "a", "storageFailed"], ["watcher watcher", "command", "a", "storageFailed"]];
  check.equal(acts(), failed);
  fixture.isFailing = false;
  send(2);
  fixture.store();
  check.equal(acts(), [...failed, ["test", "send", "a", "done"], ["watcher watcher", "command", "a", "done"]]);
});

test("IM35 an operator can send a command as a watcher does", () => {
  const fixture = new IntermediaryFixture();
  const peer = fixture.integration("a");
  const send = (to: string) => {
    fixture.request({ of: "intermediary", do: "sendCommand", from: "dashboard", to, cmd: { x: 1 } }, ["command"]);
    return [...fixture.responses.values()].at(-1);
  };
  check.equal(send("a"), { status: "sent" });
  check.equal(fixture.received(peer), [{ from_watcher: "dashboard", cmd: { x: 1 } }]);
  fixture.close(peer);
  check.equal(send("a"), { status: "queued" });
  check.equal(send("b"), { fault: "notFound" });
  check.equal(fixture.request({ of: "intermediary", get: "ready" }, []), { ok: true, reasons: [] });
  check.that(isObject(fixture.request({ of: "intermediary", get: "status" }, [])));
});
