/** The JSON of a fake session. */
import type { Json, JsonObject } from "../../core/json.ts";

export interface FakeParameter {
  readonly name: string;
  readonly cvName: string;
  readonly range: Json;
  readonly stream: Json;
  readonly consumer: boolean;
}

export const describeParameter = ({ name, cvName, range, stream, consumer }: FakeParameter): JsonObject => ({
  name,
  stream,
  consumer,
  description: null,
  range,
  accepted_values: [],
  conversion_policy: null,
  disable_policy: false,
  cv_name: cvName,
  section_name: "__virtual__",
  cc_note: -1,
  hidden: false,
  default: null,
  no_init: false,
});

/** JSON as Python writes it, with bare `NaN`, `Infinity` and `-Infinity`. */
export function pythonJson(value: Json): string {
  const marked = JSON.stringify(
    value,
    (_key, one) => typeof one === "number" && !Number.isFinite(one) ? `\u0001${one}\u0001` : one,
  );
  return marked.replace(/"\\u0001(NaN|-?Infinity)\\u0001"/g, "$1");
}
