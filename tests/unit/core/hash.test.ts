/** Hashes are the same on every runtime and in every implementation. */
import fc from "fast-check";
import { test } from "#runner";
import { hashBytes, hashText, sameDigest } from "../../../src/core/hash.ts";
import { sha256 } from "../../../src/runtimes/hashing/portable.ts";
import { check } from "../../harness/check.ts";

test("the runtime's own SHA-256 is that of the standard's examples", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    ["a".repeat(1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"],
  ];
  for (const [text, digest] of cases) {
    check.equal([hashText(text), hashBytes(new TextEncoder().encode(text)), sha256(text)], [digest, digest, digest]);
  }
});

test("the runtime's hash equals the portable one, for any text, also with half a surrogate pair, and for any part of a buffer", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => check.equal(hashText(text), sha256(text))));
  check.equal(hashText("\ud800x"), sha256("\ud800x"));
  fc.assert(fc.property(fc.uint8Array(), fc.nat(8), (bytes, from) => {
    check.equal(hashBytes(bytes.subarray(from)), sha256(bytes.slice(from)));
  }));
});

test("two digests are the same when they are equal, and only then", () => {
  const digest = hashText("token");
  check.that(sameDigest(digest, hashText("token")));
  for (let at = 0; at < digest.length; at++) {
    check.that(!sameDigest(digest, `${digest.slice(0, at)}x${digest.slice(at + 1)}`));
  }
  check.that(!sameDigest(digest, "") && !sameDigest("", digest) && !sameDigest(digest, `${digest}0`));
});
