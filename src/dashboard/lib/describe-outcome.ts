/** The result of an action that an operator sent, in words. */
import type { ActionOutcome } from "../../core/view.ts";
import { TEXTS } from "../texts.ts";
import { formatLatency } from "./format.ts";
import { sanitizeLines } from "./sanitize.ts";

const TEXT = TEXTS.form;

/** `what`: what was sent, if that is not obvious. */
export function describeOutcome(
  { success, message, ms }: ActionOutcome,
  what = "",
): readonly [tone: "good" | "bad", text: string] {
  const parts = [what, success ? TEXT.done(formatLatency(ms)) : TEXT.failed(formatLatency(ms)), message ?? ""];
  return [success ? "good" : "bad", sanitizeLines(parts.filter((part) => part !== "").join(": "), 600)];
}
