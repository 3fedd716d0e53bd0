/** A Durable Object that runs the contract on its own storage, and returns the results. */
import type { QueueSettings } from "../../../src/core/settings.ts";
import { DEFAULTS } from "../../../src/core/defaults.ts";
import {
  ENTRY_BYTES_MAX,
  type ObjectStorage,
  openObjectStore,
  openObjectUploads,
} from "../../../src/storage/durable-object.ts";
import { check } from "../../harness/check.ts";
import type { BackendFixture, BackendKind } from "./backends.ts";
import { type Case, contract } from "./contract.ts";

const MIB = 1_048_576;

const uploads = (storage: ObjectStorage): Case => ({
  name: "ST17 uploads are stored, replaced and deleted completely, in parts",
  async run() {
    const files = openObjectUploads(storage);
    for (const size of [0, 1, MIB - 1, MIB, MIB + 1, 5 * MIB + 3]) {
      const bytes = new Uint8Array(size).map((_, at) => at % 251);
      const saved = await files.save("up-1.bin", bytes);
      check.equal(saved.bytes, size);
      check.match(saved.sha256, /^[0-9a-f]{64}$/);
      const read = await files.read("up-1.bin");
      check.that(
        read !== undefined && read.length === size && read.every((byte, at) => byte === bytes[at]),
        `${size} bytes`,
      );
    }
    await files.save("up-1.bin", new Uint8Array([1]));
    check.equal(await files.read("up-1.bin"), new Uint8Array([1]));
    check.equal(await files.list(), [{ file: "up-1.bin", at: 0 }]);
    await files.delete("up-1.bin");
    check.equal(await files.read("up-1.bin"), undefined);
    check.equal(await files.read("../up-1.bin"), undefined);
    await check.rejects(files.save("../x", new Uint8Array()), /invalid file name/);
  },
});

export class ContractObject {
  readonly #storage: ObjectStorage;

  constructor({ storage }: { readonly storage: ObjectStorage }) {
    this.#storage = storage;
  }

  async fetch(): Promise<Response> {
    const results: { name: string; error?: string }[] = [];
    for (const { name, needs, run } of [...contract, uploads(this.#storage)]) {
      if (needs !== undefined && !needs(this.#kind)) continue;
      const fixture = await this.#kind.make();
      await fixture.clear();
      try {
        await run(fixture, this.#kind);
        results.push({ name });
      } catch (error) {
        results.push({ name, error: error instanceof Error ? `${error.stack}` : String(error) });
      }
    }
    return Response.json(results);
  }

  get #kind(): BackendKind {
    const settings: QueueSettings = { ...DEFAULTS.queue, backend: "durable-object" };
    const storage = this.#storage;
    return {
      name: "durable-object",
      isDurable: true,
      isExclusive: false,
      entryBytesMax: ENTRY_BYTES_MAX,
      make: (): Promise<BackendFixture> =>
        Promise.resolve({
          settings,
          open: (quarantined = []) =>
            openObjectStore(storage, { onQuarantine: (key, why) => quarantined.push([key, why]) }),
          writeRaw(key, content) {
            const bytes = new TextEncoder().encode(content);
            storage.sql.exec("insert into entries values (?, ?)", key.replaceAll("/", ":"), bytes);
            return Promise.resolve();
          },
          async clear() {
            await openObjectStore(storage, { onQuarantine: () => {} });
            storage.sql.exec("delete from entries");
          },
        }),
    };
  }
}
