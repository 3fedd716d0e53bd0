/**
 * What a model learns from: a log of operations, as a JSON list or with one object a line.
 *
 * `{"op": "safeDiv", "args": [6, 3], "res": {"ok": true, "value": 2}, "text": "6 / 3"}`. Operations of another name, ones that
 * failed, and ones without two finite figures and a finite result are left out. The text, if any, goes to the channel of its kind.
 */
import { isObject, type Json, parseJson } from "../core/json.ts";
import { detectDomain } from "./domain.ts";
import { type PerChannel, perChannel } from "./tokenizer.ts";

export interface Example {
  readonly args: readonly [number, number];
  readonly texts: PerChannel<string>;
  readonly target: number;
}

const DEPTH_MAX = 64;

/** The examples of one operation in a log, or in words why it cannot be read. */
export function readExamples(log: string, operation: string): readonly Example[] | string {
  const entries = log.trimStart().startsWith("[") ? parseJson(log, DEPTH_MAX) : lines(log);
  if (typeof entries === "string") return entries;
  if (!Array.isArray(entries)) return "the log is not a JSON list";
  return entries.flatMap((entry: Json) => exampleOf(entry, operation) ?? []);
}

function lines(log: string): Json[] | string {
  const entries: Json[] = [];
  for (const [at, line] of log.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const entry = parseJson(line, DEPTH_MAX);
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
