/** A room that does what it is told: enough to see everything a runtime has to do for one. */
import type { PeerEvent, RoomEvent } from "../../src/core/event.ts";
import { type Link, link } from "../../src/core/link.ts";
import { dial, due, hangup, lost, opened } from "../../src/core/link.ts";
import type { PeerId } from "../../src/core/ids.ts";
import { key } from "../../src/core/key.ts";
import type { Room, RoomName } from "../../src/core/room.ts";
import type { Settings } from "../../src/core/settings.ts";
import type { Turn } from "../../src/core/turn.ts";
import { type Hosted, hosted } from "../../src/relay/mod.ts";

interface State {
  readonly peers: Map<PeerId, string>;
  readonly heard: string[];
  readonly link: Link;
  readonly settings: Settings;
  count: number;
}

const KIB = "x".repeat(1_024);

/**
 * The commands of a peer, as text: `echo <text>`, `put`, `close`, `flood <n>` (n KiB in frames of one), `frame <n>` (one frame of
 * n KiB), `all <text>` (to every peer), `ping`, `who`, `up <text>` (to the upstream), `panic`. Everything else is remembered.
 */
export function echoRoom(name: RoomName): Hosted {
  const room: Room<State> = {
    name,
    resident: [],
    restore: (settings) => ({ peers: new Map(), heard: [], link: link(name, "up"), settings, count: 0 }),
    nextWakeup: (state) => state.link.deadline,
    step: (state, event, turn) => step(name, { state, event, turn }),
  };
  return hosted(room);
}

interface Step {
  readonly state: State;
  readonly event: RoomEvent;
  readonly turn: Turn;
}

function step(name: RoomName, { state, event, turn }: Step): void {
  const { peers, link: up } = state;
  const tellAll = (frame: string) => {
    for (const peer of peers.keys()) turn.put({ do: "send", to: peer, frame });
  };
  switch (event.is) {
    case "opened":
      peers.set(event.peer, `${event.caller.path} ${event.caller.via}`);
      return;
    case "closed":
      peers.delete(event.peer);
      return tellAll(`gone ${event.peer} ${event.code}`);
    case "frame":
      return typeof event.frame === "string"
        ? obey(name, { state, event: { ...event, frame: event.frame }, turn })
        : turn.put({ do: "send", to: event.peer, frame: event.frame });
    case "ponged":
      return turn.put({ do: "send", to: event.peer, frame: "ponged" });
    case "pressed":
      return tellAll(`pressed ${event.peer}`);
    case "eased":
      return tellAll(`eased ${event.peer}`);
    case "tick":
      return tick(name, { state, event, turn });
    case "dialed":
      return opened(up, turn);
    case "received":
      return tellAll(`upstream ${event.frame}`);
    case "dropped":
      tellAll(`dropped ${event.reason}`);
      lost(up, plan(name, state), turn);
      return;
    case "asked":
      return turn.put({
        do: "answer",
        call: event.call,
        body: event.question.get === "ready" ? { ok: state.count === 0, waits: ["for nobody"] } : { peers: peers.size },
      });
    case "draining":
      tellAll("draining");
      for (const peer of peers.keys()) turn.put({ do: "close", peer, fault: "restarting" });
      hangup(up, turn);
      return turn.put({ do: "drained", room: name });
  }
}

const plan = (name: RoomName, { settings }: State) => ({
  url: settings["nakurity-clients"][0]?.url ?? "",
  backoff: { baseMs: 10, capMs: 50 },
  dialTimeoutMs: 1_000,
  headers: { "neuro-relay-via": `test-${name}` },
});

function tick(name: RoomName, { state, turn }: Step): void {
  if (name !== "neuro" || state.settings["nakurity-clients"].length === 0) return;
  if (state.link.state === "idle") dial(state.link, plan(name, state), turn);
  else due(state.link, plan(name, state), turn);
}

function obey(
  name: RoomName,
  { state, event: { peer, frame }, turn }: Step & { event: PeerEvent & { is: "frame"; frame: string } },
): void {
  const [verb = "", ...rest] = frame.split(" ");
  const argument = rest.join(" ");
  const send = (text: string) => turn.put({ do: "send", to: peer, frame: text });
  switch (verb) {
    case "echo":
      return send(argument);
    case "put": {
      const place = key(name, "e", turn.id());
      turn.put({ do: "put", key: place, value: { v: 1 } });
      return turn.put({ do: "reply", to: peer, frame: "stored", after: place, otherwise: "not stored" });
    }
    case "close":
      return turn.put({ do: "close", peer, fault: "badToken" });
    case "flood":
      for (let sent = 0; sent < Number(argument); sent++) send(KIB);
      return;
    case "frame":
      return send(KIB.repeat(Number(argument)));
    case "all":
      for (const other of state.peers.keys()) turn.put({ do: "send", to: other, frame: argument });
      return;
    case "ping":
      return turn.put({ do: "ping", peer });
    case "who":
      return send([...state.peers].map(([id, caller]) => `${id} ${caller}`).join("\n"));
    case "up":
      if (state.link.id !== undefined) turn.put({ do: "send", to: state.link.id, frame: argument });
      return;
    case "busy":
      state.count = 1;
      return;
    case "panic":
      throw new Error("told to");
    default:
      state.heard.push(frame);
  }
}

/** A room that never says that it is done. */
export function stubbornRoom(name: RoomName): Hosted {
  return hosted<Record<string, never>>({
    name,
    resident: [],
    restore: () => ({}),
    nextWakeup: () => undefined,
    step: () => {},
  });
}
