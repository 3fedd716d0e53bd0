import { test } from "#runner";
import { check } from "../../harness/check.ts";
import { testSettings, withRelay } from "./bun-relay.ts";
import { memoryUploads } from "../../../src/storage/uploads.ts";

test("ST20 a relay deletes orphaned uploads at the start, and starts even if it cannot list them", async () => {
  const discarded: string[] = [];
  const orphan = "upload-1700000000000-1000000000.bin";
  const uploads = {
    ...memoryUploads(),
    list: () => Promise.resolve([{ file: orphan, at: 0 }, { file: "other.bin", at: 0 }]),
    delete: (file: string) => Promise.resolve(void discarded.push(file)),
  };
  await withRelay(testSettings(), () => Promise.resolve(), { uploads });
  check.equal(discarded, [orphan]);
  const away = { ...memoryUploads(), list: () => Promise.reject(new Error("no disk")) };
  await withRelay(testSettings(), async ({ connect, log }) => {
    check.equal(await (await connect("neuro")).ask("echo alive"), "alive");
    check.that(log.some((line) => line.includes("no disk")), "said in the log");
  }, { uploads: away });
});
