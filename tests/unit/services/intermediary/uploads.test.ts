import { test } from "#runner";
import { hashBytes } from "../../../../src/core/hash.ts";
import type { PeerId } from "../../../../src/core/ids.ts";
import { isObject, type Json } from "../../../../src/core/json.ts";
import type { UploadSettings } from "../../../../src/core/settings.ts";
import { check } from "../../../harness/check.ts";
import { Desk, SETTINGS } from "./fixture.ts";

const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]);

const desk = (uploads: Partial<UploadSettings> = {}, isStoring = true): Desk =>
  new Desk({ settings: { ...SETTINGS, uploads: { ...SETTINGS.uploads, ...uploads } }, isStoring });

/** Ends the save of the last file. */
function save(on: Desk, fault?: "storageFailed"): string {
  const [file = "", bytes = new Uint8Array()] = [...on.saved].at(-1) ?? [];
  on.step({ is: "fileSaved", file, sha256: hashBytes(bytes), bytes: bytes.length, ...(fault && { fault }) });
  return file;
}

function send(on: Desk, peer: PeerId, bytes: Uint8Array = PNG): string {
  on.frame(peer, bytes);
  return save(on);
}

const kept = (on: Desk): Json[] => {
  const answer = on.ask({ of: "intermediary", get: "uploads" });
  return isObject(answer) && Array.isArray(answer.items) ? [...answer.items] : [];
};

test("IM80 a binary frame is kept under a name of the relay's own, and watchers are told what it is", () => {
  const on = desk();
  const watcher = on.watcher();
  const peer = on.integration("../../etc/passwd");
  on.events(watcher);
  const file = send(on, peer);
  check.match(file, /^upload-\d+-\d+\.png$/);
  check.equal(on.events(watcher), [{
    event: "binary_received",
    from: "../../etc/passwd",
    size: PNG.length,
    file,
    sha256: hashBytes(PNG),
    content_type: "image/png",
  }]);
  check.match(send(on, peer, new Uint8Array([1])), /\.bin$/);
  check.match(send(on, peer, new Uint8Array()), /\.bin$/);
});

test("IM81 nothing is said of a file before its record is stored", () => {
  const on = desk({}, false);
  const watcher = on.watcher();
  const peer = on.integration("a");
  on.events(watcher);
  send(on, peer);
  check.equal(on.events(watcher), []);
  on.store();
  check.equal(on.events(watcher).length, 1);
});

test("IM82 a file that is too large, or uploads that are switched off, are refused and nothing is written", () => {
  const small = desk({ file_bytes: 10 });
  const peer = small.integration("a");
  small.frame(peer, PNG);
  check.equal(small.seen(peer), [{ error: "an upload has at most 10 bytes", code: "tooBig" }]);
  const off = desk({ enabled: false });
  const other = off.integration("a");
  off.frame(other, PNG);
  check.equal(off.seen(other), [{ error: "uploads are switched off", code: "notAllowed" }]);
  check.equal([small.saved.size, off.saved.size], [0, 0]);
});

test("IM83 number and bytes are bounded: a sender's own oldest make room, another's never", () => {
  for (const bound of [{ files: 2 }, { total_bytes: 2 * PNG.length }]) {
    const on = desk(bound);
    const [a, b] = [on.integration("a"), on.integration("b")];
    const files = [send(on, a), send(on, a), send(on, a)];
    check.equal(kept(on).map((upload) => isObject(upload) && upload.file), files.slice(1));
    check.equal([...on.saved.keys()], files.slice(1));
    on.frame(b, PNG);
    check.equal(on.seen(b), [{ error: "uploads are full", code: "queueFull" }]);
  }
});

test("IM84 files go after their time, over a restart too, with their records", () => {
  const on = desk();
  send(on, on.integration("a"));
  const next = on.restart();
  check.equal(kept(next).length, 1);
  next.pass(SETTINGS.uploads.ttl);
  check.equal(kept(next).length, 0);
  check.equal([...next.stored.keys()].filter((key) => key.includes("/upload/")), []);
  check.equal(next.effects.filter((effect) => effect.do === "deleteFile").length, 1);
});

test("IM85 a save or a record that fails leaves nothing behind, and its sender is told", () => {
  const on = desk({}, false);
  const peer = on.integration("a");
  on.frame(peer, PNG);
  save(on, "storageFailed");
  on.frame(peer, PNG);
  save(on);
  on.isFailing = true;
  on.store();
  const failure = { error: "upload failed", code: "storageFailed" };
  check.equal(on.seen(peer), [failure, failure]);
  check.equal([on.saved.size, kept(on).length], [0, 0]);
});
