/** The registry of relays in virtual time, against a model: any sequence of uses, ends of use, sweeps and slow starts and stops. */
import fc from "fast-check";
import { test } from "#runner";
import { type RegisteredRelay, RelayRegistry } from "../../../src/runtimes/relay-registry.ts";
import { check } from "../../harness/check.ts";

const IDLE_MS = 60_000;

class FakeRelay implements RegisteredRelay {
  users = 0;
  isStopped = false;
  readonly name: string;
  readonly #world: World;

  constructor(name: string, world: World) {
    this.name = name;
    this.#world = world;
  }

  isIdle(): boolean {
    return this.users === 0;
  }

  async stop(): Promise<void> {
    check.equal(this.isStopped, false, "stopped once");
    this.#world.events.push(`stop ${this.name}`);
    await this.#world.delay();
    this.isStopped = true;
    this.#world.alive.delete(this);
  }
}

/** What the registry gets, and what it did with it. */
class World {
  now = 0;
  running = 4;
  readonly events: string[] = [];
  readonly alive = new Set<FakeRelay>();
  readonly refusing = new Set<string>();
  readonly registry: RelayRegistry<FakeRelay> = new RelayRegistry<FakeRelay>({
    start: async (name) => {
      await this.delay();
      if (this.refusing.has(name)) throw new Error(`no store for ${name}`);
      check.that([...this.alive].every((other) => other.name !== name), `two relays ${name}`);
      const relay = new FakeRelay(name, this);
      this.alive.add(relay);
      return relay;
    },
    limits: () => ({ running: this.running, idleMs: IDLE_MS }),
    now: () => this.now,
    observe: (observation) => "name" in observation && this.events.push(`${observation.is} ${observation.name}`),
    stopping: () => {},
  });
  #waiting: (() => void)[] = [];

  /** Takes as long as the test wants. */
  delay(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Lets everything that waits go on, until nothing does. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 5; quiet++) {
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const resolve of waiting) resolve();
      if (waiting.length > 0) quiet = 0;
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
  }

  /** Uses a relay, and waits until it runs or is refused. */
  async use(name: string): Promise<FakeRelay | string> {
    const used = this.registry.use(name);
    await this.settle();
    const relay = await used;
    return relay instanceof FakeRelay ? relay : relay.refused;
  }
}

const runningIn = ({ registry }: World): string[] => [...registry.running()].map(([name]) => name).sort();

test("RT80 a relay starts when it is first used, once for all who use it meanwhile, and is used again", async () => {
  const world = new World();
  const [first, second] = [world.registry.use("show"), world.registry.use("show")];
  await world.settle();
  const relay = await world.use("show");
  check.that(relay instanceof FakeRelay && relay === await first && relay === await second);
  check.equal(world.events, ["relay_started show"]);
});

test("RT80 a relay that could not be started is refused with the reason, and tried again when it is next used", async () => {
  const world = new World();
  world.refusing.add("show");
  check.equal(await world.use("show"), "no store for show");
  world.refusing.clear();
  check.that(await world.use("show") instanceof FakeRelay);
  check.equal(world.events, ["relay_refused show", "relay_started show"]);
});

test("RT81 a relay stops when it has been idle for relays.idle without a break, and starts again when it is used while it stops", async () => {
  const world = new World();
  const relay = await world.use("show") as FakeRelay;
  const sweepAt = async (now: number): Promise<string[]> => {
    world.now = now;
    world.registry.sweep();
    await world.settle();
    return runningIn(world);
  };
  relay.users = 1;
  check.equal(await sweepAt(IDLE_MS), ["show"]);
  relay.users = 0;
  check.equal(await sweepAt(2 * IDLE_MS - 1), ["show"]);
  await world.use("show");
  check.equal(await sweepAt(3 * IDLE_MS - 2), ["show"]);
  world.now = 3 * IDLE_MS;
  world.registry.sweep();
  check.equal(runningIn(world), []);
  const again = await world.use("show");
  check.that(again instanceof FakeRelay && again !== relay && relay.isStopped);
  check.equal(world.events, ["relay_started show", "stop show", "relay_stopped show", "relay_started show"]);
});

test("RT82 one relay more than relays.running replaces the one that has been idle for the longest time; without one it is refused", async () => {
  const world = new World();
  for (const [at, name] of ["a", "b", "c"].entries()) {
    world.now = at;
    const relay = await world.use(name) as FakeRelay;
    relay.users = name === "a" ? 1 : 0;
  }
  check.that(await world.use("d") instanceof FakeRelay);
  check.equal(runningIn(world), ["a", "c", "d"]);
  for (const { 1: relay } of world.registry.running()) relay.users = 1;
  check.equal(
    await world.use("e"),
    "3 relays run besides default, and relays.running, which is 4, allows no more; none of them is idle",
  );
  check.equal(runningIn(world), ["a", "c", "d"]);
});

test("RT80 RT81 RT82 whatever happens, a name has one relay, no more than relays.running run, and none that is used is stopped", async () => {
  const names = fc.constantFrom("a", "b", "c", "d", "e");
  const step = fc.oneof(
    fc.record({ is: fc.constant("use" as const), name: names, keep: fc.boolean(), waits: fc.boolean() }),
    fc.record({ is: fc.constant("leave" as const), name: names }),
    fc.record({ is: fc.constant("sweep" as const), ms: fc.integer({ min: 0, max: 2 * IDLE_MS }) }),
    fc.record({ is: fc.constant("fail" as const), name: names }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const world = new World();
      for (const one of steps) {
        if (one.is === "use") {
          const used = world.registry.use(one.name).then((relay) => {
            if (!(relay instanceof FakeRelay)) return;
            check.equal([relay.name, relay.isStopped], [one.name, false]);
            if (one.keep) relay.users++;
          });
          if (one.waits) {
            await world.settle();
            await used;
          }
        } else if (one.is === "leave") {
          for (const [name, relay] of world.registry.running()) if (name === one.name) relay.users = 0;
        } else if (one.is === "sweep") {
          world.now += one.ms;
          world.registry.sweep();
        } else if (!world.refusing.delete(one.name)) world.refusing.add(one.name);
        for (const relay of world.alive) check.that(!(relay.users > 0 && relay.isStopped));
        check.that(runningIn(world).length <= world.running - 1, `${runningIn(world)}`);
      }
      await world.settle();
      for (const relay of world.alive) relay.users = 0;
      const closing = world.registry.close();
      await world.settle();
      await closing;
      check.equal([world.alive.size, await world.use("a")], [0, "the process is stopping"]);
    }),
    { numRuns: 300 },
  );
});
