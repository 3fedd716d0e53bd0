/** An example of each operation for a shell: a call of curl with the parameters and fields that the operation requires. */
import { z } from "zod";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import type { ApiOperation } from "./operation.ts";

/** The call, for a relay whose web port is `$RELAY`, with the token `$TOKEN`. */
export function curlExample({ method, path, body }: ApiOperation): string {
  const url = `"$RELAY${path.replace(/\{(\w+)\}/g, (_, name: string) => name.toUpperCase())}"`;
  const parts = [
    `curl ${method === "GET" ? "" : `-X ${method} `}-H "Authorization: Bearer $TOKEN"`,
    ...(body === undefined ? [] : [`-H "Content-Type: application/json" -d '${JSON.stringify(exampleBody(body))}'`]),
    url,
  ];
  return parts.join(" \\\n  ");
}

/** A body that the schema accepts. */
export function exampleBody(schema: z.ZodType): Json {
  // Why the round trip: zod's own types add methods to JSON.
  const json: JsonObject = JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" })));
  return exampleOf(json, isObject(json.$defs) ? json.$defs : {});
}

function exampleOf(schema: Json | undefined, definitions: JsonObject): Json {
  if (!isObject(schema)) return {};
  const { $ref, enum: values, const: constant, anyOf, type, items } = schema;
  if (typeof $ref === "string") return exampleOf(definitions[$ref.split("/").at(-1) ?? ""], definitions);
  if (constant !== undefined) return constant;
  if (Array.isArray(values)) return values[0] ?? null;
  if (Array.isArray(anyOf)) return exampleOf(anyOf[0], definitions);
  switch (Array.isArray(type) ? type[0] : type) {
    case "string":
      return "text";
    case "boolean":
      return true;
    case "number":
    case "integer":
      return 1;
    case "array":
      return [exampleOf(items, definitions)];
    case "null":
      return null;
    default: // Why not `assertNever`: the type of a schema is a text, and every other one is an object.
      return exampleObject(schema, definitions);
  }
}

/** The required fields, or the first one if there are none. */
function exampleObject({ properties, required }: JsonObject, definitions: JsonObject): Json {
  const fields = Object.entries(isObject(properties) ? properties : {});
  const names: readonly Json[] = Array.isArray(required) && required.length > 0
    ? required
    : fields.slice(0, 1).map(([name]) => name);
  return Object.fromEntries(
    fields.filter(([name]) => names.includes(name)).map(([name, schema]) => [name, exampleOf(schema, definitions)]),
  );
}
