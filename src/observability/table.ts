/**
 * From a fact to its line in the log and its metric: the one table.
 *
 * Invariants: O1 no line above `debug` holds a payload (what peers say, ask or answer); O2 whatever comes from a peer passes
 * `quoted` or `list`; O3 no entry does more than add to a cell when its line is not written.
 */
import type { Observation, ObservationName } from "../core/observation.ts";
import type { LogLevel, LogSettings } from "../core/settings.ts";
import type { Meters } from "./meters.ts";
import { list, quoted, withoutSecrets } from "./text.ts";

/** Whom a line is about: the names under which levels can be set. */
export type LogRoom = keyof LogSettings["levels"];

export interface Entry<Of extends Observation> {
  readonly level: LogLevel;
  readonly room: LogRoom;
  text(observation: Of): string;
  /** Beyond the count by name, which every note has. */
  measure?(observation: Of, meters: Meters, now: () => number): void;
}

type Table = { readonly [Name in ObservationName]: Entry<Extract<Observation, { readonly is: Name }>> };

const TABLE: Table = {
  nallely_connected: {
    level: "info",
    room: "nallely",
    text: ({ name, url }) => `neuron ${quoted(name)} registered at ${withoutSecrets(url)}`,
  },
  nallely_lost: {
    level: "warning",
    room: "nallely",
    text: ({ name, reason, retry_ms }) =>
      `neuron ${quoted(name)} lost its bus (${quoted(reason)}), again in ${retry_ms} ms`,
  },
  nallely_drifted: {
    level: "warning",
    room: "nallely",
    text: ({ name, listed, missing, extra, changed }) =>
      listed
        ? `the session has another idea of neuron ${quoted(name)}: missing ${list(missing)}, extra ${
          list(extra)
        }, changed ${list(changed)}`
        : `the session does not list neuron ${quoted(name)}: the name is lost until the session is reset`,
  },
  nallely_input: {
    level: "info",
    room: "nallely",
    text: ({ parameter, did }) => `${quoted(parameter)} rose over its threshold: ${did}`,
  },
  nallely_output: {
    level: "info",
    room: "nallely",
    text: ({ parameter, action }) => `${quoted(parameter)} was set by action ${quoted(action)}`,
  },
  nallely_refused: {
    level: "error",
    room: "nallely",
    text: ({ reason }) => `the settings of nallely cannot work: ${quoted(reason)}`,
  },
  integration_connected: {
    level: "info",
    room: "intermediary",
    text: ({ name }) => `integration ${quoted(name)} connected`,
    measure: ({ name }, { presence }, now) => presence.came("intermediary", name, now()),
  },
  integration_disconnected: {
    level: "info",
    room: "intermediary",
    text: ({ name }) => `integration ${quoted(name)} disconnected`,
    measure: ({ name }, { presence }) => presence.left("intermediary", name),
  },
  neuroos_connected: {
    level: "info",
    room: "intermediary",
    text: ({ name, privileges }) => `watcher ${quoted(name)} connected (${privileges})`,
  },
  neuroos_disconnected: {
    level: "info",
    room: "intermediary",
    text: ({ name }) => `watcher ${quoted(name)} disconnected`,
  },
  integration_connected_via_backend: {
    level: "info",
    room: "neuro",
    text: ({ name }) => `game ${quoted(name)} connected`,
    measure: ({ name }, { presence }, now) => presence.came("neuro", name, now()),
  },
  integration_disconnected_via_backend: {
    level: "info",
    room: "neuro",
    text: ({ name }) => `game ${quoted(name)} disconnected`,
    measure: ({ name }, { presence }) => presence.left("neuro", name),
  },
  taken_over: {
    level: "warning",
    room: "relay",
    text: ({ name, winner }) => `${quoted(name)} connected twice; the ${winner} connection stays`,
  },
  greeting_refused: {
    level: "warning",
    room: "relay",
    text: ({ address, reason }) => `refused ${quoted(address)}: ${quoted(reason)}`,
    measure: ({ fault }, { refusals }) => refusals.of(fault).add(),
  },
  integration_message: {
    level: "debug",
    room: "intermediary",
    text: ({ from, payload }) => `${quoted(from)} says ${quoted(JSON.stringify(payload))}`,
  },
  integration_registered_actions: {
    level: "info",
    room: "intermediary",
    text: ({ from, actions }) => `${quoted(from)} registered ${list(actions)}`,
  },
  binary_received: {
    level: "info",
    room: "intermediary",
    text: ({ from, size, file }) => `${quoted(from)} sent ${size} bytes, kept as ${file}`,
  },
  backend_message: {
    level: "debug",
    room: "neuro",
    text: ({ payload }) => `Neuro says ${quoted(payload)}`,
  },
  add_context: {
    level: "debug",
    room: "neuro",
    text: ({ game_title, message }) => `context of ${quoted(game_title)}: ${quoted(message)}`,
  },
  context_dropped: {
    level: "debug",
    room: "neuro",
    text: ({ from }) => `dropped a context of ${quoted(from)}, which is muted`,
  },
  choose_action: {
    level: "debug",
    room: "neuro",
    text: ({ payload }) => `asked for a choice: ${quoted(JSON.stringify(payload))}`,
  },
  action_sent: {
    level: "debug",
    room: "neuro",
    text: ({ id, name, to, data }) => `action ${id} ${quoted(name)} to ${list(to)} with ${quoted(data ?? "nothing")}`,
  },
  approval_wanted: {
    level: "info",
    room: "neuro",
    text: ({ id, name, to }) => `action ${id} ${quoted(name)} to ${list(to)} waits until somebody approves`,
  },
  action_result: {
    level: "debug",
    room: "neuro",
    text: ({ id, name, from, success, ms, origin }) =>
      `action ${id} ${quoted(name)} ${success ? "succeeded" : "failed"} after ${ms} ms, answered by ${origin} ${
        quoted(from)
      }`,
    measure: ({ origin, success, ms }, { results, latency }) => {
      results.of(origin, success ? "true" : "false").add();
      latency.observe(ms / 1_000);
    },
  },
  result_ignored: {
    level: "info",
    room: "neuro",
    text: ({ from, why }) => `a result of ${quoted(from)} counts for nothing: ${why}`,
  },
  action_expired: {
    level: "warning",
    room: "neuro",
    text: ({ id, name, to }) => `action ${id} ${quoted(name)} was answered for ${list(to)}: no result in time`,
  },
  actions_registered: {
    level: "info",
    room: "neuro",
    text: ({ integration, names }) => `${quoted(integration)} offers ${list(names)}`,
  },
  actions_unregistered: {
    level: "info",
    room: "neuro",
    text: ({ integration, names }) => `${quoted(integration)} withdraws ${list(names)}`,
  },
  force_opened: {
    level: "info",
    room: "neuro",
    text: ({ integration, names, priority, waited }) =>
      `force of ${quoted(integration)} (${priority}, waited ${waited} ms) over ${list(names)}`,
  },
  force_ended: {
    level: "info",
    room: "neuro",
    text: ({ integration, end, ms }) => `force of ${quoted(integration)} ended after ${ms} ms: ${end}`,
    measure: ({ end }, { forces }) => forces.of(end).add(),
  },
  upstream_dialing: {
    level: "debug",
    room: "neuro",
    text: ({ upstream, attempt }) => `dialing ${quoted(upstream)}, attempt ${attempt}`,
  },
  upstream_connected: {
    level: "info",
    room: "neuro",
    text: ({ upstream, url }) => `connected to ${quoted(upstream)} at ${quoted(withoutSecrets(url))}`,
    measure: ({ upstream }, { upstreamConnections }) => upstreamConnections.of(upstream).add(),
  },
  upstream_lost: {
    level: "warning",
    room: "neuro",
    text: ({ upstream, reason, retry_ms }) => `lost ${quoted(upstream)}, trying again in ${retry_ms} ms: ${quoted(reason)}`,
  },
  character_changed: {
    level: "info",
    room: "neuro",
    text: ({ upstream, character }) => `${quoted(upstream)} is now ${quoted(character)}`,
  },
  upstream_silent: {
    level: "warning",
    room: "neuro",
    text: ({ upstream, ms }) => `nothing heard from ${quoted(upstream)} for ${ms} ms`,
  },
  upstream_unreadable: {
    level: "warning",
    room: "neuro",
    text: ({ upstream, reason }) => `unreadable message from ${quoted(upstream)}: ${quoted(reason)}`,
  },
  message_queued: {
    level: "info",
    room: "intermediary",
    text: ({ to, id, kind, depth }) => `${kind} ${id} waits for ${quoted(to)}, ${depth} in its queue`,
    measure: (_note, { queued }) => queued.of("queued").add(),
  },
  message_delivered: {
    level: "debug",
    room: "intermediary",
    text: ({ to, id, confirmed }) => `${id} ${confirmed ? "confirmed by" : "sent to"} ${quoted(to)}`,
    measure: (_note, { queued }) => queued.of("delivered").add(),
  },
  message_dead: {
    level: "warning",
    room: "intermediary",
    text: ({ to, id, why }) => `${id} for ${quoted(to)} is a dead letter: ${quoted(why)}`,
    measure: (_note, { queued }) => queued.of("dead").add(),
  },
  queue_refused: {
    level: "warning",
    room: "intermediary",
    text: ({ to, why }) => `a message for ${quoted(to)} was not queued: ${why}`,
    measure: ({ why }, { refusals, queued }) => {
      refusals.of(why).add();
      queued.of("refused").add();
    },
  },
  entry_quarantined: {
    level: "error",
    room: "relay",
    text: ({ key, why }) => `an entry of the store is set aside: ${quoted(key)}: ${quoted(why)}`,
  },
  session_created: {
    level: "debug",
    room: "brain",
    text: ({ session, parent }) =>
      `session ${quoted(session)} ${parent === undefined ? "created" : `forked from ${quoted(parent)}`}`,
  },
  operator_applied: {
    level: "debug",
    room: "brain",
    text: ({ session, operator, risk }) => `${quoted(operator)} applied in ${quoted(session)}, risk ${risk}/1000`,
  },
  operator_refused: {
    level: "info",
    room: "brain",
    text: ({ session, operator, reasons }) => `${quoted(operator)} refused in ${quoted(session)}: ${list(reasons)}`,
  },
  session_sealed: { level: "info", room: "brain", text: ({ session }) => `session ${quoted(session)} sealed` },
  session_ended: { level: "debug", room: "brain", text: ({ session, why }) => `session ${quoted(session)} ${why}` },
  session_damaged: {
    level: "error",
    room: "brain",
    text: ({ session, seq, why }) => `what is stored of session ${quoted(session)} is damaged at ${seq}: ${quoted(why)}`,
  },
  inferred: {
    level: "debug",
    room: "brain",
    text: ({ trace_id, value }) => `inferred ${value ?? "nothing"} for ${quoted(JSON.stringify(trace_id))}`,
  },
  artifact_loaded: {
    level: "info",
    room: "brain",
    text: ({ run_id, predicts }) => `artifact ${quoted(run_id)} loaded${predicts ? "" : ", it cannot predict"}`,
  },
  artifact_refused: {
    level: "info",
    room: "brain",
    text: ({ run_id, why }) => `no predictions, for want of artifact ${quoted(run_id)}: ${quoted(why)}`,
  },
  input_repaired: {
    level: "warning",
    room: "relay",
    text: ({ from, what, hint }) => `mended ${quoted(what)} of ${quoted(from)}: ${quoted(hint)}`,
  },
  input_refused: {
    level: "info",
    room: "relay",
    text: ({ from, fault, reason }) => `refused what ${quoted(from)} sent (${fault}): ${quoted(reason)}`,
    measure: ({ fault }, { refusals }) => refusals.of(fault).add(),
  },
  peer_closed_by_relay: {
    level: "warning",
    room: "relay",
    text: ({ from, fault }) => `closed ${quoted(from)}: ${fault}`,
    measure: ({ fault }, { refusals }) => refusals.of(fault).add(),
  },
  operator_acted: {
    level: "info",
    room: "relay",
    text: ({ by, did, to, outcome }) =>
      outcome === "done"
        ? `${quoted(by)} did ${did} to ${quoted(to)}`
        : `${quoted(by)} could not do ${did} to ${quoted(to)}: ${outcome}`,
    measure: ({ did, outcome }, { operatorActs }) => operatorActs.of(did, outcome).add(),
  },
  store_failed: {
    level: "error",
    room: "relay",
    text: ({ key, reason }) => `the store failed at ${quoted(key)}: ${quoted(reason)}`,
  },
  panicked: {
    level: "error",
    room: "relay",
    text: ({ service, reason, stack }) => `a mistake of ours in ${service}: ${quoted(reason)} at ${stack.slice(0, 1_000)}`,
  },
  service_rebuilt: {
    level: "warning",
    room: "relay",
    text: ({ service }) => `${service} was made anew from what is stored`,
  },
  recording_stopped: {
    level: "warning",
    room: "relay",
    text: ({ file, why, reason }) => `nothing more is recorded in ${quoted(file)} (${why}): ${quoted(reason)}`,
  },
};

/** The entry for a note. Total: the compiler asks for a row per kind. */
export function entryOf(observation: Observation): Entry<Observation> {
  return TABLE[observation.is] as Entry<Observation>; // Why: the row of `note.is` takes this very note, which no type can say of a union.
}
