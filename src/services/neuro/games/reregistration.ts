/**
 * Asks a client to register all its actions again, and reads the list that answers.
 *
 * Invariant: RR1 only a list that answers the request, and that comes within `REREGISTRATION_MS`, can make the relay expect that other
 * actions are unregistered; every later list only adds actions.
 */
import type { StepContext } from "../../../core/context.ts";
import type { Millis } from "../../../core/ids.ts";
import type { GameMessage } from "../../../core/neuro-messages.ts";
import { definitionOf, isDefinedAs } from "../actions/actions.ts";
import { encodeGame } from "../codec/encode-game.ts";
import type { GameConnection, GameSocket } from "../state.ts";
import { expectReregistration } from "./game-messages.ts";
import { diagnose } from "../diagnostics/diagnose.ts";

/** After this time a list does not count as the answer to the request. */
const REREGISTRATION_MS: Millis = 2_000;
/** Characters of names in a hint. */
const NAMES_TEXT_MAX = 200;

/** Asks the games of a socket to register everything. */
export function requestReregistration(socket: GameSocket, ctx: StepContext): void {
  socket.reregisterAskedAt = ctx.now;
  for (const connection of socket.connections.values()) connection.hasReregistered = false;
  const frame = encodeGame({ command: "actions/reregister_all" });
  if (frame === undefined) return;
  ctx.count("game", "out", "actions/reregister_all");
  ctx.emit({ do: "send", to: socket.peer, frame });
}

/**
 * The first list with actions after a request is the whole registry, so actions that it lacks are unregistered. Messages that a client queued while it
 * was disconnected can look like such a list, so the missing actions have `actions.restart_window` to be registered.
 */
export function trackRegistration(
  connection: GameConnection,
  message: GameMessage & { command: "actions/register" },
  ctx: StepContext,
): void {
  const { actions } = message;
  if (actions.length === 0) return; // Why: the Lua SDK answers with an empty list, whatever is registered.
  const { socket: { reregisterAskedAt }, game, registeredNames } = connection;
  // Why only without a request: a client that was asked to register everything again must register its actions twice.
  if (reregisterAskedAt === undefined) checkRegisteredTwice(connection, message, ctx);
  const isAnswer = reregisterAskedAt !== undefined && !connection.hasReregistered &&
    ctx.now - reregisterAskedAt <= REREGISTRATION_MS;
  const names = new Set(actions.map(({ name }) => name));
  if (isAnswer && [...registeredNames.keys()].every((name) => names.has(name))) {
    if ([...game.actions.keys()].some((name) => !names.has(name))) expectReregistration(game, names, ctx);
  }
  connection.hasReregistered = true;
  for (const name of names) registeredNames.set(name, true);
}

/** Forgets the names that were refused or unregistered, so that the list is never longer than the registry of its game. */
export function forgetUnregistered({ game, registeredNames }: GameConnection): void {
  for (const name of [...registeredNames.keys()]) if (!game.actions.has(name)) registeredNames.delete(name);
}

/** Actions that this connection registered before, and that are still registered, with the same or another definition. */
function checkRegisteredTwice(
  { game, registeredNames }: GameConnection,
  message: GameMessage & { command: "actions/register" },
  ctx: StepContext,
): void {
  const equal: string[] = [];
  const changed: string[] = [];
  for (const action of message.actions) {
    const before = registeredNames.has(action.name) ? game.actions.get(action.name) : undefined;
    if (before === undefined || before.isUnconfirmed) continue;
    const isEqual = isDefinedAs(before.upstreamAction, definitionOf(action, message.mainThread));
    (isEqual ? equal : changed).push(action.name);
  }
  const report = (id: "registered_again" | "registered_twice", names: readonly string[]): void => {
    if (names.length > 0) diagnose(game, id, { detail: names.join(", ").slice(0, NAMES_TEXT_MAX), message }, ctx);
  };
  report("registered_again", equal);
  report("registered_twice", changed);
}
