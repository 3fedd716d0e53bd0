import { test } from "#runner";
import { hashBytes } from "../../../../../src/core/hash.ts";
import type { PeerId } from "../../../../../src/core/ids.ts";
import { isObject, type Json } from "../../../../../src/core/json.ts";
import type { UploadSettings } from "../../../../../src/core/settings.ts";
import { check } from "../../../../harness/check.ts";
import { IntermediaryFixture, SETTINGS } from "../fixture.ts";

const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3]);

const setUp = (uploads: Partial<UploadSettings> = {}, isStoring = true): IntermediaryFixture =>
  new IntermediaryFixture({ settings: { ...SETTINGS, uploads: { ...SETTINGS.uploads, ...uploads } }, isStoring });

/** Ends the save of the last file. */
function save(on: IntermediaryFixture, fault?: "storageFailed"): string {
  const [file = "", bytes = new Uint8Array()] = [...on.saved].at(-1) ?? [];
  on.step({ is: "fileSaved", file, sha256: hashBytes(bytes), bytes: bytes.length, ...(fault && { fault }) });
  return file;
}

function send(on: IntermediaryFixture, peer: PeerId, bytes: Uint8Array = PNG): string {
  on.frame(peer, bytes);
  return save(on);
}

const kept = (on: IntermediaryFixture): Json[] => {
  const answer = on.request({ of: "intermediary", get: "uploads" });
  return isObject(answer) && Array.isArray(answer.items) ? [...answer.items] : [];
};

test("IM80 a binary frame is saved under a generated name, and watchers get its type", () => {
  const on = setUp();
  const watcher = on.watcher();
  const peer = on.integration("../../etc/passwd");
  on.eventsFor(watcher);
  const file = send(on, peer);
  check.match(file, /^upload-\d+-\d+\.png$/);
  check.equal(on.eventsFor(watcher), [{
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

test("IM81 a file is reported only after its record is stored", () => {
  const on = setUp({}, false);
  const watcher = on.watcher();
  const peer = on.integration("a");
  on.eventsFor(watcher);
  send(on, peer);
  check.equal(on.eventsFor(watcher), []);
  on.store();
  check.equal(on.eventsFor(watcher).length, 1);
});

test("IM82 a file that is too large is refused, and every file while uploads are switched off", () => {
  const small = setUp({ file_bytes: 10 });
  const peer = small.integration("a");
  small.frame(peer, PNG);
  check.equal(small.received(peer), [{ error: "an upload has at most 10 bytes", code: "tooBig" }]);
  const off = setUp({ enabled: false });
  const other = off.integration("a");
  off.frame(other, PNG);
  check.equal(off.received(other), [{ error: "uploads are switched off", code: "notAllowed" }]);
  check.equal([small.saved.size, off.saved.size], [0, 0]);
});

test("IM83 IM83c number and bytes of files are limited, and a new file replaces only the oldest of its sender", () => {
  for (const bound of [{ files: 2 }, { total_bytes: 2 * PNG.length }]) {
    const on = setUp(bound);
    const [a, b] = [on.integration("a"), on.integration("b")];
    const files = [send(on, a), send(on, a), send(on, a)];
    check.equal(kept(on).map((upload) => isObject(upload) && upload.file), files.slice(1));
    check.equal([...on.saved.keys()], files.slice(1));
    on.frame(b, PNG);
    check.equal(on.received(b), [{ error: "uploads are full", code: "queueFull" }]);
  }
});

test("IM83b no file is deleted for a new one that is refused", () => {
  const on = setUp({ total_bytes: 4 * PNG.length, file_bytes: 4 * PNG.length });
  const [a, b] = [on.integration("a"), on.integration("b")];
  const files = [send(on, a), send(on, b), send(on, b), send(on, b)];
  on.frame(a, new Uint8Array(2 * PNG.length));
  check.equal(on.received(a), [{ error: "uploads are full", code: "queueFull" }]);
  check.equal([...on.saved.keys()], files);
});

test("IM84 files and their records are deleted after uploads.ttl, after a restart too", () => {
  const on = setUp();
  send(on, on.integration("a"));
  const next = on.restart();
  check.equal(kept(next).length, 1);
  next.advance(SETTINGS.uploads.ttl);
  check.equal(kept(next).length, 0);
  check.equal([...next.stored.keys()].filter((key) => key.includes("/upload/")), []);
  check.equal(next.effects.filter((effect) => effect.do === "deleteFile").length, 1);
});

test("IM85 a failed save or record leaves nothing behind, and its sender gets an error", () => {
  const on = setUp({}, false);
  const peer = on.integration("a");
  on.frame(peer, PNG);
  save(on, "storageFailed");
  on.frame(peer, PNG);
  save(on);
  on.isFailing = true;
  on.store();
  const failure = { error: "upload failed", code: "storageFailed" };
  check.equal(on.received(peer), [failure, failure]);
  check.equal([on.saved.size, kept(on).length], [0, 0]);
});
