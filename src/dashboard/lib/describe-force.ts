/** Describes how a force stands, in words. */
import { assertNever } from "../../core/assert.ts";
import type { ForceView, IntegrationView, PendingView } from "../../core/view.ts";
import { TEXTS } from "../texts.ts";
import { sanitize } from "./sanitize.ts";

const TEXT = TEXTS.now;
const NAME_MAX = 60;

/** The data that the reason for waiting depends on. */
export interface ForceSurroundings {
  /** Place among the forces that wait for the same Neuro, from 1. */
  readonly place: number;
  readonly isStopped: boolean;
  readonly integrations: readonly IntegrationView[];
  /** Actions without a result. */
  readonly pending: readonly PendingView[];
}

/** True for a force that waits for more than its turn. */
export const isStuck = ({ is, waits_for: reason }: ForceView): boolean =>
  is === "waiting" && reason !== null && reason !== "turn" && reason !== "result";

export function describeForce(force: ForceView, surroundings: ForceSurroundings): string {
  const { is, waits_for } = force;
  switch (is) {
    case "waiting":
      return waitText(force, surroundings);
    case "open":
      return waits_for === null ? TEXT.forceStates.open : resultText(force, surroundings);
    case "settling":
      return isUnapproved(force, surroundings) ? TEXT.awaitsApproval : TEXT.forceStates[is];
    case "closing":
      return TEXT.forceStates[is];
    default:
      return assertNever(is);
  }
}

/** An operator has to approve Neuro's choice before the game can work on it. */
const isUnapproved = ({ integration }: ForceView, { pending }: ForceSurroundings): boolean =>
  pending.some(({ is, forced, to }) => is === "approval" && forced && to.includes(integration));

const resultText = (force: ForceView, surroundings: ForceSurroundings): string =>
  isUnapproved(force, surroundings) ? TEXT.awaitsApproval : TEXT.awaitsResult;

function waitText(force: ForceView, surroundings: ForceSurroundings): string {
  const { waits_for, integration, name } = force;
  switch (waits_for) {
    case "held":
      return heldText(integration, surroundings);
    case "result":
      return resultText(force, surroundings);
    case "other_character":
      return TEXT.otherCharacter;
    case "integration_away":
      return TEXT.integrationOffline(sanitize(name, NAME_MAX));
    case "neuro_away":
      return TEXT.neuroOffline;
    case "names":
      return TEXT.missingActions;
    case "turn":
    case null:
      return TEXT.inLine(surroundings.place);
    default:
      return assertNever(waits_for);
  }
}

/** The reason that it is held: everything is stopped, it is paused, or another integration is solo. */
function heldText(id: string, { isStopped, integrations }: ForceSurroundings): string {
  if (isStopped) return TEXT.heldByStop;
  const own = integrations.find((one) => one.id === id);
  if (own?.admission === "pending" || own?.admission === "rejected") return TEXT.unapproved(sanitize(own.name, NAME_MAX));
  if (own?.paused === true) return TEXT.heldByPause(sanitize(own.name, NAME_MAX));
  const solo = integrations.find((one) => one.solo && one.id !== id);
  return solo === undefined ? TEXT.held : TEXT.heldBySolo(sanitize(solo.name, NAME_MAX));
}
