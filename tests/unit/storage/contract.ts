/** The contract of every backend, as data. Each case gets an empty backend. */
import { type Key, rawKey } from "../../../src/core/ids.ts";
import type { Json } from "../../../src/core/json.ts";
import { key, segment, sequence } from "../../../src/core/key.ts";
import { check } from "../../harness/check.ts";
import type { BackendFixture, BackendKind, Quarantined } from "./backends.ts";

export interface Case {
  /** Begins with the ids of its rules. */
  readonly name: string;
  /** The case is skipped where this is false. */
  readonly needs?: (kind: BackendKind) => boolean;
  run(fixture: BackendFixture, kind: BackendKind): Promise<void>;
}

const at = (...segments: string[]): Key => key("neuro", "case", ...segments);

const ODD_NAMES = [
  "a b",
  "a:b",
  "a/b",
  "a?b=1",
  "a?b=2",
  "a$",
  "..",
  ".",
  "",
  " ",
  "A",
  "a",
  "\u00e9",
  "e\u0301",
  "😀",
  "con",
  "nul",
  "a.",
  "*<>|",
  "\\",
  "%2f",
  "__proto__",
  "constructor",
  "\u0000",
  "\n",
  "\ud800",
  "x".repeat(300),
  "x".repeat(301),
];

const ODD_VALUES: readonly Json[] = [
  { v: 1 },
  {
    v: 1,
    text: "é😀\u0000\n\u2028",
    number: 1e-7,
    big: 9007199254740991,
    list: [null, true, [], {}],
    deep: { a: { b: { c: [1] } } },
  },
  JSON.parse('{"v":1,"__proto__":{"admin":true},"constructor":{"prototype":{"x":1}},"toString":"x"}'),
  { v: 1, body: '{"command":"context","data":{"message":"123"}}', "": "empty name" },
];

const BROKEN: readonly (readonly [key: string, content: string, why: RegExp])[] = [
  ["neuro/case/empty", "", /empty/],
  ["neuro/case/torn", '{"v":1,"body":"hal', /torn/],
  // Why two reasons: Deno's SQLite reads text up to the first zero.
  ["neuro/case/zeros", "\u0000\u0000\u0000", /torn|empty/],
  ["neuro/case/number", "123", /not an entry/],
  ["neuro/case/list", "[1]", /not an entry/],
  ["neuro/case/versionless", '{"a":1}', /not an entry/],
  ["neuro/case/newer", '{"v":99}', /newer/],
];

const fill = (fixture: BackendFixture): Promise<void> => fixture.open().then((store) => store.close());

export const contract: readonly Case[] = [
  {
    name: "ST1 a value is read back unchanged",
    async run(fixture) {
      const store = await fixture.open();
      const keys = ODD_VALUES.map((_, index) => at(sequence(index)));
      await Promise.all(keys.map((name, index) => store.put(name, ODD_VALUES[index] ?? null)));
      const read = await store.read(keys);
      check.equal(read.map(({ value }) => JSON.stringify(value)), ODD_VALUES.map((value) => JSON.stringify(value)));
      check.equal(read.map((entry) => entry.key), keys);
      await store.close();
    },
  },
  {
    name: "ST2 every name has a place of its own",
    async run(fixture) {
      const store = await fixture.open();
      await Promise.all(ODD_NAMES.map((name) => store.put(at(segment(name)), { v: 1, name: JSON.stringify(name) })));
      const read = await store.read(ODD_NAMES.map((name) => at(segment(name))));
      check.equal(read.map(({ value }) => value), ODD_NAMES.map((name) => ({ v: 1, name: JSON.stringify(name) })));
      check.equal((await store.keys(key("neuro"))).length, ODD_NAMES.length);
      await store.close();
    },
  },
  {
    name: "ST3 keys below a prefix are listed in order, each once, and no others",
    async run(fixture) {
      const store = await fixture.open();
      const names = ["a/2", "a/10", "a/1", "ab/1", "b/1"];
      await Promise.all(names.map((name) => store.put(rawKey(`neuro/${name}`), { v: 1 })));
      check.equal(await store.keys(rawKey("neuro/a")), ["neuro/a/1", "neuro/a/10", "neuro/a/2"].map(rawKey));
      check.equal(await store.keys(key("neuro")), names.map((name) => rawKey(`neuro/${name}`)).sort());
      check.equal(await store.keys(key("neur")), []);
      await store.close();
    },
  },
  {
    name: "ST4 ten thousand entries are listed in order and read",
    async run(fixture, { isDurable }) {
      const store = await fixture.open();
      const keys = Array.from({ length: 10_000 }, (_, index) => at(sequence(index * 7919 % 10_000)));
      for (let first = 0; first < keys.length; first += 64) {
        await Promise.all(keys.slice(first, first + 64).map((name) => store.put(name, { v: 1, name })));
      }
      const check10k = async (opened: typeof store) => {
        const listed = await opened.keys(key("neuro"));
        check.equal(listed, [...keys].sort());
        const read = await opened.read(listed);
        check.that(
          read.length === 10_000 &&
            read.every(({ key: name, value }) => JSON.stringify(value) === `{"v":1,"name":"${name}"}`),
        );
      };
      await check10k(store);
      await store.close();
      if (!isDurable) return;
      const again = await fixture.open();
      await check10k(again);
      await again.close();
    },
  },
  {
    name: "ST5 entries up to the bound of the backend are kept, larger ones refused with the reason",
    async run(fixture, { entryBytesMax }) {
      const store = await fixture.open();
      const text = (bytes: number) => "é".repeat(bytes / 2 - 20);
      await store.put(at("large"), { v: 1, text: text(entryBytesMax) });
      check.equal(await store.read([at("large")]), [{ key: at("large"), value: { v: 1, text: text(entryBytesMax) } }]);
      if (entryBytesMax < 1_024 * 1_024) {
        await check.rejects(store.put(at("larger"), { v: 1, text: text(entryBytesMax + 100) }), /at most 65520/);
        check.equal(await store.keys(key("neuro")), [at("large")]);
      }
      await store.close();
    },
  },
  {
    name: "ST6 a key is written once; a value that is not an entry, or a name that is not a key, is never written",
    async run(fixture) {
      const store = await fixture.open();
      await store.put(at("once"), { v: 1, count: 1 });
      await check.rejects(store.put(at("once"), { v: 1, count: 2 }), /written twice/);
      for (const value of [null, "text", 1, [], {}, { v: "1" }]) {
        await check.rejects(store.put(at("none"), value), /version/);
      }
      for (const name of ["neuro", "neuro/A", "neuro//a", "../a", "neuro/a b", "quarantine/neuro/a"]) {
        await check.rejects(store.put(rawKey(name), { v: 1 }), /not a key/);
      }
      check.equal(await store.read([at("once"), at("none")]), [{ key: at("once"), value: { v: 1, count: 1 } }]);
      await store.close();
    },
  },
  {
    name: "ST7 what was deleted is gone, and deleting what is not there is no error",
    async run(fixture, { isDurable }) {
      const store = await fixture.open();
      await store.put(at("kept"), { v: 1 });
      await store.put(at("gone", "deep"), { v: 1 });
      await store.delete(at("gone", "deep"));
      await store.delete(at("never"));
      check.equal(await store.keys(key("neuro")), [at("kept")]);
      check.equal((await store.read([at("gone", "deep"), at("kept")])).length, 1);
      await store.put(at("gone", "deep"), { v: 1, again: true });
      await store.delete(at("gone", "deep"));
      await store.close();
      if (!isDurable) return;
      const again = await fixture.open();
      check.equal(await again.keys(key("neuro")), [at("kept")]);
      await again.close();
    },
  },
  {
    name: "ST8 what was stored is there when the store is opened again",
    needs: ({ isDurable }) => isDurable,
    async run(fixture) {
      const store = await fixture.open();
      await Promise.all(ODD_NAMES.map((name) => store.put(at(segment(name)), { v: 1, name: JSON.stringify(name) })));
      await store.close();
      const again = await fixture.open();
      const listed = await again.keys(key("neuro"));
      check.equal(listed, ODD_NAMES.map((name) => at(segment(name))).sort());
      check.equal((await again.read(listed)).length, ODD_NAMES.length);
      await again.close();
    },
  },
  {
    name: "ST9 a value that is not an entry is quarantined and reported, never returned and never fatal",
    async run(fixture, { isDurable }) {
      if (isDurable) await fill(fixture);
      for (const [name, content] of BROKEN) await fixture.writeRaw(name, content);
      await fixture.writeRaw("neuro/case/whole", '{"v":1}');
      const quarantined: Quarantined = [];
      const store = await fixture.open(quarantined);
      const listed = await store.keys(key("neuro"));
      check.equal(listed.length, BROKEN.length + 1);
      check.equal(await store.read(listed), [{ key: at("whole"), value: { v: 1 } }]);
      check.equal(quarantined.map(([name]) => name).sort(), BROKEN.map(([name]) => name).sort());
      for (const [name, , why] of BROKEN) check.match(quarantined.find(([other]) => other === name)?.[1] ?? "", why);
      check.equal(await store.keys(key("neuro")), [at("whole")]);
      await store.put(rawKey("neuro/case/torn"), { v: 1, whole: true });
      await store.close();
      if (!isDurable) return;
      const later: Quarantined = [];
      const again = await fixture.open(later);
      check.equal((await again.read(await again.keys(key("neuro")))).length, 2);
      check.equal(later, []);
      await again.close();
    },
  },
  {
    name: "ST10 what has no key of ours is put aside and reported when the store is opened",
    async run(fixture, { isDurable }) {
      if (isDurable) await fill(fixture);
      const foreign = ["Thumbs.db", "neuro/A.txt", "neuro/case/notes (old).txt"];
      for (const name of foreign) await fixture.writeRaw(name, "hello");
      await fixture.writeRaw("neuro/case/whole", '{"v":1}');
      const quarantined: Quarantined = [];
      const store = await fixture.open(quarantined);
      check.equal(quarantined.map(([name]) => name).sort(), [...foreign].sort());
      check.equal(await store.keys(key("neuro")), [at("whole")]);
      await store.close();
      if (!isDurable) return;
      const later: Quarantined = [];
      await (await fixture.open(later)).close();
      check.equal(later, []);
    },
  },
  {
    name: "ST11 a second writer is refused by the name of the first, until that has closed",
    needs: ({ isExclusive }) => isExclusive,
    async run(fixture) {
      const store = await fixture.open();
      await check.rejects(fixture.open(), /is in use by process \d+ since .*only one relay may write there/);
      await store.put(at("mine"), { v: 1 });
      await store.close();
      const again = await fixture.open();
      check.equal(await again.keys(key("neuro")), [at("mine")]);
      await again.close();
    },
  },
];
