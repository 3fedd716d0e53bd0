import { test } from "#runner";
import { OwnerWaits } from "../../../../src/runtimes/cluster/owner-waits.ts";
import { check } from "../../../harness/check.ts";

test("CN24 requests for a relay without an owner wait for it together, and are told after a while that there is none", async () => {
  const places = new Map([["here", "a"]]);
  const found: string[] = [];
  let looks = 0;
  const waits = new OwnerWaits<string>({
    waitMs: 120,
    locate: (relay) => {
      looks++;
      return Promise.resolve(places.get(relay));
    },
    findOwner: (relay) => {
      found.push(relay);
      if (relay === "soon") setTimeout(() => places.set(relay, "b"), 60);
    },
  });
  check.equal([await waits.locate("here"), found], ["a", []]);
  const relays = ["soon", "never", ...Array.from({ length: 100 }, () => "soon")];
  const located = await Promise.all(relays.map((relay) => waits.locate(relay)));
  check.equal(located, relays.map((relay) => relay === "soon" ? "b" : undefined));
  check.equal(found, ["soon", "never"]);
  check.that(looks < 120, `${looks} looks at the directory`);
  const [, refused] = await Promise.all([
    waits.locate("never"),
    ...Array.from({ length: 1_000 }, () => waits.locate("never")),
  ]);
  check.equal([refused, found.length], [undefined, 3]);
});
