/** Diagnostics of the messages of games: what they register, force and tell, and how often. */
import type { ForceMessage, GameMessage } from "../../../core/neuro-messages.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Millis } from "../../../core/ids.ts";
import type { Force, Game, PeriodCount } from "../state.ts";
import { countAgain, diagnose } from "./diagnose.ts";

const MINUTE_MS: Millis = 60_000;
/** Changes of actions are counted in parts of a minute, because ten in a second are as bad as thirty in a minute. */
const CHANGES_MS: Millis = 10_000;
/** Characters of names in a detail. */
const NAMES_TEXT_MAX = 200;

type Context = GameMessage & { readonly command: "context" };
type Unregister = GameMessage & { readonly command: "actions/unregister" };

/** Counts an event, and returns the number of those within the period. */
function countWithin(period: PeriodCount, ms: Millis, now: Millis): number {
  if (now - period.startedAt >= ms) {
    period.startedAt = now;
    period.count = 0;
  }
  return ++period.count;
}

/** Why created late: many games send no context, and change no action. */
const newPeriod = (): PeriodCount => ({ startedAt: 0, count: 0 });

export function checkContext(game: Game, context: Context, ctx: StepContext): void {
  const { context_length, contexts_per_minute } = game.service.settings.diagnostics;
  const { length } = context.message;
  if (length === 0) diagnose(game, "context_empty", { message: context }, ctx);
  if (length > context_length) diagnose(game, "context_too_long", { detail: `${length}`, message: context }, ctx);
  const count = countWithin(game.recentContexts ??= newPeriod(), MINUTE_MS, ctx.now);
  if (count <= contexts_per_minute || countAgain(game, "contexts_too_many", ctx.now)) return;
  diagnose(game, "contexts_too_many", { detail: `${count}`, message: context }, ctx);
}

/** Counts a context that is passed on, and returns the number of those within the minute. */
export const countForwarded = (game: Game, now: Millis): number =>
  countWithin(game.forwardedContexts ??= newPeriod(), MINUTE_MS, now);

/** The policy of the game has dropped or shortened a context. */
export function reportContext(
  game: Game,
  id: "contexts_dropped" | "context_shortened",
  context: Context,
  ctx: StepContext,
): void {
  if (countAgain(game, id, ctx.now)) return;
  diagnose(game, id, { detail: id === "context_shortened" ? `${context.message.length}` : "", message: context }, ctx);
}

const LEGAL_NAME = /^[a-z0-9_-]{1,64}$/;

/** `names`: of the actions that the message has registered or redefined. */
export function checkNames(game: Game, names: readonly string[], message: GameMessage, ctx: StepContext): void {
  const illegal = names.filter((name) => !LEGAL_NAME.test(name));
  if (illegal.length > 0) diagnose(game, "action_name_illegal", { detail: listed(illegal), message }, ctx);
}

/** A message has unregistered actions, or has changed their definition. */
export function checkChanges(game: Game, message: GameMessage, ctx: StepContext): void {
  const count = countWithin(game.recentChanges ??= newPeriod(), CHANGES_MS, ctx.now);
  const countMax = game.service.settings.diagnostics.action_changes_per_minute * CHANGES_MS / MINUTE_MS;
  if (count <= countMax) return;
  diagnose(game, "actions_changed_often", { detail: `${count} changes within ${CHANGES_MS / 1_000} s`, message }, ctx);
}

/** `unknown`: the names of the message that are not registered. */
export function checkUnregister(game: Game, message: Unregister, unknown: readonly string[], ctx: StepContext): void {
  if (message.names.length === 0) return diagnose(game, "unregister_empty", { message }, ctx);
  const again = unknown.filter((name) => game.reservedNames?.has(name) === true);
  const never = unknown.filter((name) => game.reservedNames?.has(name) !== true);
  if (again.length > 0) diagnose(game, "unregister_repeated", { detail: listed(again), message }, ctx);
  if (never.length > 0) diagnose(game, "unregister_unknown", { detail: listed(never), message }, ctx);
}

/** A game sends a force. Call this before the force takes the place of an earlier one. */
export function checkForce(game: Game, message: ForceMessage, ctx: StepContext): void {
  if (message.names.length === 0) diagnose(game, "force_without_names", { message }, ctx);
  const { upstream: { forces: { current, waiting }, isOpen }, isHeld } = game;
  const earlier = waiting.get(game) ?? (current?.game === game ? current : undefined);
  // Why not then: the game cannot know that its force waits for a person, or for Neuro's connection.
  if (earlier === undefined || !isOpen || isHeld || !isUnsettled(earlier)) return;
  diagnose(game, "force_repeated", { message }, ctx);
}

const UNSETTLED: ReadonlySet<string> = new Set(["waiting", "claimed", "open", "overdue", "answering", "retrying"]);

/** The game has got no success for it, and has not unregistered its names. */
const isUnsettled = ({ state }: Force): boolean => UNSETTLED.has(state.is);

const listed = (names: readonly string[]): string => names.join(", ").slice(0, NAMES_TEXT_MAX);
