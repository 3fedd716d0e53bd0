/** The recorded data of a session, and the data that must not be recorded. */
import { test } from "#runner";
import { fromBase64 } from "../../../src/core/base64.ts";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { Event } from "../../../src/core/event.ts";
import { linkId, peerId } from "../../../src/core/ids.ts";
import { Secrets, secretsOf } from "../../../src/core/secrets.ts";
import type { Settings } from "../../../src/core/settings.ts";
import type { Sockets } from "../../../src/engine/ports.ts";
import {
  readRecording,
  type RecordedSession,
  Recorder,
  RecordingError,
  recordSockets,
} from "../../../src/recording/mod.ts";
import { TEST_CONNECTION } from "../../../src/testing/mod.ts";
import { check } from "../../harness/check.ts";

/** A recorder with a sink of limited length, and the sockets that it wraps. */
class RecorderFixture {
  readonly lines: string[] = [];
  readonly forwarded: string[] = [];
  now = 1_000_000;
  fulls = 0;
  readonly recorder: Recorder;
  readonly sockets: Sockets;

  constructor(secrets: readonly string[] = [], linesMax = 1_000) {
    const sink = {
      write: (line: string) => this.lines.length < linesMax && this.lines.push(line) > 0,
      end: (line: string) => void this.lines.push(line),
    };
    const options = { sink, relay: "1.2.3", now: () => this.now, full: () => void this.fulls++ };
    this.recorder = new Recorder(options, new Secrets(secrets));
    const forward = (what: string) => void this.forwarded.push(what);
    this.sockets = recordSockets({
      send: (to, frame) => (forward(`send ${to} ${frame}`), 7),
      flush: () => forward("flush"),
      close: (peer, code, reason) => forward(`close ${peer} ${code} ${reason}`),
      ping: (peer) => forward(`ping ${peer}`),
      attach: (peer) => forward(`attach ${peer}`),
      dial: (link, url, headers) => forward(`dial ${link} ${url} ${Object.keys(headers)}`),
      closeLink: (link, code) => forward(`closeLink ${link} ${code}`),
    }, this.recorder);
  }

  record(...events: readonly Event[]): this {
    for (const event of events) {
      this.now += 10;
      this.recorder.record(event);
    }
    return this;
  }

  get session(): RecordedSession {
    const [session] = readRecording(this.lines.join("\n"));
    if (session === undefined) throw new Error("no session");
    return session;
  }
}

const GAME = peerId("neuro-1");
const LINK = linkId("neuro:evil:7");
const opened = (peer: typeof GAME, listener: "neuro" | "intermediary" | "brain" | "proxy" = "neuro"): Event => ({
  is: "opened",
  peer,
  listener,
  connection: { ...TEST_CONNECTION, path: "/game/x", userAgent: "Unity" },
});

test("OB13 each connection and each frame is a line, in both directions, on every listener and link", () => {
  const fixture = new RecorderFixture().record(opened(GAME), { is: "frame", peer: GAME, frame: '{"command":"startup"}' });
  fixture.sockets.send(GAME, "hello");
  fixture.sockets.dial(LINK, "wss://me:pw@neuro.example/x?token=1#2", { "neuro-relay-via": "a" });
  fixture.record({ is: "dialed", link: LINK }, { is: "received", link: LINK, frame: "from Neuro" });
  fixture.sockets.send(LINK, "to Neuro");
  fixture.record({ is: "dropped", link: LINK, code: 1006, reason: "reset" });
  fixture.sockets.close(GAME, 1012, "restart");
  fixture.record({ is: "closed", peer: GAME, code: 1012 });
  for (const listener of ["intermediary", "brain", "proxy"] as const) fixture.record(opened(peerId(listener), listener));
  fixture.recorder.stop();
  const { header, events, end, unreadable } = fixture.session;
  check.equal([header, end, unreadable], [{ v: 1, relay: "1.2.3", started_at: "1970-01-01T00:16:40.000Z" }, "ended", 0]);
  const game = { peer: 1, listener: "neuro" };
  const evil = { peer: 2, link: "neuro:evil" };
  check.equal(events.slice(0, 9), [
    { t: 10, ...game, is: "opened", path: "/game/x", agent: "Unity" },
    { t: 20, ...game, is: "in", text: '{"command":"startup"}' },
    { t: 20, ...game, is: "out", text: "hello" },
    { t: 20, ...evil, is: "dialling", url: "wss://neuro.example/x" },
    { t: 30, ...evil, is: "opened" },
    { t: 40, ...evil, is: "in", text: "from Neuro" },
    { t: 40, ...evil, is: "out", text: "to Neuro" },
    { t: 50, ...evil, is: "closed", code: 1006, reason: "reset", by: "peer" },
    { t: 60, ...game, is: "closed", code: 1012, by: "relay" },
  ]);
  check.equal(events.slice(9).map(({ peer, listener }) => [peer, listener]), [[3, "intermediary"], [4, "brain"], [
    5,
    "proxy",
  ]]);
});

test("OB13 recorded calls pass unchanged", () => {
  const fixture = new RecorderFixture();
  check.equal(fixture.sockets.send(GAME, "x"), 7);
  fixture.sockets.flush();
  fixture.sockets.ping(GAME);
  fixture.sockets.attach(GAME, null);
  fixture.sockets.close(GAME, 1000, "bye");
  fixture.sockets.dial(LINK, "ws://x/?token=1", { a: "b" });
  fixture.sockets.closeLink(LINK, 1001);
  check.equal(fixture.forwarded, [
    "send neuro-1 x",
    "flush",
    "ping neuro-1",
    "attach neuro-1",
    "close neuro-1 1000 bye",
    "dial neuro:evil:7 ws://x/?token=1 a",
    "closeLink neuro:evil:7 1001",
  ]);
  check.equal(fixture.session.events.at(-1), {
    t: 0,
    peer: 1,
    link: "neuro:evil",
    is: "closed",
    code: 1001,
    by: "relay",
  });
});

test("OB14 no token is recorded, wherever and however it is written", () => {
  const secret = "CANARY-token/1";
  const fixture = new RecorderFixture([secret]).record({
    is: "opened",
    peer: GAME,
    listener: "neuro",
    connection: { ...TEST_CONNECTION, path: `/x/${secret}`, userAgent: secret },
  });
  const escaped = [...secret].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
  const frames = [
    `{"auth_token":"${secret}"}`,
    `{"auth\\u005ftoken":"a wrong CANARY"}`,
    `{"type":"integration","Auth_Token":"another CANARY","name":"x"}`,
    `{"command":"context","data":{"message":"my token is ${secret}, really"}}`,
    `{"message":"${escaped}"}`,
    `{"message":"${secret.replace("/", "\\/")}"}`,
    `no JSON, but ${secret}`,
    new TextEncoder().encode(`{"auth_token":"some CANARY"}`),
    Uint8Array.from([0xff, 0xfe, ...new TextEncoder().encode(secret), 0xff]),
  ];
  for (const frame of frames) fixture.record({ is: "frame", peer: GAME, frame });
  fixture.sockets.send(GAME, `yours is ${secret}`);
  fixture.sockets.dial(LINK, `ws://x/${secret}?token=CANARY`, {});
  fixture.record({ is: "dropped", link: LINK, code: 1006, reason: `no ${secret}` });
  const bytes = fixture.session.events.flatMap(({ base64 }) => {
    const read = base64 === undefined ? undefined : fromBase64(base64);
    return read === undefined ? [] : [String.fromCharCode(...read)];
  });
  check.equal(bytes.length, 2);
  for (const text of [...fixture.lines, ...bytes]) check.that(!text.includes("CANARY"), text);
  check.that(fixture.lines.some((line) => line.includes("my token is ***, really")), "the rest of the message stays");
});

test("OB14 every token in the settings is known as a secret", () => {
  const [one, two, three, four, five] = ["CANARY-one", "CANARY-two", "CANARY three", "CANARY-four", "CANARY-five"];
  const settings: Settings = {
    ...DEFAULTS,
    intermediary: { ...DEFAULTS.intermediary, auth_token: one, tokens: [{ name: "n", token: two, scopes: [], names: [] }] },
    "nakurity-clients": [{ url: `wss://me:${encodeURIComponent(three)}@x/t/${four}/y?api_key=${five}` }] as never,
  };
  const secrets = new Secrets(secretsOf(settings));
  for (const each of [one, two, three, encodeURIComponent(three), four, five]) {
    check.equal(secrets.redact(`<${each}>`), "<***>");
  }
  const short = new Secrets(["own", "x"]);
  check.equal(short.redact("my own token is owned by x"), "my *** token is owned by x");
  secrets.learn(["CANARY-six"]);
  check.equal(secrets.redact(`${one} CANARY-six`), "*** ***");
});

test("OB14 of a binary frame the first 64 KiB and the size are recorded", () => {
  const fixture = new RecorderFixture().record(opened(GAME), {
    is: "frame",
    peer: GAME,
    frame: new Uint8Array(1_000_000).fill(255),
  });
  const { base64 = "", bytes } = fixture.session.events.at(-1) ?? {};
  check.equal([fromBase64(base64)?.length, bytes], [65_536, 1_000_000]);
});

test("OB15 a full recording ends, which is reported once, and the relay continues", () => {
  const fixture = new RecorderFixture([], 4).record(opened(GAME));
  for (let at = 0; at < 10; at++) fixture.record({ is: "frame", peer: GAME, frame: `${at}` });
  check.equal(fixture.sockets.send(GAME, "x"), 7);
  fixture.recorder.stop();
  check.equal([fixture.fulls, fixture.lines.length, fixture.session.end, fixture.session.events.length], [1, 5, "full", 3]);
});

test("OB16 torn and foreign lines are skipped and counted", () => {
  const fixture = new RecorderFixture().record(opened(GAME), { is: "frame", peer: GAME, frame: "whole" });
  const torn = `${fixture.lines.join("\n")}\n{"t":30,"peer":1,"listener":"neu`;
  const [first] = readRecording(torn);
  check.equal([first?.events.length, first?.unreadable, first?.end], [2, 1, undefined]);
  const later = new RecorderFixture().record(opened(GAME));
  const [before, after] = readRecording(`${torn}\n{"t":1,"peer":"one","is":"in"}\n[]\n${later.lines.join("\n")}\n\n`);
  check.equal([before?.unreadable, after?.events.length, after?.unreadable], [3, 1, 0]);
});

test("OB16 a file that is not a recording, or a newer one, is refused with a reason", () => {
  for (const text of ["", "\n\n", "hello", '{"t":1,"peer":1,"is":"in"}', '{"v":2,"relay":"9","started_at":"x"}']) {
    let refused: unknown;
    try {
      readRecording(text);
    } catch (error) {
      refused = error;
    }
    check.that(refused instanceof RecordingError, text);
  }
});
