/** The room made anew: names, entries and uploads from the store, and those peers who were connected all the while. */
import type { ResumedPeer } from "../../core/event.ts";
import { isObject, type Json } from "../../core/json.ts";
import type { RestoreInput } from "../../core/service.ts";
import type { Scope, Settings } from "../../core/settings.ts";
import type { StepContext } from "../../core/context.ts";
import { AUDIT_PREFIX } from "./audit.ts";
import { DIRECTORY_PREFIX } from "./directory.ts";
import { integrationOf, recheckTokens } from "./registry.ts";
import { type Identity, type State, stateOf } from "./state.ts";
import { UPLOAD_PREFIX } from "./uploads.ts";
import { rateOf } from "./wire.ts";

const SCOPES: readonly Scope[] = ["integration", "watch", "command", "direct", "admin"];

/** The room as it was, from its entries and those who are still connected. */
export function restore(settings: Settings, { entries, resumed, now, hasSlept = false }: RestoreInput): State {
  const state = stateOf(settings);
  state.directory.restore(entries.filter(({ key }) => key.startsWith(DIRECTORY_PREFIX)));
  state.uploads.restore(entries.filter(({ key }) => key.startsWith(UPLOAD_PREFIX)));
  state.audit.restore(entries.filter(({ key }) => key.startsWith(AUDIT_PREFIX)));
  state.queue.restore(entries.map(({ key }) => key));
  for (const name of state.directory.all()) state.queue.setName(name);
  const missed = hasSlept ? 0 : null;
  for (const resumedPeer of resumed) {
    if (takeBack(state, resumedPeer, { now, missed })) continue;
    state.peers.set(resumedPeer.peer, { is: "newcomer", peer: resumedPeer.peer, connection: resumedPeer.connection });
    state.greetings.set(resumedPeer.peer, now + settings.limits.greeting);
  }
  return state;
}

/** How those who had greeted come back. */
interface Back {
  readonly now: number;
  /** How many events a watcher missed; null: nobody knows. */
  readonly missed: 0 | null;
}

/** One who had greeted is who it was. False for anybody else. */
function takeBack(state: State, { peer, connection, attachment }: ResumedPeer, { now, missed }: Back): boolean {
  if (!isObject(attachment) || attachment.v !== 1) return false;
  const { kind, name, digest, session, since, scopes, acks, hasQueue, events, rate } = attachment;
  if (typeof name !== "string" || typeof digest !== "string") return false;
  const identity: Identity = {
    peer,
    connection,
    name,
    digest,
    scopes: new Set(SCOPES.filter((scope) => textsOf(scopes).includes(scope))),
    session: String(session),
    since: Number(since),
  };
  if (kind === "neuro-os") {
    state.peers.set(peer, { is: "watcher", ...identity, messages: 0 });
    state.resumedPeers.push({
      peer,
      missed,
      events: events === undefined ? undefined : textsOf(events),
      rate: rateOf(rate),
    });
    return true;
  }
  if (kind !== "integration" || state.integrations.has(name)) return false;
  const integration = integrationOf(identity, { acks: acks === true, hasQueue: hasQueue === true, now });
  state.peers.set(peer, integration);
  state.integrations.set(name, integration);
  state.resumedPeers.push({ peer, missed, events: undefined, rate: undefined });
  if (name.startsWith("unknown-")) state.unnamed = Math.max(state.unnamed, Number(name.slice(8)) || 0);
  return true;
}

/** What needs a step: other rooms are told of those who were taken back, and what waits for them is sent. */
export function resume(state: State, ctx: StepContext): void {
  if (state.resumedPeers.length === 0) return;
  for (const { peer: id, events, rate, missed } of state.resumedPeers.splice(0)) {
    const peer = state.peers.get(id);
    if (peer?.is === "watcher") state.subscriptions.add({ peer: id, events, rate, missed }, ctx);
    if (peer?.is !== "integration") continue;
    const { name, connection, acks, hasQueue } = peer;
    ctx.post("neuro", { is: "integrationJoined", peer: id, name, connection });
    if (hasQueue) state.queue.connect(name, { peer: id, acks }, ctx);
  }
  recheckTokens(state, ctx); // Why: while nobody was here to see it, tokens may have changed.
}

const textsOf = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((part): part is string => typeof part === "string") : [];
