/** All operations of the API. Routing and the OpenAPI document follow from this table. */
import { percentDecode } from "../../core/text.ts";
import { BRAIN_OPERATIONS, NALLELY_OPERATIONS } from "./brain.ts";
import { EVENT_OPERATIONS } from "./events.ts";
import { INTEGRATION_OPERATIONS } from "./integrations.ts";
import { MACRO_OPERATIONS } from "./macros.ts";
import { NEURO_OPERATIONS } from "./neuro.ts";
import type { ApiOperation } from "./operation.ts";
import { OVERVIEW_OPERATIONS } from "./overview.ts";
import { QUEUE_OPERATIONS } from "./queue.ts";
import { TRACE_OPERATIONS } from "./traces.ts";
import { TOKEN_OPERATIONS } from "./tokens.ts";

export const OPERATIONS: readonly ApiOperation[] = [
  ...OVERVIEW_OPERATIONS,
  ...EVENT_OPERATIONS,
  ...INTEGRATION_OPERATIONS,
  ...NEURO_OPERATIONS,
  ...MACRO_OPERATIONS,
  ...QUEUE_OPERATIONS,
  ...TRACE_OPERATIONS,
  ...TOKEN_OPERATIONS,
  ...BRAIN_OPERATIONS,
  ...NALLELY_OPERATIONS,
];

/** The operations on a path, one for each method, and the values of the path's parameters. */
export interface RouteMatch {
  readonly operations: readonly ApiOperation[];
  readonly parameters: Readonly<Record<string, string>>;
}

/** The operations on a path; undefined if there are none. */
export function matchRoute(path: string): RouteMatch | undefined {
  const segments = path.replace(/\/+$/, "").split("/");
  for (const [template, operations] of BY_PATH) {
    const parameters = parametersOf(template.split("/"), segments);
    if (parameters !== undefined) return { operations, parameters };
  }
  return undefined;
}

const BY_PATH: ReadonlyMap<string, readonly ApiOperation[]> = Map.groupBy(OPERATIONS, ({ path }) => path);

/** A segment with malformed percent-encoding is taken literally: it is a name that does not exist. */
function parametersOf(template: readonly string[], segments: readonly string[]): Record<string, string> | undefined {
  if (template.length !== segments.length) return undefined;
  const values: [string, string][] = [];
  for (const [at, part] of template.entries()) {
    const segment = segments[at] ?? "";
    if (part.startsWith("{")) values.push([part.slice(1, -1), percentDecode(segment)]);
    else if (part !== segment) return undefined;
  }
  return Object.fromEntries(values);
}
