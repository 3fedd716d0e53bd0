/** A relay with two scripted services that record their events. */
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { Effect } from "../../../src/core/effect.ts";
import type { Event, ListenerName, ServiceEvent } from "../../../src/core/event.ts";
import { peerId } from "../../../src/core/ids.ts";
import type { ServiceName } from "../../../src/core/service.ts";
import type { Frame } from "../../../src/core/json.ts";
import type { Settings } from "../../../src/core/settings.ts";
import { Relay } from "../../../src/relay/mod.ts";
import { TEST_CONNECTION } from "../../../src/testing/service-harness.ts";
import { type Script, scripted } from "../engine/scripted-service.ts";

type Limits = Partial<Settings["limits"]>;

// deno-lint-ignore explicit-module-boundary-types -- Why: the tests use the inferred type.
export function setUp(
  limits: Limits = {},
  script: Partial<Record<string, Script["step"]>> = {},
  wantsChange: (of: ServiceName) => boolean = () => false,
) {
  const settings: Settings = { ...DEFAULTS, limits: { ...DEFAULTS.limits, ...limits } };
  const seen: string[] = [];
  const service = (name: "intermediary" | "neuro") =>
    scripted({
      name,
      wantsChange,
      step(event, ctx) {
        if (event.is !== "tick") seen.push(`${name} ${described(event)}`);
        script[name]?.(event, ctx);
      },
    });
  const relay = new Relay([service("intermediary"), service("neuro")], settings);
  let now = 1_000_000;
  for (const { name } of relay.services) relay.restore(name, { entries: [], resumed: [], now });
  const ctx = { now: 0, random: () => 0.5, id: () => "id", secret: () => "secret" };
  const step = (event: Event): readonly string[] =>
    relay.step(event, { ...ctx, now }).filter(({ do: what }) => what !== "observe").map(wanted);
  return {
    relay,
    settings,
    step,
    observations: (event: Event) =>
      relay.step(event, { ...ctx, now }).flatMap((effect) => effect.do === "observe" ? [effect.observation.is] : []),
    open: (name: string, listener: ListenerName = "neuro", address = TEST_CONNECTION.address) =>
      step({ is: "opened", peer: peerId(name), listener, connection: { ...TEST_CONNECTION, address } }),
    frame: (name: string, frame: Frame) => step({ is: "frame", peer: peerId(name), frame }),
    pass: (ms: number) => (now += ms, step({ is: "tick" })),
    seen: () => seen.splice(0),
  };
}

const wanted = (effect: Effect): string =>
  effect.do === "close"
    ? `close ${effect.peer} ${effect.fault}`
    : effect.do === "send"
    ? `send ${effect.to} ${effect.frame}`
    : effect.do;

function described(event: ServiceEvent): string {
  if (event.is === "serviceMessage") {
    return `received ${event.message.is === "observed" ? event.message.observation.is : event.message.is}`;
  }
  if (event.is === "frame") return `frame ${event.peer} ${typeof event.frame === "string" ? event.frame : "bytes"}`;
  if (event.is === "throttled") return `limited ${event.peer} ${event.retryMs}`;
  return "peer" in event ? `${event.is} ${event.peer}` : event.is;
}
