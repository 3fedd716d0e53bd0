/**
 * Commands beyond the Neuro API: our own `neuro-relay/*`, and the Go relay's `nrc-endpoints/*` for games that were written for it.
 *
 * Whoever asks is answered, and nobody else hears of it: there are clients that end at a command they do not know.
 */
import type { GameMessage } from "../../core/api.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import type { Turn } from "../../core/turn.ts";
import { toGame } from "../speech.ts";
import type { Game } from "../state.ts";

const NRC = "nrc-endpoints/";
const OWN = "neuro-relay/";
const NRC_VERSIONS: readonly string[] = ["1.0.0"];
const FEATURES: JsonObject = { "health-endpoint": true, "multiplexing": true, "custom-routing": true };

/** Answers a command that is not of the Neuro API, or says that it was dropped. */
export function extend(game: Game, { name, data }: GameMessage & { command: "other" }, turn: Turn): void {
  if (name === `${OWN}health`) return reply(game, { name: `${OWN}health`, data: health(game, undefined, turn) }, turn);
  if (!name.startsWith(NRC)) {
    return turn.note({
      is: "input_refused",
      from: game.name,
      fault: "badMessage",
      reason: `unknown command: ${name.slice(0, 64)}`,
    });
  }
  const endpoint = name.slice(NRC.length);
  if (endpoint === "startup") return greet(game, data?.["nr-version"], turn);
  if (endpoint === "health") {
    const include = data?.["include"];
    return reply(game, { name: `${NRC}health-response`, data: health(game, include, turn) }, turn);
  }
  reply(game, { name: `${NRC}error`, data: { error: `Unknown endpoint: ${endpoint.slice(0, 64)}` } }, turn);
}

function greet(game: Game, version: Json | undefined, turn: Turn): void {
  if (typeof version !== "string") {
    return reply(game, { name: `${NRC}error`, data: { error: "Missing required field: nr-version" } }, turn);
  }
  if (!NRC_VERSIONS.includes(version)) {
    const suggestion = "Use one of the available versions";
    const data = { requested: version.slice(0, 64), available: NRC_VERSIONS, suggestion };
    return reply(game, { name: `${NRC}version-mismatch`, data }, turn);
  }
  reply(game, { name: `${NRC}startup-ack`, data: { "nr-version": version, "features": FEATURES } }, turn);
}

/** What was asked for, or everything. */
function health(game: Game, include: Json | undefined, turn: Turn): JsonObject {
  const { room, upstream } = game;
  const games = [...room.games.values()].filter(({ peer }) => peer !== undefined);
  const everything: JsonObject = {
    "status": "healthy",
    "nr-version": NRC_VERSIONS[0],
    "game-nr-version": NRC_VERSIONS[0],
    "connected-games": games.slice(0, 200).map(({ slug, name }) => ({ id: slug, name })),
    "total-games": games.length,
    "neuro-backend-connected": upstream.isOpen,
    "uptime-seconds": Math.floor((turn.now - upstream.since) / 1_000),
    "features": FEATURES,
    "backend-locked": false,
  };
  if (!Array.isArray(include)) return everything;
  const wanted = new Set(include.flatMap((each: Json) => FIELDS.get(String(each)) ?? []));
  return Object.fromEntries(Object.entries(everything).filter(([field]) => field === "status" || wanted.has(field)));
}

/** What each name of `include` stands for. */
const FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["status", ["status"]],
  ["version", ["nr-version", "game-nr-version"]],
  ["connected-games", ["connected-games", "total-games"]],
  ["neuro-backend", ["neuro-backend-connected"]],
  ["uptime", ["uptime-seconds"]],
  ["features", ["features"]],
  ["lock-status", ["backend-locked"]],
]);

function reply(game: Game, { name, data }: { name: string; data: JsonObject }, turn: Turn): void {
  toGame(game, { command: "other", name, ...(isObject(data) && { data }) }, turn);
}
