/** The body of a request: bounded while it comes in, and read as JSON. */
import { isShallow, type Json } from "../../core/json.ts";
import type { Settings } from "../../core/settings.ts";
import { utf8 } from "../../core/text.ts";
import type { Problem } from "../problem.ts";

export type Body = { readonly value: Json } | { readonly problem: Problem };

/** Reads a JSON body; nothing more is read of one that is too long. */
export async function readJson(request: Request, { message_bytes: most, json_depth }: Settings["limits"]): Promise<Body> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (!/^application\/(?:[\w.-]+\+)?json$/.test(type)) {
    return no(415, "Unsupported media type", "the body has to be JSON, with `content-type: application/json`");
  }
  const bytes = await readBytes(request, most).catch(() => "torn" as const); // Why: whoever sent it has gone.
  if (bytes === "torn") return no(400, "Bad request", "the body broke off");
  if (bytes === undefined) return no(413, "Content too large", `the body has at most ${most} bytes`);
  const text = utf8(bytes, "strip");
  if (text === undefined) return no(400, "Bad request", "the body is not UTF-8");
  if (!isShallow(text, json_depth)) return no(400, "Bad request", `the body is nested deeper than ${json_depth}`);
  try {
    return { value: JSON.parse(text) };
  } catch {
    return no(400, "Bad request", text === "" ? "there is no body" : "the body is not JSON");
  }
}

/** Undefined for a body that is too long; an error for one that breaks off. */
async function readBytes({ headers, body }: Request, most: number): Promise<Uint8Array | undefined> {
  if (Number(headers.get("content-length") ?? 0) > most) return undefined;
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body ?? []) {
    length += piece.length;
    if (length > most) return undefined;
    pieces.push(piece);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

const no = (status: number, title: string, detail: string): Body => ({
  problem: { status, title, detail, fault: status === 413 ? "tooBig" : "badMessage" },
});
