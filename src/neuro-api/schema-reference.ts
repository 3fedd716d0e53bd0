/** References within a schema. */
import { isObject, type Json } from "../core/json.ts";
import { wholeNumber } from "../core/text.ts";

/** The target of a reference such as `#/$defs/place`; undefined if it is outside the schema or does not exist. */
export function targetOf(reference: Json | undefined, root: Json): Json | undefined {
  if (typeof reference !== "string" || !reference.startsWith("#")) return undefined;
  let target: Json | undefined = root;
  for (const token of reference.slice(1).split("/").slice(1)) {
    const name = token.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(target)) target = target[wholeNumber(name) ?? -1];
    else if (isObject(target) && Object.hasOwn(target, name)) target = target[name];
    else return undefined;
  }
  return target;
}
