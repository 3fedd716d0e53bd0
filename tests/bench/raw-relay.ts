/**
 * The minimal relay on a raw socket to the backend, as the second baseline: the least that a relay in JavaScript costs without any duties.
 * Started as `bun raw-relay.ts GAME_PORT UPSTREAM_URL`.
 */
import { JsonRelay, type MinimalGame } from "./json-relay.ts";
import { NEURO, type RawRelay, runRawRelay } from "./raw-sockets.ts";

const relay = new JsonRelay((text) => NEURO.send(text));
const raw: RawRelay<MinimalGame> = {
  start: () => relay.start(),
  fromNeuro: (text) => relay.fromNeuro(text),
  openGame: (outlet) => relay.openGame((text) => outlet.send(text)),
  fromGame: (game, text) => relay.fromGame(game, text),
};
await runRawRelay(raw);
