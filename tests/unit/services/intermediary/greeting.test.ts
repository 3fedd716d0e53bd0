import { test } from "#runner";
import { DEFAULTS, PUBLISHED_TOKEN } from "../../../../src/core/defaults.ts";
import { isObject, type Json } from "../../../../src/core/json.ts";
import { TAKEOVER_GRACE_MS } from "../../../../src/core/limits.ts";
import type { Settings, TokenSettings } from "../../../../src/core/settings.ts";
import { TEST_CONNECTION } from "../../../../src/testing/service-harness.ts";
import { check } from "../../../harness/check.ts";
import { Desk, ENHANCED, SETTINGS, TOKEN } from "./fixture.ts";

const withTokens = (tokens: readonly TokenSettings[], settings: Settings = SETTINGS): Settings => ({
  ...settings,
  intermediary: { ...settings.intermediary, tokens },
});

/** What a greeting is told, and by which fault it is closed. */
function greet(
  frame: string | object,
  settings: Settings = SETTINGS,
): { readonly told: Json[]; readonly fault: string | undefined } {
  const desk = new Desk({ settings });
  const peer = desk.open("p");
  desk.frame(peer, frame);
  return { told: desk.seen(peer), fault: desk.closed.get(peer) };
}

test("IM1 an integration that greets gets no reply; watchers and Neuro's side hear of it", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  const spotify = desk.integration("spotify");
  check.equal(desk.seen(spotify), []);
  check.equal(desk.events(watcher), [
    { event: "neuroos_connected", name: "watcher", privileges: "standard" },
    { event: "integration_connected", name: "spotify" },
  ]);
  check.equal(desk.tells, [{ is: "integrationJoined", peer: spotify, name: "spotify", connection: TEST_CONNECTION }]);
  desk.close(spotify);
  check.equal(desk.events(watcher), [{ event: "integration_disconnected", name: "spotify" }]);
  check.equal(desk.tells.at(-1), { is: "integrationLeft", peer: spotify });
});

test("IM2 with ack an integration is told its session, and from then on every message has an id", () => {
  const desk = new Desk();
  const peer = desk.integration("a", { ack: true });
  const [registered] = desk.seen(peer);
  check.that(isObject(registered) && typeof registered.session === "string");
  check.equal({ ...registered, session: "" }, { event: "registered", name: "a", session: "" });
  desk.tell({ is: "neuroMessage", peer, message: { command: "action", id: "x", name: "play" } });
  desk.frame(desk.watcher(), { target: "a", cmd: 1 });
  desk.frame(peer, { query: "get_registered_actions" });
  const ids = desk.seen(peer).map((frame) => isObject(frame) && typeof frame.id);
  check.equal(ids, ["string", "string", "string"]);
});

test("IM3 refusals say why: what is no JSON, the token, the type, in this order", () => {
  const badJson = { error: "registration must be JSON", code: "badGreeting" };
  for (const frame of ["hello", "[]", "1", "null", '"x"', "{", "[".repeat(3_000)]) {
    check.equal(greet(frame), { told: [badJson], fault: "badGreeting" });
  }
  check.equal(greet({ type: "nonsense", auth_token: "wrong" }), {
    told: [{ error: "invalid auth token", code: "badToken" }],
    fault: "badToken",
  });
  check.equal(greet({ type: "nonsense", auth_token: TOKEN }), {
    told: [{ error: "unknown registration type", code: "badGreeting" }],
    fault: "badGreeting",
  });
});

test("IM3 a greeting of more than 4 KiB is refused, whatever it says", () => {
  const long = { type: "integration", name: "a", auth_token: TOKEN, more: "ä".repeat(2_048) };
  check.equal(greet(long).fault, "badGreeting");
  check.equal(greet({ ...long, more: "a".repeat(3_900) }).fault, undefined);
});

test("IM4 who does not greet in time is told and closed; at most so many may be silent at a time", () => {
  const desk = new Desk({ settings: { ...SETTINGS, limits: { ...SETTINGS.limits, unauthenticated: 2 } } });
  const [one, two, three] = [desk.open("1"), desk.open("2"), desk.open("3")];
  check.equal(desk.closed.get(three), "tooManyPeers");
  desk.frame(two, { type: "integration", name: "two", auth_token: TOKEN });
  desk.pass(SETTINGS.limits.greeting);
  check.equal([desk.closed.get(one), desk.closed.get(two)], ["noGreeting", undefined]);
  check.equal(desk.seen(one), [{ error: "no registration in time", code: "noGreeting" }]);
});

test("IM5 a missing token is never equal to a missing setting", () => {
  const settings = { ...SETTINGS, "dependency-authentication": { "neuro-os": { auth_token: undefined } } };
  for (const auth_token of [undefined, null, "", 0, false, [], {}, "undefined", "null"]) {
    for (const type of ["integration", "neuro-os"]) {
      check.equal(greet({ type, name: "x", auth_token }, settings).fault, "badToken", JSON.stringify(auth_token));
    }
  }
});

test("IM5 an empty setting takes an empty token, or a greeting without one, on loopback only; null never", () => {
  const empty = (host: string): Settings => ({
    ...DEFAULTS,
    intermediary: { ...DEFAULTS.intermediary, auth_token: "", host },
  });
  const fault = (host: string, auth_token: Json | undefined) =>
    greet({ type: "integration", name: "x", auth_token }, empty(host)).fault;
  for (const host of ["127.0.0.1", "localhost", "::1"]) {
    check.equal([fault(host, ""), fault(host, undefined), fault(host, null)], [undefined, undefined, "badToken"]);
  }
  check.equal([fault("0.0.0.0", ""), fault("0.0.0.0", undefined)], ["badToken", "badToken"]);
});

test("IM6 the plain token makes a standard watcher, the enhanced one an enhanced watcher and no integration; equal ones both", () => {
  const desk = new Desk();
  const boss = desk.watcher("boss", ENHANCED);
  check.equal(desk.events(boss), [{ event: "neuroos_connected", name: "boss", privileges: "enhanced" }]);
  check.equal(greet({ type: "integration", name: "x", auth_token: ENHANCED }), {
    told: [{ error: "not allowed", needs: "integration", code: "notAllowed" }],
    fault: "notAllowed",
  });
  const same = new Desk({
    settings: { ...SETTINGS, "dependency-authentication": { "neuro-os": { auth_token: TOKEN } } },
  });
  check.equal(same.events(same.watcher()).map(({ privileges }) => privileges), ["enhanced"]);
  same.integration("x");
  check.equal(same.closed.size, 0);
});

test("IM7 a token of its own allows what it says, to the names it says", () => {
  const settings = withTokens([{ name: "music", token: "m", scopes: ["integration"], names: ["spotify*", "*-radio-*"] }]);
  const fault = (type: string, name: string) => greet({ type, name, auth_token: "m" }, settings).fault;
  check.equal([fault("integration", "spotify"), fault("integration", "my-radio-1")], [undefined, undefined]);
  check.equal([fault("integration", "chess"), fault("integration", "radio")], ["notAllowed", "notAllowed"]);
  check.equal(fault("neuro-os", "spotify"), "notAllowed");
});

test("IM8 a token that is taken away closes who came by it, and leaves the others", () => {
  const settings = withTokens([{ name: "guest", token: "g", scopes: ["integration", "watch"], names: [] }]);
  const desk = new Desk({ settings });
  const guest = desk.open("guest");
  desk.frame(guest, { type: "integration", name: "guest", auth_token: "g" });
  const host = desk.integration("host");
  desk.step({ is: "configured", settings: SETTINGS });
  check.equal([desk.closed.get(guest), desk.closed.get(host)], ["badToken", undefined]);
  desk.open("again");
  desk.step({ is: "frame", peer: guest, frame: "late" });
});

test("IM15 the web port's token greets under any name with every scope, a published one on this machine only, an empty one never", () => {
  const settings = (token: string, host = "127.0.0.1", plain = TOKEN): Settings => ({
    ...SETTINGS,
    intermediary: { ...SETTINGS.intermediary, host, auth_token: plain },
    web: { ...SETTINGS.web, token },
  });
  const desk = new Desk({ settings: settings("page") });
  check.equal(desk.events(desk.watcher("x", "page")), [{ event: "neuroos_connected", name: "x", privileges: "enhanced" }]);
  const watch = { type: "neuro-os", name: "x" };
  check.equal(greet({ ...watch, auth_token: PUBLISHED_TOKEN }, settings(PUBLISHED_TOKEN)).fault, undefined);
  check.equal(greet({ ...watch, auth_token: PUBLISHED_TOKEN }, settings(PUBLISHED_TOKEN, "0.0.0.0")).fault, "badToken");
  check.equal(greet({ ...watch, auth_token: "" }, settings("")).fault, "badToken");
  // Why: an empty setting makes a standard watcher; that the web port has no token must not make it more.
  const open = new Desk({ settings: settings("", "127.0.0.1", "") });
  check.equal(open.events(open.watcher("x", "")).map(({ privileges }) => privileges), ["standard"]);
});

test("IM9 a name has at most 64 characters and is printable; it is one name however it is composed", () => {
  const fault = (name: Json) => greet({ type: "integration", name, auth_token: TOKEN }).fault;
  for (const name of ["a\u0000b", "a\nb", "\u202egnp.exe", "x".repeat(65), "é".repeat(10_000), "*", 7, ["a"], "\ud800"]) {
    check.equal(fault(name), "badGreeting", JSON.stringify(name));
  }
  for (const name of ["__proto__", "constructor", "שלום עולם", "日本語", "👩‍👩‍👧", "😀".repeat(64), "../../etc"]) {
    check.equal(fault(name), undefined);
  }
  const desk = new Desk();
  const peer = desk.integration("cafe\u0301");
  desk.frame(desk.watcher(), { target: "caf\u00e9", cmd: 1 });
  check.equal(desk.seen(peer), [{ from_watcher: "watcher", cmd: 1 }]);
});

test("IM10 who has no name is called unknown-n, and nothing waits for it", () => {
  const desk = new Desk();
  const watcher = desk.watcher();
  const peers = [undefined, null, ""].map((name, n) => {
    const peer = desk.open(`p${n}`);
    desk.frame(peer, { type: "integration", name, auth_token: TOKEN });
    return peer;
  });
  check.equal(desk.events(watcher).slice(1).map(({ name }) => name), ["unknown-1", "unknown-2", "unknown-3"]);
  const [first = watcher] = peers;
  desk.frame(watcher, { target: "unknown-1", cmd: 1 });
  desk.close(first);
  desk.frame(watcher, { target: "unknown-1", cmd: 2 });
  check.equal(desk.replies(watcher), [{ status: "sent" }, { error: "invalid target/cmd", code: "notFound" }]);
  check.equal([...desk.stored.keys()].filter((key) => !key.startsWith("intermediary/audit/")), []);
});

test("IM11 the same name again: the newest has it once the old one was silent, and what it said meanwhile is heard", () => {
  const desk = new Desk();
  const old = desk.integration("a");
  const young = desk.integration("a", {}, "young");
  desk.frame(young, { event: "register_actions", actions: { play: null } });
  check.equal([desk.closed.size, desk.tells.length], [0, 1]);
  desk.pass(TAKEOVER_GRACE_MS);
  check.equal([desk.closed.get(old), desk.closed.get(young)], ["nameTaken", undefined]);
  check.equal(desk.seen(old), [{ error: "name taken", code: "nameTaken" }]);
  check.equal(desk.tells.map(({ is }) => is), ["integrationJoined", "integrationLeft", "integrationJoined", "gameMessage"]);
  desk.frame(desk.watcher(), { target: "a", cmd: 1 });
  desk.step({ is: "closed", peer: old, code: 1006 });
  desk.frame(desk.watcher("second"), { target: "a", cmd: 2 });
  check.equal(desk.seen(young), [{ from_watcher: "watcher", cmd: 1 }, { from_watcher: "second", cmd: 2 }]);
});

test("IM11 an old one that was silent for its grace gives way at once; one that leaves, too", () => {
  const desk = new Desk();
  const old = desk.integration("a");
  desk.pass(TAKEOVER_GRACE_MS);
  const young = desk.integration("a", {}, "young");
  desk.pass(0);
  check.equal([desk.closed.get(old), desk.closed.get(young)], ["nameTaken", undefined]);
  const third = desk.integration("a", {}, "third");
  desk.close(young);
  desk.frame(third, { event: "register_actions", actions: ["x"] });
  check.equal(desk.tells.at(-1)?.is, "gameMessage");
});

test("IM12 after three takeovers within a minute the old one stays", () => {
  const desk = new Desk();
  desk.integration("a", {}, "0");
  for (let n = 1; n <= 3; n++) {
    desk.integration("a", {}, String(n));
    desk.pass(TAKEOVER_GRACE_MS);
  }
  const fourth = desk.integration("a", {}, "4");
  check.equal([...desk.closed.keys()].map(String), ["0", "1", "2", "4"]);
  check.equal(desk.closed.get(fourth), "nameTaken");
  desk.pass(60_000);
  desk.integration("a", {}, "5");
  desk.pass(TAKEOVER_GRACE_MS);
  check.equal(desk.closed.size, 5);
});

test("IM12 of two who wait for a name the later one has it; one that says too much meanwhile is closed", () => {
  const desk = new Desk();
  desk.integration("a", {}, "holder");
  const [one, two] = [desk.integration("a", {}, "one"), desk.integration("a", {}, "two")];
  check.equal([desk.closed.get(one), desk.closed.get(two)], ["nameTaken", undefined]);
  for (let n = 0; n < 300; n++) if (!desk.closed.has(two)) desk.frame(two, "x");
  check.equal(desk.closed.get(two), "rateLimit");
  desk.pass(TAKEOVER_GRACE_MS);
  check.equal(desk.closed.size, 2);
});

test("IM13 watchers of one name are all served", () => {
  const desk = new Desk();
  const [one, two] = [desk.watcher("w"), desk.open("other")];
  desk.frame(two, { type: "neuro-os", name: "w", auth_token: TOKEN });
  desk.integration("a");
  check.equal([desk.events(one).length, desk.events(two).length], [3, 2]);
});

test("IM14 who was connected when the room is made anew is who it was, and goes on", () => {
  const desk = new Desk();
  const integration = desk.integration("a", { ack: true });
  const [watcher, silent] = [desk.watcher("w", ENHANCED), desk.open("silent")];
  desk.frame(watcher, { subscribe: { events: ["integration_message"] } });
  const connection = { ...TEST_CONNECTION, userAgent: "another" };
  const resumed = [...desk.attached].map(([peer, attachment]) => ({
    peer,
    listener: "intermediary" as const,
    connection: connection,
    attachment,
  }));
  const next = desk.restart({ resumed: [...resumed, { peer: silent, listener: "intermediary", connection }] });
  check.equal(next.tells, [{ is: "integrationJoined", peer: integration, name: "a", connection }]);
  next.seen(watcher);
  next.frame(integration, "hello");
  next.frame(watcher, { target: "a", cmd: 1 });
  next.frame(watcher, { direct_to_neuro: true, payload: {} });
  check.equal(next.seen(watcher).map((frame) => isObject(frame) && (frame.event ?? frame.status)), [
    "integration_message",
    "sent",
    "forwarded_to_neuro",
  ]);
  check.that(next.seen(integration).every((frame) => isObject(frame) && typeof frame.id === "string"));
  next.pass(SETTINGS.limits.greeting);
  check.equal(next.closed.get(silent), "noGreeting");
  check.equal(next.closed.size, 1);
});

test("IM8 a token that was taken away while the room was made anew closes who came by it", () => {
  const desk = new Desk();
  const [gone, stays] = [desk.integration("a"), desk.watcher("w", ENHANCED)];
  const connection = { address: "127.0.0.1", path: "/", userAgent: "", via: "" };
  const resumed = [...desk.attached].map(([peer, attachment]) => ({
    peer,
    listener: "intermediary" as const,
    connection: connection,
    attachment,
  }));
  const settings = { ...SETTINGS, intermediary: { ...SETTINGS.intermediary, auth_token: "another" } };
  const next = desk.restart({ resumed, settings });
  check.equal([next.closed.get(gone), next.closed.get(stays)], ["badToken", undefined]);
});

test("IM14 when Neuro's side is made anew it is told again who is here", () => {
  const desk = new Desk();
  const peer = desk.integration("a");
  desk.tell({ is: "observed", observation: { is: "service_rebuilt", service: "neuro" } });
  check.equal(desk.tells.at(-1), { is: "integrationJoined", peer, name: "a", connection: TEST_CONNECTION });
});
