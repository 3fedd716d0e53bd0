/**
 * The one table from an observation to its log line, its rate limit and its metrics.
 *
 * Invariants: O1 no line above `debug` contains a payload (texts and data of peers); O2 every text from a peer passes through
 * `quoted` or `list`; O3 an observation whose line is not written costs only the additions of its `measure`.
 */
import { DIAGNOSTICS, hintFor } from "../core/diagnostics/catalogue.ts";
import type { Observation, ObservationName } from "../core/observation.ts";
import type { LogLevel, LogSource } from "../core/settings.ts";
import { redactUrl } from "../core/text.ts";
import { floodLimit, type RateLimit, retryLimit, workLimit } from "./log-rate-limit.ts";
import { list, quoted } from "./log-text.ts";
import type { RelayMetrics } from "./metric-definitions.ts";

/** Why a limit for each line above `debug`: whatever happens once can happen again and again. */
export type LogMessage<Of extends Observation> =
  & (
    | { readonly level: "debug"; readonly limit?: RateLimit }
    | { readonly level: Exclude<LogLevel, "debug">; readonly limit: RateLimit }
  )
  & LogText<Of>;

interface LogText<Of extends Observation> {
  readonly source: LogSource;
  /** Absent: each line has `level`. */
  levelOf?(observation: Of): Exclude<LogLevel, "debug">;
  text(observation: Of): string;
  /** False for an observation without a line. Absent: each has one. */
  isWritten?(observation: Of): boolean;
  /** Updates metrics. The count of observations by name is kept elsewhere. */
  measure?(observation: Of, metrics: RelayMetrics, now: () => number): void;
}

type LogMessages = { readonly [Name in ObservationName]: LogMessage<Extract<Observation, { readonly is: Name }>> };

/** Why a result was ignored, in words. */
const IGNORED = {
  late: "too late",
  twice: "the action was answered already",
  foreign: "the action was sent to another integration",
  unknown: "no such action",
} as const;

/** What happened to a node of the cluster, in words. */
const NODE_CHANGES = {
  joined: "has joined",
  suspended: "is suspended: Redis did not confirm its lease in time",
  resumed: "continues",
  dead: "was declared dead: its relays belong to other nodes, and it joins again",
  appeared: "is a member",
  gone: "is no member any more",
} as const;

const LOG_MESSAGES = {
  nallely_connected: {
    level: "info",
    source: "nallely",
    limit: retryLimit("Nallely connections"),
    text: ({ name, url }) => `registered neuron ${quoted(name)} at ${redactUrl(url)}`,
  },
  nallely_lost: {
    level: "warning",
    source: "nallely",
    limit: retryLimit("lost Nallely connections"),
    text: ({ name, reason, retry_ms }) =>
      `neuron ${quoted(name)} lost its connection, ${nextAttempt(retry_ms, "nallely.url")}: ${quoted(reason)}`,
  },
  nallely_drifted: {
    level: "warning",
    source: "nallely",
    limit: retryLimit("differences of the session"),
    text: ({ name, listed, missing, extra, changed }) =>
      listed
        ? `neuron ${quoted(name)} differs in the session: missing ${list(missing)}, extra ${list(extra)}, changed ${
          list(changed)
        }`
        : `neuron ${quoted(name)} is not listed by the session: the name is blocked until the session is reset`,
  },
  nallely_input: {
    level: "info",
    source: "nallely",
    limit: workLimit("inputs of Nallely"),
    text: ({ parameter, did }) => `${quoted(parameter)} rose above its threshold: ${did}`,
  },
  nallely_output: {
    level: "info",
    source: "nallely",
    limit: workLimit("outputs of Nallely"),
    text: ({ parameter, action }) => `action ${quoted(action)} set ${quoted(parameter)}`,
  },
  nallely_refused: {
    level: "error",
    source: "nallely",
    limit: retryLimit("refused settings of nallely"),
    text: ({ reason }) => `the settings of nallely are invalid for this session: ${quoted(reason)}`,
  },
  integration_connected: {
    level: "info",
    source: "intermediary",
    limit: workLimit("integrations connected"),
    text: ({ name }) => `integration ${quoted(name)} connected`,
    measure: ({ name }, { connected }, now) => connected.add("intermediary", name, now()),
  },
  integration_disconnected: {
    level: "info",
    source: "intermediary",
    limit: workLimit("integrations disconnected"),
    text: ({ name }) => `integration ${quoted(name)} disconnected`,
    measure: ({ name }, { connected }) => connected.remove("intermediary", name),
  },
  neuroos_connected: {
    level: "info",
    source: "intermediary",
    limit: workLimit("watchers connected"),
    text: ({ name, privileges }) => `watcher ${quoted(name)} connected (${privileges})`,
  },
  neuroos_disconnected: {
    level: "info",
    source: "intermediary",
    limit: workLimit("watchers disconnected"),
    text: ({ name }) => `watcher ${quoted(name)} disconnected`,
  },
  integration_connected_via_backend: {
    level: "info",
    source: "neuro",
    limit: workLimit("games connected"),
    text: ({ name }) => `game ${quoted(name)} connected`,
    measure: ({ name }, { connected }, now) => connected.add("neuro", name, now()),
  },
  integration_disconnected_via_backend: {
    level: "info",
    source: "neuro",
    limit: workLimit("games disconnected"),
    text: ({ name }) => `game ${quoted(name)} disconnected`,
    measure: ({ name }, { connected }) => connected.remove("neuro", name),
  },
  taken_over: {
    level: "warning",
    source: "relay",
    limit: workLimit("duplicate connections"),
    text: ({ name, winner }) => `${quoted(name)} connected twice; keeping the ${winner} connection`,
  },
  greeting_refused: {
    level: "warning",
    source: "relay",
    limit: floodLimit("refused connections"),
    text: ({ address, reason }) => `refused ${quoted(address)}: ${quoted(reason)}`,
    measure: ({ fault }, { refusals }) => refusals.labels(fault).add(),
  },
  integration_message: {
    level: "debug",
    source: "intermediary",
    text: ({ from, payload }) => `message from ${quoted(from)}: ${quoted(JSON.stringify(payload))}`,
  },
  integration_registered_actions: {
    level: "info",
    source: "intermediary",
    limit: workLimit("registrations"),
    text: ({ from, actions }) => `${quoted(from)} registered ${list(actions)}`,
  },
  binary_received: {
    level: "info",
    source: "intermediary",
    limit: workLimit("uploads"),
    text: ({ from, size, file }) => `${quoted(from)} uploaded ${size} bytes, stored as ${file}`,
  },
  backend_message: {
    level: "debug",
    source: "neuro",
    text: ({ payload }) => `message from Neuro: ${quoted(payload)}`,
  },
  add_context: {
    level: "debug",
    source: "neuro",
    text: ({ id, game_title, message }) => `context ${id} from ${quoted(game_title)}: ${quoted(message)}`,
  },
  context_dropped: {
    level: "debug",
    source: "neuro",
    text: ({ id, from }) => `dropped context ${id} from ${quoted(from)}: muted`,
  },
  trace_ended: {
    level: "debug",
    source: "neuro",
    text: ({ trace: { kind, id, outcome, ms } }) => `trace of ${kind} ${id}: ${outcome} after ${ms} ms`,
  },
  choose_action: {
    level: "debug",
    source: "neuro",
    text: ({ payload }) => `choice requested: ${quoted(JSON.stringify(payload))}`,
  },
  action_sent: {
    level: "debug",
    source: "neuro",
    text: ({ id, name, to, data }) => `action ${id} ${quoted(name)} to ${list(to)} with data ${quoted(data ?? "none")}`,
  },
  approval_wanted: {
    level: "info",
    source: "neuro",
    limit: workLimit("actions waiting for approval"),
    text: ({ id, name, to }) => `action ${id} ${quoted(name)} to ${list(to)} waits for approval`,
  },
  action_result: {
    level: "debug",
    source: "neuro",
    text: ({ id, name, from, success, ms, origin }) =>
      `action ${id} ${quoted(name)} ${success ? "succeeded" : "failed"} after ${ms} ms, answered by ${origin} ${
        quoted(from)
      }`,
  },
  token_used: {
    level: "debug",
    source: "intermediary",
    text: ({ names, address }) => `the token ${quoted(names)} was used from ${quoted(address)}`,
  },
  result_ignored: {
    level: "info",
    source: "neuro",
    limit: floodLimit("ignored results"),
    text: ({ from, why }) => `ignored result from ${quoted(from)}: ${IGNORED[why]}`,
  },
  action_expired: {
    level: "warning",
    source: "neuro",
    limit: workLimit("expired actions"),
    text: ({ id, name, to }) => `action ${id} ${quoted(name)} expired: no result from ${list(to)}, answered by the relay`,
  },
  actions_registered: {
    level: "info",
    source: "neuro",
    limit: workLimit("action registrations"),
    text: ({ integration, names }) => `${quoted(integration)} registered actions ${list(names)}`,
  },
  actions_unregistered: {
    level: "info",
    source: "neuro",
    limit: workLimit("action unregistrations"),
    text: ({ integration, names }) => `${quoted(integration)} unregistered actions ${list(names)}`,
  },
  force_opened: {
    level: "info",
    source: "neuro",
    limit: workLimit("opened forces"),
    text: ({ integration, names, priority, waited }) =>
      `opened force of ${quoted(integration)} (${priority}, waited ${waited} ms) over ${list(names)}`,
    measure: ({ waited }, { forceWait }) => forceWait.observe(waited / 1_000),
  },
  force_ended: {
    level: "info",
    source: "neuro",
    limit: workLimit("ended forces"),
    text: ({ integration, end, ms }) => `force of ${quoted(integration)} ended after ${ms} ms: ${end}`,
    measure: ({ end, ms }, { forces, forceDuration }) => {
      forces.labels(end).add();
      forceDuration.observe(ms / 1_000);
    },
  },
  upstream_dialing: {
    level: "debug",
    source: "neuro",
    text: ({ upstream, attempt }) => `connecting to ${quoted(upstream)}, attempt ${attempt}`,
  },
  upstream_connected: {
    level: "info",
    source: "neuro",
    limit: retryLimit("connections to an upstream"),
    text: ({ upstream, url }) => `connected to ${quoted(upstream)} at ${quoted(redactUrl(url))}`,
    measure: ({ upstream }, { upstreamConnections }) => upstreamConnections.labels(upstream).add(),
  },
  upstream_lost: {
    level: "warning",
    source: "neuro",
    limit: retryLimit("lost connections to an upstream"),
    text: ({ upstream, reason, retry_ms }) =>
      `lost connection to ${quoted(upstream)}, ${nextAttempt(retry_ms, "nakurity-client.url")}: ${quoted(reason)}`,
  },
  character_changed: {
    level: "info",
    source: "neuro",
    limit: workLimit("changes of the character"),
    text: ({ upstream, character }) => `${quoted(upstream)} is now character ${quoted(character)}`,
  },
  upstream_silent: {
    level: "warning",
    source: "neuro",
    limit: retryLimit("silent upstreams"),
    text: ({ upstream, ms }) => `no message from ${quoted(upstream)} for ${ms} ms`,
  },
  upstream_unreadable: {
    level: "warning",
    source: "neuro",
    limit: floodLimit("unreadable messages"),
    text: ({ upstream, reason }) => `unreadable message from ${quoted(upstream)}: ${quoted(reason)}`,
  },
  message_queued: {
    level: "info",
    source: "intermediary",
    limit: floodLimit("queued messages"),
    text: ({ to, id, kind, depth }) => `queued ${kind} ${id} for ${quoted(to)}, ${depth} in its queue`,
    measure: (_observation, { queued }) => queued.labels("queued").add(),
  },
  message_delivered: {
    level: "debug",
    source: "intermediary",
    text: ({ to, id, confirmed }) => `${id} ${confirmed ? "acknowledged by" : "sent to"} ${quoted(to)}`,
    measure: (_observation, { queued }) => queued.labels("delivered").add(),
  },
  message_dead: {
    level: "warning",
    source: "intermediary",
    limit: floodLimit("dead letters"),
    text: ({ to, id, why }) => `${id} for ${quoted(to)} is now a dead letter: ${quoted(why)}`,
    measure: (_observation, { queued }) => queued.labels("dead").add(),
  },
  queue_refused: {
    level: "warning",
    source: "intermediary",
    limit: floodLimit("messages refused by the queue"),
    text: ({ to, why }) => `the queue refused a message for ${quoted(to)}: ${why}`,
    measure: ({ why }, { refusals, queued }) => {
      refusals.labels(why).add();
      queued.labels("refused").add();
    },
  },
  entry_quarantined: {
    level: "error",
    source: "relay",
    limit: floodLimit("quarantined store entries"),
    text: ({ key, why }) => `quarantined store entry ${quoted(key)}: ${quoted(why)}`,
  },
  session_created: {
    level: "debug",
    source: "brain",
    text: ({ session, parent }) =>
      `created session ${quoted(session)}${parent === undefined ? "" : ` as a fork of ${quoted(parent)}`}`,
  },
  operator_applied: {
    level: "debug",
    source: "brain",
    text: ({ session, operator, risk }) => `applied ${quoted(operator)} to session ${quoted(session)}, risk ${risk}/1000`,
  },
  operator_refused: {
    level: "info",
    source: "brain",
    limit: workLimit("refused operations"),
    text: ({ session, operator, reasons }) => `refused ${quoted(operator)} in session ${quoted(session)}: ${list(reasons)}`,
  },
  session_sealed: {
    level: "info",
    source: "brain",
    limit: workLimit("sealed sessions"),
    text: ({ session }) => `sealed session ${quoted(session)}`,
  },
  session_ended: {
    level: "debug",
    source: "brain",
    text: ({ session, why }) => `session ${quoted(session)} ${why}`,
  },
  session_damaged: {
    level: "error",
    source: "brain",
    limit: floodLimit("damaged sessions"),
    text: ({ session, seq, why }) => `the log of session ${quoted(session)} is damaged at event ${seq}: ${quoted(why)}`,
  },
  inferred: {
    level: "debug",
    source: "brain",
    text: ({ trace_id, value }) => `inferred ${value ?? "no value"} for ${quoted(JSON.stringify(trace_id))}`,
  },
  artifact_loaded: {
    level: "info",
    source: "brain",
    limit: workLimit("loaded artifacts"),
    text: ({ run_id, predicts }) => `loaded artifact ${quoted(run_id)}${predicts ? "" : ", which has no prediction model"}`,
  },
  artifact_refused: {
    level: "info",
    source: "brain",
    limit: retryLimit("refused artifacts"),
    text: ({ run_id, why }) =>
      `predictions are unavailable: artifact ${quoted(run_id)} could not be loaded: ${quoted(why)}`,
  },
  diagnostic: {
    level: "warning",
    levelOf: ({ severity }) => severity === "info" ? "info" : "warning",
    source: "neuro",
    limit: floodLimit("diagnostics"),
    // Why only the first one: the others say the same. Why not each: some are reported by another line as well.
    isWritten: ({ what, count }) => count === 1 && DIAGNOSTICS[what].alsoAs === undefined,
    text: ({ from, what, severity, detail }) =>
      `${severity} ${quoted(what)} in ${quoted(from)}: ${quoted(hintFor(what, detail))}`,
  },
  input_repaired: {
    level: "warning",
    source: "relay",
    limit: floodLimit("repaired messages"),
    text: ({ from, what, hint }) => `repaired ${quoted(what)} from ${quoted(from)}: ${quoted(hint)}`,
  },
  input_refused: {
    level: "warning",
    source: "relay",
    limit: floodLimit("refused messages"),
    text: ({ from, fault, reason }) => `refused a message from ${quoted(from)} (${fault}): ${quoted(reason)}`,
    measure: ({ fault }, { refusals }) => refusals.labels(fault).add(),
  },
  peer_closed_by_relay: {
    level: "warning",
    source: "relay",
    limit: floodLimit("closed connections"),
    text: ({ from, fault, reason }) =>
      `closed ${quoted(from)}: ${fault}${reason === undefined ? "" : `: ${quoted(reason)}`}`,
    measure: ({ fault }, { refusals }) => refusals.labels(fault).add(),
  },
  fault_injected: {
    level: "info",
    source: "relay",
    limit: floodLimit("injected faults"),
    text: ({ from, fault, direction }) =>
      `fault ${fault} at a message ${direction === "in" ? "from" : "to"} ${quoted(from)}`,
  },
  operator_acted: {
    level: "info",
    source: "relay",
    limit: workLimit("operator commands"),
    text: ({ by, did, to, outcome }) =>
      `operator ${quoted(by)}: ${did} ${quoted(to)}${outcome === "done" ? "" : ` failed: ${outcome}`}`,
    measure: ({ did, outcome }, { operatorCommands }) => operatorCommands.labels(did, outcome).add(),
  },
  store_failed: {
    level: "error",
    source: "relay",
    limit: floodLimit("store failures"),
    text: ({ key, reason }) => `store operation failed at ${quoted(key)}: ${quoted(reason)}`,
  },
  writes_suspended: {
    level: "error",
    source: "relay",
    limit: retryLimit("suspensions of writes"),
    text: ({ service }) =>
      `the store keeps failing: ${service} suspends its best-effort writes; check the backend in \`queue\``,
    measure: ({ service }, { writesSuspended }) => writesSuspended.labels(service).set(1),
  },
  writes_resumed: {
    level: "warning",
    source: "relay",
    limit: retryLimit("ends of a suspension"),
    text: ({ service }) => `the store works again: ${service} resumes its best-effort writes`,
    measure: ({ service }, { writesSuspended }) => writesSuspended.labels(service).set(0),
  },
  panicked: {
    level: "error",
    source: "relay",
    limit: floodLimit("internal errors"),
    text: ({ service, reason, stack }) => `internal error in ${service}: ${quoted(reason)} at ${stack.slice(0, 1_000)}`,
  },
  service_rebuilt: {
    level: "warning",
    source: "relay",
    limit: floodLimit("rebuilt services"),
    text: ({ service }) => `${service} was rebuilt from storage`,
  },
  recording_stopped: {
    level: "warning",
    source: "relay",
    limit: retryLimit("stopped recordings"),
    text: ({ file, why, reason }) => `recording to ${quoted(file)} stopped (${why}): ${quoted(reason)}`,
  },
  listener_lost: {
    level: "error",
    source: "relay",
    limit: retryLimit("lost listeners"),
    text: ({ listener, reason }) => `the listener ${listener} was ended, opening it again: ${quoted(reason)}`,
  },
  listener_restored: {
    level: "warning",
    source: "relay",
    limit: retryLimit("restored listeners"),
    text: ({ listener }) => `the listener ${listener} is open again`,
  },
  relay_started: {
    level: "info",
    source: "relay",
    limit: workLimit("started relays"),
    text: ({ name }) => `the relay ${name} started`,
  },
  relay_stopped: {
    level: "info",
    source: "relay",
    limit: workLimit("stopped relays"),
    text: ({ name }) => `the relay ${name} stopped: nobody uses it`,
  },
  relay_refused: {
    level: "warning",
    source: "relay",
    limit: retryLimit("refused relays"),
    text: ({ name, reason }) => `the relay ${name} cannot be started: ${quoted(reason)}`,
  },
  link_connected: {
    level: "info",
    source: "relay",
    limit: retryLimit("links"),
    text: ({ name, address, replaces }) =>
      `link ${name} connected from ${address}${replaces ? "; it replaces another one" : ""}`,
    measure: ({ name }, { linkUp }) => linkUp.labels(name).set(1),
  },
  link_disconnected: {
    level: "warning",
    source: "relay",
    limit: retryLimit("lost links"),
    text: ({ name, code, reason }) => `link ${name} disconnected: ${code}${reason === "" ? "" : ` ${quoted(reason)}`}`,
    measure: ({ name }, { linkUp }) => linkUp.labels(name).set(0),
  },
  node_changed: {
    level: "warning",
    source: "relay",
    limit: retryLimit("changes of nodes"),
    text: ({ node, to }) => `cluster: node ${node} ${NODE_CHANGES[to]}`,
  },
  node_unreachable: {
    level: "warning",
    source: "relay",
    limit: retryLimit("connections to other nodes"),
    text: ({ node, reason }) => `cluster: node ${node} cannot be reached: ${quoted(reason)}`,
  },
  relay_owned: {
    level: "info",
    source: "relay",
    limit: retryLimit("relays that moved here"),
    text: ({ name, epoch, how }) => `cluster: this node owns the relay ${name} (${how}, epoch ${epoch})`,
  },
  relay_left: {
    level: "info",
    source: "relay",
    limit: retryLimit("relays that moved away"),
    text: ({ name, epoch, how }) => `cluster: this node no longer owns the relay ${name} (${how}, epoch ${epoch})`,
  },
  lines_dropped: {
    level: "warning",
    source: "relay",
    limit: retryLimit("dropped lines"),
    text: ({ output, lines }) => `dropped ${lines} lines of ${output}: its reader was too slow`,
  },
} satisfies LogMessages;

const nextAttempt = (retryMs: number | undefined, setting: string): string =>
  retryMs === undefined ? `not reconnecting; correct \`${setting}\`` : `reconnecting in ${retryMs} ms`;

/** The row for an observation. The compiler demands a row for each kind. */
export function logMessageOf(name: ObservationName): LogMessage<Observation> {
  // Why the cast: the row of a name takes exactly the observation of this name, which TypeScript cannot express for a union.
  return LOG_MESSAGES[name] as LogMessage<Observation>;
}
