/** The line that the original Brain relay prints for a prediction, spaced as Python's `json.dumps`. Its tests and users read it. */
import { escaped, isObject, type Json } from "../core/json.ts";
import type { Observation } from "../core/observation.ts";

export function predictionLine({ trace_id, routing, value }: Observation & { readonly is: "inferred" }): string {
  const { english, math, physics } = routing;
  return spaced({ event: "infer", trace_id, routing: { english, math, physics }, prediction: { value } });
}

/** JSON with a space after each comma and colon, in ASCII. */
function spaced(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(", ")}]`;
  if (!isObject(value)) return ascii(JSON.stringify(value));
  const members = Object.entries(value).flatMap(([name, inner]) =>
    inner === undefined ? [] : [`${ascii(JSON.stringify(name))}: ${spaced(inner)}`]
  );
  return `{${members.join(", ")}}`;
}

const ascii = (json: string): string => json.replace(/[\u007f-\uffff]/g, escaped);
