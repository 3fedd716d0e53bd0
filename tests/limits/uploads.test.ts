/** Every setting of `uploads` has its effect. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "#runner";
import { openStorage } from "../../src/runtimes/open-ports.ts";
import { check } from "../harness/check.ts";
import { MemoryStore } from "../unit/runtimes/memory-store.ts";
import { LimitFixture, type Peer, settingsOf } from "./fixture.ts";
import { checkSetting, namesIn, type SettingTrials } from "./setting-trial.ts";

const UNTHROTTLED = ["limits.messages_per_second=0", "limits.bytes_per_second=0"];
const MIB = 1_024 * 1_024;

/** Sends files until one is refused, and waits for each. */
async function sendUntilFull(fixture: LimitFixture, peer: Peer, bytes: Uint8Array): Promise<void> {
  while (peer.all(({ error }) => error === "uploads are full").length === 0) {
    peer.send(bytes);
    await fixture.advance(1);
    if (fixture.simulation.files.size > 10_000) break;
  }
}

/** Why two senders: a sender's oldest file is deleted for its next one. */
async function fill(fixture: LimitFixture, size: number): Promise<void> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < 20_000; at++) {
    const peer = await fixture.integration(`sender ${at}`);
    peer.send(bytes);
    await fixture.advance(1);
    if (peer.all(({ error }) => error !== undefined).length > 0) return await sendUntilFull(fixture, peer, bytes);
  }
}

const UPLOADS: SettingTrials = {
  file_bytes: {
    texts: ["10", "2MiB", "16MiB"],
    others: [...UNTHROTTLED],
    async measure(fixture, bound) {
      for (const bytes of [bound, bound + 1]) {
        (await fixture.integration(`sender of ${bytes}`)).send(new Uint8Array(bytes));
        await fixture.advance(1);
      }
      return Math.max(...[...fixture.simulation.files.values()].map(({ length }) => length));
    },
  },
  total_bytes: {
    texts: ["3MiB", "100MiB"],
    others: [...UNTHROTTLED, "limits.peers=100000", "limits.peers_per_address=100000"],
    async measure(fixture) {
      await fill(fixture, MIB);
      return fixture.simulation.files.size * MIB;
    },
  },
  files: {
    texts: ["3", "1200"],
    others: [...UNTHROTTLED, "limits.peers=100000", "limits.peers_per_address=100000"],
    async measure(fixture) {
      await fill(fixture, 1);
      return fixture.simulation.files.size;
    },
  },
  ttl: {
    texts: ["5s", "3d"],
    async measure(fixture) {
      (await fixture.integration("sender")).send(new Uint8Array(1));
      await fixture.until(() => fixture.simulation.files.size === 1, 1_000);
      const from = fixture.now;
      await fixture.until(() => fixture.simulation.files.size === 0, 30 * 24 * 3_600_000);
      return fixture.now - from;
    },
  },
};

/** Those that are no amount; each has a test of its own below. */
const OTHERS = ["enabled", "path"];

test("CF40 every setting of `uploads` has a trial", () => {
  check.equal([...Object.keys(UPLOADS), ...OTHERS].sort(), [...namesIn("uploads")].sort());
});

for (const [name, trial] of Object.entries(UPLOADS)) {
  test(`CF40 uploads.${name} has the effect that the file or the variable says`, () =>
    checkSetting(`uploads.${name}`, trial));
}

test("CF40 uploads.enabled decides whether files are accepted", async () => {
  for (const [text, files] of [["true", 1], ["false", 0]] as const) {
    const fixture = await LimitFixture.start(settingsOf({ path: "uploads.enabled", text }));
    (await fixture.integration("sender")).send(new Uint8Array(1));
    await fixture.advance(1);
    check.equal(fixture.simulation.files.size, files, text);
  }
});

test("CF40 uploads.path is the folder of the files", async () => {
  const folder = mkdtempSync(join(tmpdir(), "neuro-relay-limits-"));
  try {
    const path = join(folder, "files");
    const { uploads } = await openStorage(
      settingsOf({ path: "uploads.path", text: path }),
      { store: new MemoryStore() },
      () => {},
    );
    await uploads.save("upload-1.bin", new Uint8Array(3));
    check.that(existsSync(join(path, "upload-1.bin")));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
