/** Operations on queued messages, dead letters and commands. */
import type { Principal } from "../../core/request.ts";
import type { BulkOutcome, DeadLetterFilter } from "../../core/view.ts";
import type { RequestResult } from "../../engine/mod.ts";
import type { WebPorts } from "../ports.ts";
import { BULK_MAX, forEachItem } from "./bulk.ts";
import { type ApiOperation, composedOperation, operation } from "./operation.ts";
import { byId, byName, given, id, ofDeadLetters, pageRequest } from "./parameters.ts";
import { bulkOutcome, command, deadLetters, done, message, queueEntries, queues, sendOutcome } from "./schemas.ts";

const tag = "Queue";
const service = "intermediary";
const params = { id: id("The message's id.") };

const BULK = `Without a parameter: all of them. One request handles ${BULK_MAX}; \`more\` says that others are left.`;
/** Why: a token that may change dead letters need not be able to read them. */
const READER: Principal = { by: "relay", scopes: ["watch"] };

/** The absent fields of a filter are undefined. */
type GivenFilter = { readonly [Name in keyof DeadLetterFilter]: DeadLetterFilter[Name] | undefined };

/** Carries a command out for each dead letter that matches. */
async function forEachDeadLetter(
  filter: GivenFilter,
  ports: WebPorts,
  run: (id: string) => Promise<RequestResult<unknown>>,
): Promise<RequestResult<BulkOutcome>> {
  const query = { of: "intermediary", get: "deadLetters", limit: BULK_MAX, ...given(filter) } as const;
  return await forEachItem(await ports.request(query, READER), run);
}

export const QUEUE_OPERATIONS: readonly ApiOperation[] = [
  operation({
    id: "listQueues",
    method: "GET",
    path: "/api/queue",
    tag,
    summary: "Lists recipients with queued messages in the order of their names.",
    scopes: ["watch"],
    service,
    query: byName,
    reply: queues,
    request: ({ query }) => ({ of: "intermediary", get: "queues", ...pageRequest(query) }),
  }),
  operation({
    id: "listQueueEntries",
    method: "GET",
    path: "/api/queue/{recipient}",
    tag,
    summary: "Lists the queued messages of one recipient in order.",
    scopes: ["watch"],
    service,
    params: { recipient: id("The recipient's name.") },
    query: byId,
    reply: queueEntries,
    request: ({ path, query }) => ({
      of: "intermediary",
      get: "queueEntries",
      to: path.recipient,
      ...pageRequest(query),
    }),
  }),
  operation({
    id: "getMessage",
    method: "GET",
    path: "/api/messages/{id}",
    tag,
    summary: "Returns a queued message, or a dead letter, with its body.",
    scopes: ["watch"],
    service,
    params,
    reply: message,
    request: ({ path }) => ({ of: "intermediary", get: "message", id: path.id }),
  }),
  operation({
    id: "deleteMessage",
    method: "DELETE",
    path: "/api/messages/{id}",
    tag,
    summary: "Deletes a queued message or a dead letter.",
    scopes: ["admin"],
    service,
    params,
    reply: done,
    request: ({ path }) => ({ of: "intermediary", do: "dropMessage", id: path.id }),
  }),
  operation({
    id: "sendCommand",
    method: "POST",
    path: "/api/messages",
    tag,
    summary: "Sends a command to an integration of the Intermediary, as a watcher would.",
    description: "The response comes when the command was sent, or stored for a known integration that is offline. " +
      "The sender is the name of the token.",
    scopes: ["command"],
    service,
    body: command,
    reply: sendOutcome,
    request: ({ body, principal }) => ({ of: "intermediary", do: "sendCommand", from: principal.by, ...body }),
  }),
  operation({
    id: "listDeadLetters",
    method: "GET",
    path: "/api/dead-letters",
    tag,
    summary: "Lists dead letters in the order of their creation.",
    scopes: ["watch"],
    service,
    query: { ...ofDeadLetters, ...byId },
    reply: deadLetters,
    request: ({ query }) => ({ of: "intermediary", get: "deadLetters", ...given(query) }),
  }),
  composedOperation({
    id: "retryDeadLetters",
    method: "POST",
    path: "/api/dead-letters/retry",
    tag,
    summary: "Puts all dead letters that match back into their recipients' queues.",
    description: BULK,
    scopes: ["admin"],
    service,
    query: ofDeadLetters,
    reply: bulkOutcome,
    run: ({ query, principal }, ports) =>
      forEachDeadLetter(query, ports, (id) => ports.request({ of: "intermediary", do: "retryMessage", id }, principal)),
  }),
  composedOperation({
    id: "deleteDeadLetters",
    method: "DELETE",
    path: "/api/dead-letters",
    tag,
    summary: "Deletes all dead letters that match.",
    description: BULK,
    scopes: ["admin"],
    service,
    query: ofDeadLetters,
    reply: bulkOutcome,
    run: ({ query, principal }, ports) =>
      forEachDeadLetter(
        query,
        ports,
        (id) => ports.request({ of: "intermediary", do: "dropMessage", id, dead: true }, principal),
      ),
  }),
  operation({
    id: "retryDeadLetter",
    method: "POST",
    path: "/api/dead-letters/{id}/retry",
    tag,
    summary: "Puts a dead letter back into its recipient's queue.",
    scopes: ["admin"],
    service,
    params,
    reply: sendOutcome,
    request: ({ path }) => ({ of: "intermediary", do: "retryMessage", id: path.id }),
  }),
  operation({
    id: "deleteDeadLetter",
    method: "DELETE",
    path: "/api/dead-letters/{id}",
    tag,
    summary: "Deletes a dead letter.",
    scopes: ["admin"],
    service,
    params,
    reply: done,
    request: ({ path }) => ({ of: "intermediary", do: "dropMessage", id: path.id, dead: true }),
  }),
];
