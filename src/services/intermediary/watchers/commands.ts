/** Commands for integrations, from watchers and from the API. */
import type { StepContext } from "../../../core/context.ts";
import type { Json } from "../../../core/json.ts";
import { fitsBytes, utf8Length } from "../../../core/text.ts";
import { failed, ok, type Result } from "../../../core/result.ts";
import type { SendOutcome } from "../../../core/view.ts";
import { inWords } from "../codec/problems.ts";
import { sendToIntegration } from "../integrations/outbound.ts";
import type { IntermediaryState } from "../state.ts";
import type { WatcherReply } from "./replies.ts";

/** Sends a command to an integration, or with the target `*` to all that are connected. */
export function sendCommand(
  state: IntermediaryState,
  { from, target, cmd }: { readonly from: string; readonly target: string; readonly cmd: Json },
  ctx: StepContext,
): Result<WatcherReply<SendOutcome>> {
  const body = JSON.stringify({ from_watcher: from, cmd });
  const { message_bytes } = state.settings.limits;
  if (!fitsBytes(body, message_bytes)) {
    const bytes = utf8Length(body);
    return failed("tooBig", `the command has ${bytes} bytes; \`limits.message_bytes\` allows ${message_bytes}`);
  }
  if (target === "*") return sendToAll(state, body, ctx);
  const integration = state.connections.integrations.get(target);
  if (integration === undefined && !state.directory.has(target, ctx.now) && state.queue.recipients.depth(target) === 0) {
    return failed("notFound", "invalid target/cmd");
  }
  if (integration?.hasQueue === false) {
    sendToIntegration(integration, body, ctx);
    return ok({ reply: { status: "sent" } });
  }
  const sent = state.queue.send(target, { kind: "command", body }, ctx);
  if (!sent.ok) return sent;
  return sent.value.is === "sent"
    ? ok({ reply: { status: "sent" } })
    : ok({ reply: { status: "queued" }, after: sent.value.key });
}

/** Tells the sender of a command for a game where it has to go. Undefined for any other target. */
export const gameHint = ({ games }: IntermediaryState, target: string): string | undefined =>
  games.has(target)
    ? `${target.slice(0, 64)} is a game: commands are for integrations of the Intermediary; send it an action instead`
    : undefined;

/** Tells the sender of a command that its target is unknown. */
export const absentHint = (target: string): string =>
  `no integration called ${inWords(target)} is connected or expected; \`{"query":"peers"}\` lists them`;

function sendToAll(state: IntermediaryState, body: string, ctx: StepContext): Result<WatcherReply<SendOutcome>> {
  let count = 0;
  for (const integration of state.connections.integrations.values()) {
    if (!integration.hasQueue) sendToIntegration(integration, body, ctx);
    if (!integration.hasQueue || state.queue.send(integration.name, { kind: "command", body }, ctx).ok) count++;
  }
  return ok({ reply: { status: "sent", count } });
}
