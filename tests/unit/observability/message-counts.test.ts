/** How messages are counted, in a whole relay on virtual time. */
import { test } from "#runner";
import { DEFAULTS, PUBLISHED_TOKEN, UPSTREAM_DEFAULTS } from "../../../src/core/defaults.ts";
import type { ListenerName } from "../../../src/core/event.ts";
import type { Settings } from "../../../src/core/settings.ts";
import { services } from "../../../src/relay/services.ts";
import { SimulatedRelay } from "../../../src/testing/simulated-relay.ts";
import { check } from "../../harness/check.ts";

const SETTINGS: Settings = {
  ...DEFAULTS,
  "nakurity-clients": [{ ...UPSTREAM_DEFAULTS, url: "ws://neuro" }],
  "intercept-proxy": { ...DEFAULTS["intercept-proxy"], enabled: true, upstream_url: "ws://behind" },
  nallely: { ...DEFAULTS.nallely, enabled: true },
  limits: { ...DEFAULTS.limits, messages_per_second: 0 },
};

/** A relay with all services, and a Neuro that requests the first registered action. */
async function relay() {
  const simulation = new SimulatedRelay({ settings: SETTINGS, services: services });
  simulation.network.accept = () => (socket) => {
    socket.onFrame = (frame) => {
      if (!String(frame).includes('"actions/register"')) return;
      socket.send('{"command":"action","data":{"id":"1","name":"move"}}');
      socket.send('{"command":"from/tomorrow"}');
      socket.send("nonsense");
    };
  };
  await simulation.started();
  await simulation.advance(30_000); // Why: the simulated network loses a dial during the start.
  const say = (listener: ListenerName, ...frames: readonly (object | string)[]) => {
    const socket = simulation.network.connect(listener);
    socket.onOpen = () => {
      for (const frame of frames) socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
    };
    return simulation.advance(2_000);
  };
  const counts = () =>
    Object.fromEntries(
      [...simulation.relay?.messages ?? []].map((
        { service, counterpart, direction, kind, value },
      ) => [`${service} ${counterpart} ${direction} ${kind}`, value]),
    );
  return { simulation, say, counts };
}

const greeting = (type: string, name: string) => ({ type, name, auth_token: PUBLISHED_TOKEN, ack: true });

test("OB26 each service counts its messages by the kinds of its protocol", async () => {
  const { say, counts } = await relay();
  const register = { command: "actions/register", game: "Chess", data: { actions: [{ name: "move", description: "x" }] } };
  await say("neuro", { command: "startup", game: "Chess" }, register, { command: "context", game: "Chess", data: {} });
  await say("intermediary", greeting("neuro-os", "desk"), { query: "peers" }, "nonsense");
  await say("intermediary", greeting("integration", "juke"), { free: 1 }, { command: "startup" });
  await say("intermediary", "nonsense");
  await say("brain", { cmd: "Ping" }, { cmd: "CreateSession" }, "nonsense", { cmd: "Sing" });
  await say("proxy", { command: "startup", game: "Chess" });
  const seen = counts();
  const expected = {
    "neuro game in startup": 1,
    "neuro game in actions/register": 1,
    "neuro game in unreadable": 1,
    "neuro game out action": 1,
    "neuro upstream in action": 1,
    "neuro upstream in other": 1,
    "neuro upstream in unreadable": 1,
    "intermediary newcomer in registration": 2,
    "intermediary newcomer in unreadable": 1,
    "intermediary watcher in peers": 1,
    "intermediary watcher in unreadable": 1,
    "intermediary watcher out integration_connected": 1,
    "intermediary integration in free": 1,
    "intermediary integration in startup": 1,
    "brain client in Ping": 1,
    "brain client in CreateSession": 1,
    "brain client in unreadable": 1,
    "brain client in other": 1,
    "proxy game in frame": 1,
  };
  for (const [count, value] of Object.entries(expected)) check.equal([count, seen[count]], [count, value]);
  check.that((seen["neuro upstream out actions/register"] ?? 0) >= 1);
  check.that(Object.keys(seen).every((count) => /^\w+ \w+ (?:in|out) [\w/-]+$/.test(count)), Object.keys(seen).join("; "));
});

test("OB26 a peer cannot invent kinds", async () => {
  const { say, counts } = await relay();
  const invented = Array.from({ length: 300 }, (_, at) => `kind${at}`);
  await say("neuro", ...invented.map((command) => ({ command, game: "Chess" })));
  await say(
    "intermediary",
    greeting("integration", "juke"),
    ...invented.flatMap((word) => [{ event: word }, { op: word }]),
  );
  await say("intermediary", greeting("neuro-os", "desk"), ...invented.map((query) => ({ query })));
  await say("brain", ...invented.map((cmd) => ({ cmd })));
  const kinds = Object.keys(counts());
  check.equal(kinds.filter((count) => count.includes("kind")), []);
  check.that(kinds.length < 60, `${kinds.length} kinds`);
});
