/** Clients of a fake session on virtual time. */
import { FAKE_BUS_URL, FAKE_TREVOR_URL, FakeNetwork } from "../../../src/testing/fakes/nallely-network.ts";
import { Neuron, Trevor } from "../../../src/clients/nallely.ts";

export const PARAMETERS = {
  out: { direction: "out", range: [0, 127] },
  back: { direction: "in", range: [0, 127] },
  both: {},
} as const;

export interface NallelyHarness {
  readonly network: FakeNetwork;
  readonly lent: { readonly openSocket: FakeNetwork["openSocket"]; readonly clock: FakeNetwork["clock"] };
  neuron(name?: string): Neuron<typeof PARAMETERS>;
  trevor(): Trevor;
  /** Advances time until a promise settles, and returns its value. */
  settled<T>(promise: Promise<T>, ms?: number): Promise<T>;
}

export function harness(): NallelyHarness {
  const network = new FakeNetwork();
  const lent = { openSocket: network.openSocket, clock: network.clock };
  return {
    network,
    lent,
    neuron: (name = "synth") =>
      Neuron.open<typeof PARAMETERS, string>({ name, parameters: PARAMETERS, url: FAKE_BUS_URL, ...lent }),
    trevor: () => Trevor.open({ url: FAKE_TREVOR_URL, ...lent }),
    async settled(promise, ms = 5_000) {
      promise.catch(() => {}); // Why: it is awaited only after time has passed.
      let isSettled = false;
      const done = () => void (isSettled = true);
      promise.then(done, done);
      for (let passed = 0; passed < ms && !isSettled; passed += 5) await network.pass(5);
      if (!isSettled) throw new Error(`nothing within ${ms} ms`);
      return await promise;
    },
  };
}
