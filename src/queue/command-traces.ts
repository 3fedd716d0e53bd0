/**
 * Traces of queued messages: the path of each command through the queue of its recipient.
 *
 * Invariants: CT1 the ended traces of one recipient are in a ring of their own; CT2 a queue entry carries a few times and no list, because
 * there can be a hundred thousand; CT3 the text of a stored entry is kept only once it was sent.
 */
import type { StepContext } from "../core/context.ts";
import type { Millis } from "../core/ids.ts";
import { plain } from "../core/json.ts";
import { DIRECTORY_NAMES_MAX, TRACE_TEXT_LENGTH_MAX } from "../core/limits.ts";
import { keptBeginning, redactedBeginning, type Secrets } from "../core/secrets.ts";
import { RecordRing, type RingBudget } from "../core/traces/record-ring.ts";
import {
  type CommandEnd,
  type CommandWait,
  newestOf,
  type TraceFilter,
  type TraceStep,
  type TraceStepName,
  type TraceView,
} from "../core/traces/trace.ts";
import type { Page } from "../core/view.ts";
import { type QueueEntry, withFields } from "./entry.ts";
import type { RecipientQueue } from "./recipient-queue.ts";

/** In messages for an integration that asked for its traces. */
export const TRACE_EVENT = "neuro-relay/trace";

interface CommandRecord {
  readonly id: string;
  readonly at: Millis;
  readonly to: string;
  readonly text: string | undefined;
  readonly waitsFor: CommandWait | undefined;
  readonly firstSentAt: Millis;
  readonly sentAt: Millis;
  readonly sends: number;
  readonly ended: CommandEnded | undefined;
  readonly bytes: number;
}

interface CommandEnded {
  readonly at: Millis;
  readonly as: CommandEnd;
  readonly why: string | null;
}

/** A record without its text. Measured in memory, and rounded up. */
const RECORD_BYTES = 384;

export class CommandTraces {
  readonly #budget: RingBudget;
  readonly #secrets: Secrets;
  readonly #isWatched: () => boolean;
  /** By the segment of the recipient, the one that got its first trace first is first. */
  readonly #rings = new Map<string, RecordRing<CommandRecord>>();

  /** `isWatched`: a watcher wants the event of each trace. */
  constructor(budget: RingBudget, secrets: Secrets, isWatched: () => boolean) {
    this.#budget = budget;
    this.#secrets = secrets;
    this.#isWatched = isWatched;
  }

  get isOn(): boolean {
    return this.#budget.count > 0;
  }

  /** The beginning of a body that leaves the memory. */
  textOf(body: string | undefined): string | undefined {
    return body === undefined || !this.isOn ? undefined : keptBeginning(body, TRACE_TEXT_LENGTH_MAX, this.#secrets);
  }

  /** An entry is delivered, dropped or given up. */
  add(recipient: RecipientQueue, entry: QueueEntry, end: { as: CommandEnd; why?: string }, ctx: StepContext): void {
    if (!this.isOn) return;
    const record = this.#recordOf(recipient, entry, { at: ctx.now, as: end.as, why: end.why ?? null });
    this.#ringOf(recipient.segment).add(record);
    const isWatched = this.#isWatched();
    const { socket } = recipient;
    if (!isWatched && socket?.traces !== true) return;
    const trace = this.#viewOf(record, ctx.now);
    if (isWatched) ctx.observe({ is: "trace_ended", trace });
    if (socket?.traces !== true) return;
    const text = JSON.stringify({ event: TRACE_EVENT, payload: { trace: plain(trace) } });
    const frame = socket.acks ? withFields({ id: ctx.id() }, text) : text;
    ctx.emit({ do: "send", to: socket.peer, frame, expectsReply: socket.acks });
  }

  /** The newest first. `integration` is the name of a recipient. */
  page(recipients: readonly RecipientQueue[], filter: TraceFilter, now: Millis): Page<TraceView> {
    const { kind = "command", action } = filter;
    if (kind !== "command" || action !== undefined) return { items: [], next: null };
    const { items, next } = newestOf<CommandRecord>(
      this.#lists(recipients, filter),
      filter,
      ({ to }) => (filter.integration ?? to) === to,
    );
    return { items: items.map((record) => this.#viewOf(record, now)), next };
  }

  find(recipients: readonly RecipientQueue[], id: string, now: Millis): TraceView | undefined {
    for (const list of this.#lists(recipients, {})) {
      for (const record of list) if (record.id === id) return this.#viewOf(record, now);
    }
    return undefined;
  }

  /** Each in descending order of ids. */
  *#lists(recipients: readonly RecipientQueue[], { state }: TraceFilter): Generator<Iterable<CommandRecord>> {
    if (!this.isOn) return;
    if (state !== "ended") { for (const recipient of recipients) yield this.#open(recipient); }
    if (state === "open") return;
    for (const ring of this.#rings.values()) yield ring.items().sort((one, other) => (one.id < other.id ? 1 : -1));
  }

  /** Why no records for all at once: a page needs only the newest of up to a hundred thousand entries. */
  *#open(recipient: RecipientQueue): Generator<CommandRecord> {
    const entries = [...recipient.inFlight.values(), ...recipient.waiting.values()];
    for (let at = entries.length - 1; at >= 0; at--) {
      const entry = entries[at];
      if (entry !== undefined) yield this.#recordOf(recipient, entry, undefined);
    }
  }

  #ringOf(segment: string): RecordRing<CommandRecord> {
    const known = this.#rings.get(segment);
    if (known !== undefined) return known;
    const ring = new RecordRing<CommandRecord>(this.#budget);
    this.#rings.set(segment, ring);
    const [[oldest, dropped] = []] = this.#rings;
    if (this.#rings.size > DIRECTORY_NAMES_MAX && oldest !== undefined) {
      dropped?.clear();
      this.#rings.delete(oldest);
    }
    return ring;
  }

  #recordOf({ name }: RecipientQueue, entry: QueueEntry, ended: CommandEnded | undefined): CommandRecord {
    const { id, at, waitsFor, firstSentAt, sentAt, sends } = entry;
    const text = entry.text ?? this.textOf(entry.body);
    const bytes = RECORD_BYTES + 2 * ((text?.length ?? 0) + name.length);
    return { id, at, to: name, text, waitsFor, firstSentAt, sentAt, sends, ended, bytes };
  }

  #viewOf({ id, at, to, text, ended, ...path }: CommandRecord, now: Millis): TraceView {
    const clean = (given: string): string =>
      redactedBeginning(
        given,
        { lengthMax: TRACE_TEXT_LENGTH_MAX, isCut: given.length > TRACE_TEXT_LENGTH_MAX },
        this.#secrets,
      );
    const name = clean(to);
    const watcher = text === undefined ? undefined : watcherIn(text);
    return {
      id,
      kind: "command",
      state: ended === undefined ? "open" : "ended",
      outcome: ended?.as ?? null,
      integrations: [],
      names: [name],
      upstream: null,
      actions: [],
      priority: null,
      related: null,
      neuro_id: null,
      texts: text === undefined ? {} : { command: clean(text) },
      received_at: at,
      ended_at: ended?.at ?? null,
      ms: (ended?.at ?? now) - at,
      steps: stepsOf({ at, ended, ...path }, name, watcher === undefined ? null : clean(watcher)),
    };
  }
}

function stepsOf(
  { at, waitsFor, firstSentAt, sentAt, sends, ended }: Omit<CommandRecord, "id" | "to" | "text" | "bytes">,
  to: string,
  from: string | null,
): readonly TraceStep[] {
  const step = (at: Millis, is: TraceStepName, who: string | null, what: string | null = null): TraceStep => ({
    at,
    is,
    who,
    what,
  });
  return [
    step(at, "received", from),
    ...(waitsFor === undefined ? [] : [step(at, "waiting", null, waitsFor)]),
    ...(firstSentAt === 0 ? [] : [step(firstSentAt, "sent", to)]),
    ...(sends < 2 ? [] : [step(sentAt, "sent", to, `attempt ${sends}`)]),
    ...(ended === undefined ? [] : [
      ...(ended.as === "acknowledged" ? [step(ended.at, "answered", to, "ack")] : []),
      step(ended.at, "ended", null, ended.why ?? ended.as),
    ]),
  ];
}

const FROM_WATCHER = /^\{"from_watcher":("(?:[^"\\]|\\.)*")/;

/** The watcher that sent a command. */
function watcherIn(body: string): string | undefined {
  const [, quoted] = FROM_WATCHER.exec(body) ?? [];
  return quoted === undefined ? undefined : String(JSON.parse(quoted));
}
