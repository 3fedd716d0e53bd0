/** Operations of the Brain, and of Nallely. */
import { type ApiOperation, operation } from "./operation.ts";
import { bySlug, id, pageRequest } from "./parameters.ts";
import { brainSessionDetail, brainSessions, done, nallely, nallelyValue, prediction } from "./schemas.ts";

export const NALLELY_OPERATIONS: readonly ApiOperation[] = [
  operation({
    id: "getNallely",
    method: "GET",
    path: "/api/nallely",
    tag: "Nallely",
    summary: "Returns the state of the relay as a neuron of a Nallely session.",
    scopes: ["watch"],
    service: "nallely",
    reply: nallely,
    request: () => ({ of: "nallely", get: "neuron" }),
  }),
  operation({
    id: "setNallelyValue",
    method: "POST",
    path: "/api/nallely/values",
    tag: "Nallely",
    summary: "Sets a value: of an output as Neuro would with an action, of an input as if it had arrived.",
    description:
      "`settable` of `GET /api/nallely` lists the parameters with their ranges. A value outside the range is refused.",
    scopes: ["command"],
    service: "nallely",
    body: nallelyValue,
    reply: done,
    request: ({ body }) => ({ of: "nallely", do: "setValue", ...body }),
  }),
];

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
    id: "getBrainSession",
    method: "GET",
    path: "/api/brain/sessions/{name}",
    tag: "Brain",
    summary: "Returns one session of the Brain with its state and its last events.",
    description:
      "A session that is not in memory has neither until a client uses it. The ids of sessions are replaced by their names.",
    scopes: ["admin"],
    service: "brain",
    params: { name: id("The name of the session, from the list.") },
    reply: brainSessionDetail,
    request: ({ path }) => ({ of: "brain", get: "session", name: path.name }),
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
