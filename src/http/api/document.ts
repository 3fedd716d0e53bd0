/** The OpenAPI document, made of the table of operations. */
import { z } from "zod";
import type { Json, JsonObject } from "../../core/json.ts";
import type { Fields, Operation } from "./operation.ts";
import { NAMED, problem } from "./schemas.ts";
import { OPERATIONS } from "./table.ts";

const SCHEMAS = "#/components/schemas/";
const TAGS: readonly (readonly [name: string, description: string])[] = [
  ["Overview", "The relay as a whole."],
  ["Integrations", "Who offers what, and what is decided about it."],
  ["Neuro", "Forces, pending actions, and what is said to Neuro."],
  ["Queue", "Messages that wait for somebody, and dead letters."],
];

const ABOUT =
  `What the dashboard does, for programs. Every request needs a token as \`Authorization: Bearer <token>\`: the web port's
own, which may do everything, or one of \`intermediary.tokens\`. A token with the scope that an operation names may do it.

Instants are milliseconds since 1970, durations milliseconds. Lists come in pages: give \`next\` as \`after\` to get the rest. Errors
are problem documents (RFC 9457); their \`fault\` is for programs, their \`detail\` for people.`;

/** Why kept: making it takes as long as a hundred answers, and whoever may reach the port may ask for it. */
let kept: { readonly version: string; readonly base: string; readonly text: string } | undefined;

/** The document as text, for a relay of this version at this place on its origin. */
export function documentText(version: string, base: string): string {
  if (kept?.version !== version || kept.base !== base) {
    kept = { version, base, text: JSON.stringify(documentOf(version, base)) };
  }
  return kept.text;
}

/** The same as what it says. */
export function documentOf(version: string, base: string): JsonObject {
  return {
    openapi: "3.1.1",
    info: { title: "Neuro Relay", version, description: ABOUT },
    servers: [{ url: base === "" ? "/" : base }],
    tags: TAGS.map(([name, description]) => ({ name, description })),
    security: [{ token: [] }],
    paths: pathsOf(OPERATIONS),
    components: {
      schemas: namedSchemas(),
      securitySchemes: { token: { type: "http", scheme: "bearer", description: "A token of the relay." } },
    },
  };
}

function pathsOf(operations: readonly Operation[]): JsonObject {
  const paths = Map.groupBy(operations, ({ path }) => path);
  return Object.fromEntries(
    [...paths].map((
      [path, all],
    ) => [path, Object.fromEntries(all.map((one) => [one.method.toLowerCase(), describe(one)]))]),
  );
}

function describe({ id, tag, says, more, scopes, parameters, body, answer }: Operation): JsonObject {
  const needs = `Needs the scope ${scopes.map((scope) => `\`${scope}\``).join(" or ")}.`;
  const given = [...parametersIn("path", parameters.path), ...parametersIn("query", parameters.query)];
  const hasBody = body !== undefined;
  const refusals = {
    ...(given.length > 0 || hasBody ? { "400": refusal("An address or a body that cannot be read.") } : {}),
    "401": refusal("No token, or none of this relay's."),
    "403": refusal("The token does not allow it."),
    ...(Object.keys(parameters.path).length > 0 && { "404": refusal("There is no such thing.") }),
    ...(hasBody && {
      "413": refusal("The body is too long."),
      "415": refusal("The body is not JSON."),
      "422": refusal("The body, or what it asks for, is not as it should be."),
    }),
    default: refusal("What else went wrong; `409` is for what is not possible now."),
  };
  return {
    operationId: id,
    tags: [tag],
    summary: says,
    description: more === undefined ? needs : `${more} ${needs}`,
    security: [{ token: [...scopes] }],
    ...(given.length > 0 && { parameters: given }),
    ...(body !== undefined && { requestBody: { required: true, content: jsonContent(body) } }),
    responses: {
      "200": { description: descriptionOf(answer), content: jsonContent(answer) },
      ...refusals,
    },
  };
}

const refusal = (description: string): JsonObject => ({
  description,
  content: { "application/problem+json": { schema: referenceTo(problem) } },
});

const jsonContent = (schema: z.ZodType): JsonObject => ({ "application/json": { schema: referenceTo(schema) } });

function referenceTo(schema: z.ZodType): JsonObject {
  return { $ref: `${SCHEMAS}${nameOf(schema)}` };
}

/** The name of a schema in the document. */
export const nameOf = (schema: z.ZodType): string => NAMED.get(schema)?.id ?? "";

/** What a schema is, in a sentence. */
export const descriptionOf = (schema: z.ZodType): string => schema.description ?? "";

function parametersIn(where: "path" | "query", fields: Fields): JsonObject[] {
  return Object.entries(fields).map(([name, schema]) => {
    const { $schema: _, description, ...shape } = asJson(z.toJSONSchema(schema, { io: "input" }));
    const required = !schema.safeParse(undefined).success;
    return { name, in: where, required, description: description ?? "", schema: shape };
  });
}

/** All named schemas, each by itself. */
export function namedSchemas(): JsonObject {
  const { schemas } = z.toJSONSchema(NAMED, { io: "input", uri: (id) => SCHEMAS + id });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const { $schema: _, $id: __, ...own } = asJson(schema);
      return [name, own];
    }),
  );
}

/** Why: zod's own types hang methods on what is JSON. */
const asJson = (schema: object): Record<string, Json | undefined> => JSON.parse(JSON.stringify(schema));
