/** The OpenAPI document, generated from the operations. */
import { z } from "zod";
import type { Json, JsonObject } from "../../core/json.ts";
import { curlExample } from "./examples.ts";
import type { ApiOperation, ParameterSchemas } from "./operation.ts";
import { NAMED, problem } from "./schemas.ts";
import { OPERATIONS } from "./operations.ts";

const SCHEMAS = "#/components/schemas/";
const TAGS: readonly (readonly [name: string, description: string])[] = [
  ["Overview", "The relay as a whole."],
  ["Events", "What happens, and who watches."],
  ["Integrations", "Games and integrations: their actions and controls."],
  ["Neuro", "Forces, pending actions, contexts and raw messages."],
  ["Macros", "Actions with their data that operators have saved under a label."],
  ["Queue", "Queued messages, dead letters and commands."],
  ["Traces", "The paths of messages, and what Neuro was sent."],
  ["Tokens", "The tokens of the relay."],
  ["Nallely", "The relay as a neuron of a Nallely session."],
  ["Brain", "Stored predictions."],
];

const ABOUT =
  `Everything that the dashboard can do, for programs. Every request needs a token as \`Authorization: Bearer <token>\`: the
web port's own, which has every scope, or one of \`intermediary.tokens\` with the scope that the operation names.

Instants are milliseconds since 1970; durations are milliseconds. Lists are paged: pass \`next\` as \`after\` to get the next page. Errors
are problem documents (RFC 9457), with a \`fault\` for programs and a \`detail\` for people. A change with an \`Idempotency-Key\` is carried out once,
however often it is sent, as long as the relay runs: keys are kept in memory for a day, so a restart forgets them. Replies to GET have an
\`ETag\` for \`If-None-Match\`, and for \`If-Match\` of a change that two operators could make at once.

In the examples \`$RELAY\` is the address of the web port with its scheme, \`$TOKEN\` a token, and a word in capitals a parameter
of the path.`;

/** Why cached: generating it costs as much as a hundred responses, and it needs no token. */
let kept: { readonly version: string; readonly base: string; readonly text: string } | undefined;

/** The document as text, for a relay of this version below this path of its origin. */
export function documentText(version: string, base: string): string {
  if (kept?.version !== version || kept.base !== base) {
    kept = { version, base, text: JSON.stringify(documentOf(version, base)) };
  }
  return kept.text;
}

/** The document as an object. */
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

function pathsOf(operations: readonly ApiOperation[]): JsonObject {
  const paths = Map.groupBy(operations, ({ path }) => path);
  return Object.fromEntries(
    [...paths].map((
      [path, all],
    ) => [path, Object.fromEntries(all.map((one) => [one.method.toLowerCase(), describe(one)]))]),
  );
}

function describe(operation: ApiOperation): JsonObject {
  const { id, tag, summary, description, scopes, parameters, body, reply, stream, hasLines, acceptsIfMatch } = operation;
  const needs = `Needs the scope ${scopes.map((scope) => `\`${scope}\``).join(" or ")}.`;
  const given = [
    ...parametersIn("path", parameters.path),
    ...parametersIn("query", parameters.query),
    ...(acceptsIfMatch === true ? [IF_MATCH] : []),
  ];
  const hasBody = body !== undefined;
  const refusals = {
    ...(given.length > 0 || hasBody ? { "400": problemContent("The URL or the body is malformed.") } : {}),
    "401": problemContent("The token is missing or unknown."),
    "403": problemContent("The token lacks the scope."),
    ...(Object.keys(parameters.path).length > 0 && { "404": problemContent("It does not exist.") }),
    ...(hasBody && {
      "413": problemContent("The body is too large."),
      "415": problemContent("The body is not JSON."),
      "422": problemContent("The body failed validation."),
    }),
    ...(acceptsIfMatch && {
      "412": {
        ...problemContent("Another operator has changed it. The header `etag` has the current tag."),
        headers: { etag: { schema: { type: "string" } } },
      },
    }),
    default: problemContent("Another error; `409` if the operation is not possible now."),
  };
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: description === undefined ? needs : `${description} ${needs}`,
    security: [{ token: [...scopes] }],
    "x-codeSamples": [{ lang: "Shell", label: "curl", source: curlExample(operation) }],
    ...(given.length > 0 && { parameters: given }),
    ...(body !== undefined && { requestBody: { required: true, content: jsonContent(body) } }),
    responses: {
      "200": {
        description: descriptionOf(reply),
        content: {
          ...jsonContent(reply),
          ...(stream !== undefined && { "text/event-stream": { schema: { type: "string" } } }),
          ...(hasLines && LINES),
        },
      },
      ...refusals,
    },
  };
}

const IF_MATCH: JsonObject = {
  name: "If-Match",
  in: "header",
  required: false,
  description: "The `ETag` of the reply to GET at this path.",
  schema: { type: "string" },
};

const LINES: JsonObject = {
  "application/jsonl": { schema: { type: "string", description: "The items of the page, one in each line." } },
};

const problemContent = (description: string): JsonObject => ({
  description,
  content: { "application/problem+json": { schema: referenceTo(problem) } },
});

const jsonContent = (schema: z.ZodType): JsonObject => ({ "application/json": { schema: referenceTo(schema) } });

function referenceTo(schema: z.ZodType): JsonObject {
  return { $ref: `${SCHEMAS}${nameOf(schema)}` };
}

/** The name of a schema in the document. */
export const nameOf = (schema: z.ZodType): string => NAMED.get(schema)?.id ?? "";

/** The description of a schema. */
export const descriptionOf = (schema: z.ZodType): string => schema.description ?? "";

function parametersIn(where: "path" | "query", fields: ParameterSchemas): JsonObject[] {
  return Object.entries(fields).map(([name, schema]) => {
    const { $schema: _, description, ...shape } = asJson(z.toJSONSchema(schema, { io: "input" }));
    const required = !schema.safeParse(undefined).success;
    return { name, in: where, required, description: description ?? "", schema: shape };
  });
}

/** All named schemas. */
export function namedSchemas(): JsonObject {
  const { schemas } = z.toJSONSchema(NAMED, { io: "input", uri: (id) => SCHEMAS + id });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const { $schema: _, $id: __, ...own } = asJson(schema);
      return [name, own];
    }),
  );
}

/** Why: zod's own types add methods to JSON. */
const asJson = (schema: object): Record<string, Json | undefined> => JSON.parse(JSON.stringify(schema));
