/** Every operation there is. What is not in here is not answered, and not described. */
import { INTEGRATIONS } from "./integrations.ts";
import { LOOKING } from "./look.ts";
import { NEURO } from "./neuro.ts";
import type { Operation } from "./operation.ts";
import { QUEUE } from "./queue.ts";
import { percentDecode } from "../../core/text.ts";

export const OPERATIONS: readonly Operation[] = [...LOOKING, ...INTEGRATIONS, ...NEURO, ...QUEUE];

/** What a path leads to: the operations on it, by method, and the values in it. */
export interface Place {
  readonly operations: readonly Operation[];
  readonly values: Readonly<Record<string, string>>;
}

/** The place that a path names; undefined for one that is in no operation. */
export function placeOf(path: string): Place | undefined {
  const given = path.replace(/\/+$/, "").split("/");
  for (const [template, operations] of BY_PATH) {
    const values = valuesOf(template.split("/"), given);
    if (values !== undefined) return { operations, values };
  }
  return undefined;
}

const BY_PATH: ReadonlyMap<string, readonly Operation[]> = Map.groupBy(OPERATIONS, ({ path }) => path);

function valuesOf(template: readonly string[], given: readonly string[]): Record<string, string> | undefined {
  if (template.length !== given.length) return undefined;
  const values: [string, string][] = [];
  for (const [at, part] of template.entries()) {
    const own = given[at] ?? "";
    if (part.startsWith("{")) values.push([part.slice(1, -1), percentDecode(own)]);
    else if (part !== own) return undefined;
  }
  return Object.fromEntries(values);
}
