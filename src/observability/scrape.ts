/**
 * What is only looked at when somebody asks for the metrics: how the rooms are, and who is there for how long.
 *
 * What a room answers is read with care: its words may change, and a number that is missing must not be a wrong one.
 */
import type { Millis } from "../core/ids.ts";
import { isObject, type Json, type JsonObject } from "../core/json.ts";
import type { ServiceName } from "../core/service.ts";
import type { MessageCount } from "../core/message-counter.ts";
import type { Meters } from "./meters.ts";
import type { Cell, Family } from "./metrics.ts";
import type { IntegrationDoor, Present } from "./presence.ts";

/** What the metrics are made of, beside what was counted as it happened. */
export interface Look {
  readonly now: Millis;
  readonly version: string;
  /** Since the start. */
  readonly uptimeMs: Millis;
  readonly lagSeconds: number;
  /** What each room that could answer says of itself. */
  readonly statuses: ReadonlyMap<ServiceName, Json>;
  readonly messages: Iterable<Readonly<MessageCount>>;
  /** Integrations that are shown one by one. */
  readonly integrationsMax: number;
  /** Takes the secrets out of a name. */
  hide(text: string): string;
}

/** Everything in the text format of Prometheus. */
export function scrape(meters: Meters, look: Look): string {
  meters.build.of(look.version).set(1);
  meters.uptime.set(look.uptimeMs / 1_000);
  meters.lag.set(look.lagSeconds);
  for (const { service, counterpart, direction, kind, value } of look.messages) {
    meters.messages.of(service, counterpart, direction, kind).set(value);
  }
  showPresence(meters, look);
  showIntermediary(meters, look.statuses.get("intermediary"), look.now);
  showNeuro(meters, look.statuses.get("neuro"));
  const brain = look.statuses.get("brain");
  if (isObject(brain)) set(meters.sessions, brain.sessions);
  return meters.all.text();
}

const DOORS: readonly IntegrationDoor[] = ["intermediary", "neuro"];
const OTHER = "other";

function showPresence({ presence, integrations, integrationUptime }: Meters, look: Look): void {
  for (const listener of DOORS) integrations.of(listener).set(presence.count(listener));
  integrationUptime.clear();
  const seconds = ({ since }: Present) => Math.max(0, look.now - since) / 1_000;
  let shown = 0;
  for (const present of presence.all()) {
    if (shown++ < look.integrationsMax) {
      integrationUptime.of(present.listener, look.hide(present.name)).set(seconds(present));
      continue;
    }
    const others = integrationUptime.of(present.listener, OTHER);
    others.set(Math.max(others.value, seconds(present)));
  }
}

function showIntermediary(meters: Meters, status: Json | undefined, now: Millis): void {
  if (!isObject(status)) return;
  const { queue, uploads } = status;
  set(meters.watchers, status.watchers);
  set(meters.newcomers, status.newcomers);
  if (isObject(queue)) {
    set(meters.queueEntries, queue.entries);
    set(meters.queueBytes, queue.bytes);
    set(meters.deadLetters, queue.dead);
    meters.queueOldest.set(typeof queue.oldest === "number" ? Math.max(0, now - queue.oldest) / 1_000 : 0);
  }
  if (!isObject(uploads)) return;
  set(meters.uploadFiles, uploads.files);
  set(meters.uploadBytes, uploads.bytes);
}

function showNeuro(meters: Meters, status: Json | undefined): void {
  const upstreams = isObject(status) && Array.isArray(status.upstreams) ? status.upstreams.filter(isObject) : [];
  for (const { id, url, state, force, waiting, pending, contexts_held } of upstreams) {
    if (typeof id !== "string") continue;
    meters.forcesOpen.of(id).set(isObject(force) ? 1 : 0);
    setLength(meters.forcesWaiting, id, waiting);
    setLength(meters.pending, id, pending);
    set(meters.contextsHeld.of(id), contexts_held);
    if (url !== null) meters.upstreamUp.of(id).set(state === "open" ? 1 : 0); // Why: without one there is nothing to be down.
  }
}

function setLength(family: Family<Cell>, id: string, list: JsonObject[string]): void {
  if (Array.isArray(list)) family.of(id).set(list.length);
}

function set(cell: Cell, value: JsonObject[string]): void {
  if (typeof value === "number") cell.set(value);
}
