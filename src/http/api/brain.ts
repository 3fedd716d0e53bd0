/** Operations of the Brain. */
import { type ApiOperation, operation } from "./operation.ts";
import { id } from "./parameters.ts";
import { prediction } from "./schemas.ts";

export const BRAIN_OPERATIONS: readonly ApiOperation[] = [
  operation({
    id: "getPrediction",
    method: "GET",
    path: "/api/brain/predictions/{trace_id}",
    tag: "Brain",
    summary: "Returns the last stored prediction under a trace id.",
    scopes: ["watch"],
    service: "brain",
    params: { trace_id: id("The trace id of an `Infer` request, if it is a text.") },
    reply: prediction,
    request: ({ path }) => ({ of: "brain", get: "prediction", trace_id: path.trace_id }),
  }),
];
