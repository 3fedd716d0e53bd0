/**
 * Reads training examples from a log of operations: a JSON list, or one JSON object per line.
 *
 * `{"op": "safeDiv", "args": [6, 3], "res": {"ok": true, "value": 2}, "text": "6 / 3"}`. Skipped are operations with another name,
 * failed operations, and operations without two finite arguments and a finite result. The text, if there is one, goes to the channel
 * of its kind.
 */
import { isObject, type Json, parsePlainJson } from "../core/json.ts";
import { detectDomain } from "./domain.ts";
import { type PerChannel, perChannel } from "./tokenizer.ts";

export interface Example {
  readonly args: readonly [number, number];
  readonly texts: PerChannel<string>;
  readonly target: number;
}

const DEPTH_MAX = 64;

export interface ExampleLog {
  readonly examples: readonly Example[];
  /** The number of entries that are not examples. */
  readonly skipped: number;
}

/** The examples of one operation in a log, or the reason why the log cannot be read. */
export function readExamples(log: string, operation: string): ExampleLog | string {
  const entries = log.trimStart().startsWith("[") ? parsePlainJson(log, DEPTH_MAX) : lines(log);
  if (typeof entries === "string") return entries;
  if (!Array.isArray(entries)) return "the log is not a JSON list";
  const examples = entries.flatMap((entry: Json) => exampleOf(entry, operation) ?? []);
  return { examples, skipped: entries.length - examples.length };
}

function lines(log: string): Json[] | string {
  const entries: Json[] = [];
  for (const [at, line] of log.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const entry = parsePlainJson(line, DEPTH_MAX);
    if (entry === undefined) return `line ${at + 1} of the log is not JSON`;
    entries.push(entry);
  }
  return entries;
}

function exampleOf(entry: Json, operation: string): Example | undefined {
  if (!isObject(entry) || entry["op"] !== operation || !isObject(entry["res"]) || entry["res"]["ok"] !== true) {
    return undefined;
  }
  const { args, text = "" } = entry;
  const [left, right, ...more]: readonly Json[] = Array.isArray(args) ? args : [];
  const target = entry["res"]["value"];
  if (!isFiniteNumber(left) || !isFiniteNumber(right) || !isFiniteNumber(target) || more.length > 0) return undefined;
  const words = typeof text === "string" && text.isWellFormed() ? text : "";
  const domain = detectDomain(words);
  return { args: [left, right], texts: perChannel((channel) => (channel === domain ? words : "")), target };
}

const isFiniteNumber = (value: Json | undefined): value is number => typeof value === "number" && Number.isFinite(value);
