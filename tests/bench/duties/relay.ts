/**
 * The floor: the raw relay with the duties of the relay, in as few steps as the author could find. It has no services, no supervision, no forces and
 * no upstreams but one. It shows what the duties cost whatever the structure.
 */
import { countFrom } from "../../../src/engine/ids.ts";
import { TransientMap } from "../../../src/services/neuro/transient-map.ts";
import type { RawOutlet, RawRelay } from "../raw-sockets.ts";
import { Counts } from "./counts.ts";
import { ActionDeadlines } from "./deadlines.ts";
import { type Address, admits, FloorGame, newAddress } from "./game.ts";
import type { FloorOptions } from "./options.ts";
import { Reader } from "./reader.ts";
import { JOINING, STRINGIFYING, type Writer } from "./writer.ts";
import { ActionRecord, ContextRecord, LastFrames, RECORD_BYTES, Ring } from "./records.ts";

/** The world of the floor. */
export interface FloorPorts {
  readonly neuro: RawOutlet;
  now(): number;
  /** Calls `tick` after that time. */
  wake(ms: number): void;
}

interface Owner {
  readonly game: FloorGame;
  readonly name: string;
}

/** Actions that the backend may have pending. */
const PENDING_MAX = 1_000;
/** Contexts of one game that wait while the backend does not read. */
const CONTEXTS_WAITING_MAX = 200;
/** An action of a game that confirms nothing counts as a success this long after evidence. */
const EVIDENCE_MS = 2_000;
const LEGIBLE = /^[!#-[\]-}]{1,64}$/;
const MINUTE_MS = 60_000;

export class FloorRelay implements RawRelay<FloorGame> {
  readonly counts = new Counts();
  readonly transcript: Ring | undefined;
  /** Each of them gets every observation. */
  readonly watchers: ((observation: object) => void)[] = [];
  isDebugLogged = false;
  /** Bytes that are kept: of the link to the backend, of the service, and of the relay. */
  linkBytes = 0;
  serviceBytes = 0;
  relayBytes = 0;
  readonly #options: FloorOptions;
  readonly #ports: FloorPorts;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #owners = new Map<string, Owner>();
  readonly #pending = new TransientMap<string, ActionRecord>();
  readonly #deadlines: ActionDeadlines;
  readonly #address: Address;
  readonly #ringBytes = { bytes: 0 };
  readonly #sent = new LastFrames();
  readonly #waiting: { readonly game: FloorGame; readonly message: string; readonly silent: boolean }[] = [];
  /** The effects of this step. */
  readonly #targets: RawOutlet[] = [];
  readonly #frames: string[] = [];
  readonly #has: Readonly<Record<"ids" | "deadlines" | "limits" | "metrics" | "records" | "isolation", boolean>>;
  readonly #epoch: number;
  readonly #newId: () => string;
  #games = 0;
  #sequence = 0;
  #now = 0;

  constructor(options: FloorOptions, ports: FloorPorts) {
    const has = (name: Parameters<typeof options.with.has>[0]): boolean => options.with.has(name);
    this.#options = options;
    this.#ports = ports;
    this.#has = {
      ids: has("ids"),
      deadlines: has("deadlines"),
      limits: has("limits"),
      metrics: has("metrics"),
      records: has("records"),
      isolation: has("isolation"),
    };
    this.#reader = new Reader({ areChecked: has("checks"), usesPatterns: has("patterns") });
    this.#writer = has("patterns") ? JOINING : STRINGIFYING;
    this.#deadlines = new ActionDeadlines(ports.wake);
    this.#address = newAddress(options);
    this.#epoch = ports.now();
    this.#newId = countFrom(this.#epoch);
    const { transcriptBytes: bytesMax } = options.traces;
    const count = Math.floor(bytesMax / RECORD_BYTES);
    this.transcript = this.#has.records ? new Ring({ count, bytesMax }, this.#ringBytes) : undefined;
  }

  /** Bytes of all rings. */
  get ringBytes(): number {
    return this.#ringBytes.bytes;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  start(): void {
    this.#ports.neuro.send(`{"command":"startup","game":"Relay"}`);
  }

  openGame(outlet: RawOutlet): FloorGame {
    return new FloorGame(++this.#games, outlet, this.#address, this.#options);
  }

  closeGame(game: FloorGame): void {
    game.isClosed = true;
    for (const [name, owner] of this.#owners) if (owner.game === game) this.#owners.delete(name);
    while (game.pending[0] !== undefined) {
      this.#conclude(game.pending[0], false, this.#writer.own(`${game.name} disconnected before it answered.`), "gone");
    }
    this.#commit();
  }

  fromNeuro(text: string): void {
    if (!this.#has.isolation) return this.#neuroStep(text);
    try {
      this.#neuroStep(text);
    } catch {
      return this.#discard(undefined);
    }
    this.#commit();
  }

  fromGame(game: FloorGame, text: string): void {
    if (!this.#has.isolation) return this.#gameStep(game, text);
    try {
      this.#gameStep(game, text);
    } catch {
      return this.#discard(game);
    }
    this.#commit();
  }

  /** The timer. */
  tick(): void {
    this.#now = this.#ports.now();
    for (let due = this.#deadlines.takeDue(this.#now); due !== undefined; due = this.#deadlines.takeDue(this.#now)) {
      const isPresumed = due.state === "presumed";
      this.#conclude(due, isPresumed, isPresumed ? undefined : this.#writer.own("No answer came in time."), "deadline");
    }
    this.#commit();
  }

  #neuroStep(text: string): void {
    const has = this.#has;
    const reader = this.#reader;
    const { counts } = this;
    this.#now = this.#ports.now();
    if (has.limits && text.length > this.#options.limits.message_bytes) return void counts.refused++;
    const kind = reader.fromNeuro(text);
    if (has.metrics) {
      counts.framesIn++;
      counts.bytesIn += text.length;
      if (kind === "action") counts.actionsIn++;
      else if (kind === "unreadable") counts.unreadable++;
      else counts.othersIn++;
    }
    if (kind !== "action") return;
    const { id, name, text: data } = reader;
    if (has.ids && this.#pending.has(id)) return; // Why: the backend sent a pending action again.
    const owner = this.#owners.get(name);
    if (owner === undefined) return has.ids ? this.#refuse(id, `Unknown action: ${name}`) : undefined;
    const { game } = owner;
    if (has.ids && game.isHeld) return this.#refuse(id, "A person has paused this game.");
    this.#startAction(owner, id, data);
  }

  #startAction({ game, name }: Owner, neuroId: string, data: string | undefined): void {
    const has = this.#has;
    const now = this.#now;
    const action = new ActionRecord(game, name);
    const bytes = RECORD_BYTES + 2 * ((data?.length ?? 0) + neuroId.length);
    action.neuroId = neuroId;
    action.data = data;
    action.startedAt = now;
    action.bytes = bytes;
    if (has.limits) {
      const { limits } = this.#options;
      if (
        this.#pending.size >= PENDING_MAX || this.linkBytes + bytes > limits.peer_bytes ||
        this.relayBytes + bytes > limits.total_bytes
      ) return this.#refuse(neuroId, "Too many actions wait for their results; wait for some of them.");
      this.linkBytes += bytes;
      this.serviceBytes += bytes;
      this.relayBytes += bytes;
    }
    if (has.ids) {
      const id = this.#newId();
      action.id = id;
      action.gameId = LEGIBLE.test(neuroId) ? `${id}~${neuroId}` : id;
    } else action.gameId = neuroId;
    if (has.records) action.sequence = ++this.#sequence;
    this.#pending.set(neuroId, action);
    game.pending.push(action);
    if (has.deadlines) this.#deadlines.add(action, this.#options.deadlineMs, now);
    if (has.isolation) this.#observe("action_sent", action);
    this.#toGame(game, this.#writer.action(action));
    if (has.metrics) this.counts.actionsOut++;
  }

  #gameStep(game: FloorGame, text: string): void {
    const has = this.#has;
    const reader = this.#reader;
    const { counts } = this;
    const now = this.#now = this.#ports.now();
    if (has.limits) {
      if (game.isClosed) return;
      if (text.length > this.#options.limits.message_bytes) return this.#close(game, 1009, "message too big");
      if (!admits(game, text.length, this.#options, now)) return this.#close(game, 1008, "too many messages");
    }
    const kind = reader.fromGame(text);
    game.lastHeardAt = now;
    if (has.metrics) {
      counts.framesIn++;
      counts.bytesIn += text.length;
      if (kind === "result") counts.resultsIn++;
      else if (kind === "context") counts.contextsIn++;
      else if (kind === "unreadable") counts.unreadable++;
      else counts.othersIn++;
    }
    if (kind === "unreadable") return void counts.refused++;
    const { game: name } = reader;
    if (name !== game.name && name !== undefined) {
      if (game.name !== "") return void counts.refused++; // Why: a connection of the floor has one game.
      this.#name(game, name);
    }
    switch (kind) {
      case "result":
        return this.#receiveResult(game);
      case "context":
        return this.#receiveContext(game);
      case "register":
        return this.#register(game);
      case "action":
      case "startup":
      case "other":
        return;
    }
  }

  #name(game: FloorGame, name: string): void {
    game.name = name;
    game.contextHead = this.#writer.contextHead(name);
    const { count, bytes: bytesMax } = this.#options.traces;
    if (this.#has.records) game.traces = new Ring({ count, bytesMax }, this.#ringBytes);
  }

  #register(game: FloorGame): void {
    const actions = this.#reader.actions.map((action) => {
      const name = `g${game.id}--${action.name}`;
      this.#owners.set(name, { game, name: action.name });
      return { ...action, name };
    });
    this.#toNeuro(JSON.stringify({ command: "actions/register", game: "Relay", data: { actions } }), game.name);
  }

  #receiveResult(game: FloorGame): void {
    const { id, success, text } = this.#reader;
    const action = this.#actionOf(game, id);
    if (action === undefined) return;
    if (this.#has.ids) {
      game.lastAnsweredId = action.id;
      if (success) game.confirms = true;
    }
    this.#conclude(action, success, text, "game");
  }

  /** The action that a game means: by the relay's id, with or without Neuro's after it, or by Neuro's alone. */
  #actionOf(game: FloorGame, id: string): ActionRecord | undefined {
    const { pending } = game;
    if (pending[0]?.gameId === id) return pending[0];
    const end = id.indexOf("~");
    const own = end < 0 ? id : id.slice(0, end);
    const found = pending.find((each) => each.gameId === id || each.id === own || each.neuroId === id);
    if (found === undefined && this.#has.ids) this.#ignoreResult(game, own);
    return found;
  }

  #ignoreResult(game: FloorGame, own: string): void {
    const { ignored } = this.counts;
    if (!own.startsWith(`${this.#epoch}-`)) ignored.unknown++;
    else if (own === game.lastAnsweredId) ignored.twice++;
    else if ([...this.#pending.values()].some(({ id }) => id === own)) ignored.foreign++;
    else ignored.late++;
  }

  /** Ends an action, once and for all. */
  #conclude(action: ActionRecord, success: boolean, message: string | undefined, by: ActionRecord["by"]): void {
    const has = this.#has;
    const { counts } = this;
    const { game } = action;
    if (game === undefined || action.state === "finished") return;
    action.state = "finished";
    this.#pending.delete(action.neuroId);
    const at = game.pending.indexOf(action);
    if (at === 0) game.pending.shift();
    else if (at > 0) game.pending.splice(at, 1);
    if (has.deadlines) this.#deadlines.remove(action);
    if (has.limits) {
      this.linkBytes -= action.bytes;
      this.serviceBytes -= action.bytes;
      this.relayBytes -= action.bytes;
    }
    const ms = this.#now - action.startedAt;
    this.#sendResult(action.neuroId, success, message, game.name);
    if (has.metrics) {
      if (success) counts.successes++;
      else counts.failures++;
      if (by === "deadline") counts.deadlines++;
      counts.latency.observe(ms / 1_000);
      game.times.observe(ms / 1_000);
    }
    if (has.isolation) this.#observe("action_result", action);
    action.game = undefined;
    if (!has.records) return;
    action.success = success;
    action.message = message;
    action.by = by;
    action.endedAt = this.#now;
    action.resultSequence = ++this.#sequence;
    action.bytes += 2 * (message?.length ?? 0);
    this.transcript?.add(action);
    game.traces?.add(action);
  }

  #sendResult(neuroId: string, success: boolean, message: string | undefined, from: string): void {
    this.#toNeuro(this.#writer.result(neuroId, success, message), from);
    if (this.#has.metrics) this.counts.resultsOut++;
  }

  /** Neuro's action reaches no game: a failure. */
  #refuse(neuroId: string, why: string): void {
    this.#sendResult(neuroId, false, this.#writer.own(why), "relay");
  }

  #receiveContext(game: FloorGame): void {
    const has = this.#has;
    const { text: message = "", silent } = this.#reader;
    const now = this.#now;
    if (has.ids && !game.confirms && game.pending.length > 0) this.#noteEvidence(game, message);
    if (has.limits) {
      if (now - game.contextsSince >= MINUTE_MS) {
        game.contextsSince = now;
        game.contexts = 0;
      }
      game.contexts++;
    }
    if (has.limits && this.#mustWait(game, message, silent)) return;
    this.#sendContext(game, message, silent);
  }

  #sendContext(game: FloorGame, message: string, silent: boolean): void {
    const has = this.#has;
    const frame = this.#writer.context(game.contextHead, message, silent);
    if (has.limits && !this.#fits(frame)) return void this.counts.refused++;
    this.#toNeuro(frame, game.name);
    if (has.metrics) this.counts.contextsOut++;
    if (has.isolation) this.#observe("add_context", undefined);
    if (!has.records) return;
    const record = new ContextRecord(game.name, this.#now, message, ++this.#sequence);
    this.transcript?.add(record);
    game.traces?.add(record);
  }

  #fits(frame: string): boolean {
    const { frameBytesMax } = this.#options;
    return frame.length * 3 <= frameBytesMax || Buffer.byteLength(frame) <= frameBytesMax;
  }

  /** Queues a context while the backend does not read. */
  #mustWait(game: FloorGame, message: string, silent: boolean): boolean {
    const waiting = this.#waiting;
    const canSend = (): boolean => this.#ports.neuro.backlog <= this.#options.limits.backlog_soft_bytes;
    for (let first = waiting[0]; first !== undefined && canSend(); first = waiting[0]) {
      waiting.shift();
      this.#sendContext(first.game, first.message, first.silent);
    }
    if (waiting.length === 0 && canSend()) return false;
    if (waiting.filter((each) => each.game === game).length >= CONTEXTS_WAITING_MAX) {
      waiting.splice(waiting.findIndex((each) => each.game === game), 1);
    }
    waiting.push({ game, message, silent });
    return true;
  }

  /** A context that names a pending action of a game that has confirmed none shows that the action is over. */
  #noteEvidence(game: FloorGame, message: string): void {
    const text = message.slice(0, 4_096).toLowerCase();
    for (const action of game.pending) {
      if (action.state !== "sent" || !text.includes(action.name.toLowerCase())) continue;
      action.state = "presumed";
      if (!this.#has.deadlines) continue;
      this.#deadlines.remove(action);
      this.#deadlines.add(action, EVIDENCE_MS, this.#now);
    }
  }

  #toGame(game: FloorGame, frame: string): void {
    if (this.#has.limits && game.outlet.backlog + frame.length > this.#options.limits.backlog_hard_bytes) {
      return this.#close(game, 4429, "reads too slowly");
    }
    this.#emit(game.outlet, frame);
  }

  #toNeuro(frame: string, from: string): void {
    if (this.#has.records) this.#sent.note(this.#now, frame.length, from);
    this.#emit(this.#ports.neuro, frame);
  }

  /** Collects an effect, or carries it out. */
  #emit(target: RawOutlet, frame: string): void {
    if (this.#has.metrics) {
      this.counts.framesOut++;
      this.counts.bytesOut += frame.length;
    }
    if (!this.#has.isolation) return target.send(frame);
    this.#targets.push(target);
    this.#frames.push(frame);
  }

  #commit(): void {
    const targets = this.#targets;
    const frames = this.#frames;
    for (let at = 0; at < frames.length; at++) targets[at]?.send(frames[at] ?? "");
    targets.length = 0;
    frames.length = 0;
  }

  /** An internal error: the effects of the step are dropped, and the peer that caused it is closed. */
  #discard(game: FloorGame | undefined): void {
    this.#targets.length = 0;
    this.#frames.length = 0;
    this.counts.panics++;
    if (game !== undefined) this.#close(game, 1011, "internal error");
  }

  #close(game: FloorGame, code: number, reason: string): void {
    game.isClosed = true;
    game.outlet.close(code, reason);
  }

  /** An observation, if anybody reads it. */
  #observe(is: string, action: ActionRecord | undefined): void {
    if (this.watchers.length === 0 && !this.isDebugLogged) return void this.counts.unread++;
    const observation = { is, id: action?.id, name: action?.name, data: action?.data };
    for (const watch of this.watchers) watch(observation);
    if (this.isDebugLogged) console.debug(JSON.stringify(observation));
  }
}
