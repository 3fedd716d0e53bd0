/**
 * Events as a stream of server-sent events: the same events as of `GET /api/events`, as they come.
 *
 * Each event has its id, so a client that reconnects continues with `Last-Event-ID`. A request to the service is open at all times, and the
 * next one is made when the client has taken the events, so a slow client costs no memory.
 *
 * Invariant: V1 a stream ends when its token no longer permits it, and when the relay stops.
 */
import type { EventRequest, Principal } from "../../core/request.ts";
import type { Millis } from "../../core/ids.ts";
import type { EventPage, WatcherView } from "../../core/view.ts";
import type { WebPorts } from "../ports.ts";
import { problemFor, problemResponse } from "../problem.ts";

/** How often a stream without events gets a comment, so that no proxy takes it for dead. */
const KEEPALIVE_MS: Millis = 10_000;
/** When a client that lost its stream may open another one. */
const RETRY_MS: Millis = 2_000;
/** Events of one chunk. */
const CHUNK_LENGTH = 100;

const streamsOf = new WeakMap<WebPorts, Set<WatcherView>>();

/** The open streams of a relay. */
export const openStreams = (ports: WebPorts): readonly WatcherView[] => [...streamsOf.get(ports) ?? []];

/** The client of a stream. */
export interface StreamClient {
  readonly principal: Principal;
  readonly address: string;
  readonly userAgent: string;
  /** Whether its token still permits it. */
  isAllowed(): boolean;
}

/** Opens a stream. Without `after` it begins with the latest events, as many as `limit` says. */
export async function eventStream(
  { wait: _, ...wanted }: EventRequest,
  { principal, address, userAgent, isAllowed }: StreamClient,
  ports: WebPorts,
): Promise<Response> {
  const { event_streams: streamsMax } = ports.settings().limits;
  const streams = streamsOf.get(ports) ?? new Set();
  streamsOf.set(ports, streams);
  if (streams.size >= streamsMax) {
    return problemResponse(problemFor("tooManyPeers", `limits.event_streams, which is ${streamsMax}, allows no more`));
  }
  const first = await ports.request({ of: "intermediary", get: "events", ...wanted }, principal);
  if ("fault" in first) return problemResponse(problemFor(first.fault, first.reason));
  const { by: name, scopes } = principal;
  const events = wanted.events ?? null;
  const stream: WatcherView = {
    name,
    via: "stream",
    token: name,
    address,
    user_agent: userAgent,
    scopes,
    since: Date.now(),
    events,
    rate: null,
  };
  streams.add(stream);
  let page: EventPage | undefined = first.body;
  let after = page.cursor;
  const next = async (): Promise<EventPage | undefined> => {
    if (!isAllowed() || ports.isDraining()) return undefined;
    const request = { ...wanted, after, limit: CHUNK_LENGTH, wait: KEEPALIVE_MS };
    const result = await ports.request({ of: "intermediary", get: "events", ...request }, principal);
    return "body" in result && isAllowed() ? result.body : undefined;
  };
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n\n`)),
    async pull(controller) {
      page ??= await next();
      if (page === undefined || !streams.has(stream)) {
        if (streams.delete(stream)) controller.close();
        return;
      }
      after = page.cursor;
      controller.enqueue(encoder.encode(textOf(page)));
      page = undefined;
    },
    cancel: () => void streams.delete(stream),
  }, { highWaterMark: 1 });
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
  });
}

const encoder = new TextEncoder();

/** The events of a page. A gap has no id of its own, so that a client continues after the last event that it has. */
function textOf({ items, missed, cursor }: EventPage): string {
  const gap = missed === 0 ? "" : `data: ${JSON.stringify({ event: "gap", missed })}\n\n`;
  const events = items.map((event) => `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`).join("");
  // Why an id alone: no event is made of it, and a client that reconnects does not ask for what it did not want.
  const text = `${gap}${events}${items.at(-1)?.id === cursor ? "" : `id: ${cursor}\n\n`}`;
  return text === "" ? ":\n\n" : text;
}
