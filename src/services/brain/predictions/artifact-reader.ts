/** Has the artifact read that the settings name, and keeps its predictor. */
import { assertNever } from "../../../core/assert.ts";
import type { StepContext } from "../../../core/context.ts";
import type { ServiceEvent } from "../../../core/event.ts";
import { type JobId, jobId } from "../../../core/ids.ts";
import { isObject, type JsonObject } from "../../../core/json.ts";
import { ARTIFACT_MS, ARTIFACT_REFRESH_MS } from "../../../core/limits.ts";
import { builtInPredictor, type Predictor, predictorFrom } from "../../../inference/mod.ts";
import type { BrainState } from "../state.ts";
import type { ArtifactState, InferenceState } from "./inference-state.ts";

type JobFinished = ServiceEvent & { readonly is: "jobFinished" };

/** The artifact that is part of the program, for places without files and without a run. */
const BUILT_IN_NAME = "built-in";
/** The last run by name. */
const LATEST_NAME = "latest";

/** Starts reading the artifact if it has not been read and is not being read. */
export function readArtifact(state: BrainState, ctx: StepContext): void {
  const { inference, settings: { artifact: run_id } } = state;
  if (inference.artifact.is !== "unread") return;
  if (run_id === BUILT_IN_NAME) return useArtifact(state, builtInPredictor(), ctx);
  inference.artifact = { is: "reading", job: startJob(state, null, ctx) };
}

/** Looks for a newer run from time to time. The current predictor is used until a newer one has been read. */
export function refreshArtifact(state: BrainState, ctx: StepContext): void {
  const { inference, settings } = state;
  const { artifact } = inference;
  if (artifact.is !== "read" || artifact.refresh !== undefined || settings.artifact !== LATEST_NAME) return;
  if (ctx.now - artifact.readAt < ARTIFACT_REFRESH_MS) return;
  const current = artifact.predictor?.runId ?? null;
  inference.artifact = { ...artifact, refresh: startJob(state, current, ctx) };
}

function startJob({ settings: { artifact, artifacts_root } }: BrainState, current: string | null, ctx: StepContext): JobId {
  const job = jobId(`brain:${ctx.id()}`);
  const input = { run_id: artifact, root: artifacts_root, current };
  ctx.emit({ do: "runJob", job, name: "artifact", input, deadline: ctx.now + ARTIFACT_MS });
  return job;
}

/** Reads the artifact again, because the settings name another one. Requests wait for it. */
export function reloadArtifact(state: BrainState, ctx: StepContext): void {
  state.inference.artifact = { is: "unread" };
  readArtifact(state, ctx);
}

/** The job that reads the files of the artifact has finished. */
export function artifactRead(
  state: BrainState,
  finished: JobFinished,
  ctx: StepContext,
): void {
  const { artifact } = state.inference;
  switch (artifact.is) {
    case "unread":
      return;
    case "reading":
      if (artifact.job === finished.job) useArtifact(state, predictorOf(finished), ctx);
      return;
    case "read":
      if (artifact.refresh === finished.job) refreshed(state, artifact, finished, ctx);
      return;
    default:
      return assertNever(artifact);
  }
}

/** A newer run replaces the current one. If no newer run exists, or it cannot be read, the current one stays in use. */
function refreshed(
  state: BrainState,
  artifact: Extract<ArtifactState, { readonly is: "read" }>,
  finished: JobFinished,
  ctx: StepContext,
): void {
  const found = hasNoRun(finished) ? undefined : predictorOf(finished);
  if (typeof found === "object") return useArtifact(state, found, ctx);
  const reason = typeof found === "string" ? found : artifact.reason;
  if (reason !== artifact.reason) ctx.observe({ is: "artifact_refused", run_id: state.settings.artifact, why: reason });
  state.inference.artifact = { ...artifact, reason, readAt: ctx.now, refresh: undefined };
}

/** The predictor in the output of the job, or the reason for its absence; undefined if the run is still the current one. */
function predictorOf(finished: JobFinished): Predictor | string | undefined {
  const { output, fault, reason = fault } = finished;
  const { built_in: isBuiltIn, unchanged: isUnchanged, why = reason } = isObject(output) ? output : {};
  if (isBuiltIn === true || hasNoRun(finished)) return builtInPredictor();
  if (isUnchanged === true) return undefined;
  return typeof why === "string" ? why : predictorFrom(output);
}

const hasNoRun = ({ output }: JobFinished): boolean => isObject(output) && output["no_run"] === true;

function useArtifact(state: BrainState, found: Predictor | string | undefined, ctx: StepContext): void {
  const { inference, settings, readyRequests } = state;
  const read = { is: "read", readAt: ctx.now, refresh: undefined } as const;
  if (typeof found === "object") {
    const { runId, canPredict, modelError } = found;
    inference.artifact = { ...read, predictor: found, reason: modelError ?? "" };
    ctx.observe({ is: "artifact_loaded", run_id: runId, predicts: canPredict });
    if (modelError !== undefined) ctx.observe({ is: "artifact_refused", run_id: runId, why: modelError });
  } else {
    const reason = found ?? "its files could not be read";
    inference.artifact = { ...read, predictor: undefined, reason };
    ctx.observe({ is: "artifact_refused", run_id: settings.artifact, why: reason });
  }
  readyRequests.push(...inference.waitingRequests.splice(0));
}

/** The artifact as the overview of the Brain shows it. */
export function artifactView({ artifact }: InferenceState): JsonObject {
  const { predictor, reason } = artifact.is === "read" ? artifact : { predictor: undefined, reason: "" };
  return { is: artifact.is, run_id: predictor?.runId ?? null, predicts: predictor?.canPredict ?? false, why: reason };
}
