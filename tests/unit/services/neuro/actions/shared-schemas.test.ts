import { test } from "#runner";
import type { Action } from "../../../../../src/core/neuro-messages.ts";
import type { JsonObject } from "../../../../../src/core/json.ts";
import { RetainedBytes } from "../../../../../src/core/retained-bytes.ts";
import { SharedSchemas } from "../../../../../src/services/neuro/actions/shared-schemas.ts";
import { PolicyTable } from "../../../../../src/services/neuro/policy.ts";
import { check } from "../../../../harness/check.ts";
import { settingsOf } from "../fixture.ts";

const action = (name: string, schema: JsonObject): Action => ({
  name,
  description: "",
  schema,
});
const numbered = (at: number): JsonObject => ({
  type: "object",
  properties: { [`n${at}`]: { type: "string" } },
});

test("equal schemas of several games are one object, and others stay as they are", () => {
  const schemas = new SharedSchemas(new RetainedBytes());
  const shared = (schema: JsonObject) => schemas.withShared(action("jump", schema)).schema;
  const first = numbered(1);
  check.that(shared(first) === first && shared(numbered(1)) === first);
  check.equal(shared(numbered(2)), numbered(2));
  const reordered = { properties: { n1: { type: "string" } }, type: "object" };
  check.equal(JSON.stringify(shared(reordered)), JSON.stringify(reordered));
  check.equal(schemas.withShared({ name: "wave", description: "" }), {
    name: "wave",
    description: "",
  });
});

test("what is kept for games to come is bounded, and charged", () => {
  const retained = new RetainedBytes();
  const schemas = new SharedSchemas(retained);
  const first = numbered(0);
  for (let at = 0; at < 256; at++) {
    schemas.withShared(action("jump", at === 0 ? first : numbered(at)));
  }
  const full = retained.bytes;
  check.that(
    full > 0 &&
      schemas.withShared(action("jump", numbered(0))).schema === first,
  );
  for (let at = 100; at < 1_000; at++) {
    schemas.withShared(action("jump", numbered(at)));
  }
  check.that(
    retained.bytes < 1.1 * full,
    `${retained.bytes} bytes, and ${full} of as many before`,
  );
  check.that(schemas.withShared(action("jump", numbered(0))).schema !== first);
  const before = retained.bytes;
  schemas.withShared(
    action("jump", { type: "string", description: "x".repeat(4_000) }),
  );
  check.equal(retained.bytes, before);
});

test("integrations to which the same entries apply share their policy", () => {
  const table = new PolicyTable(
    settingsOf({
      integrations: [{ match: "Ch*", grace: 1 }, { match: "*", parked: 9_000 }],
    }),
  );
  check.that(
    table.of("Chess") === table.of("Checkers") &&
      table.of("Poker") === table.of("Go"),
  );
  check.equal([
    table.of("Chess").grace,
    table.of("Chess").parked,
    table.of("Poker").parked,
  ], [1, 9_000, 9_000]);
  check.that(table.of("Poker").grace !== 1);
});
