/** A service that executes commands of its peers, so that a test can cause every effect that a runtime implements. */
import type { PeerEvent, ServiceEvent } from "../../../src/core/event.ts";
import {
  closeLink,
  createLink,
  dialLink,
  failLink,
  type Link,
  linkDeadline,
  linkDue,
  linkIdOf,
  loseLink,
  openLink,
} from "../../../src/core/link.ts";
import type { PeerId } from "../../../src/core/ids.ts";
import { key } from "../../../src/core/key.ts";
import type { Service, ServiceName } from "../../../src/core/service.ts";
import type { Settings } from "../../../src/core/settings.ts";
import type { StepContext } from "../../../src/core/context.ts";
import { supervise, type SupervisedService } from "../../../src/relay/mod.ts";

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
export function echoService(name: ServiceName): SupervisedService {
  const service: Service<State> = {
    name,
    resident: [],
    restore: (settings) => ({ peers: new Map(), heard: [], link: createLink(name, "up"), settings, count: 0 }),
    nextWakeup: (state) => linkDeadline(state.link),
    step: (state, event, ctx) => step(name, { state, event, ctx }),
  };
  return supervise(service);
}

interface Step {
  readonly state: State;
  readonly event: ServiceEvent;
  readonly ctx: StepContext;
}

function step(name: ServiceName, { state, event, ctx }: Step): void {
  const { peers, link: up } = state;
  const tellAll = (frame: string) => {
    for (const peer of peers.keys()) ctx.emit({ do: "send", to: peer, frame });
  };
  switch (event.is) {
    case "opened":
      peers.set(event.peer, `${event.connection.path} ${event.connection.via}`);
      return;
    case "closed":
      peers.delete(event.peer);
      return tellAll(`gone ${event.peer} ${event.code}`);
    case "frame":
      return typeof event.frame === "string"
        ? obey(name, { state, event: { ...event, frame: event.frame }, ctx })
        : ctx.emit({ do: "send", to: event.peer, frame: event.frame });
    case "ponged":
      return ctx.emit({ do: "send", to: event.peer, frame: "ponged" });
    case "backpressure":
      return tellAll(`pressed ${event.peer}`);
    case "relieved":
      return tellAll(`eased ${event.peer}`);
    case "tick":
      return tick(name, { state, event, ctx });
    case "dialed":
      return openLink(up, ctx.now);
    case "received":
      return tellAll(`upstream ${event.frame}`);
    case "dropped":
      tellAll(`dropped ${event.reason}`);
      loseLink(up, plan(name, state), ctx);
      return;
    case "requested":
      return ctx.emit({
        do: "respond",
        requestId: event.requestId,
        body: "get" in event.request && event.request.get === "ready"
          ? { ok: state.count === 0, reasons: ["for nobody"] }
          : { peers: peers.size },
      });
    case "draining":
      tellAll("draining");
      for (const peer of peers.keys()) ctx.emit({ do: "close", peer, fault: "restarting" });
      closeLink(up, ctx);
      return ctx.emit({ do: "drained", service: name });
  }
}

const plan = (name: ServiceName, { settings }: State) => ({
  url: settings["nakurity-clients"][0]?.url ?? "",
  backoff: { baseMs: 10, capMs: 50 },
  dialTimeoutMs: 1_000,
  headers: { "neuro-relay-via": `test-${name}` },
});

function tick(name: ServiceName, { state, ctx }: Step): void {
  if (name !== "neuro" || state.settings["nakurity-clients"].length === 0) return;
  const due = linkDue(state.link, ctx.now);
  if (state.link.state.is === "idle" || due === "redial") dialLink(state.link, plan(name, state), ctx);
  if (due === "dialTimeout") failLink(state.link, plan(name, state), ctx);
}

function obey(
  name: ServiceName,
  { state, event: { peer, frame }, ctx }: Step & { event: PeerEvent & { is: "frame"; frame: string } },
): void {
  const [verb = "", ...rest] = frame.split(" ");
  const argument = rest.join(" ");
  const send = (text: string) => ctx.emit({ do: "send", to: peer, frame: text });
  switch (verb) {
    case "echo":
      return send(argument);
    case "put": {
      const place = key(name, "e", ctx.id());
      ctx.emit({ do: "put", key: place, value: { v: 1 } });
      return ctx.emit({ do: "reply", to: peer, frame: "stored", after: place, onFailure: "not stored" });
    }
    case "close":
      return ctx.emit({ do: "close", peer, fault: "badToken" });
    case "flood":
      for (let sent = 0; sent < Number(argument); sent++) send(KIB);
      return;
    case "frame":
      return send(KIB.repeat(Number(argument)));
    case "all":
      for (const other of state.peers.keys()) ctx.emit({ do: "send", to: other, frame: argument });
      return;
    case "ping":
      return ctx.emit({ do: "ping", peer });
    case "who":
      return send([...state.peers].map(([id, connection]) => `${id} ${connection}`).join("\n"));
    case "up": {
      const link = linkIdOf(state.link);
      if (link !== undefined) ctx.emit({ do: "send", to: link, frame: argument });
      return;
    }
    case "busy":
      state.count = 1;
      return;
    case "panic":
      throw new Error("told to");
    default:
      state.heard.push(frame);
  }
}

/** A service that never reports that it is drained. */
export function neverDrainedService(name: ServiceName): SupervisedService {
  return supervise<Record<string, never>>({
    name,
    resident: [],
    restore: () => ({}),
    nextWakeup: () => undefined,
    step: () => {},
  });
}
