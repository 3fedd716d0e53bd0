/** Operations on the tokens of the relay. */
import type { FaultName } from "../../core/fault.ts";
import type { Principal } from "../../core/request.ts";
import type { WebPorts } from "../ports.ts";
import { type ApiOperation, composedOperation } from "./operation.ts";
import { id } from "./parameters.ts";
import { done, tokens } from "./schemas.ts";

const tag = "Tokens";

export const TOKEN_OPERATIONS: readonly ApiOperation[] = [
  composedOperation({
    id: "listTokens",
    method: "GET",
    path: "/api/tokens",
    tag,
    summary: "Lists the configured tokens with their last use, without the tokens themselves.",
    scopes: ["admin"],
    reply: tokens,
    run: (_, ports) => Promise.resolve({ body: { items: ports.tokens(), next: null } }),
  }),
  composedOperation({
    id: "revokeToken",
    method: "DELETE",
    path: "/api/tokens/{id}",
    tag,
    summary: "Revokes a token: closes its connections, and refuses it from now on, also after a restart.",
    description:
      "Another token under the same name is valid. With several relays in one process each has its own revocations. The token of the " +
      "web port cannot be revoked.",
    scopes: ["admin"],
    params: { id: id("The id of the token, from the list.") },
    reply: done,
    async run({ path, principal }, ports) {
      const result = await ports.revokeToken(path.id);
      await record(principal, path.id, "fault" in result ? result.fault : "done", ports);
      return result;
    },
  }),
];

/** Why through the Intermediary: it keeps the audit log. */
async function record(
  principal: Principal,
  to: string,
  outcome: "done" | FaultName,
  ports: WebPorts,
): Promise<void> {
  const act = { did: "revoke_token", to, outcome };
  if (ports.services.includes("intermediary")) {
    await ports.request({ of: "intermediary", do: "recordAct", ...act }, principal);
  } else ports.observe({ is: "operator_acted", by: principal.by, ...act });
}
