/** What kind of file some bytes are, by how they begin. What is not recognised is just bytes. */

export interface FileType {
  readonly type: string;
  readonly extension: string;
}

/** How a kind of file begins: each character is one byte, `?` any. */
const BEGINNINGS: readonly (readonly [string, string, string])[] = [
  ["\x89PNG\r\n\x1a\n", "image/png", "png"],
  ["\xff\xd8\xff", "image/jpeg", "jpg"],
  ["GIF8", "image/gif", "gif"],
  ["RIFF????WEBP", "image/webp", "webp"],
  ["RIFF????WAVE", "audio/wav", "wav"],
  ["OggS", "audio/ogg", "ogg"],
  ["ID3", "audio/mpeg", "mp3"],
  ["\xff\xfb", "audio/mpeg", "mp3"],
  ["fLaC", "audio/flac", "flac"],
  ["????ftyp", "video/mp4", "mp4"],
  ["\x1aE\xdf\xa3", "video/webm", "webm"],
  ["%PDF-", "application/pdf", "pdf"],
  ["PK\x03\x04", "application/zip", "zip"],
];

const UNKNOWN: FileType = { type: "application/octet-stream", extension: "bin" };

export function typeOf(bytes: Uint8Array): FileType {
  for (const [beginning, type, extension] of BEGINNINGS) if (begins(bytes, beginning)) return { type, extension };
  return UNKNOWN;
}

function begins(bytes: Uint8Array, beginning: string): boolean {
  if (bytes.length < beginning.length) return false;
  for (let at = 0; at < beginning.length; at++) {
    if (beginning[at] !== "?" && bytes[at] !== beginning.charCodeAt(at)) return false;
  }
  return true;
}
