/** Has the artifact read that the settings name, and keeps its predictor. */
import type { StepContext } from "../../../core/context.ts";
import type { ServiceEvent } from "../../../core/event.ts";
import { jobId } from "../../../core/ids.ts";
import { isObject, type JsonObject } from "../../../core/json.ts";
import { ARTIFACT_MS } from "../../../core/limits.ts";
import { builtInPredictor, type Predictor, predictorFrom } from "../../../inference/mod.ts";
import type { BrainState } from "../state.ts";
import type { InferenceState } from "./inference-state.ts";

/** The artifact that is part of the program, for places without files. */
const BUILT_IN_NAME = "built-in";

/** Starts reading the artifact if it has not been read and is not being read. */
export function readArtifact(state: BrainState, ctx: StepContext): void {
  const { inference, settings: { artifact: run_id, artifacts_root: root } } = state;
  if (inference.artifact.is !== "unread") return;
  if (run_id === BUILT_IN_NAME) return useArtifact(state, builtInPredictor(), ctx);
  const job = jobId(`brain:${ctx.id()}`);
  inference.artifact = { is: "reading", job };
  ctx.emit({ do: "runJob", job, name: "artifact", input: { run_id, root }, deadline: ctx.now + ARTIFACT_MS });
}

/** Reads the artifact again, because the settings name another one. Requests wait for it. */
export function reloadArtifact(state: BrainState, ctx: StepContext): void {
  state.inference.artifact = { is: "unread" };
  readArtifact(state, ctx);
}

/** The job that reads the files of the artifact has finished. */
export function artifactRead(
  state: BrainState,
  { job, output, fault }: ServiceEvent & { readonly is: "jobFinished" },
  ctx: StepContext,
): void {
  const { artifact } = state.inference;
  if (artifact.is !== "reading" || artifact.job !== job) return;
  const { built_in: isBuiltIn, why: reason = fault } = isObject(output) ? output : { why: fault };
  if (isBuiltIn === true) return useArtifact(state, builtInPredictor(), ctx);
  useArtifact(state, typeof reason === "string" ? reason : predictorFrom(output), ctx);
}

function useArtifact(state: BrainState, predictor: Predictor | string, ctx: StepContext): void {
  const { inference, settings, readyRequests } = state;
  if (typeof predictor === "string") {
    inference.artifact = { is: "read", predictor: undefined, reason: predictor };
    ctx.observe({ is: "artifact_refused", run_id: settings.artifact, why: predictor });
  } else {
    const { runId, canPredict, modelError } = predictor;
    inference.artifact = { is: "read", predictor, reason: modelError ?? "" };
    ctx.observe({ is: "artifact_loaded", run_id: runId, predicts: canPredict });
    if (modelError !== undefined) ctx.observe({ is: "artifact_refused", run_id: runId, why: modelError });
  }
  readyRequests.push(...inference.waitingRequests.splice(0));
}

/** The artifact as the overview of the Brain shows it. */
export function artifactView({ artifact }: InferenceState): JsonObject {
  const { predictor, reason } = artifact.is === "read" ? artifact : { predictor: undefined, reason: "" };
  return { is: artifact.is, run_id: predictor?.runId ?? null, predicts: predictor?.canPredict ?? false, why: reason };
}
