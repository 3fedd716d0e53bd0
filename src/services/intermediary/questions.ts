/** What may be asked of the Intermediary from outside: who is here, what waits, what died; and what a person may do about it. */
import type { StoreEvent, WorkEvent } from "../../core/event.ts";
import type { FaultName } from "../../core/fault.ts";
import type { Key, RequestId } from "../../core/ids.ts";
import { isObject, type Json, type JsonObject, parseJson, plain } from "../../core/json.ts";
import type { CommonRequest, IntermediaryRequest } from "../../core/request.ts";
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
import { command } from "./router.ts";
import type { State } from "./state.ts";

type Own = CommonRequest | IntermediaryRequest;
type Act = Extract<IntermediaryRequest, { readonly get: "send" | "retry" | "drop" }>;

const byId = { id: ({ id }: { readonly id: string }) => id };
const byName = { id: ({ to }: QueueView) => to };

/** Somebody asks. Every call gets one answer: now, or once the store was read or has written. */
export function ask(
  state: State,
  { requestId, request, principal }: WorkEvent & { is: "requested" },
  ctx: StepContext,
): void {
  if (request.of !== "intermediary") return fail(requestId, "notFound", ctx);
  const needs = scopeFor(request);
  if (needs !== undefined && !principal.scopes.includes(needs)) {
    return fail(requestId, { fault: "notAllowed", reason: `this needs the scope ${needs}` }, ctx);
  }

  switch (request.get) {
    case "ready":
      return tell(
        requestId,
        { ok: state.closeAt === undefined, waits: state.closeAt === undefined ? [] : ["draining"] },
        ctx,
      );
    case "status":
      return tell(requestId, statusOf(state), ctx);
    case "peers":
      return tell(requestId, plain(whole(peerList(state))), ctx);
    case "queue":
      return tellQueue(state, { requestId, request }, ctx);
    case "dead":
      return tell(requestId, plain(pageOf(lettersOf(state), request, byId)), ctx);
    case "message":
      return show(state, { requestId, id: request.id }, ctx);
    case "send":
    case "retry":
    case "drop":
      return act(state, { requestId, request, by: principal.by }, ctx);
    case "audit":
      return tell(requestId, plain(state.audit.page(request)), ctx);
    case "events":
      return tell(requestId, plain(state.watch.recent(request, ctx)), ctx);
    case "uploads":
      return tell(requestId, plain(whole(state.uploads.list())), ctx);
  }
}

function scopeFor({ get }: Own): Scope | undefined {
  switch (get) {
    case "ready":
    case "status":
      return undefined;
    case "send":
      return "command";
    case "retry":
    case "drop":
      return "admin";
    default:
      return "watch";
  }
}

function statusOf(state: State): JsonObject {
  const watchers = [...state.peers.values()].filter(({ is }) => is === "watcher").length;
  const { queue, uploads } = state;
  return {
    integrations: state.integrations.size,
    watchers,
    newcomers: state.greetings.size,
    claimants: state.claimants.size,
    queue: {
      entries: queue.kept.entries,
      bytes: queue.kept.bytes,
      oldest: queue.kept.oldest ?? null,
      dead: queue.dead.size,
    },
    uploads: { files: uploads.files, bytes: uploads.bytes },
    upstream: state.upstream,
  };
}

const whole = <Item>(items: readonly Item[]): Page<Item> => ({ items, next: null });

type QueueQuestion = Extract<IntermediaryRequest, { readonly get: "queue" }>;

function tellQueue(
  state: State,
  { requestId, request }: { requestId: RequestId; request: QueueQuestion },
  ctx: StepContext,
): void {
  const { to } = request;
  if (to === undefined) return tell(requestId, plain(pageOf(depths(state), request, byName)), ctx);
  const entries = entriesOf(state, to);
  if (entries.length === 0 && !state.integrations.has(to) && !state.known.has(to, ctx.now)) {
    return fail(requestId, strangerTo(to), ctx);
  }
  tell(requestId, plain(pageOf(entries, request, byId)), ctx);
}

const depths = (state: State): QueueView[] =>
  state.queue.kept.depths()
    .map(({ name, entries, bytes, oldest = null }) => ({ to: name, entries, bytes, at: oldest }))
    .sort((one, other) => (one.to < other.to ? -1 : 1));

const entriesOf = (state: State, to: string): QueueEntryView[] =>
  state.queue.kept.list(to).map(({ id, at, exp, kind, bytes, attempts }) => ({ id, at, exp, kind, bytes, attempts }));

function lettersOf(state: State): DeadLetterView[] {
  const names = state.known.bySegment();
  const letters = [...state.queue.dead.all()].map(({ id, recipient, kind, bytes, why, exp }) => ({
    id,
    to: names.get(recipient) ?? segmentText(recipient) ?? recipient,
    kind,
    bytes,
    why,
    died: exp,
  }));
  return letters.sort((one, other) => (one.id < other.id ? -1 : 1));
}

function show(state: State, { requestId, id }: { requestId: RequestId; id: string }, ctx: StepContext): void {
  const { queue, inquiries } = state;
  const letter = queue.dead.get(id);
  if (letter !== undefined) {
    inquiries.set(queue.dead.read(letter, ctx), { is: "show", requestId, to: letter.recipient });
    return;
  }
  const found = queue.kept.locate(id);
  if (found === undefined) return fail(requestId, NO_MESSAGE, ctx);
  const { to, entry } = found;
  if (entry.body === undefined) inquiries.set(queue.read(entry, ctx), { is: "show", requestId, to });
  else tell(requestId, messageOf({ ...entry, to, why: null, died: null }, entry.body), ctx);
}

/** Bodies are JSON as they were made here; what is none is shown as it lies there. */
function messageOf({ id, to, kind, at, exp, why, died }: Omit<MessageView, "body">, text: string): JsonObject {
  return plain({ id, to, kind, at, exp, why, died, body: parseJson(text, Infinity) ?? text });
}

/** What a person does, and who it is. */
interface Deed<Of> {
  readonly requestId: RequestId;
  readonly request: Of;
  readonly by: string;
}

function act(state: State, { requestId, request, by }: Deed<Act>, ctx: StepContext): void {
  switch (request.get) {
    case "send":
      return send(state, { requestId, request, by }, ctx);
    case "drop":
      return drop(state, { requestId, request, by }, ctx);
    case "retry": {
      const letter = state.queue.dead.get(request.id);
      if (letter === undefined) return fail(requestId, NO_MESSAGE, ctx);
      state.inquiries.set(state.queue.dead.read(letter, ctx), { is: "retry", requestId, letter: letter.id, by });
      return;
    }
  }
}

function send(state: State, { requestId, request, by }: Deed<Act & { readonly get: "send" }>, ctx: StepContext): void {
  const { from, to, cmd } = request;
  const sent = command(state, { from, target: to, cmd }, ctx);
  ctx.observe({ is: "operator_acted", by, did: "send", to, outcome: sent.ok ? "done" : sent.fault });
  if (!sent.ok) return fail(requestId, sent.fault === "notFound" ? strangerTo(to) : sent, ctx);
  promise(state, { requestId, letter: undefined, body: sent.value.reply, after: sent.value.after }, ctx);
}

function drop(state: State, { requestId, request, by }: Deed<Act & { readonly get: "drop" }>, ctx: StepContext): void {
  const { queue } = state;
  const { id, dead = false } = request;
  const letter = queue.dead.get(id);
  const found = letter === undefined && !dead ? queue.kept.locate(id) : undefined;
  if (letter === undefined && found === undefined) return fail(requestId, NO_MESSAGE, ctx);
  if (letter !== undefined) queue.dead.drop(letter, ctx);
  if (found !== undefined) queue.drop(found.to, id, ctx);
  ctx.observe({ is: "operator_acted", by, did: "drop", to: id, outcome: "done" });
  tell(requestId, { status: "dropped" }, ctx);
}

interface Promised {
  readonly requestId: RequestId;
  readonly letter: string | undefined;
  readonly body: JsonObject;
  readonly after: Key | undefined;
}

/** Answers now, or once what the answer says is stored. */
function promise(state: State, { requestId, letter, body, after }: Promised, ctx: StepContext): void {
  if (after !== undefined) state.promises.set(after, { requestId, letter });
  else {
    dropLetter(state, letter, ctx);
    tell(requestId, body, ctx);
  }
}

function dropLetter(state: State, id: string | undefined, ctx: StepContext): void {
  const letter = id === undefined ? undefined : state.queue.dead.get(id);
  if (letter !== undefined) state.queue.dead.drop(letter, ctx);
}

/** A write ended that a call waits for. */
export function settlePromise(state: State, event: StoreEvent & { key: Key }, ctx: StepContext): void {
  const promised = state.promises.get(event.key);
  if (promised === undefined) return;
  state.promises.delete(event.key);
  if (event.is === "storeFailed") return fail(promised.requestId, "storageFailed", ctx);
  dropLetter(state, promised.letter, ctx);
  tell(promised.requestId, { status: "queued" }, ctx);
}

/** The store was read for a question; false when it was not. */
export function inquire(state: State, event: Extract<StoreEvent, { token: unknown }>, ctx: StepContext): boolean {
  const inquiry = state.inquiries.get(event.token);
  if (inquiry === undefined) return false;
  state.inquiries.delete(event.token);
  const value = event.is === "loaded" ? event.entries[0]?.value : undefined;
  const id = isObject(value) && typeof value.id === "string" ? value.id : "";
  const body = bodyOf(value, id);
  const { requestId } = inquiry;
  if (!isObject(value) || body === undefined) fail(requestId, event.is === "loaded" ? "notFound" : "storageFailed", ctx);
  else if (inquiry.is === "show") tell(requestId, messageOf(viewOf(value, inquiry.to), body), ctx);
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

interface Again {
  readonly requestId: RequestId;
  readonly letter: string;
  readonly by: string;
  readonly to: string;
  readonly body: string;
}

function retry(state: State, { requestId, letter, by, to, body }: Again, ctx: StepContext): void {
  const kind = state.queue.dead.get(letter)?.kind;
  if (kind === undefined) return fail(requestId, NO_MESSAGE, ctx); // Why: somebody dropped it meanwhile.
  for (const promised of state.promises.values()) {
    if (promised.letter === letter) return fail(requestId, { fault: "notNow", reason: "it is being retried already" }, ctx);
  }
  const sent = state.queue.send(to, { kind, body }, ctx);
  ctx.observe({ is: "operator_acted", by, did: "retry", to: letter, outcome: sent.ok ? "done" : sent.fault });
  if (!sent.ok) return fail(requestId, sent, ctx);
  const after = sent.value.is === "queued" ? sent.value.key : undefined;
  promise(state, { requestId, letter, body: { status: sent.value.is }, after }, ctx);
}

const tell = (requestId: RequestId, body: Json, ctx: StepContext): void => ctx.emit({ do: "respond", requestId, body });

type Why = Pick<Failure, "fault" | "reason">;

const NO_MESSAGE: Why = { fault: "notFound", reason: "no such message waits, or was given up" };

/** Why not as a watcher is told: those words are the protocol's, and no sentence. */
const strangerTo = (name: string): Why => ({
  fault: "notFound",
  reason: `no integration called ${name.slice(0, 64)} was here lately`,
});

/** Says what went wrong, where possible in a sentence. */
function fail(requestId: RequestId, why: FaultName | Why, ctx: StepContext): void {
  ctx.emit({
    do: "respond",
    requestId,
    ...(typeof why === "string" ? { fault: why } : { fault: why.fault, reason: why.reason }),
  });
}
