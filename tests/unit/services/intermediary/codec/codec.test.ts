import { test } from "#runner";
import fc from "fast-check";
import { DEFAULTS } from "../../../../../src/core/defaults.ts";
import { parseJson } from "../../../../../src/core/json.ts";
import { withFields } from "../../../../../src/queue/entry.ts";
import { typeOf } from "../../../../../src/services/intermediary/uploads/file-type.ts";
import { matchesPattern } from "../../../../../src/core/text.ts";
import { jsonOf, requestIdOf, textOf } from "../../../../../src/services/intermediary/codec/frames.ts";
import { readGreeting, readName } from "../../../../../src/services/intermediary/codec/greeting.ts";
import { readRequest } from "../../../../../src/services/intermediary/codec/watcher-requests.ts";
import { readIntegrationMessage } from "../../../../../src/services/intermediary/codec/integration-messages.ts";
import { check } from "../../../../harness/check.ts";

const LIMITS = { bytesMax: 4_096, depthMax: 64 };

test("IM90 a greeting is read from text or UTF-8 bytes, with or without a byte order mark", () => {
  const greeting = { type: "integration", name: "a", auth_token: "t", ack: true };
  const text = JSON.stringify(greeting);
  const read = {
    ok: true,
    value: {
      type: "integration",
      name: { ok: true, value: "a" },
      token: "t",
      acks: true,
      traces: false,
      problem: undefined,
    },
  };
  for (const frame of [text, `\ufeff${text}`, new TextEncoder().encode(text)]) {
    check.equal(readGreeting(frame, LIMITS) as unknown, read);
  }
  check.equal(textOf(new Uint8Array([0xff])), undefined);
  check.equal(jsonOf(new Uint8Array([0xff]), 64), undefined);
});

test("IM90b only the value true requests acks", () => {
  const acks = [true, "true", 1, null, undefined].map((ack) => {
    const read = readGreeting(JSON.stringify({ ack }), LIMITS);
    return read.ok && read.value.acks;
  });
  check.equal(acks, [true, false, false, false, false]);
});

test("IM91 reading any frame yields a message or a refusal", () => {
  fc.assert(fc.property(fc.oneof(fc.json(), fc.string(), fc.uint8Array()), (frame) => {
    const greeting = readGreeting(frame, LIMITS);
    check.that(greeting.ok || greeting.reason.length > 0);
    const json = jsonOf(frame, 64);
    if (json === undefined) return;
    check.that(readRequest(json).is.length > 0);
    requestIdOf(json);
    for (const acks of [true, false]) {
      check.that(readIntegrationMessage(json, { acks, limits: DEFAULTS.limits }).is.length > 0);
    }
  }));
});

test("IM92 a watcher's message is one request: the first of direct, query, subscribe, choice, command", () => {
  const all = {
    direct_to_neuro: true,
    payload: 1,
    query: "peers",
    subscribe: {},
    choice: { selected: "x" },
    target: "a",
    cmd: 0,
  };
  const kinds = ["direct_to_neuro", "query", "subscribe", "choice", "cmd"].map((_, at, order) => {
    const left = Object.entries(all).filter(([name]) => !order.slice(0, at).includes(name));
    return readRequest(Object.fromEntries(left)).is;
  });
  check.equal(kinds, ["direct", "peers", "subscribe", "choice", "command"]);
  check.equal(readRequest({ direct_to_neuro: "true", target: "a", cmd: false }), {
    is: "command",
    target: "a",
    cmd: false,
  });
});

test("IM93 ack, nak and term count only from a client that requested acks, and are free text from others", () => {
  const receipts = [{ ack: "1" }, { nak: "1", delay_ms: 5.5 }, { nak: "1", delay_ms: -1 }, { term: "1" }];
  check.equal(receipts.map((message) => readIntegrationMessage(message, { acks: true, limits: DEFAULTS.limits })), [
    { is: "ack", id: "1" },
    { is: "nak", id: "1", delayMs: 5 },
    { is: "nak", id: "1", delayMs: undefined },
    { is: "term", id: "1" },
  ]);
  check.equal(
    receipts.map((message) => readIntegrationMessage(message, { acks: false, limits: DEFAULTS.limits }).is),
    Array(4).fill("freeText"),
  );
});

test("IM94 in an object by name an action's description is its own, that of its schema, or its name in words", () => {
  const actions = (raw: string) => {
    const json = parseJson(`{"event":"register_actions","actions":${raw}}`, 64);
    const heard = json === undefined ? undefined : readIntegrationMessage(json, { acks: false, limits: DEFAULTS.limits });
    return heard?.is === "game" && heard.message.command === "actions/register" ? heard.message.actions : undefined;
  };
  check.equal(actions('{"playSong":null,"stop_all-music":{}}'), [
    { name: "playSong", description: "play Song" },
    { name: "stop_all-music", description: "stop all music" },
  ]);
  check.equal(actions('{"a":{"description":"D","schema":{"type":"object"}}}'), [
    { name: "a", description: "D", schema: { type: "object" } },
  ]);
  check.equal(actions('{"a":{"schema":{"type":"object","description":"S"}}}'), [
    { name: "a", description: "S", schema: { type: "object", description: "S" } },
  ]);
  check.equal(actions('[{"name":"a","schema":{"type":"object","description":"S"}},"b",7,{"name":""},null,{"x":1}]'), [
    { name: "a", description: "", schema: { type: "object", description: "S" } },
    { name: "b", description: "" },
  ]);
  for (const raw of ["null", "[]", "{}"]) check.equal(actions(raw), []);
  check.equal(actions("7"), undefined);
});

test("IM95 reading a name again gives the same name", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 80 }), (raw) => {
    const once = readName(raw);
    if (!once.ok) return check.that(once.reason.length > 0);
    check.equal(readName(once.value ?? ""), once);
    check.that((once.value ?? "").length <= 128);
  }));
});

test("IM96 in a name pattern * matches any run of characters, and nothing else is special", () => {
  const escape = (part: string) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const text = fc.string({ unit: fc.constantFrom("a", "b", "*", "."), maxLength: 6 });
  fc.assert(fc.property(text, text, (pattern, name) => {
    const expected = new RegExp(`^${pattern.split("*").map(escape).join(".*")}$`).test(name);
    check.equal(matchesPattern(pattern, name), expected, `${pattern} ~ ${name}`);
  }));
});

test("IM97 fields are inserted before those of a body, whose text stays the same byte for byte", () => {
  fc.assert(fc.property(fc.string(), fc.jsonValue(), (id, cmd) => {
    const body = JSON.stringify({ from_watcher: "w", cmd });
    const text = withFields({ id, redelivered: true }, body);
    check.equal(JSON.parse(text), JSON.parse(JSON.stringify({ id, redelivered: true, from_watcher: "w", cmd })));
    check.that(text.endsWith(body.slice(1)));
  }));
});

test("IM98 the type of a file follows from its first bytes", () => {
  const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  check.equal(typeOf(bytes("RIFF\x00\x00\x00\x00WAVEfmt ")).type, "audio/wav");
  check.equal(typeOf(bytes("RIFF\x00\x00\x00\x00WEBP")).type, "image/webp");
  check.equal(typeOf(bytes("\x00\x00\x00\x18ftypmp42")).type, "video/mp4");
  check.equal(typeOf(bytes("<html><script>")).type, "application/octet-stream");
  check.equal(typeOf(bytes("")).type, "application/octet-stream");
});
