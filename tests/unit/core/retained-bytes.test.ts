/** Accounts for what is kept of peers. */
import { test } from "#runner";
import fc from "fast-check";
import { RetainedBytes, retainedBytes } from "../../../src/core/retained-bytes.ts";
import { check } from "../../harness/check.ts";

const LIMITS = { peer_bytes: 1_000, total_bytes: 2_000, peers: 10 };

test("what an account is charged counts for all accounts above it, also after it was moved", () => {
  const total = new RetainedBytes(undefined, "total_bytes");
  const [one, other] = [new RetainedBytes(total, "peer_bytes"), new RetainedBytes(total, "peer_bytes")];
  const game = new RetainedBytes(one);
  game.charge(300);
  check.equal([total.bytes, one.bytes, other.bytes, game.bytes], [300, 300, 0, 300]);
  game.moveTo(other);
  game.release(100);
  check.equal([total.bytes, one.bytes, other.bytes, game.bytes], [200, 0, 200, 200]);
  other.close();
  check.equal([total.bytes, other.bytes], [0, 0]);
  other.charge(50);
  check.equal(total.bytes, 0, "a closed account concerns no other");
});

test("SE28 SE28b a refusal names the first limit on the way up; a peer below its share is refused by its own limit only", () => {
  const total = new RetainedBytes(undefined, "total_bytes");
  const service = new RetainedBytes(total);
  const [one, two, three] = [1, 2, 3].map(() => new RetainedBytes(service, "peer_bytes"));
  check.equal(one?.refusal(1_000, LIMITS), undefined);
  one?.charge(900);
  check.match(
    String(one?.refusal(101, LIMITS)?.reason),
    /^this connection would keep 1001 bytes; `limits.peer_bytes` allows 1000$/,
  );
  check.equal(one?.refusal(-5, LIMITS), undefined, "keeping less is never refused");
  two?.charge(1_000);
  check.match(
    String(three?.refusal(101, LIMITS)?.reason),
    /^all connections together would keep 2001 bytes; `limits.total_bytes` allows 2000$/,
  );
  check.equal(three?.refusal(100, LIMITS), undefined, "2,000 / 2 / 10 peers are its share");
  three?.charge(100);
  check.equal(three?.refusal(1, LIMITS)?.fault, "queueFull");
});

test("the sums are those of a naive model, whatever is charged, released, moved and closed", () => {
  const step = fc.tuple(fc.nat(3), fc.nat(5), fc.nat(5), fc.nat(1_000));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const total = new RetainedBytes();
      const owners = [0, 1].map(() => new RetainedBytes(total));
      const accounts = Array.from({ length: 6 }, (_, at) => new RetainedBytes(owners[at % 2]));
      const model = accounts.map((_, at) => ({ owner: at % 2, bytes: 0 }));
      for (const [what, at, to, bytes] of steps) {
        const [account, entry] = [accounts[at], model[at]];
        if (account === undefined || entry === undefined) continue;
        if (what === 0) {
          account.charge(bytes);
          entry.bytes += bytes;
        }
        if (what === 1) {
          const released = Math.min(bytes, entry.bytes);
          account.release(released);
          entry.bytes -= released;
        }
        const owner = owners[to % 2];
        if (what === 2 && owner !== undefined) {
          account.moveTo(owner);
          entry.owner = to % 2;
        }
      }
      check.equal(accounts.map((account) => account.bytes), model.map(({ bytes }) => bytes));
      const sumOf = (owner: number) => model.reduce((sum, entry) => sum + (entry.owner === owner ? entry.bytes : 0), 0);
      check.equal(owners.map((account) => account.bytes), [sumOf(0), sumOf(1)]);
      check.equal(total.bytes, sumOf(0) + sumOf(1));
    }),
  );
});

test("the estimate counts every text, also the names of members, two bytes a character", () => {
  const textsIn = (value: unknown): number => {
    if (typeof value === "string") return 2 * value.length;
    if (typeof value !== "object" || value === null) return 0;
    if (Array.isArray(value)) return value.reduce((sum: number, item) => sum + textsIn(item), 0);
    return Object.entries(value).reduce((sum, [key, item]) => sum + 2 * key.length + textsIn(item), 0);
  };
  fc.assert(fc.property(fc.jsonValue(), (value) => check.that(retainedBytes(value) >= textsIn(value))));
  check.that(retainedBytes(new Uint8Array(1_000)) < 1_100, "bytes count once");
  check.that(retainedBytes(Array.from({ length: 1_000 }, () => ({}))) > 64_000, "empty objects are not free");
});
