/** Operations on traces and transcripts. */
import { z } from "zod";
import type { Principal, ServiceRequest } from "../../core/request.ts";
import {
  newestOf,
  TRACE_KINDS,
  TRACE_STATES,
  type TraceFilter,
  type TraceView,
  TRANSCRIPT_KINDS,
} from "../../core/traces/trace.ts";
import type { Page } from "../../core/view.ts";
import type { RequestResult } from "../../engine/mod.ts";
import type { WebPorts } from "../ports.ts";
import { type ApiOperation, composedOperation, operation } from "./operation.ts";
import { byId, id, pageRequest } from "./parameters.ts";
import { trace, traces, transcript } from "./trace-schemas.ts";

const tag = "Traces";
const LINES =
  "With `Accept: application/jsonl` the items are returned one in each line, and the header `link` has the next page.";

const text = (description: string): z.ZodType<string | undefined> =>
  z.string().min(1).max(512).optional().describe(description);

export const TRACE_OPERATIONS: readonly ApiOperation[] = [
  composedOperation({
    id: "listTraces",
    method: "GET",
    path: "/api/traces",
    tag,
    summary: "Lists the paths of forces, actions, contexts, commands and ignored results, newest first.",
    description: `The last \`traces.per_integration\` of each integration are kept. ${LINES}`,
    scopes: ["watch"],
    hasLines: true,
    query: {
      integration: text("The id or the name of an integration."),
      kind: z.enum(TRACE_KINDS).optional().describe("One kind."),
      state: z.enum(TRACE_STATES).optional().describe("Only those that are open, or that have ended."),
      action: text("The name of an action, as its integration calls it."),
      ...byId,
    },
    reply: traces,
    run: ({ query: { integration, kind, state, action, ...page }, principal }, ports) =>
      listTraces(
        {
          ...(integration !== undefined && { integration }),
          ...(kind !== undefined && { kind }),
          ...(state !== undefined && { state }),
          ...(action !== undefined && { action }),
          ...pageRequest(page),
        },
        principal,
        ports,
      ),
  }),
  composedOperation({
    id: "getTrace",
    method: "GET",
    path: "/api/traces/{id}",
    tag,
    summary: "Returns the path of one force, action, context, command or ignored result.",
    scopes: ["watch"],
    params: { id: id("Its id, as in events and in other views.") },
    reply: trace,
    run: ({ path, principal }, ports) => getTrace(path.id, principal, ports),
  }),
  operation({
    id: "listTranscript",
    method: "GET",
    path: "/api/transcript",
    tag,
    summary: "Lists what Neuro was sent and what she did, newest first.",
    description: `The last \`traces.transcript_bytes\` of each upstream are kept. ${LINES}`,
    scopes: ["watch"],
    hasLines: true,
    service: "neuro",
    query: {
      upstream: text("The id of an upstream."),
      is: z.enum(TRANSCRIPT_KINDS).optional().describe("One kind."),
      search: text("A part of a text or of a name, in any case."),
      ...byId,
    },
    reply: transcript,
    request: ({ query: { upstream, is, search, ...page } }) => ({
      of: "neuro",
      get: "transcript",
      ...(upstream !== undefined && { upstream }),
      ...(is !== undefined && { is }),
      ...(search !== undefined && { search }),
      ...pageRequest(page),
    }),
  }),
];

/** The services that keep traces: the Intermediary those of commands, the Neuro service all others. */
const SERVICES = ["neuro", "intermediary"] as const;

type TracesRequest = Extract<ServiceRequest, { readonly get: "traces" }>;
type TraceRequest = Extract<ServiceRequest, { readonly get: "trace" }>;

/** The name of an integration that is given by its id. Why: the Intermediary knows its integrations only by their names. */
async function nameOf(given: string | undefined, principal: Principal, ports: WebPorts): Promise<string | undefined> {
  if (given === undefined || !ports.services.includes("neuro")) return given;
  const found = await ports.request({ of: "neuro", get: "integration", id: given }, principal);
  return "body" in found ? found.body.name : given;
}

async function listTraces(
  filter: TraceFilter,
  principal: Principal,
  ports: WebPorts,
): Promise<RequestResult<Page<TraceView>>> {
  const pages: Page<TraceView>[] = [];
  const name = await nameOf(filter.integration, principal, ports);
  for (const of of SERVICES) {
    if (!ports.services.includes(of)) continue;
    const own = of === "intermediary" && name !== undefined ? { ...filter, integration: name } : filter;
    const result = await ports.request<TracesRequest>({ of, get: "traces", ...own }, principal);
    if ("fault" in result) return result;
    pages.push(result.body);
  }
  const { items, next } = newestOf<TraceView>(pages.map((page) => page.items), filter, () => true);
  const last = items.at(-1)?.id ?? null;
  return { body: { items, next: next ?? (pages.some((page) => page.next !== null) ? last : null) } };
}

async function getTrace(id: string, principal: Principal, ports: WebPorts): Promise<RequestResult<TraceView>> {
  let result: RequestResult<TraceView> = { fault: "notFound" };
  for (const of of SERVICES) {
    if (!ports.services.includes(of)) continue;
    result = await ports.request<TraceRequest>({ of, get: "trace", id }, principal);
    if ("body" in result) return result;
  }
  return result;
}
