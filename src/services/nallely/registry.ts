/**
 * The neurons of one program, by `kind::name`.
 *
 * Invariants: a name on the bus is registered once, whatever the kind, because a second neuron of the same name would share the first
 * one's parameters; registering the same kind and name again returns the existing neuron.
 */
import { NEURONS_MAX } from "../../core/limits.ts";
import { type RuleViolation, violation } from "./rule-violation.ts";

export interface NeuronRegistry<T> {
  readonly byKey: Map<string, { readonly name: string; readonly item: T }>;
  readonly keyByName: Map<string, string>;
}

export const createRegistry = <T>(): NeuronRegistry<T> => ({ byKey: new Map(), keyByName: new Map() });

export const registryKey = (kind: string, name: string): string => `${kind}::${name}`;

/** The neuron of that kind and name, created if it does not exist; or the rule that forbids it. */
export function register<T extends object>(
  registry: NeuronRegistry<T>,
  { kind, name }: { readonly kind: string; readonly name: string },
  create: () => T,
): T | RuleViolation {
  const key = registryKey(kind, name);
  const known = registry.byKey.get(key);
  if (known !== undefined) return known.item;
  const taken = registry.keyByName.get(name);
  if (taken !== undefined) {
    return violation("registry", `${name} is already registered as ${taken}: the bus would mix the two`);
  }
  if (registry.byKey.size >= NEURONS_MAX) return violation("registry", `at most ${NEURONS_MAX} neurons can be registered`);
  const item = create();
  registry.byKey.set(key, { name, item });
  registry.keyByName.set(name, key);
  return item;
}

export const find = <T>(registry: NeuronRegistry<T>, kind: string, name: string): T | undefined =>
  registry.byKey.get(registryKey(kind, name))?.item;

/** Removes a neuron and returns it. */
export function remove<T>(registry: NeuronRegistry<T>, kind: string, name: string): T | undefined {
  const key = registryKey(kind, name);
  const known = registry.byKey.get(key);
  if (known === undefined) return undefined;
  registry.byKey.delete(key);
  registry.keyByName.delete(known.name);
  return known.item;
}
