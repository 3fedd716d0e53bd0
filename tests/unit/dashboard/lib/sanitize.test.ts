/** How text of peers is sanitized. */
import { test } from "#runner";
import fc from "fast-check";
import { sanitize, sanitizeData, sanitizeLines } from "../../../../src/dashboard/lib/sanitize.ts";
import { check } from "../../../harness/check.ts";

test("DB15 text of peers contains no invisible character, and is no longer than requested", () => {
  check.equal(sanitize("a\u202eb\u0000c\nd\u200b"), "a\ufffdb\ufffdc\ufffdd\ufffd");
  check.equal(sanitizeLines("a\r\nb\tc"), "a\nb\ufffdc");
  check.equal(sanitize("e" + "\u0301".repeat(50)).length, 4);
  check.equal(sanitize("😀😀😀", 2), "😀…");
  check.equal(sanitize("\ud800x"), "\ufffdx");
  check.equal(sanitizeData(`{"a":"\u202e"}`), `{\n  "a": "\\u202e"\n}`);
  check.equal(sanitizeData("no json"), "no json");
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 600 }), fc.integer({ min: 2, max: 50 }), (text, most) => {
    const sanitized = sanitize(text, most);
    check.that([...sanitized].length <= most);
    // deno-lint-ignore no-control-regex -- Why: these characters must not be there.
    check.that(!/[\u0000-\u001f\u202a-\u202e\u2066-\u2069\u200b]/.test(sanitized));
  }));
});
