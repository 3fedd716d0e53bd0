/** What a person meets: relays with games, integrations and a Neuro in the states that the page shows differently. */
import { JsonClient } from "../harness/json-client.ts";
import { type DashboardFixture, Game, type Upstream } from "./fixture.ts";

const TOKEN = "super-secret-token";

export const LONG_NAME = "The Very Long Journey Home: Director's Extended Anniversary Edition 2026";

const NAMES = [
  "Chess",
  "Poker Night",
  LONG_NAME,
  "Minecraft",
  "Slay the Spire",
  "Among Us",
  "Buckshot Roulette",
  "Keep Talking and Nobody Explodes",
  "Inscryption",
  "Liar's Bar",
  "osu!",
  "Pokémon Showdown",
  "東方紅魔郷",
  "لعبة الشطرنج",
] as const;

const TEXT = { type: "string", minLength: 1 };

const MOVE = {
  name: "move",
  description: "Move a piece.",
  schema: {
    type: "object",
    properties: { from: TEXT, to: TEXT, promotion: { enum: ["queen", "rook"] } },
    required: ["to"],
  },
};

const SAY = {
  name: "say_to_everybody_in_the_lobby",
  description: "Sends a message to the chat of the lobby.",
  schema: { type: "object", properties: { message: TEXT, loud: { type: "boolean" } }, required: ["message"] },
};

/** The games by name. Why awaited one after another: they connect in this order. */
async function joinGames(fixture: DashboardFixture, names: readonly string[]): Promise<ReadonlyMap<string, Game>> {
  const games = new Map<string, Game>();
  for (const [at, name] of names.entries()) {
    const own = at === 0 ? [MOVE, { name: "resign" }] : at === 1 ? [SAY, { name: "raise" }, { name: "fold" }] : [];
    games.set(name, await Game.join(fixture, name, [...own, { name: `use_${at}` }, { name: `look_${at}` }]));
  }
  return games;
}

async function joinIntegrations(fixture: DashboardFixture): Promise<void> {
  for (const name of ["jukebox", "stream-overlay", "tts"]) {
    const one = await JsonClient.open(fixture.relay.urls.intermediary);
    one.send({ type: "integration", name, auth_token: TOKEN, ack: true });
    one.send({ event: "register_actions", actions: [{ name: `${name}_play`, description: "Plays something." }] });
  }
}

/** Commands for an integration that is offline, of which some expire, and macros. Needs `queue.ttl.command` of a second. */
export async function operate(fixture: DashboardFixture): Promise<void> {
  const lamp = await JsonClient.open(fixture.relay.urls.intermediary);
  lamp.send({ type: "integration", name: "lamp", auth_token: TOKEN, ack: true });
  await lamp.next(({ event }) => event === "registered");
  lamp.close();
  await lamp.closed;
  const send = (action: string) =>
    change(fixture, "POST", "messages", { to: "lamp", cmd: { action, colour: "warm white" } });
  for (const action of ["on", "brighter", "off"]) await send(action);
  for (const [label, to] of [["Open with e4", "e4"], ["Queen's pawn", "d4"]] as const) {
    await change(fixture, "POST", "macros", { label, integration: "chess", action: "move", data: { to } });
  }
  await send("on");
}

export type Games = ReadonlyMap<string, Game>;

export function gameOf(games: Games, name: string): Game {
  const game = games.get(name);
  if (game === undefined) throw new Error(`no game ${name}`);
  return game;
}

/** A stream at work: an open question, another that waits, a running action, contexts, successes and failures. */
export async function lively(fixture: DashboardFixture, neuro: Upstream, more = 0): Promise<Games> {
  const games = await joinGames(fixture, [...NAMES, ...Array.from({ length: more }, (_, at) => `Mini Game ${at + 1}`)]);
  await joinIntegrations(fixture);
  const [chess, poker] = [gameOf(games, "Chess"), gameOf(games, "Poker Night")];
  for (const [name, game] of games) game.send("context", { message: `${name}: a new round has started.`, silent: true });
  await succeed(neuro, chess, "look_0", "The board is in front of you.");
  for (const _ of [1, 2, 3]) {
    await fail(neuro, gameOf(games, "Minecraft"), "use_3", "There is no diamond in your inventory.");
  }
  await neuro.act("use_2");
  poker.force(
    "Vedal raises to 400 and looks at you. You hold two aces, and the flop is ace, king, seven. What do you do?",
    [
      SAY.name,
      "raise",
      "fold",
    ],
    { state: "pot: 1200\nyour chips: 3400", priority: "high" },
  );
  chess.force("It is your turn. Which piece do you move?", ["move", "resign"], { state: "1. e4 e5 2. Nf3 Nc6" });
  return games;
}

async function succeed(neuro: Upstream, game: Game, name: string, message: string): Promise<void> {
  await neuro.act(name);
  game.result((await game.action()).id, true, message);
}

async function fail(neuro: Upstream, game: Game, name: string, message: string): Promise<void> {
  await neuro.act(name);
  game.result((await game.action()).id, false, message);
}

/** Two actions wait for an approval. */
export async function approval(fixture: DashboardFixture, neuro: Upstream): Promise<void> {
  await change(fixture, "PATCH", "controls", { approval: true });
  await neuro.act("move", { from: "e2", to: "e4" });
  await neuro.act(SAY.name, { message: "I am not bluffing, Vedal. I have never bluffed in my whole life.", loud: true });
}

/** Many games. */
export async function crowd(fixture: DashboardFixture, count: number): Promise<void> {
  const at = Array.from({ length: count }, (_, place) => place);
  await Promise.all(at.map(async (place) => {
    const game = await Game.join(fixture, `Game ${String(place).padStart(3, "0")}`, [{ name: `move_${place}` }]);
    game.send("context", { message: `Round ${place}.`, silent: true });
  }));
}

/** A change by the API. */
export async function change(fixture: DashboardFixture, method: string, path: string, body: object): Promise<void> {
  const response = await fetch(`${fixture.origin}/api/${path}`, {
    method,
    headers: { authorization: `Bearer ${fixture.token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}
