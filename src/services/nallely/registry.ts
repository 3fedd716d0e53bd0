/**
 * Several neurons of one program, by `kind::name`.
 *
 * Invariants: a name on the bus is registered once, whatever its kinds are called: a second neuron of the same name would share
 * the first one's parameters; registering the very same again gives what is there.
 */
import { NEURONS_MAX } from "../../core/limits.ts";
import { type Refusal, refusal } from "./refusal.ts";

export interface Registry<T> {
  readonly byKey: Map<string, { readonly name: string; readonly item: T }>;
  readonly keyByName: Map<string, string>;
}

export const registry = <T>(): Registry<T> => ({ byKey: new Map(), keyByName: new Map() });

export const registryKey = (kind: string, name: string): string => `${kind}::${name}`;

/** The neuron of that kind and name, made when there is none; or why it cannot be. */
export function register<T extends object>(
  of: Registry<T>,
  as: { kind: string; name: string },
  make: () => T,
): T | Refusal {
  const key = registryKey(as.kind, as.name);
  const known = of.byKey.get(key);
  if (known !== undefined) return known.item;
  const taken = of.keyByName.get(as.name);
  if (taken !== undefined) {
    return refusal("registry", `${as.name} is registered already, as ${taken}: the bus would mix the two`);
  }
  if (of.byKey.size >= NEURONS_MAX) return refusal("registry", `more than ${NEURONS_MAX} neurons`);
  const item = make();
  of.byKey.set(key, { name: as.name, item });
  of.keyByName.set(as.name, key);
  return item;
}

export const find = <T>(of: Registry<T>, kind: string, name: string): T | undefined =>
  of.byKey.get(registryKey(kind, name))?.item;

/** Takes it out and returns it. */
export function remove<T>(of: Registry<T>, kind: string, name: string): T | undefined {
  const key = registryKey(kind, name);
  const known = of.byKey.get(key);
  if (known === undefined) return undefined;
  of.byKey.delete(key);
  of.keyByName.delete(known.name);
  return known.item;
}
