import { test } from "#runner";
import { DEFAULTS, PUBLISHED_TOKEN } from "../../../../../src/core/defaults.ts";
import { isObject, type Json } from "../../../../../src/core/json.ts";
import { TAKEOVER_GRACE_MS } from "../../../../../src/core/limits.ts";
import type { Settings, TokenSettings } from "../../../../../src/core/settings.ts";
import { TEST_CONNECTION } from "../../../../../src/testing/service-harness.ts";
import { check } from "../../../../harness/check.ts";
import { ENHANCED, IntermediaryFixture, SETTINGS, TOKEN, withoutHints } from "../fixture.ts";

const withTokens = (tokens: readonly TokenSettings[], settings: Settings = SETTINGS): Settings => ({
  ...settings,
  intermediary: { ...settings.intermediary, tokens },
});

/** The frames that answer a greeting, and the fault that closes the peer. */
function greet(
  frame: string | object,
  settings: Settings = SETTINGS,
): { readonly told: Json[]; readonly fault: string | undefined } {
  const fixture = new IntermediaryFixture({ settings });
  const peer = fixture.open("p");
  fixture.frame(peer, frame);
  return { told: withoutHints(fixture.received(peer)), fault: fixture.closed.get(peer) };
}

test("IM1 an accepted integration gets no reply, and watchers and the Neuro service are notified", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  const spotify = fixture.integration("spotify");
  check.equal(fixture.received(spotify), []);
  check.equal(fixture.eventsFor(watcher), [
    { event: "neuroos_connected", name: "watcher", privileges: "standard", token: "intermediary" },
    { event: "integration_connected", name: "spotify" },
  ]);
  check.equal(fixture.posted, [{ is: "integrationJoined", peer: spotify, name: "spotify", connection: TEST_CONNECTION }]);
  fixture.close(spotify);
  check.equal(fixture.eventsFor(watcher), [{ event: "integration_disconnected", name: "spotify" }]);
  check.equal(fixture.posted.at(-1), { is: "integrationLeft", peer: spotify });
});

test("IM2 an integration with acks gets its session, and every later message has an id", () => {
  const fixture = new IntermediaryFixture();
  const peer = fixture.integration("a", { ack: true });
  const [registered] = fixture.received(peer);
  check.that(isObject(registered) && typeof registered.session === "string");
  check.equal({ ...registered, session: "" }, { event: "registered", name: "a", session: "" });
  fixture.receive({ is: "neuroMessage", peer, message: { command: "action", id: "x", name: "play" } });
  fixture.frame(fixture.watcher(), { target: "a", cmd: 1 });
  fixture.frame(peer, { query: "get_registered_actions" });
  const ids = fixture.received(peer).map((frame) => isObject(frame) && typeof frame.id);
  check.equal(ids, ["string", "string", "string"]);
});

test("IM3 a refused greeting gets the reason: not JSON, wrong token or unknown type, checked in this order", () => {
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

test("IM3b a greeting of more than 4 KiB is refused", () => {
  const long = { type: "integration", name: "a", auth_token: TOKEN, more: "ä".repeat(2_048) };
  check.equal(greet(long).fault, "badGreeting");
  check.equal(greet({ ...long, more: "a".repeat(3_900) }).fault, undefined);
});

test("IM4 a peer that does not greet within limits.greeting is closed", () => {
  const fixture = new IntermediaryFixture();
  const [one, two] = [fixture.open("1"), fixture.open("2")];
  fixture.frame(two, { type: "integration", name: "two", auth_token: TOKEN });
  fixture.advance(SETTINGS.limits.greeting);
  check.equal([fixture.closed.get(one), fixture.closed.get(two)], ["noGreeting", undefined]);
  check.equal(fixture.received(one), [{ error: "no registration in time", code: "noGreeting" }]);
});

test("IM5 a client without a token is refused, even if the token setting is missing too", () => {
  const settings = { ...SETTINGS, "dependency-authentication": { "neuro-os": { auth_token: undefined } } };
  for (const auth_token of [undefined, null, "", 0, false, [], {}, "undefined", "null"]) {
    for (const type of ["integration", "neuro-os"]) {
      check.equal(greet({ type, name: "x", auth_token }, settings).fault, "badToken", JSON.stringify(auth_token));
    }
  }
});

test("IM5b an empty token setting accepts an empty or missing token on loopback only, and never null", () => {
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

test("IM6 the plain token makes a standard watcher, the enhanced token an enhanced watcher and no integration, and equal tokens both", () => {
  const fixture = new IntermediaryFixture();
  const boss = fixture.watcher("boss", ENHANCED);
  check.equal(fixture.eventsFor(boss), [{
    event: "neuroos_connected",
    name: "boss",
    privileges: "enhanced",
    token: "neuro-os",
  }]);
  check.equal(greet({ type: "integration", name: "x", auth_token: ENHANCED }), {
    told: [{ error: "not allowed", needs: "integration", code: "notAllowed" }],
    fault: "notAllowed",
  });
  const same = new IntermediaryFixture({
    settings: { ...SETTINGS, "dependency-authentication": { "neuro-os": { auth_token: TOKEN } } },
  });
  check.equal(same.eventsFor(same.watcher()).map(({ privileges }) => privileges), ["enhanced"]);
  same.integration("x");
  check.equal(same.closed.size, 0);
});

test("IM7 a configured token allows its scopes to its names", () => {
  const settings = withTokens([{ name: "music", token: "m", scopes: ["integration"], names: ["spotify*", "*-radio-*"] }]);
  const fault = (type: string, name: string) => greet({ type, name, auth_token: "m" }, settings).fault;
  check.equal([fault("integration", "spotify"), fault("integration", "my-radio-1")], [undefined, undefined]);
  check.equal([fault("integration", "chess"), fault("integration", "radio")], ["notAllowed", "notAllowed"]);
  check.equal(fault("neuro-os", "spotify"), "notAllowed");
});

test("IM8 removing a token closes the peers that used it, and no others", () => {
  const settings = withTokens([{ name: "guest", token: "g", scopes: ["integration", "watch"], names: [] }]);
  const fixture = new IntermediaryFixture({ settings });
  const handler = fixture.open("guest");
  fixture.frame(handler, { type: "integration", name: "guest", auth_token: "g" });
  const host = fixture.integration("host");
  fixture.step({ is: "configured", settings: SETTINGS });
  check.equal([fixture.closed.get(handler), fixture.closed.get(host)], ["badToken", undefined]);
  fixture.open("again");
  fixture.step({ is: "frame", peer: handler, frame: "late" });
});

test("IM15 the web token greets under any name with every scope, the published one on loopback only, an empty one never", () => {
  const settings = (token: string, host = "127.0.0.1", plain = TOKEN): Settings => ({
    ...SETTINGS,
    intermediary: { ...SETTINGS.intermediary, host, auth_token: plain },
    web: { ...SETTINGS.web, token },
  });
  const fixture = new IntermediaryFixture({ settings: settings("page") });
  check.equal(fixture.eventsFor(fixture.watcher("x", "page")), [{
    event: "neuroos_connected",
    name: "x",
    privileges: "enhanced",
    token: "web",
  }]);
  const watch = { type: "neuro-os", name: "x" };
  check.equal(greet({ ...watch, auth_token: PUBLISHED_TOKEN }, settings(PUBLISHED_TOKEN)).fault, undefined);
  check.equal(greet({ ...watch, auth_token: PUBLISHED_TOKEN }, settings(PUBLISHED_TOKEN, "0.0.0.0")).fault, "badToken");
  check.equal(greet({ ...watch, auth_token: "" }, settings("")).fault, "badToken");
  // Why: an empty setting makes a standard watcher. An empty web token must not make it an enhanced one.
  const open = new IntermediaryFixture({ settings: settings("", "127.0.0.1", "") });
  check.equal(open.eventsFor(open.watcher("x", "")).map(({ privileges }) => privileges), ["standard"]);
});

test("IM9 IM9b a name has at most 64 printable characters, and equal normal forms are one name", () => {
  const fault = (name: Json) => greet({ type: "integration", name, auth_token: TOKEN }).fault;
  for (const name of ["a\u0000b", "a\nb", "\u202egnp.exe", "x".repeat(65), "é".repeat(10_000), "*", 7, ["a"], "\ud800"]) {
    check.equal(fault(name), "badGreeting", JSON.stringify(name));
  }
  for (const name of ["__proto__", "constructor", "שלום עולם", "日本語", "👩‍👩‍👧", "😀".repeat(64), "../../etc"]) {
    check.equal(fault(name), undefined);
  }
  const fixture = new IntermediaryFixture();
  const peer = fixture.integration("cafe\u0301");
  fixture.frame(fixture.watcher(), { target: "caf\u00e9", cmd: 1 });
  check.equal(fixture.received(peer), [{ from_watcher: "watcher", cmd: 1 }]);
});

test("IM9c a name with a character that cannot be seen is refused, as it could pass as another name", () => {
  const fault = (name: string) => greet({ type: "integration", name, auth_token: TOKEN }).fault;
  const invisible =
    "\u00ad\u034f\u061c\u115f\u180e\u200b\u200c\u200d\u200e\u200f\u202e\u2060\u2066\u2800\u3164\ufe0f\ufeff\uffa0\ufff9";
  for (const character of [...invisible, "\u{e0041}", "\u{e0100}"]) {
    for (const name of [`al${character}ice`, `${character}alice`, `alice${character}`]) {
      check.equal(fault(name), "badGreeting", JSON.stringify(name));
    }
  }
  // Why these: emoji, and scripts that need joiners.
  for (const name of ["❤️", "👨‍💻 bot", "🏳️‍🌈", "می‌خواهم", "क्‍ष"]) check.equal(fault(name), undefined, name);
});

test("IM10 an integration without a name is called unknown-n, and nothing is queued for it", () => {
  const fixture = new IntermediaryFixture();
  const watcher = fixture.watcher();
  const peers = [undefined, null, ""].map((name, n) => {
    const peer = fixture.open(`p${n}`);
    fixture.frame(peer, { type: "integration", name, auth_token: TOKEN });
    return peer;
  });
  check.equal(fixture.eventsFor(watcher).slice(1).map(({ name }) => name), ["unknown-1", "unknown-2", "unknown-3"]);
  const [first = watcher] = peers;
  fixture.frame(watcher, { target: "unknown-1", cmd: 1 });
  fixture.close(first);
  fixture.frame(watcher, { target: "unknown-1", cmd: 2 });
  const replies = withoutHints(fixture.repliesTo(watcher));
  check.equal(replies, [{ status: "sent" }, { error: "invalid target/cmd", code: "notFound" }]);
  check.equal([...fixture.stored.keys()].filter((key) => !key.startsWith("intermediary/audit/")), []);
});

test("IM11 the newest connection takes a name over after the grace, and its buffered frames are handled", () => {
  const fixture = new IntermediaryFixture();
  const old = fixture.integration("a");
  const young = fixture.integration("a", {}, "young");
  fixture.frame(young, { event: "register_actions", actions: { play: null } });
  check.equal([fixture.closed.size, fixture.posted.length], [0, 1]);
  fixture.advance(TAKEOVER_GRACE_MS);
  check.equal([fixture.closed.get(old), fixture.closed.get(young)], ["nameTaken", undefined]);
  check.equal(fixture.received(old), [{ error: "name taken", code: "nameTaken" }]);
  check.equal(fixture.posted.map(({ is }) => is), [
    "integrationJoined",
    "integrationLeft",
    "integrationJoined",
    "gameMessage",
  ]);
  fixture.frame(fixture.watcher(), { target: "a", cmd: 1 });
  fixture.step({ is: "closed", peer: old, code: 1006 });
  fixture.frame(fixture.watcher("second"), { target: "a", cmd: 2 });
  check.equal(fixture.received(young), [{ from_watcher: "watcher", cmd: 1 }, { from_watcher: "second", cmd: 2 }]);
});

test("IM11b a takeover is immediate if the holder was silent for the grace or disconnects", () => {
  const fixture = new IntermediaryFixture();
  const old = fixture.integration("a");
  fixture.advance(TAKEOVER_GRACE_MS);
  const young = fixture.integration("a", {}, "young");
  fixture.advance(0);
  check.equal([fixture.closed.get(old), fixture.closed.get(young)], ["nameTaken", undefined]);
  const third = fixture.integration("a", {}, "third");
  fixture.close(young);
  fixture.frame(third, { event: "register_actions", actions: ["x"] });
  check.equal(fixture.posted.at(-1)?.is, "gameMessage");
});

test("IM12 after three takeovers within a minute the holder keeps its name", () => {
  const fixture = new IntermediaryFixture();
  fixture.integration("a", {}, "0");
  for (let n = 1; n <= 3; n++) {
    fixture.integration("a", {}, String(n));
    fixture.advance(TAKEOVER_GRACE_MS);
  }
  const fourth = fixture.integration("a", {}, "4");
  check.equal([...fixture.closed.keys()].map(String), ["0", "1", "2", "4"]);
  check.equal(fixture.closed.get(fourth), "nameTaken");
  fixture.advance(60_000);
  fixture.integration("a", {}, "5");
  fixture.advance(TAKEOVER_GRACE_MS);
  check.equal(fixture.closed.size, 5);
});

test("IM12b of two pending takeovers the later one counts, and one that sends too much is closed", () => {
  const fixture = new IntermediaryFixture();
  fixture.integration("a", {}, "holder");
  const [one, two] = [fixture.integration("a", {}, "one"), fixture.integration("a", {}, "two")];
  check.equal([fixture.closed.get(one), fixture.closed.get(two)], ["nameTaken", undefined]);
  for (let n = 0; n < 300; n++) if (!fixture.closed.has(two)) fixture.frame(two, "x");
  check.equal(fixture.closed.get(two), "rateLimit");
  fixture.advance(TAKEOVER_GRACE_MS);
  check.equal(fixture.closed.size, 2);
});

test("IM13 several watchers may have one name", () => {
  const fixture = new IntermediaryFixture();
  const [one, two] = [fixture.watcher("w"), fixture.open("other")];
  fixture.frame(two, { type: "neuro-os", name: "w", auth_token: TOKEN });
  fixture.integration("a");
  check.equal([fixture.eventsFor(one).length, fixture.eventsFor(two).length], [3, 2]);
});

test("IM14 peers that stay connected while the service is rebuilt keep their identity, name and subscriptions", () => {
  const fixture = new IntermediaryFixture();
  const integration = fixture.integration("a", { ack: true });
  const [watcher, silent] = [fixture.watcher("w", ENHANCED), fixture.open("silent")];
  fixture.frame(watcher, { subscribe: { events: ["integration_message"] } });
  const connection = { ...TEST_CONNECTION, userAgent: "another" };
  const resumed = [...fixture.attached].map(([peer, attachment]) => ({
    peer,
    listener: "intermediary" as const,
    connection: connection,
    attachment,
  }));
  const next = fixture.restart({ resumed: [...resumed, { peer: silent, listener: "intermediary", connection }] });
  check.equal(next.posted, [{ is: "integrationJoined", peer: integration, name: "a", connection }]);
  next.received(watcher);
  next.frame(integration, "hello");
  next.frame(watcher, { target: "a", cmd: 1 });
  next.frame(watcher, { direct_to_neuro: true, payload: {} });
  check.equal(next.received(watcher).map((frame) => isObject(frame) && (frame.event ?? frame.status)), [
    "integration_message",
    "sent",
    "forwarded_to_neuro",
  ]);
  check.that(next.received(integration).every((frame) => isObject(frame) && typeof frame.id === "string"));
  next.advance(SETTINGS.limits.greeting);
  check.equal(next.closed.get(silent), "noGreeting");
  check.equal(next.closed.size, 1);
});

test("IM8b a token that was removed while the service was rebuilt closes the peers that used it", () => {
  const fixture = new IntermediaryFixture();
  const [gone, stays] = [fixture.integration("a"), fixture.watcher("w", ENHANCED)];
  const connection = { address: "127.0.0.1", path: "/", userAgent: "", via: "" };
  const resumed = [...fixture.attached].map(([peer, attachment]) => ({
    peer,
    listener: "intermediary" as const,
    connection: connection,
    attachment,
  }));
  const settings = { ...SETTINGS, intermediary: { ...SETTINGS.intermediary, auth_token: "another" } };
  const next = fixture.restart({ resumed, settings });
  check.equal([next.closed.get(gone), next.closed.get(stays)], ["badToken", undefined]);
});

test("IM14c a name that looks generated does not stop the service from generating names", () => {
  for (const number of ["Infinity", "9007199254740992", "1e300", "-5", "x"]) {
    const fixture = new IntermediaryFixture();
    const peer = fixture.integration(`unknown-${number}`);
    const attachment = fixture.attached.get(peer) ?? null;
    const next = fixture.restart({
      resumed: [{ peer, listener: "intermediary", connection: TEST_CONNECTION, attachment }],
    });
    const unnamed = next.open("unnamed");
    next.frame(unnamed, { type: "integration", auth_token: TOKEN });
    const joined = next.posted.at(-1);
    check.equal(joined?.is === "integrationJoined" && joined.name, "unknown-1", number);
  }
});

test("IM14b a rebuilt Neuro service is sent the list of all connected integrations again", () => {
  const fixture = new IntermediaryFixture();
  const peer = fixture.integration("a");
  fixture.receive({ is: "observed", observation: { is: "service_rebuilt", service: "neuro" } });
  check.equal(fixture.posted.at(-1), { is: "integrationJoined", peer, name: "a", connection: TEST_CONNECTION });
});

test("IM10b whatever number a restored name ends with, the next integration without a name gets a free one", () => {
  for (const suffix of ["Infinity", "1e400", "9007199254740992", "-1", "0x10", "2"]) {
    const fixture = new IntermediaryFixture();
    fixture.integration(`unknown-${suffix}`);
    const resumed = [...fixture.attached].map(([peer, attachment]) => ({
      peer,
      listener: "intermediary" as const,
      connection: TEST_CONNECTION,
      attachment: isObject(attachment) ? { ...attachment, since: null } : attachment,
    }));
    const next = fixture.restart({ resumed });
    for (const peer of [next.open("first"), next.open("second")]) {
      next.frame(peer, { type: "integration", auth_token: TOKEN });
    }
    const names = next.posted.flatMap((message) => (message.is === "integrationJoined" ? [message.name] : []));
    check.equal([new Set(names).size, names.every((name) => name.startsWith("unknown-"))], [3, true]);
  }
});
