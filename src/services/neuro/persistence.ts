/**
 * What outlives this process: each game's names and registry, its unanswered force, and contexts that Neuro has not heard.
 *
 * Registries are written behind, coalesced per game: nobody waits for them, and what is lost with the last second is said again
 * by the games. A force is written at once: no game asks twice. Actions and results are never stored.
 *
 * Invariants: R1 no key is written twice; R2 the older entry goes only once the newer one is stored; R3 an entry that cannot be
 * read costs what it held, and nothing else.
 */
import type { Action, ForceMessage } from "../../core/neuro-messages.ts";
import type { ConnectionInfo, Entry } from "../../core/event.ts";
import type { Key, Millis } from "../../core/ids.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { key, segment, segmentAt } from "../../core/key.ts";
import type { StepContext } from "../../core/context.ts";
import { createGame, retentionTimer } from "./games/registry.ts";
import { restoreHolds } from "./operator/controls.ts";
import type { Game, NeuroState, StoredRecord, Timer, Upstream } from "./state.ts";
import { definitionOf, restoreAction, restoreReservedName } from "./actions/actions.ts";
import { isUnanswered } from "./forces/forces.ts";
import { queueContext } from "./upstream/contexts.ts";

const WRITE_BEHIND_MS: Millis = 1_000;
const RETRY_MS: Millis = 5_000;
const SAVE: Timer = { is: "save_records" };

/** What an entry of this service holds: the second segment of its key. */
export type EntryKind = StoredRecord["kind"] | "context";

export const isEntryKind = (kind: string): kind is EntryKind =>
  kind === "game" || kind === "force" || kind === "controls" || kind === "context";

/** Sees to it that what is unsaved is written soon, and a force within the step that brought it. */
export function scheduleSave(state: NeuroState, ctx: StepContext): void {
  const { unsavedRecords, timers } = state;
  if (unsavedRecords.size === 0) return;
  if (state.mustSaveNow) saveRecords(state, ctx);
  state.mustSaveNow = false;
  if (unsavedRecords.size > 0 && timers.get(SAVE) === undefined) timers.set(SAVE, ctx.now + WRITE_BEHIND_MS);
}

/** Writes what is unsaved. */
export function saveRecords(state: NeuroState, ctx: StepContext): void {
  for (const record of state.unsavedRecords) {
    const value = recordValue(state, record);
    if (value === undefined) deleteRecord(record, ctx);
    else putRecord(state, { record, value }, ctx);
  }
  state.unsavedRecords.clear();
}

/** A write has been settled. One that was overtaken by a newer one, or is not wanted any more, counts for nothing. */
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
}

/** Makes the room's games, forces and contexts from what was stored. All games are away. */
export function restoreEntries(state: NeuroState, entries: readonly Entry[], now: Millis): void {
  const latest = new Map<string, Entry>();
  for (const entry of [...entries].sort((left, right) => (left.key < right.key ? -1 : 1))) {
    const kind = segmentAt(entry.key, 1);
    if (kind !== "game" && kind !== "force" && kind !== "controls") continue;
    const id = `${kind}/${segmentAt(entry.key, 2)}`;
    const older = latest.get(id);
    if (!isRecord(entry.value)) continue;
    if (older !== undefined) state.staleKeys.push(older.key);
    latest.set(id, entry);
  }
  for (const [id, entry] of latest) if (id.startsWith("controls/")) restoreControls(state, entry);
  for (const [id, entry] of latest) if (id.startsWith("game/")) restoreGame(state, entry, now);
  for (const [id, entry] of latest) if (id.startsWith("force/")) restoreForce(state, entry);
  restoreHolds(state);
  for (const entry of entries) if (segmentAt(entry.key, 1) === "context") restoreContext(state, entry);
}

function recordValue(state: NeuroState, { kind, key }: StoredRecord): Json | undefined {
  if (kind === "controls") return Object.values(state.controls).includes(true) ? { v: 1, ...state.controls } : undefined;
  const game = state.games.get(key);
  if (game === undefined) return undefined;
  return kind === "game" ? registryValue(game) : forceValue(game);
}

/** Why an id and not a counter: after a panic a write of before may still be on its way, and would meet one of the same number. */
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
  const { key: id, listener, name, slug, peer, leftAt, connection, neverConfirms, upstream, controls } = game;
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
  const released = [...game.reservedNames.values()].map((
    offered,
  ) => [offered.originalName, offered.name, offered.reservedUntil]);
  const from = connection === undefined ? {} : { connection: { ...connection } };
  const left = peer === undefined ? leftAt : 0;
  const decided = Object.values(controls).includes(true) ? { controls: { ...controls } } : {};
  return {
    v: 1,
    id,
    listener,
    name,
    slug,
    upstream: upstream.id,
    leftAt: left,
    confirmsNothing: neverConfirms,
    actions,
    released,
    ...from,
    ...decided,
  };
}

/** The force that a game still waits for. One that it was given an action for is not asked again after a restart. */
function forceValue(game: Game): Json | undefined {
  const { waiting, current } = game.upstream.forces;
  const own = [waiting.get(game), current?.game === game ? current : undefined];
  const message = own.find((force) => force !== undefined && isUnanswered(force))?.message ?? game.interruptedForce;
  return message === undefined ? undefined : { v: 1, id: game.key, force: { ...message } };
}

function restoreControls(state: NeuroState, { key: at, value }: Entry): void {
  if (!isRecord(value)) return;
  state.controls.stopped = value["stopped"] === true;
  state.controls.approval = value["approval"] === true;
  state.controlsRecord.storedKey = at;
}

function restoreGame(state: NeuroState, { key: at, value }: Entry, now: Millis): void {
  if (!isRecord(value)) return;
  const { id, listener, name, slug, leftAt, actions, released, connection, confirmsNothing, controls } = value;
  if (typeof id !== "string" || typeof name !== "string" || (listener !== "neuro" && listener !== "intermediary")) return;
  const game = createGame(state, { listener, name, key: id, ...(typeof slug === "string" && { slug }) });
  game.record.storedKey = at;
  game.neverConfirms = confirmsNothing === true;
  game.leftAt = typeof leftAt === "number" && leftAt > 0 ? leftAt : now;
  if (isCaller(connection)) game.connection = connection;
  if (isObject(controls)) {
    const { paused, muted, solo, approval } = controls;
    Object.assign(game.controls, {
      paused: paused === true,
      muted: muted === true,
      solo: solo === true,
      approval: approval === true,
    });
  }
  state.timers.set(retentionTimer(game), game.leftAt + state.settings.actions.parked);
  for (const action of listOf(actions)) {
    if (isAction(action)) restoreAction(game, definitionOf(actionOf(action), action.mainThread), action.before);
  }
  for (const each of listOf(released)) {
    const [original, before, freeAt] = listOf(each);
    if (typeof original !== "string" || typeof before !== "string" || typeof freeAt !== "number") continue;
    restoreReservedName(game, { original, before, freeAt });
  }
}

function restoreForce(state: NeuroState, { key: at, value }: Entry): void {
  if (!isRecord(value)) return;
  const game = typeof value["id"] === "string" ? state.games.get(value["id"]) : undefined;
  if (game === undefined || !isForce(value["force"])) return void state.staleKeys.push(at);
  game.interruptedForce = value["force"];
  game.forceRecord.storedKey = at;
}

function restoreContext(state: NeuroState, { key: at, value }: Entry): void {
  if (!isRecord(value)) return;
  const { id, upstream: upstreamId, from, name, message, silent, at: heardAt } = value;
  if (typeof id !== "string" || typeof message !== "string" || typeof from !== "string") return;
  if (typeof name !== "string" || typeof heardAt !== "number") return;
  const [first] = state.upstreams.values();
  const upstream: Upstream | undefined = state.upstreams.get(String(upstreamId)) ?? first;
  const source = state.games.get(from) ?? { key: from, name, isOffAir: false, isHeld: false };
  if (upstream === undefined) return;
  queueContext(upstream, { id, source: source, message, silent: silent === true, at: heardAt, key: at }, undefined);
}

interface StoredAction extends Action {
  readonly before: string;
  readonly mainThread?: boolean;
}

const actionOf = ({ name, description, schema }: StoredAction): Action => ({
  name,
  description,
  ...(schema && { schema }),
});

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : []);

const isRecord = (value: Json | undefined): value is JsonObject => isObject(value) && value["v"] === 1;

// Why the casts in what follows: these are our own entries, and a guard is where their shape is checked.
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

function isCaller(value: Json | undefined): value is JsonObject & ConnectionInfo {
  if (!isObject(value)) return false;
  return ["address", "path", "userAgent", "via"].every((field) => typeof value[field] === "string");
}
