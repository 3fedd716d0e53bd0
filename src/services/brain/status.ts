/** What the room says of itself to the command line, HTTP and the dashboard. */
import type { ServiceEvent } from "../../core/event.ts";
import { isoTime } from "../../core/text.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import type { StepContext } from "../../core/context.ts";
import type { BrainState } from "./state.ts";
import { inferenceView } from "./predictions/infer.ts";
import { loadPrediction } from "./predictions/prediction-log.ts";
import { type BrainSession, lastSeq, shortId } from "./sessions/session.ts";

/** Sessions that an overview shows: the last used ones. */
const SESSIONS_SHOWN_MAX = 100;

/** Answers a question about the Brain. */
export function reply(
  brain: BrainState,
  ctx: StepContext,
  { requestId, request }: ServiceEvent & { is: "requested" },
): void {
  const asked = "get" in request ? request : undefined;
  switch (asked?.get) {
    case "ready":
      return ctx.emit({ do: "respond", requestId, body: { ok: true, waits: [] } });
    case "status":
      return ctx.emit({ do: "respond", requestId, body: status(brain) });
    case "prediction":
      return loadPrediction(brain, ctx, { requestId, trace: asked.trace_id });
    default:
      return ctx.emit({ do: "respond", requestId, fault: "notFound" });
  }
}

function status(brain: BrainState): JsonObject {
  const { sessions, peers, tombstones, inference, settings } = brain;
  const latest = [...sessions.values()].sort((left, right) => right.touchedAt - left.touchedAt);
  return {
    peers: peers.size,
    sessions: sessions.size,
    sessions_max: settings.sessions,
    awake: latest.filter(({ log }) => log !== undefined).length,
    damaged: latest.filter(({ damage }) => damage !== undefined).length,
    ended: tombstones.size,
    persist: settings.persist,
    covenant: settings.covenant,
    artifact: inferenceView(inference),
    latest: latest.slice(0, SESSIONS_SHOWN_MAX).map(row),
  };
}

/** Without the id: whoever knows it may use the session. */
function row(session: BrainSession): Json {
  const { id, log, touchedAt, followers } = session;
  const known = log === undefined ? {} : {
    owner: log.head.owner,
    sealed: log.head.sealed,
    mode: log.head.policy.mode,
    keys: Object.keys(log.head.state).length,
  };
  return { name: shortId(id), seq: lastSeq(session), touched: isoTime(touchedAt), followers: followers.size, ...known };
}
