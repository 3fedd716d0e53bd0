/** References within a schema. */
import { isObject, type Json } from "../core/json.ts";
import { percentDecode, wholeNumber } from "../core/text.ts";

/** Keywords by which a part of a schema has a name of its own. */
const NAMING_KEYWORDS: readonly string[] = ["$id", "$anchor", "$dynamicAnchor", "id"];

/** True if a part of the schema may have a name of its own, to which a reference can refer. */
export function hasNamedParts(schema: Json): boolean {
  const text = JSON.stringify(schema);
  return NAMING_KEYWORDS.some((keyword) => text.includes(`"${keyword}":`));
}

/** The target of a reference such as `#/$defs/place`; undefined if it is outside the schema or does not exist. */
export function targetOf(reference: Json | undefined, root: Json): Json | undefined {
  if (typeof reference !== "string" || !/^#(?:\/|$)/.test(reference)) return undefined;
  let target: Json | undefined = root;
  for (const token of reference.slice(1).split("/").slice(1)) {
    const name = percentDecode(token).replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(target)) target = target[wholeNumber(name) ?? -1];
    else if (isObject(target) && Object.hasOwn(target, name)) target = target[name];
    else return undefined;
  }
  return target;
}
