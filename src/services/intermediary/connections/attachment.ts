/** The part of a peer that survives a panic of the service, and the sleep of a Durable Object: its attachment. */
import { ALL_SCOPES } from "../../../core/access.ts";
import type { StepContext } from "../../../core/context.ts";
import type { ResumedPeer } from "../../../core/event.ts";
import type { Millis } from "../../../core/ids.ts";
import { isObject, type Json, type JsonObject } from "../../../core/json.ts";
import { readRate } from "../codec/watcher-requests.ts";
import { type Connections, newAccount } from "./connection-state.ts";
import { type Identity, type Integration, newIntegration, type Watcher } from "./peer.ts";

export function attachIntegration(integration: Integration, ctx: StepContext): void {
  const { acks, traces, hasQueue } = integration;
  attach(integration, { kind: "integration", acks, ...(traces && { traces }), hasQueue }, ctx);
}

/** `fields`: the events and the rate of its subscription, and whether it is told of changes, where it has set them. */
export const attachWatcher = (watcher: Watcher, fields: JsonObject, ctx: StepContext): void =>
  attach(watcher, { kind: "neuro-os", ...fields }, ctx);

function attach(identity: Identity, fields: JsonObject, ctx: StepContext): void {
  const { peer, name, digest, scopes, session, since } = identity;
  ctx.emit({ do: "attach", peer, attachment: { v: 1, ...fields, name, digest, scopes: [...scopes], session, since } });
}

/** Adds a peer that had greeted before. False for a peer that had not. */
export function restorePeer(
  connections: Connections,
  { peer, connection, attachment }: ResumedPeer,
  { missed, now }: { readonly missed: 0 | null; readonly now: Millis },
): boolean {
  if (!isObject(attachment) || attachment.v !== 1) return false;
  const { kind, name, digest, session, since, scopes, acks, traces, hasQueue, events, rate, changes } = attachment;
  if (typeof name !== "string" || typeof digest !== "string") return false;
  const identity: Identity = {
    peer,
    connection,
    name,
    digest,
    scopes: new Set(ALL_SCOPES.filter((scope) => stringsIn(scopes).includes(scope))),
    session: String(session),
    since: typeof since === "number" ? Math.min(since, now) : now,
  };
  if (kind === "neuro-os") {
    connections.peers.set(peer, { is: "watcher", ...identity, messages: 0, repaired: new Set() });
    const filter = events === undefined ? undefined : stringsIn(events);
    connections.resumed.push({ peer, missed, events: filter, rate: readRate(rate), changes: changes === true });
    return true;
  }
  if (kind !== "integration" || connections.integrations.has(name)) return false;
  const options = {
    acks: acks === true,
    traces: traces === true,
    hasQueue: hasQueue === true,
    retained: newAccount(connections),
  };
  const integration = newIntegration(identity, options, now);
  connections.peers.set(peer, integration);
  connections.integrations.set(name, integration);
  connections.resumed.push({ peer, missed, events: undefined, rate: undefined, changes: false });
  connections.generatedNames = Math.max(connections.generatedNames, generatedNumberOf(name));
  return true;
}

/** The number in a generated name. 0 for another name: a peer may greet as `unknown-Infinity`. */
function generatedNumberOf(name: string): number {
  const [, digits] = /^unknown-(\d{1,9})$/.exec(name) ?? [];
  return digits === undefined ? 0 : Number(digits);
}

const stringsIn = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((part): part is string => typeof part === "string") : [];
