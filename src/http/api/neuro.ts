/** Operations on what passes between the relay and Neuro: forces, pending actions, and what is said to her. */
import { asText } from "./integrations.ts";
import { type Operation, operation } from "./operation.ts";
import { id } from "./parameters.ts";
import { context, decision, done, order, outcome, raw, sent } from "./schemas.ts";

const tag = "Neuro";
const service = "neuro";
const force = { id: id("The force's id, as in the overview.") };
const pending = { id: id("The pending action's id, as in the overview.") };
const upstream = { id: id("The upstream's id, such as `neuro`.") };

/** Forces, pending actions, upstreams. */
export const NEURO: readonly Operation[] = [
  operation({
    id: "answerForce",
    method: "POST",
    path: "/api/forces/{id}/answer",
    tag,
    says: "Answers a force in Neuro's place, and answers with the action's result.",
    scopes: ["command"],
    service,
    params: force,
    body: order,
    answer: outcome,
    ask: ({ path, body }) => ({ of: "neuro", do: "answerForce", force: path.id, ...asText(body) }),
  }),
  operation({
    id: "vetoForce",
    method: "DELETE",
    path: "/api/forces/{id}",
    tag,
    says: "Takes a force back. Its integration hears nothing: the protocol has no word for it.",
    scopes: ["command"],
    service,
    params: force,
    answer: done,
    ask: ({ path }) => ({ of: "neuro", do: "cancelForce", force: path.id }),
  }),
  operation({
    id: "decidePending",
    method: "POST",
    path: "/api/pending/{id}/decision",
    tag,
    says: "Lets an action go that waits for an approval, or fails it.",
    scopes: ["command"],
    service,
    params: pending,
    body: decision,
    answer: done,
    ask: ({ path, body }) => ({ of: "neuro", do: "decideAction", pending: path.id, ...body }),
  }),
  operation({
    id: "injectAbove",
    method: "POST",
    path: "/api/upstreams/{id}/messages",
    tag,
    says: "Sends any message to Neuro as from the relay, word for word.",
    scopes: ["admin"],
    service,
    params: upstream,
    body: raw,
    answer: done,
    ask: ({ path, body }) => ({ of: "neuro", do: "injectMessage", upstream: path.id, message: body.message }),
  }),
  operation({
    id: "addContext",
    method: "POST",
    path: "/api/upstreams/{id}/contexts",
    tag,
    says: "Puts a context before Neuro; it is stored until she is there.",
    scopes: ["direct", "admin"],
    service,
    params: upstream,
    body: context,
    answer: sent,
    ask: ({ path, body }) => ({ of: "neuro", do: "sendContext", upstream: path.id, ...body }),
  }),
];
