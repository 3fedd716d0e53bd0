/**
 * What may be asked of the room from outside, and what a person may do about what passes through it.
 *
 * Invariants: O1 every call is answered once; O2 whatever changes something leaves an `operator_acted`, also when it was refused.
 * Knows nothing of: tokens, HTTP, where the audit log is kept.
 */
import type { RoomEvent } from "../../core/event.ts";
import { type CallId, NALLELY_PEER } from "../../core/ids.ts";
import { type Json, plain } from "../../core/json.ts";
import type { Asker, NeuroQuestion, RoomQuestion } from "../../core/question.ts";
import { failed, ok, type Result } from "../../core/result.ts";
import type { Scope } from "../../core/settings.ts";
import type { Turn } from "../../core/turn.ts";
import type { Controls, IntegrationControls } from "../../core/view.ts";
import { save } from "../records.ts";
import type { Game, GameRecord, Neuro } from "../state.ts";
import { decide, pendingAt } from "./approval.ts";
import { control, controlAll } from "./controls.ts";
import { answerForce, forceAt, vetoForce } from "./forces.ts";
import { sendAction } from "./orders.ts";
import { integrationDetail, integrationPage, integrationView, readiness, statusOf } from "./views.ts";
import { injectAbove, injectBelow, remark, upstreamAt } from "./words.ts";

type Question = (RoomQuestion | NeuroQuestion) & { readonly of: "neuro" };
type Deed = Exclude<Question, { readonly get: "ready" | "status" | "integrations" | "integration" }>;

/** The body of an answer; undefined when whoever carries it out answers the call. */
type Outcome = Result<Json | undefined>;

/** A question, from whom, and where its answer goes. */
interface Asked<Of> {
  readonly call: CallId;
  readonly as: Asker;
  readonly question: Of;
}

/** Somebody asks. */
export function ask(room: Neuro, { call, as, question }: RoomEvent & { readonly is: "asked" }, turn: Turn): void {
  if (question.of !== "neuro") return turn.put({ do: "answer", call, fault: "notFound" });
  // Why the cast: the compiler does not carry `of` over to the questions that all rooms answer.
  const asked = { call, as, question: question as Question };
  const outcome = answerTo(room, asked, turn);
  if (outcome.ok) {
    if (outcome.value !== undefined) turn.put({ do: "answer", call, body: outcome.value });
  } else turn.put({ do: "answer", call, fault: outcome.fault, reason: outcome.reason });
}

function answerTo(room: Neuro, { call, as, question }: Asked<Question>, turn: Turn): Outcome {
  const isAllowed = allowedBy(question).some((scope) => as.scopes.includes(scope));
  switch (question.get) {
    case "ready":
      return ok(readiness(room));
    case "status":
      return isAllowed ? ok(plain(statusOf(room, turn.now))) : notAllowed(question);
    case "integrations":
      return isAllowed ? ok(plain(integrationPage(room, question))) : notAllowed(question);
    case "integration": {
      if (!isAllowed) return notAllowed(question);
      const game = gameAt(room, question.id);
      return game.ok ? ok(plain(integrationDetail(game.value))) : game;
    }
    default: {
      // Why before it is done: afterwards there is no such force.
      const deeds = describe(room, question);
      const outcome = isAllowed ? deedOf(room, { call, as, question }, turn) : notAllowed(question);
      for (const { did, to } of deeds) {
        turn.note({ is: "operator_acted", by: as.by, did, to, outcome: outcome.ok ? "done" : outcome.fault });
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

const notAllowed = (question: Question): Outcome =>
  failed("notAllowed", `this needs the scope ${allowedBy(question).join(" or ")}`);

function deedOf(room: Neuro, { call, as: { by }, question }: Asked<Deed>, turn: Turn): Outcome {
  switch (question.get) {
    case "control":
    case "disconnect":
    case "act": {
      const game = gameAt(room, question.id);
      return game.ok ? deedTo(game.value, { call, question }, turn) : game;
    }
    case "controls":
      controlAll(room, question.to, turn);
      return decided(room.controlsRecord, { room, call, body: { ...room.controls } }, turn);
    case "answer": {
      const { force, name, data } = question;
      return answerForce(room, { call, by, force, name, data }, turn);
    }
    case "veto":
      return vetoForce(room, question.force, turn);
    case "decide":
      return decide(room, question, turn);
    case "context": {
      const upstream = upstreamAt(room, question.upstream);
      const { message, silent } = question;
      return upstream.ok ? remark(upstream.value, { call, by, message, silent }, turn) : upstream;
    }
    case "inject":
      return inject(room, question, turn);
  }
}

type ToOne = Extract<Deed, { readonly get: "control" | "disconnect" | "act" }>;

function deedTo(game: Game, { call, question }: { readonly call: CallId; readonly question: ToOne }, turn: Turn): Outcome {
  switch (question.get) {
    case "control":
      control(game, question.to, turn);
      return decided(game.record, { room: game.room, call, body: plain(integrationView(game)) }, turn);
    case "disconnect": {
      const { peer, name } = game;
      if (peer === undefined) return failed("notNow", `${name} is not connected`);
      if (peer === NALLELY_PEER) return failed("notNow", `${name} is the relay itself`);
      turn.put({ do: "close", peer, fault: "leaving" });
      return ok({ status: "disconnecting" });
    }
    case "act":
      return sendAction(game, { call, name: question.name, data: question.data }, turn);
  }
}

/** Answers once what was decided is stored; it is in force already. */
function decided(record: GameRecord, { room, call, body }: { room: Neuro; call: CallId; body: Json }, turn: Turn): Outcome {
  save(room, turn);
  turn.put({ do: "answer", call, body, ...(record.latest !== undefined && { after: record.latest }) });
  return ok(undefined);
}

function inject(room: Neuro, question: Deed & { readonly get: "inject" }, turn: Turn): Outcome {
  const { integration, upstream: id, message } = question;
  if (integration !== undefined && id !== undefined) return failed("badMessage", "either an integration or an upstream");
  if (integration !== undefined) {
    const game = gameAt(room, integration);
    return game.ok ? injectBelow(game.value, message, turn) : game;
  }
  const upstream = upstreamAt(room, id);
  return upstream.ok ? injectAbove(upstream.value, message, turn) : upstream;
}

function gameAt(room: Neuro, id: string): Result<Game> {
  const game = room.slugs.get(id);
  return game === undefined ? failed("notFound", `no integration has the id ${id.slice(0, 64)}`) : ok(game);
}

interface Described {
  readonly did: string;
  readonly to: string;
}

/** What was done to what, for the audit log: as many things as were decided at once. */
function describe(room: Neuro, question: Deed): readonly Described[] {
  const { get } = question;
  switch (get) {
    case "control":
      return decisions(question.to, question.id);
    case "controls":
      return decisions(question.to, "all");
    case "answer":
      return [{ did: get, to: whoseAction(forceAt(room, question.force)?.game.slug ?? question.force, question.name) }];
    case "veto":
      return [{ did: get, to: forceAt(room, question.force)?.game.slug ?? question.force }];
    case "decide":
      return [{ did: question.approve ? "approve" : "reject", to: subjectOf(room, question.pending) }];
    case "act":
      return [{ did: get, to: whoseAction(question.id, question.name) }];
    case "context":
      return [{ did: get, to: question.upstream ?? "neuro" }];
    case "inject":
      return [{ did: get, to: question.integration ?? question.upstream ?? "neuro" }];
    case "disconnect":
      return [{ did: get, to: question.id }];
  }
}

const whoseAction = (whose: string, name: string): string => `${whose} ${name}`.slice(0, 200);

/** Why not its id alone: a day later that says nothing to anybody. */
function subjectOf(room: Neuro, id: string): string {
  const pending = pendingAt(room, id);
  if (pending === undefined) return id;
  return whoseAction(pending.parts.map(({ owned }) => owned.game.slug).join(","), pending.offered.original);
}

/** How a decision is called, and how its contrary. */
const DECISIONS: ReadonlyMap<string, readonly [string, string]> = new Map([
  ["paused", ["pause", "resume"]],
  ["muted", ["mute", "unmute"]],
  ["solo", ["solo", "unsolo"]],
  ["approval", ["require_approval", "waive_approval"]],
  ["stopped", ["stop", "start"]],
]);

const decisions = (fields: Partial<Controls & IntegrationControls>, to: string): readonly Described[] =>
  Object.entries(fields).flatMap(([field, isSo]) => {
    const [did, undid] = DECISIONS.get(field) ?? [];
    return did === undefined || undid === undefined ? [] : [{ did: isSo ? did : undid, to }];
  });
