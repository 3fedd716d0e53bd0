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
import type { PeerEvent } from "../core/event.ts";
import type { FaultName } from "../core/fault.ts";
import type { PeerId } from "../core/ids.ts";
import type { Frame, JsonObject } from "../core/json.ts";
import {
  FRAMES_CLAIMING_BYTES_MAX,
  FRAMES_CLAIMING_MAX,
  TAKEOVER_GRACE_MS,
  TAKEOVERS_PER_MINUTE_MAX,
} from "../core/limits.ts";
import type { Scope } from "../core/settings.ts";
import type { Turn } from "../core/turn.ts";
import { chatter } from "./chatter.ts";
import { offerLate, offerNext } from "./offers.ts";
import type { Claimant, Identity, Integration, Newcomer, Peer, State, Watcher } from "./state.ts";
import { grantOf, grantOfDigest } from "./tokens.ts";
import { errorText, readGreeting } from "./wire.ts";

const MINUTE_MS = 60_000;

/** Somebody came in. */
export function open(state: State, { peer, caller }: PeerEvent & { is: "opened" }, turn: Turn): void {
  const { limits } = state.settings;
  if (state.closeAt !== undefined) return turn.put({ do: "close", peer, fault: "restarting" });
  if (state.greetings.size >= limits.unauthenticated) {
    turn.note({ is: "peer_closed_by_relay", from: caller.address, fault: "tooManyPeers" });
    return turn.put({ do: "close", peer, fault: "tooManyPeers" });
  }
  state.peers.set(peer, { is: "newcomer", peer, caller });
  state.greetings.set(peer, turn.now + limits.greeting);
}

/** Closes somebody and forgets it at once: what it still sends or does is nobody's. */
export function close(state: State, { peer, fault }: { peer: Peer; fault: FaultName }, turn: Turn): void {
  forget(state, peer, turn);
  turn.put({ do: "close", peer: peer.peer, fault });
}

/** Takes a peer out of all tables. */
export function forget(state: State, peer: Peer, turn: Turn): void {
  state.peers.delete(peer.peer);
  switch (peer.is) {
    case "newcomer":
      return state.greetings.clear(peer.peer);
    case "claimant":
      state.claims.clear(peer.peer);
      if (state.claimants.get(peer.identity.name) === peer) state.claimants.delete(peer.identity.name);
      return;
    case "watcher":
      state.watch.leave(peer.peer, turn.now);
      return turn.note({ is: "neuroos_disconnected", name: peer.name });
    case "integration":
      return leave(state, peer, turn);
  }
}

function leave(state: State, integration: Integration, turn: Turn): void {
  const { peer, name } = integration;
  state.integrations.delete(name);
  state.chatters.clear(peer);
  if (integration.hasQueue) {
    state.queue.shut(name, turn);
    state.known.see(name, turn);
  }
  turn.put({ do: "tell", room: "neuro", message: { is: "left", peer } });
  turn.note({ is: "integration_disconnected", name });
}

/** The first frame of a newcomer. */
export function greet(state: State, { newcomer, frame }: { newcomer: Newcomer; frame: Frame }, turn: Turn): void {
  const { limits } = state.settings;
  const read = readGreeting(frame, { bytesMax: limits.greeting_bytes, depthMax: limits.json_depth });
  turn.count("newcomer", "in", read.ok ? "registration" : "unreadable");
  if (!read.ok) return refuse(state, { newcomer, fault: read.fault, reason: read.reason }, turn);
  const { type, name, token, acks } = read.value;
  const given = name.ok ? name.value : undefined;
  const grant = grantOf(state.tokens, token, given ?? "");
  if (grant === undefined) return refuse(state, { newcomer, fault: "badToken", reason: "invalid auth token" }, turn);
  if (type !== "integration" && type !== "neuro-os") {
    return refuse(state, { newcomer, fault: "badGreeting", reason: "unknown registration type" }, turn);
  }
  if (!name.ok) return refuse(state, { newcomer, fault: name.fault, reason: name.reason }, turn);
  const needs: Scope = type === "integration" ? "integration" : "watch";
  if (!grant.scopes.has(needs)) return refuse(state, { newcomer, fault: "notAllowed", reason: "not allowed", needs }, turn);
  const { peer, caller } = newcomer;
  state.greetings.clear(peer);
  const session = turn.secret();
  const identity: Identity = { peer, caller, name: given ?? unnamed(state), ...grant, session, since: turn.now };
  if (type === "neuro-os") return watch(state, identity, turn);
  const claimant: Claimant = { is: "claimant", peer, identity, acks, frames: [], bytes: 0 };
  if (given !== undefined && state.integrations.has(given)) claim(state, claimant, turn);
  else join(state, { identity, acks, hasQueue: given !== undefined }, turn);
}

interface Refusal {
  readonly newcomer: Newcomer;
  readonly fault: FaultName;
  readonly reason: string;
  readonly needs?: Scope;
}

function refuse(state: State, { newcomer, fault, reason, needs }: Refusal, turn: Turn): void {
  turn.note({ is: "greeting_refused", fault, address: newcomer.caller.address, reason });
  turn.put({ do: "reply", to: newcomer.peer, frame: errorText(reason, fault, needs && { needs }) });
  close(state, { peer: newcomer, fault }, turn);
}

function unnamed(state: State): string {
  let name = `unknown-${++state.unnamed}`;
  while (state.integrations.has(name)) name = `unknown-${++state.unnamed}`;
  return name;
}

function watch(state: State, identity: Identity, turn: Turn): void {
  const watcher: Watcher = { is: "watcher", ...identity, messages: 0 };
  state.peers.set(watcher.peer, watcher);
  state.watch.follow({ peer: watcher.peer, events: undefined, rate: undefined, missed: 0 }, turn);
  attach(watcher, { kind: "neuro-os" }, turn);
  offerNext(state, watcher);
  const privileges = watcher.scopes.has("direct") ? "enhanced" : "standard";
  turn.note({ is: "neuroos_connected", name: watcher.name, privileges });
}

/** An integration's name is free: it takes its place. */
function join(
  state: State,
  { identity, acks, hasQueue }: { identity: Identity; acks: boolean; hasQueue: boolean },
  turn: Turn,
): void {
  const integration = integrationOf(identity, { acks, hasQueue, now: turn.now });
  const { peer, name, session } = integration;
  state.peers.set(peer, integration);
  state.integrations.set(name, integration);
  attach(integration, { kind: "integration", acks, hasQueue }, turn);
  if (acks) turn.put({ do: "reply", to: peer, frame: JSON.stringify({ event: "registered", name, session }) });
  turn.note({ is: "integration_connected", name });
  turn.put({ do: "tell", room: "neuro", message: { is: "joined", peer, name, caller: integration.caller } });
  offerLate(state, integration, turn);
  if (!hasQueue) return;
  state.known.see(name, turn);
  state.queue.open(name, { peer, acks }, turn);
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
  mended: new Set(),
  chatter: chatter(),
});

/** What is remembered of a peer over a panic or sleep. */
export function attach(identity: Identity, kind: JsonObject, turn: Turn): void {
  const { peer, name, digest, scopes, session, since } = identity;
  turn.put({ do: "attach", peer, attachment: { v: 1, ...kind, name, digest, scopes: [...scopes], session, since } });
}

/** A name that somebody has: the newest gets it when its holder is silent or had its time, unless they are at it all the time. */
function claim(state: State, claimant: Claimant, turn: Turn): void {
  const { identity: { name }, peer } = claimant;
  state.peers.set(peer, claimant);
  const holder = state.integrations.get(name);
  const rival = state.claimants.get(name);
  if (rival !== undefined) lose(state, rival, turn);
  const last = (state.takeovers.get(name) ?? []).filter((at) => at + MINUTE_MS > turn.now);
  if (last.length >= TAKEOVERS_PER_MINUTE_MAX) {
    turn.note({ is: "taken_over", name, winner: "oldest" });
    return lose(state, claimant, turn);
  }
  state.claimants.set(name, claimant);
  const silentSince = holder?.heardAt ?? 0;
  state.claims.set(peer, silentSince + TAKEOVER_GRACE_MS <= turn.now ? turn.now : turn.now + TAKEOVER_GRACE_MS);
}

function lose(state: State, loser: Peer, turn: Turn): void {
  turn.put({ do: "reply", to: loser.peer, frame: errorText("name taken", "nameTaken") });
  close(state, { peer: loser, fault: "nameTaken" }, turn);
}

/** Keeps what a claimant says until it has its name. */
export function keep(state: State, { claimant, frame }: { claimant: Claimant; frame: Frame }, turn: Turn): void {
  claimant.frames.push(frame);
  claimant.bytes += frame.length;
  if (claimant.frames.length > FRAMES_CLAIMING_MAX || claimant.bytes > FRAMES_CLAIMING_BYTES_MAX) {
    close(state, { peer: claimant, fault: "rateLimit" }, turn);
  }
}

/** Gives a claimant its name; its holder, where there still is one, has lost it. Returns the frames that it sent meanwhile. */
export function settle(state: State, claimant: Claimant, turn: Turn): readonly Frame[] {
  const { identity: { name }, peer } = claimant;
  state.claims.clear(peer);
  state.claimants.delete(name);
  const holder = state.integrations.get(name);
  if (holder !== undefined) {
    const last = (state.takeovers.get(name) ?? []).filter((at) => at + MINUTE_MS > turn.now);
    for (const old of state.takeovers.keys()) {
      if (state.takeovers.size <= state.settings.limits.peers) break;
      state.takeovers.delete(old);
    }
    state.takeovers.delete(name);
    state.takeovers.set(name, [...last, turn.now]);
    turn.note({ is: "taken_over", name, winner: "newest" });
    lose(state, holder, turn);
  }
  join(state, { identity: claimant.identity, acks: claimant.acks, hasQueue: true }, turn);
  return claimant.frames;
}

/** Greetings whose time is over. */
export function greetingsDue(state: State, turn: Turn): void {
  for (const id of state.greetings.due(turn.now)) {
    const newcomer = state.peers.get(id as PeerId); // Why: only ids of peers are set there.
    if (newcomer === undefined) continue;
    const address = newcomer.is === "newcomer" ? newcomer.caller.address : "";
    turn.note({ is: "greeting_refused", fault: "noGreeting", address, reason: "no registration in time" });
    turn.put({ do: "reply", to: newcomer.peer, frame: errorText("no registration in time", "noGreeting") });
    close(state, { peer: newcomer, fault: "noGreeting" }, turn);
  }
}

/** Tokens changed: who came by one that is no more has to go, and the others may do what it now allows. */
export function recheck(state: State, turn: Turn): void {
  for (const peer of [...state.peers.values()]) {
    if (peer.is === "newcomer") continue;
    const identity = peer.is === "claimant" ? peer.identity : peer;
    const hasName = peer.is !== "integration" || peer.hasQueue;
    const scopes = grantOfDigest(state.tokens, identity.digest, hasName ? identity.name : "")?.scopes ?? new Set<Scope>();
    if (!scopes.has(peer.is === "watcher" ? "watch" : "integration")) {
      turn.put({ do: "reply", to: peer.peer, frame: errorText("invalid auth token", "badToken") });
      turn.note({ is: "peer_closed_by_relay", from: identity.name, fault: "badToken" });
      close(state, { peer, fault: "badToken" }, turn);
    } else identity.scopes = scopes;
  }
}
