import { test } from "#runner";
import { assertNever } from "../../../src/core/assert.ts";
import { errorText, lenientText, normalized, percentDecode, redactUrl, utf8 } from "../../../src/core/text.ts";
import { check } from "../../harness/check.ts";

test("OB6 a redacted URL has no credentials, query, fragment and token, whatever its scheme", () => {
  const cases = {
    "wss://me:secret@host.example/t/secret/game/x?token=secret#secret": "wss://host.example/t/.../game/x",
    "ws://127.0.0.1:8000": "ws://127.0.0.1:8000",
    "ws://127.0.0.1:8000/": "ws://127.0.0.1:8000/",
    "ws://[::1]:8000/t/secret": "ws://[::1]:8000/t/...",
    "redis://someone:se@cret@127.0.0.1:1": "redis://127.0.0.1:1",
    "ws://host?secret": "ws://host",
    "secret": "(invalid URL)",
    "": "(invalid URL)",
  };
  for (const [url, redacted] of Object.entries(cases)) check.equal(redactUrl(url), redacted);
});

test("CF21 a masked URL keeps its query and has *** in the place of each secret", () => {
  const cases = {
    "wss://me:secret@host.example/t/secret/x?a=1&my_token=secret&b=2#f":
      "wss://***@host.example/t/***/x?a=1&my_token=***&b=2",
    "ws://127.0.0.1:8000": "ws://127.0.0.1:8000",
    "secret": "(invalid URL)",
  };
  for (const [url, redacted] of Object.entries(cases)) check.equal(redactUrl(url, "masked"), redacted);
});

test("UTF-8 is decoded strictly or leniently, with or without its byte order mark", () => {
  const [bom, wrong] = [Uint8Array.of(0xef, 0xbb, 0xbf, 0x61), Uint8Array.of(0x61, 0xff)];
  check.equal([utf8(bom), utf8(bom, "strip"), utf8(wrong), utf8(wrong, "strip")], ["\ufeffa", "a", undefined, undefined]);
  check.equal([lenientText(wrong), lenientText("a")], ["a\ufffd", "a"]);
});

test("NB60 a text longer than the limit is not normalised", () => {
  check.equal([normalized("e\u0301", 2), normalized("e\u0301\u0323", 2)], ["\u00e9", undefined]);
});

test("malformed percent-encoding is kept", () => {
  check.equal(["%41", "%", "%zz", "%E0%A4%A"].map(percentDecode), ["A", "%", "%zz", "%E0%A4%A"]);
});

test("the text of an error is its message, whatever was thrown", () => {
  check.equal(errorText(new Error("no")), "no");
  check.equal(errorText("no"), "no");
  check.equal(errorText(undefined), "undefined");
  check.equal(errorText(new AggregateError([new Error("a"), "b"])), "a, b");
});

test("a member that no case lists is an internal error", () => {
  check.throws(() => assertNever("x" as never), /not handled: "x"/);
});
