/** Operations on integrations. */
import { z } from "zod";
import { DIAGNOSTIC_IDS, SEVERITIES } from "../../core/diagnostics/catalogue.ts";
import { controlsTag, integrationControlsTag } from "../../core/view.ts";
import { forEach } from "./bulk.ts";
import { type ApiOperation, composedOperation, operation } from "./operation.ts";
import { byDiagnostic, bySlug, given, id, ofIntegrations, pageRequest } from "./parameters.ts";
import {
  actionOutcome,
  actionRequest,
  admissionDecision,
  askOutcome,
  bulkControls,
  bulkOutcome,
  controls,
  controlsChange,
  diagnostics,
  done,
  integration,
  integrationControlsChange,
  integrationDetail,
  integrations,
  rawMessage,
  reregistrationRequest,
  shutdownRequest,
} from "./schemas.ts";

const tag = "Integrations";
const service = "neuro";
const params = { id: id("The integration's id.") };
const PERSISTENT = "The change stays in force until it is lifted, also over restarts.";

const IF_MATCH =
  "With the `ETag` of the reply to GET as `If-Match` it is refused (412) if another operator has changed them since; counters do not matter.";

const SHUTDOWN =
  "The policy `shutdown` is not asked: a client that does not know the command may end at once. One that does not answer with " +
  "`shutdown/ready` is disconnected after `actions.shutdown_timeout` (5 s).";
const REREGISTRATION =
  "A client that ignores the request keeps its actions, or with `clear` has none until it registers some by itself.";

export const INTEGRATION_OPERATIONS: readonly ApiOperation[] = [
  operation({
    id: "listIntegrations",
    method: "GET",
    path: "/api/integrations",
    tag,
    summary: "Lists games and integrations of the Intermediary in the order of their ids.",
    scopes: ["watch"],
    service,
    query: { ...ofIntegrations, ...bySlug },
    reply: integrations,
    request: ({ query }) => ({ of: "neuro", get: "integrations", ...given(query) }),
  }),
  composedOperation({
    id: "updateControlsOfIntegrations",
    method: "PATCH",
    path: "/api/integrations",
    tag,
    summary: "Changes the controls of several integrations.",
    description: PERSISTENT,
    scopes: ["admin"],
    service,
    body: bulkControls,
    reply: bulkOutcome,
    run: async ({ body: { ids, change }, principal }, ports) => ({
      body: await forEach(ids, (id) => ports.request({ of: "neuro", do: "setControls", id, to: change }, principal)),
    }),
  }),
  operation({
    id: "getIntegration",
    method: "GET",
    path: "/api/integrations/{id}",
    tag,
    summary: "Returns one integration with its registered actions.",
    scopes: ["watch"],
    service,
    params,
    reply: integrationDetail,
    request: ({ path }) => ({ of: "neuro", get: "integration", id: path.id }),
    versionOf: (body) => integrationControlsTag(body),
  }),
  operation({
    id: "listDiagnostics",
    method: "GET",
    path: "/api/diagnostics",
    tag,
    summary: "Lists what authors of integrations should correct or know, in the order of integrations.",
    scopes: ["watch"],
    service,
    query: {
      integration: z.string().min(1).max(512).optional().describe("The id of an integration."),
      severity: z.enum(SEVERITIES).optional().describe("The least severity. Default: `info`, which is all."),
      what: z.enum(DIAGNOSTIC_IDS).optional().describe("One diagnostic of the catalogue."),
      ...byDiagnostic,
    },
    reply: diagnostics,
    request: ({ query }) => ({
      of: "neuro",
      get: "diagnostics",
      ...(query.integration !== undefined && { integration: query.integration }),
      ...(query.severity !== undefined && { severity: query.severity }),
      ...(query.what !== undefined && { what: query.what }),
      ...pageRequest(query),
    }),
  }),
  operation({
    id: "updateIntegrationControls",
    method: "PATCH",
    path: "/api/integrations/{id}",
    tag,
    summary:
      "Pauses, mutes or solos an integration, requires approval of its actions, or selects how the relay plays Neuro for it; or lifts that.",
    description: `${PERSISTENT} ${IF_MATCH}`,
    scopes: ["admin"],
    service,
    params,
    body: integrationControlsChange,
    reply: integration,
    acceptsIfMatch: true,
    request: ({ path, body, expects }) => ({
      of: "neuro",
      do: "setControls",
      id: path.id,
      to: body,
      ...(expects !== undefined && { expects }),
    }),
  }),
  operation({
    id: "decideIntegration",
    method: "POST",
    path: "/api/integrations/{id}/decision",
    tag,
    summary: "Approves an integration, or rejects it.",
    description:
      "The decision has an effect if the policy of the integration has `admission: approval`. Neuro sees nothing of an integration " +
      "that is `pending` or `rejected`: its forces wait, and its contexts wait (`pending`) or are dropped (`rejected`). The decision stays in " +
      "force until there is another one, also over restarts.",
    scopes: ["admin"],
    service,
    params,
    body: admissionDecision,
    reply: integration,
    request: ({ path, body }) => ({ of: "neuro", do: "decideIntegration", id: path.id, approve: body.approve }),
  }),
  operation({
    id: "disconnectIntegration",
    method: "DELETE",
    path: "/api/integrations/{id}/connection",
    tag,
    summary: "Closes the connection of an integration, which can reconnect.",
    scopes: ["admin"],
    service,
    params,
    reply: done,
    request: ({ path }) => ({ of: "neuro", do: "disconnect", id: path.id }),
  }),
  operation({
    id: "shutDownIntegration",
    method: "POST",
    path: "/api/integrations/{id}/shutdown",
    tag,
    summary: "Asks one integration to shut down, or takes that back.",
    description: SHUTDOWN,
    scopes: ["admin"],
    service,
    params,
    body: shutdownRequest,
    reply: askOutcome,
    request: ({ path, body }) => ({ of: "neuro", do: "shutDown", id: path.id, how: body.how }),
  }),
  operation({
    id: "shutDownIntegrations",
    method: "POST",
    path: "/api/shutdown",
    tag,
    summary: "Asks all connected integrations to shut down, or takes that back. The relay continues.",
    description: SHUTDOWN,
    scopes: ["admin"],
    service,
    body: shutdownRequest,
    reply: askOutcome,
    request: ({ body }) => ({ of: "neuro", do: "shutDown", how: body.how }),
  }),
  operation({
    id: "reregisterIntegration",
    method: "POST",
    path: "/api/integrations/{id}/reregistration",
    tag,
    summary: "Asks one integration to register all its actions again.",
    description: REREGISTRATION,
    scopes: ["admin"],
    service,
    params,
    body: reregistrationRequest,
    reply: askOutcome,
    request: ({ path, body }) => ({ of: "neuro", do: "reregister", id: path.id, ...body }),
  }),
  operation({
    id: "reregisterIntegrations",
    method: "POST",
    path: "/api/reregistration",
    tag,
    summary: "Asks all connected integrations to register their actions again.",
    description: REREGISTRATION,
    scopes: ["admin"],
    service,
    body: reregistrationRequest,
    reply: askOutcome,
    request: ({ body }) => ({ of: "neuro", do: "reregister", ...body }),
  }),
  operation({
    id: "resendSession",
    method: "POST",
    path: "/api/integrations/{id}/session",
    tag,
    summary: "Sends Neuro's session, which is her answer to `startup`, to one integration again.",
    scopes: ["admin"],
    service,
    params,
    reply: askOutcome,
    request: ({ path }) => ({ of: "neuro", do: "resendSession", id: path.id }),
  }),
  operation({
    id: "resendSessions",
    method: "POST",
    path: "/api/session",
    tag,
    summary: "Sends Neuro's session, which is her answer to `startup`, to all connected integrations again.",
    scopes: ["admin"],
    service,
    reply: askOutcome,
    request: () => ({ of: "neuro", do: "resendSession" }),
  }),
  operation({
    id: "sendAction",
    method: "POST",
    path: "/api/integrations/{id}/actions",
    tag,
    summary: "Sends an action to one integration, as Neuro would, and returns its result.",
    description: "The response takes as long as the integration needs, at most until the deadline for actions.",
    scopes: ["command"],
    service,
    params,
    body: actionRequest,
    reply: actionOutcome,
    request: ({ path, body }) => ({ of: "neuro", do: "sendAction", id: path.id, ...withDataAsText(body) }),
  }),
  operation({
    id: "injectIntegrationMessage",
    method: "POST",
    path: "/api/integrations/{id}/messages",
    tag,
    summary: "Sends a raw message to an integration, verbatim, as Neuro.",
    scopes: ["admin"],
    service,
    params,
    body: rawMessage,
    reply: done,
    request: ({ path, body }) => ({ of: "neuro", do: "injectMessage", integration: path.id, message: body.message }),
  }),
  operation({
    id: "getControls",
    method: "GET",
    path: "/api/controls",
    tag,
    summary: "Returns the global controls.",
    scopes: ["watch"],
    service,
    reply: controls,
    request: () => ({ of: "neuro", get: "controls" }),
    versionOf: (body) => controlsTag(body),
  }),
  operation({
    id: "updateControls",
    method: "PATCH",
    path: "/api/controls",
    tag,
    summary:
      "Operates the kill switch, requires approval of every action, or selects how the relay plays Neuro; or lifts that.",
    description: `${PERSISTENT} ${IF_MATCH} With the scope \`stop\` everything can be stopped, and nothing else.`,
    scopes: ["stop", "admin"],
    service,
    body: controlsChange,
    reply: controls,
    acceptsIfMatch: true,
    request: ({ body, expects }) => ({
      of: "neuro",
      do: "setGlobalControls",
      to: body,
      ...(expects !== undefined && { expects }),
    }),
  }),
];

/** An action as the service expects it: its data is JSON text. A text is that text already, as in an action of Neuro. */
export const withDataAsText = (
  { name, data }: { readonly name: string; readonly data?: unknown },
): { readonly name: string; readonly data?: string } => ({
  name,
  ...dataAsText(data),
});

/** The data of an action as JSON text, unless there is none. */
export const dataAsText = (data: unknown): { readonly data?: string } =>
  data === undefined || data === null ? {} : { data: typeof data === "string" ? data : JSON.stringify(data) };
