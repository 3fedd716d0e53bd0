/** Operations on events, and on those who watch. */
import { z } from "zod";
import type { EventRequest } from "../../core/request.ts";
import { PAGE_LENGTH } from "../../core/view.ts";
import { eventStream, openStreams } from "./event-stream.ts";
import { type ApiOperation, composedOperation, operation, type OperationInput } from "./operation.ts";
import { byId } from "./parameters.ts";
import { eventPage, watchers } from "./schemas.ts";

const tag = "Events";
const service = "intermediary";
const WAIT_MAX_MS = 30_000;

const query = {
  after: byId.after.describe("The `cursor` of the previous page, or the `id` of an event. Without it: the latest events."),
  limit: byId.limit,
  event: z.string().min(1).max(2_000).optional().describe("Names of events, separated by commas. Default: all."),
  integration: z.string().min(1).max(512).optional().describe("The id or the name of an integration."),
  wait: z.int().min(0).max(WAIT_MAX_MS).optional()
    .describe(`How long to wait for the first event, at most ${WAIT_MAX_MS} ms. Default: 0.`),
};

type EventQuery = OperationInput<Readonly<Record<never, z.ZodType>>, typeof query, undefined>["query"];

const requestOf = ({ after, event, integration, wait }: EventQuery, limit: number): EventRequest => ({
  limit,
  ...(after !== undefined && { after }),
  ...(event !== undefined && { events: event.split(",").map((name) => name.trim()) }),
  ...(integration !== undefined && { integration }),
  ...(wait !== undefined && { wait }),
});

export const EVENT_OPERATIONS: readonly ApiOperation[] = [
  operation({
    id: "listEvents",
    method: "GET",
    path: "/api/events",
    tag,
    summary: "Lists the latest events, or those after a cursor; with `Accept: text/event-stream` as a stream.",
    description:
      "Events are kept for 5 minutes, and only while somebody watches: a watcher, a stream, or a request of the last 5 minutes. " +
      "`missed` counts those that were not kept. The stream has the ids of the events and begins after `Last-Event-ID`; it sends " +
      "an event `gap` for missed events, and a comment every 10 s.",
    scopes: ["watch"],
    service,
    query,
    reply: eventPage,
    request: ({ query }) => ({ of: "intermediary", get: "events", ...requestOf(query, query.limit ?? PAGE_LENGTH) }),
    stream: ({ query }, client, ports) => {
      // Why 0: a client that names no event wants those from now on.
      const isFromNow = query.after === undefined;
      return eventStream(requestOf(query, query.limit ?? (isFromNow ? 0 : PAGE_LENGTH)), client, ports);
    },
  }),
  composedOperation({
    id: "listWatchers",
    method: "GET",
    path: "/api/watchers",
    tag,
    summary: "Lists who watches: watchers with a socket, such as dashboards, and streams of events.",
    scopes: ["watch"],
    service,
    reply: watchers,
    async run({ principal }, ports) {
      const result = await ports.request({ of: "intermediary", get: "watchers" }, principal);
      if ("fault" in result) return result;
      return { body: { items: [...result.body.items, ...openStreams(ports)], next: null } };
    },
  }),
];
