/**
 * Messages of games, as commands of the Neuro API, from all listeners.
 *
 * Invariants: GM1 a `startup` ends the session before it, but an action that is registered again within `actions.restart_window` was
 * never unregistered at Neuro; GM2 an action that is not registered again, or that a full list lacks, is unregistered when the window ends.
 * Knows nothing of: frames, sockets.
 */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import type { ContextMessage, GameMessage } from "../../../core/neuro-messages.ts";
import { failed, type Failure } from "../../../core/result.ts";
import { shorten } from "../../../core/text.ts";
import { definitionOf, registerAction, sync, unregisterAction } from "../actions/actions.ts";
import { syncChanges } from "../actions/debounce.ts";
import { checkStartup } from "../diagnostics/connection-checks.ts";
import { reportRefusal } from "../diagnostics/diagnose.ts";
import {
  checkChanges,
  checkContext,
  checkForce,
  checkNames,
  checkUnregister,
  countForwarded,
  reportContext,
} from "../diagnostics/message-checks.ts";
import {
  cancelForces,
  onActionsSynced,
  onNameRedefined,
  onNameUnregistered,
  openNamesOf,
  requestForce,
} from "../forces/forces.ts";
import { deliverQueued, failOutdated, noteEvidence, receiveResult } from "../pending/pending.ts";
import { countsOf, type Game, isAdmitted } from "../state.ts";
import { sendSession, shutdownReady } from "../upstream/broadcast.ts";
import { sendContext, wouldReplace } from "../upstream/contexts.ts";
import { endContextRecord, newContextRecord } from "../traces/make-record.ts";
import { traceContext } from "../traces/trace.ts";
import { answerExtension } from "./extensions.ts";
import { freeActions, restartTimer } from "./registry.ts";

/** Handles one message of a game. */
export function handleGameMessage(game: Game, message: GameMessage, ctx: StepContext): void {
  switch (message.command) {
    case "action/result":
      return receiveResult(game, message, ctx);
    case "context":
      noteEvidence(game, message, ctx);
      return forwardContext(game, message, ctx);
    case "actions/register":
      return registerActions(game, message, ctx);
    case "actions/unregister":
      noteEvidence(game, message, ctx);
      return unregisterActions(game, message, ctx);
    case "actions/force":
      countsOf(game).forces++;
      checkForce(game, message, ctx);
      noteEvidence(game, message, ctx);
      return requestForce(game, message, ctx);
    case "startup":
      return restartGame(game, ctx);
    case "shutdown/ready":
      if (game.shutdown === "asked") game.shutdown = "ready";
      return shutdownReady(game, ctx);
    case "other":
      return answerExtension(game, message, ctx);
    default:
      return assertNever(message);
  }
}

function forwardContext(game: Game, context: ContextMessage, ctx: StepContext): void {
  countsOf(game).contexts++;
  checkContext(game, context, ctx);
  if (game.controls.muted || (game.admission === "rejected" && !isAdmitted(game))) {
    const id = traceUnsent(game, context, "muted", ctx);
    return ctx.observe({ is: "context_dropped", id, from: game.name, slug: game.slug });
  }
  const limited = limitContext(game, context, ctx);
  if (limited !== undefined) sendContext(game.upstream, game, limited, ctx);
}

/** Traces a context that never waited and is not sent. Returns its id. */
function traceUnsent(game: Game, context: ContextMessage, end: "muted" | "refused", ctx: StepContext): string {
  const record = newContextRecord(game.upstream, game, context, ctx);
  endContextRecord(game.upstream, record, end, ctx.now);
  traceContext(game.upstream, game, record, ctx);
  return record.id;
}

/** The context within the limits of the policy; undefined if it is one too many. */
function limitContext(game: Game, context: ContextMessage, ctx: StepContext): ContextMessage | undefined {
  const { policy: { contexts_per_minute, context_length = Infinity }, upstream } = game;
  const { message } = context;
  const text = message.length > context_length ? shorten(message, context_length) : message;
  const isCounted = contexts_per_minute !== undefined && !wouldReplace(upstream, game, text);
  if (isCounted && countForwarded(game, ctx.now) > contexts_per_minute) {
    reportContext(game, "contexts_dropped", context, ctx);
    traceUnsent(game, context, "refused", ctx);
    return undefined;
  }
  if (text === message) return context;
  reportContext(game, "context_shortened", context, ctx);
  return { ...context, message: text };
}

/** Unregisters the actions that were not registered again after a `startup`, or that are missing in a full list. */
export function endRestartWindow(game: Game, ctx: StepContext): void {
  const { upstream, service: state } = game;
  const names: string[] = [];
  for (const action of [...game.actions.values()]) {
    if (!action.isUnconfirmed) continue;
    names.push(action.name);
    onNameUnregistered(game, action.name, ctx);
    unregisterAction(action, ctx.now);
  }
  game.reregisterUntil = undefined;
  sync(upstream, ctx);
  failOutdated(game, new Set(names), ctx);
  onActionsSynced(upstream, ctx);
  if (names.length === 0) return;
  state.unsavedRecords.add(game.record);
  ctx.observe({ is: "actions_unregistered", integration: game.name, names });
}

/** Expects all actions except the listed ones to be registered again within `actions.restart_window`; until then the relay answers for them. */
export function expectReregistration(game: Game, listed: ReadonlySet<string>, ctx: StepContext): void {
  for (const action of game.actions.values()) if (!listed.has(action.name)) action.isUnconfirmed = true;
  game.reregisterUntil = ctx.now + game.service.settings.actions.restart_window;
  game.service.timers.set(restartTimer(game), game.reregisterUntil);
}

function registerActions(
  game: Game,
  message: GameMessage & { command: "actions/register" },
  ctx: StepContext,
): void {
  const { actions, mainThread } = message;
  let isChange = false;
  const names: string[] = [];
  const refused: string[] = [];
  const denied: string[] = [];
  let failure: Failure | undefined;
  const added = actions.reduce((count, { name }) => count + (game.actions.get(name) === undefined ? 1 : 0), 0);
  if (added > 0) freeActions(game.service, Math.min(added, game.service.settings.limits.actions_per_integration), ctx);
  for (const action of actions) {
    const registered = registerAction(game, definitionOf(action, mainThread), ctx.now);
    if (typeof registered === "object") {
      failure ??= registered;
      refused.push(action.name);
    }
    if (registered === "denied") denied.push(action.name);
    if (registered === "redefined") {
      isChange = true;
      onNameRedefined(game, action.name, ctx);
    }
    if (registered === "new" || registered === "redefined") names.push(action.name);
  }
  if (denied.length > 0) reportDenied(game, denied, message, ctx);
  if (failure !== undefined) reportTooMany(game, { failure, refused, message }, ctx);
  if (isChange) checkChanges(game, message, ctx);
  if (names.length > 0) {
    checkNames(game, names, message, ctx);
    game.service.unsavedRecords.add(game.record);
    ctx.observe({ is: "actions_registered", integration: game.name, names });
    syncChanges(game, ctx);
  }
  if (game.reregisterUntil !== undefined) deliverQueued(game, ctx);
  onActionsSynced(game.upstream, ctx);
}

/** Names in the report of actions that are refused. */
const REPORTED_NAMES_MAX = 8;

/** Reports the actions of one message that are beyond a limit. */
function reportTooMany(
  game: Game,
  { failure, refused, message }: {
    readonly failure: Failure;
    readonly refused: readonly string[];
    readonly message: GameMessage;
  },
  ctx: StepContext,
): void {
  const reason = `too many actions: ${listed(refused)}: ${failure.reason}`;
  reportRefusal(game, "limit_reached", { ...failure, reason, message }, ctx);
}

function listed(names: readonly string[]): string {
  const more = names.length > REPORTED_NAMES_MAX ? ` and ${names.length - REPORTED_NAMES_MAX} more` : "";
  return names.slice(0, REPORTED_NAMES_MAX).map((each) => each.slice(0, 64)).join(", ") + more;
}

function unregisterActions(
  game: Game,
  message: GameMessage & { command: "actions/unregister" },
  ctx: StepContext,
): void {
  const { names, mainThread } = message;
  const gone = removeActions(game, names, ctx);
  if (gone.length > 0) {
    syncChanges(game, ctx, mainThread);
    onActionsSynced(game.upstream, ctx);
    checkChanges(game, message, ctx);
  }
  if (gone.length < names.length || names.length === 0) {
    checkUnregister(game, message, names.filter((name) => !gone.includes(name)), ctx);
  }
}

/** Reports actions that the policy of a game denies. */
export function reportDenied(
  game: Game,
  names: readonly string[],
  message: GameMessage | undefined,
  ctx: StepContext,
): void {
  const reason = `the policy of this integration denies: ${listed(names)}`;
  reportRefusal(game, "action_denied", { ...failed("notAllowed", reason), message }, ctx);
}

/** Unregisters actions of a game at once, because of an operator. */
export function unregisterNames(game: Game, names: readonly string[], ctx: StepContext): void {
  if (removeActions(game, names, ctx).length === 0) return;
  sync(game.upstream, ctx);
  onActionsSynced(game.upstream, ctx);
}

/** Removes actions of a game, and returns the names of those that were registered. Neuro gets the change with the next `sync`. */
function removeActions(game: Game, names: readonly string[], ctx: StepContext): readonly string[] {
  const gone: string[] = [];
  for (const name of names) {
    const action = game.actions.get(name);
    if (action === undefined) continue;
    gone.push(name);
    onNameUnregistered(game, name, ctx);
    unregisterAction(action, ctx.now);
  }
  if (gone.length === 0) return gone;
  game.service.unsavedRecords.add(game.record);
  ctx.observe({ is: "actions_unregistered", integration: game.name, names: gone });
  return gone;
}

/** A `startup` cancels the forces of the session before it; its actions may be registered again. */
function restartGame(game: Game, ctx: StepContext): void {
  const { upstream } = game;
  checkStartup(game, ctx);
  const names = openNamesOf(game);
  for (const name of names) {
    const action = game.actions.get(name);
    if (action !== undefined) unregisterAction(action, ctx.now);
  }
  if (names.length > 0) sync(upstream, ctx);
  cancelForces(game, "cancelled", ctx);
  // Why not always: without them the session before has left nothing, and most games start only once.
  if (game.actions.size > 0 || game.pending.length > 0) {
    game.sessionId = ctx.id();
    expectReregistration(game, new Set(), ctx);
  }
  sendSession(game, ctx);
}
