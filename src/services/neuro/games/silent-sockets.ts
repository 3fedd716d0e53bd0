/**
 * Sockets whose client has sent no message, and the games that each of them may be. Every call costs the same however many sockets are
 * silent and however many games are away.
 *
 * Knows nothing of: timers, messages.
 */
import type { ConnectionInfo } from "../../../core/event.ts";
import type { Millis } from "../../../core/ids.ts";

/** Only a game that disconnected this shortly before the socket opened is a candidate. */
const AWAY_MAX_MS: Millis = 60_000;
/** A socket that may belong to more games than this is not identified by elimination. */
const CANDIDATES_MAX = 32;

/** A game, as far as it matters here. */
interface Departing {
  readonly listener: string;
  readonly connection: ConnectionInfo | undefined;
  readonly presence: { readonly since: Millis };
}

/** A socket, as far as it matters here. */
interface Silent {
  readonly connection: ConnectionInfo;
  readonly openedAt: Millis;
}

export class SilentSockets<Game extends Departing, Socket extends Silent> {
  /** The games that disconnected from each place, the first one first. */
  readonly #departed = new Map<string, Set<Game>>();
  readonly #places = new Map<Game, string>();
  /** Sockets that may be one of several games, and the other way round. */
  readonly #candidates = new Map<Socket, Set<Game>>();
  readonly #suspects = new Map<Game, Set<Socket>>();
  /** Sockets that may have become identified. */
  readonly #changed = new Set<Socket>();

  /** A game is away. */
  disconnected(game: Game): void {
    const { listener, connection } = game;
    if (listener !== "neuro" || connection === undefined) return;
    const place = placeOf(connection);
    const departed = this.#departed.get(place) ?? new Set();
    this.#departed.set(place, departed.add(game));
    this.#places.set(game, place);
  }

  /** A game is connected, or does not exist any more: it is no candidate. */
  connected(game: Game): void {
    this.#leavePlace(game);
    for (const socket of this.#suspects.get(game) ?? []) {
      this.#candidates.get(socket)?.delete(game);
      this.#changed.add(socket);
    }
    this.#suspects.delete(game);
  }

  /** The games that a socket may be, at most one more than can be ruled out. */
  candidatesFor({ connection, openedAt }: Socket): readonly Game[] {
    const found: Game[] = [];
    const departed = this.#departed.get(placeOf(connection));
    for (const game of departed ?? []) {
      if (openedAt - game.presence.since >= AWAY_MAX_MS) this.#leavePlace(game); // Why: it is no candidate for later sockets, either.
      else if (found.push(game) > CANDIDATES_MAX) break;
    }
    return found;
  }

  /** Waits until all candidates but one are ruled out. False if there are too many of them. */
  await(socket: Socket, candidates: readonly Game[]): boolean {
    if (candidates.length > CANDIDATES_MAX) return false;
    this.#candidates.set(socket, new Set(candidates));
    for (const game of candidates) this.#suspects.set(game, (this.#suspects.get(game) ?? new Set()).add(socket));
    return true;
  }

  /** The socket has spoken, is identified or has closed. */
  forget(socket: Socket): void {
    for (const game of this.#candidates.get(socket) ?? []) {
      const suspects = this.#suspects.get(game);
      suspects?.delete(socket);
      const [only] = suspects ?? [];
      if (suspects?.size === 0) this.#suspects.delete(game);
      if (suspects?.size === 1 && only !== undefined) this.#changed.add(only);
    }
    this.#candidates.delete(socket);
    this.#changed.delete(socket);
  }

  /** A socket that can belong to only one game, which no other silent socket can be. */
  identified(): { readonly socket: Socket; readonly game: Game } | undefined {
    for (const socket of this.#changed) {
      this.#changed.delete(socket);
      const candidates = this.#candidates.get(socket);
      const [game] = candidates ?? [];
      if (game === undefined || candidates?.size !== 1) continue;
      if (this.#suspects.get(game)?.size === 1) return { socket, game };
    }
    return undefined;
  }

  #leavePlace(game: Game): void {
    const place = this.#places.get(game);
    if (place === undefined) return;
    this.#places.delete(game);
    const departed = this.#departed.get(place);
    departed?.delete(game);
    if (departed?.size === 0) this.#departed.delete(place);
  }
}

const placeOf = ({ address, path, userAgent }: ConnectionInfo): string => [address, path, userAgent].join("\n");
