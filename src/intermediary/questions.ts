/** What may be asked of the Intermediary from outside: who is here, what waits, what died; and what a person may do about it. */
import type { StoreEvent, WorkEvent } from "../core/event.ts";
import type { FaultName } from "../core/fault.ts";
import type { CallId, Key } from "../core/ids.ts";
import { isObject, type Json, type JsonObject, parseJson, plain } from "../core/json.ts";
import type { IntermediaryQuestion, RoomQuestion } from "../core/question.ts";
import { segmentText } from "../core/key.ts";
import { bodyOf } from "../core/queue-entry.ts";
import type { Failure } from "../core/result.ts";
import type { Scope } from "../core/settings.ts";
import type { Turn } from "../core/turn.ts";
import {
  type DeadLetterView,
  type MessageView,
  type Page,
  pageOf,
  type QueueEntryView,
  type QueueView,
} from "../core/view.ts";
import { peerList } from "./presence.ts";
import { command } from "./router.ts";
import type { State } from "./state.ts";

type Own = RoomQuestion | IntermediaryQuestion;
type Act = Extract<IntermediaryQuestion, { readonly get: "send" | "retry" | "drop" }>;

const byId = { id: ({ id }: { readonly id: string }) => id };
const byName = { id: ({ to }: QueueView) => to };

/** Somebody asks. Every call gets one answer: now, or once the store was read or has written. */
export function ask(state: State, { call, question, as }: WorkEvent & { is: "asked" }, turn: Turn): void {
  if (question.of !== "intermediary") return fail(call, "notFound", turn);
  const needs = scopeFor(question);
  if (needs !== undefined && !as.scopes.includes(needs)) {
    return fail(call, { fault: "notAllowed", reason: `this needs the scope ${needs}` }, turn);
  }

  switch (question.get) {
    case "ready":
      return tell(call, { ok: state.closeAt === undefined, waits: state.closeAt === undefined ? [] : ["draining"] }, turn);
    case "status":
      return tell(call, statusOf(state), turn);
    case "peers":
      return tell(call, plain(whole(peerList(state))), turn);
    case "queue":
      return tellQueue(state, { call, question }, turn);
    case "dead":
      return tell(call, plain(pageOf(lettersOf(state), question, byId)), turn);
    case "message":
      return show(state, { call, id: question.id }, turn);
    case "send":
    case "retry":
    case "drop":
      return act(state, { call, question, by: as.by }, turn);
    case "audit":
      return tell(call, plain(state.audit.page(question)), turn);
    case "events":
      return tell(call, plain(state.watch.recent(question, turn)), turn);
    case "uploads":
      return tell(call, plain(whole(state.uploads.list())), turn);
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

type QueueQuestion = Extract<IntermediaryQuestion, { readonly get: "queue" }>;

function tellQueue(state: State, { call, question }: { call: CallId; question: QueueQuestion }, turn: Turn): void {
  const { to } = question;
  if (to === undefined) return tell(call, plain(pageOf(depths(state), question, byName)), turn);
  const entries = entriesOf(state, to);
  if (entries.length === 0 && !state.integrations.has(to) && !state.known.has(to, turn.now)) {
    return fail(call, strangerTo(to), turn);
  }
  tell(call, plain(pageOf(entries, question, byId)), turn);
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

function show(state: State, { call, id }: { call: CallId; id: string }, turn: Turn): void {
  const { queue, inquiries } = state;
  const letter = queue.dead.get(id);
  if (letter !== undefined) {
    inquiries.set(queue.dead.read(letter, turn), { is: "show", call, to: letter.recipient });
    return;
  }
  const found = queue.kept.locate(id);
  if (found === undefined) return fail(call, NO_MESSAGE, turn);
  const { to, entry } = found;
  if (entry.body === undefined) inquiries.set(queue.read(entry, turn), { is: "show", call, to });
  else tell(call, messageOf({ ...entry, to, why: null, died: null }, entry.body), turn);
}

/** Bodies are JSON as they were made here; what is none is shown as it lies there. */
function messageOf({ id, to, kind, at, exp, why, died }: Omit<MessageView, "body">, text: string): JsonObject {
  return plain({ id, to, kind, at, exp, why, died, body: parseJson(text, Infinity) ?? text });
}

/** What a person does, and who it is. */
interface Deed<Of> {
  readonly call: CallId;
  readonly question: Of;
  readonly by: string;
}

function act(state: State, { call, question, by }: Deed<Act>, turn: Turn): void {
  switch (question.get) {
    case "send":
      return send(state, { call, question, by }, turn);
    case "drop":
      return drop(state, { call, question, by }, turn);
    case "retry": {
      const letter = state.queue.dead.get(question.id);
      if (letter === undefined) return fail(call, NO_MESSAGE, turn);
      state.inquiries.set(state.queue.dead.read(letter, turn), { is: "retry", call, letter: letter.id, by });
      return;
    }
  }
}

function send(state: State, { call, question, by }: Deed<Act & { readonly get: "send" }>, turn: Turn): void {
  const { from, to, cmd } = question;
  const sent = command(state, { from, target: to, cmd }, turn);
  turn.note({ is: "operator_acted", by, did: "send", to, outcome: sent.ok ? "done" : sent.fault });
  if (!sent.ok) return fail(call, sent.fault === "notFound" ? strangerTo(to) : sent, turn);
  promise(state, { call, letter: undefined, body: sent.value.reply, after: sent.value.after }, turn);
}

function drop(state: State, { call, question, by }: Deed<Act & { readonly get: "drop" }>, turn: Turn): void {
  const { queue } = state;
  const { id, dead = false } = question;
  const letter = queue.dead.get(id);
  const found = letter === undefined && !dead ? queue.kept.locate(id) : undefined;
  if (letter === undefined && found === undefined) return fail(call, NO_MESSAGE, turn);
  if (letter !== undefined) queue.dead.drop(letter, turn);
  if (found !== undefined) queue.drop(found.to, id, turn);
  turn.note({ is: "operator_acted", by, did: "drop", to: id, outcome: "done" });
  tell(call, { status: "dropped" }, turn);
}

interface Promised {
  readonly call: CallId;
  readonly letter: string | undefined;
  readonly body: JsonObject;
  readonly after: Key | undefined;
}

/** Answers now, or once what the answer says is stored. */
function promise(state: State, { call, letter, body, after }: Promised, turn: Turn): void {
  if (after !== undefined) state.promises.set(after, { call, letter });
  else {
    dropLetter(state, letter, turn);
    tell(call, body, turn);
  }
}

function dropLetter(state: State, id: string | undefined, turn: Turn): void {
  const letter = id === undefined ? undefined : state.queue.dead.get(id);
  if (letter !== undefined) state.queue.dead.drop(letter, turn);
}

/** A write ended that a call waits for. */
export function settlePromise(state: State, event: StoreEvent & { key: Key }, turn: Turn): void {
  const promised = state.promises.get(event.key);
  if (promised === undefined) return;
  state.promises.delete(event.key);
  if (event.is === "storeFailed") return fail(promised.call, "storageFailed", turn);
  dropLetter(state, promised.letter, turn);
  tell(promised.call, { status: "queued" }, turn);
}

/** The store was read for a question; false when it was not. */
export function inquire(state: State, event: Extract<StoreEvent, { token: unknown }>, turn: Turn): boolean {
  const inquiry = state.inquiries.get(event.token);
  if (inquiry === undefined) return false;
  state.inquiries.delete(event.token);
  const value = event.is === "loaded" ? event.entries[0]?.value : undefined;
  const id = isObject(value) && typeof value.id === "string" ? value.id : "";
  const body = bodyOf(value, id);
  const { call } = inquiry;
  if (!isObject(value) || body === undefined) fail(call, event.is === "loaded" ? "notFound" : "storageFailed", turn);
  else if (inquiry.is === "show") tell(call, messageOf(viewOf(value, inquiry.to), body), turn);
  else retry(state, { ...inquiry, to: String(value.to), body }, turn);
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
  readonly call: CallId;
  readonly letter: string;
  readonly by: string;
  readonly to: string;
  readonly body: string;
}

function retry(state: State, { call, letter, by, to, body }: Again, turn: Turn): void {
  const kind = state.queue.dead.get(letter)?.kind;
  if (kind === undefined) return fail(call, NO_MESSAGE, turn); // Why: somebody dropped it meanwhile.
  for (const promised of state.promises.values()) {
    if (promised.letter === letter) return fail(call, { fault: "notNow", reason: "it is being retried already" }, turn);
  }
  const sent = state.queue.send(to, { kind, body }, turn);
  turn.note({ is: "operator_acted", by, did: "retry", to: letter, outcome: sent.ok ? "done" : sent.fault });
  if (!sent.ok) return fail(call, sent, turn);
  const after = sent.value.is === "queued" ? sent.value.key : undefined;
  promise(state, { call, letter, body: { status: sent.value.is }, after }, turn);
}

const tell = (call: CallId, body: Json, turn: Turn): void => turn.put({ do: "answer", call, body });

type Why = Pick<Failure, "fault" | "reason">;

const NO_MESSAGE: Why = { fault: "notFound", reason: "no such message waits, or was given up" };

/** Why not as a watcher is told: those words are the protocol's, and no sentence. */
const strangerTo = (name: string): Why => ({
  fault: "notFound",
  reason: `no integration called ${name.slice(0, 64)} was here lately`,
});

/** Says what went wrong, where possible in a sentence. */
function fail(call: CallId, why: FaultName | Why, turn: Turn): void {
  turn.put({
    do: "answer",
    call,
    ...(typeof why === "string" ? { fault: why } : { fault: why.fault, reason: why.reason }),
  });
}
