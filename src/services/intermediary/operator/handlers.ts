/** API requests to the Intermediary. Each gets one response: now, or once the store has loaded or written a message. */
import type { StepContext } from "../../../core/context.ts";
import type { WorkEvent } from "../../../core/event.ts";
import { type JsonObject, plain } from "../../../core/json.ts";
import { segmentText } from "../../../core/key.ts";
import { respond } from "../../../core/request.ts";
import type { Scope } from "../../../core/settings.ts";
import {
  DEAD_LETTER_FIELDS,
  type DeadLetterFilter,
  type DeadLetterView,
  matches,
  type Page,
  pageOf,
  type QueueEntryView,
  type QueueView,
  type Readiness,
} from "../../../core/view.ts";
import type { IntermediaryState } from "../state.ts";
import { dropMessage, retryDeadLetter, sendMessage, showMessage, unknownRecipient } from "./messages.ts";
import { peerList, watcherList } from "./peer-list.ts";
import { type RequestedBy, type RequestName, respondWithFailure } from "./responses.ts";

interface RequestHandler<Name extends RequestName> {
  /** The scope that the request needs. Undefined: any valid token may make it. */
  readonly scope: Scope | undefined;
  readonly handle: (state: IntermediaryState, requested: RequestedBy<Name>, ctx: StepContext) => void;
}

const HANDLERS: { readonly [Name in RequestName]: RequestHandler<Name> } = {
  ready: { scope: undefined, handle: (state, requested, ctx) => respond(requested, readiness(state), ctx) },
  status: { scope: undefined, handle: (state, requested, ctx) => respond(requested, statusOf(state), ctx) },
  peers: { scope: "watch", handle: (state, requested, ctx) => respond(requested, wholeList(peerList(state)), ctx) },
  uploads: { scope: "watch", handle: (state, requested, ctx) => respond(requested, wholeList(state.uploads.list()), ctx) },
  queues: {
    scope: "watch",
    handle: (state, requested, ctx) => respond(requested, pageOf(depthsOf(state), requested.request, byRecipient), ctx),
  },
  queueEntries: { scope: "watch", handle: listEntries },
  deadLetters: {
    scope: "watch",
    handle: (state, requested, ctx) =>
      respond(requested, pageOf<DeadLetterView>(matchingLetters(state, requested.request), requested.request, byId), ctx),
  },
  message: { scope: "watch", handle: showMessage },
  traces: {
    scope: "watch",
    handle: (state, requested, ctx) => respond(requested, state.queue.tracePage(requested.request, ctx.now), ctx),
  },
  trace: { scope: "watch", handle: showTrace },
  audit: {
    scope: "watch",
    handle: (state, requested, ctx) => respond(requested, state.audit.page(requested.request), ctx),
  },
  watchers: { scope: "watch", handle: (state, requested, ctx) => respond(requested, wholeList(watcherList(state)), ctx) },
  events: { scope: "watch", handle: listEvents },
  sendCommand: { scope: "command", handle: sendMessage },
  retryMessage: { scope: "admin", handle: retryDeadLetter },
  recordAct: { scope: "admin", handle: recordAct },
  dropMessage: { scope: "admin", handle: dropMessage },
};

export function handleRequest(
  state: IntermediaryState,
  { requestId, request, principal }: Extract<WorkEvent, { readonly is: "requested" }>,
  ctx: StepContext,
): void {
  if (request.of !== "intermediary") return respondWithFailure({ requestId }, "notFound", ctx);
  run(state, "get" in request ? request.get : request.do, { requestId, request, principal }, ctx);
}

function run<Name extends RequestName>(
  state: IntermediaryState,
  name: Name,
  requested: RequestedBy<Name>,
  ctx: StepContext,
): void {
  const { scope, handle } = HANDLERS[name];
  if (scope === undefined || requested.principal.scopes.includes(scope)) return handle(state, requested, ctx);
  respondWithFailure(requested, { fault: "notAllowed", reason: `this needs the scope ${scope}` }, ctx);
}

const readiness = ({ phase }: IntermediaryState): Readiness =>
  phase.is === "running" ? { ok: true, reasons: [] } : { ok: false, reasons: ["draining"] };

function statusOf({ connections, queue, uploads, upstream }: IntermediaryState): JsonObject {
  const watchers = [...connections.peers.values()].filter(({ is }) => is === "watcher").length;
  const { entries, bytes, oldest = null } = queue.recipients;
  return {
    integrations: connections.integrations.size,
    watchers,
    newcomers: connections.newcomers.size,
    pending_takeovers: connections.takeovers.size,
    queue: { entries, bytes, oldest, dead: queue.deadLetters.size },
    uploads: { files: uploads.files, bytes: uploads.bytes },
    upstream: plain(upstream),
  };
}

function recordAct(_: IntermediaryState, requested: RequestedBy<"recordAct">, ctx: StepContext): void {
  const { principal: { by }, request: { did, to, outcome } } = requested;
  ctx.observe({ is: "operator_acted", by, did, to, outcome });
  respond(requested, { status: "recorded" }, ctx);
}

function listEvents(state: IntermediaryState, requested: RequestedBy<"events">, ctx: StepContext): void {
  const { eventWaiters, subscriptions, settings: { limits: { event_streams: waitingMax } }, phase } = state;
  const { wait = 0 } = requested.request;
  const page = subscriptions.page(requested.request, ctx);
  if (page.items.length > 0 || wait === 0 || phase.is !== "running") return respond(requested, page, ctx);
  if (eventWaiters.size >= waitingMax) {
    const reason = `limits.event_streams, which is ${waitingMax}, allows no more requests that wait for events`;
    return respondWithFailure(requested, { fault: "tooManyPeers", reason }, ctx);
  }
  eventWaiters.add(requested, { page, until: ctx.now + wait });
}

function listEntries(state: IntermediaryState, requested: RequestedBy<"queueEntries">, ctx: StepContext): void {
  const { request, request: { to } } = requested;
  const entries: QueueEntryView[] = state.queue.recipients.list(to)
    .map(({ id, at, exp, kind, bytes, attempts }) => ({ id, created_at: at, expires_at: exp, kind, bytes, attempts }));
  const isKnown = state.connections.integrations.has(to) || state.directory.has(to, ctx.now);
  if (entries.length === 0 && !isKnown) return respondWithFailure(requested, unknownRecipient(state, to), ctx);
  respond(requested, pageOf<QueueEntryView>(entries, request, byId), ctx);
}

function showTrace(state: IntermediaryState, requested: RequestedBy<"trace">, ctx: StepContext): void {
  const { id } = requested.request;
  const trace = state.queue.trace(id, ctx.now);
  if (trace !== undefined) return respond(requested, trace, ctx);
  respondWithFailure(requested, { fault: "notFound", reason: `no trace with the id ${id.slice(0, 64)} is kept` }, ctx);
}

const byId = { id: ({ id }: { readonly id: string }) => id };
const byRecipient = { id: ({ to }: QueueView) => to };

const wholeList = <Item>(items: readonly Item[]): Page<Item> => ({ items, next: null });

const depthsOf = ({ queue }: IntermediaryState): QueueView[] =>
  queue.recipients.depths()
    .map(({ name, entries, bytes, oldest = null }) => ({ to: name, entries, bytes, oldest_at: oldest }))
    .sort((one, other) => (one.to < other.to ? -1 : 1));

const matchingLetters = (state: IntermediaryState, wanted: DeadLetterFilter): DeadLetterView[] =>
  deadLetters(state).filter((letter) => matches(letter, wanted, DEAD_LETTER_FIELDS));

function deadLetters({ queue, directory }: IntermediaryState): DeadLetterView[] {
  const names = directory.namesBySegment();
  const letters = [...queue.deadLetters.all()].map(({ id, recipient, kind, bytes, reason, exp }) => ({
    id,
    to: names.get(recipient) ?? segmentText(recipient) ?? recipient,
    kind,
    bytes,
    reason,
    dead_at: exp,
  }));
  return letters.sort((one, other) => (one.id < other.id ? -1 : 1));
}
