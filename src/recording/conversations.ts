/** The connections of a recorded session, and the conversation of a game and its backend on each. */
import { fromBase64 } from "../core/base64.ts";
import type { Millis } from "../core/ids.ts";
import { type Frame, printable } from "../core/json.ts";
import { readMessage } from "./neuro-facts.ts";
import type { RecordedEvent, RecordedSession } from "./recording-file.ts";

/** An end of the Neuro API. */
export type Side = "game" | "backend";

/** One frame of a conversation. */
export interface RecordedFrame {
  readonly t: Millis;
  readonly by: Side;
  readonly frame: Frame;
}

/** One connection of the session. */
export interface Conversation {
  readonly peer: number;
  /** The listener of an accepted connection, or `<service>:<name>` of a dialled one: `neuro`, `neuro:evil`. */
  readonly at: string;
  /** The name of the game; undefined if no game takes part. */
  readonly game: string | undefined;
  readonly path: string | undefined;
  readonly url: string | undefined;
  readonly from: Millis;
  readonly to: Millis;
  readonly closed: number | undefined;
  /** The frames of the Neuro API; undefined for other protocols, which can be listed but not replayed. */
  readonly transcript: readonly RecordedFrame[] | undefined;
  readonly frames: number;
}

/** The connections of a session, in the order in which they were opened. */
export function conversationsIn({ events }: RecordedSession): readonly Conversation[] {
  const byPeer = Map.groupBy(events, ({ peer }) => peer);
  return [...byPeer].map(([peer, ofPeer]) => conversationOf(peer, ofPeer));
}

function conversationOf(peer: number, events: readonly RecordedEvent[]): Conversation {
  const [first] = events;
  const at = first?.listener ?? first?.link ?? "";
  const frameEvents = events.filter(({ is }) => is === "in" || is === "out");
  const transcript = isNeuroApi(at) ? frameEvents.flatMap(frameOf) : undefined;
  return {
    peer,
    at,
    game: transcript === undefined ? undefined : gameIn(transcript),
    path: first?.path,
    url: first?.url,
    from: first?.t ?? 0,
    to: events.at(-1)?.t ?? 0,
    closed: events.find(({ is }) => is === "closed")?.code,
    transcript,
    frames: frameEvents.length,
  };
}

const isNeuroApi = (at: string): boolean => /^(?:neuro|proxy)(?::|$)/.test(at);

/** A game connects to a listener, and a backend is dialled; the relay is the other end of both. */
function frameOf({ t, is, link, text, base64, bytes }: RecordedEvent): readonly RecordedFrame[] {
  const by = (is === "in") === (link === undefined) ? "game" : "backend";
  if (text !== undefined) return [{ t, by, frame: text }];
  const frame = fromBase64(base64 ?? "");
  return frame === undefined || frame.length < (bytes ?? 0) ? [] : [{ t, by, frame }];
}

function gameIn(transcript: readonly RecordedFrame[]): string | undefined {
  for (const { by, frame } of transcript) {
    const game = by === "game" ? readMessage(frame).game : undefined;
    if (game !== undefined) return game;
  }
  return undefined;
}

/** Selects one of the conversations. */
export interface ConversationFilter {
  readonly peer?: number;
  readonly game?: string;
  readonly upstream?: string;
}

type ReplayableConversation = Conversation & { readonly transcript: readonly RecordedFrame[] };

/** The conversation that matches, or why none does. */
export function selectConversation(
  conversations: readonly Conversation[],
  { peer, game, upstream }: ConversationFilter,
): ReplayableConversation | string {
  const replayable = conversations.filter((conversation): conversation is ReplayableConversation =>
    conversation.transcript !== undefined && conversation.transcript.length > 0
  );
  const matching = replayable.filter((conversation) =>
    (peer === undefined || conversation.peer === peer) && (game === undefined || conversation.game === game) &&
    (upstream === undefined || conversation.at === `neuro:${upstream}`)
  );
  const [first] = matching;
  if (first === undefined) {
    return replayable.length === 0
      ? "no connection in the recording uses the Neuro API"
      : "no connection in the recording matches";
  }
  if (isAmbiguous(matching)) {
    return `several connections match: ${matching.map(describeConversation).join("; ")}`;
  }
  // Why the longest: a connection that broke at once is not the one to replay.
  return matching.reduce((longest, one) => (one.transcript.length > longest.transcript.length ? one : longest), first);
}

/** Several connections of one game, or to one upstream, count as one. */
const isAmbiguous = (matching: readonly Conversation[]): boolean =>
  new Set(matching.map(({ at, game }) => `${at} ${game}`)).size > 1;

/** One connection in a line. */
export function describeConversation(conversation: Conversation): string {
  const { peer, at, game, path, url, from, to, frames, closed, transcript } = conversation;
  const name = game === undefined ? "" : ` ${JSON.stringify(game)}`;
  const address = printable(url ?? (path === undefined || path === "/" ? "" : path));
  const commands = new Set((transcript ?? []).flatMap(({ frame }) => readMessage(frame).command ?? []));
  return [
    `peer ${peer}: ${at}${name}`,
    ...(address === "" ? [] : [address]),
    `${frames} frames in ${((to - from) / 1_000).toFixed(1)} s`,
    ...(closed === undefined ? [] : [`closed ${closed}`]),
    ...(commands.size === 0 ? [] : [printable([...commands].join(" "))]),
  ].join(", ");
}
