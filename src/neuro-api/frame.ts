/**
 * Frames of the Neuro API: one JSON object in one text frame.
 *
 * Invariant: FR1 reading never throws, whatever the bytes.
 */
import { escaped, type Frame, isObject, type JsonObject, parseJson } from "../core/json.ts";
import { failed, ok, type Result } from "../core/result.ts";
import { utf8 } from "../core/text.ts";
import { addRepair, type Repair } from "./repair.ts";

const BYTE_ORDER_MARK = 0xfeff;

/** The object in a frame. Bytes are read as text, and a byte order mark is skipped, because some clients send them. */
export function readObject(frame: Frame, depthMax: number, repairs: Repair[]): Result<JsonObject> {
  if (typeof frame !== "string") addRepair(repairs, "binary_frame");
  let text = typeof frame === "string" ? frame : utf8(frame);
  if (text === undefined) return failed("badFrame", "the frame is not UTF-8");
  if (text.charCodeAt(0) === BYTE_ORDER_MARK) {
    addRepair(repairs, "byte_order_mark");
    text = text.slice(1);
  }
  const value = parseJson(text, depthMax);
  if (value === undefined) {
    return failed("badFrame", `the frame is not JSON, or is nested deeper than \`limits.json_depth\` (${depthMax})`);
  }
  return isObject(value) ? ok(value) : failed("badFrame", "the frame is not a JSON object");
}

const NOT_PRINTABLE = /[^\x20-\x7e]/;
const ALL_NOT_PRINTABLE = /[^\x20-\x7e]/g;

/** True for a text of printable ASCII. */
export const isPrintable = (text: string): boolean => !NOT_PRINTABLE.test(text);

/** The same JSON in printable ASCII, because one client reads everything else as binary. */
export function asciiJson(json: string): string {
  if (isPrintable(json)) return json;
  return json.replace(ALL_NOT_PRINTABLE, escaped);
}
