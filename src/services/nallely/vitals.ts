/**
 * The relay's vital signs, read off the facts that its rooms state.
 *
 * Invariants: V1 every table is bounded, what exceeds it is not counted; V2 each action gives one pulse with both its edges, and
 * pulses that come faster than they can be shown wait, up to a bound; V3 nothing happens in here unless a fact came or a
 * deadline of its own did.
 */
import type { Millis } from "../../core/ids.ts";
import { PULSES_WAITING_MAX, VITALS_MAX } from "../../core/limits.ts";
import type { Observation } from "../../core/observation.ts";
import type { ParameterDeclaration } from "./declaration.ts";

export type VitalName = "integrations" | "actionrate" | "pending" | "queuedepth" | "action" | "forceopen";

/** The outputs, as the session sees them. */
export const VITALS: Readonly<Record<VitalName, ParameterDeclaration>> = {
  integrations: { direction: "out", range: [0, 64] },
  actionrate: { direction: "out", range: [0, 100] },
  pending: { direction: "out", range: [0, 64] },
  queuedepth: { direction: "out", range: [0, 1_000] },
  /** Up and down again for each action that is sent: an occasion, never sent again. */
  action: { direction: "out", range: [0, 1], resend: false },
  forceopen: { direction: "out", range: [0, 1] },
};

/** Where a sign goes that changed. */
export type Show = (name: VitalName, value: number) => void;

/** How long a pulse is up, and down. */
const PULSE_MS = 10;
/** Actions are counted over one second, in tenths of it. */
const SLOT_MS = 100;
const SLOTS = 10;

export interface Vitals {
  readonly present: Set<string>;
  readonly pending: Set<string>;
  readonly queued: Map<string, number>;
  readonly forces: Set<string>;
  readonly shown: Map<VitalName, number>;
  readonly slots: number[];
  slot: number;
  isUp: boolean;
  pulses: number;
  pulseAt: Millis | undefined;
}

export const vitals = (): Vitals => ({
  present: new Set(),
  pending: new Set(),
  queued: new Map(),
  forces: new Set(),
  shown: new Map(),
  slots: new Array<number>(SLOTS).fill(0),
  slot: 0,
  isUp: false,
  pulses: 0,
  pulseAt: undefined,
});

/** A fact was stated. */
export function hear(of: Vitals, observation: Observation, at: { readonly now: Millis; readonly show: Show }): void {
  switch (observation.is) {
    case "integration_connected":
    case "integration_connected_via_backend":
      return add(of.present, keyOf(observation), () => count(of, at.show));
    case "integration_disconnected":
    case "integration_disconnected_via_backend":
      of.present.delete(keyOf(observation));
      return count(of, at.show);
    case "action_sent":
      add(of.pending, observation.id, () => {});
      pulse(of, at);
      advance(of, at.now);
      of.slots[of.slot % SLOTS] = (of.slots[of.slot % SLOTS] ?? 0) + 1;
      return count(of, at.show);
    case "action_result":
    case "action_expired":
      of.pending.delete(observation.id);
      return count(of, at.show);
    case "message_queued":
      if (of.queued.has(observation.to) || of.queued.size < VITALS_MAX) of.queued.set(observation.to, observation.depth);
      return count(of, at.show);
    case "message_delivered":
    case "message_dead":
      return shrink(of, observation.to, at.show);
    case "force_opened":
      return add(of.forces, observation.integration, () => count(of, at.show));
    case "force_ended":
      of.forces.delete(observation.integration);
      return count(of, at.show);
    default:
      return;
  }
}

/** A deadline came, or may have. */
export function beat(of: Vitals, { now, show }: { readonly now: Millis; readonly show: Show }): void {
  if (advance(of, now)) count(of, show);
  if (of.pulseAt === undefined || of.pulseAt > now) return;
  of.pulseAt = undefined;
  if (of.isUp) {
    of.isUp = false;
    of.pulseAt = now + PULSE_MS;
    show("action", 0);
  } else if (of.pulses > 0) rise(of, { now, show });
}

export function nextBeat(of: Vitals): Millis | undefined {
  const slotAt = of.slots.some((sent) => sent > 0) ? (of.slot + 1) * SLOT_MS : undefined;
  if (slotAt === undefined || of.pulseAt === undefined) return slotAt ?? of.pulseAt;
  return Math.min(slotAt, of.pulseAt);
}

const keyOf = (
  note: Observation & { readonly name: string },
): string => (note.is.endsWith("backend") ? `game ${note.name}` : note.name);

function add(to: Set<string>, key: string, then: () => void): void {
  if (to.size < VITALS_MAX) to.add(key);
  then();
}

function shrink(of: Vitals, to: string, show: Show): void {
  const depth = of.queued.get(to);
  if (depth === undefined) return;
  if (depth > 1) of.queued.set(to, depth - 1);
  else of.queued.delete(to);
  count(of, show);
}

/** Shows the signs that have changed. */
function count(of: Vitals, show: Show): void {
  let queued = 0;
  for (const depth of of.queued.values()) queued += depth;
  const now: readonly (readonly [VitalName, number])[] = [
    ["integrations", of.present.size],
    ["actionrate", of.slots.reduce((sum, sent) => sum + sent, 0)],
    ["pending", of.pending.size],
    ["queuedepth", queued],
    ["forceopen", of.forces.size > 0 ? 1 : 0],
  ];
  for (const [name, value] of now) {
    if ((of.shown.get(name) ?? 0) === value) continue;
    of.shown.set(name, value);
    show(name, value);
  }
}

/** Moves the second on, and says whether anything fell out of it. */
function advance(of: Vitals, now: Millis): boolean {
  const slot = Math.floor(now / SLOT_MS);
  const passed = Math.min(SLOTS, slot - of.slot);
  let hasChanged = false;
  for (let at = 1; at <= passed; at++) {
    const index = (of.slot + at) % SLOTS;
    hasChanged ||= of.slots[index] !== 0;
    of.slots[index] = 0;
  }
  of.slot = slot;
  return hasChanged;
}

function pulse(of: Vitals, at: { readonly now: Millis; readonly show: Show }): void {
  if (of.pulses < PULSES_WAITING_MAX) of.pulses++;
  if (of.pulseAt === undefined) rise(of, at);
}

function rise(of: Vitals, { now, show }: { readonly now: Millis; readonly show: Show }): void {
  of.pulses--;
  of.isUp = true;
  of.pulseAt = now + PULSE_MS;
  show("action", 1);
}
