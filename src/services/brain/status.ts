/** What the room says of itself to the command line, HTTP and the dashboard. */
import type { ServiceEvent } from "../../core/event.ts";
import { isoTime } from "../../core/iso.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import type { StepContext } from "../../core/context.ts";
import type { Brain } from "./brain.ts";
import { overview } from "./inference.ts";
import { askForPrediction } from "./record.ts";
import { lastSeq, nameOf, type Session } from "./session.ts";

/** Sessions that an overview shows: the last used ones. */
const SESSIONS_SHOWN_MAX = 100;

/** Answers a question about the Brain. */
export function reply(brain: Brain, ctx: StepContext, { requestId, request }: ServiceEvent & { is: "requested" }): void {
  const asked = "get" in request ? request : undefined;
  switch (asked?.get) {
    case "ready":
      return ctx.emit({ do: "respond", requestId, body: { ok: true, waits: [] } });
    case "status":
      return ctx.emit({ do: "respond", requestId, body: status(brain) });
    case "prediction":
      return askForPrediction(brain, ctx, { requestId, trace: asked.trace_id });
    default:
      return ctx.emit({ do: "respond", requestId, fault: "notFound" });
  }
}

function status(brain: Brain): JsonObject {
  const { sessions, peers, ended, inference, settings } = brain;
  const latest = [...sessions.values()].sort((left, right) => right.touchedAt - left.touchedAt);
  return {
    peers: peers.size,
    sessions: sessions.size,
    sessions_max: settings.sessions,
    awake: latest.filter(({ body }) => body !== undefined).length,
    damaged: latest.filter(({ damage }) => damage !== undefined).length,
    ended: ended.size,
    persist: settings.persist,
    covenant: settings.covenant,
    artifact: overview(inference),
    latest: latest.slice(0, SESSIONS_SHOWN_MAX).map(row),
  };
}

/** Without the id: whoever knows it may use the session. */
function row(session: Session): Json {
  const { id, body, touchedAt, followers } = session;
  const known = body === undefined ? {} : {
    owner: body.head.owner,
    sealed: body.head.sealed,
    mode: body.head.policy.mode,
    keys: Object.keys(body.head.state).length,
  };
  return { name: nameOf(id), seq: lastSeq(session), touched: isoTime(touchedAt), followers: followers.size, ...known };
}
