/** What one operation of the API is: enough to carry it out, to describe it, and to refuse what it cannot take. */
import { z } from "zod";
import type { RequestResult } from "../../engine/mod.ts";
import type { Principal, ServiceRequest } from "../../core/request.ts";
import type { ServiceName } from "../../core/service.ts";
import type { Scope } from "../../core/settings.ts";
import type { WebPorts } from "../ports.ts";

export type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** What a caller gives, before anybody has looked at it. */
export interface RawInput {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | number>>;
  readonly body: unknown;
}

/** A field that is not as it should be. */
export interface Flaw {
  readonly where: "path" | "query" | "body";
  readonly field: string;
  readonly says: string;
}

/** The answer to an operation, or what is wrong with what was given. */
export type Outcome = RequestResult | { readonly flaws: readonly Flaw[] };

/** One operation, as the table has it. */
export interface Operation {
  /** Its name in the document, unique. */
  readonly id: string;
  readonly method: Method;
  /** As in the document: `/api/integrations/{id}`. */
  readonly path: string;
  readonly tag: string;
  /** One sentence. */
  readonly says: string;
  readonly more?: string;
  /** Any one of these is enough. */
  readonly scopes: readonly Scope[];
  /** Without this room there is no such operation. */
  readonly service?: ServiceName;
  readonly parameters: { readonly path: Fields; readonly query: Fields };
  readonly body?: z.ZodType;
  readonly answer: z.ZodType;
  carryOut(input: RawInput, principal: Principal, deps: WebPorts): Promise<Outcome>;
}

export type Fields = Readonly<Record<string, z.ZodType>>;

/** No fields at all. */
type Nothing = Readonly<Record<never, z.ZodType>>;

type Values<Of extends Fields> = { readonly [Name in keyof Of]: z.output<Of[Name]> };

/** An operation, given with the types of what it takes. */
export interface Given<Path extends Fields, Query extends Fields, Body>
  extends Omit<Operation, "parameters" | "body" | "carryOut"> {
  readonly params?: Path;
  readonly query?: Query;
  readonly body?: z.ZodType<Body>;
  /** What to ask of which room, or how to answer without asking only one. */
  ask(input: Input<Path, Query, Body>): ServiceRequest | ((deps: WebPorts) => Promise<RequestResult>);
}

export interface Input<Path extends Fields, Query extends Fields, Body> {
  readonly path: Values<Path>;
  readonly query: Values<Query>;
  readonly body: Body;
  readonly principal: Principal;
}

/** Makes an operation: from here on its types are its own matter. */
export function operation<Body = undefined, Path extends Fields = Nothing, Query extends Fields = Nothing>(
  given: Given<Path, Query, Body>,
): Operation {
  const { params, query, body, ask, ...rest } = given;
  const [paths, queries] = [z.strictObject({ ...params }), z.strictObject({ ...query })];
  return {
    ...rest,
    parameters: { path: params ?? {}, query: query ?? {} },
    ...(body !== undefined && { body }),
    async carryOut(input, principal, deps) {
      const read = [paths.safeParse(input.path), queries.safeParse(input.query), body?.safeParse(input.body)] as const;
      const flaws = [...flawsOf("path", read[0]), ...flawsOf("query", read[1]), ...flawsOf("body", read[2])];
      if (flaws.length > 0) return { flaws };
      // Why the casts: zod's types are lost in a record of fields, and each was just read by the schema of its own.
      const asked = ask({
        path: read[0].data as Values<Path>,
        query: read[1].data as Values<Query>,
        body: read[2]?.data as Body,
        principal,
      });
      return typeof asked === "function" ? await asked(deps) : await deps.request(asked, principal);
    },
  };
}

/** One for each field: what is of another type may be too short as well. */
function flawsOf(where: Flaw["where"], read: z.ZodSafeParseResult<unknown> | undefined): readonly Flaw[] {
  const flaws = new Map<string, Flaw>();
  for (const issue of read?.error?.issues ?? []) {
    const path = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0] ?? ""] : issue.path;
    const names = path.map((part) => String(part).replaceAll("~", "~0").replaceAll("/", "~1"));
    const field = where === "body" ? `/${names.join("/")}` : names.join("/");
    if (!flaws.has(field)) flaws.set(field, { where, field, says: sentence(issue) });
  }
  return [...flaws.values()];
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return "there is no such field";
  return issue.message.replace(/^Invalid input: /, "");
}
