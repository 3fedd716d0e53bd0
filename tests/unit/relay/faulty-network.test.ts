/** The bad network between games and their service: what arrives, when, and in which order. */
import { test } from "#runner";
import fc from "fast-check";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import type { ServiceEvent } from "../../../src/core/event.ts";
import type { FaultSettings, Settings } from "../../../src/core/settings.ts";
import { FaultyNetwork } from "../../../src/relay/faulty-network.ts";
import { services } from "../../../src/relay/services.ts";
import { FakeGame } from "../../../src/testing/fakes/game.ts";
import { SimulatedRelay } from "../../../src/testing/simulated-relay.ts";
import { connect, scripted } from "../engine/scripted-service.ts";
import { check } from "../../harness/check.ts";

type Faults = Partial<Omit<FaultSettings, "percent">> & { readonly percent?: Partial<FaultSettings["percent"]> };

const settingsWith = ({ percent, ...faults }: Faults, limits: Partial<Settings["limits"]> = {}): Settings => {
  const backend = DEFAULTS["nakurity-backend"];
  return {
    ...DEFAULTS,
    limits: { ...DEFAULTS.limits, ...limits },
    "nakurity-backend": {
      ...backend,
      faults: { ...backend.faults, enabled: true, ...faults, percent: { ...backend.faults.percent, ...percent } },
    },
  };
};

/** Answers each frame with the same, panics at `panic`, and records what happens. */
async function echo(settings: Settings) {
  const seen: string[] = [];
  const simulation: SimulatedRelay = new SimulatedRelay({
    settings,
    services: () => [
      new FaultyNetwork(
        scripted({
          step(event: ServiceEvent, ctx) {
            if (event.is === "opened") seen.push("opened");
            if (event.is === "closed") seen.push(`closed ${event.code}`);
            if (event.is !== "frame") return;
            seen.push(String(event.frame));
            ctx.emit({ do: "send", to: event.peer, frame: String(event.frame) });
            if (event.frame === "panic") throw new Error("half a thought");
          },
        }),
        settings,
      ),
    ],
  });
  simulation.network.health = { delayMinMs: 0, delayMaxMs: 0 };
  await simulation.started();
  const faults = () =>
    simulation.observations.flatMap((each) => each.is === "fault_injected" ? [`${each.fault} ${each.direction}`] : []);
  return { simulation, seen, faults, peer: await connect(simulation) };
}

test("NB270 each message takes `delay`, in either direction, and a close waits for what was sent before it", async () => {
  const { simulation, seen, peer } = await echo(settingsWith({ delay: 200 }));
  check.equal(seen, []);
  await simulation.advance(200);
  check.equal(seen.splice(0), ["opened"]);
  peer.send("a");
  await simulation.advance(199);
  check.equal([seen.length, peer.received.length], [0, 0]);
  await simulation.advance(1);
  check.equal([seen.splice(0), peer.received.length], [["a"], 0]);
  await simulation.advance(199);
  check.equal(peer.received, []);
  await simulation.advance(1);
  check.equal(peer.received, ["a"]);
});

test("NB270 whatever the jitter is, messages arrive in order and within `delay` and `jitter`, and none is lost", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.integer({ min: 0, max: 300 }),
      fc.integer({ min: 0, max: 900 }),
      async (seed, delay, jitter) => {
        const { simulation, peer } = await echo(settingsWith({ seed, delay, jitter }));
        await simulation.advance(delay + jitter);
        const sent = Array.from({ length: 30 }, (_, number) => String(number));
        for (const text of sent) {
          peer.send(text);
          await simulation.advance(7);
        }
        await simulation.advance(2 * (delay + jitter));
        check.equal(peer.received, sent);
      },
    ),
    { numRuns: 15 },
  );
});

test("NB271 `drop` loses messages and `duplicate` repeats them, as often as the percentage says, and each is observed", async () => {
  for (const [fault, copies] of [["drop", 0], ["duplicate", 4]] as const) {
    const all = await echo(settingsWith({ percent: { [fault]: 100 } }));
    all.peer.send("a");
    await all.simulation.advance(10);
    check.equal(all.peer.received.length, copies);
    check.equal(all.faults()[0], `${fault} in`);
    const some = await echo(settingsWith({ percent: { [fault]: 30 } }));
    for (let count = 0; count < 200; count++) {
      some.peer.send("a");
      await some.simulation.advance(100);
    }
    const share = some.faults().filter((each) => each === `${fault} in`).length;
    check.that(share > 35 && share < 85, `${fault} at ${share} of 200`);
  }
});

test("NB272 `disconnect` cuts the connection: what is under way is lost, and the service learns of its end once", async () => {
  const { simulation, seen, peer, faults } = await echo(settingsWith({ percent: { disconnect: 100 } }));
  peer.send("a");
  peer.send("b");
  await simulation.advance(100);
  check.equal([seen, peer.received, peer.closed(), faults()], [["opened", "closed 1001"], [], 1006, ["disconnect in"]]);
  check.equal(simulation.observations.filter(({ is }) => is === "panicked"), []);
});

test("NB273 `half_open` lets nothing pass any more, while both ends are open", async () => {
  const { simulation, seen, peer } = await echo(settingsWith({ percent: { half_open: 100 } }));
  for (let count = 0; count < 5; count++) peer.send("a");
  await simulation.advance(60_000);
  check.equal([seen, peer.received, peer.closed()], [["opened"], [], undefined]);
});

test("NB273 the relay gives a game up whose connection hangs, as any silent one, and the game that reconnects is served", async () => {
  const settings = settingsWith({});
  const hanging = settingsWith({ percent: { half_open: 100 } });
  const simulation = new SimulatedRelay({ settings, services });
  await simulation.started();
  const { clock, random, network } = simulation;
  const behavior = {
    ...{ startsEachTime: true, answers: "all", fails: 0, answerMinMs: 1, answerMaxMs: 2 } as const,
    ...{ isSloppy: false, everyMs: 2_000, disposes: false },
  };
  const actions = [{ name: "move", description: "Moves." }];
  const game = new FakeGame("Chess", { actions, behavior }, { clock, random: random.branch(), network });
  game.connect();
  await simulation.advance(30_000);
  const acted = () =>
    simulation.observations.filter((each) => each.is === "action_result" && each.origin === "game").length;
  const before = acted();
  check.that(before > 0);
  simulation.configure(hanging);
  await simulation.advance(30_000);
  check.equal(acted(), before);
  simulation.configure(settings);
  await simulation.advance(300_000);
  check.that(acted() > before, "it was not played any more");
  check.equal([game.violations, simulation.observations.filter(({ is }) => is === "panicked")], [[], []]);
});

test("NB274 beyond `limits.peer_bytes` the oldest message under way arrives before its time, and in order", async () => {
  const { simulation, peer } = await echo(settingsWith({ delay: 10_000 }, { peer_bytes: 20_000 }));
  await simulation.advance(10_000);
  const sent = Array.from({ length: 40 }, (_, number) => `${number}`.padEnd(500, "."));
  for (const text of sent) peer.send(text);
  await simulation.advance(9_000);
  check.that(peer.received.length > 0 && peer.received.length < 40, `${peer.received.length} of 40`);
  await simulation.advance(20_000);
  check.equal(peer.received, sent);
});

test("NB275 the same seed has the same faults; without faults it is the same as without the network", async () => {
  const run = async (settings: Settings): Promise<string> => {
    const simulation = new SimulatedRelay({ settings, services, seed: 3 });
    await simulation.started();
    const { clock, random, network } = simulation;
    for (const name of ["Chess", "Poker"]) {
      const behavior = {
        ...{ startsEachTime: false, answers: "all", fails: 0.2, answerMinMs: 1, answerMaxMs: 900 } as const,
        ...{ isSloppy: true, everyMs: 1_500, disposes: true },
      };
      const actions = [{ name: "move", description: "Moves." }, { name: `${name}_only`, description: "Moves." }];
      new FakeGame(name, { actions, behavior }, { clock, random: random.branch(), network }).connect();
    }
    await simulation.advance(60_000);
    check.equal(simulation.observations.filter(({ is }) => is === "panicked"), []);
    return simulation.traceHash;
  };
  const percent = { disconnect: 2, half_open: 1, drop: 5, duplicate: 5 };
  const bad = { delay: 50, jitter: 200, percent };
  check.equal(await run(settingsWith(bad)), await run(settingsWith(bad)));
  check.that(await run(settingsWith(bad)) !== await run(settingsWith({ ...bad, seed: 2 })));
  check.equal(await run(settingsWith({})), await run(settingsWith({ enabled: false })));
});

test("NB275 a panic of the service loses no other message that is under way, and nothing that the panicking step sent arrives", async () => {
  const { simulation, seen, peer } = await echo(settingsWith({ delay: 100 }));
  const other = await connect(simulation);
  await simulation.advance(100);
  peer.send("panic");
  await simulation.advance(10);
  other.send("b");
  await simulation.advance(50);
  const late = await connect(simulation);
  await simulation.advance(1_000);
  late.send("c");
  await simulation.advance(1_000);
  check.equal(seen, ["opened", "opened", "panic", "b", "opened", "c"]);
  check.equal([peer.received, other.received, late.received], [[], ["b"], ["c"]]);
});
