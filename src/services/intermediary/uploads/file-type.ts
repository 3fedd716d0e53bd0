/** The content type of bytes, recognised by their first bytes. */

export interface FileType {
  readonly type: string;
  readonly extension: string;
}

/** The first bytes of each type: each character is one byte, and `?` is any byte. */
const SIGNATURES: readonly (readonly [string, string, string])[] = [
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
  for (const [signature, type, extension] of SIGNATURES) if (startsWith(bytes, signature)) return { type, extension };
  return UNKNOWN;
}

function startsWith(bytes: Uint8Array, signature: string): boolean {
  if (bytes.length < signature.length) return false;
  for (let at = 0; at < signature.length; at++) {
    if (signature[at] !== "?" && bytes[at] !== signature.charCodeAt(at)) return false;
  }
  return true;
}
