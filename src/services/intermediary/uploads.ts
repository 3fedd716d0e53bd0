/**
 * Bytes that integrations send: kept for a while, under names that the relay makes.
 *
 * Invariants: U1 nothing of a name comes from a peer; its label is data in the record only; U2 files, their bytes and their age are
 * bounded: a sender's own oldest make room for its next, never another's; U3 watchers hear of a file once it and its record
 * are stored.
 */
import { Deadlines } from "../../core/deadlines.ts";
import type { Entry, WorkEvent } from "../../core/event.ts";
import type { Key, Millis, PeerId } from "../../core/ids.ts";
import { isObject, type Json, type JsonObject } from "../../core/json.ts";
import { key } from "../../core/key.ts";
import { failed, ok, type Result } from "../../core/result.ts";
import type { UploadSettings } from "../../core/settings.ts";
import type { StepContext } from "../../core/context.ts";
import type { UploadView } from "../../core/view.ts";
import { typeOf } from "./file-type.ts";
import { errorText } from "./wire.ts";

export const UPLOAD_PREFIX = "intermediary/upload/";

/** An upload, and how far it is. */
interface Kept extends UploadView {
  sha256: string;
  state: "saving" | "recording" | "kept";
  /** Whom to tell when it fails. */
  readonly sender: PeerId | undefined;
}

export class Uploads {
  #settings: UploadSettings;
  /** By file, the oldest first. */
  readonly #files = new Map<string, Kept>();
  readonly #expiry = new Deadlines();
  readonly #records = new Map<Key, string>();
  #bytes = 0;

  constructor(settings: UploadSettings) {
    this.#settings = settings;
  }

  configure(settings: UploadSettings): void {
    this.#settings = settings;
  }

  get files(): number {
    return this.#files.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes in the records of an earlier run. */
  restore(entries: readonly Entry[]): void {
    for (const { value } of entries) {
      const upload = readRecord(value);
      if (upload !== undefined) this.#add({ ...upload, state: "kept", sender: undefined });
    }
  }

  /** What is kept and can be fetched, the oldest first. */
  list(): UploadView[] {
    return [...this.#files.values()].filter(({ state }) => state === "kept").map(({ state: _, sender: __, ...upload }) =>
      upload
    );
  }

  take(from: { readonly peer: PeerId; readonly name: string }, bytes: Uint8Array, ctx: StepContext): Result<void> {
    if (!this.#settings.enabled) return failed("notAllowed", "uploads are switched off");
    if (bytes.length > this.#settings.file_bytes) {
      return failed("tooBig", `an upload has at most ${this.#settings.file_bytes} bytes`);
    }
    if (!this.#makeRoom(from.name, bytes.length, ctx)) return failed("queueFull", "uploads are full");
    const { type, extension } = typeOf(bytes);
    const id = ctx.id();
    const file = `upload-${id}.${extension}`;
    const sender = from.peer;
    this.#add({
      id,
      file,
      from: from.name,
      size: bytes.length,
      content_type: type,
      at: ctx.now,
      sha256: "",
      state: "saving",
      sender,
    });
    ctx.emit({ do: "saveFile", file, bytes });
    return ok(undefined);
  }

  saved({ file, sha256, fault }: WorkEvent & { is: "fileSaved" }, ctx: StepContext): void {
    const upload = this.#files.get(file);
    if (upload === undefined) return ctx.emit({ do: "deleteFile", file }); // Why: its time ended while it was written.
    if (fault !== undefined) return this.#fail(upload, ctx);
    upload.sha256 = sha256;
    upload.state = "recording";
    const { id, from, size, content_type, at } = upload;
    const record = keyOf(id);
    this.#records.set(record, file);
    ctx.emit({ do: "put", key: record, value: { v: 1, id, file, from, size, content_type, at, sha256 } });
  }

  /** True when it was a record of this that was written, or not. */
  settled(record: Key, isStored: boolean, ctx: StepContext): boolean {
    const file = this.#records.get(record);
    if (file === undefined) return false;
    this.#records.delete(record);
    const upload = this.#files.get(file);
    if (upload === undefined) return true;
    if (!isStored) {
      this.#fail(upload, ctx);
      return true;
    }
    upload.state = "kept";
    const { from, size, sha256, content_type } = upload;
    ctx.observe({ is: "binary_received", from, size, file, sha256, content_type });
    return true;
  }

  tick(ctx: StepContext): void {
    for (const file of this.#expiry.due(ctx.now)) {
      const upload = this.#files.get(file);
      if (upload !== undefined) this.#drop(upload, ctx);
    }
  }

  nextWakeup(): Millis | undefined {
    return this.#expiry.earliest();
  }

  #makeRoom(from: string, bytes: number, ctx: StepContext): boolean {
    const { files, total_bytes } = this.#settings;
    const fits = () => this.#files.size < files && this.#bytes + bytes <= total_bytes;
    if (fits()) return true;
    for (const upload of this.#files.values()) {
      if (upload.from !== from || upload.state !== "kept") continue;
      this.#drop(upload, ctx);
      if (fits()) return true;
    }
    return false;
  }

  #add(upload: Kept): void {
    this.#files.set(upload.file, upload);
    this.#bytes += upload.size;
    this.#expiry.set(upload.file, upload.at + this.#settings.ttl);
  }

  #fail(upload: Kept, ctx: StepContext): void {
    this.#drop(upload, ctx);
    if (upload.sender === undefined) return;
    ctx.emit({ do: "reply", to: upload.sender, frame: errorText("upload failed", "storageFailed") });
  }

  #drop({ id, file, size, state }: Kept, ctx: StepContext): void {
    this.#files.delete(file);
    this.#bytes -= size;
    this.#expiry.clear(file);
    if (state !== "saving") ctx.emit({ do: "delete", key: keyOf(id) });
    ctx.emit({ do: "deleteFile", file });
  }
}

const keyOf = (id: string): Key => key("intermediary", "upload", id);

function readRecord(value: Json | undefined): UploadView | undefined {
  if (!isObject(value) || value.v !== 1) return undefined;
  const { id, file, from, size, content_type, at, sha256 }: JsonObject = value;
  const texts = [id, file, from, content_type, sha256].every((text) => typeof text === "string");
  if (!texts || typeof size !== "number" || typeof at !== "number") return undefined;
  const text = (part: Json | undefined) => String(part);
  return {
    id: text(id),
    file: text(file),
    from: text(from),
    size,
    content_type: text(content_type),
    at,
    sha256: text(sha256),
  };
}
