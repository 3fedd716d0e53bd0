/**
 * Who is here: from the first frame of a peer to its last.
 *
 * ```
 *   opened -> newcomer --greeting--> integration | watcher --closed--> gone
 *                |                       ^
 *                |  name taken           |  its holder left, or had its time
 *                +------> claimant ------+
 * ```
 *
 * Invariants: G1 a newcomer says who it is in time, or is closed; G2 of one name there is one integration, and at most one
 * claimant; G3 what a peer that lost its name does later, its close included, touches nothing of the winner's; G4 whoever is
 * refused is told why before it is closed.
 */
import type { PeerEvent } from "../../core/event.ts";
import type { FaultName } from "../../core/fault.ts";
import type { PeerId } from "../../core/ids.ts";
import type { Frame, JsonObject } from "../../core/json.ts";
import { TAKEOVER_BYTES_MAX, TAKEOVER_FRAMES_MAX, TAKEOVER_GRACE_MS, TAKEOVERS_PER_MINUTE_MAX } from "../../core/limits.ts";
import type { Scope } from "../../core/settings.ts";
import type { StepContext } from "../../core/context.ts";
import { newFreeText } from "./free-text.ts";
import { requestChoiceOfLateIntegration, requestChoiceOfLateWatcher } from "./choices.ts";
import type { Identity, Integration, Newcomer, Peer, PendingTakeover, State, Watcher } from "./state.ts";
import { grantOf, grantOfDigest } from "./tokens.ts";
import { errorText, readGreeting } from "./wire.ts";

const MINUTE_MS = 60_000;

/** Somebody came in. */
export function open(state: State, { peer, connection }: PeerEvent & { is: "opened" }, ctx: StepContext): void {
  const { limits } = state.settings;
  if (state.closeAt !== undefined) return ctx.emit({ do: "close", peer, fault: "restarting" });
  if (state.greetings.size >= limits.unauthenticated) {
    ctx.observe({ is: "peer_closed_by_relay", from: connection.address, fault: "tooManyPeers" });
    return ctx.emit({ do: "close", peer, fault: "tooManyPeers" });
  }
  state.peers.set(peer, { is: "newcomer", peer, connection });
  state.greetings.set(peer, ctx.now + limits.greeting);
}

/** Closes somebody and forgets it at once: what it still sends or does is nobody's. */
export function close(state: State, { peer, fault }: { peer: Peer; fault: FaultName }, ctx: StepContext): void {
  forget(state, peer, ctx);
  ctx.emit({ do: "close", peer: peer.peer, fault });
}

/** Takes a peer out of all tables. */
export function forget(state: State, peer: Peer, ctx: StepContext): void {
  state.peers.delete(peer.peer);
  switch (peer.is) {
    case "newcomer":
      return state.greetings.clear(peer.peer);
    case "pendingTakeover":
      state.takeoverDeadlines.clear(peer.peer);
      if (state.pendingTakeovers.get(peer.identity.name) === peer) state.pendingTakeovers.delete(peer.identity.name);
      return;
    case "watcher":
      state.subscriptions.remove(peer.peer, ctx.now);
      return ctx.observe({ is: "neuroos_disconnected", name: peer.name });
    case "integration":
      return leave(state, peer, ctx);
  }
}

function leave(state: State, integration: Integration, ctx: StepContext): void {
  const { peer, name } = integration;
  state.integrations.delete(name);
  state.freeTexts.clear(peer);
  if (integration.hasQueue) {
    state.queue.disconnect(name, ctx);
    state.directory.recordSeen(name, ctx);
  }
  ctx.post("neuro", { is: "integrationLeft", peer });
  ctx.observe({ is: "integration_disconnected", name });
}

/** The first frame of a newcomer. */
export function greet(state: State, { newcomer, frame }: { newcomer: Newcomer; frame: Frame }, ctx: StepContext): void {
  const { limits } = state.settings;
  const read = readGreeting(frame, { bytesMax: limits.greeting_bytes, depthMax: limits.json_depth });
  ctx.count("newcomer", "in", read.ok ? "registration" : "unreadable");
  if (!read.ok) return refuse(state, { newcomer, fault: read.fault, reason: read.reason }, ctx);
  const { type, name, token, acks } = read.value;
  const given = name.ok ? name.value : undefined;
  const grant = grantOf(state.tokens, token, given ?? "");
  if (grant === undefined) return refuse(state, { newcomer, fault: "badToken", reason: "invalid auth token" }, ctx);
  if (type !== "integration" && type !== "neuro-os") {
    return refuse(state, { newcomer, fault: "badGreeting", reason: "unknown registration type" }, ctx);
  }
  if (!name.ok) return refuse(state, { newcomer, fault: name.fault, reason: name.reason }, ctx);
  const needs: Scope = type === "integration" ? "integration" : "watch";
  if (!grant.scopes.has(needs)) return refuse(state, { newcomer, fault: "notAllowed", reason: "not allowed", needs }, ctx);
  const { peer, connection } = newcomer;
  state.greetings.clear(peer);
  const session = ctx.secret();
  const identity: Identity = { peer, connection, name: given ?? unnamed(state), ...grant, session, since: ctx.now };
  if (type === "neuro-os") return watch(state, identity, ctx);
  const claimant: PendingTakeover = { is: "pendingTakeover", peer, identity, acks, frames: [], bytes: 0 };
  if (given !== undefined && state.integrations.has(given)) requestTakeover(state, claimant, ctx);
  else join(state, { identity, acks, hasQueue: given !== undefined }, ctx);
}

interface Refusal {
  readonly newcomer: Newcomer;
  readonly fault: FaultName;
  readonly reason: string;
  readonly needs?: Scope;
}

function refuse(state: State, { newcomer, fault, reason, needs }: Refusal, ctx: StepContext): void {
  ctx.observe({ is: "greeting_refused", fault, address: newcomer.connection.address, reason });
  ctx.emit({ do: "reply", to: newcomer.peer, frame: errorText(reason, fault, needs && { needs }) });
  close(state, { peer: newcomer, fault }, ctx);
}

function unnamed(state: State): string {
  let name = `unknown-${++state.unnamed}`;
  while (state.integrations.has(name)) name = `unknown-${++state.unnamed}`;
  return name;
}

function watch(state: State, identity: Identity, ctx: StepContext): void {
  const watcher: Watcher = { is: "watcher", ...identity, messages: 0 };
  state.peers.set(watcher.peer, watcher);
  state.subscriptions.add({ peer: watcher.peer, events: undefined, rate: undefined, missed: 0 }, ctx);
  attach(watcher, { kind: "neuro-os" }, ctx);
  requestChoiceOfLateWatcher(state, watcher);
  const privileges = watcher.scopes.has("direct") ? "enhanced" : "standard";
  ctx.observe({ is: "neuroos_connected", name: watcher.name, privileges });
}

/** An integration's name is free: it takes its place. */
function join(
  state: State,
  { identity, acks, hasQueue }: { identity: Identity; acks: boolean; hasQueue: boolean },
  ctx: StepContext,
): void {
  const integration = integrationOf(identity, { acks, hasQueue, now: ctx.now });
  const { peer, name, session } = integration;
  state.peers.set(peer, integration);
  state.integrations.set(name, integration);
  attach(integration, { kind: "integration", acks, hasQueue }, ctx);
  if (acks) ctx.emit({ do: "reply", to: peer, frame: JSON.stringify({ event: "registered", name, session }) });
  ctx.observe({ is: "integration_connected", name });
  ctx.post("neuro", { is: "integrationJoined", peer, name, connection: integration.connection });
  requestChoiceOfLateIntegration(state, integration, ctx);
  if (!hasQueue) return;
  state.directory.recordSeen(name, ctx);
  state.queue.connect(name, { peer, acks }, ctx);
}

export const integrationOf = (
  identity: Identity,
  { acks, hasQueue, now }: { acks: boolean; hasQueue: boolean; now: number },
): Integration => ({
  is: "integration",
  ...identity,
  acks,
  hasQueue,
  heardAt: now,
  messages: 0,
  actions: new Map(),
  repaired: new Set(),
  freeText: newFreeText(),
});

/** What is remembered of a peer over a panic or sleep. */
export function attach(identity: Identity, kind: JsonObject, ctx: StepContext): void {
  const { peer, name, digest, scopes, session, since } = identity;
  ctx.emit({ do: "attach", peer, attachment: { v: 1, ...kind, name, digest, scopes: [...scopes], session, since } });
}

/** A name that somebody has: the newest gets it when its holder is silent or had its time, unless they are at it all the time. */
function requestTakeover(state: State, claimant: PendingTakeover, ctx: StepContext): void {
  const { identity: { name }, peer } = claimant;
  state.peers.set(peer, claimant);
  const holder = state.integrations.get(name);
  const rival = state.pendingTakeovers.get(name);
  if (rival !== undefined) lose(state, rival, ctx);
  const last = (state.takeovers.get(name) ?? []).filter((at) => at + MINUTE_MS > ctx.now);
  if (last.length >= TAKEOVERS_PER_MINUTE_MAX) {
    ctx.observe({ is: "taken_over", name, winner: "oldest" });
    return lose(state, claimant, ctx);
  }
  state.pendingTakeovers.set(name, claimant);
  const silentSince = holder?.heardAt ?? 0;
  state.takeoverDeadlines.set(peer, silentSince + TAKEOVER_GRACE_MS <= ctx.now ? ctx.now : ctx.now + TAKEOVER_GRACE_MS);
}

function lose(state: State, loser: Peer, ctx: StepContext): void {
  ctx.emit({ do: "reply", to: loser.peer, frame: errorText("name taken", "nameTaken") });
  close(state, { peer: loser, fault: "nameTaken" }, ctx);
}

/** Keeps what a claimant says until it has its name. */
export function bufferFrame(
  state: State,
  { claimant, frame }: { claimant: PendingTakeover; frame: Frame },
  ctx: StepContext,
): void {
  claimant.frames.push(frame);
  claimant.bytes += frame.length;
  if (claimant.frames.length > TAKEOVER_FRAMES_MAX || claimant.bytes > TAKEOVER_BYTES_MAX) {
    close(state, { peer: claimant, fault: "rateLimit" }, ctx);
  }
}

/** Gives a claimant its name; its holder, where there still is one, has lost it. Returns the frames that it sent meanwhile. */
export function completeTakeover(state: State, claimant: PendingTakeover, ctx: StepContext): readonly Frame[] {
  const { identity: { name }, peer } = claimant;
  state.takeoverDeadlines.clear(peer);
  state.pendingTakeovers.delete(name);
  const holder = state.integrations.get(name);
  if (holder !== undefined) {
    const last = (state.takeovers.get(name) ?? []).filter((at) => at + MINUTE_MS > ctx.now);
    for (const old of state.takeovers.keys()) {
      if (state.takeovers.size <= state.settings.limits.peers) break;
      state.takeovers.delete(old);
    }
    state.takeovers.delete(name);
    state.takeovers.set(name, [...last, ctx.now]);
    ctx.observe({ is: "taken_over", name, winner: "newest" });
    lose(state, holder, ctx);
  }
  join(state, { identity: claimant.identity, acks: claimant.acks, hasQueue: true }, ctx);
  return claimant.frames;
}

/** Greetings whose time is over. */
export function closeSilentPeers(state: State, ctx: StepContext): void {
  for (const id of state.greetings.due(ctx.now)) {
    const newcomer = state.peers.get(id as PeerId); // Why: only ids of peers are set there.
    if (newcomer === undefined) continue;
    const address = newcomer.is === "newcomer" ? newcomer.connection.address : "";
    ctx.observe({ is: "greeting_refused", fault: "noGreeting", address, reason: "no registration in time" });
    ctx.emit({ do: "reply", to: newcomer.peer, frame: errorText("no registration in time", "noGreeting") });
    close(state, { peer: newcomer, fault: "noGreeting" }, ctx);
  }
}

/** Tokens changed: who came by one that is no more has to go, and the others may do what it now allows. */
export function recheckTokens(state: State, ctx: StepContext): void {
  for (const peer of [...state.peers.values()]) {
    if (peer.is === "newcomer") continue;
    const identity = peer.is === "pendingTakeover" ? peer.identity : peer;
    const hasName = peer.is !== "integration" || peer.hasQueue;
    const scopes = grantOfDigest(state.tokens, identity.digest, hasName ? identity.name : "")?.scopes ?? new Set<Scope>();
    if (!scopes.has(peer.is === "watcher" ? "watch" : "integration")) {
      ctx.emit({ do: "reply", to: peer.peer, frame: errorText("invalid auth token", "badToken") });
      ctx.observe({ is: "peer_closed_by_relay", from: identity.name, fault: "badToken" });
      close(state, { peer, fault: "badToken" }, ctx);
    } else identity.scopes = scopes;
  }
}
