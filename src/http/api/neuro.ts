/** Operations on what passes between the relay and Neuro: forces, pending actions, contexts and raw messages. */
import { z } from "zod";
import type { PageRequest } from "../../core/view.ts";
import { dataAsText, withDataAsText } from "./integrations.ts";
import { type ApiOperation, operation } from "./operation.ts";
import { byId, id, pageRequest, type PageRequestInput } from "./parameters.ts";
import {
  actionOutcome,
  actionRequest,
  context,
  decision,
  done,
  forces,
  pendingActions,
  rawMessage,
  sendOutcome,
} from "./schemas.ts";

const tag = "Neuro";
const service = "neuro";
const pageOfIntegration = (
  { integration, ...query }: PageRequestInput & { readonly integration?: string | undefined },
): PageRequest & { readonly integration?: string } => ({
  ...(integration !== undefined && { integration }),
  ...pageRequest(query),
});
const force = { id: id("The force's id, from the overview.") };
const pending = { id: id("The pending action's id, from the overview.") };
const upstream = { id: id("The upstream's id, such as `neuro`.") };

const ofIntegration = {
  integration: z.string().min(1).max(512).optional().describe("The id of an integration."),
  ...byId,
};

export const NEURO_OPERATIONS: readonly ApiOperation[] = [
  operation({
    id: "listForces",
    method: "GET",
    path: "/api/forces",
    tag,
    summary: "Lists the current forces and those that wait, in the order of their creation.",
    scopes: ["watch"],
    service,
    query: ofIntegration,
    reply: forces,
    request: ({ query }) => ({ of: "neuro", get: "forces", ...pageOfIntegration(query) }),
  }),
  operation({
    id: "listPendingActions",
    method: "GET",
    path: "/api/pending",
    tag,
    summary: "Lists the actions without a result, in the order of their creation.",
    scopes: ["watch"],
    service,
    query: ofIntegration,
    reply: pendingActions,
    request: ({ query }) => ({ of: "neuro", get: "pending", ...pageOfIntegration(query) }),
  }),
  operation({
    id: "answerForce",
    method: "POST",
    path: "/api/forces/{id}/answer",
    tag,
    summary: "Answers a force in Neuro's place, and returns the action's result.",
    scopes: ["command"],
    service,
    params: force,
    body: actionRequest,
    reply: actionOutcome,
    request: ({ path, body }) => ({ of: "neuro", do: "answerForce", force: path.id, ...withDataAsText(body) }),
  }),
  operation({
    id: "cancelForce",
    method: "DELETE",
    path: "/api/forces/{id}",
    tag,
    summary: "Cancels a force. Its integration is not notified, because the protocol has no message for it.",
    scopes: ["command"],
    service,
    params: force,
    reply: done,
    request: ({ path }) => ({ of: "neuro", do: "cancelForce", force: path.id }),
  }),
  operation({
    id: "decidePendingAction",
    method: "POST",
    path: "/api/pending/{id}/decision",
    tag,
    summary: "Approves a pending action, also with other data, or fails it.",
    scopes: ["command"],
    service,
    params: pending,
    body: decision,
    reply: done,
    request: ({ path, body: { data, ...body } }) => ({
      of: "neuro",
      do: "decideAction",
      pending: path.id,
      ...body,
      ...dataAsText(data),
    }),
  }),
  operation({
    id: "injectUpstreamMessage",
    method: "POST",
    path: "/api/upstreams/{id}/messages",
    tag,
    summary: "Sends a raw message to Neuro, verbatim, as the relay.",
    scopes: ["admin"],
    service,
    params: upstream,
    body: rawMessage,
    reply: done,
    request: ({ path, body }) => ({ of: "neuro", do: "injectMessage", upstream: path.id, message: body.message }),
  }),
  operation({
    id: "sendContext",
    method: "POST",
    path: "/api/upstreams/{id}/contexts",
    tag,
    summary: "Sends a context to Neuro. While she is not connected, it is queued.",
    scopes: ["direct", "admin"],
    service,
    params: upstream,
    body: context,
    reply: sendOutcome,
    request: ({ path, body }) => ({ of: "neuro", do: "sendContext", upstream: path.id, ...body }),
  }),
];
