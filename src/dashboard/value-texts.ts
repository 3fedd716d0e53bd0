/** The texts of values of the API: states, reasons, events, and the actions of operators. Knows nothing of the page. */
import type { FaultName } from "../core/fault.ts";
import type { ForceEnd, ResultOrigin } from "../core/observation.ts";
import type { BehaviourPreset } from "../core/settings.ts";
import type { UpstreamView } from "../core/view.ts";
import { formatLatency, formatQuantity } from "./lib/format.ts";

/** An identifier that has no text of its own, in words. */
export const humanize = (identifier: string): string =>
  identifier.replaceAll("_", " ").replace(
    /([a-z])([A-Z])/g,
    (_match, last: string, first: string) => `${last} ${first.toLowerCase()}`,
  );

/** How a link to Neuro stands. */
export const UPSTREAM_STATES: Readonly<Record<UpstreamView["state"], string>> = {
  open: "connected",
  dialing: "connecting",
  waiting: "disconnected",
  standalone: "relay decides",
};

/** How the relay plays Neuro. */
export const BEHAVIOURS: Readonly<Record<BehaviourPreset, string>> = {
  polite: "Polite: answers questions only",
  lively: "Lively: also acts by herself",
  clumsy: "Clumsy: also makes mistakes",
  hostile: "Hostile: makes many mistakes",
};

/** In place of the state of an upstream `link:<name>` while no program is linked. */
export const AWAITS_LINK = "waiting for a link";

/** Why a force ended. */
export const FORCE_ENDS: Readonly<Record<ForceEnd, string>> = {
  completed: "completed",
  replaced: "replaced by a newer force",
  names_gone: "its actions were unregistered",
  game_gone: "the game disconnected",
  expired: "Neuro did not answer in time",
  given_up: "Neuro stopped trying after failures",
  preempted: "made way for a critical force, to be asked again",
  refused: "too many forces were waiting",
  cancelled: "cancelled",
  held: "held, to be asked again",
};

/** The sender of a result that is not from the integration, and the reason. */
export const RESULT_ORIGINS: Readonly<Record<ResultOrigin, (ms: number, isSuccess: boolean) => string>> = {
  game: () => "",
  deadline: (ms) => `relay answered: no reply in ${formatLatency(ms)}`,
  gone: () => "relay answered: the game disconnected",
  unknown: () => "relay answered: no such action",
  relay: () => "relay answered",
  operator: (_ms, isSuccess) => (isSuccess ? "answered by an operator" : "rejected by an operator"),
};

/** The result of an operator's action. */
export const OUTCOMES: Readonly<Record<FaultName, string>> = {
  done: "done",
  leaving: "the relay was shutting down",
  badFrame: "unreadable",
  rateLimit: "too many requests",
  tooBig: "too large",
  panic: "internal error",
  restarting: "the relay was restarting",
  tooManyPeers: "too many connections",
  backendAway: "backend unreachable",
  slowGame: "the game reads too slowly",
  badGreeting: "invalid registration",
  badToken: "invalid token",
  notAllowed: "not allowed",
  noGreeting: "no registration in time",
  nameTaken: "name taken over",
  slowPeer: "the client reads too slowly",
  badMessage: "invalid message",
  notFound: "not found",
  notNow: "not possible at that time",
  outdated: "changed by somebody else before",
  queueFull: "queue full",
  storageFailed: "storage failed",
  jobLost: "interrupted",
};

/** The actions of operators. `{}` stands for the target. */
const OPERATOR_ACTIONS: ReadonlyMap<string, string> = new Map([
  ["stop", "stopped everything"],
  ["start", "resumed everything"],
  ["pause", "paused {}"],
  ["resume", "resumed {}"],
  ["mute", "muted {}"],
  ["unmute", "unmuted {}"],
  ["solo", "made {} solo"],
  ["unsolo", "ended the solo of {}"],
  ["require_approval", "turned approvals on for {}"],
  ["waive_approval", "turned approvals off for {}"],
  ["answer", "answered a force: {}"],
  ["veto", "vetoed a force of {}"],
  ["approve", "approved {}"],
  ["approve_edited", "approved with other data: {}"],
  ["allow_always", "always allows {}"],
  ["introduce", "sent Neuro's session again to {}"],
  ["behave", "changed how Neuro is played: {}"],
  ["allow_none", "ended what was always allowed of {}"],
  ["reject", "rejected {}"],
  ["act", "sent an action: {}"],
  ["set_value", "set a value of Nallely: {}"],
  ["save_macro", "saved a macro: {}"],
  ["run_macro", "ran a macro: {}"],
  ["delete_macro", "deleted a macro: {}"],
  ["context", "gave context to {}"],
  ["inject", "sent a raw message to {}"],
  ["disconnect", "disconnected {}"],
  ["shut_down", "asked {} to shut down"],
  ["shut_down_now", "asked {} to shut down at once"],
  ["cancel_shutdown", "cancelled the shutdown of {}"],
  ["reregister", "asked {} to register again"],
  ["clear", "cleared the actions of {}"],
  ["issue_token", "issued the token {}"],
  ["rotate_token", "rotated the token {}"],
  ["revoke_token", "revoked the token {}"],
  ["send", "sent a command to {}"],
  ["command", "sent a command to {}"],
  ["direct", "sent a direct message to {}"],
  ["choice", "asked Neuro to choose for {}"],
  ["drop", "deleted a message for {}"],
  ["retry", "retried a dead letter for {}"],
]);

const EVERYTHING = "all";

/** The action of an operator, as the words before and after its target. */
export function operatorAction(action: string, target: string): readonly [before: string, target: string, after: string] {
  const isForAll = target === EVERYTHING;
  const sentence = OPERATOR_ACTIONS.get(action) ?? `${humanize(action)} {}`;
  const [before = "", after = ""] = sentence.split("{}");
  if (!sentence.includes("{}")) return [sentence, "", ""];
  if (isForAll && action.endsWith("_approval")) return [before.replace(/ for $/, ""), "", ""];
  return [before, isForAll ? "everything" : target, after];
}

/** The same in one line. */
export const operatorActionText = (action: string, target: string): string => operatorAction(action, target).join("");

/** The kinds of events, as the feed's filter names them. */
export const EVENT_CATEGORIES = {
  actions: "Actions",
  forces: "Forces",
  context: "Context",
  messages: "Messages",
  connections: "Connections",
  neuro: "Neuro",
  nallely: "Nallely",
  problems: "Problems",
  raw: "Raw",
} as const;

export const EVENT_TEXTS = {
  failedResult: "failed",
  labels: {
    action_sent: "action",
    approval_wanted: "needs approval",
    action_result: "result",
    action_expired: "expired",
    integration_registered_actions: "registered",
    force_opened: "force",
    force_ended: "force ended",
    choose_action: "choice",
    add_context: "context",
    context_dropped: "context dropped",
    trace_ended: "trace",
    backend_message: "from Neuro",
    integration_message: "message",
    binary_received: "file",
    message_queued: "queued",
    message_delivered: "delivered",
    message_dead: "dead letter",
    integration_connected: "joined",
    integration_disconnected: "left",
    integration_connected_via_backend: "game joined",
    integration_disconnected_via_backend: "game left",
    neuroos_connected: "watcher joined",
    neuroos_disconnected: "watcher left",
    operator_acted: "operator",
    upstream_connected: "Neuro connected",
    upstream_lost: "Neuro lost",
    diagnostic: "diagnostic",
    input_repaired: "problem",
    input_refused: "refused",
    writes_suspended: "store fails",
    writes_resumed: "store works",
    peer_closed_by_relay: "closed",
    gap: "gap",
    nallely_connected: "session",
    nallely_lost: "session lost",
    nallely_drifted: "drift",
    nallely_input: "input",
    nallely_output: "output",
  },
  forced: "(forced)",
  after: (time: string) => `(after ${time})`,
  muted: "(muted)",
  waiting: (count: number) => `${count} waiting`,
  acknowledged: "acknowledged",
  privileges: (privileges: string) => `${privileges} rights`,
  retryIn: (time: string) => `retry in ${time}`,
  noRetry: "no retry: correct the URL in the settings",
  diagnosed: (severity: string, hint: string, count: number) =>
    `${severity}: ${hint}${count === 1 ? "" : ` (${formatQuantity(count, "time")})`}`,
  workedAround: (problem: string) => `protocol problem, worked around: ${problem}`,
  missing: (count: number) => `${formatQuantity(count, "event")} missing here`,
  someMissing: "events are missing here",
  writesSuspended: (service: string) => `${service} does not store what it can do without`,
  writesResumed: (service: string) => `${service} stores everything again`,
} as const;

/** The text of an identifier; one that is not in the table is written in words. */
export const textOf = (table: Readonly<Record<string, string>>, identifier: string): string =>
  Object.hasOwn(table, identifier) ? table[identifier] ?? "" : humanize(identifier);

export const outcomeText = (outcome: string): string => textOf(OUTCOMES, outcome);
