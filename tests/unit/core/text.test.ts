import { test } from "#runner";
import { assertNever } from "../../../src/core/assert.ts";
import { errorText, redactUrl } from "../../../src/core/text.ts";
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

test("the text of an error is its message, whatever was thrown", () => {
  check.equal(errorText(new Error("no")), "no");
  check.equal(errorText("no"), "no");
  check.equal(errorText(undefined), "undefined");
  check.equal(errorText(new AggregateError([new Error("a"), "b"])), "a, b");
});

test("a member that no case lists is an internal error", () => {
  check.throws(() => assertNever("x" as never), /not handled: "x"/);
});
