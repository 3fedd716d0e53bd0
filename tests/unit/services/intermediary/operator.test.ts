/** What may be asked of the Intermediary from outside. */
import { test } from "#runner";
import { isObject, type Json } from "../../../../src/core/json.ts";
import { EVENT_BUFFER_MS } from "../../../../src/core/limits.ts";
import { check } from "../../../harness/check.ts";
import { Desk, SETTINGS } from "./fixture.ts";

/** The ids of a page's items. */
function idsOf(page: Json | undefined): string[] {
  check.that(isObject(page) && Array.isArray(page.items));
  return page.items.map((item) => (isObject(item) ? String(item.id) : ""));
}

test("IM34 the queue and its dead letters can be listed, shown, retried and dropped by whoever may", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.close(desk.integration("a"));
  for (const n of [1, 2]) desk.frame(watcher, { target: "a", cmd: n });
  const bytes = 2 * JSON.stringify({ from_watcher: "watcher", cmd: 1 }).length;
  check.equal(desk.ask({ of: "intermediary", get: "queues" }), {
    items: [{ to: "a", entries: 2, bytes, at: 1_000_000 }],
    next: null,
  });
  const [one = "", two = ""] = idsOf(desk.ask({ of: "intermediary", get: "queueEntries", to: "a" }));
  check.that(one !== "" && two !== "");
  check.equal(desk.ask({ of: "intermediary", get: "queueEntries", to: "nobody" }), { fault: "notFound" });
  check.equal(desk.ask({ of: "intermediary", do: "dropMessage", id: one }, ["watch"]), { fault: "notAllowed" });
  check.equal(desk.ask({ of: "intermediary", do: "dropMessage", id: one, dead: true }), { fault: "notFound" });
  check.equal(desk.ask({ of: "intermediary", do: "dropMessage", id: one }), { status: "dropped" });
  check.equal(desk.ask({ of: "intermediary", do: "dropMessage", id: one }), { fault: "notFound" });
  desk.ask({ of: "intermediary", get: "message", id: two });
  const shown = [...desk.answers.values()].at(-1);
  const body = { from_watcher: "watcher", cmd: 2 };
  const exp = 1_000_000 + SETTINGS.queue.ttl.command;
  check.equal(shown, { id: two, to: "a", kind: "command", at: 1_000_000, exp, why: null, died: null, body });
  desk.pass(SETTINGS.queue.ttl.command);
  desk.ask({ of: "intermediary", get: "message", id: two });
  const letter = [...desk.answers.values()].at(-1);
  check.equal(letter, { id: two, to: "a", kind: "command", at: 1_000_000, exp, why: "expired", died: exp, body });
  desk.ask({ of: "intermediary", do: "retryMessage", id: two });
  check.equal([...desk.answers.values()].at(-1), { status: "queued" });
  check.equal(desk.ask({ of: "intermediary", get: "deadLetters" }), { items: [], next: null });
  check.equal(desk.seen(desk.integration("a", {}, "back")), [{ from_watcher: "watcher", cmd: 2 }]);
});

test("IM34 a dead letter that two people retry at once goes to its recipient once", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  desk.close(desk.integration("a"));
  desk.frame(watcher, { target: "a", cmd: 1 });
  desk.pass(SETTINGS.queue.ttl.command);
  const of = "intermediary";
  const [id = ""] = idsOf(desk.ask({ of, get: "deadLetters" }));
  desk.isStoring = false;
  for (let times = 0; times < 2; times++) desk.ask({ of, do: "retryMessage", id });
  desk.store();
  check.equal([...desk.answers.values()].slice(-2), [{ fault: "notNow" }, { status: "queued" }]);
  desk.isStoring = true;
  check.equal(desk.seen(desk.integration("a", {}, "back")), [{ from_watcher: "watcher", cmd: 1 }]);
});

test("IM36 lists come in pages: so many items, and by what to get the rest", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  for (const name of ["b", "a", "c"]) desk.close(desk.integration(name));
  for (const target of ["c", "b", "a", "a", "a"]) desk.frame(watcher, { target, cmd: 1 });
  const of = "intermediary";
  const whole = (part: { after?: string }, to?: string) => {
    const got: Json[] = [];
    for (let after = part.after, left = 10; left > 0; left--) {
      const page = desk.ask({
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
  const ids = idsOf(desk.ask({ of, get: "queueEntries", to: "a" }));
  check.equal(idsOf({ items: whole({}, "a") }), ids);
  desk.ask({ of, do: "dropMessage", id: ids[1] ?? "" });
  check.equal(idsOf(desk.ask({ of, get: "queueEntries", to: "a", after: ids[1] ?? "" })), [ids[2]]);
  desk.pass(SETTINGS.queue.ttl.command);
  const first = desk.ask({ of, get: "deadLetters", limit: 3 });
  check.that(isObject(first) && typeof first.next === "string");
  check.equal(idsOf(desk.ask({ of, get: "deadLetters", after: first.next })).length, 1);
  check.equal(desk.ask({ of, get: "deadLetters", limit: 4 }, ["watch"]), desk.ask({ of, get: "deadLetters" }));
});

test("IM37 the last events can be asked for, and whoever asks watches for a while", () => {
  const desk = new Desk();
  const recent = (limit = 10) => {
    const events = desk.ask({ of: "intermediary", get: "events", limit });
    check.that(Array.isArray(events));
    return events.map((event) => (isObject(event) ? `${event.event} ${event.name}` : ""));
  };
  desk.integration("before");
  check.equal(recent(), []);
  desk.close(desk.integration("a"));
  check.equal(recent(), ["integration_connected a", "integration_disconnected a"]);
  check.equal(recent(1), ["integration_disconnected a"]);
  desk.ask({ of: "intermediary", get: "events", limit: 0, last: true });
  desk.pass(0);
  check.equal(recent(), [], "who has asked for the last time watches no more");
  desk.pass(EVENT_BUFFER_MS + 1);
  desk.integration("unseen");
  check.equal(recent(), []);
  check.equal(desk.ask({ of: "intermediary", get: "events", limit: 1 }, []), { fault: "notAllowed" });
});

test("IM34 what there is not is refused with a sentence", () => {
  const desk = new Desk();
  const of = "intermediary";
  desk.ask({ of, do: "sendCommand", from: "x", to: "nobody", cmd: 1 });
  desk.ask({ of, get: "queueEntries", to: "nobody" });
  desk.ask({ of, get: "message", id: "none" });
  for (const name of ["retryMessage", "dropMessage"] as const) desk.ask({ of, do: name, id: "none" });
  const [stranger, noMessage] = [
    "no integration called nobody was here lately",
    "no queued message or dead letter with this id",
  ];
  check.equal(desk.reasons, [stranger, stranger, noMessage, noMessage, noMessage]);
});

test("IM38 what a person sends, retries or drops is noted, with who did it and what came of it", () => {
  const desk = new Desk();
  desk.close(desk.integration("a"));
  const of = "intermediary";
  for (const to of ["a", "a", "nobody"]) desk.ask({ of, do: "sendCommand", from: "x", to, cmd: 1 });
  const [one = "", two = ""] = idsOf(desk.ask({ of, get: "queueEntries", to: "a" }));
  desk.ask({ of, do: "dropMessage", id: one });
  desk.pass(SETTINGS.queue.ttl.command);
  desk.ask({ of, do: "retryMessage", id: two });
  const acts = desk.observations.flatMap((observation) => (observation.is === "operator_acted" ? [observation] : []));
  check.equal(acts.map(({ by, did, to, outcome }) => [by, did, to, outcome]), [
    ["test", "send", "a", "done"],
    ["test", "send", "a", "done"],
    ["test", "send", "nobody", "notFound"],
    ["test", "drop", one, "done"],
    ["test", "retry", two, "done"],
  ]);
  const page = desk.ask({ of, get: "audit", limit: 1 });
  check.that(isObject(page) && Array.isArray(page.items) && isObject(page.items[0]) && page.next !== null);
  check.equal(page.items[0].did, "retry");
});

test("IM35 a command can be given from outside, as a watcher gives it", () => {
  const desk = new Desk();
  const peer = desk.integration("a");
  const send = (to: string) => {
    desk.ask({ of: "intermediary", do: "sendCommand", from: "dashboard", to, cmd: { x: 1 } }, ["command"]);
    return [...desk.answers.values()].at(-1);
  };
  check.equal(send("a"), { status: "sent" });
  check.equal(desk.seen(peer), [{ from_watcher: "dashboard", cmd: { x: 1 } }]);
  desk.close(peer);
  check.equal(send("a"), { status: "queued" });
  check.equal(send("b"), { fault: "notFound" });
  check.equal(desk.ask({ of: "intermediary", get: "ready" }, []), { ok: true, waits: [] });
  check.that(isObject(desk.ask({ of: "intermediary", get: "status" }, [])));
});
