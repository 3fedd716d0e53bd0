/**
 * The HTTP API: one table of operations, by which requests are carried out and the document is made.
 *
 * The order of checks is: is there such a thing, may it be done by this method, whose token is it, what does that token allow, is
 * what was given as it should be. Loaded with the first request that needs it.
 *
 * Invariants: H1 nothing is asked of a room for somebody whose token does not allow it; H2 a token counts in the header only: what is in
 * an address is kept by browsers and proxies; H3 every refusal is a problem document.
 */
import type { FaultName } from "../../core/fault.ts";
import type { Principal } from "../../core/request.ts";
import type { Call } from "../caller.ts";
import type { Arrival, WebPorts } from "../ports.ts";
import { type Problem, refuse } from "../problem.ts";
import { readJson } from "./body.ts";
import { problemOf } from "./faults.ts";
import type { Flaw, Operation, RawInput } from "./operation.ts";
import { type Place, placeOf } from "./table.ts";

export interface ApiCall {
  readonly request: Request;
  readonly call: Call;
  readonly arrival: Arrival;
}

/** Answers a request below `/api`. */
export async function answerApi({ request, call, arrival }: ApiCall, deps: WebPorts): Promise<Response> {
  const { pathname } = new URL(request.url);
  const reading = await readingMatter(pathname, arrival.base ?? "", deps);
  if (reading !== undefined) return /^(?:GET|HEAD)$/.test(request.method) ? reading : otherMethod(request, ["GET"]);
  const shown = pathname.startsWith("/api/relay/")
    ? await (await import("./traffic.ts")).answerPage(request, call, deps)
    : undefined;
  if (shown !== undefined) return shown;
  const place = placeOf(pathname);
  const operations = place?.operations.filter(({ service }) => service === undefined || deps.services.includes(service)) ??
    [];
  if (place === undefined || operations.length === 0) return refuse({ status: 404, title: "Not found", fault: "notFound" });
  const method = request.method === "HEAD" ? "GET" : request.method;
  const operation = operations.find((candidate) => candidate.method === method);
  if (operation === undefined) return otherMethod(request, operations.map((one) => one.method));
  const principal = askerOf(operation, call, deps);
  if ("status" in principal) return refuse(principal);
  const input = await inputOf(request, { operation, place }, deps);
  if ("status" in input) return refuse(input);
  if (method !== "GET" && deps.isDraining()) return refuse(problemOf("restarting", undefined));
  arrival.linger?.(); // Why: an action takes as long as its integration does.
  const outcome = await operation.carryOut(input, principal, deps);
  if ("flaws" in outcome) return refuse(problemWith(outcome.flaws));
  if ("fault" in outcome) return refuse(problemOf(outcome.fault, outcome.reason));
  return json(JSON.stringify(outcome.body));
}

/** Why not by `Response.json`: each runtime names the kind in its own way. */
const json = (text: string): Response =>
  new Response(text, { headers: { "content-type": "application/json", "cache-control": "no-store" } });

/** The document and the page made of it: for everybody, since they hold nothing of this relay. */
async function readingMatter(path: string, base: string, { version }: WebPorts): Promise<Response | undefined> {
  if (path === "/api/openapi.json") {
    const { documentText } = await import("./document.ts");
    return json(documentText(version, base));
  }
  if (path !== "/api" && path !== "/api/") return undefined;
  const { referencePage } = await import("./page.ts");
  return await referencePage(version, base);
}

function otherMethod({ method }: Request, methods: readonly string[]): Response {
  const allow = [...new Set([...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"])].join(", ");
  if (method === "OPTIONS") return new Response(null, { status: 204, headers: { allow, "cache-control": "no-store" } });
  return refuse({
    status: 405,
    title: "Method not allowed",
    fault: "badMessage",
    detail: `this takes ${allow}`,
    headers: { allow },
  });
}

/** On whose behalf it is asked, or why it is not. */
function askerOf({ scopes: needed }: Operation, { bearer, connection }: Call, deps: WebPorts): Principal | Problem {
  const { names, scopes } = deps.tokens().bearer(bearer, connection.address);
  if (names.length === 0) {
    const detail = bearer === undefined
      ? "give a token as `Authorization: Bearer <token>`"
      : "the token in `Authorization` is none of this relay's";
    return { status: 401, title: "Unauthorized", fault: "badToken", detail, headers: { "www-authenticate": "Bearer" } };
  }
  if (needed.some((scope) => scopes.includes(scope))) return { by: names.join(", "), scopes };
  const detail = `this needs a token with the scope ${needed.join(" or ")}`;
  const challenge = `Bearer error="insufficient_scope", scope="${needed.join(" ")}"`;
  return { status: 403, title: "Refused", fault: "notAllowed", detail, headers: { "www-authenticate": challenge } };
}

async function inputOf(
  request: Request,
  { operation, place }: { readonly operation: Operation; readonly place: Place },
  deps: WebPorts,
): Promise<RawInput | Problem> {
  const query = Object.fromEntries(
    [...new URL(request.url).searchParams].map((
      [name, text],
    ) => [name, /^-?\d+$/.test(text) && name === "limit" ? Number(text) : text]),
  );
  if (operation.body === undefined) return { path: place.values, query, body: undefined };
  const body = await readJson(request, deps.settings().limits);
  return "problem" in body ? body.problem : { path: place.values, query, body: body.value };
}

/** Why two statuses: an address that is wrong is a bad request, a body that is wrong was understood. */
function problemWith(flaws: readonly Flaw[]): Problem {
  const fault: FaultName = "badMessage";
  const detail = flaws.map(({ field, says }) => `${field === "/" ? "the body" : field}: ${says}`).join("; ");
  const errors = flaws.map(({ field, says }) => ({ field, says }));
  const isBody = flaws.every(({ where }) => where === "body");
  return { status: isBody ? 422 : 400, title: isBody ? "Not as it should be" : "Bad request", detail, fault, errors };
}
