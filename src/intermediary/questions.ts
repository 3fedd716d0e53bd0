/** What may be asked of the Intermediary from outside: who is here, what waits, what died; and what a person may do about it. */
import type { StoreEvent, WorkEvent } from "../core/event.ts";
import type { FaultName } from "../core/fault.ts";
import type { CallId, Key } from "../core/ids.ts";
import { isObject, type Json, type JsonObject, parseJson, plain } from "../core/json.ts";
import type { IntermediaryQuestion, RoomQuestion } from "../core/question.ts";
import { bodyOf } from "../core/queue-entry.ts";
import type { Scope } from "../core/settings.ts";
import type { Turn } from "../core/turn.ts";
import { peerList } from "./presence.ts";
import { command } from "./router.ts";
import type { State } from "./state.ts";

type Own = RoomQuestion | IntermediaryQuestion;
type Act = Extract<IntermediaryQuestion, { readonly get: "send" | "retry" | "drop" }>;

/** Entries in one answer. */
const PAGE_MAX = 1_000;

export function ask(state: State, { call, question, as }: WorkEvent & { is: "asked" }, turn: Turn): void {
  if (question.of !== "intermediary") return fail(call, "notFound", turn);
  const needs = scopeFor(question);
  if (needs !== undefined && !as.scopes.includes(needs)) return fail(call, "notAllowed", turn);
  switch (question.get) {
    case "ready":
      return tell(call, { ok: state.closeAt === undefined, waits: state.closeAt === undefined ? [] : ["draining"] }, turn);
    case "status":
      return tell(call, statusOf(state), turn);
    case "peers":
      return tell(call, { peers: peerList(state) }, turn);
    case "queue":
      return tell(
        call,
        question.to === undefined ? { recipients: depths(state) } : { entries: entriesOf(state, question) },
        turn,
      );
    case "dead":
      return tell(call, { letters: lettersOf(state, question.after) }, turn);
    case "message":
      return show(state, { call, id: question.id }, turn);
    case "send":
    case "retry":
    case "drop":
      return act(state, { call, question }, turn);
    case "audit":
      return tell(call, plain(state.audit.page(question.after)), turn);
    case "uploads":
      return tell(call, { uploads: state.uploads.list().map((upload) => ({ ...upload })) }, turn);
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
    queue: { entries: queue.kept.entries, bytes: queue.kept.bytes, dead: queue.dead.size },
    uploads: { files: uploads.files, bytes: uploads.bytes },
    upstream: state.upstream,
  };
}

const depths = (state: State): JsonObject[] => state.queue.kept.depths().map((depth) => ({ ...depth }));

function entriesOf(state: State, { to, after = "" }: { to?: string; after?: string }): JsonObject[] {
  const entries = state.queue.kept.list(to ?? "").filter(({ id }) => id > after).slice(0, PAGE_MAX);
  return entries.map(({ id, at, exp, kind, bytes, attempts }) => ({ id, at, exp, kind, bytes, attempts }));
}

function lettersOf(state: State, after = ""): JsonObject[] {
  const names = state.known.bySegment();
  const letters = [...state.queue.dead.all()].filter(({ id }) => id > after).slice(0, PAGE_MAX);
  return letters.map(({ id, recipient, kind, bytes, why, exp }) => ({
    id,
    to: names.get(recipient) ?? recipient,
    kind,
    bytes,
    why,
    died: exp,
  }));
}

function show(state: State, { call, id }: { call: CallId; id: string }, turn: Turn): void {
  const { queue, inquiries } = state;
  const letter = queue.dead.get(id);
  if (letter !== undefined) {
    inquiries.set(queue.dead.read(letter, turn), { is: "show", call });
    return;
  }
  const found = queue.kept.locate(id);
  if (found === undefined) return fail(call, "notFound", turn);
  const { to, entry } = found;
  if (entry.body === undefined) inquiries.set(queue.read(entry, turn), { is: "show", call });
  else tell(call, { id, to, at: entry.at, exp: entry.exp, kind: entry.kind, body: parseJson(entry.body, Infinity) }, turn);
}

function act(state: State, { call, question }: { call: CallId; question: Act }, turn: Turn): void {
  const { queue } = state;
  switch (question.get) {
    case "send": {
      const sent = command(state, { from: question.from, target: question.to, cmd: question.cmd }, turn);
      if (!sent.ok) return fail(call, sent.fault, turn);
      return promise(state, { call, letter: undefined, body: sent.value.reply, after: sent.value.after }, turn);
    }
    case "retry": {
      const letter = queue.dead.get(question.id);
      if (letter === undefined) return fail(call, "notFound", turn);
      state.inquiries.set(queue.dead.read(letter, turn), { is: "retry", call, letter: letter.id });
      return;
    }
    case "drop": {
      const letter = queue.dead.get(question.id);
      if (letter !== undefined) queue.dead.drop(letter, turn);
      const found = letter === undefined ? queue.kept.locate(question.id) : undefined;
      if (found !== undefined) queue.drop(found.to, question.id, turn);
      return letter ?? found ? tell(call, { status: "dropped" }, turn) : fail(call, "notFound", turn);
    }
  }
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
  if (!isObject(value) || body === undefined) {
    fail(inquiry.call, event.is === "loaded" ? "notFound" : "storageFailed", turn);
  } else if (inquiry.is === "show") tell(inquiry.call, { ...value, body: parseJson(body, Infinity) ?? body }, turn);
  else retry(state, { call: inquiry.call, letter: inquiry.letter, to: String(value.to), body }, turn);
  return true;
}

function retry(
  state: State,
  { call, letter, to, body }: { call: CallId; letter: string; to: string; body: string },
  turn: Turn,
): void {
  const kind = state.queue.dead.get(letter)?.kind;
  if (kind === undefined) return fail(call, "notFound", turn); // Why: somebody dropped it meanwhile.
  const sent = state.queue.send(to, { kind, body }, turn);
  if (!sent.ok) return fail(call, sent.fault, turn);
  const after = sent.value.is === "queued" ? sent.value.key : undefined;
  promise(state, { call, letter, body: { status: sent.value.is }, after }, turn);
}

const tell = (call: CallId, body: Json, turn: Turn): void => turn.put({ do: "answer", call, body });
const fail = (call: CallId, fault: FaultName, turn: Turn): void => turn.put({ do: "answer", call, fault });
