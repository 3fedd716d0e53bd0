/** Reads the body of a request as JSON, with limits on its size and depth. */
import { isShallow, type Json, parseJson } from "../../core/json.ts";
import type { Settings } from "../../core/settings.ts";
import { utf8 } from "../../core/text.ts";
import type { Problem, ProblemName } from "../problem.ts";

export type JsonBody = { readonly value: Json } | { readonly problem: Problem };

/** Reads a JSON body. Reading stops as soon as it exceeds `limits.message_bytes`. */
export async function readJson(request: Request, limits: Settings["limits"]): Promise<JsonBody> {
  const { message_bytes: bytesMax, json_depth: depthMax } = limits;
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
  if (!/^application\/(?:[\w.-]+\+)?json$/.test(type)) {
    return problem(
      415,
      "unsupportedMediaType",
      "Unsupported media type",
      "the body must be JSON, with `content-type: application/json`",
    );
  }
  const bytes = await readBytes(request, bytesMax).catch(() => "interrupted" as const); // Why: the client has gone.
  if (bytes === "interrupted") return problem(400, "malformedRequest", "Bad request", "the request body was incomplete");
  if (bytes === undefined) {
    return problem(413, "tooBig", "Content too large", `the body exceeds limits.message_bytes, which is ${bytesMax} bytes`);
  }
  const text = utf8(bytes, "strip");
  if (text === undefined) return problem(400, "notJson", "Bad request", "the body is not UTF-8");
  const value = parseJson(text, depthMax);
  if (value !== undefined) return { value };
  if (text === "") return problem(400, "notJson", "Bad request", "the body is missing");
  if (isShallow(text, depthMax)) return problem(400, "notJson", "Bad request", "the body is not JSON");
  return problem(400, "notJson", "Bad request", `the body is nested deeper than limits.json_depth, which is ${depthMax}`);
}

/** Undefined if the body is too large; rejects if it is interrupted. */
async function readBytes({ headers, body }: Request, bytesMax: number): Promise<Uint8Array | undefined> {
  if (Number(headers.get("content-length") ?? 0) > bytesMax) return undefined;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > bytesMax) return undefined;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

const problem = (status: number, fault: ProblemName, title: string, detail: string): JsonBody => ({
  problem: { status, title, detail, fault },
});
