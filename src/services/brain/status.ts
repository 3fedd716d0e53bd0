/** Answers the API's queries about the Brain. */
import { assertNever } from "../../core/assert.ts";
import type { StepContext } from "../../core/context.ts";
import type { ServiceEvent } from "../../core/event.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { respond } from "../../core/request.ts";
import { type BrainSessionView, type Page, pageOf, type PageRequest } from "../../core/view.ts";
import { isoTime } from "../../core/text.ts";
import { lastSeq, loadedOf } from "./log/session-log.ts";
import { artifactView } from "./predictions/artifact-reader.ts";
import { loadPrediction } from "./predictions/prediction-log.ts";
import { type BrainSession, shortId } from "./sessions/session.ts";
import type { BrainState } from "./state.ts";

/** The overview shows this many sessions, the last used ones. */
const SESSIONS_SHOWN_MAX = 100;

/** Answers one query. */
export function answerQuery(
  state: BrainState,
  { requestId, request }: ServiceEvent & { readonly is: "requested" },
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
