/**
 * Commands beyond the Neuro API: the relay's own `neuro-relay/*`, and the Go relay's `nrc-endpoints/*` for games that were written
 * for it.
 *
 * Only the game that sent a command gets the answer, because some clients crash on a command that they do not know.
 */
import type { GameMessage } from "../../../core/neuro-messages.ts";
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { failed } from "../../../core/result.ts";
import type { StepContext } from "../../../core/context.ts";
import { reportRefusal } from "../diagnostics/diagnose.ts";
import { toGame } from "../outbound.ts";
import { TRACE_COMMAND } from "../traces/opt-in.ts";
import { type Game, isConnected } from "../state.ts";

const NRC_PREFIX = "nrc-endpoints/";
const RELAY_PREFIX = "neuro-relay/";
const NRC_VERSIONS: readonly string[] = ["1.0.0"];
/** Games that a health report names. */
const LISTED_GAMES_MAX = 200;
const FEATURES: JsonObject = { "health-endpoint": true, "multiplexing": true, "custom-routing": true };

/** Answers a command that is not part of the Neuro API; an unknown one is refused. */
export function answerExtension(game: Game, { name, data }: GameMessage & { command: "other" }, ctx: StepContext): void {
  if (name === `${RELAY_PREFIX}health`) {
    return reply(game, { name: `${RELAY_PREFIX}health`, data: healthReport(game, undefined, ctx) }, ctx);
  }
  if (name === TRACE_COMMAND) return answerTraceRequest(game, data, ctx);
  if (!name.startsWith(NRC_PREFIX)) {
    const message = { command: "other", name, ...(data !== undefined && { data }) } as const;
    const reason = `unknown command: ${name.slice(0, 64)}`;
    return reportRefusal(game, "command_unknown", { ...failed("badMessage", reason), message }, ctx);
  }
  const endpoint = name.slice(NRC_PREFIX.length);
  if (endpoint === "startup") return answerNrcStartup(game, data?.["nr-version"], ctx);
  if (endpoint === "health") {
    const include = data?.["include"];
    return reply(game, { name: `${NRC_PREFIX}health-response`, data: healthReport(game, include, ctx) }, ctx);
  }
  reply(game, { name: `${NRC_PREFIX}error`, data: { error: `Unknown endpoint: ${endpoint.slice(0, 64)}` } }, ctx);
}

/** The game asks for the traces of its own messages, or for no more of them. */
function answerTraceRequest(game: Game, data: JsonObject | undefined, ctx: StepContext): void {
  const enabled = data?.["enabled"] ?? true;
  if (typeof enabled !== "boolean") {
    const message = { command: "other", name: TRACE_COMMAND, ...(data !== undefined && { data }) } as const;
    const reason = "`enabled` must be true or false";
    return reportRefusal(game, "message_invalid", { ...failed("badMessage", reason), message }, ctx);
  }
  game.wantsTraces = enabled && game.traces.isOn;
  reply(game, { name: TRACE_COMMAND, data: { enabled: game.wantsTraces } }, ctx);
}

function answerNrcStartup(game: Game, version: Json | undefined, ctx: StepContext): void {
  if (typeof version !== "string") {
    return reply(game, { name: `${NRC_PREFIX}error`, data: { error: "Missing required field: nr-version" } }, ctx);
  }
  if (!NRC_VERSIONS.includes(version)) {
    const suggestion = "Use one of the available versions";
    const data = { requested: version.slice(0, 64), available: NRC_VERSIONS, suggestion };
    return reply(game, { name: `${NRC_PREFIX}version-mismatch`, data }, ctx);
  }
  reply(game, { name: `${NRC_PREFIX}startup-ack`, data: { "nr-version": version, "features": FEATURES } }, ctx);
}

/** The fields that `include` names, or all of them. */
function healthReport(game: Game, include: Json | undefined, ctx: StepContext): JsonObject {
  const { service: state, upstream } = game;
  const games = [...state.games.values()].filter(isConnected);
  const everything: JsonObject = {
    "status": "healthy",
    "nr-version": NRC_VERSIONS[0],
    "game-nr-version": NRC_VERSIONS[0],
    "connected-games": games.slice(0, LISTED_GAMES_MAX).map(({ slug, name }) => ({ id: slug, name })),
    "total-games": games.length,
    "neuro-backend-connected": upstream.isOpen,
    "uptime-seconds": Math.floor((ctx.now - upstream.since) / 1_000),
    "features": FEATURES,
    "backend-locked": false,
  };
  if (!Array.isArray(include)) return everything;
  const wanted = new Set(include.flatMap((each: Json) => (typeof each === "string" && INCLUDED_FIELDS.get(each)) || []));
  return Object.fromEntries(Object.entries(everything).filter(([field]) => field === "status" || wanted.has(field)));
}

/** The fields that each name of `include` stands for. */
const INCLUDED_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["status", ["status"]],
  ["version", ["nr-version", "game-nr-version"]],
  ["connected-games", ["connected-games", "total-games"]],
  ["neuro-backend", ["neuro-backend-connected"]],
  ["uptime", ["uptime-seconds"]],
  ["features", ["features"]],
  ["lock-status", ["backend-locked"]],
]);

function reply(game: Game, { name, data }: { name: string; data: JsonObject }, ctx: StepContext): void {
  toGame(game, { command: "other", name, ...(isObject(data) && { data }) }, ctx);
}
