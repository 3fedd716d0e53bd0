/** A relay whose stored entries cannot be read: real processes and real files. */
import { readdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "#runner";
import { PUBLISHED_TOKEN } from "../../src/core/defaults.ts";
import { check } from "../harness/check.ts";
import { inFolder, RelayProcess } from "../harness/relay.ts";
import { JsonClient } from "../harness/json-client.ts";

test("ST22 a relay starts although none of its stored entries can be read, and serves", () =>
  inFolder(async (folder) => {
    const greeting = { type: "integration", name: "jukebox", auth_token: PUBLISHED_TOKEN, ack: true };
    const first = await RelayProcess.start(folder, ["queue.backend=fs"]);
    const client = (await JsonClient.open(first.urls.intermediary)).send(greeting);
    await client.next(({ event }) => event === "registered");
    client.close();
    await client.closed;
    await first.stop();
    const entries = join(folder, "relay_message_queue/entries");
    const files = (await readdir(entries, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    check.that(files.length > 0, "something is stored");
    for (const { parentPath, name } of files) {
      const file = join(parentPath, name);
      await rm(file);
      await symlink(file, file); // Why: reading a link to itself fails for every user, root included.
    }
    const second = await RelayProcess.start(folder, ["queue.backend=fs"]);
    const again = (await JsonClient.open(second.urls.intermediary)).send(greeting);
    await again.next(({ event }) => event === "registered");
    check.equal(await second.stop(), 0);
  }), { timeoutMs: 60_000 });
