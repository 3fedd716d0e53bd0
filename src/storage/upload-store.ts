/** Shared parts of all upload stores: the names that the relay generates, and the hash of the written bytes. */
import type { Millis } from "../core/ids.ts";
import type { Uploads } from "../engine/ports.ts";

/** Uploads that can be read and listed. */
export interface UploadStore extends Uploads {
  /** The bytes of a file; undefined when it does not exist. */
  read(file: string): Promise<Uint8Array | undefined>;
  list(): Promise<readonly StoredFile[]>;
}

/** The name of an upload, which contains the id of its record. */
export const UPLOAD_FILE: RegExp = /^upload-(\d{13}-\d{10})\.[a-z0-9]+$/;

export interface StoredFile {
  readonly file: string;
  /** The time of the write; 0 if the store does not know it, which counts as long ago. */
  readonly at: Millis;
}

/** Suffix of a file that is still being written. */
export const PARTIAL_SUFFIX = ".part";

/** True for names that the relay generates: they cannot leave the folder. */
export const isFileName = (file: string): boolean =>
  /^[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9]+)?$/.test(file) && file.length <= 120 && !file.endsWith(PARTIAL_SUFFIX);

/** Returns the name; throws for one that the relay does not generate. */
export function checkedName(file: string): string {
  if (!isFileName(file)) throw new Error(`invalid file name: ${file}`);
  return file;
}

/** The SHA-256 of a file in lower-case hex. */
export async function digest(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes.slice());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
