/** Operations of the Brain. */
import { type ApiOperation, operation } from "./operation.ts";
import { bySlug, id, pageRequest } from "./parameters.ts";
import { brainSessions, prediction } from "./schemas.ts";

export const BRAIN_OPERATIONS: readonly ApiOperation[] = [
  operation({
    id: "listBrainSessions",
    method: "GET",
    path: "/api/brain/sessions",
    tag: "Brain",
    summary: "Lists the sessions of the Brain by name, which is the beginning of the id.",
    description: "The whole id is not shown, because it grants access to the session.",
    scopes: ["watch"],
    service: "brain",
    query: bySlug,
    reply: brainSessions,
    request: ({ query }) => ({ of: "brain", get: "sessions", ...pageRequest(query) }),
  }),
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
