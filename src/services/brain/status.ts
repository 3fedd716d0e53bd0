/** Answers the API's queries about the Brain. */
import { assertNever } from "../../core/assert.ts";
import type { StepContext } from "../../core/context.ts";
import type { ServiceEvent } from "../../core/event.ts";
import { type Json, type JsonObject, parseJson } from "../../core/json.ts";
import { type BrainRequest, type Requested, respond } from "../../core/request.ts";
import {
  type BrainEventView,
  type BrainSessionDetail,
  type BrainSessionView,
  type Page,
  pageOf,
  type PageRequest,
} from "../../core/view.ts";
import { isoTime } from "../../core/text.ts";
import type { LogEvent } from "./log/event.ts";
import { lastSeq, loadedOf } from "./log/session-log.ts";
import { artifactView } from "./predictions/artifact-reader.ts";
import { loadPrediction } from "./predictions/prediction-log.ts";
import { type BrainSession, shortId } from "./sessions/session.ts";
import type { BrainState } from "./state.ts";

/** The overview shows this many sessions, the last used ones. */
const SESSIONS_SHOWN_MAX = 100;

/** The state of a session, and the payload of an event, that are shown: characters of the JSON text. */
const STATE_LENGTH_MAX = 65_536;
const PAYLOAD_LENGTH_MAX = 4_096;
/** Events of a session that are shown. */
const EVENTS_MAX = 50;

/** Answers one query. */
export function answerQuery(
  state: BrainState,
  { requestId, principal, request }: ServiceEvent & { readonly is: "requested" },
  ctx: StepContext,
): void {
  if (request.of !== "brain") return ctx.emit({ do: "respond", requestId, fault: "notFound" });
  switch (request.get) {
    case "ready":
      return respond({ requestId, request }, { ok: true, reasons: [] }, ctx);
    case "status":
      return respond({ requestId, request }, statusView(state), ctx);
    case "sessions":
      return respond({ requestId, request }, sessionPage(state, request), ctx);
    case "session":
      return answerSession(state, { requestId, principal, request }, ctx);
    case "prediction":
      return loadPrediction(state, request.trace_id, { is: "api", requestId }, ctx);
    default:
      return assertNever(request);
  }
}

function statusView({ sessions, peers, tombstones, inference, settings }: BrainState): JsonObject {
  const latest = [...sessions.values()].sort((left, right) => right.usedAt - left.usedAt);
  return {
    peers: peers.size,
    sessions: sessions.size,
    sessions_max: settings.sessions,
    awake: latest.filter(({ log }) => log.contents.is === "loaded").length,
    damaged: latest.filter(({ log }) => log.contents.is === "damaged").length,
    ended: tombstones.size,
    persist: settings.persist,
    covenant: settings.covenant,
    artifact: artifactView(inference),
    latest: latest.slice(0, SESSIONS_SHOWN_MAX).map(sessionView),
  };
}

/** A session without its id, because the id grants access to the session. */
function sessionView({ id, log, usedAt, followers }: BrainSession): Json {
  const head = loadedOf(log)?.head;
  const details = head === undefined ? {} : {
    owner: head.owner,
    sealed: head.sealed,
    mode: head.policy.mode,
    keys: Object.keys(head.state).length,
  };
  return { name: shortId(id), seq: lastSeq(log), touched: isoTime(usedAt), followers: followers.size, ...details };
}

function sessionPage({ sessions }: BrainState, part: PageRequest): Page<BrainSessionView> {
  const byName = [...sessions.values()].sort(({ id: one }, { id: other }) => (one < other ? -1 : 1));
  const { items, next } = pageOf(byName, part, { id: ({ id }) => shortId(id) });
  return { items: items.map(sessionItem), next };
}

/** An operator looks into a session. Why for admins: its state is that of its clients, who have its id. */
function answerSession(
  { sessions }: BrainState,
  { requestId, principal, request }: Requested<BrainRequest & { readonly get: "session" }>,
  ctx: StepContext,
): void {
  if (!principal.scopes.includes("admin")) {
    return ctx.emit({ do: "respond", requestId, fault: "notAllowed", reason: "this needs the scope admin" });
  }
  const session = sessions.values().find(({ id }) => shortId(id) === request.name);
  if (session === undefined) {
    return ctx.emit({
      do: "respond",
      requestId,
      fault: "notFound",
      reason: `no session has the name ${request.name.slice(0, 64)}`,
    });
  }
  respond({ requestId, request }, sessionDetail(sessions, session), ctx);
}

function sessionDetail(sessions: BrainState["sessions"], session: BrainSession): BrainSessionDetail {
  const { log: { contents } } = session;
  const loaded = loadedOf(session.log);
  const isShown = loaded !== undefined && loaded.head.stateLength <= STATE_LENGTH_MAX;
  return {
    ...sessionItem(session),
    state: isShown ? withoutIds({ ...loaded.head.state }, sessions) : null,
    state_length: loaded?.head.stateLength ?? null,
    events: (loaded?.tail ?? []).slice(-EVENTS_MAX).map((event) => eventView(event, sessions)),
    damage: contents.is === "damaged" ? `event ${contents.damage.seq}: ${contents.damage.reason}` : null,
  };
}

/** Why without the payload of a fork: it has the ids of both sessions, which grant access to them. */
function eventView({ seq, type, timestamp, payload }: LogEvent, sessions: BrainState["sessions"]): BrainEventView {
  const isShown = type !== "SessionForked" && JSON.stringify(payload).length <= PAYLOAD_LENGTH_MAX;
  return { seq, type, timestamp, payload: isShown ? withoutIds(payload, sessions) : null };
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/** Why also in the state: a client may have written the id of a session there. */
function withoutIds(value: Json, sessions: BrainState["sessions"]): Json {
  const text = JSON.stringify(value);
  const shown = text.replace(UUID, (id) => (sessions.has(id) ? shortId(id) : id));
  return shown === text ? value : parseJson(shown, Infinity) ?? null;
}

function sessionItem({ id, log, usedAt, followers }: BrainSession): BrainSessionView {
  const head = loadedOf(log)?.head;
  return {
    name: shortId(id),
    seq: lastSeq(log),
    used_at: usedAt,
    followers: followers.size,
    is: log.contents.is,
    owner: head?.owner ?? null,
    sealed: head?.sealed ?? null,
    mode: head?.policy.mode ?? null,
    keys: head === undefined ? null : Object.keys(head.state).length,
  };
}
