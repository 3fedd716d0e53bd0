/**
 * Statistics of the relay, counted from the observations of its services and shown as outputs of its neuron.
 *
 * Invariants: V1 every table is bounded, and entries beyond the bound are not counted; V2 each action gives one pulse with both edges, and
 * pulses that come faster than they can be sent wait, at most `PULSES_WAITING_MAX` of them; V3 the statistics change only by an observation
 * or an own deadline.
 */
import { assertNever } from "../../core/assert.ts";
import { earlier } from "../../core/deadlines.ts";
import type { Millis } from "../../core/ids.ts";
import { PULSES_WAITING_MAX, STATS_ENTRIES_MAX } from "../../core/limits.ts";
import type { Observation } from "../../core/observation.ts";
import type { ParameterDeclaration } from "./declaration.ts";

export type StatName = "integrations" | "actionrate" | "pending" | "queuedepth" | "action" | "forceopen";

/** The outputs, as they are declared to the session. */
export const STAT_PARAMETERS: Readonly<Record<StatName, ParameterDeclaration>> = {
  integrations: { direction: "out", range: [0, 64] },
  actionrate: { direction: "out", range: [0, 100] },
  pending: { direction: "out", range: [0, 64] },
  queuedepth: { direction: "out", range: [0, 1_000] },
  /** 1 and back to 0 for each action that is sent. An event, so it is not sent again after a reconnect. */
  action: { direction: "out", range: [0, 1], resend: false },
  forceopen: { direction: "out", range: [0, 1] },
};

/** Sets the output of a statistic that has changed. */
export type PublishStat = (name: StatName, value: number) => void;

/** How long a pulse is up, and how long it is down before the next one. */
const PULSE_MS = 10;
/** Actions are counted over one second, in buckets of a tenth of it. */
const BUCKET_MS = 100;
const BUCKETS = 10;

type Pulse =
  | { readonly is: "idle" }
  | { readonly is: "up"; readonly until: Millis }
  | { readonly is: "down"; readonly until: Millis };

export interface RelayStats {
  readonly present: Set<string>;
  readonly pending: Set<string>;
  readonly queued: Map<string, number>;
  readonly forces: Set<string>;
  readonly published: Map<StatName, number>;
  readonly buckets: number[];
  bucket: number;
  pulse: Pulse;
  pulsesWaiting: number;
}

export const createStats = (): RelayStats => ({
  present: new Set(),
  pending: new Set(),
  queued: new Map(),
  forces: new Set(),
  published: new Map(),
  buckets: new Array<number>(BUCKETS).fill(0),
  bucket: 0,
  pulse: { is: "idle" },
  pulsesWaiting: 0,
});

/** Counts an observation. */
export function recordObservation(
  stats: RelayStats,
  observation: Observation,
  now: Millis,
  publish: PublishStat,
): void {
  switch (observation.is) {
    case "integration_connected":
      add(stats.present, observation.name);
      return publishChanges(stats, publish);
    case "integration_connected_via_backend":
      add(stats.present, gameKey(observation.name));
      return publishChanges(stats, publish);
    case "integration_disconnected":
      stats.present.delete(observation.name);
      return publishChanges(stats, publish);
    case "integration_disconnected_via_backend":
      stats.present.delete(gameKey(observation.name));
      return publishChanges(stats, publish);
    case "action_sent":
      add(stats.pending, observation.id);
      queuePulse(stats, now, publish);
      advanceBuckets(stats, now);
      stats.buckets[stats.bucket % BUCKETS] = (stats.buckets[stats.bucket % BUCKETS] ?? 0) + 1;
      return publishChanges(stats, publish);
    case "action_result":
    case "action_expired":
      stats.pending.delete(observation.id);
      return publishChanges(stats, publish);
    case "message_queued":
      if (stats.queued.has(observation.to) || stats.queued.size < STATS_ENTRIES_MAX) {
        stats.queued.set(observation.to, observation.depth);
      }
      return publishChanges(stats, publish);
    case "message_delivered":
    case "message_dead":
      countDequeued(stats, observation.to);
      return publishChanges(stats, publish);
    case "force_opened":
      add(stats.forces, observation.id);
      return publishChanges(stats, publish);
    case "force_ended":
      stats.forces.delete(observation.id);
      return publishChanges(stats, publish);
    case "neuroos_connected":
    case "neuroos_disconnected":
    case "token_used":
    case "taken_over":
    case "greeting_refused":
    case "integration_message":
    case "integration_registered_actions":
    case "binary_received":
    case "backend_message":
    case "add_context":
    case "choose_action":
    case "approval_wanted":
    case "result_ignored":
    case "actions_registered":
    case "actions_unregistered":
    case "context_dropped":
    case "trace_ended":
    case "upstream_dialing":
    case "upstream_connected":
    case "upstream_lost":
    case "character_changed":
    case "upstream_silent":
    case "upstream_unreadable":
    case "queue_refused":
    case "entry_quarantined":
    case "session_created":
    case "operator_applied":
    case "operator_refused":
    case "session_sealed":
    case "session_ended":
    case "session_damaged":
    case "inferred":
    case "artifact_loaded":
    case "artifact_refused":
    case "nallely_connected":
    case "nallely_lost":
    case "nallely_drifted":
    case "nallely_input":
    case "nallely_output":
    case "nallely_refused":
    case "operator_acted":
    case "diagnostic":
    case "input_repaired":
    case "input_refused":
    case "peer_closed_by_relay":
    case "fault_injected":
    case "store_failed":
    case "writes_suspended":
    case "writes_resumed":
    case "panicked":
    case "service_rebuilt":
    case "recording_stopped":
    case "lines_dropped":
    case "relay_started":
    case "relay_stopped":
    case "relay_refused":
    case "link_connected":
    case "link_disconnected":
    case "node_changed":
    case "node_unreachable":
    case "relay_owned":
    case "relay_left":
    case "listener_lost":
    case "listener_restored":
      return;
    default:
      return assertNever(observation);
  }
}

/** Publishes the statistics that `isUnsent` names, changed or not: after a restart the session still has the values of the last run. */
export function publishUnsent(stats: RelayStats, isUnsent: (name: StatName) => boolean, publish: PublishStat): void {
  for (const [name, value] of levelsOf(stats)) {
    if (!isUnsent(name)) continue;
    stats.published.set(name, value);
    publish(name, value);
  }
  if (stats.pulse.is === "idle" && isUnsent("action")) publish("action", 0);
}

/** Handles expired deadlines: sends the next edge of a pulse, and drops old actions from the rate. */
export function tickStats(stats: RelayStats, now: Millis, publish: PublishStat): void {
  if (advanceBuckets(stats, now)) publishChanges(stats, publish);
  const { pulse } = stats;
  switch (pulse.is) {
    case "idle":
      return;
    case "up":
      if (pulse.until > now) return;
      stats.pulse = { is: "down", until: now + PULSE_MS };
      return publish("action", 0);
    case "down":
      if (pulse.until > now) return;
      stats.pulse = { is: "idle" };
      return startPulse(stats, now, publish);
    default:
      return assertNever(pulse);
  }
}

/** The time of the next deadline. */
export function nextStatsTick({ buckets, bucket, pulse }: RelayStats): Millis | undefined {
  const bucketEndsAt = buckets.some((sent) => sent > 0) ? (bucket + 1) * BUCKET_MS : undefined;
  return earlier(bucketEndsAt, pulse.is === "idle" ? undefined : pulse.until);
}

/** Why: a game and an integration of the Intermediary may have the same name. */
const gameKey = (name: string): string => `game ${name}`;

function add(entries: Set<string>, key: string): void {
  if (entries.size < STATS_ENTRIES_MAX) entries.add(key);
}

function countDequeued({ queued }: RelayStats, to: string): void {
  const depth = queued.get(to);
  if (depth === undefined) return;
  if (depth > 1) queued.set(to, depth - 1);
  else queued.delete(to);
}

function levelsOf({ present, buckets, pending, queued, forces }: RelayStats): readonly (readonly [StatName, number])[] {
  let depths = 0;
  for (const depth of queued.values()) depths += depth;
  return [
    ["integrations", present.size],
    ["actionrate", buckets.reduce((sum, sent) => sum + sent, 0)],
    ["pending", pending.size],
    ["queuedepth", depths],
    ["forceopen", forces.size > 0 ? 1 : 0],
  ];
}

/** Publishes the statistics that have changed. */
function publishChanges(stats: RelayStats, publish: PublishStat): void {
  for (const [name, value] of levelsOf(stats)) {
    if ((stats.published.get(name) ?? 0) === value) continue;
    stats.published.set(name, value);
    publish(name, value);
  }
}

/** Advances the window of one second. True if actions dropped out of it. */
function advanceBuckets(stats: RelayStats, now: Millis): boolean {
  const bucket = Math.floor(now / BUCKET_MS);
  const passed = Math.min(BUCKETS, bucket - stats.bucket);
  let hasChanged = false;
  for (let at = 1; at <= passed; at++) {
    const index = (stats.bucket + at) % BUCKETS;
    hasChanged ||= stats.buckets[index] !== 0;
    stats.buckets[index] = 0;
  }
  stats.bucket = bucket;
  return hasChanged;
}

function queuePulse(stats: RelayStats, now: Millis, publish: PublishStat): void {
  if (stats.pulsesWaiting < PULSES_WAITING_MAX) stats.pulsesWaiting++;
  if (stats.pulse.is === "idle") startPulse(stats, now, publish);
}

function startPulse(stats: RelayStats, now: Millis, publish: PublishStat): void {
  if (stats.pulsesWaiting === 0) return;
  stats.pulsesWaiting--;
  stats.pulse = { is: "up", until: now + PULSE_MS };
  publish("action", 1);
}
