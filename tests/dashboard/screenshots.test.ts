/** The pictures of the README. */
import { test } from "#runner";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { check } from "../harness/check.ts";
import { ROOT } from "../harness/machine.ts";
import { inFolder } from "../harness/relay.ts";
import { TEST_OPTIONS } from "./fixture.ts";
import { SCREENSHOTS, takeScreenshots } from "./screenshots.ts";

const BYTES_MAX = 200_000;

test(
  "DB28 the pictures of the README can be made again, are small, and have an alternative text",
  () =>
    inFolder(async (folder) => {
      await takeScreenshots(folder);
      const readme = readFileSync(join(ROOT, "README.md"), "utf8");
      for (const name of SCREENSHOTS) {
        for (const place of [folder, join(ROOT, "docs")]) {
          const { size } = statSync(join(place, name));
          check.that(size > 10_000 && size < BYTES_MAX, `${place}/${name}: ${size} bytes`);
        }
        check.match(readme, new RegExp(`<img src="docs/${name}" [^>]*alt="[^"]{20,}"`));
      }
    }),
  TEST_OPTIONS,
);
