/** Numbers within a room's overview, by their path: what a scrape shows of it. */
import { isObject, type Json } from "../core/json.ts";

const DEPTH_MAX = 3;

/** Lists are left out: their entries are things of peers, without bound. */
export function numbersIn(value: Json, path = "", depth = 0): [path: string, value: number][] {
  if (typeof value === "number") return path === "" ? [] : [[path, value]];
  if (typeof value === "boolean") return path === "" ? [] : [[path, value ? 1 : 0]];
  if (!isObject(value) || depth === DEPTH_MAX) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    inner === undefined ? [] : numbersIn(inner, path === "" ? name : `${path}.${name}`, depth + 1)
  );
}
