/** One operation of the API: everything that is needed to execute it, to document it and to validate its input. */
import { z } from "zod";
import type { Principal, ReplyTo, ServiceRequest } from "../../core/request.ts";
import type { ServiceName } from "../../core/service.ts";
import type { Scope } from "../../core/settings.ts";
import type { RequestResult } from "../../engine/mod.ts";
import type { WebPorts } from "../ports.ts";
import type { StreamClient } from "./event-stream.ts";

export type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** The input of a request before validation. */
export interface RawInput {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | number>>;
  readonly body: unknown;
  /** The versions that `If-Match` allows; undefined without the header. */
  readonly expects?: readonly string[];
}

/** An invalid field. */
export interface ValidationIssue {
  readonly where: "path" | "query" | "body";
  readonly field: string;
  readonly message: string;
}

/** The result of an operation, or why its input is invalid. */
export type OperationResult = RequestResult<unknown> | InvalidInput;

export interface InvalidInput {
  readonly issues: readonly ValidationIssue[];
}

/** One operation as the router and the OpenAPI document see it. */
export interface ApiOperation {
  /** The unique `operationId`. */
  readonly id: string;
  readonly method: Method;
  /** A path template: `/api/integrations/{id}`. */
  readonly path: string;
  readonly tag: string;
  /** One sentence. */
  readonly summary: string;
  readonly description?: string;
  /** Any one of these is sufficient. */
  readonly scopes: readonly Scope[];
  /** The operation exists only if this service does. */
  readonly service?: ServiceName;
  readonly parameters: { readonly path: ParameterSchemas; readonly query: ParameterSchemas };
  readonly body?: z.ZodType;
  readonly reply: z.ZodType;
  /** Fields of the reply that change with time alone. The `ETag` does not depend on them. */
  readonly clockFields?: readonly string[];
  /** The items of the page are also returned as JSON Lines, to a client that accepts them. */
  readonly hasLines?: true;
  /** The change is refused if its `If-Match` does not have the version of the GET at this path. */
  readonly acceptsIfMatch?: true;
  /** The version of what the change at this path changes, from the reply. The `ETag` begins with it. */
  versionOf?(body: unknown): string;
  execute(input: RawInput, principal: Principal, ports: WebPorts): Promise<OperationResult>;
  /** The reply as a stream of events, for clients that accept one. */
  stream?(input: RawInput, client: StreamClient, ports: WebPorts): Promise<Response | InvalidInput>;
}

export type ParameterSchemas = Readonly<Record<string, z.ZodType>>;

type NoParameters = Readonly<Record<never, z.ZodType>>;

type ParameterValues<Schemas extends ParameterSchemas> = { readonly [Name in keyof Schemas]: z.output<Schemas[Name]> };

/** The validated input of an operation. */
export interface OperationInput<Path extends ParameterSchemas, Query extends ParameterSchemas, Body> {
  readonly path: ParameterValues<Path>;
  readonly query: ParameterValues<Query>;
  readonly body: Body;
  readonly principal: Principal;
  readonly expects: readonly string[] | undefined;
}

/** The common part of all operation definitions. */
interface OperationDefinition<Reply, Path extends ParameterSchemas, Query extends ParameterSchemas, Body> extends
  Pick<
    ApiOperation,
    | "id"
    | "method"
    | "path"
    | "tag"
    | "summary"
    | "description"
    | "scopes"
    | "service"
    | "clockFields"
    | "hasLines"
    | "acceptsIfMatch"
  > {
  readonly params?: Path;
  readonly query?: Query;
  readonly body?: z.ZodType<Body>;
  /** The schema of the reply; its type is that of the request's reply. */
  readonly reply: z.ZodType<Reply>;
  versionOf?(body: Reply): string;
  stream?(input: OperationInput<Path, Query, Body>, client: StreamClient, ports: WebPorts): Promise<Response>;
}

/** An operation that is one query or command to a service. */
export function operation<
  Request extends ServiceRequest,
  Body = undefined,
  Path extends ParameterSchemas = NoParameters,
  Query extends ParameterSchemas = NoParameters,
>(
  definition: OperationDefinition<ReplyTo<Request>, Path, Query, Body> & {
    request(input: OperationInput<Path, Query, Body>): Request;
  },
): ApiOperation {
  const { request, ...rest } = definition;
  return composedOperation({ ...rest, run: (input, ports) => ports.request(request(input), input.principal) });
}

/** An operation that combines several requests, or needs none. */
export function composedOperation<
  Reply,
  Body = undefined,
  Path extends ParameterSchemas = NoParameters,
  Query extends ParameterSchemas = NoParameters,
>(
  definition: OperationDefinition<Reply, Path, Query, Body> & {
    run(input: OperationInput<Path, Query, Body>, ports: WebPorts): Promise<RequestResult<Reply>>;
  },
): ApiOperation {
  const { params, query, body, run, stream, versionOf, ...rest } = definition;
  const [pathSchema, querySchema] = [z.strictObject({ ...params }), z.strictObject({ ...query })];
  const validate = (input: RawInput, principal: Principal): OperationInput<Path, Query, Body> | InvalidInput => {
    const parsed = {
      path: pathSchema.safeParse(input.path),
      query: querySchema.safeParse(input.query),
      body: body?.safeParse(input.body),
    };
    const issues = [
      ...issuesOf("path", parsed.path),
      ...issuesOf("query", parsed.query),
      ...issuesOf("body", parsed.body),
    ];
    if (issues.length > 0) return { issues };
    // Why the casts: a record of schemas loses their types. Each value was just parsed by its own schema.
    return {
      path: parsed.path.data as ParameterValues<Path>,
      query: parsed.query.data as ParameterValues<Query>,
      body: parsed.body?.data as Body,
      principal,
      expects: input.expects,
    };
  };
  return {
    ...rest,
    parameters: { path: params ?? {}, query: query ?? {} },
    ...(body !== undefined && { body }),
    // Why the cast: it gets the reply of `run`.
    ...(versionOf !== undefined && { versionOf: (reply: unknown) => versionOf(reply as Reply) }),
    async execute(input, principal, ports) {
      const valid = validate(input, principal);
      return "issues" in valid ? valid : await run(valid, ports);
    },
    ...(stream !== undefined && {
      async stream(input: RawInput, client: StreamClient, ports: WebPorts) {
        const valid = validate(input, client.principal);
        return "issues" in valid ? valid : await stream(valid, client, ports);
      },
    }),
  };
}

/** One issue for each field, although a value of the wrong type can also be too short. */
function issuesOf(
  where: ValidationIssue["where"],
  parsed: z.ZodSafeParseResult<unknown> | undefined,
): readonly ValidationIssue[] {
  const issues = new Map<string, ValidationIssue>();
  for (const issue of parsed?.error?.issues ?? []) {
    const path = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : issue.path;
    const names = path.map((part) => String(part).replaceAll("~", "~0").replaceAll("/", "~1"));
    const field = where === "body" ? `/${names.join("/")}` : names.join("/");
    if (!issues.has(field)) issues.set(field, { where, field, message: messageOf(issue) });
  }
  return [...issues.values()];
}

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return "is not a known field";
  if (issue.code === "invalid_type" && issue.input === undefined) return "is required";
  return issue.message.replace(/^Invalid input: /, "");
}
