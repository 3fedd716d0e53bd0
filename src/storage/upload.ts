/** What every place for uploads keeps to: the names that the relay makes, and the hash of what was written. */
import type { Millis } from "../core/ids.ts";
import type { Uploads } from "../engine/ports.ts";

/** Uploads, and the way to get them back. */
export interface UploadStore extends Uploads {
  /** The bytes of a file, or undefined when there is none of that name. */
  read(file: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Everything that is there. */
  list(): Promise<readonly StoredFile[]>;
}

/** The name of an upload, with the id of its record in it. */
export const UPLOAD_FILE: RegExp = /^upload-(\d{13}-\d{10})\.[a-z0-9]+$/;

/** A file that is there. */
export interface StoredFile {
  readonly file: string;
  /** When it was written; 0 where nobody knows, and it is not a new one. */
  readonly at: Millis;
}

/** Ends the name of a file that is not whole yet. */
export const PART = ".part";

/** True for names that the relay makes: they cannot leave the folder. */
export const isFileName = (file: string): boolean =>
  /^[a-z0-9][a-z0-9_-]*(?:\.[a-z0-9]+)?$/.test(file) && file.length <= 120 && !file.endsWith(PART);

/** The name itself; throws for one that is not ours. */
export function checkedName(file: string): string {
  if (!isFileName(file)) throw new Error(`not a file name of ours: ${file}`);
  return file;
}

/** The SHA-256 of a file, in hexadecimal. */
export async function digest(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", bytes.slice());
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
