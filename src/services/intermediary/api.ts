/** What may be asked of the Intermediary from outside: who is here, what waits, what died; and what a person may do about it. */
import { assertNever } from "../../core/assert.ts";
import type { StoreEvent, WorkEvent } from "../../core/event.ts";
import type { FaultName } from "../../core/fault.ts";
import type { Key, RequestId } from "../../core/ids.ts";
import { isObject, type Json, type JsonObject, parseJson, plain } from "../../core/json.ts";
import type { IntermediaryRequest } from "../../core/request.ts";
import { segmentText } from "../../core/key.ts";
import { bodyOf } from "../../queue/entry.ts";
import type { Failure } from "../../core/result.ts";
import type { Scope } from "../../core/settings.ts";
import type { StepContext } from "../../core/context.ts";
import {
  type DeadLetterView,
  type MessageView,
  type Page,
  pageOf,
  type QueueEntryView,
  type QueueView,
} from "../../core/view.ts";
import { peerList } from "./presence.ts";
import { command } from "./watcher-requests.ts";
import type { State } from "./state.ts";

type IntermediaryCommand = Extract<IntermediaryRequest, { readonly do: unknown }>;

const byId = { id: ({ id }: { readonly id: string }) => id };
const byName = { id: ({ to }: QueueView) => to };

/** Somebody asks. Every call gets one answer: now, or once the store was read or has written. */
export function handleRequest(
  state: State,
  { requestId, request, principal }: WorkEvent & { is: "requested" },
  ctx: StepContext,
): void {
  if (request.of !== "intermediary") return fail(requestId, "notFound", ctx);
  const needs = scopeFor(request);
  if (needs !== undefined && !principal.scopes.includes(needs)) {
    return fail(requestId, { fault: "notAllowed", reason: `this needs the scope ${needs}` }, ctx);
  }

  if ("do" in request) return act(state, { requestId, request, by: principal.by }, ctx);
  switch (request.get) {
    case "ready":
      return respond(
        requestId,
        { ok: state.closeAt === undefined, waits: state.closeAt === undefined ? [] : ["draining"] },
        ctx,
      );
    case "status":
      return respond(requestId, statusOf(state), ctx);
    case "peers":
      return respond(requestId, plain(whole(peerList(state))), ctx);
    case "queues":
      return respond(requestId, plain(pageOf(depths(state), request, byName)), ctx);
    case "queueEntries":
      return respondWithQueue(state, { requestId, request }, ctx);
    case "deadLetters":
      return respond(requestId, plain(pageOf(lettersOf(state), request, byId)), ctx);
    case "message":
      return show(state, { requestId, id: request.id }, ctx);
    case "audit":
      return respond(requestId, plain(state.audit.page(request)), ctx);
    case "events":
      return respond(requestId, plain(state.subscriptions.recent(request, ctx)), ctx);
    case "uploads":
      return respond(requestId, plain(whole(state.uploads.list())), ctx);
    default:
      return assertNever(request);
  }
}

function scopeFor(request: IntermediaryRequest): Scope | undefined {
  if ("get" in request) return request.get === "ready" || request.get === "status" ? undefined : "watch";
  switch (request.do) {
    case "sendCommand":
      return "command";
    case "retryMessage":
    case "dropMessage":
      return "admin";
    default:
      return assertNever(request);
  }
}

function statusOf(state: State): JsonObject {
  const watchers = [...state.peers.values()].filter(({ is }) => is === "watcher").length;
  const { queue, uploads } = state;
  return {
    integrations: state.integrations.size,
    watchers,
    newcomers: state.greetings.size,
    claimants: state.pendingTakeovers.size,
    queue: {
      entries: queue.recipients.entries,
      bytes: queue.recipients.bytes,
      oldest: queue.recipients.oldest ?? null,
      dead: queue.deadLetters.size,
    },
    uploads: { files: uploads.files, bytes: uploads.bytes },
    upstream: state.upstream,
  };
}

const whole = <Item>(items: readonly Item[]): Page<Item> => ({ items, next: null });

type QueueQuestion = Extract<IntermediaryRequest, { readonly get: "queueEntries" }>;

function respondWithQueue(
  state: State,
  { requestId, request }: { requestId: RequestId; request: QueueQuestion },
  ctx: StepContext,
): void {
  const { to } = request;
  const entries = entriesOf(state, to);
  if (entries.length === 0 && !state.integrations.has(to) && !state.directory.has(to, ctx.now)) {
    return fail(requestId, unknownRecipient(to), ctx);
  }
  respond(requestId, plain(pageOf(entries, request, byId)), ctx);
}

const depths = (state: State): QueueView[] =>
  state.queue.recipients.depths()
    .map(({ name, entries, bytes, oldest = null }) => ({ to: name, entries, bytes, at: oldest }))
    .sort((one, other) => (one.to < other.to ? -1 : 1));

const entriesOf = (state: State, to: string): QueueEntryView[] =>
  state.queue.recipients.list(to).map(({ id, at, exp, kind, bytes, attempts }) => ({ id, at, exp, kind, bytes, attempts }));

function lettersOf(state: State): DeadLetterView[] {
  const names = state.directory.bySegment();
  const letters = [...state.queue.deadLetters.all()].map(({ id, recipient, kind, bytes, reason, exp }) => ({
    id,
    to: names.get(recipient) ?? segmentText(recipient) ?? recipient,
    kind,
    bytes,
    why: reason,
    died: exp,
  }));
  return letters.sort((one, other) => (one.id < other.id ? -1 : 1));
}

function show(state: State, { requestId, id }: { requestId: RequestId; id: string }, ctx: StepContext): void {
  const { queue, pendingLoads } = state;
  const letter = queue.deadLetters.get(id);
  if (letter !== undefined) {
    pendingLoads.set(queue.deadLetters.load(letter, ctx), { is: "show", requestId, to: letter.recipient });
    return;
  }
  const found = queue.recipients.locate(id);
  if (found === undefined) return fail(requestId, NO_MESSAGE, ctx);
  const { to, entry } = found;
  if (entry.body === undefined) pendingLoads.set(queue.load(entry, ctx), { is: "show", requestId, to });
  else respond(requestId, messageOf({ ...entry, to, why: null, died: null }, entry.body), ctx);
}

/** Bodies are JSON as they were made here; what is none is shown as it lies there. */
function messageOf({ id, to, kind, at, exp, why, died }: Omit<MessageView, "body">, text: string): JsonObject {
  return plain({ id, to, kind, at, exp, why, died, body: parseJson(text, Infinity) ?? text });
}

/** What a person does, and who it is. */
interface OperatorCommand<Of> {
  readonly requestId: RequestId;
  readonly request: Of;
  readonly by: string;
}

function act(state: State, { requestId, request, by }: OperatorCommand<IntermediaryCommand>, ctx: StepContext): void {
  switch (request.do) {
    case "sendCommand":
      return send(state, { requestId, request, by }, ctx);
    case "dropMessage":
      return drop(state, { requestId, request, by }, ctx);
    case "retryMessage": {
      const letter = state.queue.deadLetters.get(request.id);
      if (letter === undefined) return fail(requestId, NO_MESSAGE, ctx);
      state.pendingLoads.set(state.queue.deadLetters.load(letter, ctx), { is: "retry", requestId, letter: letter.id, by });
      return;
    }
    default:
      return assertNever(request);
  }
}

function send(
  state: State,
  { requestId, request, by }: OperatorCommand<IntermediaryCommand & { readonly do: "sendCommand" }>,
  ctx: StepContext,
): void {
  const { from, to, cmd } = request;
  const sent = command(state, { from, target: to, cmd }, ctx);
  ctx.observe({ is: "operator_acted", by, did: "send", to, outcome: sent.ok ? "done" : sent.fault });
  if (!sent.ok) return fail(requestId, sent.fault === "notFound" ? unknownRecipient(to) : sent, ctx);
  respondAfter(state, { requestId, letter: undefined, body: sent.value.reply, after: sent.value.after }, ctx);
}

function drop(
  state: State,
  { requestId, request, by }: OperatorCommand<IntermediaryCommand & { readonly do: "dropMessage" }>,
  ctx: StepContext,
): void {
  const { queue } = state;
  const { id, dead = false } = request;
  const letter = queue.deadLetters.get(id);
  const found = letter === undefined && !dead ? queue.recipients.locate(id) : undefined;
  if (letter === undefined && found === undefined) return fail(requestId, NO_MESSAGE, ctx);
  if (letter !== undefined) queue.deadLetters.drop(letter, ctx);
  if (found !== undefined) queue.drop(found.to, id, ctx);
  ctx.observe({ is: "operator_acted", by, did: "drop", to: id, outcome: "done" });
  respond(requestId, { status: "dropped" }, ctx);
}

interface ResponseAfterWrite {
  readonly requestId: RequestId;
  readonly letter: string | undefined;
  readonly body: JsonObject;
  readonly after: Key | undefined;
}

/** Answers now, or once what the answer says is stored. */
function respondAfter(state: State, { requestId, letter, body, after }: ResponseAfterWrite, ctx: StepContext): void {
  if (after !== undefined) state.pendingWrites.set(after, { requestId, letter });
  else {
    dropLetter(state, letter, ctx);
    respond(requestId, body, ctx);
  }
}

function dropLetter(state: State, id: string | undefined, ctx: StepContext): void {
  const letter = id === undefined ? undefined : state.queue.deadLetters.get(id);
  if (letter !== undefined) state.queue.deadLetters.drop(letter, ctx);
}

/** A write ended that a call waits for. */
export function writeEnded(state: State, event: StoreEvent & { key: Key }, ctx: StepContext): void {
  const promised = state.pendingWrites.get(event.key);
  if (promised === undefined) return;
  state.pendingWrites.delete(event.key);
  if (event.is === "storeFailed") return fail(promised.requestId, "storageFailed", ctx);
  dropLetter(state, promised.letter, ctx);
  respond(promised.requestId, { status: "queued" }, ctx);
}

/** The store was read for a question; false when it was not. */
export function loadEnded(state: State, event: Extract<StoreEvent, { token: unknown }>, ctx: StepContext): boolean {
  const inquiry = state.pendingLoads.get(event.token);
  if (inquiry === undefined) return false;
  state.pendingLoads.delete(event.token);
  const value = event.is === "loaded" ? event.entries[0]?.value : undefined;
  const id = isObject(value) && typeof value.id === "string" ? value.id : "";
  const body = bodyOf(value, id);
  const { requestId } = inquiry;
  if (!isObject(value) || body === undefined) fail(requestId, event.is === "loaded" ? "notFound" : "storageFailed", ctx);
  else if (inquiry.is === "show") respond(requestId, messageOf(viewOf(value, inquiry.to), body), ctx);
  else retry(state, { ...inquiry, to: String(value.to), body }, ctx);
  return true;
}

/** A stored entry, or a dead letter. Written by this relay: only what may be absent is looked after. */
function viewOf({ id, to, kind, at, exp, why, died }: JsonObject, recipient: string): Omit<MessageView, "body"> {
  return {
    id: String(id),
    to: typeof to === "string" ? to : recipient,
    kind: String(kind),
    at: Number(at),
    exp: Number(exp),
    why: typeof why === "string" ? why : null,
    died: typeof died === "number" ? died : null,
  };
}

interface Retry {
  readonly requestId: RequestId;
  readonly letter: string;
  readonly by: string;
  readonly to: string;
  readonly body: string;
}

function retry(state: State, { requestId, letter, by, to, body }: Retry, ctx: StepContext): void {
  const kind = state.queue.deadLetters.get(letter)?.kind;
  if (kind === undefined) return fail(requestId, NO_MESSAGE, ctx); // Why: somebody dropped it meanwhile.
  for (const promised of state.pendingWrites.values()) {
    if (promised.letter === letter) return fail(requestId, { fault: "notNow", reason: "it is being retried already" }, ctx);
  }
  const sent = state.queue.send(to, { kind, body }, ctx);
  ctx.observe({ is: "operator_acted", by, did: "retry", to: letter, outcome: sent.ok ? "done" : sent.fault });
  if (!sent.ok) return fail(requestId, sent, ctx);
  const after = sent.value.is === "queued" ? sent.value.key : undefined;
  respondAfter(state, { requestId, letter, body: { status: sent.value.is }, after }, ctx);
}

const respond = (requestId: RequestId, body: Json, ctx: StepContext): void => ctx.emit({ do: "respond", requestId, body });

type Refused = Pick<Failure, "fault" | "reason">;

const NO_MESSAGE: Refused = { fault: "notFound", reason: "no such message waits, or was given up" };

/** Why not as a watcher is told: those words are the protocol's, and no sentence. */
const unknownRecipient = (name: string): Refused => ({
  fault: "notFound",
  reason: `no integration called ${name.slice(0, 64)} was here lately`,
});

/** Says what went wrong, where possible in a sentence. */
function fail(requestId: RequestId, why: FaultName | Refused, ctx: StepContext): void {
  ctx.emit({
    do: "respond",
    requestId,
    ...(typeof why === "string" ? { fault: why } : { fault: why.fault, reason: why.reason }),
  });
}
