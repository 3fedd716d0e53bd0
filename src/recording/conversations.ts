/** What was said at each connection of a session, and which of them are a game and its backend. */
import { fromBase64 } from "../core/base64.ts";
import type { Millis } from "../core/ids.ts";
import { type Frame, printable } from "../core/json.ts";
import { readMessage } from "./messages.ts";
import type { Happening, Session } from "./tape.ts";

/** Which end of the Neuro API said something. */
export type Side = "game" | "backend";

/** One frame of a conversation. */
export interface Said {
  readonly t: Millis;
  readonly by: Side;
  readonly frame: Frame;
}

/** One connection of the session. */
export interface Conversation {
  readonly peer: number;
  /** Its door, or who was dialled: `neuro`, `neuro:evil`. */
  readonly at: string;
  /** What the game calls itself; undefined where no game speaks. */
  readonly game: string | undefined;
  readonly path: string | undefined;
  readonly url: string | undefined;
  readonly from: Millis;
  readonly to: Millis;
  readonly closed: number | undefined;
  /** In the words of the Neuro API; undefined for other protocols, which can be looked at and not be played. */
  readonly said: readonly Said[] | undefined;
  readonly frames: number;
}

/** The connections of a session in the order in which they came. */
export function conversationsIn({ happenings }: Session): readonly Conversation[] {
  const byPeer = new Map<number, Happening[]>();
  for (const happening of happenings) {
    const known = byPeer.get(happening.peer);
    if (known === undefined) byPeer.set(happening.peer, [happening]);
    else known.push(happening);
  }
  return [...byPeer].map(([peer, of]) => conversationOf(peer, of));
}

function conversationOf(peer: number, happenings: readonly Happening[]): Conversation {
  const [first] = happenings;
  const at = first?.listener ?? first?.link ?? "";
  const frames = happenings.filter(({ is }) => is === "in" || is === "out");
  const said = isNeuroApi(at) ? frames.flatMap((happening) => saidIn(happening)) : undefined;
  return {
    peer,
    at,
    game: said === undefined ? undefined : gameIn(said),
    path: first?.path,
    url: first?.url,
    from: first?.t ?? 0,
    to: happenings.at(-1)?.t ?? 0,
    closed: happenings.find(({ is }) => is === "closed")?.code,
    said,
    frames: frames.length,
  };
}

const isNeuroApi = (at: string): boolean => /^(?:neuro|proxy)(?::|$)/.test(at);

/** A game comes in by a door, a backend is dialled; either way the relay is the other end. */
function saidIn({ t, is, link, text, base64, bytes }: Happening): readonly Said[] {
  const by = (is === "in") === (link === undefined) ? "game" : "backend";
  if (text !== undefined) return [{ t, by, frame: text }];
  const frame = fromBase64(base64 ?? "");
  return frame === undefined || frame.length < (bytes ?? 0) ? [] : [{ t, by, frame }];
}

function gameIn(said: readonly Said[]): string | undefined {
  for (const { by, frame } of said) {
    const game = by === "game" ? readMessage(frame).game : undefined;
    if (game !== undefined) return game;
  }
  return undefined;
}

/** Which of the connections is meant. */
export interface Choice {
  readonly peer?: number;
  readonly game?: string;
  readonly upstream?: string;
}

/** The one that is meant, or why nobody can tell. */
export function chosen(
  conversations: readonly Conversation[],
  { peer, game, upstream }: Choice,
): Conversation & { readonly said: readonly Said[] } | string {
  const playable = conversations.filter((of): of is Conversation & { readonly said: readonly Said[] } =>
    of.said !== undefined && of.said.length > 0
  );
  const wanted = playable.filter((of) =>
    (peer === undefined || of.peer === peer) && (game === undefined || of.game === game) &&
    (upstream === undefined || of.at === `neuro:${upstream}`)
  );
  const [first] = wanted;
  if (first === undefined) {
    return playable.length === 0 ? "nobody in it speaks the Neuro API" : "nobody in it is the one that is asked for";
  }
  if (wanted.length > 1 && isAmbiguous(wanted)) return `which of them: ${wanted.map(described).join("; ")}`;
  // Why the longest: a connection that was lost at once is not what anybody means.
  return wanted.reduce((longest, of) => (of.said.length > longest.said.length ? of : longest), first);
}

/** Several connections of one game, or to one upstream, are one answer. */
const isAmbiguous = (wanted: readonly Conversation[]): boolean =>
  new Set(wanted.map(({ at, game }) => `${at} ${game}`)).size > 1;

/** One connection in a line. */
export function described({ peer, at, game, path, url, from, to, frames, closed, said }: Conversation): string {
  const who = game === undefined ? "" : ` ${JSON.stringify(game)}`;
  const where = printable(url ?? (path === undefined || path === "/" ? "" : path));
  const commands = new Set((said ?? []).flatMap(({ frame }) => readMessage(frame).command ?? []));
  return [
    `peer ${peer}: ${at}${who}`,
    ...(where === "" ? [] : [where]),
    `${frames} frames in ${((to - from) / 1_000).toFixed(1)} s`,
    ...(closed === undefined ? [] : [`closed ${closed}`]),
    ...(commands.size === 0 ? [] : [printable([...commands].join(" "))]),
  ].join(", ");
}
