/** The intercept proxy in virtual time: frames and closes are forwarded, and games are announced to watchers. */
import { test } from "#runner";
import { DEFAULTS } from "../../../../src/core/defaults.ts";
import type { StepOutput } from "../../../../src/testing/mod.ts";
import type { Event } from "../../../../src/core/event.ts";
import { type LinkId, linkId, type PeerId, peerId, toRequestId } from "../../../../src/core/ids.ts";
import type { Frame } from "../../../../src/core/json.ts";
import { PROXY_DIAL_MS, PROXY_FRAMES_HELD_MAX, PROXY_HELD_LENGTH_MAX } from "../../../../src/core/limits.ts";
import type { LimitSettings, ProxySettings, Settings } from "../../../../src/core/settings.ts";
import { proxy, type ProxyState } from "../../../../src/services/proxy/mod.ts";
import { Relay, supervise } from "../../../../src/relay/mod.ts";
import { ServiceHarness, TEST_CONNECTION } from "../../../../src/testing/service-harness.ts";
import { check } from "../../../harness/check.ts";

const settingsWith = (changes: Partial<ProxySettings>, limits = DEFAULTS.limits): Settings => ({
  ...DEFAULTS,
  limits,
  "intercept-proxy": { ...DEFAULTS["intercept-proxy"], enabled: true, upstream_url: "ws://neuro:8000", ...changes },
});

/** A proxy, and the backend's end of the connections that it dials. */
class ProxyHarness extends ServiceHarness<ProxyState> {
  readonly dialed: (StepOutput & { do: "dial" })[] = [];
  constructor(changes: Partial<ProxySettings> = {}, limits: LimitSettings = DEFAULTS.limits) {
    super(proxy, { settings: settingsWith(changes, limits) });
  }
  override step(event: Parameters<ServiceHarness<ProxyState>["step"]>[0]): readonly StepOutput[] {
    const effects = super.step(event);
    for (const effect of effects) if (effect.do === "dial") this.dialed.push(effect);
    return effects;
  }
  get link(): LinkId {
    return this.dialed.at(-1)?.link ?? linkId("none");
  }
  reach(): readonly StepOutput[] {
    return this.step({ is: "dialed", link: this.link });
  }
  /** A game whose backend is reached. */
  play(name: string): PeerId {
    const game = this.open(name);
    this.reach();
    return game;
  }
  drop(code: number, reason = ""): readonly StepOutput[] {
    return this.step({ is: "dropped", link: this.link, code, reason });
  }
  /** The payloads that watchers were shown since the last time. */
  announced(): readonly unknown[] {
    return this.take().flatMap((effect) =>
      effect.do === "observe" && effect.observation.is === "integration_message"
        ? [[effect.observation.from, effect.observation.payload]]
        : []
    );
  }
}

const sends = (effects: readonly StepOutput[], to: string): readonly Frame[] =>
  effects.flatMap((effect) => (effect.do === "send" && effect.to === to ? [effect.frame] : []));
const STARTUP = '{"command":"startup","game":"Chess"}';
const gone = (client: string) => ({ event: "integration_disconnected", via: "intercept-proxy", details: { client } });

test("NC60 every frame is forwarded unchanged in both directions, text and binary, valid or not", () => {
  const harness = new ProxyHarness();
  const game = harness.play("g");
  const bytes = Uint8Array.of(0xff, 0, 0xfe);
  for (const frame of [STARTUP, ' {"a": 1}\n', "not JSON", "", bytes]) {
    check.equal(sends(harness.frame(game, frame), harness.link), [frame]);
    check.equal(harness.step({ is: "received", link: harness.link, frame }), [{ do: "send", to: game, frame }]);
  }
});

test("NC60 each game has its own connection to the backend", () => {
  const harness = new ProxyHarness();
  const first = harness.play("a");
  const toFirst = harness.link;
  const second = harness.play("b");
  check.that(toFirst !== harness.link);
  check.equal(sends(harness.step({ is: "received", link: toFirst, frame: "1" }), first), ["1"]);
  check.equal(sends(harness.frame(second, "2"), harness.link), ["2"]);
});

test("NC60 a game that exceeds its rate is delayed, and none of its frames is dropped", () => {
  const settings = settingsWith({});
  const relay = new Relay([supervise(proxy)], {
    ...settings,
    limits: { ...settings.limits, messages_per_second: 1, burst: 1 },
  });
  relay.restore("proxy", { entries: [], resumed: [], now: 0 });
  let now = 0;
  const step = (event: Event) =>
    relay.step(event, { now, random: () => 0, id: () => "1", secret: () => "" }).flatMap((effect) =>
      effect.do === "send" ? [effect.frame] : []
    );
  const peer = peerId("g");
  step({ is: "opened", peer, listener: "proxy", connection: TEST_CONNECTION });
  step({ is: "dialed", link: linkId("proxy:g:1") });
  const passed = ["1", "2", "3"].flatMap((frame) => step({ is: "frame", peer, frame }));
  check.equal(passed, ["1"]);
  for (now = 1_000; now <= 2_000; now += 1_000) passed.push(...step({ is: "tick" }));
  check.equal(passed, ["1", "2", "3"]);
});

test("NC61 the backend is dialed with the game's path, user agent and `Neuro-Relay-Via`", () => {
  const harness = new ProxyHarness({ upstream_url: "ws://neuro:8000/base/?token=t" });
  harness.open("g", { path: "/game/Chess", userAgent: "Unity", via: "a b" });
  check.equal(harness.dialed[0]?.url, "ws://neuro:8000/base/game/Chess?token=t");
  check.equal(harness.dialed[0]?.headers, { "user-agent": "Unity", "neuro-relay-via": "a b" });
  harness.open("h", { userAgent: "caf\u00e9" });
  check.equal(harness.dialed[1]?.url, "ws://neuro:8000/base/?token=t");
  check.equal(harness.dialed[1]?.headers, {}, "what no header can hold is left out");
});

test("NC62 frames that a game sends before its backend is reached are held in order", () => {
  const harness = new ProxyHarness();
  const game = harness.open("g");
  check.equal(sends(harness.frame(game, STARTUP), harness.link), []);
  check.equal(sends(harness.frame(game, "second"), harness.link), []);
  check.equal(sends(harness.reach(), harness.link), [STARTUP, "second"]);
  check.equal(sends(harness.frame(game, "third"), harness.link), ["third"]);
});

test("NC62 held frames are limited in number and length", () => {
  for (const [frame, count] of [["x", PROXY_FRAMES_HELD_MAX], ["x".repeat(PROXY_HELD_LENGTH_MAX / 4), 4]] as const) {
    const harness = new ProxyHarness();
    const game = harness.open("g");
    for (let said = 0; said < count; said++) check.equal(harness.frame(game, frame), []);
    check.equal(harness.frame(game, frame), [
      { do: "closeLink", link: harness.link, code: 1001 },
      { do: "close", peer: game, fault: "backendAway" },
    ]);
    check.equal(harness.frame(game, frame), [], "it is gone");
  }
});

test("SE28 what is held for one proxied game is within its limit, and for all within theirs; only the newest is closed", () => {
  const limits = { ...DEFAULTS.limits, peer_bytes: 1_000_000, total_bytes: 2_000_000, peers: 1_000 };
  const harness = new ProxyHarness({}, limits);
  const greedy = harness.open("greedy");
  check.equal(harness.frame(greedy, "x".repeat(400_000)), []);
  check.equal(harness.frame(greedy, "x".repeat(200_000)).map((effect) => effect.do), ["closeLink", "close"]);
  check.equal(harness.retained.bytes, 0);
  for (const name of ["a", "b", "c"]) harness.frame(harness.open(name), "x".repeat(400_000));
  check.equal(harness.retained.bytes, 1_600_000, "the third one is closed");
  const reasons = harness.take().flatMap((effect) =>
    effect.do === "observe" && effect.observation.is === "input_refused" ? [effect.observation.reason] : []
  );
  check.match(String(reasons[0]), /this connection would keep 1200000 bytes; `limits.peer_bytes` allows 1000000/);
  check.match(String(reasons[1]), /all connections together would keep 2400000 bytes; `limits.total_bytes` allows 2000000/);
});

test("NC63 when the backend closes, the game is closed with its code and reason", () => {
  for (const [code, as] of [[4001, 4001], [1000, 1000], [1005, 1000]] as const) {
    const harness = new ProxyHarness();
    const game = harness.play("g");
    check.equal(harness.drop(code, "why"), [
      { do: "close", peer: game, fault: "done", as: { code: as, reason: "why" } },
    ]);
    check.equal(harness.step({ is: "closed", peer: game, code }), [], "its own end says nothing more");
  }
});

test("NC63 when the game closes, the backend's connection is closed with its code", () => {
  for (const [code, as] of [[1000, 1000], [3007, 3007], [1005, 1000], [1006, 1001]] as const) {
    const harness = new ProxyHarness();
    const game = harness.play("g");
    check.equal(harness.step({ is: "closed", peer: game, code }), [{ do: "closeLink", link: harness.link, code: as }]);
    check.equal(harness.step({ is: "received", link: harness.link, frame: "late" }), []);
  }
});

test("NC64 a game whose backend cannot be reached, or ends abnormally, is closed with 1014, and the backend is dialed once", () => {
  const refused = new ProxyHarness();
  const game = refused.open("g");
  check.equal(refused.drop(1006), [{ do: "close", peer: game, fault: "backendAway" }]);
  const silent = new ProxyHarness();
  const waiting = silent.open("g");
  check.equal(silent.advance(PROXY_DIAL_MS - 1), []);
  check.equal(silent.advance(1), [
    { do: "closeLink", link: silent.link, code: 1001 },
    { do: "close", peer: waiting, fault: "backendAway" },
  ]);
  const broken = new ProxyHarness();
  const playing = broken.play("g");
  check.equal(broken.drop(1006), [{ do: "close", peer: playing, fault: "backendAway" }]);
  for (const harness of [refused, silent, broken]) {
    harness.advance(60_000);
    check.equal(harness.dialed.length, 1);
  }
});

test("NC64 an open connection to the backend has no deadline", () => {
  const harness = new ProxyHarness();
  harness.play("g");
  check.equal(harness.advance(10 * PROXY_DIAL_MS), []);
});

test("NC65 a game is announced once by its first command, and again when it leaves", () => {
  const harness = new ProxyHarness({ integration_name: "the proxy" });
  const game = harness.play("g");
  harness.frame(game, "no command");
  harness.frame(game, { data: 1 });
  check.equal(harness.announced(), []);
  harness.frame(game, STARTUP);
  harness.frame(game, STARTUP);
  const details = { client: "127.0.0.1 g", first_command: "startup", snippet: STARTUP };
  check.equal(harness.announced(), [
    ["the proxy", { event: "integration_connected", via: "intercept-proxy", details }],
  ]);
  harness.step({ is: "closed", peer: game, code: 1000 });
  check.equal(harness.announced(), [["the proxy", gone("127.0.0.1 g")]]);
});

test("NC65 a game is announced before its backend is reached, by a binary frame, and with the beginning of a long one", () => {
  const harness = new ProxyHarness({ match_commands: ["context"] });
  const game = harness.open("g");
  const frame = JSON.stringify({ command: "context", data: { message: "m".repeat(1_000) } });
  harness.frame(game, new TextEncoder().encode(frame));
  const [[, payload] = []] = harness.announced() as [string, { details: unknown }][];
  check.equal(payload?.details, { client: "127.0.0.1 g", first_command: "context", snippet: frame.slice(0, 200) });
  harness.drop(1006);
  check.equal(harness.announced(), [["intercept-proxy", gone("127.0.0.1 g")]]);
});

test("NC65b watchers see no credential of a game's first command, and its backend gets the whole frame", () => {
  const harness = new ProxyHarness({
    match_commands: ["startup"],
    upstream_url: "ws://neuro:8000/?token=token-of-the-backend",
  });
  const game = harness.play("g");
  harness.take();
  const frame = '{"command":"startup","auth_token":"my token","game":"G","data":{"text":"token-of-the-backend"}}';
  const sent = harness.frame(game, frame);
  check.that(sent.some((effect) => effect.do === "send" && effect.frame === frame));
  const shown = JSON.stringify(harness.announced());
  check.match(shown, /startup/);
  check.that(!shown.includes("my token") && !shown.includes("token-of-the-backend"), shown);
});

test("NC65 only the first command counts, and a game that was not announced leaves without an announcement", () => {
  const harness = new ProxyHarness();
  const game = harness.play("g");
  harness.frame(game, { command: "context", data: {} });
  harness.frame(game, STARTUP);
  harness.step({ is: "closed", peer: game, code: 1000 });
  check.equal(harness.announced(), []);
});

test("NC66 draining closes both sides of every game", () => {
  const harness = new ProxyHarness();
  const game = harness.play("g");
  harness.frame(game, STARTUP);
  harness.take();
  check.equal(harness.step({ is: "draining", until: harness.now + 5_000 }), [
    { do: "closeLink", link: harness.link, code: 1001 },
    { do: "close", peer: game, fault: "restarting" },
    { do: "drained", service: "proxy" },
  ]);
  check.equal(harness.announced(), [["intercept-proxy", gone("127.0.0.1 g")]]);
});

test("NC66 after a panic the remaining games are closed, and announced as gone if they had been announced", () => {
  const resumed = (name: string) => ({ peer: peerId(name), listener: "proxy", connection: TEST_CONNECTION }) as const;
  const harness = new ServiceHarness(proxy, {
    settings: settingsWith({}),
    resumed: [{ ...resumed("a"), attachment: { client: "127.0.0.1 a" } }, resumed("b")],
  });
  check.equal(harness.advance(0), [
    { do: "close", peer: peerId("a"), fault: "panic" },
    { do: "close", peer: peerId("b"), fault: "panic" },
  ]);
  check.equal(harness.observations().length, 1);
  check.equal(harness.advance(60_000), []);
});

test("NC67 changed settings apply to games that connect later", () => {
  const harness = new ProxyHarness();
  harness.open("a");
  harness.step({ is: "configured", settings: settingsWith({ upstream_url: "ws://other:1" }) });
  harness.open("b");
  check.equal(harness.dialed.map(({ url }) => url), ["ws://neuro:8000", "ws://other:1"]);
});

test("NC67 the proxy reports that it is ready, and its number of games", () => {
  const harness = new ProxyHarness();
  harness.play("a");
  harness.open("b");
  const ask = (get: "ready" | "status") =>
    harness.step({
      is: "requested",
      requestId: toRequestId("c"),
      principal: { by: "test", scopes: [] },
      request: { of: "proxy", get },
    });
  check.equal(ask("ready"), [{ do: "respond", requestId: toRequestId("c"), body: { ok: true, reasons: [] } }]);
  check.equal(ask("status"), [{ do: "respond", requestId: toRequestId("c"), body: { games: 2, dialing: 1 } }]);
});

test("NC68 the query, the offered subprotocols and the reason of a close pass the proxy", () => {
  const on = new ProxyHarness({ upstream_url: "ws://neuro:8000/base?token=t" });
  const game = on.open("g", { path: "/x", query: "?a=1&token=own", protocols: "neuro, other" });
  check.equal(on.dialed[0]?.url, "ws://neuro:8000/base/x?token=t&a=1&token=own");
  check.equal(on.dialed[0]?.headers?.["sec-websocket-protocol"], "neuro, other");
  on.reach();
  check.equal(on.step({ is: "closed", peer: game, code: 4001, reason: "done for today" }), [
    { do: "closeLink", link: on.link, code: 4001, reason: "done for today" },
  ]);
  const bare = new ProxyHarness({ upstream_url: "ws://neuro:8000" });
  bare.open("h", { query: "?a=1" });
  check.equal(bare.dialed[0]?.url, "ws://neuro:8000?a=1");
});
