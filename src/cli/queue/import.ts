/** `queue import`: puts messages that `queue export` printed into the queue of another backend. */
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import process from "node:process";
import type { QueueSettings } from "../../core/settings.ts";
import { isObject, type JsonObject, parseJson } from "../../core/json.ts";
import { key, segment } from "../../core/key.ts";
import type { Store } from "../../engine/ports.ts";
import { bytesOf, type EntryHead, entryKey, readEntryKey } from "../../queue/entry.ts";
import { CliError } from "../cli-error.ts";
import { QUEUE_SERVICES } from "./admin.ts";

const JSON_DEPTH_MAX = 512;

/** The lines of a file, or of standard input for `-`. */
export async function readLines(file: string): Promise<readonly string[]> {
  const content = file === "-" ? text(process.stdin) : readFile(file, "utf8").catch(() => {
    throw new CliError([`${file}: cannot be read`]);
  });
  return (await content).split("\n").filter((line) => line.trim() !== "");
}

interface ImportedMessage {
  readonly place: Parameters<typeof entryKey>[0];
  readonly head: EntryHead;
  readonly to: string;
  readonly at: number;
  readonly body: string;
}

/** Stores each message that is not there yet, and returns their number. A message keeps its id, so an import can be repeated. */
export async function importMessages(store: Store, lines: readonly string[], settings: QueueSettings): Promise<number> {
  const messages = lines.map((line, at) => readMessage(line, at + 1)); // Why first: nothing is imported if a line is wrong.
  const places = QUEUE_SERVICES.flatMap((service) => [key(service, "queue"), key(service, "dead")]);
  const keys = await Promise.all(places.map((place) => store.keys(place)));
  const known = new Set(keys.flat().map((stored) => readEntryKey(stored)?.head.id));
  let count = 0;
  for (const { place, head, to, at, body } of messages) {
    if (known.has(head.id)) continue;
    known.add(head.id);
    const { id, kind, reason } = head;
    // Why renewed: a message that was exported long ago would otherwise expire at once.
    const exp = reason === undefined ? Math.max(head.exp, Date.now() + settings.ttl[kind]) : head.exp;
    const letter = reason === undefined ? {} : { attempts: 0, why: reason, died: exp, to };
    await store.put(entryKey(place, { ...head, exp }), { v: 1, id, at, exp, kind, ...letter, body });
    count++;
  }
  return count;
}

/** One line of an export; throws a `CliError` that names the line and the field. */
function readMessage(line: string, number: number): ImportedMessage {
  const value = parseJson(line, JSON_DEPTH_MAX);
  const wrong = (what: string): CliError => new CliError([`line ${number}: ${what}; expected a line of \`queue export\``]);
  if (!isObject(value)) throw wrong("not a JSON object");
  const { id, to, service, state, reason, kind, body } = value;
  if (typeof id !== "string" || typeof to !== "string") throw wrong("`id` or `to` is missing");
  const of = QUEUE_SERVICES.find((name) => name === service);
  if (of === undefined) throw wrong("`service` is none that has a queue");
  if (!isObject(body)) throw wrong("`body` is not an object");
  const is = state === "dead" ? "dead" : "queue";
  const exp = timeIn(value, is === "dead" ? "dead_at" : "expires_at");
  const text = JSON.stringify(body);
  const place = { service: of, is, recipient: segment(to) } as const;
  const given = { id, exp, bytes: bytesOf(text), kind, ...(is === "dead" && { reason }) };
  // Why read back: only a key that the relay would read is written.
  const head = readEntryKey(entryKey(place, given as EntryHead))?.head;
  if (head === undefined) throw wrong("`id`, `kind` or `reason` is wrong");
  return { place, head, to, at: timeIn(value, "created_at"), body: text };
}

/** The time in a field; now, if it is missing or no time. */
function timeIn(message: JsonObject, field: string): number {
  const time = Date.parse(String(message[field]));
  return Number.isNaN(time) ? Date.now() : time;
}
