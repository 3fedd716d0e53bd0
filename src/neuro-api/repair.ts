/**
 * Repairs: input that violates the Neuro API, but could be understood and was corrected.
 *
 * Each kind is a diagnostic, which is reported to the developer of the integration: the hint names the necessary change.
 */
import type { GameMessage } from "../core/neuro-messages.ts";
import { hintFor, type RepairKind } from "../core/diagnostics/catalogue.ts";

export type { RepairKind } from "../core/diagnostics/catalogue.ts";

export interface Repair {
  readonly what: RepairKind;
  /** For the developer of the integration. */
  readonly hint: string;
}

export const NO_REPAIRS: readonly Repair[] = [];

/** Problems of one kind that a hint names. */
const DETAILS_MAX = 8;
const DETAIL_LENGTH_MAX = 320;

/** A repair while its message is read: each further problem of its kind extends the hint. */
interface RepairInProgress extends Repair {
  hint: string;
  readonly details: Set<string>;
  /** The hint with the last detail that it names. */
  named: string;
  unnamed: number;
}

/** Adds a repair, one for each kind within a message. `given` names the repaired part or its place; the hint has at most 8 of them. */
export function addRepair(repairs: Repair[], what: RepairKind, given?: string): void {
  const detail = given?.slice(0, DETAIL_LENGTH_MAX);
  // Why the cast: only this function adds repairs.
  const known = repairs.find((repair) => repair.what === what) as RepairInProgress | undefined;
  if (known === undefined) {
    const hint = hintFor(what, detail ?? "");
    const started: RepairInProgress = {
      what,
      hint,
      named: hint,
      details: new Set(detail === undefined ? [] : [detail]),
      unnamed: 0,
    };
    repairs.push(started);
  } else if (detail !== undefined && !known.details.has(detail)) {
    if (known.details.size < DETAILS_MAX) {
      known.named += `${known.details.size === 0 ? ":" : ";"} ${detail}`;
      known.details.add(detail);
    } else known.unnamed++;
    known.hint = known.unnamed === 0 ? known.named : `${known.named}; and ${known.unnamed} more`;
  }
}

/** The message with the kinds of its repairs, if it is one that is traced. */
export function withRepairs(message: GameMessage, repairs: readonly Repair[]): GameMessage {
  if (repairs.length === 0) return message;
  const isTraced = message.command === "context" || message.command === "actions/force" ||
    message.command === "action/result";
  return isTraced ? { ...message, repairs: repairs.map(({ what }) => what) } : message;
}

/** The hint of the repair of this kind. */
export const hintOf = (repairs: readonly Repair[], what: RepairKind): string =>
  repairs.find((repair) => repair.what === what)?.hint ?? "";
