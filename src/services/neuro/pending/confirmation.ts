/**
 * Whether an integration sends results of its successes, and which of its other messages show that an action is over.
 *
 * Some clients answer only failures. They force again, unregister the action or send a context about it instead, so the relay does not
 * have to wait for the deadline of an action. Once a client has sent a success, only its results count: it may be slow, and its other
 * messages may be about something else.
 */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import type { GameMessage } from "../../../core/neuro-messages.ts";
import { diagnose } from "../diagnostics/diagnose.ts";
import type { Game, PendingAction } from "../state.ts";
import type { Confirmation } from "./states.ts";

/** After this many consecutive missed deadlines, the relay assumes that a client confirms nothing. */
const MISSED_DEADLINES_MAX = 3;
/** An action is looked for in this many first characters of a context. */
const CONTEXT_TEXT_MAX = 4_096;
/** A message is compared with this many of a game's pending actions, the oldest ones. */
const ACTIONS_MAX = 64;

export const UNKNOWN: Confirmation = { is: "unknown", missed: 0 };
export const SILENT: Confirmation = { is: "silent" };
const CONFIRMS: Confirmation = { is: "confirms", missed: 0 };

/** True while a success of this game needs a result. */
export const mustConfirm = ({ policy, confirmation }: Game): boolean =>
  policy.results === "required" && confirmation.is !== "silent";

/** The game sent the result of a success. */
export function confirmed(game: Game): void {
  setConfirmation(game, CONFIRMS);
}

/** The game missed a deadline. True if no results are expected from it any more. */
export function missedDeadline(game: Game, ctx: StepContext): boolean {
  const { confirmation } = game;
  if (!mustConfirm(game) || confirmation.is === "silent") return false;
  const missed = confirmation.missed + 1;
  if (missed >= MISSED_DEADLINES_MAX) return presumeSilent(game, ctx);
  game.confirmation = { is: confirmation.is, missed };
  return false;
}

/** The game did an action and sent no result. True if that is new. */
export function presumeSilent(game: Game, ctx: StepContext): boolean {
  if (!mustConfirm(game)) return false;
  setConfirmation(game, SILENT);
  diagnose(game, "results_missing", {}, ctx);
  return true;
}

function setConfirmation(game: Game, confirmation: Confirmation): void {
  const before = game.confirmation;
  game.confirmation = confirmation;
  if (before.is === "silent" || confirmation.is === "silent") game.service.unsavedRecords.add(game.record);
}

/**
 * The pending actions of a game that this message shows to be over.
 *
 * A force answers the question of the force before it, and an action that is offered again is over. An action that can be used once is
 * unregistered when it is done. A context that names an action reports about it.
 */
export const overBy = (game: Game, message: GameMessage): readonly PendingAction[] =>
  game.pending.length === 0 || game.confirmation.is !== "unknown" ? NONE : shownOverBy(game, message);

function shownOverBy(game: Game, message: GameMessage): readonly PendingAction[] {
  switch (message.command) {
    case "actions/force": {
      const names = new Set(message.names);
      return pendingOf(game, ({ action, force }) => force?.game === game || names.has(action.originalName));
    }
    case "actions/unregister": {
      const names = new Set(message.names);
      return pendingOf(game, ({ action }) => names.has(action.originalName));
    }
    case "context": {
      const text = inWords(message.message.slice(0, CONTEXT_TEXT_MAX));
      return pendingOf(game, ({ action }) => text.includes(inWords(action.originalName)));
    }
    case "action/result":
    case "actions/register":
    case "startup":
    case "shutdown/ready":
    case "other":
      return NONE;
    default:
      return assertNever(message);
  }
}

const NONE: readonly PendingAction[] = [];

function pendingOf(game: Game, isOver: (pending: PendingAction) => boolean): readonly PendingAction[] {
  const over: PendingAction[] = [];
  let count = 0;
  for (const pending of game.pending) {
    if (++count > ACTIONS_MAX) break;
    if (isOver(pending)) over.push(pending);
  }
  return over;
}

/** Words in lower case between single spaces, so that `buy_book` is found in "Buy book: done". */
const inWords = (text: string): string => ` ${text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim()} `;
