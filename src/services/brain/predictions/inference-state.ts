/** The state of the Brain's inference. */
import type { JobId, Key, LoadToken, Millis, RequestId } from "../../../core/ids.ts";
import type { Predictor } from "../../../inference/mod.ts";
import type { ClientRequest } from "../sessions/session.ts";

export interface InferenceState {
  artifact: ArtifactState;
  /** `Infer` requests that wait for the artifact. */
  readonly waitingRequests: ClientRequest[];
  /** By trace id: the key of its stored prediction, the oldest first. */
  readonly predictionKeys: Map<string, Key>;
  /** Requests for a prediction that is being loaded. */
  readonly queries: Map<LoadToken, PredictionQuery>;
}

export type PredictionQuery =
  | { readonly is: "api"; readonly requestId: RequestId }
  | { readonly is: "client"; readonly request: ClientRequest };

export type ArtifactState =
  | { readonly is: "unread" }
  | { readonly is: "reading"; readonly job: JobId }
  /** `reason`: why the predictor is missing or cannot predict. */
  | {
    readonly is: "read";
    readonly predictor: Predictor | undefined;
    readonly reason: string;
    readonly readAt: Millis;
    /** The job that looks for a newer run, while the current one is in use. */
    readonly refresh: JobId | undefined;
  };

export const newInferenceState = (): InferenceState => ({
  artifact: { is: "unread" },
  waitingRequests: [],
  predictionKeys: new Map(),
  queries: new Map(),
});
