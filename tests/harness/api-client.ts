/** Generates `src/clients/api.ts`, the typed client of the API, from the OpenAPI document. Run by `bun run docs`; a test fails if it is stale. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isObject, type Json, type JsonObject } from "../../src/core/json.ts";
import { documentOf } from "../../src/http/api/openapi.ts";
import { ROOT } from "./machine.ts";

export const API_CLIENT: string = join(ROOT, "src/clients/api.ts");

const HEAD = `// deno-fmt-ignore-file
/**
 * A typed client of the relay's HTTP API: one method for each operation. Generated from the OpenAPI document by \`bun run docs\`; do not edit.
 *
 * A method takes the parameters of the path in order, then the body, then the other parameters. It rejects with an \`ApiError\`.
 */
import type { Json } from "../core/json.ts";
import { ApiClient, type ApiClientOptions, pathSegment, queryText } from "./api-client.ts";

export { ApiClient, type ApiClientOptions, ApiError, type ApiMethod } from "./api-client.ts";
`;

const SCHEMA = "#/components/schemas/";

/** The client's source. */
export function clientSource(): string {
  const document = documentOf("", "");
  const { schemas } = objectAt(document, "components");
  const types = Object.entries(isObject(schemas) ? schemas : {}).flatMap(([name, schema]) => [
    commentOf(isObject(schema) ? schema.description : undefined),
    `  readonly ${name}: ${typeOf(schema)};`,
  ]);
  const methods = Object.entries(objectAt(document, "paths")).flatMap(([path, operations]) =>
    Object.entries(isObject(operations) ? operations : {}).flatMap(([method, operation]) =>
      isObject(operation) ? methodFor(path, method.toUpperCase(), operation) : []
    )
  );
  return [
    HEAD,
    "/** The types of everything that the API accepts and returns. */",
    "export interface ApiSchemas {",
    ...types,
    "}",
    "",
    "/** The API of one relay. */",
    "export class RelayApi {",
    "  readonly #client: ApiClient;",
    "",
    "  constructor(options: ApiClientOptions) {",
    "    this.#client = new ApiClient(options);",
    "  }",
    ...methods,
    "}",
    "",
  ].join("\n");
}

function methodFor(path: string, method: string, operation: JsonObject): readonly string[] {
  const { operationId, summary, description, parameters, requestBody, responses } = operation;
  const all = (Array.isArray(parameters) ? parameters : []).filter(isObject);
  const inPath = all.filter((parameter) => parameter.in === "path").map(({ name }) => `${name}: string`);
  const inQuery = all.filter((parameter) => parameter.in === "query");
  const body = schemaIn(requestBody);
  const isBodyOptional = body !== undefined && isEmptyAccepted(body);
  const query = inQuery.map(({ name, schema, required }) =>
    `readonly ${name}${required === true ? "" : "?"}: ${typeOf(schema)}`
  );
  const list = [
    ...inPath,
    ...(body === undefined ? [] : [`body: ${typeOf(body)}${isBodyOptional ? " = {}" : ""}`]),
    ...(query.length === 0 ? [] : [`query: { ${query.join("; ")} } = {}`]),
  ];
  const reply = typeOf(schemaIn(isObject(responses) ? responses["200"] : undefined));
  const template = path.replace(/^\/api\//, "").replace(/\{(\w+)\}/g, (_, name: string) => `\${pathSegment(${name})}`);
  const url = `\`${template}${query.length === 0 ? "" : "${queryText(query)}"}\``;
  const words = [`"${method}"`, url, ...(body === undefined ? [] : ["body"])];
  return [
    "",
    commentOf([summary, description].filter((text) => typeof text === "string").join(" ")),
    `  ${String(operationId)}(${list.join(", ")}): Promise<${reply}> {`,
    `    return this.#client.request(${words.join(", ")});`,
    "  }",
  ];
}

/** True if no field of a body is required. */
function isEmptyAccepted(body: Json): boolean {
  const name = isObject(body) && typeof body.$ref === "string" ? body.$ref.slice(SCHEMA.length) : "";
  const { schemas } = objectAt(documentOf("", ""), "components");
  const schema = isObject(schemas) ? schemas[name] : undefined;
  return isObject(schema) && (!Array.isArray(schema.required) || schema.required.length === 0);
}

function schemaIn(holder: Json | undefined): Json | undefined {
  const { content } = isObject(holder) ? holder : {};
  const json = isObject(content) ? content["application/json"] : undefined;
  return isObject(json) ? json.schema : undefined;
}

const objectAt = (parent: JsonObject, name: string): JsonObject => {
  const value = parent[name];
  return isObject(value) ? value : {};
};

const commentOf = (text: Json | undefined): string =>
  typeof text === "string" && text !== "" ? `  /** ${text.replaceAll("*/", "* /")} */` : "";

/** The TypeScript type of a JSON Schema. Throws for one that says nothing, because its users would have to guess. */
function typeOf(schema: Json | undefined): string {
  if (!isObject(schema)) return "void";
  const { $ref, enum: values, const: value, anyOf, oneOf, type } = schema;
  if (typeof $ref === "string") return `ApiSchemas["${$ref.slice(SCHEMA.length)}"]`;
  if (Array.isArray(values)) return values.map((one: Json) => JSON.stringify(one)).join(" | ");
  if (value !== undefined) return JSON.stringify(value);
  const either = [anyOf, oneOf].find((list) => Array.isArray(list));
  if (Array.isArray(either)) return either.map(typeOf).join(" | ");
  if (Array.isArray(type)) {
    return type.length >= 6 ? "Json" : type.map((one: Json) => typeOf({ ...schema, type: one })).join(" | ");
  }
  switch (type) {
    case "string":
    case "boolean":
    case "null":
      return type;
    case "number":
    case "integer":
      return "number";
    case "array":
      return `readonly (${typeOf(schema.items)})[]`;
    case "object":
      return objectType(schema);
    default:
      throw new Error(`no type for ${JSON.stringify(schema)}`);
  }
}

function objectType({ properties, required, additionalProperties }: JsonObject): string {
  const isRequired = (name: string) => Array.isArray(required) && required.includes(name);
  const fields = Object.entries(isObject(properties) ? properties : {})
    .map(([name, schema]) => `readonly ${JSON.stringify(name)}${isRequired(name) ? "" : "?"}: ${typeOf(schema)}`);
  if (fields.length === 0) {
    return `{ readonly [name: string]: ${isObject(additionalProperties) ? typeOf(additionalProperties) : "Json"} }`;
  }
  // Why Json beside the fields: an index signature has to admit them as well.
  const others = isObject(additionalProperties)
    ? [`readonly [name: string]: ${openType(properties, additionalProperties)}`]
    : [];
  return `{ ${[...fields, ...others].join("; ")} }`;
}

/** The type of a member that an open object may have: any of its known ones, or another one. */
const openType = (properties: Json | undefined, others: JsonObject): string =>
  [...new Set([...Object.values(isObject(properties) ? properties : {}).map(typeOf), typeOf(others), "undefined"])].join(
    " | ",
  );

if (import.meta.main) await writeFile(API_CLIENT, clientSource());
