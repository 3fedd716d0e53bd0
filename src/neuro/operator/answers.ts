/**
 * What may be asked of the room from outside, and what a person may do about what passes through it.
 *
 * Invariants: O1 every call is answered once; O2 whatever changes something leaves an `operator_acted`, also when it was refused.
 * Knows nothing of: tokens, HTTP, where the audit log is kept.
 */
import type { RoomEvent } from "../../core/event.ts";
import type { CallId } from "../../core/ids.ts";
import { type Json, plain } from "../../core/json.ts";
import type { Asker, NeuroQuestion, RoomQuestion } from "../../core/question.ts";
import { failed, ok, type Result } from "../../core/result.ts";
import type { Scope } from "../../core/settings.ts";
import type { Turn } from "../../core/turn.ts";
import type { Game, Neuro } from "../state.ts";
import { control, controlAll } from "./controls.ts";
import { sendAction } from "./orders.ts";
import { integrationDetail, integrationView, integrationViews, readiness, statusOf } from "./views.ts";

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

const PAGE_LENGTH = 100;
const PAGE_LENGTH_MAX = 1_000;

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
      return isAllowed ? ok(plain(statusOf(room))) : notAllowed(question);
    case "integrations":
      return isAllowed ? ok(page(room, question)) : notAllowed(question);
    case "integration": {
      if (!isAllowed) return notAllowed(question);
      const game = gameAt(room, question.id);
      return game.ok ? ok(plain(integrationDetail(game.value))) : game;
    }
    default: {
      const outcome = isAllowed ? deedOf(room, { call, as, question }, turn) : notAllowed(question);
      const { did, to } = describe(question);
      turn.note({ is: "operator_acted", by: as.by, did, to, outcome: outcome.ok ? "done" : outcome.fault });
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

function page(room: Neuro, { after = "", limit = PAGE_LENGTH }: Question & { readonly get: "integrations" }): Json {
  const length = Math.max(1, Math.min(Math.floor(limit), PAGE_LENGTH_MAX));
  const items = integrationViews(room, after, length + 1);
  const last = items.length > length ? items[length - 1] : undefined;
  return plain({ items: items.slice(0, length), next: last?.id ?? null });
}

function deedOf(room: Neuro, { call, question }: Asked<Deed>, turn: Turn): Outcome {
  switch (question.get) {
    case "control": {
      const game = gameAt(room, question.id);
      if (!game.ok) return game;
      control(game.value, question.to, turn);
      return ok(plain(integrationView(game.value)));
    }
    case "controls":
      controlAll(room, question.to, turn);
      return ok({ ...room.controls });
    case "act": {
      const game = gameAt(room, question.id);
      return game.ok ? sendAction(game.value, { call, name: question.name, data: question.data }, turn) : game;
    }
    default:
      return failed("notFound", "not yet");
  }
}

function gameAt(room: Neuro, id: string): Result<Game> {
  const game = room.slugs.get(id);
  return game === undefined ? failed("notFound", `no integration has the id ${id.slice(0, 64)}`) : ok(game);
}

/** What was done to what, for the audit log. */
function describe(question: Deed): { readonly did: string; readonly to: string } {
  const { get } = question;
  switch (get) {
    case "control":
    case "controls":
      return { did: get, to: get === "control" ? question.id : "all" };
    case "answer":
    case "veto":
      return { did: get, to: question.force };
    case "decide":
      return { did: question.approve ? "approve" : "reject", to: question.pending };
    case "act":
      return { did: get, to: `${question.id} ${question.name}`.slice(0, 200) };
    case "context":
      return { did: get, to: question.upstream ?? "neuro" };
    case "inject":
      return { did: get, to: question.integration ?? question.upstream ?? "" };
    case "disconnect":
      return { did: get, to: question.id };
  }
}
