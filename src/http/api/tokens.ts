/** Operations on the tokens of the relay. */
import type { Principal } from "../../core/request.ts";
import type { RequestResult } from "../../engine/mod.ts";
import type { WebPorts } from "../ports.ts";
import { type ApiOperation, composedOperation } from "./operation.ts";
import { id } from "./parameters.ts";
import { done } from "./schemas.ts";
import { issuedToken, OVERLAP_MS, rotationRequest, tokenRequest, tokens } from "./token-schemas.ts";

const tag = "Tokens";

export const TOKEN_OPERATIONS: readonly ApiOperation[] = [
  composedOperation({
    id: "listTokens",
    method: "GET",
    path: "/api/tokens",
    tag,
    summary:
      "Lists the tokens of the settings, and those that operators have issued, with their last use, without the tokens themselves.",
    scopes: ["admin"],
    reply: tokens,
    run: (_, ports) => Promise.resolve({ body: { items: ports.tokens(), next: null } }),
  }),
  composedOperation({
    id: "issueToken",
    method: "POST",
    path: "/api/tokens",
    tag,
    summary: "Issues a token. This reply is the only time that it is shown: the relay keeps its digest.",
    description:
      "It is valid from now on, also after a restart, until it expires or is revoked. It cannot have a scope that your own token lacks. With several " +
      "relays in one process each issues its own. In a cluster, tokens are in the settings.",
    scopes: ["admin"],
    body: tokenRequest,
    reply: issuedToken,
    async run({ body, principal }, ports) {
      const result = await ports.issueToken(body, principal);
      await record(principal, ["issue_token", `${body.use}:${body.name}`, result], ports);
      return result;
    },
  }),
  composedOperation({
    id: "rotateToken",
    method: "POST",
    path: "/api/tokens/{id}/rotation",
    tag,
    summary: "Issues a token in place of another one, which stays valid for an overlap.",
    description:
      "The new token has the name, the scopes, the names and the expiry of the former one, and this reply is the only time that it is shown. The token " +
      "of the web port is not rotated but replaced in the settings.",
    scopes: ["admin"],
    params: { id: id("The id of the token, from the list.") },
    body: rotationRequest,
    reply: issuedToken,
    async run({ path, body: { overlap_ms = OVERLAP_MS }, principal }, ports) {
      const result = await ports.rotateToken(path.id, overlap_ms, principal);
      await record(principal, ["rotate_token", path.id, result], ports);
      return result;
    },
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
      await record(principal, ["revoke_token", path.id, result], ports);
      return result;
    },
  }),
];

/** Why through the Intermediary: it keeps the audit log. */
async function record(
  principal: Principal,
  [did, to, result]: readonly [did: string, to: string, result: RequestResult<unknown>],
  ports: WebPorts,
): Promise<void> {
  const act = { did, to, outcome: "fault" in result ? result.fault : "done" } as const;
  if (ports.services.includes("intermediary")) {
    await ports.request({ of: "intermediary", do: "recordAct", ...act }, principal);
  } else ports.observe({ is: "operator_acted", by: principal.by, ...act });
}
