/** The conversations in a recording, and how one is chosen. */
import { test } from "#runner";
import {
  conversationsIn,
  describeConversation,
  type RecordedSession,
  selectConversation,
} from "../../../src/recording/mod.ts";
import { check } from "../../harness/check.ts";
import { REGISTER, STARTUP } from "./replay-fixture.ts";

type RecordedEvent = RecordedSession["events"][number];

const sessionOf = (...events: readonly RecordedEvent[]): RecordedSession => ({
  header: { v: 1, relay: "1", started_at: "" },
  events,
  end: "ended",
  unreadable: 0,
});
const startup = (game: string) => JSON.stringify({ command: "startup", game });

const SESSION = sessionOf(
  { t: 0, peer: 1, link: "neuro:neuro", is: "dialling", url: "ws://neuro" },
  { t: 1, peer: 1, link: "neuro:neuro", is: "closed", code: 1006, by: "peer" },
  { t: 2, peer: 2, listener: "neuro", is: "opened", path: "/", agent: "" },
  { t: 3, peer: 2, listener: "neuro", is: "in", text: JSON.stringify(STARTUP) },
  { t: 3, peer: 3, link: "neuro:neuro", is: "dialling", url: "ws://neuro" },
  { t: 4, peer: 3, link: "neuro:neuro", is: "opened" },
  { t: 5, peer: 3, link: "neuro:neuro", is: "out", text: startup("Relay Integration") },
  { t: 6, peer: 3, link: "neuro:neuro", is: "in", text: '{"command":"actions/reregister_all"}' },
  { t: 7, peer: 2, listener: "neuro", is: "out", text: '{"command":"actions/reregister_all"}' },
  { t: 8, peer: 4, listener: "intermediary", is: "opened", path: "/", agent: "" },
  { t: 9, peer: 4, listener: "intermediary", is: "in", text: "{}" },
  { t: 9, peer: 5, listener: "neuro", is: "in", base64: btoa(startup("Chess")), bytes: startup("Chess").length },
  { t: 9, peer: 2, listener: "neuro", is: "in", text: JSON.stringify(REGISTER) },
  { t: 10, peer: 6, listener: "neuro", is: "in", text: startup("Go") },
  { t: 11, peer: 6, listener: "neuro", is: "in", base64: "AAAA", bytes: 100_000 },
);

test("OB22 a recording lists its connections, their game, and the side of each frame", () => {
  const conversations = conversationsIn(SESSION);
  check.equal(conversations.map(({ peer, at, game, frames }) => [peer, at, game, frames]), [
    [1, "neuro:neuro", undefined, 0],
    [2, "neuro", "Chess", 3],
    [3, "neuro:neuro", "Relay Integration", 2],
    [4, "intermediary", undefined, 1],
    [5, "neuro", "Chess", 1],
    [6, "neuro", "Go", 2],
  ]);
  check.equal(conversations[2]?.transcript?.map(({ by }) => by), ["game", "backend"]);
  check.equal(conversations[3]?.transcript, undefined);
  check.equal(conversations[5]?.transcript?.length, 1);
  check.match(
    describeConversation(conversations[1] ?? conversations[0] as never),
    /^peer 2: neuro "Chess", 3 frames in 0\.0 s, startup /,
  );
});

test("OB22 a conversation is chosen by game, upstream or number; of several with one game, the longest", () => {
  const conversations = conversationsIn(SESSION);
  const peerOf = (choice: Parameters<typeof selectConversation>[1]) => {
    const found = selectConversation(conversations, choice);
    return typeof found === "string" ? found.slice(0, 13) : found.peer;
  };
  check.equal(peerOf({ game: "Chess" }), 2);
  check.equal(peerOf({ upstream: "neuro" }), 3);
  check.equal(peerOf({ peer: 5 }), 5);
  check.equal(peerOf({}), "several conne");
  check.equal(peerOf({ peer: 4 }), "no connection");
  check.equal(peerOf({ game: "Tetris" }), "no connection");
});
