/**
 * The state that outlives the process: the names and the registry of each game, its unanswered force, the controls of operators, and
 * contexts
 * that were not sent to Neuro.
 *
 * A registry is written behind, at most once a second for each game, because the games register again what is lost with the last
 * second. A force is written in the step that brought it, because no game sends it twice. Actions and results are never stored.
 *
 * Invariants: PS1 no key is written twice; PS2 an older entry is deleted only once the newer one is stored; PS3 an unreadable entry is
 * skipped, and every other entry is restored.
 */
import type { Action, ForceMessage } from "../../core/neuro-messages.ts";
import type { ConnectionInfo, Entry } from "../../core/event.ts";
import type { Key, Millis } from "../../core/ids.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { key, segment, segmentAt } from "../../core/key.ts";
import type { StepContext } from "../../core/context.ts";
import {
  DESCRIPTION_LENGTH_MAX,
  DIRECTORY_NAMES_MAX,
  REGISTRY_BYTES_PER_SECOND,
  WRITES_IN_FLIGHT_MAX,
} from "../../core/limits.ts";
import { RetainedBytes, retainedBytes } from "../../core/retained-bytes.ts";
import { checkSchema } from "../../neuro-api/check-schema.ts";
import { shorten } from "../../core/text.ts";
import { ADMISSIONS } from "../../core/view.ts";
import { createGame, parkedBytesMax, retentionTimer, setAway } from "./games/registry.ts";
import { allowAlways, areSet, presetOf, restoreHolds } from "./operator/controls.ts";
import { macroValue, restoreMacro } from "./operator/macros.ts";
import { afterWrite, suspendedUntil } from "./write-health.ts";
import {
  type ContextSource,
  forceRecordOf,
  type Game,
  type NeuroState,
  type StoredRecord,
  type Timer,
  type Upstream,
} from "./state.ts";
import { definitionOf, restoreAction, restoreReservedName } from "./actions/actions.ts";
import { isUnanswered, keepInterruptedForce } from "./forces/forces.ts";
import { SILENT } from "./pending/confirmation.ts";
import { contextKey } from "./upstream/coalescing.ts";
import { newContextRecord } from "./traces/make-record.ts";
import { newQueuedContext, queueContext } from "./upstream/contexts.ts";

const WRITE_BEHIND_MS: Millis = 1_000;
const RETRY_MS: Millis = 5_000;
const SAVE: Timer = { is: "save_records" };

/** The kind of an entry of this service: the second segment of its key. */
export type EntryKind = StoredRecord["kind"] | "context";

export const isEntryKind = (kind: string): kind is EntryKind =>
  kind === "game" || kind === "force" || kind === "controls" || kind === "macro" || kind === "context";

/** Schedules the write of unsaved records. Urgent records, such as a force, are written in this step. */
export function scheduleSave(state: NeuroState, ctx: StepContext): void {
  const { unsavedRecords, timers } = state;
  if (unsavedRecords.size === 0) return;
  if (state.mustSaveNow) {
    for (const record of unsavedRecords) {
      if (record.kind !== "game" && canSave(state, record, ctx.now)) saveRecord(state, record, ctx);
    }
  }
  state.mustSaveNow = false;
  if (unsavedRecords.size === 0 || state.unsavedLeft > 0 || timers.get(SAVE) !== undefined) return;
  const from = suspendedUntil(state.writeHealth, ctx.now) ?? state.saveFrom;
  timers.set(SAVE, Math.max(ctx.now + WRITE_BEHIND_MS, from));
}

/** Writes the unsaved records at that time. */
export function saveAt({ unsavedRecords, timers }: NeuroState, at: Millis): void {
  if (unsavedRecords.size > 0) timers.set(SAVE, at);
}

/** Writes the unsaved records, in this step. The more that is, the later the next ones are written. */
export const saveRecords = (state: NeuroState, ctx: StepContext): void => beginSave(state, Infinity, ctx);

/** Writes the unsaved records, as many at a time as the store takes. Why: ten thousand in one step would delay everything else. */
export const saveGradually = (state: NeuroState, ctx: StepContext): void => beginSave(state, WRITES_IN_FLIGHT_MAX, ctx);

function beginSave(state: NeuroState, writesMax: number, ctx: StepContext): void {
  state.saveFrom = Math.max(state.saveFrom, ctx.now);
  state.unsavedLeft = state.unsavedRecords.size;
  continueSave(state, writesMax, ctx);
}

/** Writes more of the records that were unsaved when the save began, while fewer than `writesMax` writes are under way. */
function continueSave(state: NeuroState, writesMax: number, ctx: StepContext): void {
  for (const record of state.unsavedRecords) {
    if (state.unsavedLeft === 0 || state.pendingWrites.size >= writesMax) return;
    state.unsavedLeft--;
    if (!canSave(state, record, ctx.now)) continue;
    const bytes = record.kind === "game" ? state.games.get(record.key)?.retained.bytes ?? 0 : 0;
    state.saveFrom += Math.floor(bytes * 1_000 / REGISTRY_BYTES_PER_SECOND);
    saveRecord(state, record, ctx);
  }
  state.unsavedLeft = 0;
}

/** What a person decided is always written, because the person gets a reply once it is stored. */
const isDecision = ({ kind }: StoredRecord): boolean => kind === "controls" || kind === "macro";

const canSave = (state: NeuroState, record: StoredRecord, now: Millis): boolean =>
  isDecision(record) || suspendedUntil(state.writeHealth, now) === undefined;

function saveRecord(state: NeuroState, record: StoredRecord, ctx: StepContext): void {
  state.unsavedRecords.delete(record);
  if (!isDecision(record)) state.writeHealth = afterWrite(state.writeHealth, ctx.now);
  const value = recordValue(state, record);
  if (value === undefined) deleteRecord(record, ctx);
  else putRecord(state, { record, value }, ctx);
}

/** A write has ended. Its entry is deleted if a newer write of the same record has replaced it. */
export function recordWriteSettled(
  state: NeuroState,
  event: { readonly key: Key; readonly isStored: boolean },
  ctx: StepContext,
): void {
  const { key: at, isStored } = event;
  const record = state.pendingWrites.get(at);
  if (record === undefined) return;
  state.pendingWrites.delete(at);
  if (record.latestKey !== at) {
    if (isStored) ctx.emit({ do: "delete", key: at });
  } else if (isStored) {
    if (record.storedKey !== undefined) ctx.emit({ do: "delete", key: record.storedKey });
    record.storedKey = at;
  } else {
    state.unsavedRecords.add(record);
    if (state.timers.get(SAVE) === undefined) state.timers.set(SAVE, ctx.now + RETRY_MS);
  }
  // Why many at a time: an engine looks for the first entry of a set among those that were deleted.
  if (state.pendingWrites.size <= WRITES_IN_FLIGHT_MAX / 2) continueSave(state, WRITES_IN_FLIGHT_MAX, ctx);
}

/** Restores games, forces, controls, macros and contexts. All games are away. */
export function restoreEntries(state: NeuroState, entries: readonly Entry[], now: Millis): void {
  const latest = new Map<string, Entry>();
  for (const entry of [...entries].sort((left, right) => (left.key < right.key ? -1 : 1))) {
    const kind = segmentAt(entry.key, 1);
    if (!isEntryKind(kind) || kind === "context") continue;
    const id = `${kind}/${segmentAt(entry.key, 2)}`;
    const older = latest.get(id);
    if (!isRecord(entry.value)) continue;
    if (older !== undefined) state.staleKeys.push(older.key);
    latest.set(id, entry);
  }
  for (const [id, entry] of latest) {
    if (id.startsWith("controls/")) restoreControls(state, entry);
    if (id.startsWith("macro/") && !restoreMacro(state, entry)) state.staleKeys.push(entry.key);
  }
  const games = [...latest].flatMap(([id, entry]) => id.startsWith("game/") ? [entry] : []);
  for (const entry of games.sort(byImportance)) restoreGameWithinLimits(state, entry, now);
  for (const game of [...state.away].sort((one, other) => one.presence.since - other.presence.since)) {
    setAway(game, { is: "away", since: game.presence.since });
  }
  for (const [id, entry] of latest) if (id.startsWith("force/")) restoreForce(state, entry);
  restoreHolds(state);
  for (const entry of entries) if (segmentAt(entry.key, 1) === "context") restoreContext(state, entry, now);
}

/** Games with controls of an operator first, then those that were connected, then those that left last. */
function byImportance({ value: one }: Entry, { value: other }: Entry): number {
  const rank = (value: Json | undefined): number => {
    const { controls, admission, leftAt } = isObject(value) ? value : {};
    if (isObject(controls) || admission === "approved" || admission === "rejected") return Infinity;
    return typeof leftAt === "number" && leftAt > 0 ? leftAt : Number.MAX_SAFE_INTEGER;
  };
  return rank(other) - rank(one) || 0;
}

/** Restores a game, or deletes its record where the games that were restored before it use up the limits. */
function restoreGameWithinLimits(state: NeuroState, entry: Entry, now: Millis): void {
  const { limits } = state.settings;
  const isWithinLimits = state.games.size < limits.peers + DIRECTORY_NAMES_MAX && state.actionCount < limits.actions &&
    state.parked.bytes + retainedBytes(entry.value) <= parkedBytesMax(state);
  if (isWithinLimits) restoreGame(state, entry, now);
  else state.staleKeys.push(entry.key);
}

function recordValue(state: NeuroState, { kind, key }: StoredRecord): Json | undefined {
  if (kind === "controls") return areSet(state.controls) ? { v: 1, ...state.controls } : undefined;
  if (kind === "macro") return macroValue(state, key);
  const game = state.games.get(key);
  if (game === undefined) return undefined;
  return kind === "game" ? registryValue(game) : forceValue(game);
}

/** Why an id and not a counter: after a panic an earlier write may still be in flight, and would have the same number. */
function putRecord(state: NeuroState, { record, value }: { record: StoredRecord; value: Json }, ctx: StepContext): void {
  const at = key("neuro", record.kind, segment(record.key), ctx.id());
  record.latestKey = at;
  state.pendingWrites.set(at, record);
  ctx.emit({ do: "put", key: at, value });
}

function deleteRecord(record: StoredRecord, ctx: StepContext): void {
  if (record.storedKey !== undefined) ctx.emit({ do: "delete", key: record.storedKey });
  record.storedKey = undefined;
  record.latestKey = undefined;
}

function registryValue(game: Game): Json {
  const { key: id, listener, name, slug, presence, connection, confirmation, upstream, controls, alwaysAllowed } = game;
  const actions = [...game.actions.values()].map(({ name: original, upstreamAction }) => {
    const { definition: { description, schema }, mainThread, name: before } = upstreamAction;
    return {
      name: original,
      before,
      description,
      ...(schema && { schema }),
      ...(mainThread !== undefined && { mainThread }),
    };
  });
  const released = [...game.reservedNames?.values() ?? []].map((
    upstreamAction,
  ) => [upstreamAction.originalName, upstreamAction.name, upstreamAction.reservedUntil]);
  const from = connection === undefined ? {} : { connection: { ...connection } };
  const leftAt = presence.is === "connected" ? 0 : presence.since;
  const decided = alwaysAllowed.size > 0 || areSet(controls)
    ? { controls: { ...controls, alwaysAllowed: [...alwaysAllowed] } }
    : {};
  return {
    v: 1,
    id,
    listener,
    name,
    slug,
    upstream: upstream.id,
    leftAt,
    confirmsNothing: confirmation.is === "silent",
    actions,
    released,
    ...from,
    ...decided,
    ...(game.admission !== "known" && { admission: game.admission }),
  };
}

/** The force that a game still waits for. One whose action reached the game is not sent again after a restart. */
function forceValue(game: Game): Json | undefined {
  const { waiting, current } = game.upstream.forces;
  const own = [waiting.get(game), current?.game === game ? current : undefined];
  const message = own.find((force) => force !== undefined && isUnanswered(force))?.message ?? game.interruptedForce;
  return message === undefined ? undefined : { v: 1, id: game.key, force: { ...message } };
}

function restoreControls(state: NeuroState, { key: at, value }: Entry): void {
  if (!isRecord(value)) return;
  state.controls = {
    stopped: value["stopped"] === true,
    approval: value["approval"] === true,
    behaviour: presetOf(value["behaviour"]),
  };
  state.controlsRecord.storedKey = at;
}

function restoreGame(state: NeuroState, { key: at, value }: Entry, now: Millis): void {
  if (!isRecord(value)) return;
  const { id, listener, name, slug, leftAt, actions, released, connection, confirmsNothing, controls, admission } = value;
  if (typeof id !== "string" || typeof name !== "string" || (listener !== "neuro" && listener !== "intermediary")) return;
  const game = createGame(state, { listener, name, key: id, ...(typeof slug === "string" && { slug }) });
  game.record.storedKey = at;
  if (confirmsNothing === true) game.confirmation = SILENT;
  game.admission = ADMISSIONS.find((each) => each === admission) ?? "known";
  const since = pastOr(leftAt, now);
  if (isConnectionInfo(connection)) game.connection = connection;
  game.presence = { is: "away", since };
  if (isObject(controls)) {
    const { paused, muted, solo, approval, behaviour, alwaysAllowed } = controls;
    game.controls = {
      paused: paused === true,
      muted: muted === true,
      solo: solo === true,
      approval: approval === true,
      behaviour: presetOf(behaviour),
    };
    const names = listOf(alwaysAllowed).filter((name) => typeof name === "string");
    if (names.length > 0) allowAlways(game, names.slice(0, state.settings.limits.actions_per_integration));
  }
  state.timers.set(retentionTimer(game), since + game.policy.parked);
  for (const action of listOf(actions)) {
    if (!isAction(action) || game.actions.size >= state.settings.limits.actions_per_integration) continue;
    restoreAction(game, definitionOf(actionOf(action), action.mainThread), action.before);
  }
  for (const each of listOf(released)) {
    const [original, before, freeAt] = listOf(each);
    if (typeof original !== "string" || typeof before !== "string") continue;
    const latest = now + game.policy.parked;
    restoreReservedName(game, { original, before, freeAt: typeof freeAt === "number" ? Math.min(freeAt, latest) : latest });
  }
}

function restoreForce(state: NeuroState, { key: at, value }: Entry): void {
  if (!isRecord(value)) return;
  const game = typeof value["id"] === "string" ? state.games.get(value["id"]) : undefined;
  if (game === undefined || !isForce(value["force"])) return void state.staleKeys.push(at);
  if (game.retained.refusal(retainedBytes(value["force"]), state.settings.limits) !== undefined) {
    return void state.staleKeys.push(at);
  }
  keepInterruptedForce(game, value["force"]);
  forceRecordOf(game).storedKey = at;
}

function restoreContext(state: NeuroState, { key: at, value }: Entry, now: Millis): void {
  if (!isRecord(value)) return;
  const { id, upstream: upstreamId, from, name, message, silent, at: heardAt } = value;
  if (typeof id !== "string" || typeof message !== "string" || typeof from !== "string") return;
  if (typeof name !== "string") return;
  const [first] = state.upstreams.values();
  const upstream: Upstream | undefined = state.upstreams.get(String(upstreamId)) ?? first;
  const retained = new RetainedBytes(state.retained, "peer_bytes");
  const source: ContextSource = state.games.get(from) ??
    { key: from, name, isOffAir: false, isHeld: false, retained, traces: state.otherTraces };
  if (upstream === undefined) return;
  const context = { message, silent: silent === true };
  const record = newContextRecord(upstream, source, context, { id: () => id, now: pastOr(heardAt, now) });
  const coalesceKey = contextKey(source, message);
  const queued = newQueuedContext(record, source, context, { key: at, coalesceKey, notBefore: 0 });
  if (queueContext(upstream, queued, undefined) !== undefined) state.staleKeys.push(at);
}

/** A stored time, or the time of the restart if the stored one is not a positive number or is later. */
const pastOr = (value: Json | undefined, now: Millis): Millis =>
  typeof value === "number" && value > 0 && value < now ? value : now;

interface StoredAction extends Action {
  readonly before: string;
  readonly mainThread?: boolean;
}

const actionOf = ({ name, description, schema }: StoredAction): Action => ({
  name,
  description: shorten(description, DESCRIPTION_LENGTH_MAX),
  ...(schema && { schema: checkSchema(schema).schema ?? schema }),
});

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

const isRecord = (value: Json | undefined): value is JsonObject => isObject(value) && value["v"] === 1;

// Why the casts: these entries were written by the relay, and a type guard is the place where their shape is checked.
function isAction(value: Json): value is JsonObject & StoredAction {
  if (!isObject(value)) return false;
  const { name, before, description, schema, mainThread } = value;
  return typeof name === "string" && typeof before === "string" && typeof description === "string" &&
    (schema === undefined || isObject(schema)) && (mainThread === undefined || typeof mainThread === "boolean");
}

function isForce(value: Json | undefined): value is JsonObject & ForceMessage {
  if (!isObject(value)) return false;
  const { command, query, ephemeral, priority, names } = value;
  return command === "actions/force" && typeof query === "string" && typeof ephemeral === "boolean" &&
    typeof priority === "string" && Array.isArray(names) && names.every((name) => typeof name === "string");
}

function isConnectionInfo(value: Json | undefined): value is JsonObject & ConnectionInfo {
  if (!isObject(value)) return false;
  return ["address", "path", "userAgent", "via"].every((field) => typeof value[field] === "string");
}
