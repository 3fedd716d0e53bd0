/** Facts that can come without end, what many of them are called, and how many of a kind have a line in ten seconds. */
import type { ObservationName } from "../core/observation.ts";

export interface Flood {
  readonly of: string;
  readonly lines: number;
}

/** What strangers and mistakes cause. */
const trouble = (of: string): Flood => ({ of, lines: 20 });
/** What integrations and people do, of which a person wants to see each, until a program runs wild. */
const doings = (of: string): Flood => ({ of, lines: 200 });

export const FLOODS: Readonly<Partial<Record<ObservationName, Flood>>> = {
  greeting_refused: trouble("refused connections"),
  result_ignored: trouble("results that count for nothing"),
  upstream_unreadable: trouble("unreadable messages"),
  message_queued: trouble("queued messages"),
  message_dead: trouble("dead letters"),
  queue_refused: trouble("messages that were not queued"),
  entry_quarantined: trouble("entries set aside"),
  input_repaired: trouble("mended messages"),
  input_refused: trouble("refused messages"),
  peer_closed_by_relay: trouble("closed connections"),
  store_failed: trouble("failures of the store"),
  integration_connected: doings("integrations that connected"),
  integration_disconnected: doings("integrations that disconnected"),
  neuroos_connected: doings("watchers that connected"),
  neuroos_disconnected: doings("watchers that disconnected"),
  integration_connected_via_backend: doings("games that connected"),
  integration_disconnected_via_backend: doings("games that disconnected"),
  taken_over: doings("names taken over"),
  integration_registered_actions: doings("registrations"),
  binary_received: doings("files"),
  action_expired: doings("actions without a result"),
  actions_registered: doings("offers of actions"),
  actions_unregistered: doings("withdrawals of actions"),
  force_opened: doings("forces"),
  force_ended: doings("ends of forces"),
  operator_refused: doings("refused operators"),
  session_sealed: doings("sealed sessions"),
  approval_wanted: doings("actions that wait for approval"),
  operator_acted: doings("acts of people"),
};
