/**
 * What may be asked of the room from outside, and what a person may do about what passes through it.
 *
 * Invariants: O1 every call is answered once; O2 whatever changes something leaves an `operator_acted`, also when it was refused.
 * Knows nothing of: tokens, HTTP, where the audit log is kept.
 */
import type { ServiceEvent } from "../../../core/event.ts";
import { NALLELY_PEER, type RequestId } from "../../../core/ids.ts";
import { type Json, plain } from "../../../core/json.ts";
import type { CommonRequest, NeuroRequest, Principal } from "../../../core/request.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { Scope } from "../../../core/settings.ts";
import type { StepContext } from "../../../core/context.ts";
import type { Controls, IntegrationControls } from "../../../core/view.ts";
import { save } from "../records.ts";
import type { Game, NeuroState, StoredRecord } from "../state.ts";
import { decide, pendingAt } from "./approval.ts";
import { control, controlAll } from "./controls.ts";
import { answerForce, cancelForce, forceAt } from "./forces.ts";
import { sendAction } from "./send-action.ts";
import { integrationDetail, integrationPage, integrationView, readiness, statusOf } from "./views.ts";
import { injectToGame, injectToNeuro, sendOperatorContext, upstreamAt } from "./inject.ts";

type Question = (CommonRequest | NeuroRequest) & { readonly of: "neuro" };
type NeuroCommand = Exclude<Question, { readonly get: "ready" | "status" | "integrations" | "integration" }>;

/** The body of an answer; undefined when whoever carries it out answers the call. */
type Outcome = Result<Json | undefined>;

/** A question, from whom, and where its answer goes. */
interface Asked<Of> {
  readonly requestId: RequestId;
  readonly principal: Principal;
  readonly request: Of;
}

/** Somebody asks. */
export function handleRequest(
  state: NeuroState,
  { requestId, principal, request }: ServiceEvent & { readonly is: "requested" },
  ctx: StepContext,
): void {
  if (request.of !== "neuro") return ctx.emit({ do: "respond", requestId, fault: "notFound" });
  // Why the cast: the compiler does not carry `of` over to the questions that all rooms answer.
  const asked = { requestId, principal, request: request as Question };
  const outcome = respondTo(state, asked, ctx);
  if (outcome.ok) {
    if (outcome.value !== undefined) ctx.emit({ do: "respond", requestId, body: outcome.value });
  } else ctx.emit({ do: "respond", requestId, fault: outcome.fault, reason: outcome.reason });
}

function respondTo(state: NeuroState, { requestId, principal, request }: Asked<Question>, ctx: StepContext): Outcome {
  const isAllowed = allowedBy(request).some((scope) => principal.scopes.includes(scope));
  switch (request.get) {
    case "ready":
      return ok(readiness(state));
    case "status":
      return isAllowed ? ok(plain(statusOf(state, ctx.now))) : notAllowed(request);
    case "integrations":
      return isAllowed ? ok(plain(integrationPage(state, request))) : notAllowed(request);
    case "integration": {
      if (!isAllowed) return notAllowed(request);
      const game = gameAt(state, request.id);
      return game.ok ? ok(plain(integrationDetail(game.value))) : game;
    }
    default: {
      // Why before it is done: afterwards there is no such force.
      const deeds = auditEntriesOf(state, request);
      const outcome = isAllowed ? execute(state, { requestId, principal, request }, ctx) : notAllowed(request);
      for (const { did, to } of deeds) {
        ctx.observe({ is: "operator_acted", by: principal.by, did, to, outcome: outcome.ok ? "done" : outcome.fault });
      }
      return outcome;
    }
  }
}

/** Any one of these scopes is enough. */
function allowedBy({ get }: Question): readonly Scope[] {
  switch (get) {
    case "act":
    case "answer":
    case "veto":
    case "decide":
      return ["command"];
    case "context":
      return ["direct", "admin"];
    case "control":
    case "controls":
    case "disconnect":
    case "inject":
      return ["admin"];
    default:
      return ["watch"];
  }
}

const notAllowed = (request: Question): Outcome =>
  failed("notAllowed", `this needs the scope ${allowedBy(request).join(" or ")}`);

function execute(
  state: NeuroState,
  { requestId, principal: { by }, request }: Asked<NeuroCommand>,
  ctx: StepContext,
): Outcome {
  switch (request.get) {
    case "control":
    case "disconnect":
    case "act": {
      const game = gameAt(state, request.id);
      return game.ok ? executeOn(game.value, { requestId, request }, ctx) : game;
    }
    case "controls":
      controlAll(state, request.to, ctx);
      return respondOnceStored(state.controlsRecord, { room: state, requestId, body: { ...state.controls } }, ctx);
    case "answer": {
      const { force, name, data } = request;
      return answerForce(state, { requestId, by, force, name, data }, ctx);
    }
    case "veto":
      return cancelForce(state, request.force, ctx);
    case "decide":
      return decide(state, request, ctx);
    case "context": {
      const upstream = upstreamAt(state, request.upstream);
      const { message, silent } = request;
      return upstream.ok ? sendOperatorContext(upstream.value, { requestId, by, message, silent }, ctx) : upstream;
    }
    case "inject":
      return inject(state, request, ctx);
  }
}

type ToOne = Extract<NeuroCommand, { readonly get: "control" | "disconnect" | "act" }>;

function executeOn(
  game: Game,
  { requestId, request }: { readonly requestId: RequestId; readonly request: ToOne },
  ctx: StepContext,
): Outcome {
  switch (request.get) {
    case "control":
      control(game, request.to, ctx);
      return respondOnceStored(game.record, { room: game.service, requestId, body: plain(integrationView(game)) }, ctx);
    case "disconnect": {
      const { peer, name } = game;
      if (peer === undefined) return failed("notNow", `${name} is not connected`);
      if (peer === NALLELY_PEER) return failed("notNow", `${name} is the relay itself`);
      ctx.emit({ do: "close", peer, fault: "leaving" });
      return ok({ status: "disconnecting" });
    }
    case "act":
      return sendAction(game, { requestId, name: request.name, data: request.data }, ctx);
  }
}

/** Answers once what was decided is stored; it is in force already. */
function respondOnceStored(
  record: StoredRecord,
  { room: state, requestId, body }: { room: NeuroState; requestId: RequestId; body: Json },
  ctx: StepContext,
): Outcome {
  save(state, ctx);
  ctx.emit({ do: "respond", requestId, body, ...(record.latest !== undefined && { after: record.latest }) });
  return ok(undefined);
}

function inject(state: NeuroState, request: NeuroCommand & { readonly get: "inject" }, ctx: StepContext): Outcome {
  const { integration, upstream: id, message } = request;
  if (integration !== undefined && id !== undefined) return failed("badMessage", "either an integration or an upstream");
  if (integration !== undefined) {
    const game = gameAt(state, integration);
    return game.ok ? injectToGame(game.value, message, ctx) : game;
  }
  const upstream = upstreamAt(state, id);
  return upstream.ok ? injectToNeuro(upstream.value, message, ctx) : upstream;
}

function gameAt(state: NeuroState, id: string): Result<Game> {
  const game = state.slugs.get(id);
  return game === undefined ? failed("notFound", `no integration has the id ${id.slice(0, 64)}`) : ok(game);
}

interface AuditEntry {
  readonly did: string;
  readonly to: string;
}

/** What was done to what, for the audit log: as many things as were decided at once. */
function auditEntriesOf(state: NeuroState, request: NeuroCommand): readonly AuditEntry[] {
  const { get } = request;
  switch (get) {
    case "control":
      return decisions(request.to, request.id);
    case "controls":
      return decisions(request.to, "all");
    case "answer":
      return [{ did: get, to: subject(forceAt(state, request.force)?.game.slug ?? request.force, request.name) }];
    case "veto":
      return [{ did: get, to: forceAt(state, request.force)?.game.slug ?? request.force }];
    case "decide":
      return [{ did: request.approve ? "approve" : "reject", to: subjectOf(state, request.pending) }];
    case "act":
      return [{ did: get, to: subject(request.id, request.name) }];
    case "context":
      return [{ did: get, to: request.upstream ?? "neuro" }];
    case "inject":
      return [{ did: get, to: request.integration ?? request.upstream ?? "neuro" }];
    case "disconnect":
      return [{ did: get, to: request.id }];
  }
}

const subject = (whose: string, name: string): string => `${whose} ${name}`.slice(0, 200);

/** Why not its id alone: a day later that says nothing to anybody. */
function subjectOf(state: NeuroState, id: string): string {
  const pending = pendingAt(state, id);
  if (pending === undefined) return id;
  return subject(pending.deliveries.map(({ gameAction }) => gameAction.game.slug).join(","), pending.action.originalName);
}

/** How a decision is called, and how its contrary. */
const DECISIONS: ReadonlyMap<string, readonly [string, string]> = new Map([
  ["paused", ["pause", "resume"]],
  ["muted", ["mute", "unmute"]],
  ["solo", ["solo", "unsolo"]],
  ["approval", ["require_approval", "waive_approval"]],
  ["stopped", ["stop", "start"]],
]);

const decisions = (fields: Partial<Controls & IntegrationControls>, to: string): readonly AuditEntry[] =>
  Object.entries(fields).flatMap(([field, isSo]) => {
    const [did, undid] = DECISIONS.get(field) ?? [];
    return did === undefined || undid === undefined ? [] : [{ did: isSo ? did : undid, to }];
  });
