/**
 * Requests to the service: queries about its state, and commands by which a person intervenes.
 *
 * Invariants: O1 every request is answered once; O2 every command is observed as `operator_acted`, a refused one, too.
 * Knows nothing of: tokens, HTTP, where the audit log is kept.
 */
import type { ServiceEvent } from "../../../core/event.ts";
import { NALLELY_PEER, RELAY_PEER, type RequestId } from "../../../core/ids.ts";
import { type Json, plain } from "../../../core/json.ts";
import type { NeuroRequest, Requested } from "../../../core/request.ts";
import { assertNever } from "../../../core/assert.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { Scope } from "../../../core/settings.ts";
import type { StepContext } from "../../../core/context.ts";
import { type Controls, controlsTag, type IntegrationControlsChange, integrationControlsTag } from "../../../core/view.ts";
import { saveRecords } from "../persistence.ts";
import { type Game, type Macro, type NeuroState, peerOf, type StoredRecord } from "../state.ts";
import { decide, pendingAt } from "./approval.ts";
import { diagnosticPage } from "./diagnostics.ts";
import { control, controlAll, decideAdmission } from "./controls.ts";
import { answerForce, cancelForce, forceAt } from "./forces.ts";
import { deleteMacro, macroAt, macroPage, saveMacro } from "./macros.ts";
import { traceById, tracePage } from "../traces/list.ts";
import { transcriptPage } from "../traces/transcript.ts";
import { askable, reregister, shutDown } from "./shutdown.ts";
import { sendAction } from "./send-action.ts";
import {
  forcePage,
  integrationDetail,
  integrationPage,
  integrationView,
  pendingPage,
  readiness,
  statusOf,
} from "./views.ts";
import { sendSession } from "../upstream/broadcast.ts";
import { injectToGame, injectToNeuro, sendOperatorContext, upstreamAt } from "./inject.ts";

type NeuroQuery = Extract<NeuroRequest, { readonly get: unknown }>;
type NeuroCommand = Extract<NeuroRequest, { readonly do: unknown }>;

/** The body of the reply; undefined if the request is answered later. */
type NeuroOutcome = Result<Json | undefined>;

/** Answers a request, now or later. */
export function handleRequest(
  state: NeuroState,
  { requestId, principal, request }: ServiceEvent & { readonly is: "requested" },
  ctx: StepContext,
): void {
  if (request.of !== "neuro") return ctx.emit({ do: "respond", requestId, fault: "notFound" });
  const outcome = respondTo(state, { requestId, principal, request }, ctx);
  if (outcome.ok) {
    if (outcome.value !== undefined) ctx.emit({ do: "respond", requestId, body: outcome.value });
  } else ctx.emit({ do: "respond", requestId, fault: outcome.fault, reason: outcome.reason });
}

function respondTo(
  state: NeuroState,
  { requestId, principal, request }: Requested<NeuroRequest>,
  ctx: StepContext,
): NeuroOutcome {
  const allowed: readonly Scope[] = "get" in request ? ["watch"] : scopesFor(request);
  const isAllowed = allowed.some((scope) => principal.scopes.includes(scope));
  const notAllowed = failed("notAllowed", `this needs the scope ${allowed.join(" or ")}`);
  if ("get" in request) return request.get === "ready" || isAllowed ? replyToQuery(state, request, ctx) : notAllowed;
  // Why before the command is carried out: afterwards its force or action may be gone.
  const descriptions = auditEntriesOf(state, request);
  const outcome = isAllowed ? execute(state, { requestId, principal, request }, ctx) : notAllowed;
  for (const { did, to } of descriptions) {
    ctx.observe({ is: "operator_acted", by: principal.by, did, to, outcome: outcome.ok ? "done" : outcome.fault });
  }
  return outcome;
}

function replyToQuery(state: NeuroState, query: NeuroQuery, ctx: StepContext): NeuroOutcome {
  switch (query.get) {
    case "ready":
      return ok(readiness(state));
    case "status":
      return ok(plain(statusOf(state, ctx.now)));
    case "forces":
      return ok(plain(forcePage(state, query)));
    case "pending":
      return ok(plain(pendingPage(state, query)));
    case "integrations":
      return ok(plain(integrationPage(state, query)));
    case "controls":
      return ok({ ...state.controls });
    case "diagnostics":
      return ok(plain(diagnosticPage(state, query)));
    case "macros":
      return ok(plain(macroPage(state, query)));
    case "traces":
      return ok(plain(tracePage(state, query, ctx.now)));
    case "trace": {
      const trace = traceById(state, query.id, ctx.now);
      return trace === undefined ? noTrace(query.id) : ok(plain(trace));
    }
    case "transcript":
      return ok(plain(transcriptPage(state, query)));
    case "integration": {
      const game = gameAt(state, query.id);
      return game.ok ? ok(plain(integrationDetail(game.value))) : game;
    }
    default:
      return assertNever(query);
  }
}

const noTrace = (id: string): NeuroOutcome => failed("notFound", `no trace with the id ${id.slice(0, 64)} is kept`);

/** One of these scopes is enough. */
function scopesFor(command: NeuroCommand): readonly Scope[] {
  switch (command.do) {
    case "sendAction":
    case "runMacro":
    case "answerForce":
    case "cancelForce":
    case "decideAction":
      return ["command"];
    case "sendContext":
      return ["direct", "admin"];
    case "setGlobalControls":
      // Why only this: a token for an emergency stops everything, and another person decides when it starts again.
      return command.to.stopped === true && Object.keys(command.to).length === 1 ? ["stop", "admin"] : ["admin"];
    case "setControls":
    case "saveMacro":
    case "deleteMacro":
    case "decideIntegration":
    case "disconnect":
    case "shutDown":
    case "reregister":
    case "resendSession":
    case "injectMessage":
      return ["admin"];
    default:
      return assertNever(command);
  }
}

function execute(
  state: NeuroState,
  { requestId, principal: { by }, request }: Requested<NeuroCommand>,
  ctx: StepContext,
): NeuroOutcome {
  switch (request.do) {
    case "setControls":
    case "decideIntegration":
    case "disconnect":
    case "saveMacro":
    case "sendAction": {
      const game = gameAt(state, request.id);
      return game.ok ? executeOn(game.value, { requestId, by, request }, ctx) : game;
    }
    case "setGlobalControls":
      if (isOutdated(request.expects, controlsTag(state.controls))) return outdated;
      controlAll(state, request.to, ctx);
      return respondOnceStored(state.controlsRecord, { state, requestId, body: { ...state.controls } }, ctx);
    case "deleteMacro": {
      const macro = macroAt(state, request.macro);
      if (!macro.ok) return macro;
      deleteMacro(state, macro.value);
      return respondOnceStored(macro.value.record, { state, requestId, body: { status: "deleted" } }, ctx);
    }
    case "runMacro": {
      const macro = macroAt(state, request.macro);
      return macro.ok ? runMacro(state, macro.value, { requestId, by }, ctx) : macro;
    }
    case "answerForce": {
      const { force, name, data } = request;
      return answerForce(state, { requestId, by, force, name, data }, ctx);
    }
    case "cancelForce":
      return cancelForce(state, request.force, ctx);
    case "decideAction":
      return decide(state, request, ctx);
    case "sendContext": {
      const upstream = upstreamAt(state, request.upstream);
      return upstream.ok ? sendOperatorContext(upstream.value, { requestId, by, request }, ctx) : upstream;
    }
    case "injectMessage":
      return inject(state, request, ctx);
    case "shutDown":
    case "reregister":
    case "resendSession":
      return ask(state, request, ctx);
    default:
      return assertNever(request);
  }
}

/** True for a change that is based on other decisions than the current ones. */
const isOutdated = (expects: readonly string[] | undefined, current: string): boolean =>
  expects !== undefined && !expects.includes(current);

const outdated: NeuroOutcome = failed("outdated", "somebody else has changed these controls; read them, and decide again");

type ToOne = Extract<
  NeuroCommand,
  { readonly do: "setControls" | "decideIntegration" | "disconnect" | "saveMacro" | "sendAction" }
>;

function executeOn(
  game: Game,
  { requestId, by, request }: { readonly requestId: RequestId; readonly by: string; readonly request: ToOne },
  ctx: StepContext,
): NeuroOutcome {
  switch (request.do) {
    case "setControls": {
      const { alwaysAllowed, controls } = game;
      const current = integrationControlsTag({ ...controls, always_allowed: [...alwaysAllowed] });
      if (isOutdated(request.expects, current)) return outdated;
      const changed = control(game, request.to, ctx);
      if (!changed.ok) return changed;
      return respondOnceStored(game.record, { state: game.service, requestId, body: plain(integrationView(game)) }, ctx);
    }
    case "decideIntegration":
      decideAdmission(game, request.approve, ctx);
      return respondOnceStored(game.record, { state: game.service, requestId, body: plain(integrationView(game)) }, ctx);
    case "disconnect": {
      const { name } = game;
      const peer = peerOf(game);
      if (peer === undefined) return failed("notNow", `${name} is not connected`);
      if (peer === NALLELY_PEER || peer === RELAY_PEER) {
        return failed("notNow", `${name} is a part of the relay and has no connection`);
      }
      ctx.emit({ do: "close", peer, fault: "leaving" });
      return ok({ status: "disconnecting" });
    }
    case "saveMacro": {
      const saved = saveMacro(game, { by, macro: request }, ctx);
      if (!saved.ok) return saved;
      const { record, view } = saved.value;
      return respondOnceStored(record, { state: game.service, requestId, body: plain(view) }, ctx);
    }
    case "sendAction":
      return sendAction(game, { requestId, by, name: request.name, data: request.data }, ctx);
    default:
      return assertNever(request);
  }
}

/** Answers once the change is stored. It is in effect already. */
function respondOnceStored(
  record: StoredRecord,
  { state, requestId, body }: { state: NeuroState; requestId: RequestId; body: Json },
  ctx: StepContext,
): NeuroOutcome {
  saveRecords(state, ctx);
  ctx.emit({ do: "respond", requestId, body, ...(record.latestKey !== undefined && { after: record.latestKey }) });
  return ok(undefined);
}

type AskCommand = NeuroCommand & { readonly do: "shutDown" | "reregister" | "resendSession" };

/** Asks one integration, or all connected ones. */
function ask(
  state: NeuroState,
  request: AskCommand,
  ctx: StepContext,
): NeuroOutcome {
  const found = request.id === undefined ? undefined : gameAt(state, request.id);
  if (found?.ok === false) return found;
  const games = askable(state, found?.value);
  if (found !== undefined && games.length === 0) return failed("notNow", `${found.value.name} is not connected`);
  return ok({ status: "asked", count: countAsked(games, request, ctx) });
}

/** Asks the games, and returns how many were asked. */
function countAsked(games: readonly Game[], request: AskCommand, ctx: StepContext): number {
  switch (request.do) {
    case "shutDown":
      return shutDown(games, request.how, ctx);
    case "reregister":
      return reregister(games, request.clear === true, ctx);
    case "resendSession":
      return games.filter((game) => sendSession(game, ctx)).length;
    default:
      return assertNever(request);
  }
}

function inject(
  state: NeuroState,
  request: NeuroCommand & { readonly do: "injectMessage" },
  ctx: StepContext,
): NeuroOutcome {
  const { integration, upstream: id, message } = request;
  if (integration !== undefined && id !== undefined) {
    return failed("badMessage", "give `integration` or `upstream`, not both");
  }
  if (integration !== undefined) {
    const game = gameAt(state, integration);
    return game.ok ? injectToGame(game.value, message, ctx) : game;
  }
  const upstream = upstreamAt(state, id);
  return upstream.ok ? injectToNeuro(upstream.value, message, ctx) : upstream;
}

/** Sends the action of a macro, if its integration still has it. */
function runMacro(
  state: NeuroState,
  { view: { integration, action, data } }: Macro,
  asked: { readonly requestId: RequestId; readonly by: string },
  ctx: StepContext,
): NeuroOutcome {
  const game = gameAt(state, integration);
  return game.ok ? sendAction(game.value, { ...asked, name: action, data: data ?? undefined }, ctx) : game;
}

function gameAt(state: NeuroState, id: string): Result<Game> {
  const game = state.slugs.get(id);
  return game === undefined ? failed("notFound", `no integration has the id ${id.slice(0, 64)}`) : ok(game);
}

interface AuditSubject {
  readonly did: string;
  readonly to: string;
}

/** Entries for the audit log: each act with its object. One for each control that is changed. */
function auditEntriesOf(state: NeuroState, request: NeuroCommand): readonly AuditSubject[] {
  switch (request.do) {
    case "setControls":
      return decisions(request.to, request.id);
    case "setGlobalControls":
      return decisions(request.to, "all");
    case "answerForce":
      return [{ did: "answer", to: subject(forceAt(state, request.force)?.game.slug ?? request.force, request.name) }];
    case "cancelForce":
      return [{ did: "veto", to: forceAt(state, request.force)?.game.slug ?? request.force }];
    case "decideAction":
      return [{ did: decisionOf(request), to: subjectOf(state, request.pending) }];
    case "decideIntegration":
      return [{ did: request.approve ? "approve" : "reject", to: request.id }];
    case "sendAction":
      return [{ did: "act", to: subject(request.id, request.name) }];
    case "saveMacro":
      return [{ did: "save_macro", to: subject(request.id, `${request.name}: ${request.label.trim()}`) }];
    case "deleteMacro":
    case "runMacro":
      return [{ did: request.do === "runMacro" ? "run_macro" : "delete_macro", to: macroSubject(state, request.macro) }];
    case "sendContext":
      return [{ did: "context", to: request.upstream ?? "neuro" }];
    case "injectMessage":
      return [{ did: "inject", to: request.integration ?? request.upstream ?? "neuro" }];
    case "disconnect":
      return [{ did: "disconnect", to: request.id }];
    case "shutDown":
      return [{ did: SHUTDOWNS[request.how], to: request.id ?? "all" }];
    case "reregister":
      return [{ did: request.clear === true ? "clear" : "reregister", to: request.id ?? "all" }];
    case "resendSession":
      return [{ did: "introduce", to: request.id ?? "all" }];
    default:
      return assertNever(request);
  }
}

const decisionOf = ({ approve, data }: NeuroCommand & { readonly do: "decideAction" }): string =>
  !approve ? "reject" : data === undefined ? "approve" : "approve_edited";

const SHUTDOWNS = { graceful: "shut_down", immediate: "shut_down_now", cancel: "cancel_shutdown" } as const;

const subject = (whose: string, name: string): string => `${whose} ${name}`.slice(0, 200);

/** Integrations and name of a pending action. Why not its id: that means nothing once the action has ended. */
function subjectOf(state: NeuroState, id: string): string {
  const pending = pendingAt(state, id);
  if (pending === undefined) return id;
  return subject(pending.deliveries.map(({ gameAction }) => gameAction.game.slug).join(","), pending.action.originalName);
}

function macroSubject(state: NeuroState, id: string): string {
  const macro = state.macros.get(id)?.view;
  return macro === undefined ? id : subject(macro.integration, `${macro.action}: ${macro.label}`);
}

/** The words of the audit log for setting a control, and for lifting it. */
const DECISIONS: ReadonlyMap<string, readonly [string, string]> = new Map([
  ["paused", ["pause", "resume"]],
  ["muted", ["mute", "unmute"]],
  ["solo", ["solo", "unsolo"]],
  ["approval", ["require_approval", "waive_approval"]],
  ["stopped", ["stop", "start"]],
]);

const allowed = (to: string, names: readonly string[]): AuditSubject =>
  names.length === 0 ? { did: "allow_none", to } : { did: "allow_always", to: subject(to, names.join(", ")) };

const decisions = (fields: Partial<Controls> & IntegrationControlsChange, to: string): readonly AuditSubject[] =>
  Object.entries(fields).flatMap(([field, isSo]) => {
    if (Array.isArray(isSo)) return [allowed(to, isSo)];
    if (field === "behaviour") return [{ did: "behave", to: subject(to, String(isSo ?? "as_configured")) }];
    const [did, undid] = DECISIONS.get(field) ?? [];
    return did === undefined || undid === undefined ? [] : [{ did: isSo ? did : undid, to }];
  });
