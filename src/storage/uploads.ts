/**
 * Uploaded files: bytes under names that the relay makes, so no peer's text ever becomes a path.
 *
 * Invariant: a file is there whole or not at all.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Uploads } from "../engine/ports.ts";

/** Uploads, and the way to get them back. */
export interface UploadStore extends Uploads {
  /** The bytes of a file, or undefined when there is none of that name. */
  read(file: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

const PART = ".part";

/** Uploads in a folder. What an earlier process left half-written is removed. */
export async function openUploads(path: string): Promise<UploadStore> {
  const folder = resolve(path);
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) if (name.endsWith(PART)) await rm(join(folder, name), { force: true });
  const place = (file: string) => join(folder, checked(file));
  return {
    async save(file, bytes) {
      const part = place(file) + PART;
      try {
        await writeFile(part, bytes);
        await rename(part, place(file));
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
      return { sha256: await digest(bytes), bytes: bytes.length };
    },
    async discard(file) {
      await rm(place(file), { force: true });
    },
    async read(file) {
      if (!isFileName(file)) return undefined;
      return await readFile(place(file)).then((bytes) => new Uint8Array(bytes), absent);
    },
  };
}

/** Uploads that end with the process. */
export function memoryUploads(): UploadStore {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    async save(file, bytes) {
      files.set(checked(file), bytes.slice());
      return { sha256: await digest(bytes), bytes: bytes.length };
    },
    discard(file) {
      files.delete(file);
      return Promise.resolve();
    },
    read: (file) => Promise.resolve(files.get(file)),
  };
}

function absent(error: unknown): undefined {
  if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
}

/** True for names that the relay makes: they cannot leave the folder. */
const isFileName = (file: string): boolean =>
  /^[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9]+)?$/.test(file) && file.length <= 120 && !file.endsWith(PART);

function checked(file: string): string {
  if (!isFileName(file)) throw new Error(`not a file name of ours: ${file}`);
  return file;
}

async function digest(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes.slice());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
