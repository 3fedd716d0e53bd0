/**
 * Requests to the service: its state as a neuron, and values that an operator sets.
 *
 * Knows nothing of: tokens, HTTP, where the audit log is kept.
 */
import { assertNever } from "../../core/assert.ts";
import type { StepContext } from "../../core/context.ts";
import type { ServiceEvent } from "../../core/event.ts";
import { type Json, plain } from "../../core/json.ts";
import type { NallelyRequest, Requested } from "../../core/request.ts";
import { failed } from "../../core/result.ts";
import { redactUrl } from "../../core/text.ts";
import type { NallelyView } from "../../core/view.ts";
import { settableParameters, setValue } from "./bridge.ts";
import type { NeuronMachine } from "./neuron.ts";
import { waitingCount } from "./outputs.ts";
import type { Role } from "./state.ts";

/** Why Trevor can never be reached, for the operator. */
export const trevorProblem = (reason: string): string =>
  `Trevor can never be reached: ${reason}; correct \`nallely.trevor_url\``;

function readiness(role: Role): Json {
  const reasons: string[] = [];
  if (role.is === "refused") reasons.push(role.reason);
  if (role.is === "active") {
    const { neuron, settings } = role.bridge;
    const { state } = neuron.link;
    const trevorState = role.trevor?.link.state;
    if (trevorState?.is === "failed") reasons.push(trevorProblem(trevorState.reason));
    if (state.is === "failed") reasons.push(`${state.reason}; correct \`nallely\``);
    else if (state.is !== "open") reasons.push(`the bus at ${settings.url} is offline`);
    if (role.drift?.isListed === false) reasons.push("the session does not list the neuron: reset the session");
  }
  return { ok: reasons.length === 0, reasons };
}

function status(role: Role): Json {
  if (role.is !== "active") return { enabled: false };
  const { bridge: { neuron, settings }, trevor, drift } = role;
  const { outputs, link } = neuron;
  return {
    enabled: true,
    name: settings.name,
    url: settings.url,
    state: link.state.is,
    ...valuesOf(neuron),
    counts: { ...outputs.counts, ...neuron.counts, waiting: waitingCount(outputs), openings: neuron.openings },
    trevor: trevor && { state: trevor.link.state.is, bus: trevor.busId, ...trevor.counts },
    drift: drift && { ...drift },
  };
}

/** Answers a request. A command is also observed as `operator_acted`, a refused one, too. */
export function handleRequest(
  role: Role,
  { requestId, principal, request }: ServiceEvent & { readonly is: "requested" },
  ctx: StepContext,
): void {
  if (request.of !== "nallely") return ctx.emit({ do: "respond", requestId, fault: "notFound" });
  if ("do" in request) return executeCommand(role, { requestId, principal, request }, ctx);
  switch (request.get) {
    case "ready":
      return ctx.emit({ do: "respond", requestId, body: readiness(role) });
    case "status":
      return ctx.emit({ do: "respond", requestId, body: status(role) });
    case "neuron":
      return ctx.emit({ do: "respond", requestId, body: plain(neuronView(role)) });
    default:
      return assertNever(request);
  }
}

function executeCommand(
  role: Role,
  { requestId, principal, request }: Requested<Extract<NallelyRequest, { readonly do: unknown }>>,
  ctx: StepContext,
): void {
  const { parameter, value } = request;
  const outcome = !principal.scopes.includes("command")
    ? failed("notAllowed", "this needs the scope command")
    : role.is !== "active"
    ? failed("notNow", "`nallely.enabled` is false")
    : setValue(role.bridge, request, ctx);
  const to = `${parameter.slice(0, 100)} = ${value}`;
  ctx.observe({
    is: "operator_acted",
    by: principal.by,
    did: "set_value",
    to,
    outcome: outcome.ok ? "done" : outcome.fault,
  });
  if (outcome.ok) ctx.emit({ do: "respond", requestId, body: { status: "set" } });
  else ctx.emit({ do: "respond", requestId, fault: outcome.fault, reason: outcome.reason });
}

/** The last value of each output, and of each input that has one. */
function valuesOf({ spec, outputs, inputs }: NeuronMachine): Pick<NallelyView, "outputs" | "inputs"> {
  const sent = spec.parameters.filter(({ direction }) => direction !== "in");
  return {
    outputs: Object.fromEntries(sent.map(({ name }) => [name, outputs.byName.get(name)?.lastSent ?? 0])),
    inputs: Object.fromEntries([...inputs].flatMap(([name, { latest }]) => latest === undefined ? [] : [[name, latest]])),
  };
}

/** The same with every field, for programs. */
function neuronView(role: Role): NallelyView {
  if (role.is !== "active") return NO_NEURON;
  const { bridge, trevor, drift } = role;
  const { neuron, settings: { name, url } } = bridge;
  const { outputs, counts, openings, link } = neuron;
  return {
    enabled: true,
    name,
    url: redactUrl(url),
    state: link.state.is,
    ...valuesOf(neuron),
    settable: settableParameters(bridge),
    counts: { ...outputs.counts, ...counts, waiting: waitingCount(outputs), openings },
    trevor: trevor?.link.state.is ?? null,
    drift: drift === undefined ? null : {
      listed: drift.isListed,
      missing: [...drift.missing],
      extra: [...drift.extra],
      changed: [...drift.changed],
    },
  };
}

const NO_NEURON: NallelyView = {
  enabled: false,
  name: null,
  url: null,
  state: null,
  outputs: null,
  inputs: null,
  settable: null,
  counts: null,
  trevor: null,
  drift: null,
};
