/** Operations on macros: actions with their data that operators have saved under a label. */
import { withDataAsText } from "./integrations.ts";
import { type ApiOperation, operation } from "./operation.ts";
import { byId, id, pageRequest } from "./parameters.ts";
import { macro, macroRequest, macros } from "./macro-schemas.ts";
import { actionOutcome, done } from "./schemas.ts";

const tag = "Macros";
const service = "neuro";
const params = { id: id("The macro's id.") };

export const MACRO_OPERATIONS: readonly ApiOperation[] = [
  operation({
    id: "listMacros",
    method: "GET",
    path: "/api/macros",
    tag,
    summary: "Lists the saved actions, in the order in which they were saved first.",
    scopes: ["watch"],
    service,
    query: byId,
    reply: macros,
    request: ({ query }) => ({ of: "neuro", get: "macros", ...pageRequest(query) }),
  }),
  operation({
    id: "saveMacro",
    method: "POST",
    path: "/api/macros",
    tag,
    summary: "Saves an action with its data under a label, in place of the one with the same label.",
    description:
      "The integration must have registered the action, and the data must fit its schema. `limits.macros` (100) is the maximum.",
    scopes: ["admin"],
    service,
    body: macroRequest,
    reply: macro,
    request: ({ body: { label, integration, action, data } }) => ({
      of: "neuro",
      do: "saveMacro",
      label,
      id: integration,
      ...withDataAsText({ name: action, data }),
    }),
  }),
  operation({
    id: "deleteMacro",
    method: "DELETE",
    path: "/api/macros/{id}",
    tag,
    summary: "Deletes a saved action.",
    scopes: ["admin"],
    service,
    params,
    reply: done,
    request: ({ path }) => ({ of: "neuro", do: "deleteMacro", macro: path.id }),
  }),
  operation({
    id: "runMacro",
    method: "POST",
    path: "/api/macros/{id}/run",
    tag,
    summary: "Sends a saved action to its integration, as Neuro would, and returns its result.",
    description: "The response takes as long as the integration needs, at most until the deadline for actions.",
    scopes: ["command"],
    service,
    params,
    reply: actionOutcome,
    request: ({ path }) => ({ of: "neuro", do: "runMacro", macro: path.id }),
  }),
];
