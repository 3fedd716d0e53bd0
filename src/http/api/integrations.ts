/** Operations on integrations: what each offers, what is decided about it, and what a person says to it. */
import { type Operation, operation } from "./operation.ts";
import { bySlug, id, part } from "./parameters.ts";
import {
  controls,
  controlsChange,
  done,
  integration,
  integrationControlsChange,
  integrationDetail,
  integrations,
  order,
  outcome,
  raw,
} from "./schemas.ts";

const tag = "Integrations";
const service = "neuro";
const params = { id: id("The integration's id.") };

/** Integrations of both doors. */
export const INTEGRATIONS: readonly Operation[] = [
  operation({
    id: "listIntegrations",
    method: "GET",
    path: "/api/integrations",
    tag,
    says: "Integrations of both doors, in the order of their ids.",
    scopes: ["watch"],
    service,
    query: bySlug,
    answer: integrations,
    ask: ({ query }) => ({ of: "neuro", get: "integrations", ...part(query) }),
  }),
  operation({
    id: "getIntegration",
    method: "GET",
    path: "/api/integrations/{id}",
    tag,
    says: "One integration with everything it offers.",
    scopes: ["watch"],
    service,
    params,
    answer: integrationDetail,
    ask: ({ path }) => ({ of: "neuro", get: "integration", id: path.id }),
  }),
  operation({
    id: "controlIntegration",
    method: "PATCH",
    path: "/api/integrations/{id}",
    tag,
    says: "Pauses, mutes or solos an integration, or has its actions approved; and lifts that again.",
    more: "It stays until it is lifted, over restarts too.",
    scopes: ["admin"],
    service,
    params,
    body: integrationControlsChange,
    answer: integration,
    ask: ({ path, body }) => ({ of: "neuro", do: "setControls", id: path.id, to: body }),
  }),
  operation({
    id: "disconnectIntegration",
    method: "DELETE",
    path: "/api/integrations/{id}/connection",
    tag,
    says: "Closes the connection of an integration; it may come back.",
    scopes: ["admin"],
    service,
    params,
    answer: done,
    ask: ({ path }) => ({ of: "neuro", do: "disconnect", id: path.id }),
  }),
  operation({
    id: "sendAction",
    method: "POST",
    path: "/api/integrations/{id}/actions",
    tag,
    says: "Sends an action to one integration, as Neuro would, and answers with its result.",
    more: "The answer takes as long as the integration does, at most until the deadline for actions.",
    scopes: ["command"],
    service,
    params,
    body: order,
    answer: outcome,
    ask: ({ path, body }) => ({ of: "neuro", do: "sendAction", id: path.id, ...asText(body) }),
  }),
  operation({
    id: "injectBelow",
    method: "POST",
    path: "/api/integrations/{id}/messages",
    tag,
    says: "Sends any message to an integration as from Neuro, word for word.",
    scopes: ["admin"],
    service,
    params,
    body: raw,
    answer: done,
    ask: ({ path, body }) => ({ of: "neuro", do: "injectMessage", integration: path.id, message: body.message }),
  }),
  operation({
    id: "controlAll",
    method: "PATCH",
    path: "/api/controls",
    tag,
    says: "The kill switch, and approvals for everybody.",
    more: "It stays until it is lifted, over restarts too.",
    scopes: ["admin"],
    service,
    body: controlsChange,
    answer: controls,
    ask: ({ body }) => ({ of: "neuro", do: "setGlobalControls", to: body }),
  }),
];

/** An action as the room takes it: its data is text. */
export const asText = ({ name, data }: { readonly name: string; readonly data?: unknown }): AsText => ({
  name,
  ...(data !== undefined && { data: JSON.stringify(data) }),
});

interface AsText {
  readonly name: string;
  readonly data?: string;
}
