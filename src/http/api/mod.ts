/**
 * The HTTP API: routing, authorization and execution follow from one table of operations, and so does the OpenAPI document.
 *
 * The checks are, in this order: does the path exist, does it accept the method, is the token known, has it the scope, is the input
 * valid. Loaded with the first request.
 *
 * Invariants: H1 no service gets a request from a principal without the scope; H2 a token counts only in the `Authorization` header,
 * because browsers and proxies store URLs; H3 every error is a problem document.
 */
import { isObject, type Json } from "../../core/json.ts";
import { hashText } from "../../core/hash.ts";
import type { FaultName } from "../../core/fault.ts";
import type { Principal } from "../../core/request.ts";
import type { ParsedRequest } from "../parse-request.ts";
import type { RequestContext, WebPorts } from "../ports.ts";
import { type Problem, problemFor, problemResponse } from "../problem.ts";
import type { StreamClient } from "./event-stream.ts";
import type { ApiOperation, RawInput, ValidationIssue } from "./operation.ts";
import { IdempotentChanges } from "./idempotency.ts";
import { matchRoute, type RouteMatch } from "./operations.ts";
import { readJson } from "./read-body.ts";

export interface ApiRequest {
  readonly request: Request;
  readonly parsed: ParsedRequest;
  readonly context: RequestContext;
}

/** Handles a request below `/api`. */
export async function handleApiRequest({ request, parsed, context }: ApiRequest, ports: WebPorts): Promise<Response> {
  const { pathname } = new URL(request.url);
  const reference = await referenceResponse(request, context.basePath ?? "", ports);
  if (reference !== undefined) {
    return /^(?:GET|HEAD)$/.test(request.method) ? reference : methodNotAllowed(request, ["GET"]);
  }
  const neuroOs = pathname.startsWith("/api/relay/")
    ? await (await import("./neuro-os.ts")).handleNeuroOsRequest(request, parsed, ports)
    : undefined;
  if (neuroOs !== undefined) return neuroOs;
  const route = matchRoute(pathname);
  const operations = route?.operations
    .filter(({ service }) => service === undefined || ports.services.includes(service)) ?? [];
  if (route === undefined || operations.length === 0) {
    return problemResponse({ status: 404, title: "Not found", fault: "unknownPath" });
  }
  const method = request.method === "HEAD" ? "GET" : request.method;
  const operation = operations.find((candidate) => candidate.method === method);
  if (operation === undefined) return methodNotAllowed(request, operations.map((one) => one.method));
  const principal = authorize(operation, parsed, ports);
  if ("status" in principal) return problemResponse(principal);
  const input = await readInput(request, operation, route, ports);
  if ("status" in input) return problemResponse(input);
  if (method !== "GET" && ports.isDraining()) return problemResponse(problemFor("restarting", undefined));
  context.disableTimeout?.(); // Why: an action takes as long as its integration needs.
  if (operation.stream !== undefined && acceptsStream(request)) {
    const client = streamClient(operation, principal, { request, parsed, context }, ports);
    const streamed = await operation.stream(input, client, ports);
    return "issues" in streamed ? problemResponse(validationProblem(streamed.issues)) : streamed;
  }
  const run = async (): Promise<Response> => {
    const result = await operation.execute(input, principal, ports);
    if ("issues" in result) return problemResponse(validationProblem(result.issues));
    if ("fault" in result) {
      const headers = result.fault === "outdated" ? await currentTag(route, input, principal, ports) : {};
      return problemResponse({ ...problemFor(result.fault, result.reason), headers });
    }
    const lines = operation.hasLines && acceptsLines(request) ? linesResponse(request, result.body) : undefined;
    return lines ?? json(JSON.stringify(result.body), request, {
      unclocked: textWithout(operation.clockFields, result.body),
      version: operation.versionOf?.(result.body),
    });
  };
  const key = method === "GET" ? null : request.headers.get("idempotency-key");
  if (key === null) return await run();
  const change = { key, method, path: pathname, input, principal };
  return await changesOf(ports).once(change, {
    max: ports.settings().limits.idempotency_keys,
    now: ports.uptimeMs(),
    run,
  });
}

const changes = new WeakMap<WebPorts, IdempotentChanges>();

/** The changes with a key that this relay has carried out. */
function changesOf(ports: WebPorts): IdempotentChanges {
  const known = changes.get(ports) ?? new IdempotentChanges();
  changes.set(ports, known);
  return known;
}

const JSON_LINES = "application/jsonl";

const acceptsLines = ({ headers }: Request): boolean => headers.get("accept")?.includes(JSON_LINES) === true;

/** The items of a page, one in each line. The header `link` has the address of the next page. */
function linesResponse({ url }: Request, page: unknown): Response | undefined {
  const items: Json | undefined = isObject(page) ? page.items : undefined;
  if (!isObject(page) || !Array.isArray(items)) return undefined;
  const text = items.map((item: Json) => `${JSON.stringify(item)}\n`).join("");
  const next = new URL(url).searchParams;
  if (typeof page.next === "string") next.set("after", page.next);
  return new Response(text, {
    headers: {
      "content-type": JSON_LINES,
      "cache-control": "no-store",
      ...(typeof page.next === "string" && { link: `<?${next}>; rel="next"` }),
    },
  });
}

const acceptsStream = ({ method, headers }: Request): boolean =>
  method === "GET" && /(?:^|,)\s*text\/event-stream\b/i.test(headers.get("accept") ?? "");

const streamClient = (
  { scopes: needed }: ApiOperation,
  principal: Principal,
  { parsed: { bearer, connection: { address, userAgent } } }: ApiRequest,
  ports: WebPorts,
): StreamClient => ({
  principal,
  address,
  userAgent,
  isAllowed() {
    const { scopes } = ports.accessControl().grantOf(bearer, address);
    return needed.some((scope) => scopes.includes(scope));
  },
});

/** The text of a reply without some of its fields; undefined if it has none of them. */
const textWithout = (fields: readonly string[] | undefined, body: unknown): string | undefined =>
  fields && isObject(body)
    ? JSON.stringify(Object.fromEntries(Object.entries(body).filter(([name]) => !fields.includes(name))))
    : undefined;

interface TagParts {
  /** The part of the text that does not change with time alone; then the tag is a weak one. */
  readonly unclocked?: string | undefined;
  /** What `If-Match` is compared with. */
  readonly version?: string | undefined;
}

function tagOf(text: string, { unclocked, version }: TagParts): string {
  const hash = hashText(unclocked ?? text).slice(0, ETAG_LENGTH);
  return `${unclocked === undefined ? "" : "W/"}"${version === undefined ? "" : `${version}-`}${hash}"`;
}

/** The versions that the header allows, without the rest of their tags; undefined for any. */
function expectedVersions(header: string | null): readonly string[] | undefined {
  if (header === null || header.trim() === "*") return undefined;
  return header.split(",").map((tag) => /^(?:W\/)?"([^"-]*)/.exec(tag.trim())?.[1] ?? "");
}

/** The header with the tag that a refused change should have had. */
async function currentTag(
  { operations }: RouteMatch,
  { path }: RawInput,
  principal: Principal,
  ports: WebPorts,
): Promise<Readonly<Record<string, string>>> {
  const read = operations.find(({ method }) => method === "GET");
  const result = await read?.execute({ path, query: {}, body: undefined }, principal, ports);
  if (read === undefined || result === undefined || !("body" in result)) return {};
  return { etag: tagOf(JSON.stringify(result.body), { version: read.versionOf?.(result.body) }) };
}

/**
 * A reply.
 *
 * Why not `Response.json`: each runtime writes the content type differently.
 */
function json(text: string, { method, headers }: Request, parts: TagParts = {}): Response {
  const type = { "content-type": "application/json", "cache-control": "no-store" };
  if (method !== "GET" && method !== "HEAD") return new Response(text, { headers: type });
  const etag = tagOf(text, parts);
  if (!matchesTag(headers.get("if-none-match"), etag)) return new Response(text, { headers: { ...type, etag } });
  return new Response(null, { status: 304, headers: { etag, "cache-control": "no-store" } });
}

const ETAG_LENGTH = 32;

/** Weak comparison, because a compressed response has a weak tag. */
const matchesTag = (given: string | null, etag: string): boolean =>
  given !== null &&
  given.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag.replace(/^W\//, ""));

/** The documents of the API and of the protocols, and their pages. They need no token, because they contain no data of this relay. */
async function referenceResponse(request: Request, base: string, { version }: WebPorts): Promise<Response | undefined> {
  const path = new URL(request.url).pathname;
  if (path === "/api/openapi.json") {
    const { documentText } = await import("./openapi.ts");
    return json(documentText(version, base), request);
  }
  if (path === "/api/asyncapi.json") {
    const { asyncApiText } = await import("./protocols/asyncapi.ts");
    return json(asyncApiText(version, base), request);
  }
  if (path === "/api/protocols") {
    const { protocolPage } = await import("./protocols/protocol-page.ts");
    return await protocolPage(version, base);
  }
  if (path !== "/api" && path !== "/api/") return undefined;
  const { referencePage } = await import("./reference-page.ts");
  return await referencePage(version, base);
}

function methodNotAllowed({ method }: Request, methods: readonly string[]): Response {
  const allow = [...new Set([...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"])].join(", ");
  if (method === "OPTIONS") return new Response(null, { status: 204, headers: { allow, "cache-control": "no-store" } });
  return problemResponse({
    status: 405,
    title: "Method not allowed",
    fault: "methodNotAllowed",
    detail: `${method} is not supported here; use ${allow}`,
    headers: { allow },
  });
}

/** The principal of the request, or why it is refused. */
function authorize(
  { scopes: needed }: ApiOperation,
  { bearer, connection }: ParsedRequest,
  ports: WebPorts,
): Principal | Problem {
  const { names, scopes } = ports.accessControl().grantOf(bearer, connection.address);
  if (names.length === 0) {
    const detail = bearer === undefined
      ? "give a token as `Authorization: Bearer <token>`"
      : "unknown token in `Authorization`";
    return { status: 401, title: "Unauthorized", fault: "badToken", detail, headers: { "www-authenticate": "Bearer" } };
  }
  if (needed.some((scope) => scopes.includes(scope))) return { by: names.join(", "), scopes };
  const detail = `this operation needs a token with the scope ${needed.join(" or ")}`;
  const challenge = `Bearer error="insufficient_scope", scope="${needed.join(" ")}"`;
  return { status: 403, title: "Refused", fault: "notAllowed", detail, headers: { "www-authenticate": challenge } };
}

/** The parameters that are numbers. */
const NUMBERS: ReadonlySet<string> = new Set(["limit", "wait", "since", "until"]);

async function readInput(
  request: Request,
  operation: ApiOperation,
  { parameters: path }: RouteMatch,
  ports: WebPorts,
): Promise<RawInput | Problem> {
  const query = Object.fromEntries(
    [...new URL(request.url).searchParams]
      .map(([name, text]) => [name, NUMBERS.has(name) && /^-?\d+$/.test(text) ? Number(text) : text]),
  );
  const lastId = operation.stream === undefined ? null : request.headers.get("last-event-id");
  if (lastId !== null && lastId !== "") query.after = lastId;
  const expects = expectedVersions(request.headers.get("if-match"));
  if (expects !== undefined && operation.acceptsIfMatch !== true) return NO_IF_MATCH;
  if (operation.body === undefined) return { path, query, body: undefined };
  const body = await readJson(request, ports.settings().limits);
  return "problem" in body ? body.problem : { path, query, body: body.value, ...(expects !== undefined && { expects }) };
}

/** Why refused: a client that names a condition must not believe that it was checked. */
const NO_IF_MATCH: Problem = {
  status: 400,
  title: "Bad request",
  fault: "malformedRequest",
  detail: "this operation has no condition; leave out `If-Match`",
};

/** Why two statuses: a wrong URL is a bad request, a wrong body was understood but cannot be processed. */
function validationProblem(issues: readonly ValidationIssue[]): Problem {
  const fault: FaultName = "badMessage";
  const detail = issues.map(({ field, message }) => `${field === "/" ? "the body" : field}: ${message}`).join("; ");
  const errors = issues.map(({ field, message }) => ({ field, message }));
  const isBody = issues.every(({ where }) => where === "body");
  return { status: isBody ? 422 : 400, title: isBody ? "Validation failed" : "Bad request", detail, fault, errors };
}
