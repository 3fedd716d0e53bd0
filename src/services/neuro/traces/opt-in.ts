/**
 * Traces for the integration itself, if it asks for them: `neuro-relay/trace` on the game port, `"trace": true` in the greeting of the
 * Intermediary.
 *
 * Invariant: OT1 an integration gets the traces of its own messages only, and in them no name of another integration or of an operator.
 */
import type { TraceStep, TraceView } from "../../../core/traces/trace.ts";
import type { Game } from "../state.ts";

export const TRACE_COMMAND = "neuro-relay/trace";

/** The trace as one integration may see it. */
export function traceFor({ slug, name, upstream }: Game, trace: TraceView): TraceView {
  const isKnown = (who: string | null): boolean => who === null || who === name || who === upstream.id;
  const steps = trace.steps.filter(({ is, who }) => isKnown(who) || (is !== "sent" && is !== "waiting"))
    .map((step): TraceStep => (isKnown(step.who) ? step : { ...step, who: OTHER }));
  const isForeign = trace.steps.some(({ is, who }) => is === "answered" && !isKnown(who));
  const { result, ...texts } = trace.texts;
  return {
    ...trace,
    integrations: [slug],
    names: [name],
    texts: { ...texts, ...(result !== undefined && !isForeign && { result }) },
    steps,
  };
}

/** In place of the name of another integration or of an operator. */
const OTHER = "another";
